use super::best_point::BestPoint;
use super::norm::sparse_signs;
use super::rows::rows_of_second;
use super::{Here, Pass, Space, StepRule, Trial};
use burn::tensor::{Int, Tensor};

/// Steps in L1 on ever fewer pixels: the rule of [`Apgd`](super::Apgd) in that norm.
///
/// A step shares its length evenly among the pixels with the largest gradients: a fifth of all at
/// first. After every 4 % of the steps each image goes over to two thirds of the number of pixels
/// that its best point changes. Where that number has fallen by more than 5 % it goes back to its
/// best point with steps of length ε; else it goes on with steps shorter by a third, of ε/10 at least.
///
/// For points that are pixels. (F. Croce, M. Hein 2021, "Mind the box: l₁-APGD for sparse adversarial
/// attacks on image classifiers", section 3 and algorithm 1, with one radius all the way.)
#[derive(Clone, Debug)]
pub struct SparseStep {
    every: usize,
    epsilon: f64,
    // Known from the first pass on.
    state: Option<State>,
}

// Tensors of a row per image.
#[derive(Clone, Debug)]
struct State {
    length: Tensor<2>,
    // How many pixels share a step.
    sharing: Tensor<1, Int>,
    // How many pixels the best point changed at the last checkpoint.
    changed: Tensor<2>,
    best: BestPoint,
}

/// The part of the pixels that share the first steps.
const FIRST_SHARE: f64 = 0.2;

/// The part of the steps from checkpoint to checkpoint.
const EVERY: f64 = 0.04;

/// Of how many changed pixels one shares a step, and by what a length is divided.
const FACTOR: f64 = 1.5;

/// What is left of the changed pixels where they have become fewer.
const FEWER: f64 = 0.95;

/// The first length in units of the last.
const RANGE: f64 = 10.0;

impl SparseStep {
    /// The rule for so many steps in a ball of this radius: the first ones are as long.
    pub fn new(steps: usize, epsilon: f64) -> Self {
        Self {
            every: ((EVERY * steps as f64) as usize).max(1),
            epsilon,
            state: None,
        }
    }
}

impl StepRule for SparseStep {
    fn next(&mut self, space: &dyn Space, trial: &Trial, here: Here) -> Tensor<2> {
        let Here {
            mut point,
            pass,
            step,
            ..
        } = here;
        let mut gradient = pass.gradient.clone();
        let epsilon = self.epsilon;
        let state = self
            .state
            .get_or_insert_with(|| State::first(&point, pass, epsilon));
        state.best.meet(&point, pass);
        if step > 0 && step % self.every == 0 {
            let back = state.checkpoint(trial.originals().clone().flatten(1, 3), epsilon);
            [point, gradient] = state.best.in_place_of(point, gradient, &back);
        }
        let direction = sparse_signs(gradient, state.sharing.clone());
        space.project(trial, point + direction * state.length.clone())
    }
}

impl State {
    fn first(point: &Tensor<2>, pass: &Pass, epsilon: f64) -> Self {
        let [images, pixels] = point.dims();
        let like = (&point.device(), point.dtype());
        // Not in the points' type, which may count no further than to 256.
        let every = Tensor::<2>::full([images, 1], pixels as f64, &point.device());
        Self {
            length: Tensor::full([images, 1], epsilon, like),
            sharing: shared(every.clone() * FIRST_SHARE),
            changed: every,
            best: BestPoint::new(point, pass),
        }
    }

    // Takes stock of the best points; where they change fewer pixels, the steps go on from them: the
    // rows of these for `either`.
    fn checkpoint(&mut self, originals: Tensor<2>, epsilon: f64) -> Tensor<1, Int> {
        let moved = self.best.point.clone().not_equal(originals).float();
        let changed = moved.sum_dim(1);
        let fewer = changed.clone().lower(self.changed.clone() * FEWER);
        let shorter = (self.length.clone() / FACTOR).clamp_min(epsilon / RANGE);
        self.length = shorter.mask_fill(fewer.clone(), epsilon);
        self.sharing = shared(changed.clone() / FACTOR);
        self.changed = changed;
        rows_of_second(&fewer.squeeze_dim(1))
    }
}

// Of a number of pixels that need not be whole, how many share a step: one at least.
fn shared(pixels: Tensor<2>) -> Tensor<1, Int> {
    pixels.ceil().clamp_min(1.0).int().squeeze_dim(1)
}
