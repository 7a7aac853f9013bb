//! What attacks of one kind say alike: methods for their `impl` blocks, by the fields that they have.

/// `linf`, `l2` and `l1` by `new`, for an attack in a ball.
macro_rules! balls {
    ($attack:ty $(, $linf:literal, $l2:literal, $l1:literal)?) => {
        impl $attack {
            /// The attack with `|δ| ≤ epsilon` for every pixel, `epsilon` in units of the pixels: 8/255
            /// for images in `[0, 1]`, whatever the model does to them.
            $(#[doc(alias = $linf)])?
            pub fn linf(epsilon: f64) -> Self {
                Self::new($crate::attack::Linf, epsilon)
            }

            /// The attack with `‖δ‖₂ ≤ epsilon` for every image, over all pixels and channels.
            $(#[doc(alias = $l2)])?
            pub fn l2(epsilon: f64) -> Self {
                Self::new($crate::attack::L2, epsilon)
            }

            /// The attack with `‖δ‖₁ ≤ epsilon` for every image, over all pixels and channels; see
            /// [`L1`](crate::attack::L1) for its steps.
            $(#[doc(alias = $l1)])?
            pub fn l1(epsilon: f64) -> Self {
                Self::new($crate::attack::L1, epsilon)
            }
        }
    };
}
pub(super) use balls;

/// Level and settings, by `with_epsilon`.
macro_rules! at_epsilon {
    ($name:literal) => {
        fn at_level(&self, level: &[f64]) -> $crate::base::Result<$crate::attack::AttackSpec> {
            let epsilon = $crate::attack::attack::single(level)?;
            Ok(self.clone().with_epsilon(epsilon).into())
        }

        fn settings(&self) -> serde_json::Value {
            $crate::base::named::<dyn Attack>($name, self)
        }
    };
}
pub(super) use at_epsilon;

/// Ball, level and settings, by `norm` and `epsilon`.
macro_rules! in_ball {
    ($name:literal) => {
        fn ball(&self) -> Option<$crate::attack::Ball> {
            Some($crate::attack::Ball::new(self.norm.clone(), self.epsilon))
        }

        $crate::attack::alike::at_epsilon!($name);
    };
}
pub(super) use in_ball;

/// The goal, by `loss`, `targets` and `predicted_labels`.
macro_rules! aims {
    () => {
        fn goal(&self) -> $crate::attack::Goal {
            $crate::attack::Goal {
                loss: self.loss.clone(),
                targets: self.targets.clone(),
                predicted_labels: self.predicted_labels,
                nearest: None,
            }
        }
    };
}
pub(super) use aims;

/// What is asked of the attack `of`, and that one at another level or with another effort.
macro_rules! as_of {
    ($name:literal) => {
        fn goal(&self) -> $crate::attack::Goal {
            self.of.goal()
        }

        fn ball(&self) -> Option<$crate::attack::Ball> {
            self.of.ball()
        }

        $crate::attack::alike::moves_as_of!();

        fn level(&self) -> Option<Vec<f64>> {
            self.of.level()
        }

        fn at_level(&self, level: &[f64]) -> $crate::base::Result<$crate::attack::AttackSpec> {
            let of = self.of.at_level(level)?;
            Ok(Self { of, ..self.clone() }.into())
        }

        fn with_effort(&self, steps: usize, step: f64) -> Option<$crate::attack::AttackSpec> {
            let of = self.of.with_effort(steps, step)?;
            Some(Self { of, ..self.clone() }.into())
        }

        fn is_random(&self) -> bool {
            self.of.is_random()
        }

        fn settings(&self) -> serde_json::Value {
            $crate::base::named::<dyn Attack>($name, self)
        }
    };
}
pub(super) use as_of;

/// Goal, ball, level and settings of a minimum-norm attack, by its `scope`.
macro_rules! in_scope {
    ($name:literal) => {
        fn goal(&self) -> $crate::attack::Goal {
            self.scope().goal()
        }

        fn ball(&self) -> Option<$crate::attack::Ball> {
            self.scope().ball()
        }

        $crate::attack::alike::at_epsilon!($name);
    };
}
pub(super) use in_scope;

/// What [`in_scope`] says, and the cost of one that draws nothing: a search's passes, forward and
/// backward, and so many forward ones besides.
macro_rules! walks {
    ($name:literal, $passes:expr, $besides:literal) => {
        fn cost(&self) -> $crate::attack::Cost {
            let passes: fn(&Self) -> usize = $passes;
            let gradients = passes(self);
            $crate::attack::Cost {
                queries: gradients + $besides,
                gradients,
            }
        }

        fn is_random(&self) -> bool {
            false
        }

        $crate::attack::alike::in_scope!($name);
    };
}
pub(super) use walks;

/// `linf`, `l2` and `l1` by `new`, and the scope, for a minimum-norm attack with `norm`, `epsilon` and
/// `predicted_labels`; and `targets`, if it names them.
macro_rules! distances {
    ($attack:ty $(, $targets:ident)?) => {
        impl $attack {
            /// The attack that makes the largest change of any pixel small.
            pub fn linf() -> Self {
                Self::new($crate::attack::Linf)
            }

            /// The attack that makes `‖δ‖₂` small.
            pub fn l2() -> Self {
                Self::new($crate::attack::L2)
            }

            /// The attack that makes `‖δ‖₁` small.
            pub fn l1() -> Self {
                Self::new($crate::attack::L1)
            }

            fn scope(&self) -> $crate::attack::nearest::Scope {
                let norm = self.norm.clone();
                $crate::attack::nearest::Scope {
                    $($targets: self.$targets.clone(),)?
                    ..$crate::attack::nearest::Scope::new(norm, self.epsilon, self.predicted_labels)
                }
            }
        }
    };
}
pub(super) use distances;

/// What an attack that is another one, `of`, but for something says of how it moves images.
macro_rules! moves_as_of {
    () => {
        fn moves_images(&self) -> bool {
            self.of.moves_images()
        }

        fn warps(&self) -> Vec<$crate::transform::Warp> {
            self.of.warps()
        }

        fn includes_originals(&self) -> bool {
            self.of.includes_originals()
        }

        fn untouched(&self) -> $crate::attack::Part<'_> {
            self.of.untouched()
        }
    };
}
pub(super) use moves_as_of;

/// What attacks say alike that put images in poses of a `budget` and leave pixels as they are: ball,
/// level and settings; of one that shows each image in so many poses by its `warp`, cost and aims, too.
macro_rules! posed {
    ($name:literal, $visits:expr) => {
        fn cost(&self) -> $crate::attack::Cost {
            let visits: fn(&Self) -> usize = $visits;
            $crate::attack::Cost {
                // The clean pass stands for the identity.
                queries: 1 + visits(self),
                gradients: 0,
            }
        }

        fn warps(&self) -> Vec<$crate::transform::Warp> {
            vec![self.warp]
        }

        $crate::attack::alike::aims!();

        $crate::attack::alike::posed!($name);
    };
    ($name:literal) => {
        fn ball(&self) -> Option<$crate::attack::Ball> {
            None
        }

        fn moves_images(&self) -> bool {
            true
        }

        fn level(&self) -> Option<Vec<f64>> {
            Some($crate::attack::pose::level::of(self.budget))
        }

        /// One number is the largest angle in degrees, and the largest shift follows in proportion; two
        /// are angle and shift.
        fn at_level(&self, level: &[f64]) -> $crate::base::Result<$crate::attack::AttackSpec> {
            let budget = $crate::attack::pose::level::at(self.budget, level)?;
            Ok(self.clone().with_budget(budget).into())
        }

        fn settings(&self) -> serde_json::Value {
            $crate::base::named::<dyn Attack>($name, self)
        }
    };
}
pub(super) use posed;
