use std::sync::{Arc, OnceLock};

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
    made: Made,
    /// A number for each output, or for as many neighbouring ones as there are more of them.
    pub(super) bias: Option<Tensor<1>>,
    group: Group,
    #[cfg(feature = "flex")]
    pub(super) prepared: Arc<prepared::Store>,
}

/// What filters are made of.
#[derive(Clone, Debug)]
enum Made {
    /// They are given.
    Whole(Tensor<4>),
    /// Copies over the group of a weight `[out, in, components, side, side]`, made when they are asked for, and
    /// kept for all clones unless it learns.
    Over(Tensor<5>, Arc<OnceLock<Tensor<4>>>),
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
        Self::of(Made::Whole(weight), bias, Group::P1)
    }

    fn of(made: Made, bias: Option<Tensor<1>>, group: Group) -> Self {
        Self {
            made,
            bias,
            group,
            #[cfg(feature = "flex")]
            prepared: Arc::default(),
        }
    }

    /// The filters of a convolution over a group: a weight `[out, in, components, side, side]` in GrouPy's
    /// order, of inputs with one component (images) or as many as the group has elements, becomes
    /// `[out·|G|, in·components, side, side]`, the group index the faster one, and a bias `[out]` is repeated
    /// for each element.
    ///
    /// Kernels make the copies where they need them, which they do not always, and learn the weight
    /// without its copies.
    ///
    /// # Panics
    ///
    /// Panics unless there are 1 or |G| components, sides are the same, and there is one bias per output.
    ///
    /// ```
    /// use burn::tensor::Tensor;
    /// use fireproof::{group::Group, kernel::Filters};
    ///
    /// let device = fireproof::device();
    /// let filters = Filters::over(Group::P4, Tensor::ones([2, 1, 1, 3, 3], &device), None);
    /// assert_eq!(filters.weight().dims(), [8, 1, 3, 3]);
    /// ```
    pub fn over(group: Group, weight: Tensor<5>, bias: Option<Tensor<1>>) -> Self {
        let [output, _, components, side, columns] = weight.dims();
        let size = group.size();
        assert!(
            components == 1 || components == size,
            "1 or {size} components"
        );
        assert_eq!(side, columns, "filters are square");
        if let Some(bias) = &bias {
            assert_eq!(bias.dims()[0], output, "one bias per output");
        }
        Self::of(Made::Over(weight, Arc::default()), bias, group)
    }

    /// The same filters as those of a group convolution: `[out·|G|, in·|G|, height, width]`,
    /// expanded over the group. A kernel may use what that ties together; p4m's mirrors save more
    /// than half of the products.
    pub fn with_group(self, group: Group) -> Self {
        let (weight, bias) = (self.weight(), self.bias());
        Self::of(Made::Whole(weight), bias, group)
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
        let [outputs, ..] = self.dims();
        let scale = affine.scale / (statistics.variance + epsilon).sqrt();
        let made = match &self.made {
            // What is alike for all copies is done to the weight.
            Made::Over(weight, _) if weight.dims()[0].is_multiple_of(scale.dims()[0]) => {
                let [outputs, ..] = weight.dims();
                let scale = each(scale.clone(), outputs).reshape([outputs, 1, 1, 1, 1]);
                Made::Over(weight.clone() * scale, Arc::default())
            }
            _ => {
                let scale = each(scale.clone(), outputs).reshape([outputs, 1, 1, 1]);
                Made::Whole(self.weight() * scale)
            }
        };
        let (mean, shift) = (each(statistics.mean, outputs), each(affine.shift, outputs));
        let centred = match self.bias() {
            Some(bias) => bias - mean,
            None => -mean,
        };
        let bias = centred * each(scale, outputs) + shift;
        Self::of(made, Some(bias), self.group)
    }

    /// The same filters, outside of autodiff.
    pub(crate) fn inner(&self) -> Self {
        let made = match &self.made {
            Made::Whole(weight) => Made::Whole(weight.clone().inner()),
            Made::Over(weight, _) => Made::Over(weight.clone().inner(), Arc::default()),
        };
        Self::of(made, self.bias.clone().map(Tensor::inner), self.group)
    }

    /// The filters `[out, in, height, width]`.
    pub fn weight(&self) -> Tensor<4> {
        let (weight, copies) = match &self.made {
            Made::Whole(weight) => return weight.clone(),
            Made::Over(weight, copies) => (weight, copies),
        };
        if self.group == Group::P1 {
            return weight.clone().reshape(self.dims());
        }
        if let Some(copies) = copies.get() {
            return copies.clone();
        }
        let made = expand(weight.clone(), self.group);
        if !weight.is_tracked() {
            // Outside of the cell's lock, as Burn's operations may wait on a pool, where another task may ask
            // for the same cell. Another thread may have been first. Copies that are tracked are of one graph.
            let _ = copies.set(made.clone());
        }
        made
    }

    /// The weight that the filters are copies of over [the group](Self::group), if there is more than one.
    #[cfg(feature = "flex")]
    pub(super) fn base(&self) -> Option<&Tensor<5>> {
        match &self.made {
            Made::Over(weight, _) if self.group != Group::P1 => Some(weight),
            _ => None,
        }
    }

    /// Shape of the filters.
    pub(super) fn dims(&self) -> [usize; 4] {
        match &self.made {
            Made::Whole(weight) => weight.dims(),
            Made::Over(weight, _) => {
                let [output, input, components, side, _] = weight.dims();
                [output * self.group.size(), input * components, side, side]
            }
        }
    }

    /// Whether there are kernels for numbers of this kind on this device.
    pub(crate) fn suits(&self) -> bool {
        match &self.made {
            Made::Whole(weight) => crate::kernel::suits(weight),
            Made::Over(weight, _) => crate::kernel::suits(weight),
        }
    }

    /// The bias `[out]`, if there is one.
    pub fn bias(&self) -> Option<Tensor<1>> {
        let [outputs, ..] = self.dims();
        self.bias.clone().map(|bias| each(bias, outputs))
    }

    /// The group that the filters are expanded over.
    pub fn group(&self) -> Group {
        self.group
    }

    /// Whether gradients flow into filters or bias.
    pub fn is_tracked(&self) -> bool {
        let weight = match &self.made {
            Made::Whole(weight) => weight.is_tracked(),
            Made::Over(weight, _) => weight.is_tracked(),
        };
        weight || self.bias.as_ref().is_some_and(Tensor::is_tracked)
    }
}

