//! The checks, a file for each kind.

mod black_box;
mod gradients;
mod no_fall;
mod normalised;
mod out_of_bounds;
mod overlooked;
mod probabilities;
mod random_answers;
mod rising_loss;
mod rounding;
mod saturated_loss;
mod scale;

pub use black_box::BlackBox;
pub use gradients::{UndefinedGradients, VanishedGradients};
pub use no_fall::NoFall;
pub use normalised::Normalised;
pub use out_of_bounds::OutOfBounds;
pub use overlooked::Overlooked;
pub use probabilities::Probabilities;
pub use random_answers::RandomAnswers;
pub use rising_loss::RisingLoss;
pub use rounding::Rounding;
pub use saturated_loss::SaturatedLoss;
pub use scale::Scale;

// What a check is made of.
use super::check::{check_number, check_share, exceeds, surely_exceeds};
use super::{Check, Evidence, Finding};

/// A check with its thresholds and what they are by default, a share that has to be exceeded among them
/// if it says so.
macro_rules! thresholds {
    (
        $(#[$about:meta])*
        pub struct $check:ident $(exceeding $share:literal of $whose:literal)? {
            $($(#[$meaning:meta])* pub $field:ident: $type:ty = $default:expr,)*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq)]
        #[derive(serde::Serialize, serde::Deserialize, derive_setters::Setters)]
        #[serde(default, deny_unknown_fields)]
        #[setters(prefix = "with_")]
        pub struct $check {
            $($(#[$meaning])* pub $field: $type,)*
            $(#[doc = concat!("The share of ", $whose, ", from 0 to 1, that has to be exceeded: ", $share)]
            #[doc = "by default."]
            pub share: f64,)?
        }

        impl Default for $check {
            fn default() -> Self {
                Self {
                    $($field: $default,)*
                    $(share: $share,)?
                }
            }
        }
    };
}
use thresholds;

/// What every check says alike of its settings.
macro_rules! settings {
    ($name:literal) => {
        fn settings(&self) -> serde_json::Value {
            $crate::base::named::<dyn $crate::attack::diagnosis::Check>($name, self)
        }
    };
}
use settings;
