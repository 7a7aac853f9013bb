#[cfg(feature = "flex")]
use std::sync::Arc;

use crate::group::Group;
use crate::kernel::{Affine, Statistics};
use burn::tensor::Tensor;

#[cfg(feature = "flex")]
use super::prepared;

/// Filters and bias of a convolution, with what kernels have made of them.
///
/// Clones share what has been made, so that it is made once for a classifier that no longer learns.
#[derive(Clone, Debug)]
pub struct Filters {
    pub(super) weight: Tensor<4>,
    pub(super) bias: Option<Tensor<1>>,
    pub(super) group: Group,
    #[cfg(feature = "flex")]
    pub(super) prepared: Arc<prepared::Store>,
}

impl Filters {
    /// Filters `[out, in, height, width]` and a bias `[out]`.
    ///
    /// # Panics
    ///
    /// Panics unless there is one bias per output channel.
    pub fn new(weight: Tensor<4>, bias: Option<Tensor<1>>) -> Self {
        if let Some(bias) = &bias {
            assert_eq!(bias.dims()[0], weight.dims()[0], "one bias per output");
        }
        Self {
            weight,
            bias,
            group: Group::P1,
            #[cfg(feature = "flex")]
            prepared: Arc::default(),
        }
    }

    /// The same filters as those of a group convolution: `[out·|G|, in·|G|, height, width]`,
    /// expanded over the group. A kernel may use what that ties together; p4m's mirrors save more
    /// than half of the products.
    pub fn with_group(self, group: Group) -> Self {
        Self {
            group,
            ..Self::new(self.weight, self.bias)
        }
    }

    /// Filters whose convolution gives at once what a batch normalisation by given statistics makes of
    /// that of these, `(y - mean) / √(variance + ε) · scale + shift`, up to rounding. A number of the
    /// normalisation is that of as many neighbouring outputs as there are more outputs than numbers.
    ///
    /// # Panics
    ///
    /// Panics unless the outputs are a multiple of the numbers.
    ///
    /// ```
    /// use burn::tensor::{Tensor, ops::ConvOptions};
    /// use fireproof::kernel::{self, Affine, Filters, Statistics};
    ///
    /// let device = fireproof::device();
    /// let of = |value: f32| Tensor::from_floats([value], &device);
    /// let filters = Filters::new(Tensor::ones([2, 1, 1, 1], &device), None);
    /// let statistics = Statistics { mean: of(1.0), variance: of(4.0) };
    /// let affine = Affine { scale: of(3.0), shift: of(0.5) };
    /// let folded = filters.normalised(affine, statistics, 0.0);
    /// let options = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
    /// let y = kernel::conv2d(Tensor::full([1, 1, 1, 1], 3.0, &device), &folded, options, false);
    /// assert_eq!(y.into_data().iter::<f32>().collect::<Vec<_>>(), [3.5, 3.5]);
    /// ```
    pub fn normalised(&self, affine: Affine, statistics: Statistics, epsilon: f64) -> Self {
        let outputs = self.weight.dims()[0];
        let each = |numbers: Tensor<1>| {
            let [count] = numbers.dims();
            assert_eq!(outputs % count, 0, "{outputs} outputs and {count} numbers");
            let repeated = numbers.reshape([count, 1]).repeat_dim(1, outputs / count);
            repeated.reshape([outputs])
        };
        let scale = each(affine.scale / (statistics.variance + epsilon).sqrt());
        let (mean, shift) = (each(statistics.mean), each(affine.shift));
        let centred = match self.bias.clone() {
            Some(bias) => bias - mean,
            None => -mean,
        };
        let bias = centred * scale.clone() + shift;
        let weight = self.weight.clone() * scale.reshape([outputs, 1, 1, 1]);
        Self::new(weight, Some(bias)).with_group(self.group)
    }

    /// The filters `[out, in, height, width]`.
    pub fn weight(&self) -> &Tensor<4> {
        &self.weight
    }

    /// The bias `[out]`, if there is one.
    pub fn bias(&self) -> Option<&Tensor<1>> {
        self.bias.as_ref()
    }

    /// The group that the filters were expanded over.
    pub fn group(&self) -> Group {
        self.group
    }

    /// Whether gradients flow into filters or bias.
    pub fn is_tracked(&self) -> bool {
        self.weight.is_tracked() || self.bias.as_ref().is_some_and(Tensor::is_tracked)
    }
}
