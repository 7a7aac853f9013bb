use crate::base::statistics::{Interval, clustered_bootstrap, holm, mcnemar, wilson};
use crate::base::{Error, Result, Seed};
use crate::evaluate::{Curve, Level, Outcomes, Profile};
use serde::{Deserialize, Serialize};

/// Two classifiers on the same images and poses at one level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Paired {
    /// The level in the unit of its axis; 0 for clean images.
    pub level: Level,
    /// Accuracy of the first minus accuracy of the second, from -1 to 1.
    pub difference: f64,
    /// Its 95 % bootstrap interval over images.
    pub interval: Interval,
    /// Images that only the first classifies as labelled (in the first draw).
    pub only_first: usize,
    /// Images that only the second classifies as labelled (in the first draw).
    pub only_second: usize,
    /// McNemar's exact two-sided p-value of these two counts.
    pub p_value: f64,
    /// The p-value after Holm's adjustment over the levels of its axis: below 0.05, the
    /// difference stands although several levels were looked at.
    pub adjusted: f64,
}

impl AsRef<Level> for Paired {
    fn as_ref(&self) -> &Level {
        &self.level
    }
}

/// Two profiles compared image by image: what [`compare`] gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Name of the first classifier.
    pub first: String,
    /// Name of the second classifier.
    pub second: String,
    /// On clean images.
    pub clean: Paired,
    /// Along every axis, but for levels that change nothing.
    pub curves: Vec<Curve<Paired>>,
}

impl Comparison {
    /// What was found along the axis of this name.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if there is none.
    pub fn curve(&self, axis: &str) -> Result<&Curve<Paired>> {
        Curve::named(&self.curves, axis)
    }
}

/// Tests at every level whether two classifiers differ in accuracy, on the same images.
///
/// McNemar's exact test wants one outcome per image: where there are several draws it takes the
/// first, while the difference and its interval use all. p-values are adjusted after Holm within
/// each axis. Levels that took no pass repeat the clean measurement and are left out.
///
/// # Errors
///
/// [`Error::Input`] if the profiles were measured on different images, or with different axes or
/// seeds, or do not keep their outcomes.
pub fn compare(first: &Profile, second: &Profile) -> Result<Comparison> {
    check_pairing(first, second)?;
    let pair = |level, draws, a: &Option<Outcomes>, b: &Option<Outcomes>| match (a, b) {
        (Some(a), Some(b)) => paired(first, level, draws, a, b),
        _ => Err(Error::input(
            format!("profiles `{}` and `{}`", first.name, second.name),
            "no outcomes of single images",
            "profiles of an `Evaluation` that keeps outcomes",
        )),
    };
    let along = |(first, second): (&Curve, &Curve)| {
        let mut tests = (first.points.iter().zip(&second.points))
            .filter(|(a, _)| a.queries > 0.0)
            .map(|(a, b)| pair(a.level.clone(), a.draws, &a.correct, &b.correct))
            .collect::<Result<Vec<Paired>>>()?;
        let p_values: Vec<f64> = tests.iter().map(|test| test.p_value).collect();
        for (test, adjusted) in tests.iter_mut().zip(holm(&p_values)) {
            test.adjusted = adjusted;
        }
        Ok(first.with_points(tests))
    };
    let curves = first.curves.iter().zip(&second.curves);
    let (a, b) = (&first.clean_correct, &second.clean_correct);
    Ok(Comparison {
        first: first.name.clone(),
        second: second.name.clone(),
        clean: pair(Level::from(0.0), 1, a, b)?,
        curves: curves.map(along).collect::<Result<_>>()?,
    })
}

fn check_pairing(first: &Profile, second: &Profile) -> Result<()> {
    // What does not change the measurement may differ.
    let measured = |profile: &Profile| {
        let mut settings = profile.settings.clone();
        for name in ["batch_size", "resamples", "keep_outcomes"] {
            settings.as_object_mut().map(|fields| fields.remove(name));
        }
        settings
    };
    let same_images = first.data.digest == second.data.digest;
    if same_images && measured(first) == measured(second) {
        return Ok(());
    }
    Err(Error::input(
        format!("profiles `{}` and `{}`", first.name, second.name),
        if same_images {
            "different settings"
        } else {
            "different images"
        },
        "the same images, levels, draws, seed, sampling and attack",
    ))
}

fn paired(
    profile: &Profile,
    level: Level,
    draws: usize,
    first: &Outcomes,
    second: &Outcomes,
) -> Result<Paired> {
    let images = profile.data.images;
    if first.len() != images * draws || second.len() != images * draws {
        return Err(Error::input(
            format!("outcomes at level {level}"),
            format!("{} and {}", first.len(), second.len()),
            format!("{} ({images} images, {draws} draws)", images * draws),
        ));
    }
    let share = |flag: bool| f64::from(u8::from(flag));
    let differences: Vec<f64> = (first.iter().zip(second.iter()))
        .map(|(first, second)| share(first) - share(second))
        .collect();
    let of_image = differences.chunks(draws);
    let per_image: Vec<f64> = (of_image.clone())
        .map(|image| image.iter().sum::<f64>() / draws as f64)
        .collect();
    let only = |sign| of_image.clone().filter(|image| image[0] == sign).count();
    let (only_first, only_second) = (only(1.0), only(-1.0));
    let p_value = mcnemar(only_first, only_second);
    Ok(Paired {
        level,
        difference: per_image.iter().sum::<f64>() / images as f64,
        interval: interval(&per_image, profile),
        only_first,
        only_second,
        p_value,
        adjusted: p_value,
    })
}

// Where every image has the same difference, a bootstrap would claim certainty: as many images
// allow what Wilson's interval allows for no success.
fn interval(per_image: &[f64], profile: &Profile) -> Interval {
    let first = per_image[0];
    if per_image.iter().all(|&difference| difference == first) {
        let open = wilson(0, per_image.len()).high;
        return Interval {
            low: (first - open).max(-1.0),
            high: (first + open).min(1.0),
        };
    }
    let number = |name: &str, default| profile.settings[name].as_u64().unwrap_or(default);
    let (resamples, seed) = (number("resamples", 1000), number("seed", 0));
    clustered_bootstrap(per_image, resamples as usize, Seed(seed))
}
