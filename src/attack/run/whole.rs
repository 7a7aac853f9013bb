use super::Run;
use crate::attack::{Attack, Cost, Found, Frozen};
use crate::base::statistics::{Interval, wilson};
use crate::base::{Error, Result, Seed};
use crate::data::{DataSummary, ImageSet};
use crate::kernel::Numerics;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::time::Duration;

/// What an attack found on an image set: made by a [`Run`].
///
/// Shown as a table: who stands after each part, with 95 % intervals, passes and seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Whole {
    /// What the attack is called.
    pub name: String,
    /// The attack.
    pub attack: Value,
    /// Seed of all draws.
    pub seed: Seed,
    /// The most passes that an image may have cost, if there was a limit.
    pub budget: Option<u32>,
    /// Numerics of the gradients.
    pub numerics: Numerics,
    /// Of how many [draws](Frozen::draws) of the victim each logit is the mean; 1 if nothing is random.
    #[serde(default = "one")]
    pub draws: usize,
    /// The images that were attacked.
    pub data: DataSummary,
    /// Whether images that are fooled meet further attacks, for something nearer.
    pub goes_on: bool,
    /// Which of how many parts of a set they are.
    pub shard: [usize; 2],
    /// The parts in their order, the clean pass first.
    pub parts: Vec<PartOutcome>,
    /// What came of each image.
    pub images: Vec<Outcome>,
}

fn one() -> usize {
    1
}

/// What one part of an attack did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartOutcome {
    /// Its name.
    pub name: String,
    /// The images that it met.
    pub met: usize,
    /// Those of them that it fooled.
    pub fooled: usize,
    /// Forward passes of all images, those with a backward pass included.
    pub queries: u64,
    /// Backward passes of all images.
    pub gradients: u64,
    /// Seconds of computing.
    pub seconds: f64,
}

/// What came of one image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Its id in the set.
    pub id: u64,
    /// Its label.
    pub label: u8,
    /// The number of the part that fooled it; 0 for one that is wrong as it is (in the pose that it was dealt,
    /// where an attack [deals poses](Attack::includes_originals)).
    pub fooled_by: Option<usize>,
    /// How many passes, forward and backward, it had cost when a candidate first fooled.
    pub passes_to_fool: Option<u64>,
    /// What the classifier takes the fooling image for.
    pub predicted: Option<i64>,
    /// How far the nearest fooling image is, if the attack looks for it.
    pub distance: Option<f64>,
    /// How many parts have met it.
    pub parts: usize,
    /// Forward passes, those with a backward pass included.
    pub queries: u64,
    /// Backward passes.
    pub gradients: u64,
    /// In how many of them all of the gradient was zero.
    pub vanished: u64,
    /// In how many of them some of it was not finite.
    pub undefined: u64,
}

impl Outcome {
    /// Passes, forward and backward.
    pub fn passes(&self) -> u64 {
        self.queries + self.gradients
    }
}

impl PartOutcome {
    // What another one did besides.
    fn add(&mut self, other: &Self) {
        self.met += other.met;
        self.fooled += other.fooled;
        self.queries += other.queries;
        self.gradients += other.gradients;
        self.seconds += other.seconds;
    }
}

// The last row of the table: all parts together.
const WORST: &str = "worst case";

impl Whole {
    pub(super) fn new(
        attack: &(impl Attack + ?Sized),
        run: &Run,
        victim: &Frozen,
        set: &ImageSet,
        names: Vec<String>,
    ) -> Self {
        let part = |name| PartOutcome {
            name,
            ..PartOutcome::default()
        };
        let image = |at| Outcome {
            id: set.id(at),
            label: set.label(at),
            ..Outcome::default()
        };
        Self {
            name: attack.to_string(),
            attack: attack.settings(),
            budget: run.budget,
            goes_on: attack.goal().nearest.is_some_and(|nearest| nearest.goes_on),
            seed: run.seed,
            numerics: victim.numerics(),
            draws: victim.draws(),
            data: DataSummary::of(set),
            shard: run.shard,
            parts: names.into_iter().map(part).collect(),
            images: (0..set.len()).map(image).collect(),
        }
    }

