use crate::base::statistics::{Interval, holm, paired, sign_flip};
use crate::base::{Error, Result};
use crate::evaluate::{Curve, Level, Outcomes, Profile};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Two classifiers on the same images and poses at one level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// The level in the unit of its axis.
    pub level: Level,
    /// Their accuracies.
    pub accuracy: Paired,
    /// Their fooling rates.
    pub fooling: Paired,
}

impl AsRef<Level> for Pair {
    fn as_ref(&self) -> &Level {
        &self.level
    }
}

/// Two rates on the same images compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Paired {
    /// Rate of the first minus rate of the second, from -1 to 1.
    pub difference: f64,
    /// Its 95 % interval, [`paired`] by image.
    pub interval: Interval,
    /// Images that count for the first alone; with several draws, in more of them than for the
    /// second.
    pub only_first: usize,
    /// Images that count for the second alone, or in more draws.
    pub only_second: usize,
    /// The exact two-sided p-value of [`sign_flip`]: with one draw, McNemar's.
    pub p_value: f64,
    /// The p-value after Holm's adjustment over the levels of its axis: below 0.05, the
    /// difference stands although several levels were looked at.
    pub adjusted: f64,
}

/// In points: `+1.2 (-0.3 to +2.7)`.
impl fmt::Display for Paired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [difference, low, high] =
            [self.difference, self.interval.low, self.interval.high].map(|d| 100.0 * d);
        write!(f, "{difference:+.1} ({low:+.1} to {high:+.1})")
    }
}

/// Two profiles compared image by image: what [`compare`] gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Name of the first classifier.
    pub first: String,
    /// Name of the second classifier.
    pub second: String,
    /// Their accuracies on clean images.
    pub clean: Paired,
    /// Along every axis, but for levels that change nothing.
    pub curves: Vec<Curve<Pair>>,
}

impl Comparison {
    /// What was found along the axis of this name.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if there is none.
    pub fn curve(&self, axis: &str) -> Result<&Curve<Pair>> {
        Curve::named(&self.curves, axis)
    }
}

/// Tests at every level whether two classifiers differ in accuracy and in fooling rate, on the same
/// images.
///
/// The test flips the sign of each image's difference, exactly: McNemar's test where there is one
/// draw, and of means over the draws where there are several. p-values are adjusted after Holm within
/// each axis, for each rate. Levels that took no pass repeat the clean measurement and are left out.
///
/// # Errors
///
/// [`Error::Input`] if the profiles were measured on different images, or with different axes,
/// seeds or numerics, or do not keep their outcomes.
pub fn compare(first: &Profile, second: &Profile) -> Result<Comparison> {
    check_pairing(first, second)?;
    let images = first.data.images;
    let pair = |draws, a: &Option<Outcomes>, b: &Option<Outcomes>| match (a, b) {
        (Some(a), Some(b)) => test(images, draws, a, b),
        _ => Err(Error::input(
            format!("profiles `{}` and `{}`", first.name, second.name),
            "no outcomes of single images",
            "profiles of an `Evaluation` that keeps outcomes",
        )),
    };
    let along = |(first, second): (&Curve, &Curve)| {
        let mut pairs = (first.points.iter().zip(&second.points))
            .filter(|(a, _)| a.queries > 0.0)
            .map(|(a, b)| {
                Ok(Pair {
                    level: a.level.clone(),
                    accuracy: pair(a.draws, &a.correct, &b.correct)?,
                    fooling: pair(a.draws, &a.fooled, &b.fooled)?,
                })
            })
            .collect::<Result<Vec<Pair>>>()?;
        adjust(pairs.iter_mut().map(|pair| &mut pair.accuracy).collect());
        adjust(pairs.iter_mut().map(|pair| &mut pair.fooling).collect());
        Ok(first.with_points(pairs))
    };
    let curves = first.curves.iter().zip(&second.curves);
    Ok(Comparison {
        first: first.name.clone(),
        second: second.name.clone(),
        clean: pair(1, &first.clean_correct, &second.clean_correct)?,
        curves: curves.map(along).collect::<Result<_>>()?,
    })
}

fn adjust(tests: Vec<&mut Paired>) {
    let p_values: Vec<f64> = tests.iter().map(|test| test.p_value).collect();
    for (test, adjusted) in tests.into_iter().zip(holm(&p_values)) {
        test.adjusted = adjusted;
    }
}

fn check_pairing(first: &Profile, second: &Profile) -> Result<()> {
    // What does not change the measurement may differ.
    let measured = |profile: &Profile| {
        let mut settings = profile.settings.clone();
        for name in ["batch_size", "keep_outcomes"] {
            settings.as_object_mut().map(|fields| fields.remove(name));
        }
        settings
    };
    let found = if first.data.digest != second.data.digest {
        "different images"
    } else if measured(first) != measured(second) {
        "different settings"
    } else if first.numerics != second.numerics {
        "different numerics"
    } else {
        return Ok(());
    };
    Err(Error::input(
        format!("profiles `{}` and `{}`", first.name, second.name),
        found,
        "the same images, axes, seed and numerics",
    ))
}

fn test(images: usize, draws: usize, first: &Outcomes, second: &Outcomes) -> Result<Paired> {
    if first.len() != images * draws || second.len() != images * draws {
        return Err(Error::input(
            "outcomes",
            format!("{} and {}", first.len(), second.len()),
            format!("{} ({images} images, {draws} draws)", images * draws),
        ));
    }
    let difference = |index| i64::from(first.get(index)) - i64::from(second.get(index));
    let draws_of = |image| image * draws..(image + 1) * draws;
    let differences: Vec<i64> = (0..images)
        .map(|image| draws_of(image).map(difference).sum())
        .collect();
    let means: Vec<f64> = (differences.iter())
        .map(|&difference| difference as f64 / draws as f64)
        .collect();
    let p_value = sign_flip(&differences);
    Ok(Paired {
        difference: means.iter().sum::<f64>() / images as f64,
        interval: paired(&means),
        only_first: differences.iter().filter(|&&d| d > 0).count(),
        only_second: differences.iter().filter(|&&d| d < 0).count(),
        p_value,
        adjusted: p_value,
    })
}
