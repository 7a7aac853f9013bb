//! The crate's own training on points without bounds.

use crate::common::On;
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use fireproof::attack::{Attack, Frozen, Pgd};
use fireproof::base::{Bounds, Classifier, Seed};
use fireproof::curriculum::{Curriculum, Milestones};
use fireproof::data::ImageSet;
use fireproof::theory::{GaussianFeature, Linear, Logits, Setting, Survey};
use fireproof::train::{Augmentation, Natural, ObjectiveSpec, PgdTraining, Progress, Training};
use fireproof::transform::{Border, Warp};

// What trains is tested on every device by `tests/train`; here the host samples and judges.
on_this_device![
    value_training_finds_what_each_objective_is_for,
    value_attacks_leave_the_pixel_range,
];

#[derive(Module, Debug)]
struct Plain {
    weights: Param<Tensor<2>>,
}

impl Plain {
    fn new(features: usize, device: &Device) -> Self {
        let weights = Tensor::zeros([features, 1], device);
        Self {
            weights: Param::from_tensor(weights),
        }
    }
}

impl Classifier for Plain {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        let sum = images.flatten::<2>(1, 3).matmul(self.weights.val());
        Tensor::cat(vec![-sum.clone(), sum], 1)
    }
}

fn setting() -> GaussianFeature {
    GaussianFeature::new(16, 1.5, 0.4).unwrap()
}

fn points(seed: u64, count: usize) -> ImageSet {
    let (numbers, labels) = setting().images(Seed(seed), count).unwrap();
    ImageSet::of_numbers("points", [1, 1, 16], 2, numbers, labels, Bounds::none()).unwrap()
}

fn value_training_finds_what_each_objective_is_for(on: &On) {
    // Oracle: the closed forms. A linear rule that meets shifts weighs all features alike; one that is
    // attacked keeps to the strong feature, the only one that the attack does not turn round.
    let device = on.device();
    let trained = |curriculum: Curriculum, objective: ObjectiveSpec| {
        // Falling, or the attacked weights would go on changing their signs.
        let rate = Milestones::new([(0.0, 0.05), (0.5, 0.01), (0.75, 0.002)]);
        let training = Training::new(curriculum.with_learning_rate(rate), objective)
            .with_augmentation(Augmentation::new(
                Warp::nearest().with_border(Border::Circular),
            ))
            .with_batch_size(100)
            .with_weight_decay(0.0)
            .with_progress(Progress::Quiet);
        let model = Plain::new(16, &device);
        training
            .fit(model, &points(1, 1500), &points(2, 50), &device)
            .unwrap()
            .model
    };
    let survey = Survey::new(2000, 0.8);
    let of = |model: &Plain| {
        survey
            .of(&setting(), &Logits::of(model.clone(), &device))
            .unwrap()
    };

    let moved = of(&trained(
        Curriculum::new(12).with_shift(8.0),
        Natural.into(),
    ));
    let mean = survey.of(&setting(), &Linear::mean(16)).unwrap();
    assert!(
        moved.spatial.value() > mean.spatial.value() - 0.03,
        "{moved:?}"
    );
    let attacked = Curriculum::new(12).with_epsilon(0.8).with_steps(3);
    let attacked = of(&trained(attacked, PgdTraining::default().into()));
    let first = setting().linear(&Linear::coordinate(16, 0), 0.8).unwrap();
    let most = first.in_place;
    assert!(
        attacked.in_place.value() > most - 0.05,
        "{attacked:?} {most}"
    );
    assert!(mean.in_place.value() < 0.1 && attacked.spatial.value() < 0.8);
}

fn value_attacks_leave_the_pixel_range(on: &On) {
    // Oracle: the closed form of the worst case of a linear rule: every feature is off by ε.
    let (device, set) = (on.device(), points(3, 50));
    let weights = Tensor::<2>::ones([16, 1], &device);
    let model = Plain {
        weights: Param::from_tensor(weights),
    };
    let batch = set.batch(&Vec::from_iter(0..50), &device);
    let attack = Pgd::linf(0.8).with_steps(4).with_random_start(false);
    let found = attack
        .attack(&Frozen::new(&model), &batch, Seed(0))
        .unwrap();
    let clean = crate::common::values(batch.images.sum_dims(&[1, 2, 3]));
    let right = clean.iter().zip(set.labels()).filter(|(sum, label)| {
        let sign = if *label == 1 { 1.0 } else { -1.0 };
        *sum * sign > 16.0 * 0.8
    });
    let standing = found.fooled.iter().filter(|fooled| !**fooled).count();
    assert_eq!(standing, right.count());
}
