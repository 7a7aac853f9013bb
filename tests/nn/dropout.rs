//! Dropout, against its definition.

use crate::common::{On, values};
use burn::module::Module;
use burn::tensor::Tensor;
use fireproof::base::Keys;
use fireproof::nn::*;

on_every_device![
    value_dropout_drops_whole_channels,
    value_dropout_depends_on_named_numbers_alone,
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
