//! What an attack meets on its way.

use crate::attack::goal::{fooled, predicted_classes};
use crate::attack::rows::select;
use crate::attack::{Ball, LossSpec, Reference};
use crate::base::{Batch, Precision, indices, read, widened};
use burn::tensor::Tensor;
use std::collections::HashMap;
use std::mem::take;
use std::sync::{Mutex, PoisonError};

/// Takes down the passes of an attack: the loss of each image, and whether it was fooled, at every
/// point in the ball.
pub(super) struct Recorder {
    batch: Batch,
    places: HashMap<u64, usize>,
    reference: Reference,
    loss: LossSpec,
    ball: Option<Ball>,
    passes: Mutex<Vec<Passed>>,
}

struct Passed {
    positions: Vec<usize>,
    // Losses, then 1 for fooled `[2 · positions]`.
    numbers: Tensor<1>,
}

/// What one part of an attack met, for each image of the batch.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    pub losses: Vec<Vec<f32>>,
    pub met_fooling: Vec<bool>,
}

// Stands for a point that does not count. A finite number, as shaders may assume that all are.
const OUTSIDE: f32 = f32::MIN;

// So many passes are brought over at once.
const TOGETHER: usize = 64;

impl Recorder {
    pub fn new(batch: &Batch, reference: Reference, loss: LossSpec, ball: Option<Ball>) -> Self {
        let places = batch.ids.iter().enumerate().map(|(at, &id)| (id, at));
        Self {
            places: places.collect(),
            batch: batch.clone(),
            reference,
            loss,
            ball,
            passes: Mutex::default(),
        }
    }

    pub fn record(&self, images: Tensor<4>, ids: &[u64], logits: Tensor<2>) {
        let place = |id| self.places.get(id).copied();
        let Some(positions) = ids.iter().map(place).collect::<Option<Vec<usize>>>() else {
            return;
        };
        let at = indices(positions.iter().copied(), &images.device());
        let reference = self.reference.select(&at);
        let loss = widened(self.loss.unsaturated(logits.clone(), &reference));
        let lost = loss.clone().is_nan();
        let mut loss = loss.mask_fill(lost, 0.0);
        let mut fooled = fooled(predicted_classes(logits), &reference).float();
        if let Some(Ball { norm, epsilon }) = &self.ball {
            let originals = select(&self.batch.images, &positions);
            let precision = Precision::of_type(images.dtype()).map_or(0.0, Precision::epsilon);
            let lengths = norm.lengths(widened(images) - widened(originals.inner()));
            let outside = lengths.greater_elem(epsilon * (1.0 + 1e-5) + precision);
            loss = loss.mask_fill(outside.clone(), OUTSIDE);
            fooled = fooled.mask_fill(outside, 0.0);
        }
        let numbers = Tensor::cat(vec![loss.clone(), fooled.cast(loss.dtype())], 0);
        let mut passes = self.passes.lock().unwrap_or_else(PoisonError::into_inner);
        passes.push(Passed { positions, numbers });
    }

    /// What was taken down since the last time.
    pub fn take(&self) -> Trace {
        let passes = take(&mut *self.passes.lock().unwrap_or_else(PoisonError::into_inner));
        let mut trace = Trace {
            losses: vec![Vec::new(); self.batch.len()],
            met_fooling: vec![false; self.batch.len()],
        };
        for passes in passes.chunks(TOGETHER) {
            let numbers = passes.iter().map(|pass| pass.numbers.clone());
            let numbers: Vec<f32> = read(&Tensor::cat(numbers.collect(), 0));
            let mut numbers = &numbers[..];
            for Passed { positions, .. } in passes {
                let (these, others) = numbers.split_at(2 * positions.len());
                let (losses, fooled) = these.split_at(positions.len());
                for (index, &at) in positions.iter().enumerate() {
                    if losses[index] > OUTSIDE {
                        trace.losses[at].push(losses[index]);
                        trace.met_fooling[at] |= fooled[index] > 0.0;
                    }
                }
                numbers = others;
            }
        }
        trace
    }
}
