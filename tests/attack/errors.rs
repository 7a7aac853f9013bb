//! What is refused, and in which words.

use super::linear::{PIXELS, linear, linear_batch};
use crate::common::{On, values};
use burn::tensor::Tensor;
use fireproof::attack::{
    Attack, CarliniWagner, Ddn, DeepFool, Fab, Fgsm, Fmn, Frozen, Inside, L2, Limits, Linf, Norm,
    Pgd, verify,
};
use fireproof::base::{Batch, Bounds, Error, Seed};

on_every_device![
    error_settings_out_of_range,
    error_settings_of_minimum_norm_attacks,
    error_batches_refused,
    error_classifiers_refused,
    error_results_outside_their_ball,
];

fn message(on: &On, attack: &dyn Attack, batch: &Batch) -> String {
    let victim = linear(on);
    let error = attack.attack(&victim, batch, Seed(0)).unwrap_err();
    assert!(
        matches!(error, Error::Input { .. } | Error::Setting { .. }),
        "{error:?}"
    );
    error.to_string()
}

fn error_settings_out_of_range(on: &On) {
    let batch = linear_batch(on);
    let cases: Vec<(Box<dyn Attack>, &str)> = vec![
        (Box::new(Pgd::linf(-0.1)), "epsilon = -0.1"),
        (Box::new(Pgd::l2(f64::NAN)), "epsilon = NaN"),
        (Box::new(Pgd::linf(f64::INFINITY)), "epsilon = inf"),
        (Box::new(Fgsm::linf(-1.0)), "epsilon = -1"),
        (
            Box::new(Pgd::linf(0.1).with_step_size(-0.1)),
            "step_size = -0.1",
        ),
        (
            Box::new(Pgd::linf(0.1).with_step_size(f64::NAN)),
            "step_size = NaN",
        ),
        (
            Box::new(Pgd::linf(0.1).with_relative_step_size(f64::NAN)),
            "relative step_size = NaN",
        ),
        (Box::new(Pgd::linf(0.1).restarts(0)), "restarts = 0"),
        (
            Box::new(Pgd::linf(0.1).with_random_start(false).restarts(2)),
            "restarts = 2",
        ),
        (Box::new(Pgd::linf(0.1).with_targets(2)), "targets = 2"),
        (
            Box::new(Pgd::linf(0.1).with_targets(vec![0, 5])),
            "targets[1] = 5",
        ),
        (
            Box::new(Pgd::linf(0.1).with_targets(vec![0])),
            "targets = 1 classes",
        ),
    ];
    for (attack, expected) in cases {
        let message = message(on, &*attack, &batch);
        assert!(message.starts_with(expected), "{message}");
    }
}

// A norm of which no more is known than what PGD needs.
#[derive(Debug, derive_more::Display)]
#[display("half of L2")]
struct Half;

impl Norm for Half {
    fn length(&self, perturbation: &[f64]) -> f64 {
        L2.length(perturbation) / 2.0
    }

    fn lengths(&self, perturbations: Tensor<4>) -> Tensor<1> {
        L2.lengths(perturbations) / 2.0
    }

    fn steepest(&self, gradient: Tensor<4>, length: f64) -> Tensor<4> {
        L2.steepest(gradient, 2.0 * length)
    }

    fn project(&self, images: Tensor<4>, to: Limits) -> Tensor<4> {
        let epsilon = 2.0 * to.epsilon;
        L2.project(images, Limits { epsilon, ..to })
    }

    fn draw(&self, pixels: usize, epsilon: f64, draws: &mut fireproof::base::Draws) -> Vec<f64> {
        L2.draw(pixels, 2.0 * epsilon, draws)
    }

    fn settle(&self, image: &mut [f64], into: Inside) -> bool {
        let epsilon = 2.0 * into.epsilon;
        L2.settle(image, Inside { epsilon, ..into })
    }

    fn settings(&self) -> serde_json::Value {
        "half".into()
    }
}

