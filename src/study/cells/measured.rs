use super::address::Address;
use super::packed::Packed;
use crate::base::{Error, Result, Seed};
use crate::data::DataSummary;
use crate::evaluate::{Curve, Extras, Level, Outcomes, Point, Profile, Rate, Versions};
use crate::study::settings::Measurement;
use serde::{Deserialize, Serialize};

/// What a measurement found of one network: outcomes, image by image, and counts. Everything else follows from
/// these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// The address of the measurement's settings, its images and its seed among them.
    pub of: Address,
    /// The images.
    pub data: DataSummary,
    // Which images are classified as labelled as they are.
    clean: Packed,
    // For every axis its levels.
    axes: Vec<Vec<Outcome>>,
}

/// One level of one axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outcome {
    level: Level,
    draws: usize,
    // Sums over images and draws.
    queries: u64,
    vanished: u64,
    undefined: u64,
    correct: Packed,
    // Where an outcome fools although it is as labelled, or does not although it is not: of images that are
    // classified rightly as they are, nowhere.
    odd: Packed,
}

impl Measured {
    pub(super) fn of(profile: &Profile, of: Address) -> Result<Self> {
        let images = profile.data.images as f64;
        let bits = |outcomes: &Option<Outcomes>| {
            let missing = || Error::input("profile", "no outcomes of images", "outcomes");
            outcomes.as_ref().map(Packed::of).ok_or_else(missing)
        };
        let outcome = |point: &Point| {
            let (correct, fooled) = (bits(&point.correct)?, bits(&point.fooled)?);
            let all = images * point.draws as f64;
            Ok(Outcome {
                level: point.level.clone(),
                draws: point.draws,
                queries: (point.queries * images).round() as u64,
                vanished: (point.vanished * all).round() as u64,
                undefined: (point.undefined * all).round() as u64,
                odd: odd(&correct.0, &fooled.0),
                correct,
            })
        };
        let axis = |curve: &Curve| curve.points.iter().map(outcome).collect::<Result<_>>();
        Ok(Self {
            of,
            data: profile.data.clone(),
            clean: bits(&profile.clean_correct)?,
            axes: profile.curves.iter().map(axis).collect::<Result<_>>()?,
        })
    }

    /// What was found on several parts of the images, one after the other, as if on all at once.
    pub(super) fn joined(parts: Vec<Self>, data: DataSummary) -> Result<Self> {
        let mut parts = parts.into_iter();
        let none = || Error::input("measured parts", "none", "at least one");
        let mut whole = parts.next().ok_or_else(none)?;
        for part in parts {
            whole.clean.0.extend(part.clean.0);
            let (there, more) = (
                whole.axes.iter_mut().flatten(),
                part.axes.into_iter().flatten(),
            );
            for (there, more) in there.zip(more) {
                there.queries += more.queries;
                there.vanished += more.vanished;
                there.undefined += more.undefined;
                there.correct.0.extend(more.correct.0);
                there.odd.0.extend(more.odd.0);
            }
        }
        whole.data = data;
        whole.check()?;
        Ok(whole)
    }

    /// Refuses outcomes that are not of so many images.
    pub(super) fn check(&self) -> Result<()> {
        let images = self.data.images;
        let whole = |outcome: &Outcome| {
            let count = images * outcome.draws;
            outcome.draws > 0 && outcome.correct.0.len() == count && outcome.odd.0.len() == count
        };
        let all = self.clean.0.len() == images && self.axes.iter().flatten().all(whole);
        match all && images > 0 {
            true => Ok(()),
            false => Err(Error::input(
                "outcomes",
                "too few or too many",
                format!("those of {images} images"),
            )),
        }
    }

    /// Whether each image is classified as labelled as it is.
    pub fn clean(&self) -> &[bool] {
        &self.clean.0
    }

    /// Which images are classified as labelled as they are.
    pub(crate) fn clean_outcomes(&self) -> Outcomes {
        Outcomes::new(self.clean.0.iter().copied())
    }

    /// The outcomes at a level, given the place of its axis in the measurement: draws of an image, which are
    /// as labelled, which differ from the clean prediction.
    pub(crate) fn outcomes(
        &self,
        axis: usize,
        level: &Level,
    ) -> Option<(usize, Outcomes, Outcomes)> {
        let all = self.axes.get(axis)?.iter();
        let found = all.into_iter().find(|at| at.level.is_near(level))?;
        let fooled = fooled(&found.correct.0, &found.odd.0);
        let correct = found.correct.0.iter().copied();
        Some((found.draws, Outcomes::new(correct), Outcomes::new(fooled)))
    }

    /// As a profile of the measurement, without outcomes of single images.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] if it is not what the measurement asks for.
    pub(crate) fn profile(
        &self,
        measurement: &Measurement,
        seed: Seed,
        versions: &Versions,
    ) -> Result<Profile> {
        let (right, images) = (&self.clean.0, self.data.images);
        let levels = measurement.axes.iter().map(|axis| axis.levels.len());
        if !levels.eq(self.axes.iter().map(Vec::len)) {
            return Err(Error::input(
                "axes of a cell",
                "others",
                "those of the measurement",
            ));
        }
        let curve = |(axis, outcomes): (_, &Vec<Outcome>)| {
            Curve::of(
                axis,
                outcomes
                    .iter()
                    .map(|outcome| point(outcome, right))
                    .collect(),
            )
        };
        let evaluation = measurement.evaluation(seed).with_outcomes(false);
        Ok(Profile {
            name: String::new(),
            data: self.data.clone(),
            clean: Rate::of(right.iter().filter(|&&right| right).count(), images),
            clean_correct: None,
            curves: measurement.axes.iter().zip(&self.axes).map(curve).collect(),
            settings: serde_json::to_value(evaluation).expect("settings are plain values"),
            numerics: measurement.numerics,
            versions: versions.clone(),
            extras: Extras::default(),
        })
    }
}

fn odd(correct: &[bool], fooled: &[bool]) -> Packed {
    Packed(
        correct
            .iter()
            .zip(fooled)
            .map(|(correct, fooled)| correct == fooled)
            .collect(),
    )
}

fn fooled(correct: &[bool], odd: &[bool]) -> Vec<bool> {
    correct
        .iter()
        .zip(odd)
        .map(|(correct, odd)| correct == odd)
        .collect()
}

fn point(outcome: &Outcome, right: &[bool]) -> Point {
    let fooled = fooled(&outcome.correct.0, &outcome.odd.0);
    let (level, draws) = (outcome.level.clone(), outcome.draws);
    let is_clean = outcome.queries == 0;
    let point = Point::of_outcomes(level, draws, right, [&outcome.correct.0, &fooled], is_clean);
    Point {
        queries: outcome.queries as f64 / right.len() as f64,
        vanished: outcome.vanished as f64 / fooled.len() as f64,
        undefined: outcome.undefined as f64 / fooled.len() as f64,
        ..point
    }
}
