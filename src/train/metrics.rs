use crate::attack::predicted_classes;
use burn::tensor::{Bool, Int, Tensor, TensorReadError};
use burn::train::metric::{
    Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry,
    SerializedEntry,
    state::{FormatOptions, NumericMetricState},
};
use std::sync::Arc;

/// What [`RobustAccuracy`] and [`FoolingRate`] are computed from: logits of the same images as they are
/// and attacked.
///
/// ```
/// use burn::tensor::{Int, Tensor};
/// use burn::train::metric::Adaptor;
/// use fireproof::train::RobustInput;
///
/// /// What the validation step of a loop of one's own gives.
/// struct Output {
///     clean: Tensor<2>,
///     attacked: Tensor<2>,
///     labels: Tensor<1, Int>,
/// }
///
/// impl Adaptor<RobustInput> for Output {
///     fn adapt(&self) -> RobustInput {
///         RobustInput::new(self.clean.clone(), self.attacked.clone(), self.labels.clone())
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct RobustInput {
    clean: Tensor<2>,
    attacked: Tensor<2>,
    labels: Tensor<1, Int>,
}

impl RobustInput {
    /// Logits `[batch, classes]` of the images as they are and attacked, and true classes `[batch]`.
    pub fn new(clean: Tensor<2>, attacked: Tensor<2>, labels: Tensor<1, Int>) -> Self {
        Self {
            clean,
            attacked,
            labels,
        }
    }

    // Those right as they are and under attack.
    fn robust(&self) -> Tensor<1, Bool> {
        let right =
            |logits: &Tensor<2>| predicted_classes(logits.clone()).equal(self.labels.clone());
        right(&self.clean).bool_and(right(&self.attacked))
    }

    // Those whose class changes.
    fn fooled(&self) -> Tensor<1, Bool> {
        let clean = predicted_classes(self.clean.clone());
        predicted_classes(self.attacked.clone()).not_equal(clean)
    }
}

/// A share of images as a metric for burn-train: which images count, and whether more is better.
macro_rules! share {
    ($(#[$doc:meta])* $metric:ident: $name:literal, $counted:ident, $higher_is_better:literal) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $metric {
            name: MetricName,
            state: NumericMetricState,
        }

        impl $metric {
            /// A metric that has seen nothing yet.
            pub fn new() -> Self {
                Self {
                    name: Arc::new($name.to_owned()),
                    state: NumericMetricState::default(),
                }
            }

            fn format(&self) -> FormatOptions {
                FormatOptions::new(self.name.clone()).unit("%").precision(2)
            }
        }

        impl Default for $metric {
            fn default() -> Self {
                Self::new()
            }
        }

        impl Metric for $metric {
            type Input = RobustInput;

            fn name(&self) -> MetricName {
                self.name.clone()
            }

            fn attributes(&self) -> MetricAttributes {
                let unit = Some("%".to_owned());
                let higher_is_better = $higher_is_better;
                NumericAttributes { unit, higher_is_better }.into()
            }

            fn update(
                &mut self,
                input: &RobustInput,
                _metadata: &MetricMetadata,
            ) -> Result<SerializedEntry, TensorReadError> {
                let counted = input.$counted();
                let count = counted.dims()[0];
                let share = counted.int().sum().try_into_scalar::<f64>()? / count as f64;
                self.state.update(100.0 * share, count);
                Ok(self.state.compute_update(self.format()))
            }

            fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
                Ok(self.state.compute_final(self.format()))
            }

            fn clear(&mut self) {
                self.state.reset();
            }
        }

        impl Numeric for $metric {
            fn value(&self) -> Option<NumericEntry> {
                Some(self.state.current_value())
            }

            fn running_value(&self) -> Option<NumericEntry> {
                Some(self.state.running_value())
            }

            fn final_value(&self) -> NumericEntry {
                self.state.final_value()
            }
        }
    };
}

share! {
    /// The share of images that are classified rightly both as they are and under attack, in percent: a
    /// metric for burn-train, for a loop of your own. [`Training`](crate::train::Training) has it as a
    /// [setting](crate::train::RobustValidation).
    ///
    /// Measure it on images held out of the training set, not on those that results are told of.
    RobustAccuracy: "Robust Accuracy", robust, true
}

share! {
    /// The share of images that are classified otherwise under attack than as they are, in percent: a
    /// metric for burn-train, as [`RobustAccuracy`] is.
    FoolingRate: "Fooling Rate", fooled, false
}
