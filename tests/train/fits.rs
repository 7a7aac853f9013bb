//! Whole trainings.

use super::fitting::{GENERATOR, Net, fit, training, weights};
use super::given::{CALM, HARD, Recorder, halves};
use crate::common::values;
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::train::InferenceStep;
use fireproof::base::{Classifier, Degrees, Error, Pixels, Seed};
use fireproof::curriculum::Stage;
use fireproof::data::ImageSet;
use fireproof::group::Group;
use fireproof::model::CnnConfig;
use fireproof::train::{Augmentation, Natural, StagedBatch, Trained, Trainee, Training};
use std::sync::PoisonError;

#[test]
fn smoke_stages_reach_the_model() {
    // What the model is trained on: in epoch 1 the images themselves, in epoch 2 others.
    let device = fireproof::device();
    let model = Recorder::new(&device);
    let seen = model.seen.clone();
    let set = halves(16);
    let pixels: Vec<Vec<f32>> = (0..16)
        .map(|at| {
            set.pixels(at)
                .iter()
                .map(|&p| f32::from(p) / 255.0)
                .collect()
        })
        .collect();
    let still = Stage {
        angle: Degrees(0.0),
        shift: Pixels(0.0),
        ..HARD
    };
    training(&[CALM, still, HARD])
        .fit(model, &set, &set, &device)
        .unwrap();

    let seen = seen.lock().unwrap();
    assert_eq!(
        seen.len(),
        3,
        "one training pass of 16 images in each epoch"
    );
    let nearest = |image: &[f32]| {
        let distance = |other: &Vec<f32>| {
            let differences = image.iter().zip(other).map(|(a, b)| (a - b).abs());
            differences.fold(0.0, f32::max)
        };
        pixels.iter().map(distance).fold(f32::INFINITY, f32::min)
    };
    let furthest = |epoch: usize| seen[epoch].chunks(64).map(nearest).fold(0.0, f32::max);
    assert_eq!(furthest(0), 0.0);
    let attacked = furthest(1);
    assert!((0.09..0.1001).contains(&attacked), "{attacked}");
    assert!(furthest(2) > 0.2, "rotated and shifted as well");
}

#[test]
fn smoke_training_learns_and_records() {
    let stages = [CALM, CALM, CALM, HARD];
    let trained = fit(&training(&stages)).unwrap();
    let history = &trained.history;
    assert_eq!(
        history.iter().map(|e| e.epoch).collect::<Vec<_>>(),
        [1, 2, 3, 4]
    );
    assert_eq!(history.iter().map(|e| e.stage).collect::<Vec<_>>(), stages);
    let last = &history[2];
    assert!(
        last.valid_accuracy > 0.95 && last.valid_accuracy <= 1.0,
        "{last:?}"
    );
    assert!(last.valid_loss < history[0].train_loss && last.seconds > 0.0);

    // Oracle: the model returned, scored by hand on the validation images in one batch.
    let device = fireproof::device();
    let staged = StagedBatch {
        batch: halves(40).batch(&(0..40).collect::<Vec<_>>(), &device),
        stage: CALM,
        seed: Seed(0),
        epoch: 1,
        step: 1,
        share: 1.0,
    };
    let trainee = Trainee::new(trained.model, Natural, Augmentation::default());
    let scored = InferenceStep::step(&trainee, staged);
    let loss = f64::from(scored.losses.mean().into_scalar::<f32>());
    assert!((loss - history[3].valid_loss).abs() < 1e-5);
}

#[test]
fn convention_the_same_seed_gives_the_same_weights() {
    // Dropout and lazy weights included, one after another and at the same moment.
    let settings = training(&[CALM, HARD]);
    let first = weights(&fit(&settings).unwrap().model);
    let again = weights(&fit(&settings).unwrap().model);
    let other = weights(&fit(&settings.clone().with_seed(4)).unwrap().model);
    assert!(first == again);
    assert!(first != other);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| weights(&fit(&settings).unwrap().model)))
            .collect();
        for thread in threads {
            assert!(first == thread.join().unwrap());
        }
    });
}

