//! The names most programs need.
//!
//! [`Result`](crate::base::Result) and [`Error`](crate::base::Error) are left out: they would hide
//! the standard library's.

pub use crate::attack::{Attack, AttackSpec, Fgsm, Found, Frozen, GridSearch, Pgd};
pub use crate::base::{Batch, Bounds, Classifier, Degrees, Keys, Pixels, Seed};
pub use crate::curriculum::{Curriculum, Linear, Milestones, Schedule, Stage};
pub use crate::data::{ImageSet, Splits, cifar10, embedded_mnist, mnist};
pub use crate::evaluate::{Axis, Evaluation, Profile, Report};
pub use crate::group::Group;
pub use crate::model::{
    Cnn, CnnConfig, Head, MadryCnn, MadryCnnConfig, ResNet, ResNetConfig, SmallCnn, SmallCnnConfig,
    Vgg, VggConfig, WideResNet, WideResNetConfig, Widths,
};
pub use crate::nn::Downsampling;
#[cfg(feature = "train")]
pub use crate::train::{Augmentation, Natural, Objective, PgdTraining, Trained, Training};
pub use crate::transform::{Border, Interpolation, Pose, PoseBudget, Warp};
