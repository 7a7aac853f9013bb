//! The settings that attacks on pixels share.

/// Builders for `loss`, `targets`, `predicted_labels` and `keep`.
macro_rules! goal_settings {
    () => {
        /// The same attack on this loss.
        pub fn with_loss(mut self, loss: impl Into<LossSpec>) -> Self {
            self.loss = loss.into();
            self
        }

        /// The same attack towards these classes.
        pub fn with_targets(mut self, targets: impl Into<Targets>) -> Self {
            self.targets = Some(targets.into());
            self
        }

        /// The same attack against the classifier's own clean predictions instead of the labels:
        /// `fooled` then means that the attack changed the prediction.
        pub fn with_predicted_labels(mut self, predicted: bool) -> Self {
            self.predicted_labels = predicted;
            self
        }

        /// The same attack, returning these images.
        pub fn with_keep(mut self, keep: Keep) -> Self {
            self.keep = keep;
            self
        }
    };
}

pub(super) use goal_settings;
