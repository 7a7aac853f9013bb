//! Networks on the kernels.
//!
//! On Flex alone: elsewhere there are no numerics to choose, and an image's bits may depend on its
//! batch.

use super::given::{draws, noise};
use crate::common::values;
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor};
use fireproof::base::Draws;
use fireproof::kernel::Numerics;
use fireproof::prelude::*;

// Oracle: exact predictions. Whatever a fast attack went by, its verdict is exact.
#[test]
fn value_verdicts_of_fast_attacks_are_exact() {
    let device = Device::flex();
    let model = CnnConfig::new(Group::P4, [1, 28, 28], 10)
        .init(&device)
        .unwrap();
    let batch = embedded_mnist()
        .test
        .batch(&(0..100).collect::<Vec<_>>(), &device);
    let exact = Frozen::new(&model).with_numerics(Numerics::Exact);
    let fast = exact.clone().with_numerics(Numerics::Fast);
    let attack = Pgd::linf(0.02).with_predicted_labels(true);
    let [by_exact, by_fast] =
        [&exact, &fast].map(|victim| attack.attack(victim, &batch, Seed(1)).unwrap());
    let clean = exact.predict(batch.images.clone());
    for found in [&by_exact, &by_fast] {
        let attacked = exact.predict(found.images.clone());
        let verdicts: Vec<bool> = clean.iter().zip(&attacked).map(|(a, b)| a != b).collect();
        assert_eq!(found.fooled, verdicts);
    }
    let (a, b) = (by_exact.fooled_count(), by_fast.fooled_count());
    println!("fooled of 100: {a} by exact gradients, {b} by fast ones");
    assert!(a > 0 && a.abs_diff(b) <= 2, "{a} {b}");
}

/// Gives every parameter small random values.
struct Randomise(Draws);

impl ModuleMapper for Randomise {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        let random = noise(tensor.dims(), &mut self.0, &tensor.device()) * 0.1;
        Param::from_mapped_value(id, random, mapper)
    }
}

// The bits of an image's logits and gradient do not depend on its batch mates or on the threads.
#[test]
fn value_networks_do_not_depend_on_batch_or_threads() {
    use fireproof::attack::{CrossEntropy, Loss, Reference};
    use fireproof::model::{Head, ResNetConfig, SmallCnnConfig};

    let device = Device::flex();
    let cnn = |group, head| {
        let config = CnnConfig::new(group, [1, 28, 28], 10).with_head(head);
        Frozen::new(&config.init(&device).unwrap())
    };
    let small = SmallCnnConfig::new([1, 28, 28], 10).init(&device).unwrap();
    // Its last layer starts at zero, and so would all its gradients.
    let small = small.map(&mut Randomise(draws(70_000)));
    // Strides, shortcuts, normalisations; and layers so wide that threads share their channels.
    let resnet = |group, widths| {
        let config = ResNetConfig {
            widths,
            depths: [1; 4],
            ..ResNetConfig::resnet18(group, [1, 28, 28], 10)
        };
        Frozen::new(&config.init(&device).unwrap())
    };
    let victims = [
        resnet(Group::P1, [4, 8, 40, 300]),
        resnet(Group::P4m, [1, 2, 3, 40]),
        cnn(Group::P4, Head::Flattened),
        cnn(Group::P1, Head::Flattened),
        // Batch norm, and a mean over space.
        cnn(Group::P4m, Head::Pooled),
        Frozen::new(&small),
    ];
    let places: Vec<usize> = (0..70).collect();
    let batch = embedded_mnist().test.batch(&places, &device);
    for (victim, numerics) in victims
        .iter()
        .flat_map(|victim| [(victim, Numerics::Exact), (victim, Numerics::Fast)])
    {
        let victim = victim.clone().with_numerics(numerics);
        let run = |first: usize, count: usize| {
            let part = |labels: Tensor<1, burn::tensor::Int>| labels.narrow(0, first, count);
            let loss = |logits| {
                CrossEntropy.per_image(logits, &Reference::new(part(batch.labels.clone())))
            };
            let images = batch.images.clone().narrow(0, first, count);
            let found = victim.loss_gradient(images, loss).unwrap();
            (values(found.logits), values(found.gradient))
        };
        let (logits, gradient) = run(0, 70);
        assert!(
            gradient
                .chunks(784)
                .all(|image| image.iter().any(|&g| g != 0.0))
        );
        for (first, count) in [
            (0, 1),
            (69, 1),
            (13, 2),
            (5, 7),
            (16, 16),
            (30, 33),
            (1, 64),
        ] {
            let part = run(first, count);
            assert_eq!(part.0[..], logits[first * 10..][..count * 10]);
            assert_eq!(part.1[..], gradient[first * 784..][..count * 784]);
        }
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let again = pool.build().unwrap().install(|| run(0, 70));
            assert_eq!(
                again,
                (logits.clone(), gradient.clone()),
                "{threads} threads"
            );
        }
    }
}
