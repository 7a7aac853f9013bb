//! Attacks on the pose of an image, and on its pose and its pixels together.
//!
//! Searches that try many poses of each image are [`Visits`](visits::Visits), which judge them in full
//! batches; ascents move in a [`PoseSpace`]. Whatever searched, the images returned are made anew from
//! the poses returned, by the same warp, and judged exactly.

mod affine;
mod gradient;
mod grid;
mod joint;
mod joint_space;
pub(in crate::attack) mod level;
mod orbit;
mod random_pose;
mod random_search;
mod remade;
mod search;
mod space;
mod spread;
mod summit;
mod text;
mod visits;

pub use affine::Affine;
pub use gradient::PoseGradient;
pub use grid::GridSearch;
pub use joint::JointPgd;
pub use orbit::Orbit;
pub use random_pose::{InRandomPose, RandomPose};
pub use random_search::RandomSearch;
pub use search::PoseSearch;
pub use space::PoseSpace;
