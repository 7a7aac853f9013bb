//! Victims that are attacked by the gradients of another classifier.

use super::network::{Net, random_batch};
use crate::common::{On, bits, values};
use burn::module::Module;
use burn::tensor::Tensor;
use fireproof::attack::{Attack, CrossEntropy, Frozen, Loss, Margin, Pgd, Reference};
use fireproof::base::{Batch, Precision, Seed};
use fireproof::model::SmallCnnConfig;
use fireproof::nn::CastWeights;

on_every_device![
    value_gradients_of_one_and_logits_of_the_other,
    value_a_surrogate_opens_what_has_no_gradient,
    value_maps_and_draws_are_before_both,
    error_classes_and_types_of_a_surrogate,
];

fn value_gradients_of_one_and_logits_of_the_other(on: &On) {
    // Oracle: each of the two alone, to the bit.
    let [own, other] = [3, 4].map(|seed| Frozen::new(&Net::random(on, seed)));
    let led = own.with_gradients_of(&other);
    let batch = random_batch(on, &own, on.pick(5, 2));
    for loss in [&CrossEntropy as &dyn Loss, &Margin] {
        let reference = Reference::new(batch.labels.clone());
        let pass = |victim: &Frozen| {
            let pass = victim.loss_gradient(batch.images.clone(), |logits| {
                loss.per_image(logits, &reference)
            });
            pass.unwrap()
        };
        let [own, other, led] = [&own, &other, &led].map(pass);
        assert_eq!(bits(&led.gradient), bits(other.gradient));
        assert_eq!(bits(&led.logits), bits(own.logits));
        assert_eq!(bits(&led.loss), bits(own.loss));
        assert_ne!(bits(led.gradient), bits(own.gradient));
    }
    assert_eq!(
        bits(led.logits(batch.images.clone())),
        bits(own.logits(batch.images))
    );
}

// Brighter or darker than 1/2, without a matrix product.
fn brightness(images: Tensor<4>) -> Tensor<2> {
    let mean = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3);
    Tensor::cat(vec![-mean.clone() + 1.0, mean], 1)
}

fn grey(on: &On) -> Batch {
    let levels = [0.45, 0.55, 0.58, 0.7];
    let images = levels.iter().flat_map(|&level| [level; 4]).collect();
    Batch::new(on.tensor(images, [4, 1, 2, 2]), on.labels(&[0, 1, 1, 1])).unwrap()
}

fn value_a_surrogate_opens_what_has_no_gradient(on: &On) {
    // Oracle: pixels of 1/2 and more are white. Within 0.1 the first three fall, if one knows where to.
    let surrogate = Frozen::from_fn(brightness);
    let masked =
        surrogate.through(|images| images.clone().greater_equal_elem(0.5).float() + images * 0.0);
    let pgd = Pgd::linf(0.1).with_random_start(false);
    let attack = |victim: &Frozen| pgd.attack(victim, &grey(on), Seed(1)).unwrap();
    let blind = attack(&masked);
    assert_eq!(blind.fooled, [false; 4]);
    assert_eq!(blind.vanished, blind.gradients);
    let led = attack(&masked.with_gradients_of(&surrogate));
    assert_eq!(led.fooled, [true, true, true, false]);
    assert_eq!(led.vanished, [0; 4]);
    // Verdicts are the victim's, on the very images.
    assert_eq!(masked.predict(led.images), led.predicted);
    // A pass counts as one of the victim and one back.
    assert_eq!(led.gradients, blind.gradients);
    // Where the last candidate is not the one that is kept, as losses tie, the verdict is another one.
    assert!(led.queries[3].abs_diff(blind.queries[3]) <= 1);
    // A surrogate that says the opposite leads nowhere.
    let wrong = Frozen::from_fn(|images: Tensor<4>| brightness(-images + 1.0));
    let led = attack(&masked.with_gradients_of(&wrong));
    assert_eq!(led.fooled, [false; 4]);
}

fn value_maps_and_draws_are_before_both(on: &On) {
    // Oracle: the classifiers behind the map one by one; counts of three draws, one draw back.
    let [own, other] = [3, 4].map(|seed| Frozen::new(&Net::random(on, seed)));
    let batch = random_batch(on, &own, 2);
    let reference = Reference::new(batch.labels.clone());
    let pass = |victim: &Frozen| {
        let loss = |logits| Margin.per_image(logits, &reference);
        victim.loss_gradient(batch.images.clone(), loss).unwrap()
    };
    let mirrored = |victim: &Frozen| victim.through(|images| images.flip([3]));
    let led = pass(&mirrored(&own.with_gradients_of(&other)));
    assert_eq!(bits(led.gradient), bits(pass(&mirrored(&other)).gradient));
    assert_eq!(bits(led.logits), bits(pass(&mirrored(&own)).logits));

    let noisy = |victim: &Frozen| {
        victim.through_random(2, 1, |images, keys| {
            let each = keys.each(fireproof::base::Purpose::Noise, |draws| {
                draws.uniform(0.5, 1.0)
            });
            let each = burn::tensor::TensorData::new(each, [keys.len(), 1, 1, 1]);
            images.clone() * Tensor::from_data(each, (&images.device(), images.dtype()))
        })
    };
    let led = pass(&noisy(&own.with_gradients_of(&other)));
    assert_eq!(bits(led.gradient), bits(pass(&noisy(&other)).gradient));
    assert_eq!(bits(led.logits), bits(pass(&noisy(&own)).logits));

    let random = Frozen::from_fn(brightness).with_draws(3, 1);
    let led = random.with_gradients_of(&Frozen::from_fn(brightness));
    let pgd = Pgd::linf(0.01).with_steps(4).with_random_start(false);
    let [of_both, of_one] = [&random, &led].map(|victim| {
        let found = pgd.attack(victim, &grey(on), Seed(1)).unwrap();
        assert_eq!(found.fooled, [false; 4]);
        [found.queries[0], found.gradients[0]]
    });
    assert_eq!(of_one[0], of_both[0]);
    assert_eq!([of_both[1], of_one[1]], [12, 4]);
}

fn error_classes_and_types_of_a_surrogate(on: &On) {
    let victim = Frozen::from_fn(brightness);
    let refused = |surrogate: &Frozen, expected: &str| {
        let led = victim.with_gradients_of(surrogate);
        let batch = grey(on);
        let error = Pgd::linf(0.1).attack(&led, &batch, Seed(1)).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        let sum = |logits: Tensor<2>| logits.sum_dim(1).squeeze_dim(1);
        let error = led.loss_gradient(batch.images, sum).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    let three = Frozen::from_fn(|images: Tensor<4>| images.flatten::<2>(1, 3).narrow(1, 0, 3));
    let expected = "classes of the surrogate: found 3, expected 2, as the victim has";
    refused(&three, expected);
    if on.is("wgpu") {
        return;
    }
    let model = SmallCnnConfig::new([1, 28, 28], 2)
        .init(&on.device())
        .unwrap();
    let doubles = Frozen::new(&model.map(&mut CastWeights(Precision::F64)));
    refused(&doubles, "element type of images: found f32, expected f64");
    assert_eq!(values(victim.logits(grey(on).images)).len(), 8);
}