/// Numbers for all outputs, each that of as many neighbouring ones as there are more of them.
fn each(numbers: Tensor<1>, outputs: usize) -> Tensor<1> {
    let [count] = numbers.dims();
    assert_eq!(outputs % count, 0, "{outputs} outputs and {count} numbers");
    if count == outputs {
        return numbers;
    }
    let repeated = numbers.reshape([count, 1]).repeat_dim(1, outputs / count);
    repeated.reshape([outputs])
}

/// Copies a weight over the group, by Burn's operations.
fn expand(weight: Tensor<5>, group: Group) -> Tensor<4> {
    let [output, input, components, side, _] = weight.dims();
    let size = group.size();
    let indices = crate::base::indices(group.copies(components, side), &weight.device());
    weight
        .reshape([output * input, components * side * side])
        .select(1, indices)
        .reshape([output, input, size, components * side * side])
        .swap_dims(1, 2)
        .reshape([output * size, input * components, side, side])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_clones_share_copies_but_not_those_that_learn() {
        let device = crate::device();
        let made = |filters: &Filters| match &filters.made {
            Made::Over(_, copies) => copies.get().is_some(),
            Made::Whole(_) => unreachable!("they are copies"),
        };
        let filters = Filters::over(Group::P4, Tensor::ones([1, 1, 4, 3, 3], &device), None);
        let clone = filters.clone();
        assert!(!made(&clone));
        assert_eq!(filters.weight().dims(), clone.dims());
        assert!(made(&clone));

        let weight = Tensor::ones([1, 1, 4, 3, 3], &device.autodiff()).require_grad();
        let filters = Filters::over(Group::P4, weight, None);
        assert_eq!(filters.weight().dims(), [4, 4, 3, 3]);
        assert!(!made(&filters));
    }
}
