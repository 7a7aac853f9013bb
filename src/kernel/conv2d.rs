#[cfg(feature = "flex")]
use std::sync::Arc;

use crate::base::assert_layer_alike;
use crate::group::Group;
use burn::tensor::Tensor;
use burn::tensor::module;
use burn::tensor::ops::ConvOptions;

use super::path::{choose, is_composed};
use super::relu::or_relu;
use super::suits;
use super::{Affine, Statistics};
#[cfg(feature = "flex")]
use prepared::has_kernel;

/// Filters and bias of a convolution, with what kernels have made of them.
///
/// Clones share what has been made, so that it is made once for a classifier that no longer learns.
#[derive(Clone, Debug)]
pub struct Filters {
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    group: Group,
    #[cfg(feature = "flex")]
    prepared: Arc<prepared::Store>,
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

/// The convolution of `input` with `filters`, negative values replaced by 0 if `relu`.
///
/// Kernel: square filters of at most 8 pixels, strides, dilations and paddings of at most 8, the same
/// along both axes, and one group. [`Numerics`](super::Numerics) chooses the arithmetic of 3×3 filters
/// with stride and dilation 1; all others are summed directly. Filters that are not tracked are
/// transformed once for all passes with the options of the first. Winograd's sums cover tiles: an
/// infinite or NaN pixel makes whole tiles of up to 6×6 outputs around it NaN.
///
/// # Shapes
///
/// - input: `[batch, in, height, width]`
/// - output: `[batch, out, height_out, width_out]`
///
/// # Panics
///
/// Panics if the channels do not fit, if the filters are larger than the padded input, or unless
/// input, filters and bias are of one element type.
///
/// ```
/// use burn::tensor::{Tensor, ops::ConvOptions};
/// use fireproof::kernel::{self, Filters};
///
/// let device = fireproof::device();
/// let filters = Filters::new(Tensor::ones([2, 1, 3, 3], &device), None);
/// let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
/// let sums = kernel::conv2d(Tensor::ones([1, 1, 4, 4], &device), &filters, options, false);
/// assert_eq!(sums.narrow(1, 0, 1).into_data().iter::<f32>().next(), Some(4.0));
/// ```
pub fn conv2d(
    input: Tensor<4>,
    filters: &Filters,
    options: ConvOptions<2>,
    relu: bool,
) -> Tensor<4> {
    match choose("conv2d", || has_kernel(&input, filters, &options)) {
        #[cfg(feature = "flex")]
        super::Path::Kernel => prepared::run(input, filters, &options, relu),
        _ => {
            let (weight, bias) = (filters.weight.clone(), filters.bias.clone());
            assert_layer_alike("conv2d", &input, &weight, bias.as_ref());
            or_relu(module::conv2d(input, weight, bias, options), relu)
        }
    }
}

/// The convolution of `input` with `filters`, plus `beside`; negative sums replaced by 0 if `relu`.
///
/// The same as [`conv2d`] and a sum, to the bit; the kernel, for filters that are not tracked, has one
/// pass over memory less, or two.
///
/// # Shapes
///
/// - input: `[batch, in, height, width]`
/// - beside, output: `[batch, out, height_out, width_out]`
///
/// # Panics
///
/// As [`conv2d`], and if `beside` does not fit.
///
/// ```
/// use burn::tensor::{Tensor, ops::ConvOptions};
/// use fireproof::kernel::{self, Filters};
///
/// let device = fireproof::device();
/// let filters = Filters::new(Tensor::full([1, 1, 1, 1], -2.0, &device), None);
/// let options = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
/// let x = Tensor::from_floats([[[[1.0, 3.0]]]], &device);
/// let sums = kernel::conv2d_add(x.clone(), &filters, options, x + 4.0, true);
/// assert_eq!(sums.into_data().iter::<f32>().collect::<Vec<_>>(), [3.0, 1.0]);
/// ```
pub fn conv2d_add(
    input: Tensor<4>,
    filters: &Filters,
    options: ConvOptions<2>,
    beside: Tensor<4>,
    relu: bool,
) -> Tensor<4> {
    let possible =
        || !filters.is_tracked() && suits(&beside) && has_kernel(&input, filters, &options);
    // What there is no kernel for is an operation of another name.
    if is_composed() || !possible() {
        return or_relu(conv2d(input, filters, options, false) + beside, relu);
    }
    match choose("conv2d_add", || true) {
        #[cfg(feature = "flex")]
        super::Path::Kernel => prepared::add(input, filters, &options, beside, relu),
        _ => unreachable!("kernels are not forbidden"),
    }
}

#[cfg(not(feature = "flex"))]
fn has_kernel(_: &Tensor<4>, _: &Filters, _: &ConvOptions<2>) -> bool {
    false
}

#[cfg(feature = "flex")]
mod prepared {
    use super::Filters;
    use crate::base::read;
    use crate::group::Group;
    use crate::kernel::Numerics;
    use crate::kernel::cpu::conv::Images;
    use crate::kernel::cpu::elementwise::{bias_gradient, relu_gradient};
    use crate::kernel::cpu::{After, Isa, Prepared, Window};
    use crate::kernel::flex::buffer::Buffer;
    use crate::kernel::flex::{Kernel, contiguous, dims, numbers, run1, run2, run3, suits};
    use burn::tensor::Tensor;
    use burn::tensor::ops::ConvOptions;
    use burn_flex::FlexTensor;
    use std::sync::{Arc, OnceLock};

