//! Victims without useful gradients, which are given others: BPDA.

use super::network::{Net, random_batch};
use crate::common::{On, bits, values};
use burn::tensor::Tensor;
use fireproof::attack::{Apgd, Attack, Frozen, Pgd};
use fireproof::base::Seed;

on_every_device![
    value_forward_and_backward_to_the_bit,
    value_a_whole_classifier_with_another_backward,
    value_approximations_and_draws_follow_each_other,
    value_quantised_inputs_are_opened,
    error_shapes_of_an_approximation: "a map and its approximation",
];

fn squares(images: Tensor<4>) -> Tensor<2> {
    let pixels = images.flatten::<2>(1, 3);
    let both = pixels.clone() * pixels.clone() + pixels.clone();
    Tensor::cat(vec![both, pixels * 3.0], 1)
}

fn sum_of_squares(logits: Tensor<2>) -> Tensor<1> {
    logits.square().sum_dim(1).squeeze_dim(1)
}

fn value_forward_and_backward_to_the_bit(on: &On) {
    // Oracle: by hand. Pixels are eighths, all results exact in f32. Forward u = ⌊4x⌋/4, backward
    // b(x) = x² with b' = 2x; logits u² + u and 3u, loss the sum of their squares.
    let pixels = [0.125, 0.5, 0.875, 0.25, 0.0, 0.625];
    let images = || on.tensor(pixels.to_vec(), [3, 1, 1, 2]);
    let plain = Frozen::from_fn(squares);
    let floor = |images: Tensor<4>| (images * 4.0).floor() / 4.0;
    let victim = plain.through_approximated(floor, |images| images.clone() * images);
    let pass = victim.loss_gradient(images(), sum_of_squares).unwrap();
    let mapped = bits(plain.logits(floor(images())));
    assert_eq!(bits(&pass.logits), mapped);
    assert_eq!(bits(victim.logits(images())), mapped);
    let slope = |x: f32| {
        let u = (4.0 * x).floor() / 4.0;
        let outer = 2.0 * (u * u + u) * (2.0 * u + 1.0) + 2.0 * 3.0 * u * 3.0;
        outer * 2.0 * x
    };
    assert_eq!(values(pass.gradient), pixels.map(slope));
    // Straight through: b' = 1.
    let pass = plain
        .through_straight(floor)
        .loss_gradient(images(), sum_of_squares);
    let straight = pixels.map(|x| if x == 0.0 { 0.0 } else { slope(x) / (2.0 * x) });
    assert_eq!(values(pass.unwrap().gradient), straight);
}

fn value_a_whole_classifier_with_another_backward(on: &On) {
    // Oracle: by hand. Logits ⌊4x⌋; back through 8x: the loss's gradient is 2·⌊4x⌋·8.
    let pixels = [0.125, 0.5, 0.875, 0.25];
    let steps = Frozen::from_fn(|images: Tensor<4>| (images.flatten::<2>(1, 3) * 4.0).floor());
    let victim = steps.with_backward(|images| images.flatten::<2>(1, 3) * 8.0);
    let images = || on.tensor(pixels.to_vec(), [2, 1, 1, 2]);
    let pass = victim.loss_gradient(images(), sum_of_squares).unwrap();
    assert_eq!(bits(&pass.logits), bits(steps.logits(images())));
    assert_eq!(bits(victim.logits(images())), bits(steps.logits(images())));
    assert_eq!(
        values(pass.gradient),
        pixels.map(|x| 16.0 * (4.0 * x).floor())
    );
}

fn value_approximations_and_draws_follow_each_other(on: &On) {
    // Oracle: the mean of whole numbers that are shifted by drawn ones; the gradient, straight through,
    // is that without a map.
    let plain = Frozen::from_fn(|images: Tensor<4>| images.flatten::<2>(1, 3));
    let shifted = |images: Tensor<4>, keys: &fireproof::base::Keys| {
        let shape = [keys.len(), 1, 1, 1];
        let each = keys.each(fireproof::base::Purpose::Noise, |draws| {
            draws.below(4) as f32
        });
        let each = burn::tensor::TensorData::new(each, shape);
        images.clone() + Tensor::from_data(each, (&images.device(), images.dtype()))
    };
    let victim = plain.through_straight(|images| images.round());
    let victim = victim.through_random(2, 1, shifted).for_ids(&[7, 3]);
    let images = || on.tensor(vec![0.25, 0.75, 0.875, 0.125], [2, 1, 1, 2]);
    let sum = |logits: Tensor<2>| logits.sum_dim(1).squeeze_dim(1);
    let pass = victim.loss_gradient(images(), sum).unwrap();
    assert_eq!(values(pass.gradient), [1.0; 4]);
    let logits = values(pass.logits);
    assert!(
        logits.iter().all(|logit| (logit * 2.0).fract() == 0.0),
        "{logits:?}"
    );
    let differences = [logits[1] - logits[0], logits[2] - logits[3]];
    assert_eq!(differences, [1.0, 1.0]);
}

fn value_quantised_inputs_are_opened(on: &On) {
    // Four levels in front of a network: its own gradient is zero everywhere.
    let net = Frozen::new(&Net::random(on, 3));
    let levels = |images: Tensor<4>| (images * 3.0).round() / 3.0;
    let masked = net.through(levels);
    let opened = net.through_straight(levels);
    let count = on.pick(20, 3);
    let batch = random_batch(on, &masked, count);
    let pgd = Pgd::linf(0.1).with_random_start(false);
    let blind = pgd.attack(&masked, &batch, Seed(1)).unwrap();
    let led = pgd.attack(&opened, &batch, Seed(1)).unwrap();
    // Every tenth is wrong as it is.
    assert_eq!(blind.fooled_count(), count.div_ceil(10));
    assert_eq!(blind.vanished, blind.gradients);
    assert!(led.vanished.iter().all(|&passes| passes == 0));
    assert!(
        led.fooled_count() >= on.pick(count / 2, 2),
        "{:?}",
        led.fooled
    );
    // What fools is what the map and the network say.
    assert_eq!(net.predict(levels(led.images)), led.predicted);
    let apgd = Apgd::linf(0.1).with_steps(on.pick(20, 5));
    let led = apgd.attack(&opened, &batch, Seed(1)).unwrap();
    assert!(
        led.fooled_count() >= on.pick(count / 2, 2),
        "{:?}",
        led.fooled
    );
}

fn error_shapes_of_an_approximation(on: &On) {
    let victim = Frozen::from_fn(|images: Tensor<4>| images.flatten::<2>(1, 3));
    let victim = victim.through_approximated(|images| images, |images| images.narrow(3, 0, 1));
    let images = on.tensor(vec![0.5; 2], [1, 1, 1, 2]);
    let _ = victim.loss_gradient(images, sum_of_squares);
}
