//! Victims that draw: expectation over transformation.

use crate::common::{On, values};
use burn::module::Param;
use burn::nn::conv::Conv2dConfig;
use burn::tensor::{Tensor, TensorData};
use fireproof::attack::{Attack, Frozen, Keep, Pgd};
use fireproof::base::{Batch, Keys, Purpose, Seed};
use fireproof::nn::GroupDropoutConfig;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};

on_every_device![
    value_logits_are_the_mean_of_keyed_draws,
    gradient_is_that_of_the_loss_of_the_mean,
    value_random_layers_are_averaged,
    convention_layers_draw_apart,
    value_a_mean_leads_where_one_draw_does_not,
    error_no_draw: "at least one draw",
    error_random_without_gradient,
];

pub const COUNT: usize = 7;

pub fn bytes(count: usize) -> Vec<u8> {
    let pixel = |at: usize| (128.0 + 80.0 * ((at * at) as f32 * 0.37).sin()) as u8;
    (0..count * 64).map(pixel).collect()
}

pub fn images(on: &On, count: usize) -> Tensor<4> {
    let pixels = bytes(count).into_iter().map(|byte| f32::from(byte) / 255.0);
    on.tensor(pixels.collect(), [count, 1, 8, 8])
}

// Image by image, without matrix products, whose rounding may depend on the batch.
pub fn upright() -> Frozen {
    Frozen::from_fn(stripes)
}

pub fn stripes(images: Tensor<4>) -> Tensor<2> {
    let rows = images.clone().narrow(2, 2, 3).mean_dims(&[1, 2, 3]);
    let columns = images.clone().narrow(3, 1, 2).mean_dims(&[1, 2, 3]);
    let all = images.square().mean_dims(&[1, 2, 3]) * 1.4;
    Tensor::cat(vec![rows, columns, all], 1).flatten::<2>(1, 3)
}

pub fn batch(on: &On, victim: &Frozen) -> Batch {
    let ids = Vec::from_iter((0..COUNT as u64).map(|at| (at * 4) % 9));
    let labels = victim.for_ids(&ids).predict(images(on, COUNT));
    let batch = Batch::new(images(on, COUNT), on.labels(&labels)).unwrap();
    batch.with_ids(ids).unwrap()
}

// A whole number from 0 to 7 for each row.
fn whole_numbers(keys: &Keys) -> Vec<f32> {
    keys.each(Purpose::Noise, |draws| draws.below(8) as f32)
}

fn column(numbers: Vec<f32>, like: &Tensor<2>) -> Tensor<2> {
    let shape = [numbers.len(), 1];
    Tensor::from_data(
        TensorData::new(numbers, shape),
        (&like.device(), like.dtype()),
    )
}

fn value_logits_are_the_mean_of_keyed_draws(on: &On) {
    // Oracle: whole numbers, drawn here from keys of one image and one draw; four of them have an
    // exact mean.
    let victim = Frozen::random(4, 9, |images: Tensor<4>, keys| {
        let pixels = images.flatten::<2>(1, 3).narrow(1, 0, 3);
        let noise = column(whole_numbers(keys), &pixels);
        pixels + noise
    });
    assert_eq!(victim.draws(), 4);
    let ids = [3, 17, 2, 40, 11];
    let mean = |id: u64| {
        let numbers = (0..4).map(|draw| whole_numbers(&Keys::new(9, [id]).with_draw(draw))[0]);
        numbers.sum::<f32>() / 4.0
    };
    let pixels = |at: usize| Vec::from_iter((0..64).map(|pixel| ((at + pixel) % 16) as f32 / 16.0));
    let logits = |places: &[usize]| {
        let some = Vec::from_iter(places.iter().map(|&at| ids[at]));
        let rows = places.iter().flat_map(|&at| pixels(at)).collect();
        values(
            victim
                .for_ids(&some)
                .logits(on.tensor(rows, [places.len(), 1, 8, 8])),
        )
    };
    let expected = |at: usize| (0..3).map(move |class| pixels(at)[class] + mean(ids[at]));
    let noises = HashSet::<u32>::from_iter(ids.map(|id| mean(id).to_bits()));
    assert!(noises.len() > 2, "{noises:?}");
    for places in [&[0, 1, 2, 3, 4][..], &[4, 0], &[2], &[3, 3, 1, 0, 2, 4]] {
        let expected = places.iter().flat_map(|&at| expected(at));
        assert_eq!(logits(places), Vec::from_iter(expected), "{places:?}");
    }
    // Other seeds draw others.
    let other = victim.with_draws(4, 10).for_ids(&ids[..1]);
    let shifted = values(other.logits(on.tensor(pixels(0), [1, 1, 8, 8])))[0] - pixels(0)[0];
    let drawn = (0..4).map(|draw| whole_numbers(&Keys::new(10, [3]).with_draw(draw))[0]);
    assert_eq!(shifted, drawn.sum::<f32>() / 4.0);
}

