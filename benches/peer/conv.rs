//! Convolutions and their gradients, one layer at a time, and the matrix product.

use crate::data::{device, fill, weight};
use crate::{Case, Outcome, Run, timed};
use burn::tensor::{Gradients, Tensor};
use fireproof::group::Group;
use fireproof::nn::{Conv2dConfig, GroupConv2dConfig};

/// The product of two square matrices: what a processor can do.
pub fn matmul(case: &Case) -> Run {
    let [a, b] = [3, 4].map(|salt| fill([case.side; 2], salt, -1.0, 1.0));
    Box::new(move |_| {
        let (seconds, value) = timed(|| a.clone().matmul(b.clone()));
        outcome(seconds, value)
    })
}

/// An ordinary 3×3 convolution.
pub fn conv(case: &Case) -> Run {
    let [input, output] = case.channels;
    let layer = Conv2dConfig::new([input, output], 3)
        .with_padding(case.padding)
        .with_bias(false);
    let filters = weight([output, input, 3, 3], 5, 9 * input);
    let x = fill([case.batch, input, case.side, case.side], 3, -1.0, 1.0);
    if case.pass != "weight" {
        let layer = layer.init(&device()).with_weight(filters);
        return pass(case, x, move |x| layer.forward(x));
    }
    let device = device().autodiff();
    let layer = layer
        .init(&device)
        .with_weight(Tensor::from_inner(filters).require_grad());
    let x = Tensor::from_inner(x);
    let mut backward = Backward::new();
    Box::new(move |check| {
        let (seconds, gradients) = backward.run(&layer.forward(x.clone()), check);
        let gradient = layer.weight().grad(&gradients);
        outcome(seconds, gradient.expect("a weight with a gradient"))
    })
}

/// A 3×3 group convolution, or the ordinary one of the same size with its expanded filters.
pub fn group_conv(case: &Case) -> Run {
    let group = match case.group.as_str() {
        "p4" => Group::P4,
        "p4m" => Group::P4m,
        other => panic!("unknown group: {other}"),
    };
    let ([input, output], size) = (case.channels, group.size());
    let (batch, side) = (case.batch, case.side);
    let filters = weight([output, input, size, 3, 3], 5, 9 * input * size);
    let layer = GroupConv2dConfig::new(group, [input, output], 3)
        .with_padding(case.padding)
        .with_bias(false)
        .init(&device())
        .with_weight(filters);
    let x = fill([batch, input * size, side, side], 3, -1.0, 1.0);
    if case.layer == "group" {
        return pass(case, x, move |x| {
            layer
                .forward(x.reshape([batch, input, size, side, side]))
                .flatten(1, 2)
        });
    }
    let plain = Conv2dConfig::new([input * size, output * size], 3)
        .with_padding(case.padding)
        .with_bias(false)
        .init(&device())
        .with_weight(layer.to_conv2d().weight.val());
    pass(case, x, move |x| plain.forward(x))
}

/// The forward pass of `layer` at `x`, or its gradient in `x`.
pub fn pass(
    case: &Case,
    x: Tensor<4>,
    layer: impl Fn(Tensor<4>) -> Tensor<4> + Send + 'static,
) -> Run {
    if case.pass == "forward" {
        return Box::new(move |_| {
            let (seconds, value) = timed(|| layer(x.clone()));
            outcome(seconds, value)
        });
    }
    let mut backward = Backward::new();
    Box::new(move |check| {
        let x = Tensor::from_inner(x.clone()).require_grad();
        let (seconds, gradients) = backward.run(&layer(x.clone()), check);
        outcome(seconds, x.grad(&gradients).expect("x has a gradient"))
    })
}

/// Backward passes of outputs whose forward passes are not timed.
///
/// Where values are compared, the gradient coming in is one that looks random. Where time is
/// measured it is the ones that Burn starts from, and the shortest time that making them took is
/// taken off: the product and the sum that bring in another gradient would cost as much as a fast
/// kernel.
pub struct Backward {
    ones: f64,
}

impl Backward {
    /// Nothing measured yet.
    pub fn new() -> Self {
        Self { ones: f64::MAX }
    }

    /// The backward pass of `output`.
    pub fn run(&mut self, output: &Tensor<4>, check: bool) -> (f64, Gradients) {
        let shape = output.dims();
        if check {
            let incoming = Tensor::from_inner(fill(shape, 4, -1.0, 1.0));
            return timed(|| (output.clone() * incoming).sum().backward());
        }
        // Twice, so that the second meets memory just used, as those of the backward pass then do.
        for _ in 0..2 {
            let (ones, _) = timed(|| Tensor::<4>::ones(shape, &device()));
            self.ones = self.ones.min(ones);
        }
        let (seconds, gradients) = timed(|| output.backward());
        ((seconds - self.ones).max(1e-9), gradients)
    }
}

/// The outcome with this result, of whatever shape.
pub fn outcome<const D: usize>(seconds: f64, value: Tensor<D>) -> Outcome {
    let value = value.flatten(0, D - 1);
    Outcome { seconds, value }
}
