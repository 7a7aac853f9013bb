use super::{Curriculum, Stage};
use std::fmt;
use std::ops::RangeInclusive;

/// A run of epochs in which one number of two curricula differs in the same way.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The epochs.
    pub epochs: RangeInclusive<usize>,
    /// Which number: `angle`, `shift`, `epsilon`, `steps`, `step size` or `learning rate`.
    pub what: &'static str,
    /// What it is in the one.
    pub here: f64,
    /// What it is in the other.
    pub there: f64,
}

/// For example `epochs 75–89: angle 150, there 120`.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.epochs.start(), self.epochs.end());
        match first == last {
            true => write!(f, "epoch {first}")?,
            false => write!(f, "epochs {first}–{last}")?,
        }
        write!(f, ": {} {}, there {}", self.what, self.here, self.there)
    }
}

fn numbers(stage: &Stage) -> [(&'static str, f64); 6] {
    [
        ("angle", stage.angle.0),
        ("shift", stage.shift.0),
        ("epsilon", stage.epsilon),
        ("steps", stage.steps as f64),
        ("step size", stage.step_size),
        ("learning rate", stage.learning_rate),
    ]
}

impl Curriculum {
    /// Every number that is another one in the other curriculum, in the epochs that both have: by
    /// number, then by epoch.
    ///
    /// ```
    /// use fireproof::curriculum::Curriculum;
    ///
    /// let trades = Curriculum::cusp_cifar10_trades();
    /// let found = Curriculum::cusp_cifar10_trades_corrected().differences(&trades);
    /// assert_eq!(found.len(), 1);
    /// assert_eq!(found[0].to_string(), "epochs 75–89: angle 150, there 120");
    /// ```
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let mut found: [Vec<Difference>; 6] = Default::default();
        for epoch in 1..=self.epochs.min(other.epochs) {
            let pairs = numbers(&self.stage(epoch))
                .into_iter()
                .zip(numbers(&other.stage(epoch)));
            for (((what, here), (_, there)), runs) in pairs.zip(&mut found) {
                if here == there {
                    continue;
                }
                match runs.last_mut() {
                    Some(run)
                        if *run.epochs.end() + 1 == epoch
                            && (run.here, run.there) == (here, there) =>
                    {
                        run.epochs = *run.epochs.start()..=epoch;
                    }
                    _ => runs.push(Difference {
                        epochs: epoch..=epoch,
                        what,
                        here,
                        there,
                    }),
                }
            }
        }
        found.into_iter().flatten().collect()
    }
}