fn gradient_is_that_of_the_loss_of_the_mean(on: &On) {
    // Oracle: z = a·Σx with a drawn; the loss is z², of the mean 2·ā²·Σx in every pixel. Exact, in
    // small whole numbers and quarters.
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = seen.clone();
    let victim = Frozen::random(4, 9, move |images: Tensor<4>, keys| {
        let factors = whole_numbers(keys);
        let pairs = keys.ids.iter().copied().zip(factors.clone());
        record.lock().unwrap().extend(pairs);
        let sum = images.flatten::<2>(1, 3).sum_dim(1);
        let scores = column(factors, &sum) * sum.clone();
        Tensor::cat(vec![scores.clone(), -scores], 1)
    });
    let pixels = Vec::from_iter((0..6 * 4).map(|at| (at % 5) as f32));
    let ids = [5, 1, 8, 2, 90, 4];
    let square = |logits: Tensor<2>| logits.narrow(1, 0, 1).square().squeeze_dim(1);
    let pass = victim
        .for_ids(&ids)
        .loss_gradient(on.tensor(pixels.clone(), [6, 1, 2, 2]), square)
        .unwrap();
    let seen = seen.lock().unwrap();
    let (mut losses, mut gradients, mut apart) = (Vec::new(), Vec::new(), 0);
    for (at, id) in ids.iter().enumerate() {
        let drawn = Vec::from_iter(seen.iter().filter(|(of, _)| of == id).map(|(_, a)| *a));
        assert_eq!(drawn.len(), 4);
        let mean = drawn.iter().sum::<f32>() / 4.0;
        let squares = drawn.iter().map(|a| a * a).sum::<f32>() / 4.0;
        apart += usize::from(mean * mean != squares);
        let sum: f32 = pixels[4 * at..4 * at + 4].iter().sum();
        losses.push((mean * sum).powi(2));
        gradients.extend([2.0 * mean * mean * sum; 4]);
    }
    assert_eq!(values(pass.loss), losses);
    assert_eq!(values(pass.gradient), gradients);
    assert!(apart > 3, "the mean of the losses is another");
}

fn value_random_layers_are_averaged(on: &On) {
    // Oracle: dropout's own masks by its keys, one draw after the other. The function is a layer of the
    // pass, and the dropouts are layers within.
    let mut conv = Conv2dConfig::new([1, 6], [3, 3]).init(&on.device());
    conv.weight = Param::from_tensor(on.pattern([6, 1, 3, 3], 1) / 15.0);
    let dropout = GroupDropoutConfig::new(0.5).init();
    let network = move |images: Tensor<4>, keys: &Keys| {
        let features = burn::tensor::activation::relu(conv.forward(images));
        let kept = dropout.forward_with(features, keys);
        let again = dropout.forward_with(kept, keys);
        again.mean_dims(&[2, 3]).flatten::<2>(1, 3)
    };
    let by_hand = network.clone();
    let victim = Frozen::random(3, 4, network);
    let ids = [6, 0, 9, 12];
    let found = values(victim.for_ids(&ids).logits(images(on, 4)));
    let mut expected = vec![0.0; found.len()];
    for draw in 0..3 {
        let keys = Keys::new(4, ids).with_draw(draw).next_layer();
        let logits = values(by_hand(images(on, 4).autodiff(), &keys));
        let sum = expected.iter_mut().zip(logits);
        sum.for_each(|(sum, logit)| *sum += logit / 3.0);
    }
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }
    // A gradient where nothing was dropped, in draws of its own.
    let pass = victim.loss_gradient(images(on, 4), |logits| logits.sum_dim(1).squeeze_dim(1));
    let pass = pass.unwrap();
    assert_ne!(values(pass.logits), found);
    assert!(values(pass.gradient).iter().any(|&slope| slope != 0.0));
}

