//! Every objective's loss and gradients against PyTorch's.
//!
//! Oracle: `make_objectives.py`, in float64, on the same weights, images and noise, batch norm included.

use crate::common::{On, values};
use burn::tensor::{Int, Tensor, TensorData};
use fireproof::attack::{
    Ascent, Attack, AttackSpec, Ball, Cost, FixedStep, Goal, Keep, Kl, L1, L2, Linf, LossSpec, Pgd,
    PixelSpace, Space, Trial,
};
use fireproof::base::{Batch, Bounds, Degrees, Pixels, Result, Seed};
use fireproof::curriculum::Stage;
use fireproof::group::Group;
use fireproof::model::{Cnn, CnnConfig, Widths};
use fireproof::train::{
    AverageOver, Awp, Crafted, Fat, Mart, MaxOver, MsdTraining, ObjectiveSpec, PgdTraining, PoseKl,
    StagedBatch, Student, Trades,
};
use serde_json::Value;
use std::fmt;

// Where a sign rounds differently on another device the attacked images are others.
on_this_device![value_objectives_are_pytorchs];

const IMAGES: u32 = 1_000_000;
const NOISE: u32 = 1_000_001;
const MOVED: u32 = 1_000_002;
const SHAPE: [usize; 4] = [6, 1, 20, 20];
const CLASSES: usize = 4;
const LAST_BIAS: [f32; CLASSES] = [-1.2, 0.0, 1.1, 2.1];

/// Numbers from `low` to `high` that look random: as `make_objectives.py` has them.
fn numbers(count: usize, salt: u32, low: f64, high: f64) -> Vec<f32> {
    let number = |at: u32| {
        let mut x = at.wrapping_add(salt.wrapping_mul(0x9e37_79b9));
        x = (x ^ (x >> 16)).wrapping_mul(0x85eb_ca6b);
        x = (x ^ (x >> 13)).wrapping_mul(0xc2b2_ae35);
        let unit = f64::from((x ^ (x >> 16)) >> 8) / f64::from(1 << 24);
        (low + (high - low) * unit) as f32
    };
    (0..count as u32).map(number).collect()
}

fn images(salt: u32, [low, high]: [f64; 2], on: &On) -> Tensor<4> {
    on.tensor(numbers(SHAPE.iter().product(), salt, low, high), SHAPE)
}

/// PGD from a start that a formula gives.
#[derive(Clone, Debug)]
struct FromFormula {
    epsilon: f64,
    steps: usize,
    step: f64,
    loss: LossSpec,
}

impl fmt::Display for FromFormula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PGD from a formula")
    }
}

impl Attack for FromFormula {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        let space = PixelSpace(self.ball().unwrap());
        let noise = numbers(SHAPE.iter().product(), NOISE, -0.03, 0.03);
        let originals = trial.originals();
        let noise = Tensor::<4>::from_data(TensorData::new(noise, SHAPE), &originals.device());
        let start = space.project(trial, (originals.clone() + noise).flatten(1, 3));
        trial.climb(&self.loss, |trial| {
            let ascent = Ascent {
                space: &space,
                loss: None,
                steps: self.steps,
                keep: Keep::Last,
            };
            ascent.climb(trial, start, &mut FixedStep(self.step))
        })
    }

    fn goal(&self) -> Goal {
        Goal {
            loss: self.loss.clone(),
            ..Goal::default()
        }
    }

    fn ball(&self) -> Option<Ball> {
        Some(Ball::new(Linf, self.epsilon))
    }

    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn cost(&self) -> Cost {
        Cost::default()
    }

    fn at_level(&self, level: &[f64]) -> Result<AttackSpec> {
        let epsilon = level[0];
        Ok(Self {
            epsilon,
            ..self.clone()
        }
        .into())
    }

    fn with_effort(&self, steps: usize, step: f64) -> Option<AttackSpec> {
        Some(
            Self {
                steps,
                step,
                ..self.clone()
            }
            .into(),
        )
    }

    fn settings(&self) -> Value {
        "from_formula".into()
    }
}

fn by(loss: impl Into<LossSpec>) -> FromFormula {
    FromFormula {
        epsilon: 0.0,
        steps: 0,
        step: 0.0,
        loss: loss.into(),
    }
}

fn network(on: &On) -> Cnn {
    let config = CnnConfig::new(Group::P1, [1, 20, 20], CLASSES)
        .with_widths(Widths::Given([4; 4]))
        .with_hidden(8)
        .with_batch_norm(Some(true))
        .with_dropout(Some(0.0));
    let mut network = config.init(&on.device().autodiff()).unwrap();
    let weights = network.weights();
    let last = weights.len() - 1;
    let made = weights.iter().enumerate().map(|(salt, weight)| {
        let fan_in = match weight.shape.as_slice() {
            [inputs, _] => *inputs,
            shape => shape[1..].iter().product(),
        };
        let bound = (6.0 / fan_in as f64).sqrt();
        let [low, high] = match weight.name.rsplit('.').next().unwrap() {
            "weight" => [-bound, bound],
            "bias" => [-0.1, 0.1],
            "gamma" | "running_var" => [0.5, 1.5],
            "beta" | "running_mean" => [-0.2, 0.2],
            other => panic!("{other}"),
        };
        let numbers = match salt == last {
            true => LAST_BIAS.to_vec(),
            false => numbers(weight.values.dims()[0], salt as u32, low, high),
        };
        Tensor::from_data(numbers.as_slice(), &on.device())
    });
    let made = made.collect();
    network.replace(made);
    network
}

