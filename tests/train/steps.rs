//! A step of training: optimiser, objective, augmentation.

use super::given::{CALM, HARD, Recorder, halves};
use crate::common::{On, values};
use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::Tensor;
use fireproof::base::{Degrees, Pixels, Seed};
use fireproof::curriculum::Stage;
use fireproof::nn::InitialWeights;
use fireproof::train::{
    Augmentation, Motion, Natural, ObjectiveSpec, PgdTraining, StagedBatch, Trainee, sgd,
};
use fireproof::transform::Warp;

on_every_device![
    value_sgd_is_pytorchs,
    value_sgd_is_burns_to_the_bit_and_takes_its_records,
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

fn value_sgd_is_burns_to_the_bit_and_takes_its_records(on: &On) {
    // Oracle: Burn's `Sgd` without dampening; half-way each goes on from the other's record.
    let device = on.device().autodiff();
    for (momentum, decay) in [(0.9, 5e-4), (0.9, 0.0), (0.0, 0.1), (0.0, 0.0)] {
        let burns = || {
            let momentum = (momentum > 0.0).then(|| {
                let momentum = MomentumConfig::new().with_momentum(momentum);
                momentum.with_dampening(0.0).with_nesterov(false)
            });
            let decay = (decay > 0.0).then(|| WeightDecayConfig::new(decay as f32));
            SgdConfig::new()
                .with_momentum(momentum)
                .with_weight_decay(decay)
                .init()
        };
        let ours = || sgd(momentum, decay);
        let model = LinearConfig::new(7, 5).init(&device);
        let model = model.map(&mut InitialWeights::uniform(1));
        let mut models = [model.clone(), model];
        let mut optimisers = [ours(), burns()];
        for step in 0..4 {
            if step == 2 {
                let [first, second] = optimisers.map(|optimiser| optimiser.to_record());
                optimisers = [ours().load_record(second), burns().load_record(first)];
            }
            let x = Tensor::<2>::ones([3, 7], &device) * (0.3 + step as f32);
            let mut each = optimisers.iter_mut();
            models = models.map(|model: Linear| {
                let loss = model.forward(x.clone()).powi_scalar(2).mean();
                let gradients = GradientsParams::from_grads(loss.backward(), &model);
                each.next().expect("two").step(0.05, model, gradients)
            });
            let [ours, burns] = &models;
            let bias = |model: &Linear| values(model.bias.as_ref().unwrap().val());
            let weight = |model: &Linear| values(model.weight.val());
            for of in [&bias as &dyn Fn(&Linear) -> Vec<f32>, &weight] {
                for (a, b) in of(ours).into_iter().zip(of(burns)) {
                    // Elsewhere products and sums may be fused, each optimiser's in its own way.
                    let same = match on.is("flex") {
                        true => a.to_bits() == b.to_bits(),
                        false => (a - b).abs() <= 1e-6 * b.abs().max(1e-3),
                    };
                    assert!(same, "step {step}: {a} and {b}");
                }
            }
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
            step: 1,
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
            step: 1,
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
        step: 1,
        share: 1.0,
    };
    for motion in [Motion::TwoStep, Warp::bilinear().into()] {
        let images = Augmentation::new(motion).apply(&staged);
        assert_eq!(values(&images), values(&staged.batch.images));
    }
}
