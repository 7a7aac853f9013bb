//! What objectives of one kind say alike: methods for their `impl` blocks.

/// The step of an objective that crafts images and then learns from them.
macro_rules! in_two_halves {
    () => {
        fn step(
            &self,
            student: &dyn $crate::train::Student,
            staged: &$crate::train::StagedBatch,
        ) -> $crate::base::Result<$crate::train::Step> {
            let crafted = self.craft(student, staged)?;
            self.learn(student, staged, &crafted)
        }
    };
}
pub(super) use in_two_halves;

/// Settings by the name of the file's objective.
macro_rules! called {
    ($name:literal) => {
        fn settings(&self) -> serde_json::Value {
            $crate::base::named::<dyn $crate::train::Objective>($name, self)
        }
    };
}
pub(super) use called;

/// What an objective that is another one, `of`, but for something hands on to it.
macro_rules! as_of {
    ($name:literal) => {
        fn craft(
            &self,
            student: &dyn $crate::train::Student,
            staged: &$crate::train::StagedBatch,
        ) -> $crate::base::Result<$crate::train::Crafted> {
            self.of.craft(student, staged)
        }

        fn moves_images(&self) -> bool {
            self.of.moves_images()
        }

        fn attack(&self, stage: &$crate::curriculum::Stage) -> Option<$crate::attack::AttackSpec> {
            self.of.attack(stage)
        }

        fn validate(
            &self,
            student: &dyn $crate::train::Student,
            staged: &$crate::train::StagedBatch,
        ) -> $crate::base::Result<$crate::train::Scored> {
            self.of.validate(student, staged)
        }

        $crate::train::objectives::alike::called!($name);
    };
}
pub(super) use as_of;

/// What an objective that averages the weights of another one, `of`, hands on to it.
macro_rules! learns_as_of {
    ($name:literal) => {
        fn step(
            &self,
            student: &dyn $crate::train::Student,
            staged: &$crate::train::StagedBatch,
        ) -> $crate::base::Result<$crate::train::Step> {
            self.of.step(student, staged)
        }

        fn learn(
            &self,
            student: &dyn $crate::train::Student,
            staged: &$crate::train::StagedBatch,
            crafted: &$crate::train::Crafted,
        ) -> $crate::base::Result<$crate::train::Step> {
            self.of.learn(student, staged, crafted)
        }

        $crate::train::objectives::alike::as_of!($name);
    };
}
pub(super) use learns_as_of;
