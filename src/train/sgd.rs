use crate::kernel::add_scaled;
use burn::optim::{LearningRate, ModuleOptimizer, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

/// Stochastic gradient descent exactly as PyTorch's `torch.optim.SGD(momentum, weight_decay)`.
///
/// With gradient *g*, weights *w*, velocity *v* (first *v = g*): *g ← g + decay·w*,
/// *v ← momentum·v + g*, *w ← w − rate·v*. Decay applies to every parameter, biases and
/// normalisation included.
///
/// Burn's `SgdConfig` without dampening gives the same weights, bit for bit, and the same records of its
/// state; here a step is a pass over memory for each of the three lines.
pub fn sgd(momentum: f64, weight_decay: f64) -> ModuleOptimizer {
    ModuleOptimizer::from(Sgd {
        momentum,
        weight_decay,
    })
}

#[derive(Clone)]
struct Sgd {
    momentum: f64,
    weight_decay: f64,
}

impl Optimizer for Sgd {
    type State<const D: usize> = Velocity<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        weights: Tensor<D>,
        mut gradient: Tensor<D>,
        state: Option<Velocity<D>>,
    ) -> (Tensor<D>, Option<Velocity<D>>) {
        if self.weight_decay > 0.0 {
            gradient = add_scaled(gradient, weights.clone(), self.weight_decay);
        }
        let momentum = self.momentum;
        let velocity = match state.and_then(|state| state.0).filter(|_| momentum > 0.0) {
            Some(velocity) => add_scaled(gradient, velocity, momentum),
            None => gradient,
        };
        let weights = add_scaled(weights, velocity.clone(), -rate);
        (
            weights,
            Some(Velocity((momentum > 0.0).then_some(velocity))),
        )
    }

    fn to_device<const D: usize>(state: Velocity<D>, device: &Device) -> Velocity<D> {
        Velocity(state.0.map(|velocity| velocity.to_device(device)))
    }
}

/// The velocity, if there is momentum.
#[derive(Clone)]
struct Velocity<const D: usize>(Option<Tensor<D>>);

// Where Burn's own optimiser has it.
const MOMENTUM: &str = "momentum";
const VELOCITY: &str = "velocity";

fn place(prefix: &str) -> String {
    burn::optim::join_path(prefix, MOMENTUM)
}

impl<const D: usize> RecordState for Velocity<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        if let Some(velocity) = &self.0 {
            out.push_tensor(&place(prefix), VELOCITY, velocity.to_data());
        }
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, device: &Device) -> Option<Self> {
        let found = src.take_tensor(&place(prefix), VELOCITY);
        Some(Self(found.map(|data| Tensor::from_data(data, device))))
    }
}
