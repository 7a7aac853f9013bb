//! What may be wrong with an evaluation itself: signs that a robust accuracy is the attack's failure and
//! not the classifier's strength.
//!
//! [`Diagnose`] runs an attack on a few images, looks at what came of it, and says what it finds in a
//! [`Diagnosis`]: data for a report, and sentences to act on. Each sign is a [`Check`] with its thresholds
//! as settings:
//!
//! | check | sign |
//! |---|---|
//! | [`OutOfBounds`] | pixels outside the batch's bounds |
//! | [`Normalised`] | images that look normalised already |
//! | [`Scale`] | pixels that fill next to nothing of the bounds |
//! | [`Probabilities`] | outputs that are probabilities and not logits |
//! | [`RandomAnswers`] | a classifier that answers differently twice |
//! | [`SaturatedLoss`] | logits so confident that the textbook cross-entropy has no gradient |
//! | [`VanishedGradients`] | gradients that are zero |
//! | [`UndefinedGradients`] | gradients that are NaN or infinite |
//! | [`RisingLoss`] | losses that still rise when the attack ends |
//! | [`Overlooked`] | points that fool, met on the way and not returned |
//! | [`BlackBox`] | a search without gradients that beats those with them |
//! | [`NoFall`] | images that stand in a ball of any radius |
//! | [`Rounding`] | adversarial images that are none any more in 8 bits |
//!
//! (After F. Croce, M. Hein 2020, whose AutoAttack warns of some; A. Athalye et al. 2018, "Obfuscated
//! Gradients Give a False Sense of Security", section 3.1; N. Carlini et al. 2019, "On Evaluating
//! Adversarial Robustness", section 5; and the indicators of M. Pintor et al. 2022, "Indicators of Attack
//! Failure", section 3.)
//!
//! No sign is a proof, and an evaluation without any may still be wrong.
//!
//! To add a check, implement [`Check`] on what [`Evidence`] gives; inside this crate that is a file and
//! a line in the registry of `check.rs`, from outside it is
//! [`Registry::add`](crate::base::Registry::add).
//!
//! ```
//! use burn::tensor::{Int, Tensor};
//! use fireproof::attack::diagnosis::Diagnose;
//! use fireproof::attack::{Frozen, Pgd};
//! use fireproof::base::Batch;
//!
//! // Brighter or darker than 1/2, but of pixels rounded to whole numbers: no gradient.
//! let victim = Frozen::from_fn(|images: Tensor<4>| {
//!     let mean = images.round().mean_dims(&[1, 2, 3]).flatten::<2>(1, 3);
//!     Tensor::cat(vec![-mean.clone() + 1.0, mean], 1)
//! });
//! let images = Tensor::<4>::full([4, 1, 8, 8], 0.55, &fireproof::device());
//! let batch = Batch::new(images, Tensor::<1, Int>::ones([4], &fireproof::device()))?;
//!
//! let attack = Pgd::linf(0.1).with_random_start(false);
//! let diagnosis = Diagnose::new(7).examine(&attack, &victim, &batch, None)?;
//! let vanished = diagnosis.finding("vanished_gradients").expect("a finding");
//! assert_eq!((vanished.images, vanished.of), (4, 4));
//! assert!(diagnosis.finding("black_box").is_some(), "0.45 was near enough all the time");
//! println!("{diagnosis}");
//! # Ok::<(), fireproof::base::Error>(())
//! ```

mod check;
mod checks;
mod course;
mod diagnose;
mod evidence;
mod finding;
mod trace;

pub use check::{Check, CheckSpec};
pub use checks::*;
pub use course::Course;
pub use diagnose::Diagnose;
pub use evidence::Evidence;
pub use finding::{Diagnosis, Finding, Unmade};
