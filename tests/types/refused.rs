//! What is refused, and in which words.

use super::attacks::{batch, victim};
use super::given::{SIDE, images, model, tensor};
use crate::common::On;
use burn::tensor::quantization::{QuantScheme, QuantStore, QuantValue};
use burn::tensor::{Device, Tensor};
use fireproof::attack::{Attack, Candidate, Goal, Pgd, Trial};
use fireproof::base::{Batch, Precision, Seed};
use fireproof::group::Group;
use fireproof::kernel::{LinfStep, linf_step};
use fireproof::nn::{Conv2dConfig, GroupBatchNormConfig, LinearConfig};
use fireproof::transform::Warp;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What is said of something that panics.
type Case<'a> = (&'a str, Box<dyn Fn() + 'a>);

// Flex has every type; which of them another backend has is its own affair.
fn on() -> On {
    On::new(None)
}

#[test]
fn error_attacks_refuse_images_of_another_type_than_the_weights() {
    let on = on();
    for weights in Precision::ALL {
        for found in Precision::ALL.into_iter().filter(|&found| found != weights) {
            let victim = victim(&on, weights);
            let attack = Pgd::l2(0.5);
            let error = attack
                .attack(&victim, &batch(&on, found), Seed(1))
                .unwrap_err();
            let expected = format!(
                "element type of images: found {found}, expected {weights}, as the classifier's \
                 weights (see `Batch::with_precision`)"
            );
            assert_eq!(error.to_string(), expected);
            let error = victim.loss_gradient(images(&on, found, 1, SIDE), |logits| {
                logits.sum_dim(1).squeeze_dim(1)
            });
            assert_eq!(error.unwrap_err().to_string(), expected);
            // As it says.
            let batch = batch(&on, found).with_precision(weights);
            assert!(attack.attack(&victim, &batch, Seed(1)).is_ok());
        }
    }
}

#[test]
fn error_layers_name_operands_of_two_types() {
    let on = on();
    let device = on.device();
    let x = || images(&on, Precision::F64, 1, 8);
    let still = || Tensor::<4>::zeros([1, 2, 8, 8], &device);
    let one = "expected one element type (cast one of them)";
    let step = LinfStep {
        length: 0.1,
        epsilon: 0.1,
        bounds: [0.0, 1.0],
    };
    let cases: Vec<Case> = vec![
        (
            "conv2d: input of f64 and weight of f32",
            Box::new(|| drop(Conv2dConfig::new([2, 1], 3).init(&device).forward(x()))),
        ),
        (
            "conv2d: input of f64 and weight of f32",
            Box::new(|| {
                drop(model(&device, Precision::F32).forward(images(&on, Precision::F64, 1, SIDE)))
            }),
        ),
        (
            "linear: input of f64 and weight of f32",
            Box::new(|| {
                let rows = x().reshape([16, 8]);
                drop(LinearConfig::new([8, 2]).init(&device).forward(rows))
            }),
        ),
        (
            "batch norm: features of f64 and scale of f32",
            Box::new(|| {
                let norm = GroupBatchNormConfig::new(Group::P4, 2).init(&device);
                drop(norm.forward(x().reshape([1, 2, 4, 4, 4])))
            }),
        ),
        (
            "warp: images of f64 and poses of f32",
            Box::new(|| drop(Warp::bilinear().apply_tensor(x(), Tensor::zeros([1, 3], &device)))),
        ),
        (
            "linf_step: images of f64 and gradient of f32",
            Box::new(|| drop(linf_step(x(), still(), &x(), step))),
        ),
        (
            "offered: images of f64 and originals of f32",
            Box::new(|| {
                let batch = batch(&on, Precision::F32);
                let victim = victim(&on, Precision::F32);
                let mut trial = Trial::new(&victim, &batch, &Goal::default(), 0).unwrap();
                trial.offer(images(&on, Precision::F64, 4, SIDE));
            }),
        ),
        (
            "moved: images of f64 and poses of f32",
            Box::new(|| drop(Candidate::moved(x(), Tensor::zeros([1, 3], &device)))),
        ),
    ];
    for (expected, case) in cases {
        let said = panic_of(case);
        assert!(said.starts_with(expected) && said.ends_with(one), "{said}");
    }
}

#[test]
fn error_quantized_images_are_refused_by_name() {
    let on = on();
    let quantized = || quantized(&on.device());
    let victim = victim(&on, Precision::F32);
    let batch = Batch {
        images: quantized(),
        ..batch(&on, Precision::F32)
    };
    let error = Pgd::linf(0.1).attack(&victim, &batch, Seed(1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "element type of images: found qfloat, expected f64, f32, f16 or bf16"
    );
    let error = batch.check(3).unwrap_err();
    assert!(error.to_string().contains("found qfloat"), "{error}");
    let poses = tensor(&on, Precision::F32, &[0.0; 12], [4, 3]);
    let said = panic_of(|| drop(Warp::bilinear().apply_tensor(quantized(), poses.clone())));
    assert_eq!(
        said,
        "warp: images of element type qfloat, expected f64, f32, f16 or bf16"
    );
    let said = panic_of(|| drop(model(&on.device(), Precision::F32).forward(quantized())));
    assert!(said.contains("qfloat"), "{said}");
}

fn quantized(device: &Device) -> Tensor<4> {
    let scheme = QuantScheme::default()
        .with_value(QuantValue::Q8S)
        .with_store(QuantStore::Native);
    Tensor::<4>::ones([4, 2, SIDE, SIDE], device).quantize_dynamic(&scheme)
}

fn panic_of(work: impl Fn()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(work)).expect_err("a panic");
    let text = payload.downcast_ref::<String>().cloned();
    text.unwrap_or_else(|| payload.downcast_ref::<&str>().unwrap().to_string())
}