    fn window(filters: &Filters, options: &ConvOptions<2>) -> Window {
        let [_, _, side, _] = filters.weight.dims();
        Window {
            side,
            stride: options.stride[0],
            dilation: options.dilation[0],
            padding: options.padding[0].0,
        }
    }

    pub(super) fn has_kernel(
        input: &Tensor<4>,
        filters: &Filters,
        options: &ConvOptions<2>,
    ) -> bool {
        let [_, input_channels, height, width] = input.dims();
        let [_, channels, rows, columns] = filters.weight.dims();
        let window = window(filters, options);
        rows == columns
            && channels == input_channels
            && options.stride == [window.stride; 2]
            && options.dilation == [window.dilation; 2]
            && options.padding == [(window.padding, window.padding); 2]
            && options.groups == 1
            && window.is_known()
            && window.output(height).is_some()
            && window.output(width).is_some()
            && suits(input)
            && suits(&filters.weight)
            && filters.bias.as_ref().is_none_or(suits)
    }

    /// One for each of the numerics, with the window of its first use.
    #[derive(Debug, Default)]
    pub(super) struct Store([OnceLock<Arc<Still>>; 2]);

    /// Filters that do not change.
    #[derive(Debug)]
    pub(super) struct Still {
        filters: Prepared,
        bias: Option<Vec<f32>>,
    }

    impl Store {
        fn get(&self, filters: &Filters, window: Window, numerics: Numerics) -> Arc<Still> {
            let slot = &self.0[numerics as usize];
            match slot.get() {
                Some(found) if found.filters.window() == window => found.clone(),
                Some(_) => Arc::new(still(filters, window, numerics)),
                None => {
                    let made = Arc::new(still(filters, window, numerics));
                    // Another thread may have been first, with the same value.
                    let _ = slot.set(made.clone());
                    made
                }
            }
        }
    }

    fn still(filters: &Filters, window: Window, numerics: Numerics) -> Still {
        let [output, input, ..] = filters.weight.dims();
        let weight: Vec<f32> = read(&filters.weight.clone().inner());
        Still {
            filters: Prepared::new(weight, [output, input], window, numerics)
                .with_group(filters.group),
            bias: (filters.bias.as_ref()).map(|bias| read(&bias.clone().inner())),
        }
    }

    pub(super) fn run(
        input: Tensor<4>,
        filters: &Filters,
        options: &ConvOptions<2>,
        relu: bool,
    ) -> Tensor<4> {
        let numerics = Numerics::current();
        let window = window(filters, options);
        if !filters.is_tracked() {
            let still = filters.prepared.get(filters, window, numerics);
            return run1(StillConv { still, relu }, input);
        }
        let learning = LearningConv {
            group: filters.group,
            window,
            numerics,
            relu,
        };
        let weight = filters.weight.clone();
        match filters.bias.clone() {
            Some(bias) => run3(learning, input, weight, bias),
            None => run2(learning, input, weight),
        }
    }

    pub(super) fn add(
        input: Tensor<4>,
        filters: &Filters,
        options: &ConvOptions<2>,
        beside: Tensor<4>,
        relu: bool,
    ) -> Tensor<4> {
        let window = window(filters, options);
        let still = filters.prepared.get(filters, window, Numerics::current());
        run2(StillConv { still, relu }, input, beside)
    }

    fn forward(filters: &Prepared, after: After, x: &FlexTensor) -> (FlexTensor, Images) {
        let [batch, _, height, width] = dims(x);
        let images = [batch, height, width];
        let [rows, columns] = filters.output(images).expect("sizes have been checked");
        let [output, _] = filters.channels();
        let y = Buffer::filled([batch, output, rows, columns], |y| {
            filters.forward(numbers(x), images, after, y);
        });
        (y, images)
    }

