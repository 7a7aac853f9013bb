//! A program whose device makes everything of `f64`. It is one for itself: a device takes its default
//! once in a process.

use burn::module::Module;
use burn::tensor::{DType, Device, FloatDType};
use fireproof::attack::{Attack, Frozen, Pgd, verify};
use fireproof::base::{Degrees, Precision, Seed};
use fireproof::curriculum::Curriculum;
use fireproof::data::ImageSet;
use fireproof::evaluate::{Axis, Evaluation};
use fireproof::group::Group;
use fireproof::model::{CnnConfig, Widths};
use fireproof::nn::NormalizeConfig;
use fireproof::train::{Augmentation, PgdTraining, StagedBatch, Trainee, sgd};

#[test]
fn smoke_devices_of_f64() {
    let mut device = Device::flex();
    device.configure(FloatDType::F64).unwrap();
    let pixels = (0..4 * 256).map(|at| (at * at * 7 % 251) as u8).collect();
    let set = ImageSet::new("pattern", [1, 16, 16], 2, pixels, vec![0, 1, 0, 1]).unwrap();
    let batch = set.batch(&[0, 1, 2, 3], &device);
    assert_eq!(batch.images.dtype(), DType::F64);

    let model = CnnConfig::new(Group::P4, [1, 16, 16], 2)
        .with_widths(Widths::Given([2, 2, 3, 3]))
        .with_batch_norm(Some(true))
        .with_normalize(Some(NormalizeConfig::mnist()))
        .init(&device.clone().autodiff())
        .unwrap();
    let trainee = Trainee::new(model, PgdTraining::default(), Augmentation::default());
    let staged = StagedBatch {
        batch: batch.clone(),
        stage: Curriculum::cusp_mnist_translation().stage(90),
        seed: Seed(3),
        epoch: 1,
        step: 1,
        share: 1.0,
    };
    let step = trainee.learn(staged).unwrap();
    let model = sgd(0.9, 0.0).step(0.05, trainee, step.grads).model.valid();

    let victim = Frozen::new(&model);
    assert_eq!(victim.precision(), Some(Precision::F64));
    for attack in [Pgd::linf(0.1), Pgd::l2(1.0)] {
        let found = attack.attack(&victim, &batch, Seed(1)).unwrap();
        assert_eq!(found.images.dtype(), DType::F64);
        verify(&found, &batch, attack.norm.clone(), attack.epsilon).unwrap();
    }
    let evaluation = Evaluation::new()
        .with_axis(Axis::angles([Degrees(45.0)]))
        .with_axis(Axis::epsilons(Pgd::linf(0.0).with_steps(2), [0.1]));
    let profile = evaluation.run(&victim, &set, &device).unwrap();
    assert_eq!(profile.clean.count, 4);
}
