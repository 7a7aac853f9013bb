//! Every backend compiled in besides Flex gives what Flex gives, within rounding: layers with
//! their gradients, transforms, attacks, and one training step.
//!
//! Oracle: the same computation on Flex, whose results the other tests hold to independent
//! oracles.

use crate::common::{uniform, values};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};
use fireproof::base::{Purpose, compiled_devices, device_named};
use fireproof::nn::{GroupBatchNormConfig, GroupConv2dConfig, LiftingConv2dConfig};
use fireproof::prelude::*;
use fireproof::transform::{rot90, shift};

// `vulkan` is WGPU with another shader compiler, which software drivers do not support fully.
fn others() -> Vec<(&'static str, Device)> {
    let names = compiled_devices().iter().copied();
    names
        .filter(|name| !["flex", "vulkan"].contains(name))
        .map(|name| (name, device_named(name).expect("compiled in")))
        .collect()
}

fn random<const D: usize>(shape: [usize; D], id: u64, device: &Device) -> Tensor<D> {
    let mut draws = Seed(11).draws(Purpose::Subset, id, 0);
    let count = shape.iter().product();
    let values = uniform(&mut draws, count, 0.0, 1.0);
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Largest difference in units of the largest reference value.
fn difference(name: &str, what: &str, got: &[f32], reference: &[f32]) -> f32 {
    assert_eq!(got.len(), reference.len(), "{name}, {what}");
    let scale = reference
        .iter()
        .fold(f32::MIN_POSITIVE, |m, v| m.max(v.abs()));
    let worst = (got.iter().zip(reference))
        .map(|(a, b)| {
            if (a - b).is_nan() {
                f32::INFINITY
            } else {
                (a - b).abs()
            }
        })
        .fold(0.0, f32::max);
    println!(
        "{name:>8} {what:<28} differs from flex by {:.1e}",
        worst / scale
    );
    worst / scale
}

fn agree(what: &str, tolerance: f32, run: impl Fn(&Device) -> Vec<f32>) {
    let reference = run(&device_named("flex").unwrap());
    assert!(reference.iter().any(|v| *v != 0.0), "{what} gives nothing");
    let devices = others();
    assert!(!devices.is_empty());
    for (name, device) in devices {
        let off = difference(name, what, &run(&device), &reference);
        assert!(off <= tolerance, "{name}, {what}: {off} > {tolerance}");
    }
}

fn digits(device: &Device) -> Batch {
    embedded_mnist()
        .test
        .batch(&[0, 1, 2, 3, 4, 5, 6, 7], device)
}

fn network(group: Group, device: &Device) -> Cnn {
    CnnConfig::new(group, [1, 28, 28], 10)
        .with_widths(Widths::Given([3, 3, 4, 4]))
        .with_dropout(Some(0.0))
        .with_seed(5)
        .init(device)
        .unwrap()
}

#[test]
fn value_layers_and_gradients() {
    agree("p4m layers, gradient", 1e-5, |device| {
        let device = device.clone().autodiff();
        let images = random([2, 2, 9, 9], 0, &device).require_grad();
        let lift = LiftingConv2dConfig::new(Group::P4m, [2, 2], 3)
            .init(&device)
            .with_weight(random([2, 2, 3, 3], 1, &device) - 0.5)
            .with_bias(random([2], 2, &device));
        let norm = GroupBatchNormConfig::new(Group::P4m, 2).init(&device);
        let conv = GroupConv2dConfig::new(Group::P4m, [2, 2], 3)
            .init(&device)
            .with_weight(random([2, 2, 8, 3, 3], 3, &device) - 0.5)
            .with_bias(random([2], 4, &device));
        let output = conv.forward(norm.forward(lift.forward(images.clone())));
        let weigh = random([2, 2, 8, 5, 5], 5, &device) - 0.5;
        let gradients = (output.clone() * weigh).sum().backward();
        let gradient = images.grad(&gradients).unwrap();
        [values(output), values(gradient)].concat()
    });
}

#[test]
fn value_logits_of_networks() {
    for group in [Group::P1, Group::P4, Group::P4m] {
        agree(&format!("logits over {group}"), 1e-5, |device| {
            values(Frozen::new(&network(group, device)).logits(digits(device).images))
        });
    }
}

#[test]
fn value_initial_weights_are_the_same_bits() {
    struct All(Vec<f32>);
    impl ModuleVisitor for All {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.extend(values(param.val()));
        }
    }
    agree("initial weights", 0.0, |device| {
        let mut all = All(Vec::new());
        network(Group::P4, device).visit(&mut all);
        assert!(all.0.len() > 1000);
        all.0
    });
}

