use super::best_point::BestPoint;
use super::rows::rows_of_second;
use super::{Here, Space, StepRule, Trial};
use burn::tensor::{Bool, Tensor};

/// Steps with momentum whose length each image halves for itself when its loss no longer rises, and
/// then goes back to its best point: the rule of [`Apgd`](super::Apgd).
///
/// (F. Croce, M. Hein 2020, "Reliable evaluation of adversarial robustness with an ensemble of
/// diverse parameter-free attacks", section 3 and algorithm 1.)
#[derive(Clone, Debug)]
pub struct AdaptiveStep {
    checkpoints: Vec<usize>,
    first_length: f64,
    // Known from the first pass on.
    state: Option<State>,
}

// Tensors of a row per image.
#[derive(Clone, Debug)]
struct State {
    length: Tensor<2>,
    before: Tensor<2>,
    best: BestPoint,
    highest_at_checkpoint: Tensor<1>,
    // Whether the length was halved at the last checkpoint.
    halved: Tensor<1, Bool>,
    last_checkpoint: usize,
}

/// Share of steps between checkpoints that have to raise the loss.
const RISING: f64 = 0.75;

/// Share of a step that is not momentum.
const FORWARD: f64 = 0.75;

impl AdaptiveStep {
    /// The rule for so many steps in a ball of this radius: the first ones are twice as long.
    pub fn new(steps: usize, epsilon: f64) -> Self {
        Self {
            checkpoints: checkpoints(steps),
            first_length: 2.0 * epsilon,
            state: None,
        }
    }
}

// The steps before which an image may halve its length: after 22 % of all, then after gaps that
// shrink by 3 % of all each, to 6 %.
fn checkpoints(steps: usize) -> Vec<usize> {
    let part = |percent: usize| (steps * percent / 100).max(1);
    let (mut gap, shrink, least) = (part(22), part(3), part(6));
    let mut checkpoints = Vec::new();
    let mut at = gap;
    while at < steps {
        checkpoints.push(at);
        gap = gap.saturating_sub(shrink).max(least);
        at += gap;
    }
    checkpoints
}

impl StepRule for AdaptiveStep {
    fn next(&mut self, space: &dyn Space, trial: &Trial, here: Here) -> Tensor<2> {
        let Here {
            point,
            pass,
            losses,
            step,
        } = here;
        let Some(state) = &mut self.state else {
            let images = point.dims()[0];
            let like = (&point.device(), point.dtype());
            self.state = Some(State {
                length: Tensor::full([images, 1], self.first_length, like),
                before: point.clone(),
                best: BestPoint::new(&point, pass),
                highest_at_checkpoint: pass.loss.clone(),
                halved: Tensor::<1>::ones([images], &point.device()).greater_elem(0.5),
                last_checkpoint: 0,
            });
            return space.step(trial, point, pass.gradient.clone(), self.first_length);
        };
        state.best.meet(&point, pass);
        let (mut point, mut gradient) = (point, pass.gradient.clone());
        if self.checkpoints.contains(&step) {
            let tired = state.tired(losses, step);
            let length = state.length.clone();
            let half = tired.clone().unsqueeze_dim::<2>(1);
            state.length = length.clone().mask_where(half, length / 2.0);
            let tired = rows_of_second(&tired);
            [point, gradient] = state.best.in_place_of(point, gradient, &tired);
        }
        let step = space.steepest(trial, gradient, 1.0) * state.length.clone();
        let ahead = space.project(trial, point.clone() + step);
        let momentum = point.clone() - state.before.clone();
        state.before = point.clone();
        let next = point.clone() + (ahead - point) * FORWARD + momentum * (1.0 - FORWARD);
        space.project(trial, next)
    }
}

impl State {
    // Which images halve their length at this checkpoint: those whose loss has risen in too few
    // steps since the last one, and those that had no better point since without having halved.
    fn tired(&mut self, losses: &[Tensor<1>], step: usize) -> Tensor<1, Bool> {
        let since = self.last_checkpoint..step;
        let most = RISING * since.len() as f64;
        let rises = since.map(|at| (losses[at + 1].clone().greater(losses[at].clone())).float());
        let rises = rises.reduce(|sum, rises| sum + rises).expect("steps since");
        let still = self.highest_at_checkpoint.clone();
        let still = still.greater_equal(self.best.loss.clone());
        let tired =
            (rises.lower_equal_elem(most)).bool_or(still.bool_and(self.halved.clone().bool_not()));
        self.halved = tired.clone();
        self.highest_at_checkpoint = self.best.loss.clone();
        self.last_checkpoint = step;
        tired
    }
}

#[cfg(test)]
mod tests {
    use super::checkpoints;

    #[test]
    fn value_checkpoints_as_published() {
        // Of 100 steps: 22, then gaps of 19, 16, 13, 10, 7 and 6.
        assert_eq!(checkpoints(100), [22, 41, 57, 70, 80, 87, 93, 99]);
        assert_eq!(checkpoints(10), [2, 3, 4, 5, 6, 7, 8, 9]);
        assert!(checkpoints(1).is_empty());
    }
}