    // The images that a part has yet to meet.
    pub(super) fn open(&self, number: usize) -> Vec<usize> {
        let open = |&at: &usize| {
            let image = &self.images[at];
            image.parts == number && self.meets(image, number)
        };
        (0..self.images.len()).filter(open).collect()
    }

    // The images that a part has met.
    pub(super) fn met(&self, number: usize) -> usize {
        let met = |image: &&Outcome| image.parts > number;
        self.images.iter().filter(met).count()
    }

    // An image that is fooled goes on meeting attacks if they look for something nearer, unless it is
    // wrong as it is.
    fn meets(&self, image: &Outcome, number: usize) -> bool {
        let last = if self.goes_on {
            0
        } else {
            number.saturating_sub(1)
        };
        let spent = self
            .budget
            .is_some_and(|budget| image.passes() >= u64::from(budget));
        let stands = image.fooled_by.is_none_or(|by| by > last || number == 0);
        stands && (number == 0 || !spent)
    }

    // The passes of a budget that are left for the images at these positions.
    pub(super) fn left(&self, positions: &[usize], budget: u32) -> Vec<u32> {
        let spent = |&at: &usize| u32::try_from(self.images[at].passes()).unwrap_or(u32::MAX);
        let left = |at| budget.saturating_sub(spent(at));
        positions.iter().map(left).collect()
    }

    pub(super) fn take(
        &mut self,
        number: usize,
        positions: &[usize],
        found: Option<&Found>,
        time: Duration,
    ) {
        let part = &mut self.parts[number];
        part.met += positions.len();
        part.seconds += time.as_secs_f64();
        for (index, &at) in positions.iter().enumerate() {
            let image = &mut self.images[at];
            image.parts = number + 1;
            let Some(found) = found else {
                continue;
            };
            let before = image.passes();
            let [queries, gradients, vanished, undefined] = [
                &found.queries,
                &found.gradients,
                &found.vanished,
                &found.undefined,
            ]
            .map(|counts| u64::from(counts[index]));
            image.queries += queries;
            image.gradients += gradients;
            image.vanished += vanished;
            image.undefined += undefined;
            part.queries += queries;
            part.gradients += gradients;
            if !found.fooled[index] {
                continue;
            }
            if image.fooled_by.is_none() {
                image.fooled_by = Some(number);
                let passes = found.passes_to_fool[index].map(u64::from);
                image.passes_to_fool = passes.map(|passes| before + passes);
                part.fooled += 1;
            }
            let distance = found.distance[index];
            let nearer = match (image.distance, distance) {
                (Some(before), Some(now)) => now < before,
                _ => true,
            };
            if nearer {
                image.predicted = Some(found.predicted[index]);
                image.distance = distance;
            }
        }
    }

    /// The number of images that nothing has fooled.
    pub fn standing(&self) -> usize {
        self.images
            .iter()
            .filter(|image| image.fooled_by.is_none())
            .count()
    }

    /// The number of images that the classifier gets right as they are.
    pub fn clean_correct(&self) -> usize {
        self.images.len() - self.parts[0].fooled
    }

    /// The share of images that nothing has fooled, from 0 to 1.
    pub fn robust_accuracy(&self) -> f64 {
        self.standing() as f64 / self.images.len() as f64
    }

    /// Wilson's 95 % interval of [`robust_accuracy`](Self::robust_accuracy).
    pub fn interval(&self) -> Interval {
        wilson(self.standing(), self.images.len())
    }

    /// Passes per image, on average over all images.
    pub fn passes(&self) -> [f64; 2] {
        let count = self.images.len() as f64;
        let sum = |of: fn(&PartOutcome) -> u64| self.parts.iter().map(of).sum::<u64>() as f64;
        [
            sum(|part| part.queries) / count,
            sum(|part| part.gradients) / count,
        ]
    }

