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

/// What an objective that crafts by one attack, at the stage's budgets, says of it.
macro_rules! crafts_by {
    (|$this:ident| $attack:expr) => {
        $crate::train::objectives::alike::in_two_halves!();

        fn craft(
            &self,
            student: &dyn $crate::train::Student,
            staged: &$crate::train::StagedBatch,
        ) -> $crate::base::Result<$crate::train::Crafted> {
            let $this = self;
            let attack = $crate::train::objectives::inner::at_stage(&$attack, &staged.stage)?;
            $crate::train::objectives::inner::craft(attack, student, staged)
        }

        fn moves_images(&self) -> bool {
            let $this = self;
            $attack.moves_images()
        }

        fn attack(&self, stage: &$crate::curriculum::Stage) -> Option<$crate::attack::AttackSpec> {
            let $this = self;
            let attack = $crate::train::objectives::inner::at_stage(&$attack, stage);
            attack.ok().flatten()
        }
    };
}
pub(super) use crafts_by;

/// The second half of a step down the cross-entropy of one crafted batch.
macro_rules! learns_from_one {
    () => {
        fn learn(
            &self,
            student: &dyn $crate::train::Student,
            staged: &$crate::train::StagedBatch,
            crafted: &$crate::train::Crafted,
        ) -> $crate::base::Result<$crate::train::Step> {
            $crate::train::objectives::inner::learn(student, staged, crafted)
        }
    };
}
pub(super) use learns_from_one;

/// What objectives of several `attacks` say of them.
macro_rules! of_attacks {
    ($name:literal) => {
        fn moves_images(&self) -> bool {
            self.attacks.iter().any(|attack| attack.moves_images())
        }

        /// # Errors
        ///
        /// [`Error::Setting`](crate::base::Error::Setting) without an attack, for one that makes no
        /// sense, and for one of several on pixels whose radius is not above 0: nothing would be in
        /// proportion to it.
        fn check(&self) -> $crate::base::Result<()> {
            $crate::train::objectives::several::check_each(&self.attacks)
        }

        /// Of several, an [`Ensemble`](crate::attack::Ensemble) of all, which finds an image fooled
        /// where one of them does.
        fn attack(&self, stage: &$crate::curriculum::Stage) -> Option<$crate::attack::AttackSpec> {
            $crate::train::objectives::several::ensemble(&self.attacks, stage)
        }

        $crate::train::objectives::alike::called!($name);
    };
}
pub(super) use of_attacks;

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
