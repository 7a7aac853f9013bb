//! What trainings of several seeds, measured on the same images, say about a claim: effects with
//! intervals, tests that were declared beforehand, and verdicts in words.
//!
//! 1. An [`Estimand`] makes [`Scores`] of what an evaluation keeps: for each training a table of seeds and
//!    images.
//! 2. A [`contrast`] of trainings gives an [`Effect`]: their difference, a trend over all levels of a
//!    factor, an interaction. [`slope`] is the trade-off at equal clean accuracy; [`Bootstrap::front`] and
//!    [`dominance`] are about the plane of the two robustnesses.
//! 3. A [`Family`] of declared [`Endpoint`]s gives a [`Verdict`] on each: it *shows*, it shows the
//!    opposite, it is *absent*, it is undecided. Displayed, it is a sentence to quote.
//!
//! Networks differ by their seed and images are some of many, so seeds and images both are samples: an
//! interval is about all networks that would be trained so, on all such images. With one seed it is about
//! these networks. How often intervals hold the truth and verdicts are wrong is counted on simulated
//! outcomes, in `docs/statistics.md`.
//!
//! ```
//! use fireproof::study::verdicts::{Endpoint, Family, Pairing, Scores, Weights, contrast};
//!
//! // Accuracies at ±30° after training with ε = 0, 0.1, 0.2 and 0.3: three seeds, 2,000 images.
//! let networks = |right: [usize; 3]| {
//!     let network = |right| (0..2000).map(|image| f64::from(image < right)).collect();
//!     Scores::new(right.map(network).to_vec(), 1)
//! };
//! let trainings = [[1850, 1844, 1861], [1795, 1803, 1790], [1744, 1752, 1731], [1690, 1702, 1688]];
//! let trainings = trainings.map(networks);
//! let [a, b, c, d] = &trainings;
//! let (a, b, c, d) = (a.as_ref().unwrap(), b.as_ref().unwrap(), c.as_ref().unwrap(), d.as_ref().unwrap());
//!
//! let weights = Weights::trend(&[0.0, 0.1, 0.2, 0.3])?;
//! let effect = contrast(&weights, &[a, b, c, d], Pairing::Matched)?;
//! let endpoint = Endpoint::new("StdCNN, accuracy at ±30° from ε = 0 to 0.3").falls();
//! let verdicts = Family::new().verdicts(&[(endpoint, effect)])?;
//! assert!(verdicts[0].to_string().starts_with(
//!     "StdCNN, accuracy at ±30° from ε = 0 to 0.3: shows a fall of 7.9 points (95 % interval"
//! ));
//! # Ok::<(), fireproof::base::Error>(())
//! ```

mod arm;
mod contrast;
mod effect;
mod endpoint;
mod estimand;
mod estimate;
mod family;
mod front;
mod scores;
mod slope;
mod verdict;
mod weights;

pub use crate::evaluate::Estimand;
pub use arm::Arm;
pub use contrast::{Pairing, contrast, difference};
pub use effect::{Effect, Unit};
pub use endpoint::{Claimed, Endpoint};
pub use estimand::Bits;
pub use estimate::Estimate;
pub use family::Family;
pub use front::{Bootstrap, Dominance, Front, Place, dominance};
pub use scores::Scores;
pub use slope::slope;
pub use verdict::{Finding, Verdict};
pub use weights::Weights;

use crate::base::statistics::Table;

// A table that counts as it is.
fn whole(rows: &[Vec<f64>]) -> Table<'_> {
    Table { rows, weight: 1.0 }
}