fn error_settings_of_minimum_norm_attacks(on: &On) {
    let batch = linear_batch(on);
    let cases: Vec<(Box<dyn Attack>, &str)> = vec![
        (Box::new(Fab::linf().with_epsilon(-0.1)), "epsilon = -0.1"),
        (Box::new(Fab::l2().with_epsilon(f64::NAN)), "epsilon = NaN"),
        (Box::new(Fab::new(Half)), "norm = half of L2"),
        (Box::new(Fab::l2().with_alpha_max(1.5)), "alpha_max = 1.5"),
        (Box::new(Fab::l2().with_eta(0.9)), "eta = 0.9"),
        (Box::new(Fab::l2().with_beta(-0.1)), "beta = -0.1"),
        (
            Box::new(Fab::l2().with_target_classes(0)),
            "target_classes = 0",
        ),
        (Box::new(Fab::l2().restarts(0)), "restarts = 0"),
        (Box::new(Ddn::new().with_epsilon(-1.0)), "epsilon = -1"),
        (Box::new(Ddn::new().with_gamma(1.0)), "gamma = 1"),
        (
            Box::new(Ddn::new().with_first_length(0.0)),
            "first_length = 0",
        ),
        (Box::new(Ddn::new().restarts(2)), "restarts = 2"),
        (Box::new(Fmn::new(Half)), "norm = half of L2"),
        (Box::new(Fmn::linf().with_gamma(f64::NAN)), "gamma = NaN"),
        (Box::new(Fmn::l2().with_first_step(-1.0)), "first_step = -1"),
        (Box::new(DeepFool::new(Half)), "norm = half of L2"),
        (
            Box::new(DeepFool::l2().with_overshoot(-0.1)),
            "overshoot = -0.1",
        ),
        (
            Box::new(DeepFool::l2().with_target_classes(0)),
            "target_classes = 0",
        ),
        (Box::new(CarliniWagner::new().with_steps(0)), "steps = 0"),
        (
            Box::new(CarliniWagner::new().with_searches(0)),
            "searches = 0",
        ),
        (Box::new(CarliniWagner::new().with_rate(0.0)), "rate = 0"),
        (
            Box::new(CarliniWagner::new().with_first_constant(-1.0)),
            "first_constant = -1",
        ),
    ];
    for (attack, expected) in cases {
        let message = message(on, &*attack, &batch);
        assert!(message.starts_with(expected), "{message}");
    }
    let unbounded = batch.with_bounds(Bounds::none());
    let message = message(on, &CarliniWagner::new(), &unbounded);
    assert!(message.starts_with("bounds = [-inf, inf]"), "{message}");
}

fn error_batches_refused(on: &On) {
    let batch = linear_batch(on);
    let with_pixel = |value: f32| {
        let mut pixels = values(&batch.images);
        pixels[PIXELS + 9] = value;
        batch
            .clone()
            .with_images(on.tensor(pixels, [2, 1, 8, 8]))
            .unwrap()
    };
    let mut relabelled = batch.clone();
    relabelled.labels = on.labels(&[0, 2]);
    let mut negative = batch.clone();
    negative.labels = on.labels(&[-1, 0]);
    let empty = Batch::new(batch.images.clone().narrow(0, 0, 1), on.labels(&[0]))
        .unwrap()
        .select(&[]);
    let place = "pixel [channel 0, row 1, column 1] of image 1";
    for (batch, expected) in [
        (with_pixel(1.5), place),
        (with_pixel(f32::NAN), place),
        (with_pixel(f32::INFINITY), place),
        (with_pixel(f32::NAN).with_bounds(Bounds::none()), place),
        (relabelled, "label of image 1: found 2"),
        (negative, "label of image 0: found -1"),
        (empty, "batch: found no image"),
    ] {
        for attack in [
            &Pgd::linf(0.1) as &dyn Attack,
            &Pgd::l2(0.1),
            &Fgsm::linf(0.1),
        ] {
            let message = message(on, attack, &batch);
            assert!(message.starts_with(expected), "{message}");
        }
    }
}

fn error_classifiers_refused(on: &On) {
    let batch = linear_batch(on);
    let one = Frozen::from_fn(|x: Tensor<4>| x.flatten::<2>(1, 3).sum_dim(1));
    let error = Pgd::linf(0.1).attack(&one, &batch, Seed(0)).unwrap_err();
    let expected = "logits per image: found 1";
    assert!(error.to_string().starts_with(expected), "{error}");
}

fn error_results_outside_their_ball(on: &On) {
    let batch = linear_batch(on);
    let mut found = Pgd::linf(0.05)
        .attack(&linear(on), &batch, Seed(0))
        .unwrap();
    verify(&found, &batch, Linf, 0.05).unwrap();
    let error = verify(&found, &batch, Linf, 0.0499).unwrap_err();
    assert!(matches!(error, Error::Ball { id: 0, .. }), "{error}");
    let error = verify(&found, &batch, L2, 0.05).unwrap_err();
    assert!(error.to_string().contains("L2"), "{error}");

    for bad in [f32::NAN, 1.25, f32::INFINITY] {
        let mut pixels = values(&batch.images);
        pixels[PIXELS] = bad;
        found.images = on.tensor(pixels, [2, 1, 8, 8]);
        let error = verify(&found, &batch, Linf, 10.0).unwrap_err();
        assert!(
            error.to_string().starts_with("pixel 0 of attacked image 1"),
            "{error}"
        );
    }
}
