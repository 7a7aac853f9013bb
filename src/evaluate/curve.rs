use super::{Axis, Difference, Level, Outcomes, Rate};
use crate::base::{Error, Result};
use serde::{Deserialize, Serialize};

/// What came of one [`Axis`]: a point per level. It says all that a reader needs to know of the
/// axis, without its threat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve<P = Point> {
    /// The name of the axis.
    pub axis: String,
    /// The unit of its levels.
    pub unit: String,
    /// A title with the unit, as beside a plot.
    pub title: String,
    /// A level as short text, with `{}` for each part of it.
    pub label: String,
    /// The threat at its largest level, in words.
    pub threat: String,
    /// The levels, growing, and what was found at each.
    pub points: Vec<P>,
    /// The seeds of the networks that points are means over; none of one network alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seeds: Vec<u64>,
}

impl<P> Curve<P> {
    /// The points of an axis.
    ///
    /// # Panics
    ///
    /// Panics if the axis has no level.
    pub fn of(axis: &Axis, points: Vec<P>) -> Self {
        let largest = axis.levels.last().expect("an axis with levels");
        Self {
            axis: axis.name.clone(),
            unit: axis.unit.clone(),
            title: axis.full_title(),
            label: axis.full_label(largest),
            threat: axis.threat.describe(largest),
            points,
            seeds: Vec::new(),
        }
    }

    /// Means over networks of these seeds.
    pub fn with_seeds(mut self, seeds: Vec<u64>) -> Self {
        self.seeds = seeds;
        self
    }

    /// The same axis with other points.
    pub(super) fn with_points<Q>(&self, points: Vec<Q>) -> Curve<Q> {
        Curve {
            axis: self.axis.clone(),
            unit: self.unit.clone(),
            title: self.title.clone(),
            label: self.label.clone(),
            threat: self.threat.clone(),
            points,
            seeds: self.seeds.clone(),
        }
    }

    pub(super) fn named<'a>(curves: &'a [Self], axis: &str) -> Result<&'a Self> {
        let found = curves.iter().find(|curve| curve.axis == axis);
        found.ok_or_else(|| {
            let measured: Vec<&str> = curves.iter().map(|curve| &*curve.axis).collect();
            let expected = format!("one of those measured: [{}]", measured.join(", "));
            Error::setting("axis", axis, expected)
        })
    }

    /// A level as short text, for example `±45°`.
    pub fn label_at(&self, level: &Level) -> String {
        level.within(&self.label)
    }
}

impl<P: AsRef<Level>> Curve<P> {
    /// The point at this level.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if it was not measured.
    pub fn at(&self, level: impl Into<Level>) -> Result<&P> {
        let level = level.into();
        let points = || self.points.iter();
        points()
            .find(|point| point.as_ref().is_near(&level))
            .ok_or_else(|| {
                let measured: Vec<String> = points().map(|p| p.as_ref().to_string()).collect();
                Error::setting(
                    format!("level of {}", self.axis),
                    level,
                    format!("one of those measured: [{}]", measured.join(", ")),
                )
            })
    }
}

/// What was measured at one level of an axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The level in the unit of its axis.
    pub level: Level,
    /// The share of images classified as labelled. Where the threat
    /// [may leave an image as it is](super::Threat::includes_clean), as an attack may, an image
    /// counts only if the classifier is right on the clean image, too.
    pub accuracy: Rate,
    /// The share of images whose predicted class differs from the classifier's own prediction on
    /// the clean image. An attack leads away from that prediction for it, and not from the label.
    pub fooling: Rate,
    /// The same share of those images that the classifier gets right as they are; none if it gets
    /// none right. For attacks this is the success rate.
    pub fooling_of_right: Option<Rate>,
    /// Accuracy on the clean images minus [`accuracy`](Self::accuracy): what the threat costs. None in
    /// files from before it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Difference>,
    /// How often each image met the threat; 1 for attacks.
    pub draws: usize,
    /// Forward passes per image, on average.
    pub queries: f64,
    /// The share of images (and draws) that an attack did not fool though one of their gradients was
    /// zero everywhere, so that it had nothing to go by: their accuracy may be too high.
    #[serde(default)]
    pub vanished: f64,
    /// The share of images (and draws) that an attack did not fool though one of their gradients had
    /// an entry that was NaN or infinite, and so was not followed.
    #[serde(default)]
    pub undefined: f64,
    /// Whether each image (and draw) counted for the accuracy, if kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correct: Option<Outcomes>,
    /// Whether each image (and draw) counted for the fooling rate, if kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fooled: Option<Outcomes>,
}

impl Point {
    /// What follows from the outcomes at a level: `draws` of each image side by side, against whether the image
    /// is classified rightly as it is. Counts of passes and outcomes of images are left to the caller.
    pub(crate) fn of_outcomes(
        level: Level,
        draws: usize,
        right: &[bool],
        [correct, fooled]: [&[bool]; 2],
        is_clean: bool,
    ) -> Self {
        let rate = |flags: &[bool]| Rate::of_draws(flags, draws);
        let of_right: Vec<bool> = (fooled.chunks(draws).zip(right))
            .filter(|(_, right)| **right)
            .flat_map(|(fooled, _)| fooled.to_vec())
            .collect();
        let lost = (correct.chunks(draws).zip(right)).map(|(correct, &right)| {
            let correct = correct.iter().filter(|&&correct| correct).count();
            f64::from(u8::from(right)) - correct as f64 / draws as f64
        });
        let gap = match is_clean {
            true => Difference::none(right.len()),
            false => Difference::of(&Vec::from_iter(lost)),
        };
        Self {
            level,
            accuracy: rate(correct),
            fooling: rate(fooled),
            fooling_of_right: (!of_right.is_empty()).then(|| rate(&of_right)),
            gap: Some(gap),
            draws,
            queries: 0.0,
            vanished: 0.0,
            undefined: 0.0,
            correct: None,
            fooled: None,
        }
    }
}

impl AsRef<Level> for Point {
    fn as_ref(&self) -> &Level {
        &self.level
    }
}

impl Curve {
    /// The images and networks behind means over several: `500 images, seed 1`.
    pub(crate) fn sample(&self) -> Option<String> {
        let images = self.points.first()?.accuracy.count;
        let seeds = Vec::from_iter(self.seeds.iter().map(u64::to_string)).join(", ");
        match self.seeds.len() {
            0 => None,
            1 => Some(format!("{images} images, seed {seeds}")),
            _ => Some(format!("{images} images, seeds {seeds}")),
        }
    }
}
