//! The kernels of batch normalisation as operations of Flex.

use crate::kernel::cpu::Isa;
use crate::kernel::cpu::batch_norm::{self as cpu, Channel, Pull, Slope};
use crate::kernel::cpu::strand::{Batch, Planes, Strand};
use crate::kernel::flex::buffer::Buffer;
use crate::kernel::flex::{Kernel, contiguous, dims, numbers};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex};
use burn_flex::FlexTensor;
use std::sync::{Arc, OnceLock};

/// By given scale, shift, mean and variance, `[4, channel]`.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub epsilon: f64,
    pub relu: bool,
}

/// By scale and shift `[2, channel]` and the batch's own mean and variance, plus what is beside if there is a
/// third input.
#[derive(Clone, Debug)]
pub(super) struct Own {
    pub epsilon: f64,
    pub relu: bool,
    /// Mean and variance of each channel, once the forward pass has found them.
    pub found: Arc<OnceLock<Vec<[f32; 2]>>>,
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

fn deviation(variance: f32, epsilon: f64) -> f32 {
    f32::sqrt(variance + epsilon as f32)
}

impl Saved {
    fn new(x: FlexTensor, channels: Vec<Channel>, relu: bool, y: &FlexTensor) -> Self {
        Self {
            x,
            channels,
            gate: relu.then(|| y.clone()),
        }
    }

    fn slope<'a>(&'a self, dy: &'a FlexTensor) -> Slope<'a> {
        Slope {
            dy: numbers(dy),
            gate: self.gate.as_ref().map(numbers),
        }
    }
}

fn batch(tensor: &FlexTensor) -> Batch {
    let [images, channels, height, width] = dims(tensor);
    Batch {
        images,
        channels,
        area: height * width,
    }
}

impl Kernel<2> for Given {
    type Saved = Saved;

    fn forward(&self, [x, given]: [FlexTensor; 2], keep: bool) -> (FlexTensor, Option<Saved>) {
        let (x, given) = (contiguous(x), contiguous(given));
        let shape @ [_, count, height, width] = dims(&x);
        let given = numbers(&given);
        let channel = |at: usize| Channel {
            scale: given[at],
            shift: given[count + at],
            mean: given[2 * count + at],
            deviation: deviation(given[3 * count + at], self.epsilon),
        };
        let channels: Vec<Channel> = (0..count).map(channel).collect();
        let y = Buffer::filled(shape, |y| {
            let by = (channels.as_slice(), height * width);
            cpu::normalise(Isa::detect(), numbers(&x), by, self.relu, y);
        });
        let saved = keep.then(|| Saved::new(x, channels, self.relu, &y));
        (y, saved)
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

// Each channel is done with before the next, so that memory is read once and the cache for the rest.
impl<const N: usize> Kernel<N> for Own {
    type Saved = Saved;

    fn forward(&self, inputs: [FlexTensor; N], keep: bool) -> (FlexTensor, Option<Saved>) {
        let inputs = inputs.map(contiguous);
        let (x, affine) = (numbers(&inputs[0]), numbers(&inputs[1]));
        let beside = inputs.get(2).map(numbers);
        let (batch, isa) = (batch(&inputs[0]), Isa::detect());
        let normalised = |strand: Strand, [mut y]: [Planes; 1]| {
            let row = [1, strand.len()];
            let mean = single(self::mean::<Flex>(Buffer::filled(row, |row| {
                cpu::values(x, strand, row);
            })));
            let variance = single(self::mean::<Flex>(Buffer::filled(row, |row| {
                cpu::squares(isa, x, strand, mean, row);
            })));
            let channel = Channel {
                mean,
                deviation: deviation(variance, self.epsilon),
                scale: affine[strand.channel()],
                shift: affine[batch.channels + strand.channel()],
            };
            cpu::normalise_channel(isa, x, channel, beside, self.relu, &mut y);
            (channel, [mean, variance])
        };
        let mut made = Vec::new();
        let y = Buffer::filled(dims::<4>(&inputs[0]), |y| {
            made = batch.each([y], normalised);
        });
        let (channels, found) = made.into_iter().unzip();
        self.found.set(found).expect("it is run once");
        let saved = keep.then(|| Saved::new(inputs[0].clone(), channels, self.relu, &y));
        (y, saved)
    }

    fn backward(&self, saved: Saved, dy: FlexTensor, _: [bool; N]) -> [Option<FlexTensor>; N] {
        let dy = contiguous(dy);
        let (batch, isa, x) = (batch(&dy), Isa::detect(), numbers(&saved.x));
        let slope = saved.slope(&dy);
        // What is beside gets the gradient behind relu, which is of this channel's row.
        let opened = N > 2 && saved.gate.is_some();
        let pulled = |strand: Strand, dx: &mut Planes, open: Option<&mut Planes>| {
            let channel = saved.channels[strand.channel()];
            let row = [1, strand.len()];
            let inverse = channel.deviation.recip();
            let plain = Buffer::filled(row, |row| cpu::slopes(isa, slope, strand, row));
            let slopes = numbers(&plain);
            let weighted = Buffer::filled(row, |row| {
                cpu::weigh(isa, x, strand, slopes, [channel.mean, inverse], row);
            });
            let sums = [plain.clone(), weighted].map(|row| single(sum::<Flex>(row)));
            let [lift, tilt] = sums.map(|sum| sum / strand.len() as f32);
            let pull = Pull {
                mean: channel.mean,
                inverse,
                factor: channel.scale * inverse,
                lift,
                tilt,
            };
            cpu::gradient(isa, x, slopes, pull, dx);
            if let Some(open) = open {
                open.fill(|_, in_row, open| open.copy_from_slice(&slopes[in_row]));
            }
            sums
        };
        let (mut sums, mut open) = (Vec::new(), None);
        let dx = Buffer::filled(dims::<4>(&dy), |dx| {
            if opened {
                open = Some(Buffer::filled(dims::<4>(&dy), |open| {
                    sums = batch.each([dx, open], |strand, [mut dx, mut open]| {
                        pulled(strand, &mut dx, Some(&mut open))
                    });
                }));
            } else {
                sums = batch.each([dx], |strand, [mut dx]| pulled(strand, &mut dx, None));
            }
        });
        let affine = Buffer::filled([2, batch.channels], |made| {
            for (at, &[shift, scale]) in sums.iter().enumerate() {
                made[at] = scale;
                made[batch.channels + at] = shift;
            }
        });
        let mut made = [Some(dx), Some(affine), Some(open.unwrap_or(dy))].into_iter();
        std::array::from_fn(|_| made.next().flatten())
    }
}
