//! A step of training: optimiser, objective, augmentation.

use super::given::{CALM, HARD, Recorder, halves};
use crate::common::{On, values};
use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use fireproof::base::{Degrees, Pixels, Seed};
use fireproof::curriculum::Stage;
use fireproof::train::{
    Augmentation, Motion, Natural, ObjectiveSpec, PgdTraining, StagedBatch, Trainee, sgd,
};
use fireproof::transform::Warp;

on_every_device![
    value_sgd_is_pytorchs,
    value_pgd_training_learns_from_the_worst_images,
    convention_augmentation_follows_image_and_epoch,
];

fn value_sgd_is_pytorchs(on: &On) {
    // Oracle: the update rule in torch.optim.SGD's documentation, by hand in f64: decay before
    // momentum, no dampening, the velocity starts as the first gradient.
    #[derive(Module, Debug)]
    struct Weight {
        weight: Param<Tensor<1>>,
    }
    let device = on.device().autodiff();
    let mut model = Weight {
        weight: Param::from_tensor(Tensor::from_floats([1.0, -2.0], &device)),
    };
    let mut optimiser = sgd(0.9, 0.1);
    let (mut w, mut v) = ([1.0f64, -2.0], [0.0f64; 2]);
    for (step, rate) in [0.5, 0.5, 0.05].into_iter().enumerate() {
        // Loss Σ w³/3 has gradient w².
        let loss = (model.weight.val().powi_scalar(3) / 3.0).sum();
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = optimiser.step(rate, model, gradients);
        for (w, v) in w.iter_mut().zip(&mut v) {
            let gradient = *w * *w + 0.1 * *w;
            *v = if step == 0 {
                gradient
            } else {
                0.9 * *v + gradient
            };
            *w -= rate * *v;
        }
        for (found, expected) in values(model.weight.val()).into_iter().zip(w) {
            let error = (f64::from(found) - expected).abs();
            assert!(
                error < 1e-5 * expected.abs(),
                "step {step}: {found} for {expected}"
            );
        }
    }
}

fn value_pgd_training_learns_from_the_worst_images(on: &On) {
    // Oracle: for logits linear in the two halves, the worst image in the ball lowers the bright
    // half and raises the dark one by ε everywhere: the margin shrinks by 2ε.
    let device = on.device().autodiff();
    let trainee = |objective: ObjectiveSpec| {
        Trainee::new(
            Recorder::new(&device).train(),
            objective,
            Augmentation::default(),
        )
    };
    let stage = Stage {
        angle: Degrees(0.0),
        shift: Pixels(0.0),
        ..HARD
    };
    let staged = || {
        let set = halves(16);
        StagedBatch {
            batch: set.batch(&(0..16).collect::<Vec<_>>(), &device),
            stage,
            seed: Seed(5),
            epoch: 1,
            share: 1.0,
        }
    };
    let natural = trainee(Natural.into()).learn(staged()).unwrap().item;
    let attacked = trainee(PgdTraining::default().into())
        .learn(staged())
        .unwrap()
        .item;
    let margin = |logits: &Tensor<2>| {
        let labels = staged().batch.labels_to_vec();
        let rows: Vec<f32> = values(logits)
            .chunks(2)
            .zip(labels)
            .map(|(row, label)| row[label as usize] - row[1 - label as usize])
            .collect();
        rows
    };
    for (clean, attacked) in margin(&natural.logits)
        .into_iter()
        .zip(margin(&attacked.logits))
    {
        // Clipping at black and white takes a little away from 2ε = 0.2.
        let shrunk = clean - attacked;
        assert!((0.15..0.2001).contains(&shrunk), "{shrunk}");
    }
    let (natural, attacked) = (natural.losses.mean(), attacked.losses.mean());
    assert!(attacked.into_scalar::<f32>() > natural.into_scalar::<f32>() + 0.05);
}

fn convention_augmentation_follows_image_and_epoch(on: &On) {
    let device = on.device();
    let set = halves(12);
    let everything = |positions: &[usize], epoch| {
        let staged = StagedBatch {
            batch: set.batch(positions, &device),
            stage: HARD,
            seed: Seed(5),
            epoch,
            share: 1.0,
        };
        let augmentation = Augmentation::new(Warp::bilinear())
            .with_crop(2)
            .with_flip(true);
        values(augmentation.apply(&staged))
    };
    let all = everything(&[0, 1, 2, 3], 1);
    assert_eq!(
        everything(&[2, 0], 1),
        [&all[128..192], &all[..64]].concat()
    );
    assert_ne!(everything(&[0, 1, 2, 3], 2), all);

    // Nothing is sampled, let alone blurred, where the stage moves nothing.
    let staged = StagedBatch {
        batch: set.batch(&[0, 1], &device),
        stage: CALM,
        seed: Seed(5),
        epoch: 1,
        share: 1.0,
    };
    for motion in [Motion::TwoStep, Warp::bilinear().into()] {
        let images = Augmentation::new(motion).apply(&staged);
        assert_eq!(values(&images), values(&staged.batch.images));
    }
}