#[test]
fn equivariance_holds_to_rounding() {
    for (name, device) in others() {
        let victim = Frozen::new(
            &CnnConfig::new(Group::P4, [1, 28, 28], 10)
                .with_widths(Widths::Given([3, 3, 4, 4]))
                .with_head(Head::Pooled)
                .with_seed(5)
                .init(&device)
                .unwrap(),
        );
        let images = digits(&device).images;
        let upright = values(victim.logits(images.clone()));
        for turns in 1..4 {
            let turned = values(victim.logits(rot90(images.clone(), turns)));
            let off = difference(name, "invariance of the p4 head", &turned, &upright);
            assert!(off <= 1e-5, "{name}: {off}");
        }
    }
}

#[test]
fn value_transforms() {
    let budget = PoseBudget::new(Degrees(180.0), Pixels(4.0)).unwrap();
    let poses = budget.draw(&Keys::new(3, 0..8));
    agree("exact motions", 0.0, |device| {
        values(shift(
            rot90(digits(device).images, 1),
            2,
            -3,
            Border::Reflect,
        ))
    });
    for border in [
        Border::Zeros,
        Border::Edge,
        Border::Reflect,
        Border::Circular,
    ] {
        agree(&format!("nearest, {border:?}"), 0.0, |device| {
            values(
                Warp::nearest()
                    .with_border(border)
                    .apply(digits(device).images, &poses),
            )
        });
        agree(&format!("bilinear, {border:?}"), 1e-4, |device| {
            values(
                Warp::bilinear()
                    .with_border(border)
                    .apply(digits(device).images, &poses),
            )
        });
    }
    agree("bilinear, pose gradient", 1e-3, |device| {
        let flat: Vec<f32> = (poses.iter())
            .flat_map(|p| [p.angle.0 as f32, p.right.0 as f32, p.down.0 as f32])
            .collect();
        let device = device.clone().autodiff();
        let tensor = Tensor::<2>::from_data(TensorData::new(flat, [8, 3]), &device).require_grad();
        let moved = Warp::bilinear().apply_tensor(digits(&device).images, tensor.clone());
        let gradients = (moved * random([8, 1, 28, 28], 6, &device))
            .sum()
            .backward();
        values(tensor.grad(&gradients).unwrap())
    });
}

#[test]
fn value_attacks() {
    agree("random starts", 1e-6, |device| {
        let victim = Frozen::new(&network(Group::P1, device));
        let start = Pgd::linf(0.1)
            .with_steps(0)
            .with_keep(fireproof::attack::Keep::Last);
        values(start.perturb(&victim, &digits(device), Seed(1)).unwrap())
    });
    // After a sign step a gradient of nearly zero may fall on either side: count such pixels.
    let run = |device: &Device| {
        let victim = Frozen::new(&network(Group::P4, device));
        let found = Pgd::linf(0.1)
            .with_steps(3)
            .attack(&victim, &digits(device), Seed(1))
            .unwrap();
        (values(found.images), found.fooled)
    };
    let (reference, verdicts) = run(&device_named("flex").unwrap());
    for (name, device) in others() {
        let (images, fooled) = run(&device);
        let apart = (images.iter().zip(&reference)).filter(|(a, b)| (*a - *b).abs() > 1e-4);
        let share = apart.count() as f64 / reference.len() as f64;
        println!(
            "{name:>8} PGD-3: {:.2} % of the pixels differ from flex",
            100.0 * share
        );
        assert!(share < 0.02, "{name}: {share}");
        assert_eq!(fooled, verdicts, "{name}");
    }
}

#[cfg(feature = "train")]
#[test]
fn value_training_step() {
    agree("one epoch of PGD training", 2e-3, |device| {
        let digits = embedded_mnist();
        let curriculum = Curriculum::new(1)
            .with_angle(30.0)
            .with_epsilon(0.1)
            .with_steps(1)
            .with_learning_rate(0.01);
        let trained = Training::new(curriculum, PgdTraining::default())
            .with_batch_size(10)
            .with_progress(fireproof::train::Progress::Quiet)
            .fit(
                network(Group::P4, device),
                &digits.train.take(20),
                &digits.test.take(10),
                device,
            )
            .unwrap();
        let victim = Frozen::new(&trained.model);
        values(victim.logits(digits.test.batch(&[0, 1, 2], device).images))
    });
}

#[test]
fn value_statistics_of_labels() {
    // Integer tensors travel unchanged.
    for (name, device) in others() {
        let labels: Tensor<1, Int> = digits(&device).labels;
        let labels: Vec<i64> = labels.to_data().iter::<i64>().collect();
        assert_eq!(labels, [0, 1, 2, 3, 4, 5, 6, 7], "{name}");
    }
}
