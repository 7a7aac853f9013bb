//! The kernels of batch normalisation as operations of Flex.

use crate::kernel::cpu::Isa;
use crate::kernel::cpu::batch_norm::{self as cpu, Channel, Pull, Slope};
use crate::kernel::cpu::elementwise::relu_gradient;
use crate::kernel::flex::buffer::Buffer;
use crate::kernel::flex::{Kernel, contiguous, dims, numbers};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex};
use burn_flex::FlexTensor;
use rayon::prelude::*;

/// Mean and variance of each channel, `[2, channel]`.
#[derive(Clone, Debug)]
pub(super) struct Measure;

/// By given scale, shift, mean and variance, `[4, channel]`.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub epsilon: f64,
    pub relu: bool,
}

/// By scale and shift `[2, channel]` and the batch's own mean and variance, `[2, channel]`, plus what is
/// beside if there is a fourth input.
#[derive(Clone, Debug)]
pub(super) struct Own {
    pub epsilon: f64,
    pub relu: bool,
}

/// What the backward pass needs.
#[derive(Clone, Debug)]
pub(super) struct Saved {
    x: FlexTensor,
    channels: Vec<Channel>,
    gate: Option<FlexTensor>,
}

// Sums go through Burn's own, whose order is theirs alone.
fn sum<B: Backend>(row: FloatTensor<B>) -> FloatTensor<B> {
    B::float_sum_dim(row, 1)
}

fn mean<B: Backend>(row: FloatTensor<B>) -> FloatTensor<B> {
    B::float_mean_dim(row, 1)
}

fn single(tensor: FlexTensor) -> f32 {
    numbers(&contiguous(tensor))[0]
}

// By scale and shift, and mean and variance, of all channels.
fn channels(epsilon: f64, affine: &[f32], found: &[f32]) -> Vec<Channel> {
    let count = affine.len() / 2;
    let channel = |at: usize| Channel {
        scale: affine[at],
        shift: affine[count + at],
        mean: found[at],
        deviation: f32::sqrt(found[count + at] + epsilon as f32),
    };
    (0..count).map(channel).collect()
}

fn normalise(
    x: FlexTensor,
    channels: Vec<Channel>,
    beside: Option<&FlexTensor>,
    relu: bool,
    keep: bool,
) -> (FlexTensor, Option<Saved>) {
    let x = contiguous(x);
    let shape @ [_, _, height, width] = dims(&x);
    let y = Buffer::filled(shape, |y| {
        cpu::normalise(
            Isa::detect(),
            numbers(&x),
            (&channels, height * width),
            beside.map(numbers),
            relu,
            y,
        );
    });
    let saved = keep.then(|| Saved {
        x,
        channels,
        gate: relu.then(|| y.clone()),
    });
    (y, saved)
}

impl Saved {
    fn slope<'a>(&'a self, dy: &'a FlexTensor) -> Slope<'a> {
        Slope {
            dy: numbers(dy),
            gate: self.gate.as_ref().map(numbers),
        }
    }
}

impl Kernel<1> for Measure {
    type Saved = ();

    fn forward(&self, [x]: [FlexTensor; 1], keep: bool) -> (FlexTensor, Option<()>) {
        let x = contiguous(x);
        let [batch, channels, height, width] = dims(&x);
        let (area, isa) = (height * width, Isa::detect());
        let found: Vec<[f32; 2]> = (0..channels)
            .into_par_iter()
            .map(|channel| {
                let mut centred = Buffer::new(batch * area);
                let values = Buffer::filled([1, batch * area], |row| {
                    cpu::gather(numbers(&x), channel, channels, area, row);
                    centred.as_floats_mut().copy_from_slice(row);
                });
                let centre = single(mean::<Flex>(values));
                cpu::squares(isa, centred.as_floats_mut(), centre);
                [
                    centre,
                    single(mean::<Flex>(centred.into_tensor([1, batch * area]))),
                ]
            })
            .collect();
        let found = Buffer::filled([2, channels], |made| {
            for (channel, &[mean, variance]) in found.iter().enumerate() {
                made[channel] = mean;
                made[channels + channel] = variance;
            }
        });
        (found, keep.then_some(()))
    }

