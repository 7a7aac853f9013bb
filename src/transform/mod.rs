//! Rotations and translations: exact ones, and interpolated ones that are differentiable.
//!
//! Three ways to move an image, from the most exact to the most general:
//!
//! | what | function | pixels |
//! |---|---|---|
//! | quarter turns, flips, whole-pixel shifts of a batch | [`rot90`], [`flip_horizontal`], [`flip_vertical`], [`shift`] | moved, never changed |
//! | one [`Pose`] per image, [`Interpolation::Nearest`] | [`Warp::apply`] | moved, never changed; rotations as Pillow's |
//! | one [`Pose`] per image, [`Interpolation::Bilinear`] | [`Warp::apply`], [`Warp::apply_tensor`] | interpolated; differentiable in image and pose |
//!
//! Angles are counter-clockwise as displayed, shifts are positive to the right and downwards, and
//! a pose rotates about the centre of the image and *then* shifts, in one sampling. What lies
//! outside an image is said by its [`Border`].
//!
//! Augmentation for training ([`RandomCrop`], [`RandomFlip`], [`TwoStep`], [`PoseBudget`]) draws
//! for each image from `(seed, id, draw)` alone, which travel as [`Keys`](crate::base::Keys).
//!
//! To add a way to draw moves, write it with methods `draw` and `apply` of keys, as in `augment.rs`;
//! another interpolation or border is a variant of [`Interpolation`] or [`Border`] and a file or an
//! arm for it.
//!
//! ```
//! use burn::tensor::Tensor;
//! use fireproof::base::{Degrees, Pixels};
//! use fireproof::transform::{Pose, Warp, rot90};
//!
//! let device = fireproof::device();
//! let image = Tensor::<4>::from_floats([[[[1.0, 2.0], [3.0, 4.0]]]], &device);
//!
//! let turned = Warp::nearest().apply(image.clone(), &[Pose::rotation(Degrees(90.0))]);
//! let expected = Tensor::<4>::from_floats([[[[2.0, 4.0], [1.0, 3.0]]]], &device);
//! turned.to_data().assert_eq(&expected.to_data(), true);
//! rot90(image.clone(), 1).to_data().assert_eq(&expected.to_data(), true);
//!
//! let half = Pose::shift(Pixels(0.5), Pixels(0.0));
//! let shifted = Warp::bilinear().apply(image, &[half]);
//! let expected = Tensor::<4>::from_floats([[[[0.5, 1.5], [1.5, 3.5]]]], &device);
//! shifted.to_data().assert_eq(&expected.to_data(), true);
//! ```

mod augment;
mod bilinear;
mod exact;
mod nearest;
mod pose;
mod warp;

pub use crate::kernel::Border;
pub use augment::{RandomCrop, RandomFlip, TwoStep};
pub use exact::{flip_horizontal, flip_vertical, rot90, shift};
pub use pose::{Pose, PoseBudget};
pub use warp::{Interpolation, Warp};