#[test]
fn convention_the_model_handed_in_does_not_change() {
    let _alone = GENERATOR.write().unwrap_or_else(PoisonError::into_inner);
    let device = fireproof::device();
    let model = Net::new(&device);
    let before = weights(&model.clone());
    let trained = training(&[CALM])
        .fit(model.clone(), &halves(40), &halves(8), &device)
        .unwrap();
    assert_eq!(weights(&model), before);
    assert_ne!(weights(&trained.model), before);
}

#[test]
fn convention_dropout_follows_image_and_epoch() {
    // This crate's dropout, unlike Burn's, needs no lock and no memory: a training resumed from
    // its checkpoint drops what the uninterrupted one would have dropped.
    let device = fireproof::device();
    let set = halves(32);
    let model = || {
        let config = CnnConfig::new(Group::P1, [1, 28, 28], 2).with_seed(1);
        config.init(&device).unwrap()
    };
    let large = {
        let pixels: Vec<u8> = (0..32)
            .flat_map(|at| (0..784).map(move |p| (at, p)))
            .map(|(at, p)| set.pixels(at)[(p / 28 * 8 / 28) * 8 + p % 28 * 8 / 28])
            .collect();
        ImageSet::new("large", [1, 28, 28], 2, pixels, set.labels()).unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let settings = training(&[CALM, CALM]);
    let fit = |settings: &Training| {
        settings
            .fit(model(), &large, &large, &device)
            .unwrap()
            .model
    };
    let logits = |model: fireproof::model::Cnn| {
        values(model.logits(large.batch(&(0..32).collect::<Vec<_>>(), &device).images))
    };
    let whole = logits(fit(&settings.clone().with_directory(folder.path())));
    std::fs::remove_file(folder.path().join("checkpoint/model-2.bpk")).unwrap();
    let resuming = settings
        .clone()
        .with_directory(folder.path())
        .with_resume(true);
    assert_eq!(logits(fit(&resuming)), whole);
    assert_ne!(logits(fit(&settings.with_seed(4))), whole);
}

#[test]
fn error_settings_and_sets() {
    let device = fireproof::device();
    let text = |result: fireproof::base::Result<Trained<Net>>| result.unwrap_err().to_string();
    let settings = training(&[CALM]);
    let refused = text(fit(&settings.clone().with_batch_size(0)));
    assert!(refused.contains("batch size = 0"), "{refused}");
    let refused = text(fit(&settings.clone().with_momentum(1.0)));
    assert!(refused.contains("momentum = 1"), "{refused}");
    let refused = text(fit(&settings.clone().with_weight_decay(f64::NAN)));
    assert!(refused.contains("weight decay = NaN"), "{refused}");
    for (train, valid) in [(0, 8), (8, 0)] {
        let net = Net::new(&device);
        let refused = text(settings.fit(net, &halves(train), &halves(valid), &device));
        assert!(refused.contains("no image"), "{refused}");
    }
    let three = ImageSet::new("three", [1, 8, 8], 3, vec![0; 64], vec![2]).unwrap();
    let refused = text(settings.fit(Net::new(&device), &halves(8), &three, &device));
    assert!(refused.contains("validation set three"), "{refused}");
    let refused = text(settings.fit(Net::new(&device), &three, &three, &device));
    assert!(refused.contains("2 classes"), "{refused}");
}

#[test]
fn error_a_loss_that_is_not_a_number_stops() {
    let stages = [Stage {
        learning_rate: 1e30,
        ..CALM
    }; 2];
    let error = fit(&training(&stages)).unwrap_err();
    assert!(matches!(error, Error::Training(_)), "{error}");
    assert!(error.to_string().contains("the loss is"), "{error}");
}

#[test]
fn error_a_panic_in_the_model_is_an_error() {
    #[derive(Module, Debug)]
    struct Broken {
        weight: Param<Tensor<1>>,
    }
    impl Classifier for Broken {
        fn logits(&self, images: Tensor<4>) -> Tensor<2> {
            assert!(images.dims()[0] < 2, "too many images for me");
            images.flatten::<2>(1, 3).narrow(1, 0, 2) * self.weight.val().unsqueeze()
        }
    }
    let device = fireproof::device();
    let model = Broken {
        weight: Param::from_tensor(Tensor::ones([1], &device)),
    };
    let set = halves(8);
    let error = training(&[CALM])
        .fit(model, &set, &set, &device)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "training stopped: too many images for me"
    );
}
