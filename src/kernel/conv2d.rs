#[cfg(feature = "flex")]
use std::sync::Arc;

use crate::base::assert_alike;
use crate::group::Group;
use burn::tensor::Tensor;
use burn::tensor::module;
use burn::tensor::ops::ConvOptions;

use super::path::choose;
use super::relu::or_relu;
use super::suits;

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
/// Kernel: sides of 3 pixels, stride and dilation 1, one group, the same padding of at most 2 on
/// all sides. [`Numerics`](super::Numerics) chooses its arithmetic. Filters that are not tracked are
/// transformed once for all passes with the padding of the first. Winograd's sums cover tiles: an
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
        super::Path::Kernel => prepared::run(input, filters, options.padding[0].0, relu),
        _ => {
            let (weight, bias) = (filters.weight.clone(), filters.bias.clone());
            let of_bias = bias.as_ref().map_or(weight.dtype(), Tensor::dtype);
            let types = [
                ("input", input.dtype()),
                ("weight", weight.dtype()),
                ("bias", of_bias),
            ];
            assert_alike("conv2d", &types);
            or_relu(module::conv2d(input, weight, bias, options), relu)
        }
    }
}

fn has_kernel(input: &Tensor<4>, filters: &Filters, options: &ConvOptions<2>) -> bool {
    let [_, input_channels, height, width] = input.dims();
    let [_, channels, rows, columns] = filters.weight.dims();
    let (padding, _) = options.padding[0];
    rows == 3
        && columns == 3
        && channels == input_channels
        && options.stride == [1, 1]
        && options.dilation == [1, 1]
        && options.groups == 1
        && options.padding == [(padding, padding); 2]
        && padding <= 2
        && height + 2 * padding >= 3
        && width + 2 * padding >= 3
        && suits(input)
        && suits(&filters.weight)
        && filters.bias.as_ref().is_none_or(suits)
}

#[cfg(feature = "flex")]
mod prepared {
    use super::Filters;
    use crate::base::read;
    use crate::group::Group;
    use crate::kernel::Numerics;
    use crate::kernel::cpu::Prepared;
    use crate::kernel::cpu::conv::Images;
    use crate::kernel::cpu::elementwise::bias_gradient;
    use crate::kernel::flex::buffer::Buffer;
    use crate::kernel::flex::{Kernel, contiguous, dims, numbers, run1, run2, run3};
    use burn::tensor::Tensor;
    use burn_flex::FlexTensor;
    use std::sync::{Arc, OnceLock};

    /// One for each of the numerics, with the padding of its first use.
    #[derive(Debug, Default)]
    pub(super) struct Store([OnceLock<Arc<Still>>; 2]);

    /// Filters that do not change.
    #[derive(Debug)]
    pub(super) struct Still {
        filters: Prepared,
        bias: Option<Vec<f32>>,
    }

    impl Store {
        fn get(&self, filters: &Filters, padding: usize, numerics: Numerics) -> Arc<Still> {
            let slot = &self.0[numerics as usize];
            match slot.get() {
                Some(found) if found.filters.padding() == padding => found.clone(),
                Some(_) => Arc::new(still(filters, padding, numerics)),
                None => {
                    let made = Arc::new(still(filters, padding, numerics));
                    // Another thread may have been first, with the same value.
                    let _ = slot.set(made.clone());
                    made
                }
            }
        }
    }

    fn still(filters: &Filters, padding: usize, numerics: Numerics) -> Still {
        let [output, input, ..] = filters.weight.dims();
        let weight: Vec<f32> = read(&filters.weight.clone().inner());
        Still {
            filters: Prepared::new(&weight, [output, input], padding, numerics)
                .with_group(filters.group),
            bias: (filters.bias.as_ref()).map(|bias| read(&bias.clone().inner())),
        }
    }

    pub(super) fn run(
        input: Tensor<4>,
        filters: &Filters,
        padding: usize,
        relu: bool,
    ) -> Tensor<4> {
        let numerics = Numerics::current();
        if !filters.is_tracked() {
            let still = filters.prepared.get(filters, padding, numerics);
            return run1(StillConv { still, relu }, input);
        }
        let learning = LearningConv {
            group: filters.group,
            padding,
            numerics,
            relu,
        };
        let weight = filters.weight.clone();
        match filters.bias.clone() {
            Some(bias) => run3(learning, input, weight, bias),
            None => run2(learning, input, weight),
        }
    }

    fn forward(
        filters: &Prepared,
        bias: Option<&[f32]>,
        relu: bool,
        x: &FlexTensor,
    ) -> (FlexTensor, Images) {
        let [batch, _, height, width] = dims(x);
        let images = [batch, height, width];
        let [rows, columns] = filters.output(images).expect("sizes have been checked");
        let [output, _] = filters.channels();
        let y = Buffer::filled([batch, output, rows, columns], |y| {
            filters.forward(numbers(x), images, bias, relu, y);
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

    impl Kernel<1> for StillConv {
        /// The output, through which relu lets the gradient pass where it is positive.
        type Saved = (Images, Option<FlexTensor>);

        fn forward(&self, [x]: [FlexTensor; 1], keep: bool) -> (FlexTensor, Option<Self::Saved>) {
            let Still { filters, bias } = &*self.still;
            let (y, images) = forward(filters, bias.as_deref(), self.relu, &contiguous(x));
            let saved = keep.then(|| (images, self.relu.then(|| y.clone())));
            (y, saved)
        }

        fn backward(
            &self,
            (images, gate): Self::Saved,
            dy: FlexTensor,
            _: [bool; 1],
        ) -> [Option<FlexTensor>; 1] {
            let dy = contiguous(dy);
            [Some(input_gradient(
                &self.still.filters,
                gate.as_ref(),
                images,
                &dy,
            ))]
        }
    }

    /// A convolution whose filters learn.
    #[derive(Clone, Debug)]
    struct LearningConv {
        group: Group,
        padding: usize,
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
            let filters = Prepared::new(numbers(weight), shape, self.padding, self.numerics)
                .with_group(self.group);
            let (y, images) = forward(&filters, inputs.get(2).map(numbers), self.relu, x);
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
            let [_, _, rows, columns] = dims::<4>(&dy);
            let open = gate.as_ref().map(numbers);
            std::array::from_fn(|at| {
                wanted[at].then(|| match at {
                    0 => input_gradient(&filters, gate.as_ref(), images, &dy),
                    1 => Buffer::filled([output, input, 3, 3], |dw| {
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
