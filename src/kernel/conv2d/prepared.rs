//! The kernels of convolutions as operations of Flex.

use super::Filters;
use crate::base::read;
use crate::group::Group;
use crate::kernel::Numerics;
use crate::kernel::cpu::conv::Images;
use crate::kernel::cpu::elementwise::{bias_gradient, relu_gradient};
use crate::kernel::cpu::{After, Bank, Isa, Prepared, Window};
use crate::kernel::flex::buffer::Buffer;
use crate::kernel::flex::{Kernel, contiguous, dims, numbers, run1, run2, run3, suits};
use crate::kernel::is_composed;
use burn::backend::TensorMetadata;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Shape, Tensor};
use burn_flex::FlexTensor;
use std::sync::{Arc, OnceLock};

fn window(filters: &Filters, options: &ConvOptions<2>) -> Window {
    let [_, _, side, _] = filters.dims();
    Window {
        side,
        stride: options.stride[0],
        dilation: options.dilation[0],
        padding: options.padding[0].0,
    }
}

pub(super) fn has_kernel(input: &Tensor<4>, filters: &Filters, options: &ConvOptions<2>) -> bool {
    let [_, input_channels, height, width] = input.dims();
    let [_, channels, rows, columns] = filters.dims();
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
        && filters.suits()
        && filters.bias.as_ref().is_none_or(suits)
}

/// Whether there is a kernel, that may be taken, for a convolution and a sum of its shape.
pub(super) fn can_add(
    input: &Tensor<4>,
    filters: &Filters,
    options: &ConvOptions<2>,
    beside: &Tensor<4>,
) -> bool {
    let fits = || {
        let [batch, _, height, width] = input.dims();
        let [channels, ..] = filters.dims();
        let window = window(filters, options);
        let sides = [height, width].map(|side| window.output(side).unwrap_or(0));
        beside.dims() == [batch, channels, sides[0], sides[1]]
    };
    !is_composed()
        && !filters.is_tracked()
        && suits(beside)
        && has_kernel(input, filters, options)
        && fits()
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
    let prepared = match filters.base() {
        Some(base) => {
            let [output, input, components, side, _] = base.dims();
            let weight: Vec<f32> = read(&base.clone().inner());
            let bank = Bank::new(filters.group(), components, side);
            Prepared::over(weight, [output, input], bank, window, numerics)
        }
        None => {
            let [output, input, ..] = filters.dims();
            let weight: Vec<f32> = read(&filters.weight().inner());
            Prepared::new(weight, [output, input], window, numerics).with_group(filters.group())
        }
    };
    Still {
        filters: prepared,
        bias: filters.bias().map(|bias| read(&bias.inner())),
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
        group: filters.group(),
        is_base: filters.base().is_some(),
        window,
        numerics,
        relu,
    };
    match (filters.base().cloned(), filters.bias()) {
        (Some(base), Some(bias)) => run3(learning, input, base, bias),
        (Some(base), None) => run2(learning, input, base),
        (None, Some(bias)) => run3(learning, input, filters.weight(), bias),
        (None, None) => run2(learning, input, filters.weight()),
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

    fn forward(&self, inputs: [FlexTensor; N], keep: bool) -> (FlexTensor, Option<Self::Saved>) {
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
    /// Whether the filters are copies over the group of the weight that learns.
    is_base: bool,
    window: Window,
    numerics: Numerics,
    relu: bool,
}

/// What the backward pass of a [`LearningConv`] needs.
#[derive(Clone, Debug)]
struct Learnt {
    filters: Arc<Prepared>,
    /// Of the weight that learns.
    shape: Shape,
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
        let kept = Kept(weight.clone());
        let filters = if self.is_base {
            let [output, input, components, side, _] = dims(weight);
            let bank = Bank::new(self.group, components, side);
            Prepared::over(kept, [output, input], bank, self.window, self.numerics)
        } else {
            let [output, input, ..] = dims::<4>(weight);
            let shape = [output, input];
            Prepared::new(kept, shape, self.window, self.numerics).with_group(self.group)
        };
        let after = After {
            bias: inputs.get(2).map(numbers),
            relu: self.relu,
            ..After::default()
        };
        let (y, images) = forward(&filters, after, x);
        let saved = keep.then(|| Learnt {
            filters: Arc::new(filters),
            shape: weight.shape(),
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
            shape,
            x,
            images,
            gate,
        }: Learnt,
        dy: FlexTensor,
        wanted: [bool; N],
    ) -> [Option<FlexTensor>; N] {
        let dy = contiguous(dy);
        let [output, _] = filters.channels();
        let [_, _, rows, columns] = dims::<4>(&dy);
        let open = gate.as_ref().map(numbers);
        std::array::from_fn(|at| {
            wanted[at].then(|| match at {
                0 => input_gradient(&filters, gate.as_ref(), images, &dy),
                1 => {
                    let mut dw = Buffer::new(shape.num_elements());
                    let to = dw.as_floats_mut();
                    filters.weight_gradient(numbers(&x), numbers(&dy), open, images, to);
                    dw.into_tensor(shape.clone())
                }
                _ => Buffer::filled([output], |db| {
                    bias_gradient(numbers(&dy), open, rows * columns, db);
                }),
            })
        })
    }
}
