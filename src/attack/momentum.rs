use super::{Here, Space, StepRule, Trial};
use burn::tensor::Tensor;

/// Steps of one length along a decaying sum of all gradients so far, each in proportion to its mean
/// magnitude.
///
/// (Y. Dong et al. 2018, "Boosting Adversarial Attacks with Momentum", algorithm 1.)
#[derive(Clone, Debug)]
pub struct Momentum {
    length: f64,
    decay: f64,
    sum: Option<Tensor<2>>,
}

impl Momentum {
    /// Steps of this length; `decay` is what remains of the sum from step to step, published as 1.
    pub fn new(length: f64, decay: f64) -> Self {
        Self {
            length,
            decay,
            sum: None,
        }
    }
}

impl StepRule for Momentum {
    fn next(&mut self, space: &dyn Space, trial: &Trial, here: Here) -> Tensor<2> {
        let gradient = here.pass.gradient.clone();
        let size = gradient.clone().abs().mean_dim(1);
        let nothing = size.clone().equal_elem(0.0);
        let gradient = gradient / size.mask_fill(nothing, 1.0);
        let sum = match self.sum.take() {
            Some(sum) => sum * self.decay + gradient,
            None => gradient,
        };
        self.sum = Some(sum.clone());
        space.step(trial, here.point, sum, self.length)
    }
}
