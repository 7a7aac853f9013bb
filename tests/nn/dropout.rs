//! Dropout, against its definition.

use crate::common::{On, values};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use fireproof::base::Keys;
use fireproof::nn::*;

on_every_device![
    value_dropout_drops_whole_channels,
    value_dropout_depends_on_named_numbers_alone,
    value_dropouts_of_a_network_are_independent,
];

fn value_dropout_drops_whole_channels(on: &On) {
    // Oracle: a channel is either 0 everywhere or the input times 1/(1 − p), and p of them are 0.
    let layer = GroupDropoutConfig::new(0.25).init();
    let ones = Tensor::<5>::ones([50, 40, 4, 2, 2], &on.device());
    assert_eq!(values(layer.forward(ones.clone())), values(ones.clone()));
    let learning = Tensor::from_inner(ones.clone());
    assert_eq!(
        values(layer.valid().forward(learning.clone())),
        values(ones)
    );
    let output = values(layer.forward(learning));
    let mut dropped = 0;
    for channel in output.chunks(16) {
        assert!(channel.iter().all(|&v| v == channel[0]));
        assert!(channel[0] == 0.0 || channel[0] == (4.0f64 / 3.0) as f32);
        dropped += usize::from(channel[0] == 0.0);
    }
    // 2,000 channels: 500 ± 5 deviations of 19.4.
    assert!((403..=597).contains(&dropped), "{dropped} of 2000");
}

fn value_dropout_depends_on_named_numbers_alone(on: &On) {
    let device = on.device().autodiff();
    let layer = || GroupDropoutConfig::new(0.5).with_seed(3).init();
    let ones = |n| Tensor::<2>::ones([n, 32], &device);

    // Pass after pass the masks differ; another run gives them again, and a clone goes on alone.
    let first = layer();
    let run: Vec<_> = (0..3).map(|_| values(first.forward(ones(2)))).collect();
    assert!(run[0] != run[1] && run[1] != run[2]);
    let second = layer();
    assert_eq!(values(second.forward(ones(2))), run[0]);
    let clone = second.clone();
    assert_eq!(values(second.forward(ones(2))), run[1]);
    assert_eq!(values(clone.forward(ones(2))), run[1]);
    // Inference in between changes nothing.
    second.valid().forward(ones(2));
    assert_eq!(values(second.forward(ones(2))), run[2]);

    // With ids, an image's mask is the same in any batch.
    let keys = Keys::new(9, [7, 8, 9]).with_draw(1);
    let batch = values(first.forward_with(ones(3), &keys));
    let alone = values(first.forward_with(ones(1), &keys.select(&[1])));
    assert_eq!(batch[32..64], alone);
    let other = values(first.forward_with(ones(1), &keys.select(&[1]).with_draw(2)));
    assert_ne!(alone, other);
}

/// Dropouts one after the other, told apart by what they have dropped: a layer that is used twice,
/// its clone, and another one.
struct Dropouts {
    layers: Vec<GroupDropout>,
}

impl Dropouts {
    fn new(probability: f64) -> Self {
        let config = GroupDropoutConfig::new(probability);
        let first = config.init();
        Self {
            layers: vec![first.clone(), first.clone(), first, config.init()],
        }
    }

    /// What each layer, and the first of them once more, drops in one pass of 64 channels.
    fn pass(&self, keys: &Keys, device: &Device) -> Vec<Vec<bool>> {
        let ones = Tensor::<2>::ones([keys.len(), 64], device);
        let layers = self.layers.iter().chain(&self.layers[..1]);
        layers
            .map(|layer| values(layer.forward_with(ones.clone(), keys)))
            .map(|output| output.into_iter().map(|value| value == 0.0).collect())
            .collect()
    }
}

/// The probability of at most `successes` of `trials`, by the definition.
fn at_most(successes: usize, trials: usize, probability: f64) -> f64 {
    let log = |k: usize| {
        let choose = (1..=k).map(|i| ((trials + 1 - i) as f64 / i as f64).ln());
        let [k, rest] = [k, trials - k].map(|count| count as f64);
        choose.sum::<f64>() + k * probability.ln() + rest * (1.0 - probability).ln()
    };
    (0..=successes).map(|k| log(k).exp()).sum()
}

fn value_dropouts_of_a_network_are_independent(on: &On) {
    let device = on.device().autodiff();
    let ids: Vec<u64> = (0..40).collect();
    for probability in [0.5, 0.2] {
        let network = Dropouts::new(probability);
        let keys = Keys::new(5, ids.clone()).with_draw(3);
        let masks = network.pass(&keys.clone(), &device);
        let next = network.pass(&keys.clone().with_draw(4), &device);
        let mut pairs = Vec::new();
        for (at, mask) in masks.iter().enumerate() {
            pairs.extend(masks[..at].iter().map(|other| (mask, other)));
            pairs.push((mask, &next[at]));
        }
        // Oracle: independent masks agree where both drop or both keep; the exact binomial tails.
        let agreement = probability.powi(2) + (1.0 - probability).powi(2);
        for (mask, other) in pairs {
            let agree = mask.iter().zip(other).filter(|(a, b)| a == b).count();
            let tails = [
                at_most(agree, mask.len(), agreement),
                at_most(mask.len() - agree, mask.len(), 1.0 - agreement),
            ];
            let tail = tails[0].min(tails[1]);
            assert!(tail > 1e-6, "{agree} of {} agree: {tail:e}", mask.len());
        }

        // A pass is a function of the keys: again, in another batch, with a layer switched off.
        assert_eq!(network.pass(&keys.clone(), &device), masks);
        let chosen = [31, 7, 12];
        let part = network.pass(&keys.select(&chosen), &device);
        for (part, mask) in part.iter().zip(&masks) {
            let rows: Vec<bool> = chosen
                .iter()
                .flat_map(|&at| mask[at * 64..(at + 1) * 64].to_vec())
                .collect();
            assert_eq!(*part, rows);
        }
        let mut network = network;
        network.layers[1] = network.layers[1].valid();
        let without = network.pass(&keys, &device);
        assert!(without[1].iter().all(|dropped| !dropped));
        for at in [0, 2, 3, 4] {
            assert_eq!(without[at], masks[at]);
        }
    }
}