fn convention_layers_draw_apart(on: &On) {
    // Oracle: the streams of the keys, counted from the innermost call outwards in: maps draw in the
    // order in which an image meets them, then the classifier.
    fn first(keys: &Keys) -> Vec<f32> {
        keys.each(Purpose::Noise, |draws| draws.below(1 << 20) as f32)
    }
    let noted = |images: Tensor<4>, keys: &Keys| {
        let rows = images.clone().flatten::<2>(1, 3);
        let [count, pixels] = rows.dims();
        let noise = column(first(keys), &rows);
        let shifted = Tensor::cat(vec![rows.narrow(1, 1, pixels - 1), noise], 1);
        shifted.reshape([count, 1, 1, pixels])
    };
    let victim = Frozen::random(1, 1, move |images: Tensor<4>, keys| {
        noted(images, keys).flatten::<2>(1, 3)
    });
    let victim = victim.through_random(1, 2, noted).through(|images| images);
    let victim = victim.through_random(1, 3, noted).for_ids(&[8]);
    let found = values(victim.logits(on.tensor(vec![0.0; 3], [1, 1, 1, 3])));
    let keys = Keys::new(3, [8]);
    let layers = [(); 3].map(|()| first(&keys.next_layer())[0]);
    assert_eq!(found, layers);
    assert!(layers[0] != layers[1] && layers[1] != layers[2]);
}

fn value_a_mean_leads_where_one_draw_does_not(on: &On) {
    // A linear score whose weights are drawn anew each time: ±0.1 in the mean, and four times as much
    // chance. It takes 0.8 of all that L∞ allows, in the mean. A single draw shows the sign of a weight
    // with probability Φ(1/4) = 0.60, the mean of 32 with Φ(√32/4) = 0.92: in steps of ε/4 between −ε
    // and ε, the one stays at 0.56 ε on average and the other at 0.97 ε.
    let epsilon = 0.1;
    let least = (0.8 * epsilon * 6.4) as f32;
    let weights = |draws: &mut fireproof::base::Draws| {
        let sign = |pixel: usize| {
            if (pixel * pixel).is_multiple_of(3) {
                0.1
            } else {
                -0.1
            }
        };
        Vec::from_iter((0..64).map(|pixel| (sign(pixel) + 0.4 * draws.normal()) as f32))
    };
    let victim = Frozen::random(1, 3, move |images: Tensor<4>, keys| {
        let pixels = images.flatten::<2>(1, 3) - 0.5;
        let drawn = keys.each(Purpose::Noise, weights).concat();
        let drawn = TensorData::new(drawn, pixels.dims());
        let drawn = Tensor::from_data(drawn, (&pixels.device(), pixels.dtype()));
        let score = (pixels * drawn).sum_dim(1);
        Tensor::cat(vec![score.zeros_like() + least, score], 1)
    });
    let count = on.pick(12, 3);
    let grey = Tensor::full([count, 1, 8, 8], 0.5, &on.device());
    let batch = Batch::new(grey, on.labels(&vec![0; count])).unwrap();
    let attack = Pgd::linf(epsilon).with_keep(Keep::Last);
    // Counted over draws that no attack has seen.
    let judge = victim
        .clone()
        .with_draws(on.pick(1000, 300), 1234)
        .for_ids(&batch.ids);
    let fooled = |draws: usize| {
        let victim = victim.clone().with_draws(draws, 3);
        let found = attack.attack(&victim, &batch, Seed(1)).unwrap();
        judge.predict(found.images).into_iter().sum::<i64>() as usize
    };
    assert_eq!(fooled(1), 0);
    assert_eq!(fooled(32), count);
}

fn error_no_draw(_: &On) {
    upright().with_draws(0, 1);
}

fn error_random_without_gradient(on: &On) {
    let victim = upright().through_random(2, 1, |images, _| images.inner());
    let batch = batch(on, &upright());
    let error = Pgd::linf(0.1).attack(&victim, &batch, Seed(1)).unwrap_err();
    assert!(error.to_string().contains("gradient"), "{error}");
}
