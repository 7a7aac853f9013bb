use super::{
    Affine, Apgd, Attack, AutoAttack, Budget, CarliniWagner, Ddn, DeepFool, EachTarget, Ensemble,
    Fab, Fgsm, Fmn, FriendlyPgd, GridSearch, InRandomPose, JointPgd, Malt, Mask, Masked, Msd,
    Orbit, PerImage, Pgd, PoseGradient, PoseSearch, RandomSearch, Restarts, Sequence, Square,
};
use crate::base::{Spec, open_kind};

/// An attack as a plain value, in files by name.
///
/// ```
/// use fireproof::attack::{Attack, AttackSpec, Pgd};
///
/// let json = r#"{"attack": "restarts", "count": 5,
///     "of": {"attack": "pgd", "norm": "linf", "epsilon": 0.1}}"#;
/// let spec: AttackSpec = serde_json::from_str(json).unwrap();
/// assert_eq!(spec, Pgd::linf(0.1).restarts(5).into());
/// assert_eq!(spec.to_string(), "PGD-10 L∞ ε=0.1 step=0.025 ×5");
/// ```
pub type AttackSpec = Spec<dyn Attack>;

open_kind! {
    Attack in "attack";
    with settings: "affine" => Affine, "apgd" => Apgd, "auto" => AutoAttack, "budget" => Budget,
        "carlini_wagner" => CarliniWagner, "ddn" => Ddn, "deep_fool" => DeepFool,
        "each_target" => EachTarget, "fab" => Fab, "fgsm" => Fgsm, "fmn" => Fmn,
        "friendly_pgd" => FriendlyPgd,
        "grid_search" => GridSearch, "in_random_pose" => InRandomPose, "joint_pgd" => JointPgd,
        "malt" => Malt, "msd" => Msd, "orbit" => Orbit, "pose_gradient" => PoseGradient,
        "pose_search" => PoseSearch, "random_search" => RandomSearch,
        "masked" => Masked, "per_image" => PerImage, "pgd" => Pgd, "square" => Square,
        "restarts" => Restarts, "ensemble" => Ensemble, "sequence" => Sequence;
}

impl AttackSpec {
    /// As [`Attack::restarts`].
    pub fn restarts(self, count: usize) -> Restarts {
        Restarts::new(self, count)
    }

    /// As [`Attack::towards_each`].
    pub fn towards_each(self, classes: usize) -> EachTarget {
        EachTarget::new(self, classes)
    }

    /// As [`Attack::within`].
    pub fn within(self, passes: u32) -> Budget {
        Budget::new(self, passes)
    }

    /// As [`Attack::masked`].
    pub fn masked(self, mask: Mask) -> Masked {
        Masked::new(self, mask)
    }

    /// As [`Attack::at_each`].
    pub fn at_each(self, levels: impl IntoIterator<Item = (u64, f64)>) -> PerImage {
        PerImage::new(self, levels)
    }

    /// As [`Attack::or`].
    pub fn or(self, other: impl Into<Self>) -> Ensemble {
        Ensemble::new([self, other.into()])
    }

    /// As [`Attack::then`].
    pub fn then(self, other: impl Into<Self>) -> Sequence {
        Sequence::new(self, other)
    }
}
