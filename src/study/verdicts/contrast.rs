use super::{Effect, Scores, Weights};
use crate::base::statistics::{Crossed, sign_flip};
use crate::base::{Error, Result};
use serde::{Deserialize, Serialize};

/// How the networks of several trainings belong together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pairing {
    /// Those of one seed have initial weights and order of images in common: they are compared seed by
    /// seed.
    #[default]
    Matched,
    /// They have nothing in common but the images, as networks of different kinds: their numbers of
    /// seeds may differ.
    Separate,
}

/// A combination of the means of trainings, such as a [difference](Weights::difference), a
/// [trend](Weights::trend) or an [interaction](Weights::interaction), with its interval and test.
///
/// With two seeds or more, seeds and images both are samples: the interval is of all networks that would
/// be trained so, on all such images ([`Crossed`]). With one seed it is by images alone and of these
/// networks only; the p-value of a difference then is the larger one of the interval's and that of the
/// exact test ([`sign_flip`]: McNemar's, if there is one draw), and the interval holds 0 unless the p-value is
/// below 0.05.
///
/// ```
/// use fireproof::study::verdicts::{Pairing, Scores, Weights, contrast};
///
/// // Of 1,000 images 900 are right; the other training loses 50 more.
/// let networks = |right: [usize; 3]| {
///     let network = |right| (0..1000).map(|image| f64::from(image < right)).collect();
///     Scores::new(right.map(network).to_vec(), 1)
/// };
/// let (natural, robust) = (networks([902, 899, 899])?, networks([848, 850, 852])?);
/// let lost = contrast(&Weights::difference(), &[&robust, &natural], Pairing::Matched)?;
/// assert!((lost.value + 0.05).abs() < 1e-12 && lost.interval.high < -0.03);
/// # Ok::<(), fireproof::base::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Input`] unless there is one training for each weight, all on as many images, and with as many
/// seeds if they are matched; or if of separate ones some have one seed and some have several.
pub fn contrast(weights: &Weights, trainings: &[&Scores], pairing: Pairing) -> Result<Effect> {
    let weights_of = weights.as_slice();
    check(weights_of, trainings, pairing)?;
    let images = trainings[0].images();
    let outcome = trainings.iter().map(|training| training.outcome());
    let scale = weights.scale() * outcome.fold(1.0, f64::max);
    let more = [-scale, scale];
    let pairs = || weights_of.iter().copied().zip(trainings.iter().copied());
    let fewest = trainings.iter().map(|t| t.seeds()).min().unwrap_or(1);
    let crossed = match pairing {
        Pairing::Separate => {
            let tables: Vec<_> = pairs().map(|(weight, t)| t.table(weight)).collect();
            Crossed::new(&tables, &more)
        }
        Pairing::Matched => {
            let rows = combined(pairs(), fewest, images);
            Crossed::new(&[super::whole(&rows)], &more)
        }
    };
    let mut effect = Effect::of(&crossed, fewest, images);
    if fewest == 1 {
        if let Some(exact) = exact(weights, trainings) {
            effect.p_value = effect.p_value.max(exact);
        }
        if effect.p_value >= 0.05 {
            effect.interval.low = effect.interval.low.min(0.0);
            effect.interval.high = effect.interval.high.max(0.0);
        }
    }
    let (mut least, mut most) = (0.0, 0.0);
    for (weight, training) in pairs() {
        let ends = training.limits().map(|end| weight * end);
        least += ends[0].min(ends[1]);
        most += ends[0].max(ends[1]);
    }
    effect.interval.low = effect.interval.low.clamp(least, most);
    effect.interval.high = effect.interval.high.clamp(least, most);
    Ok(effect)
}

/// The first training minus the second, seed by seed: [`contrast`] with
/// [`Weights::difference`].
///
/// # Errors
///
/// As of [`contrast`].
pub fn difference(first: &Scores, second: &Scores) -> Result<Effect> {
    contrast(&Weights::difference(), &[first, second], Pairing::Matched)
}

fn check(weights: &[f64], trainings: &[&Scores], pairing: Pairing) -> Result<()> {
    if weights.len() != trainings.len() {
        return Err(Error::input(
            "trainings of a contrast",
            trainings.len(),
            format!("{}, one for each weight", weights.len()),
        ));
    }
    let first = trainings[0];
    for (at, training) in trainings.iter().enumerate() {
        if training.images() != first.images() {
            return Err(Error::input(
                format!("images of training {at}"),
                training.images(),
                format!("{}, the same as of training 0", first.images()),
            ));
        }
        let (seeds, expected) = (training.seeds(), first.seeds());
        let fits = match pairing {
            Pairing::Matched => seeds == expected,
            Pairing::Separate => (seeds == 1) == (expected == 1),
        };
        if !fits {
            return Err(Error::input(
                format!("seeds of training {at}"),
                seeds,
                match pairing {
                    Pairing::Matched => format!("{expected}, the same as of training 0"),
                    Pairing::Separate => "one of each training, or at least two of each".to_owned(),
                },
            ));
        }
    }
    Ok(())
}

// The combination of each seed's networks on each image.
fn combined<'a>(
    pairs: impl Iterator<Item = (f64, &'a Scores)>,
    seeds: usize,
    images: usize,
) -> Vec<Vec<f64>> {
    let mut rows = vec![vec![0.0; images]; seeds];
    for (weight, training) in pairs {
        for (sums, row) in rows.iter_mut().zip(training.rows()) {
            for (sum, score) in sums.iter_mut().zip(row) {
                *sum += weight * score;
            }
        }
    }
    rows
}

// The exact p-value, of a difference whose scores are means of outcomes.
fn exact(weights: &Weights, trainings: &[&Scores]) -> Option<f64> {
    let &[first, second] = trainings else {
        return None;
    };
    let draws = first.draws().filter(|_| second.draws() == first.draws())?;
    if *weights != Weights::difference() {
        return None;
    }
    let pairs = first.network(0).iter().zip(second.network(0));
    let whole = pairs.map(|(a, b)| ((a - b) * draws as f64).round() as i64);
    Some(sign_flip(&whole.collect::<Vec<i64>>()))
}
