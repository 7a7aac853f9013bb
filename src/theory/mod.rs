//! The trade-off between spatial and adversarial robustness in two simple statistical settings: the
//! distributions, classifiers of them, and what is proved about every classifier.
//!
//! Points have d features and two classes; the group is that of the d cyclic shifts of the features,
//! which stands for rotations. A rule's *spatial accuracy* S is that on randomly shifted points, its
//! *adversarial accuracy* R that on points attacked in the L∞ ball and then randomly shifted. In both
//! settings one feature is strong, but a shift hides where it is, and the weak features together tell the
//! class, but an attack turns all of them round.
//!
//! | setting | strong feature | of every classifier, attacked with ε = 2η |
//! |---|---|---|
//! | [`SignFeature`] | the class itself, with probability p | R ≤ p/(1−p)·(1−S), and S + R ≤ 2p |
//! | [`GaussianFeature`] | normal around κY | S + R ≤ 1 + √(sinh((κ−η)²)/d) ≤ 1 + τ |
//!
//! These are this project's own theorems, not the paper's. Their proofs, where they are tight and what
//! they do not say is in `docs/theory.md`; `cargo run --release --example theory` puts trained networks
//! under the bounds.
//!
//! [`Linear`] rules (a single coordinate and the mean among them) and the [`Detector`] have their
//! accuracies in closed form; a [`Survey`] measures any [`Rule`], with intervals, and so networks by
//! [`Logits`]. [`Setting::optimal`] is the best that there is, at any weight of S and R.
//!
//! To add a setting, implement [`Setting`] in a file of its own.
//!
//! ```
//! use fireproof::theory::{GaussianFeature, Linear, Setting, Survey};
//!
//! let setting = GaussianFeature::new(100, 1.5, 0.2)?;
//! let (epsilon, first) = (0.4, Linear::coordinate(100, 0));
//! let exact = setting.linear(&first, epsilon)?;
//! // Robust in its place, and lost under shifts.
//! assert!(exact.in_place > 0.86 && exact.spatial < 0.59);
//!
//! let found = Survey::new(4000, epsilon).of(&setting, &first)?;
//! assert!(found.spatial.interval().contains(exact.spatial));
//! assert!(exact.adversarial <= setting.bound(exact.spatial, epsilon));
//! # Ok::<(), fireproof::base::Error>(())
//! ```

mod accuracies;
mod detector;
mod gaussian_feature;
mod linear;
mod logits;
pub mod normal;
mod point;
mod rule;
mod setting;
mod sign_feature;
mod survey;

pub use accuracies::Accuracies;
pub use detector::Detector;
pub use gaussian_feature::GaussianFeature;
pub use linear::Linear;
pub use logits::Logits;
pub use point::Point;
pub use rule::{Optimal, Rule};
pub use setting::Setting;
pub use sign_feature::SignFeature;
pub use survey::{Measured, Share, Survey};
