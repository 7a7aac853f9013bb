use super::Pass;
use super::rows::{either, rows_of_second};
use burn::tensor::{Int, Tensor};

/// The point with the highest loss that each image has seen, for rules that go back to it.
#[derive(Clone, Debug)]
pub(super) struct BestPoint {
    pub point: Tensor<2>,
    pub gradient: Tensor<2>,
    pub loss: Tensor<1>,
}

impl BestPoint {
    /// The first point, with its pass.
    pub fn new(point: &Tensor<2>, pass: &Pass) -> Self {
        Self {
            point: point.clone(),
            gradient: pass.gradient.clone(),
            loss: pass.loss.clone(),
        }
    }

    /// Takes over the points whose loss is higher.
    pub fn meet(&mut self, point: &Tensor<2>, pass: &Pass) {
        let risen = rows_of_second(&pass.loss.clone().greater(self.loss.clone()));
        self.point = either([self.point.clone(), point.clone()], &risen);
        self.gradient = either([self.gradient.clone(), pass.gradient.clone()], &risen);
        self.loss = self.loss.clone().max_pair(pass.loss.clone());
    }

    /// Points and gradients with those of the best points in these rows, as `either` takes them.
    pub fn in_place_of(
        &self,
        point: Tensor<2>,
        gradient: Tensor<2>,
        rows: &Tensor<1, Int>,
    ) -> [Tensor<2>; 2] {
        [(point, &self.point), (gradient, &self.gradient)]
            .map(|(here, best)| either([here, best.clone()], rows))
    }
}