    /// The steps of the [curve by passes](Self::passes_curve), whole passes beginning at the clean one.
    pub fn curve(&self) -> Vec<(u64, f64)> {
        let steps = self.passes_curve().steps().into_iter();
        steps
            .map(|(passes, left)| ((passes as u64).max(1), left))
            .collect()
    }

    /// The run of a whole set from those of all its shards, in any order.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] unless they are all shards of one run. `data` is then the set that they were
    /// dealt out from.
    pub fn join(shards: impl IntoIterator<Item = Self>, set: &ImageSet) -> Result<Self> {
        let mut shards: Vec<Self> = shards.into_iter().collect();
        shards.sort_by_key(|shard| shard.shard[0]);
        let wrong = |found: String| {
            let expected = "every shard of one run on this image set, once";
            Err(Error::input("shards", found, expected))
        };
        let count = shards.len();
        let Some(first) = shards.first().cloned() else {
            return wrong("none".to_owned());
        };
        let mut joined = Self {
            data: DataSummary::of(set),
            shard: [0, 1],
            images: vec![Outcome::default(); set.len()],
            ..first.clone()
        };
        joined.parts.iter_mut().for_each(|part| {
            let name = std::mem::take(&mut part.name);
            *part = PartOutcome {
                name,
                ..PartOutcome::default()
            };
        });
        for (index, shard) in shards.into_iter().enumerate() {
            let mine: Vec<usize> = (index..set.len()).step_by(count).collect();
            let of = |whole: &Self| (whole.seed, whole.numerics, whole.draws, whole.budget);
            let same = shard.attack == first.attack && of(&shard) == of(&first);
            let whole =
                same && shard.shard == [index, count] && shard.parts.len() == joined.parts.len();
            if !whole || shard.data.digest != DataSummary::of(&set.subset(&mine)).digest {
                return wrong(format!("shard {} of {}", shard.shard[0], shard.shard[1]));
            }
            for (at, image) in mine.into_iter().zip(shard.images) {
                joined.images[at] = image;
            }
            for (sum, part) in joined.parts.iter_mut().zip(&shard.parts) {
                sum.add(part);
            }
        }
        Ok(joined)
    }

    /// The most passes that one image has cost.
    pub fn most(&self) -> Cost {
        let most = |of: fn(&Outcome) -> u64| self.images.iter().map(of).max().unwrap_or(0) as usize;
        Cost {
            queries: most(|image| image.queries),
            gradients: most(|image| image.gradients),
        }
    }
}

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.parts.iter().map(|part| part.name.chars().count());
        let width = names.max().unwrap_or(0).max(WORST.len());
        let count = self.images.len();
        writeln!(
            f,
            "| {:width$} | stands              | fooled |  forward | backward | seconds |",
            "after"
        )?;
        writeln!(
            f,
            "| {:-<width$} | ------------------: | -----: | -------: | -------: | ------: |",
            ""
        )?;
        let mut row = |part: &PartOutcome, standing: usize| {
            let Interval { low, high } = wilson(standing, count);
            let share = 100.0 * standing as f64 / count as f64;
            let stands = format!("{share:.1} % ({:.1}–{:.1})", 100.0 * low, 100.0 * high);
            writeln!(
                f,
                "| {:width$} | {stands:>19} | {:>6} | {:>8.1} | {:>8.1} | {:>7.1} |",
                part.name,
                part.fooled,
                part.queries as f64 / count as f64,
                part.gradients as f64 / count as f64,
                part.seconds,
            )
        };
        let mut worst = PartOutcome {
            name: WORST.to_owned(),
            ..PartOutcome::default()
        };
        for part in &self.parts {
            worst.add(part);
            row(part, count - worst.fooled)?;
        }
        let standing = self.standing();
        row(&worst, standing)?;
        let [queries, gradients] = self.passes();
        write!(
            f,
            "{standing} of {count} images stand; {queries:.1} forward and {gradients:.1} backward passes \
             per image.",
        )
    }
}
