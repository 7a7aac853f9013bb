//! Where a step rule is asked.

use burn::tensor::Tensor;
use fireproof::attack::{Ascent, Here, Keep, Space, StepRule, Trial};
use fireproof::base::read;

struct Watched<R> {
    rule: R,
    points: Vec<Vec<f64>>,
}

impl<R: StepRule> StepRule for Watched<R> {
    fn next(&mut self, space: &dyn Space, trial: &Trial, here: Here) -> Tensor<2> {
        self.points.push(read(&here.point));
        self.rule.next(space, trial, here)
    }
}

/// Climbs from a start by a rule, and returns the points of all images at each of its steps.
pub fn climbed(
    trial: &mut Trial,
    space: &dyn Space,
    rule: impl StepRule,
    steps: usize,
    start: Tensor<2>,
) -> Vec<Vec<f64>> {
    let ascent = Ascent {
        space,
        loss: None,
        steps,
        keep: Keep::Best,
    };
    let points = Vec::new();
    let mut watched = Watched { rule, points };
    ascent.climb(trial, start, &mut watched).unwrap();
    watched.points
}
