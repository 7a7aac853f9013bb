use super::rule::{Rule, says};
use super::setting::check_radius;
use super::{Accuracies, Setting};
use crate::base::statistics::{Interval, paired, wilson};
use crate::base::{Error, Purpose, Result, Seed};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

// Points that a rule is given at once.
const BATCH: usize = 256;

/// Measures a rule of any kind on points of a setting.
///
/// Each point is looked at as it is, under a shift of its own, attacked, and attacked under the same
/// shift. Points and shifts are functions of the seed and the point's number alone, so that all rules
/// meet the same ones.
///
/// ```
/// use fireproof::theory::{Detector, SignFeature, Survey};
///
/// let setting = SignFeature::new(50, 0.9, 0.25)?;
/// let found = Survey::new(2000, 0.5).of(&setting, &Detector::exact())?;
/// assert!(found.spatial.interval().contains(0.9));
/// assert_eq!(found.adversarial, found.natural);
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct Survey {
    /// How many points.
    pub points: usize,
    /// The radius of the attack.
    pub epsilon: f64,
    /// Of points and shifts.
    #[setters(into)]
    pub seed: Seed,
}

impl Survey {
    /// So many points, attacked with this radius; seed 0.
    pub fn new(points: usize, epsilon: f64) -> Self {
        Self {
            points,
            epsilon,
            seed: Seed(0),
        }
    }

    /// Refuses settings that make no sense.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for no points, or a radius that is negative or not finite.
    pub fn check(&self) -> Result<()> {
        Error::unless(self.points > 0, "points", self.points, "at least 1")?;
        check_radius(self.epsilon)
    }

    /// The shift of point number `id`: uniform over the group.
    pub fn shift(&self, setting: &dyn Setting, id: u64) -> usize {
        let mut draws = self.seed.draws(Purpose::TestPose, id, 0);
        draws.below(setting.dimension() as u64) as usize
    }

    /// The accuracies of a rule.
    ///
    /// # Errors
    ///
    /// What [`check`](Self::check) and the setting's own refuse.
    pub fn of(&self, setting: &dyn Setting, rule: &dyn Rule) -> Result<Measured> {
        self.check()?;
        setting.check()?;
        // Of each point: natural, spatial, in place, adversarial.
        let mut right = vec![[false; 4]; self.points];
        for (batch, right) in right.chunks_mut(BATCH).enumerate() {
            let first = batch * BATCH;
            let points = Vec::from_iter((first..first + right.len()).map(|id| {
                let point = setting.point(self.seed, id as u64);
                let attacked = setting.attacked(&point, self.epsilon);
                (point, attacked, self.shift(setting, id as u64))
            }));
            let mut judge = |kind: usize, seen: Vec<Vec<f64>>| {
                let seen = Vec::from_iter(seen.iter().map(Vec::as_slice));
                let scores = rule.scores(&seen);
                assert_eq!(scores.len(), seen.len(), "one score for each point");
                for ((right, score), (point, ..)) in right.iter_mut().zip(scores).zip(&points) {
                    right[kind] = says(score, point.positive);
                }
            };
            let each = |features: fn(&Seen) -> Vec<f64>| points.iter().map(features).collect();
            judge(0, each(|(point, ..)| point.features.clone()));
            judge(1, each(|(point, _, by)| point.shifted(*by).features));
            judge(2, each(|(_, attacked, _)| attacked.features.clone()));
            judge(3, each(|(_, attacked, by)| attacked.shifted(*by).features));
        }
        Ok(Measured::of(&right))
    }
}

// A point, the same attacked, and the shift of both.
type Seen = (super::Point, super::Point, usize);

/// The accuracies that were measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// On points as they are.
    pub natural: Share,
    /// On randomly shifted points: S.
    pub spatial: Share,
    /// On attacked points in their place.
    pub in_place: Share,
    /// On attacked points, randomly shifted: R.
    pub adversarial: Share,
    /// A 95 % interval of S + R, which knows that both were measured on the same points.
    pub sum: Interval,
}

impl Measured {
    fn of(right: &[[bool; 4]]) -> Self {
        let share = |kind: usize| Share {
            right: right.iter().filter(|point| point[kind]).count(),
            of: right.len(),
        };
        // S + R − 1 is the difference between being right at the one and wrong at the other.
        let number = |is: bool| f64::from(u8::from(is));
        let excess = |point: &[bool; 4]| number(point[1]) - number(!point[3]);
        let excess = paired(&Vec::from_iter(right.iter().map(excess)));
        Self {
            natural: share(0),
            spatial: share(1),
            in_place: share(2),
            adversarial: share(3),
            sum: Interval {
                low: 1.0 + excess.low,
                high: 1.0 + excess.high,
            },
        }
    }

    /// The accuracies alone.
    pub fn accuracies(&self) -> Accuracies {
        Accuracies {
            natural: self.natural.value(),
            spatial: self.spatial.value(),
            in_place: self.in_place.value(),
            adversarial: self.adversarial.value(),
        }
    }
}

/// How many points a rule is right at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// So many.
    pub right: usize,
    /// Of so many.
    pub of: usize,
}

impl Share {
    /// The share, from 0 to 1.
    pub fn value(&self) -> f64 {
        self.right as f64 / self.of as f64
    }

    /// Its 95 % interval.
    ///
    /// # Panics
    ///
    /// Panics of no points.
    pub fn interval(&self) -> Interval {
        wilson(self.right, self.of)
    }
}
