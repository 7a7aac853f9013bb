//! Neural networks that hold up under rotations and translations *and* under adversarial pixel
//! perturbations, on [Burn](https://burn.dev).
//!
//! It implements, and goes beyond, "Can we have it all? On the Trade-off between Spatial and
//! Adversarial Robustness of Neural Networks" (Kamath, Deshpande, Subrahmanyam, Balasubramanian,
//! NeurIPS 2021).
//!
//! ```
//! use fireproof::prelude::*;
//!
//! let device = fireproof::device(); // a real GPU if one answers, else the CPU
//! let model = CnnConfig::new(Group::P4, [1, 28, 28], 10).with_seed(7).init(&device)?;
//!
//! let victim = Frozen::new(&model); // inference mode, no parameter gradients
//! let batch = embedded_mnist().test.batch(&[0, 1, 2, 3], &device);
//! let found = Pgd::linf(0.1).attack(&victim, &batch, Seed(1))?;
//! assert_eq!(found.fooled.len(), 4);
//! # Ok::<(), fireproof::base::Error>(())
//! ```
//!
//! # Modules, from the top down
//!
//! | module | what it holds |
//! |---|---|
//! | [`study`] | many trainings from several seeds (feature `train`), and verdicts about them by declared tests |
//! | `report` (feature `report`) | plots and contact sheets |
//! | `train` (feature `train`) | training under a curriculum, by burn-train |
//! | [`evaluate`] | accuracy and fooling rate with intervals; comparisons; reports |
//! | [`attack`] | frozen victims; FGSM, PGD and what joins them; the trial, norms, losses and spaces for more |
//! | [`model`] | the networks of the paper |
//! | [`nn`] | layers over p1, p4 and p4m |
//! | [`transform`] | rotations and translations, exact and interpolated |
//! | [`curriculum`] | schedules and CuSP |
//! | [`data`] | image sets in memory, their files, their summary |
//! | [`theory`] | the trade-off in two statistical settings: distributions, rules, bounds |
//! | [`kernel`] | the operations in which attacks spend their time, with CPU kernels; their numerics |
//! | [`group`] | the groups and their index tables |
//! | [`base`] | errors, units, bounds, seeds and keys, batches, statistics, devices; names in files |
//!
//! A module imports those below it and none above. Norms, losses, attacks, schedules, objectives and
//! paces are traits: what a program adds works as what is built in does, and a name in its
//! [`Registry`](base::Registry) lets files say it. Each module's page tells how to add to it.
//!
//! [`prelude`] holds the names most programs need.

pub mod attack;
pub mod base;
pub mod curriculum;
pub mod data;
pub mod evaluate;
pub mod group;
pub mod kernel;
pub mod model;
pub mod nn;
pub mod prelude;
#[cfg(feature = "report")]
pub mod report;
pub mod study;
pub mod theory;
#[cfg(feature = "train")]
pub mod train;
pub mod transform;

pub use base::{device, try_device};

// The programs in the documents compile and run as tests.
#[cfg(all(doctest, feature = "train", feature = "report"))]
mod documents {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/guide.md")]
    struct Guide;
    #[doc = include_str!("../docs/training.md")]
    struct Objectives;
    #[doc = include_str!("../docs/scale.md")]
    struct Scale;
}
