//! The objectives that are built in. A new one is a file with an [`Objective`](crate::train::Objective)
//! and a line in the registry of `objective.rs`.

mod alike;
mod average_over;
mod awp;
mod ema;
mod fast_fgsm;
mod fat;
mod inner;
mod losses;
mod mart;
mod max_over;
mod msd_training;
mod natural;
mod overfitting;
mod pgd_training;
mod pose_kl;
mod several;
mod swa;
mod trades;
mod worst;
mod worst_pose;

pub use average_over::AverageOver;
pub use awp::Awp;
pub use ema::Ema;
pub use fast_fgsm::FastFgsm;
pub use fat::Fat;
pub use mart::Mart;
pub use max_over::MaxOver;
pub use msd_training::MsdTraining;
pub use natural::Natural;
pub use pgd_training::PgdTraining;
pub use pose_kl::PoseKl;
pub use swa::Swa;
pub use trades::Trades;
pub use worst_pose::WorstPose;
