//! Attacks on frozen classifiers.
//!
//! A [`Frozen`] classifier, a [`Batch`] and a [`Seed`] go in, [`Found`] comes out:
//!
//! ```
//! use burn::tensor::{Int, Tensor};
//! use fireproof::attack::{Attack, Frozen, Pgd};
//! use fireproof::base::{Batch, Seed};
//!
//! // Two classes: the image is brighter or darker than 1/2 on average.
//! let victim = Frozen::from_fn(|images: Tensor<4>| {
//!     let mean = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3);
//!     Tensor::cat(vec![-mean.clone() + 1.0, mean], 1)
//! });
//! let device = fireproof::device();
//! let images = Tensor::cat(
//!     vec![Tensor::full([1, 1, 8, 8], 0.55, &device), Tensor::full([1, 1, 8, 8], 0.75, &device)],
//!     0,
//! );
//! let batch = Batch::new(images, Tensor::<1, Int>::ones([2], &device));
//!
//! let found = Pgd::linf(0.1).attack(&victim, &batch, Seed(7))?;
//! assert_eq!(found.fooled, [true, false]);
//! assert_eq!(found.robust_accuracy(), 0.5);
//! # Ok::<(), fireproof::base::Error>(())
//! ```
//!
//! Attacks are plain serialisable values without a model: [`AttackSpec`] names the built-in ones
//! for files and command lines.

mod descent;
mod fgsm;
mod found;
mod frozen;
mod loss;
mod norm;
mod pgd;
mod spec;
mod targets;
mod verify;

pub use fgsm::Fgsm;
pub use found::Found;
pub use frozen::{Frozen, LossGradient};
pub use loss::Loss;
pub use norm::Norm;
pub use pgd::{Keep, Pgd, StepSize};
pub use spec::AttackSpec;
pub use targets::Targets;
pub use verify::{BALL_TOLERANCE, verify};

use crate::base::{Batch, Result, Seed};

/// A search for an input that a classifier gets wrong, within a threat model.
///
/// Object-safe: a `Box<dyn Attack>` can be kept, listed and composed.
pub trait Attack: Send + Sync {
    /// Attacks every image of the batch.
    ///
    /// The batch is run through the classifier as it is given; its size bounds the memory.
    ///
    /// # Errors
    ///
    /// See the attack; all of them refuse what [`Batch::check`] refuses.
    fn attack(&self, victim: &Frozen, batch: &Batch, seed: Seed) -> Result<Found>;

    /// Everything that determines the attack besides the seed, for reports.
    fn settings(&self) -> serde_json::Value;
}
