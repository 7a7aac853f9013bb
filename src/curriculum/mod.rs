//! Curricula: how budgets, attack strength and learning rate change over the epochs.
//!
//! A [`Schedule`] gives one number for every epoch; a [`Curriculum`] couples the six numbers that
//! training needs into one [`Stage`] per epoch. Both are plain values that serialise. What a
//! training loop does with a stage is its objective's business: CuSP, the paper's curriculum over
//! spatial and adversarial perturbations, is [`Curriculum::cusp_cifar10`] plus PGD training.
//!
//! To add a schedule, implement [`Schedule`]: a file and a line in the registry of `schedule.rs`, or
//! [`Registry::add`](crate::base::Registry::add) from outside. A curriculum with a name of its own is
//! a function in `presets.rs`.
//!
//! ```
//! use fireproof::base::Degrees;
//! use fireproof::curriculum::{Curriculum, Linear, Milestones};
//!
//! let cusp = Curriculum::cusp_cifar10();
//! assert_eq!(cusp.stage(75).angle, Degrees(150.0));
//! assert_eq!(cusp.stage(75).epsilon, 4.0 / 255.0);
//! println!("{cusp}"); // a table of its stages
//!
//! // The same in 12 epochs, and without a curriculum: the last budgets from the start.
//! let (short, fixed) = (cusp.scaled_to(12), cusp.fixed());
//! assert_eq!(short.stage(12), cusp.stage(120));
//! assert_eq!(fixed.stage(1).epsilon, 8.0 / 255.0);
//!
//! // One's own: growing ε under rotations of up to ±30°.
//! let own = Curriculum::new(20)
//!     .with_angle(30.0)
//!     .with_epsilon(Linear::new(0.0, 0.3))
//!     .with_steps(10)
//!     .with_relative_step_size(2.5)
//!     .with_learning_rate(Milestones::new([(0.0, 0.1), (0.75, 0.01)]));
//! own.check()?;
//! # Ok::<(), fireproof::base::Error>(())
//! ```

mod ablations;
mod constant;
mod cosine;
#[allow(clippy::module_inception)]
mod curriculum;
mod difference;
mod display;
mod exponential;
mod linear;
mod milestones;
mod presets;
mod ramp;
mod reversed;
mod scaling;
mod schedule;
mod stage;
mod table;
mod warmup;
mod when;

pub use constant::Constant;
pub use cosine::Cosine;
pub use curriculum::Curriculum;
pub use difference::Difference;
#[cfg(feature = "report")]
pub(crate) use display::{levels, rounded};
pub use exponential::Exponential;
pub use linear::Linear;
pub use milestones::{Milestone, Milestones};
pub use presets::{Origin, Preset};
pub use reversed::Reversed;
pub use scaling::Scaling;
pub use schedule::{Schedule, ScheduleSpec};
pub use stage::Stage;
pub use table::Table;
pub use warmup::Warmup;
pub use when::When;