    fn input_gradient(
        filters: &Prepared,
        gate: Option<&FlexTensor>,
        images: Images,
        dy: &FlexTensor,
    ) -> FlexTensor {
        let [_, input] = filters.channels();
        let [batch, height, width] = images;
        Buffer::filled([batch, input, height, width], |dx| {
            filters.input_gradient(numbers(dy), gate.map(numbers), images, dx);
        })
    }

    /// A convolution with filters that do not change.
    #[derive(Clone, Debug)]
    struct StillConv {
        still: Arc<Still>,
        relu: bool,
    }

    // Inputs: images and, if there are two, what is added.
    impl<const N: usize> Kernel<N> for StillConv {
        /// The output, through which relu lets the gradient pass where it is positive.
        type Saved = (Images, Option<FlexTensor>);

        fn forward(
            &self,
            inputs: [FlexTensor; N],
            keep: bool,
        ) -> (FlexTensor, Option<Self::Saved>) {
            let inputs = inputs.map(contiguous);
            let Still { filters, bias } = &*self.still;
            let after = After {
                bias: bias.as_deref(),
                beside: inputs.get(1).map(numbers),
                relu: self.relu,
            };
            let (y, images) = forward(filters, after, &inputs[0]);
            let saved = keep.then(|| (images, self.relu.then(|| y.clone())));
            (y, saved)
        }

        fn backward(
            &self,
            (images, gate): Self::Saved,
            dy: FlexTensor,
            wanted: [bool; N],
        ) -> [Option<FlexTensor>; N] {
            let dy = contiguous(dy);
            std::array::from_fn(|at| {
                wanted[at].then(|| match (at, &gate) {
                    (0, gate) => input_gradient(&self.still.filters, gate.as_ref(), images, &dy),
                    (_, None) => dy.clone(),
                    (_, Some(gate)) => Buffer::filled(dims::<4>(&dy), |open| {
                        relu_gradient(Isa::detect(), numbers(&dy), numbers(gate), open);
                    }),
                })
            })
        }
    }

    /// The numbers of a contiguous tensor.
    struct Kept(FlexTensor);

    impl AsRef<[f32]> for Kept {
        fn as_ref(&self) -> &[f32] {
            numbers(&self.0)
        }
    }

    /// A convolution whose filters learn.
    #[derive(Clone, Debug)]
    struct LearningConv {
        group: Group,
        window: Window,
        numerics: Numerics,
        relu: bool,
    }

    /// What the backward pass of a [`LearningConv`] needs.
    #[derive(Clone, Debug)]
    struct Learnt {
        filters: Arc<Prepared>,
        x: FlexTensor,
        images: Images,
        gate: Option<FlexTensor>,
    }

    // Inputs: images, filters and, if there are three, the bias.
    impl<const N: usize> Kernel<N> for LearningConv {
        type Saved = Learnt;

        fn forward(&self, inputs: [FlexTensor; N], keep: bool) -> (FlexTensor, Option<Learnt>) {
            let inputs = inputs.map(contiguous);
            let (x, weight) = (&inputs[0], &inputs[1]);
            let [output, input, ..] = dims::<4>(weight);
            let shape = [output, input];
            let kept = Kept(weight.clone());
            let filters =
                Prepared::new(kept, shape, self.window, self.numerics).with_group(self.group);
            let after = After {
                bias: inputs.get(2).map(numbers),
                relu: self.relu,
                ..After::default()
            };
            let (y, images) = forward(&filters, after, x);
            let saved = keep.then(|| Learnt {
                filters: Arc::new(filters),
                x: x.clone(),
                images,
                gate: self.relu.then(|| y.clone()),
            });
            (y, saved)
        }

        fn backward(
            &self,
            Learnt {
                filters,
                x,
                images,
                gate,
            }: Learnt,
            dy: FlexTensor,
            wanted: [bool; N],
        ) -> [Option<FlexTensor>; N] {
            let dy = contiguous(dy);
            let [output, input] = filters.channels();
            let side = self.window.side;
            let [_, _, rows, columns] = dims::<4>(&dy);
            let open = gate.as_ref().map(numbers);
            std::array::from_fn(|at| {
                wanted[at].then(|| match at {
                    0 => input_gradient(&filters, gate.as_ref(), images, &dy),
                    1 => Buffer::filled([output, input, side, side], |dw| {
                        filters.weight_gradient(numbers(&x), numbers(&dy), open, images, dw);
                    }),
                    _ => Buffer::filled([output], |db| {
                        bias_gradient(numbers(&dy), open, rows * columns, db);
                    }),
                })
            })
        }
    }
}