fn staged(on: &On) -> StagedBatch {
    let labels: Vec<i64> = (0..SHAPE[0]).map(|at| (at % CLASSES) as i64).collect();
    let labels = Tensor::<1, Int>::from_data(labels.as_slice(), &on.device());
    let batch = Batch::new(images(IMAGES, [0.3, 0.7], on), labels).unwrap();
    StagedBatch {
        // Nothing there reaches a bound but steps in L1, which the oracle does not clip.
        batch: batch.with_bounds(Bounds::none()),
        stage: Stage {
            angle: Degrees(0.0),
            shift: Pixels(0.0),
            epsilon: 0.05,
            steps: 3,
            step_size: 0.02,
            learning_rate: 0.1,
        },
        seed: Seed(1),
        epoch: 1,
        step: 1,
        share: 1.0,
    }
}

fn objectives() -> [(&'static str, ObjectiveSpec); 11] {
    let still = |pgd: Pgd| pgd.with_random_start(false).with_keep(Keep::Last);
    let cross_entropy = LossSpec::default;
    let pgd = || PgdTraining::new(by(cross_entropy()));
    let trades = || Trades::new(6.0).with_attack(by(Kl));
    let two = || [still(Pgd::linf(0.1)), still(Pgd::l2(1.2))];
    let fat = |tau| Fat::new(tau).with_pgd(still(Pgd::linf(0.0)));
    let balls = [
        Ball::new(Linf, 0.1),
        Ball::new(L2, 1.2),
        Ball::new(L1, 10.0),
    ];
    [
        ("trades", trades().into()),
        (
            "mart",
            Mart::default().with_attack(by(cross_entropy())).into(),
        ),
        ("pgd_training", pgd().into()),
        ("fat 0", fat(0).into()),
        ("fat 1", fat(1).into()),
        ("msd_training", MsdTraining::new(balls).into()),
        ("max_over", MaxOver::new(two()).into()),
        ("average_over", AverageOver::new(two()).into()),
        ("pose_kl", PoseKl::new(0.5).into()),
        ("awp pgd_training", Awp::new(pgd()).with_gamma(0.05).into()),
        ("awp trades", Awp::new(trades()).with_gamma(0.02).into()),
    ]
}

fn value_objectives_are_pytorchs(on: &On) {
    let fixture = include_str!("../fixtures/objectives.json");
    let fixture: Value = serde_json::from_str(fixture).unwrap();
    for (name, objective) in objectives() {
        let (network, staged) = (network(on), staged(on));
        objective.check().unwrap();
        let before = network.weights();
        let crafted = match name {
            // Poses are held to their definition elsewhere.
            "pose_kl" => Crafted::of([images(MOVED, [0.3, 0.7], on)]),
            _ => objective.craft(&network, &staged).unwrap(),
        };
        let step = objective.learn(&network, &staged, &crafted).unwrap();
        let expected = &fixture["objectives"][name];

        let loss = f64::from(step.scored.losses.clone().mean().into_scalar::<f32>());
        let expected_loss = expected["loss"].as_f64().unwrap();
        let off = (loss - expected_loss).abs() / expected_loss;
        assert!(off < 1e-5, "{name}: loss {loss} for {expected_loss}");

        let gradients = network.flat_gradients(&step.gradients);
        let expected: Vec<Vec<f64>> =
            serde_json::from_value(expected["gradients"].clone()).unwrap();
        let whole = length(expected.iter().flatten().copied());
        let mut expected = expected.iter();
        for (weight, gradient) in before.iter().zip(gradients) {
            assert_eq!(gradient.is_some(), weight.learnt, "{name}: {}", weight.name);
            let Some(gradient) = gradient else {
                continue;
            };
            let (found, expected) = (values(&gradient), expected.next().unwrap());
            assert_eq!(found.len(), expected.len(), "{name}: {}", weight.name);
            let apart = found.iter().zip(expected).map(|(&a, b)| f64::from(a) - b);
            let (off, size) = (length(apart), length(expected.iter().copied()));
            // The gradient of a bias in front of a batch norm is zero, but for rounding.
            let bound = match size < 1e-9 * whole {
                true => 1e-5 * whole,
                false => 1e-4 * size,
            };
            assert!(off <= bound, "{name}: {}: {off} of {size}", weight.name);
        }
        assert!(expected.next().is_none(), "{name}");
        // Learning leaves the weights alone, perturbed or not.
        for (before, after) in before.iter().zip(network.weights()) {
            if before.learnt {
                assert_eq!(values(&before.values), values(&after.values), "{name}");
            }
        }
    }
}

fn length(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|value| value * value).sum::<f64>().sqrt()
}
