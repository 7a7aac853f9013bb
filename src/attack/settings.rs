//! What attacks of one kind have to set alike, around the settings of each.

/// Plain settings: public fields, `with_…`, and files without any other field.
macro_rules! settings {
    ($(#[$about:meta])* pub struct $attack:ident { $($fields:tt)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq)]
        #[derive(serde::Serialize, serde::Deserialize, derive_setters::Setters)]
        #[serde(deny_unknown_fields)]
        #[setters(prefix = "with_")]
        pub struct $attack {
            $($fields)*
        }
    };
}
pub(super) use settings;

/// The settings of an attack with a goal of its own choice: those of its own come first.
macro_rules! aiming {
    ($(#[$about:meta])* pub struct $attack:ident { $($own:tt)* }) => {
        $crate::attack::settings::settings! {
            $(#[$about])*
            pub struct $attack {
                $($own)*
                /// What it climbs, and what ranks the candidates.
                #[serde(default)]
                #[setters(into)]
                pub loss: $crate::attack::LossSpec,
                /// The classes that images are to be taken for; without them, any class but the label.
                #[serde(default)]
                #[setters(into, strip_option)]
                pub targets: Option<$crate::attack::TargetsSpec>,
                /// Whether it is against the classifier's own clean predictions instead of the labels: `fooled`
                /// then means that the attack changed the prediction.
                #[serde(default)]
                pub predicted_labels: bool,
            }
        }
    };
}
pub(super) use aiming;

/// The settings of an attack that climbs a loss in a ball: those of its own come after norm and radius.
macro_rules! climbing {
    ($(#[$about:meta])* pub struct $attack:ident { $($own:tt)* }) => {
        $crate::attack::settings::aiming! {
            $(#[$about])*
            pub struct $attack {
                /// The norm of the ball.
                #[setters(into)]
                pub norm: $crate::attack::NormSpec,
                /// The radius of the ball, in units of the pixels.
                pub epsilon: f64,
                $($own)*
            }
        }
    };
}
pub(super) use climbing;

/// The settings of an attack on poses: those of its own come after the budget.
macro_rules! posing {
    ($(#[$about:meta])* pub struct $attack:ident { $($own:tt)* }) => {
        $crate::attack::settings::aiming! {
            $(#[$about])*
            pub struct $attack {
                /// How far images may be moved.
                pub budget: $crate::transform::PoseBudget,
                $($own)*
            }
        }
    };
}
pub(super) use posing;

/// The settings of an attack that climbs in poses: those of its own come first. Its module says what is
/// published.
macro_rules! ascending {
    ($(#[$about:meta])* pub struct $attack:ident { $($own:tt)* }) => {
        $crate::attack::settings::aiming! {
            $(#[$about])*
            pub struct $attack {
                $($own)*
                /// How far images may be moved.
                pub budget: $crate::transform::PoseBudget,
                /// How many steps an ascent takes.
                #[serde(default = "published::steps")]
                pub steps: usize,
                /// The length of a step in units of what it may change at most: 1 is the largest angle, the
                /// largest shift and, of pixels, ε.
                #[serde(default)]
                #[setters(into)]
                pub step_size: $crate::base::StepSize,
                /// Whether it starts at random, and not at the image as it is.
                #[serde(default = "published::random_start")]
                pub random_start: bool,
                /// What lies outside the image.
                #[serde(default)]
                pub border: $crate::transform::Border,
            }
        }
    };
}
pub(super) use ascending;

/// The settings of an attack that looks for the nearest image that fools: those of its own, its norm
/// among them if there is a choice, come first.
macro_rules! nearest {
    ($(#[$about:meta])* pub struct $attack:ident { $($own:tt)* }) => {
        $crate::attack::settings::settings! {
            $(#[$about])*
            pub struct $attack {
                $($own)*
                /// How far an image may be that counts; any distance without it.
                #[serde(default)]
                #[setters(strip_option)]
                pub epsilon: Option<f64>,
                /// Whether it is against the classifier's own clean predictions instead of the labels: `fooled`
                /// then means that the attack changed the prediction.
                #[serde(default)]
                pub predicted_labels: bool,
            }
        }
    };
    ($(#[$about:meta])* pub struct $attack:ident in any norm { $($own:tt)* }) => {
        $crate::attack::settings::nearest! {
            $(#[$about])*
            pub struct $attack {
                /// What distances are measured by: a norm with a [`Geometry`](crate::attack::Geometry).
                #[setters(into)]
                pub norm: $crate::attack::NormSpec,
                $($own)*
            }
        }
    };
}
pub(super) use nearest;

/// What settings are by default, as published: a module of functions, for serde and for `new`.
macro_rules! published {
    ($($setting:ident: $type:ty = $value:expr),+ $(,)?) => {
        pub(super) mod published {
            $(pub fn $setting() -> $type {
                $value
            })+
        }
    };
}
pub(super) use published;
