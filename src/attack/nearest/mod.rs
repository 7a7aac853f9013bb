//! Attacks that look for the nearest image that fools, whatever the distance. A new one is a file
//! here and a line in the registry of `spec.rs`; a norm is open to them by its [`Geometry`].

mod adam;
mod carlini_wagner;
mod constant;
mod ddn;
mod deep_fool;
mod fab;
mod fmn;
mod geometry;
mod scope;
mod segment;
mod tangent;
mod tanh;
mod walk;

pub use carlini_wagner::CarliniWagner;
pub use ddn::Ddn;
pub use deep_fool::DeepFool;
pub use fab::Fab;
pub use fmn::Fmn;
pub use geometry::{Geometry, Plane};
use scope::Scope;
