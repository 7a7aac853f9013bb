use crate::study::cells::CellResult;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A network has learned if it gets the share of its training images right that
/// [`Study::learned`](crate::study::Study::learned) says, and the last epoch added no more than this to it.
pub const PLATEAU: f64 = 0.05;

/// Whether networks have learned what they were trained for: of others nothing should be concluded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Learned {
    /// Share of the training images, moved and attacked as they are, right in the last epoch: the lowest of all
    /// seeds.
    pub accuracy: f64,
    /// What the last epoch added: the most of all seeds. None where its task was another one than before.
    pub gain: Option<f64>,
    /// The least accuracy that is enough.
    pub least: f64,
}

impl Learned {
    /// Of networks of several seeds of which this much is asked; nothing if one was not trained.
    pub(super) fn of<'a>(
        results: impl IntoIterator<Item = &'a CellResult>,
        least: f64,
    ) -> Option<Self> {
        let mut all: Option<Self> = None;
        for result in results {
            let last = result.history.last()?;
            let before = result
                .history
                .len()
                .checked_sub(2)
                .map(|at| &result.history[at]);
            let same = before.filter(|before| {
                let (a, b) = (&before.stage, &last.stage);
                (a.epsilon, a.angle, a.shift) == (b.epsilon, b.angle, b.shift)
            });
            let gain = same.map(|before| last.train_accuracy - before.train_accuracy);
            let one = Self {
                accuracy: last.train_accuracy,
                gain,
                least,
            };
            all = Some(all.map_or(one, |all| Self {
                accuracy: all.accuracy.min(one.accuracy),
                gain: match (all.gain, one.gain) {
                    (Some(a), Some(b)) => Some(a.max(b)),
                    (a, b) => a.or(b),
                },
                least,
            }));
        }
        all
    }

    /// Whether a network was trained and has not.
    pub(super) fn failed(result: &CellResult, least: f64) -> bool {
        Self::of([result], least).is_some_and(|learned| !learned.enough())
    }

    /// Whether they have: [`Study::learned`](crate::study::Study::learned), [`PLATEAU`].
    pub fn enough(&self) -> bool {
        self.accuracy >= self.least && self.gain.is_none_or(|gain| gain <= PLATEAU)
    }
}

/// For example `93 %, +0.4`.
impl fmt::Display for Learned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} %", 100.0 * self.accuracy)?;
        if let Some(gain) = self.gain {
            write!(f, ", {:+.1}", 100.0 * gain)?;
        }
        if !self.enough() {
            f.write_str(" (not learned)")?;
        }
        Ok(())
    }
}