    fn backward(&self, (): (), _: FlexTensor, _: [bool; 1]) -> [Option<FlexTensor>; 1] {
        unreachable!("it is run on tensors that are not tracked")
    }
}

impl Kernel<2> for Given {
    type Saved = Saved;

    fn forward(&self, [x, given]: [FlexTensor; 2], keep: bool) -> (FlexTensor, Option<Saved>) {
        let given = contiguous(given);
        let (affine, found) = numbers(&given).split_at(numbers(&given).len() / 2);
        let channels = channels(self.epsilon, affine, found);
        normalise(x, channels, None, self.relu, keep)
    }

    fn backward(&self, saved: Saved, dy: FlexTensor, _: [bool; 2]) -> [Option<FlexTensor>; 2] {
        let dy = contiguous(dy);
        let shape @ [_, _, height, width] = dims(&dy);
        let scales = saved.channels.iter();
        let scales: Vec<[f32; 2]> = scales.map(|c| [c.scale, c.deviation.recip()]).collect();
        let dx = Buffer::filled(shape, |dx| {
            let slope = saved.slope(&dy);
            cpu::gradient_by_given(Isa::detect(), slope, &scales, height * width, dx);
        });
        [Some(dx), None]
    }
}

impl<const N: usize> Kernel<N> for Own {
    type Saved = Saved;

    fn forward(&self, inputs: [FlexTensor; N], keep: bool) -> (FlexTensor, Option<Saved>) {
        let inputs = inputs.map(contiguous);
        let (affine, found) = (numbers(&inputs[1]), numbers(&inputs[2]));
        let channels = channels(self.epsilon, affine, found);
        normalise(inputs[0].clone(), channels, inputs.get(3), self.relu, keep)
    }

    fn backward(&self, mut saved: Saved, dy: FlexTensor, _: [bool; N]) -> [Option<FlexTensor>; N] {
        let mut dy = contiguous(dy);
        if N > 3
            && let Some(gate) = saved.gate.take()
        {
            // What is beside gets it as well.
            dy = Buffer::filled(dims::<4>(&dy), |open| {
                relu_gradient(Isa::detect(), numbers(&dy), numbers(&gate), open);
            });
        }
        let shape @ [batch, count, height, width] = dims(&dy);
        let (area, isa, x) = (height * width, Isa::detect(), numbers(&saved.x));
        let slope = saved.slope(&dy);
        let sums = |(at, channel): (usize, &Channel)| {
            let inverse = channel.deviation.recip();
            let length = batch * area;
            let mut weighted = Buffer::new(length);
            let plain = Buffer::filled([1, length], |plain| {
                let rows = [plain, weighted.as_floats_mut()];
                let by = [channel.mean, inverse];
                cpu::gather_slope(isa, x, slope, [at, count, area], by, rows);
            });
            [plain, weighted.into_tensor([1, length])].map(|row| single(sum::<Flex>(row)))
        };
        let sums: Vec<[f32; 2]> = (saved.channels.par_iter().enumerate().map(sums)).collect();
        let length = (batch * area) as f32;
        let pull = |(channel, [plain, weighted]): (&Channel, &[f32; 2])| {
            let inverse = channel.deviation.recip();
            Pull {
                mean: channel.mean,
                inverse,
                factor: channel.scale * inverse,
                lift: plain / length,
                tilt: weighted / length,
            }
        };
        let pulls: Vec<Pull> = saved.channels.iter().zip(&sums).map(pull).collect();
        let dx = Buffer::filled(shape, |dx| cpu::gradient(isa, x, slope, &pulls, area, dx));
        let affine = Buffer::filled([2, count], |made| {
            for (at, &[shift, scale]) in sums.iter().enumerate() {
                made[at] = scale;
                made[count + at] = shift;
            }
        });
        let mut made = [Some(dx), Some(affine), None, Some(dy)].into_iter();
        std::array::from_fn(|_| made.next().flatten())
    }
}
