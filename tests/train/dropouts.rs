//! Dropouts of networks that know of no keys.

use crate::common::{On, values};
use burn::module::Module;
use burn::tensor::Tensor;
use fireproof::base::{Classifier, Keys};
use fireproof::nn::{GroupDropout, GroupDropoutConfig};
use fireproof::train::Student;

on_every_device![value_dropouts_without_keys_draw_for_images_and_apart];

// Its logits are what two dropouts of the same seed make of ones.
#[derive(Module, Debug)]
struct Two {
    first: GroupDropout,
    second: GroupDropout,
}

const WIDTH: usize = 200;

impl Classifier for Two {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        let ones = images.flatten::<2>(1, 3).narrow(1, 0, 1) * 0.0 + 1.0;
        let ones = ones.repeat_dim(1, WIDTH);
        let masks = vec![self.first.forward(ones.clone()), self.second.forward(ones)];
        Tensor::cat(masks, 1)
    }
}

fn value_dropouts_without_keys_draw_for_images_and_apart(on: &On) {
    let layer = || GroupDropoutConfig::new(0.5).init();
    let model = Two {
        first: layer(),
        second: layer(),
    };
    let pass = |ids: &[u64]| {
        let images = Tensor::zeros([ids.len(), 1, 2, 2], &on.device().autodiff());
        values(model.pass(images, &Keys::new(3, ids.to_vec())).inner())
    };
    let whole = pass(&[4, 9, 11]);
    for image in whole.chunks(2 * WIDTH) {
        let (first, second) = image.split_at(WIDTH);
        let agree = first.iter().zip(second).filter(|(a, b)| a == b).count();
        // Binomial, 100 ± 6 deviations of 7.1.
        assert!((58..=142).contains(&agree), "{agree} of {WIDTH}");
    }
    // By id, whatever the batch and the passes before.
    assert_eq!(
        pass(&[11, 4]),
        [&whole[4 * WIDTH..], &whole[..2 * WIDTH]].concat()
    );
    assert_eq!(pass(&[4, 9, 11]), whole);
    // In inference nothing is dropped.
    let images = Tensor::zeros([1, 1, 2, 2], &on.device());
    assert_eq!(values(model.valid().logits(images)), vec![1.0; 2 * WIDTH]);
}
