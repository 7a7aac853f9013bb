use super::Estimate;
use crate::base::statistics::{Crossed, Interval, Table, clustered};
use crate::base::{Error, Result};
use crate::evaluate::Outcomes;

/// What the networks of one training score on each image: a row for each seed, the same images in the
/// same order for all.
///
/// A score is the mean of the outcomes of the image's draws (poses, say), or of one outcome. An
/// [`Estimand`](super::Estimand) makes scores of what an evaluation keeps.
///
/// ```
/// use fireproof::study::verdicts::Scores;
///
/// // Two seeds, five images, one draw.
/// let scores = Scores::new(vec![vec![1.0, 1.0, 0.0, 1.0, 1.0], vec![1.0, 0.0, 0.0, 1.0, 1.0]], 1)?;
/// assert_eq!((scores.seeds(), scores.images(), scores.mean()), (2, 5, 0.7));
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    rows: Vec<Vec<f64>>,
    // Of how many outcomes a score is the mean; none if it is no such mean.
    draws: Option<usize>,
    range: Interval,
    // What an outcome of one image adds to the sum of scores: more than 1 where not all images count.
    outcome: f64,
}

impl Scores {
    /// Scores from 0 to 1, each the mean of `draws` outcomes.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] if there is no seed or image, if a seed has not as many images as the first,
    /// or if a score is no mean of so many outcomes.
    pub fn new(per_seed: Vec<Vec<f64>>, draws: usize) -> Result<Self> {
        let outcomes = |score: f64| score * draws as f64;
        for (seed, row) in per_seed.iter().enumerate() {
            let odd = row.iter().position(|&score| {
                let count = outcomes(score);
                !(0.0..=1.0).contains(&score) || (count - count.round()).abs() > 1e-6
            });
            if let Some(image) = odd {
                return Err(Error::input(
                    format!("the score of image {image} by network {seed}"),
                    row[image],
                    format!("the mean of {draws} outcomes that are 0 or 1"),
                ));
            }
        }
        Self::within(per_seed, Some(draws).filter(|&draws| draws > 0), [0.0, 1.0])
    }

    /// The outcomes of a network of each seed: those of an image side by side, `draws` of each.
    ///
    /// # Errors
    ///
    /// As of [`new`](Self::new), and if a network has not `draws` outcomes of each image.
    pub fn of_outcomes<'a>(
        per_seed: impl IntoIterator<Item = &'a Outcomes>,
        draws: usize,
    ) -> Result<Self> {
        let rows: Result<_> = per_seed.into_iter().map(|o| means(o, draws)).collect();
        Self::new(rows?, draws)
    }

    /// Scores whose mean is in this range.
    pub(crate) fn within(
        rows: Vec<Vec<f64>>,
        draws: Option<usize>,
        [low, high]: [f64; 2],
    ) -> Result<Self> {
        let images = rows.first().map_or(0, Vec::len);
        let other = rows.iter().position(|row| row.len() != images);
        if images == 0 || other.is_some() {
            return Err(Error::input(
                format!("scores of network {}", other.unwrap_or(0)),
                other.map_or(0, |at| rows[at].len()),
                match images {
                    0 => "at least one network and one image".to_owned(),
                    images => format!("{images} images, as of network 0"),
                },
            ));
        }
        let range = Interval { low, high };
        Ok(Self {
            rows,
            draws,
            range,
            outcome: 1.0,
        })
    }

    /// The same, if what an image's outcome adds to the sum of scores is this.
    pub(super) fn with_outcome(self, outcome: f64) -> Self {
        Self { outcome, ..self }
    }

    pub(super) fn outcome(&self) -> f64 {
        self.outcome
    }

    /// The number of networks, one for each seed.
    pub fn seeds(&self) -> usize {
        self.rows.len()
    }

    /// The number of images.
    pub fn images(&self) -> usize {
        self.rows[0].len()
    }

    /// The scores of the images by the network of this position.
    ///
    /// # Panics
    ///
    /// Panics if there is no such network.
    pub fn network(&self, position: usize) -> &[f64] {
        &self.rows[position]
    }

    /// The mean over networks and images.
    pub fn mean(&self) -> f64 {
        let sum: f64 = self.rows.iter().flatten().sum();
        sum / (self.seeds() * self.images()) as f64
    }

    /// The network of one seed alone: what is said by it speaks of this network only.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] if there is no such network.
    pub fn only(&self, position: usize) -> Result<Self> {
        let row = self.rows.get(position).cloned();
        let only = Self::within(row.into_iter().collect(), self.draws, self.limits())?;
        Ok(only.with_outcome(self.outcome))
    }

    /// The images at these positions, for instance those that were attacked too.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] if there is none, or one that the scores have not.
    pub fn of_images(&self, positions: &[usize]) -> Result<Self> {
        if let Some(missing) = positions.iter().find(|&&at| at >= self.images()) {
            return Err(Error::input(
                "an image's position",
                missing,
                format!("below {}", self.images()),
            ));
        }
        let chosen = |row: &Vec<f64>| positions.iter().map(|&at| row[at]).collect();
        let rows = self.rows.iter().map(chosen).collect();
        let some = Self::within(rows, self.draws, self.limits())?;
        Ok(some.with_outcome(self.outcome))
    }

    /// The mean with its 95 % interval: of all networks trained so and all such images, or, where
    /// there is one seed, of this network and all such images.
    ///
    /// A share has [the interval of a proportion](Crossed::interval_of_proportion), of one network
    /// [by image](clustered); a gap the one of a difference.
    pub fn estimate(&self) -> Estimate {
        let table = [self.table(1.0)];
        let proportion = self.range.low == 0.0;
        let interval = match self.draws {
            Some(draws) if proportion && self.seeds() == 1 => clustered(&self.rows[0], draws),
            _ if proportion => {
                let more = |of: f64| self.mean() + (of - self.mean()) * self.outcome;
                let [lost, kept] = [0.0, 1.0].map(more);
                Crossed::new(&table, &[lost, lost, kept, kept]).interval_of_proportion()
            }
            _ => self.inside(Crossed::new(&table, &[-1.0, 1.0]).interval()),
        };
        Estimate {
            value: self.mean(),
            interval,
            seeds: self.seeds(),
            images: (self.images() as f64 / self.outcome).round() as usize,
        }
    }

    pub(super) fn table(&self, weight: f64) -> Table<'_> {
        Table {
            rows: &self.rows,
            weight,
        }
    }

    pub(super) fn rows(&self) -> &[Vec<f64>] {
        &self.rows
    }

    pub(super) fn draws(&self) -> Option<usize> {
        self.draws
    }

    /// The least and the largest mean that there can be.
    pub(super) fn limits(&self) -> [f64; 2] {
        [self.range.low, self.range.high]
    }

    fn inside(&self, interval: Interval) -> Interval {
        let [low, high] =
            [interval.low, interval.high].map(|end| end.clamp(self.range.low, self.range.high));
        Interval { low, high }
    }
}

/// The mean of each image's outcomes.
pub(super) fn means(outcomes: &Outcomes, draws: usize) -> Result<Vec<f64>> {
    if draws == 0 || !outcomes.len().is_multiple_of(draws) {
        return Err(Error::input(
            "outcomes",
            outcomes.len(),
            format!("{draws} for each image, and at least one"),
        ));
    }
    let right = |image: usize| {
        let draws_of = image * draws..(image + 1) * draws;
        draws_of.filter(|&at| outcomes.get(at)).count()
    };
    let images = 0..outcomes.len() / draws;
    Ok(images.map(|i| right(i) as f64 / draws as f64).collect())
}
