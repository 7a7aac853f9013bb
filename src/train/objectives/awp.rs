use super::Trades;
use super::alike::{as_of, in_two_halves};
use crate::base::{Error, Result};
use crate::train::{Crafted, Objective, ObjectiveSpec, StagedBatch, Step, Student, Weight};
use burn::tensor::Tensor;
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// Adversarial weight perturbation: another objective, with its gradients taken where the weights are worst in
/// a small region around them (D. Wu, S.-T. Xia, Y. Wang 2020, "Adversarial Weight Perturbation Helps Robust
/// Generalization", equations 7 to 11).
///
/// The objective crafts its images at the weights w. Then every tensor of weights with more than one axis moves
/// along the gradient of the objective's loss, γ times its own length far: v = γ·‖w‖·g/‖g‖. The step's gradients are those
/// of the objective at w + v, on the same images, for the optimiser of w: the weights themselves never move, so
/// nothing has to be taken back. (The published code moves them, updates, and subtracts v; its weight decay is
/// that of w + v, here it is that of w.) The pass that gives g leaves batch norm's running statistics alone, the one
/// at w + v updates them, as published. One ascent step, as published.
///
/// It costs once more the training passes of the objective, but not its attack. An objective of one's own that
/// crafts nothing attacks twice, the second time at w + v; see [`Objective::craft`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct Awp {
    /// The objective.
    #[setters(into)]
    pub of: ObjectiveSpec,
    /// How far weights move, in units of their length; published as 0.01, and 0.005 with TRADES.
    #[serde(default = "published_gamma")]
    pub gamma: f64,
    /// Epochs before they move.
    #[serde(default)]
    pub warmup: usize,
}

fn published_gamma() -> f64 {
    0.01
}

impl Awp {
    /// The objective with perturbed weights, γ = 0.01 from the first epoch on.
    pub fn new(of: impl Into<ObjectiveSpec>) -> Self {
        Self {
            of: of.into(),
            gamma: published_gamma(),
            warmup: 0,
        }
    }

    /// TRADES with perturbed weights, γ = 0.005 after 10 epochs, as published for trainings of 120.
    pub fn trades(beta: f64) -> Self {
        Self::new(Trades::new(beta))
            .with_gamma(0.005)
            .with_warmup(10)
    }

    // Where a tensor goes that has this gradient.
    fn moved(&self, weight: Weight, gradient: Option<Tensor<1>>) -> Tensor<1> {
        let values = weight.values;
        match gradient {
            Some(gradient) if weight.learnt && weight.shape.len() > 1 => {
                let direction = gradient.clone() / length(gradient).clamp_min(SMALLEST);
                values.clone() + direction * length(values) * self.gamma
            }
            _ => values,
        }
    }
}

// So that a gradient of zeros goes nowhere.
const SMALLEST: f64 = 1e-20;

fn length(values: Tensor<1>) -> Tensor<1> {
    values.square().sum().sqrt()
}

impl Objective for Awp {
    in_two_halves!();

    fn learn(
        &self,
        student: &dyn Student,
        staged: &StagedBatch,
        crafted: &Crafted,
    ) -> Result<Step> {
        if self.gamma == 0.0 || staged.epoch <= self.warmup {
            return self.of.learn(student, staged, crafted);
        }
        let apart = student.apart();
        let up = self.of.learn(&*apart, staged, crafted)?.gradients;
        let gradients = student.flat_gradients(&up);
        let weights = student.weights().into_iter().zip(gradients);
        let moved = weights.map(|(weight, gradient)| self.moved(weight, gradient));
        let moved = student.moved(moved.collect());
        self.of.learn(&*moved, staged, crafted)
    }

    /// # Errors
    ///
    /// [`Error::Setting`] for a γ that is negative or not finite, and for an objective that makes no
    /// sense.
    fn check(&self) -> Result<()> {
        let gamma = self.gamma;
        let valid = gamma.is_finite() && gamma >= 0.0;
        Error::unless(valid, "gamma", gamma, "a finite number, 0 or more")?;
        self.of.check().map_err(|error| error.within("of"))
    }

    fn begin(&self, student: &dyn Student) -> Vec<Tensor<1>> {
        self.of.begin(student)
    }

    fn after_update(
        &self,
        student: &mut dyn Student,
        memory: &mut [Tensor<1>],
        epoch: usize,
    ) -> Result<()> {
        self.of.after_update(student, memory, epoch)
    }

    fn judged(&self, student: &dyn Student, memory: &[Tensor<1>]) -> Option<Vec<Tensor<1>>> {
        self.of.judged(student, memory)
    }

    as_of!("awp");
}
