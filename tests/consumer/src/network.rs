//! A network: any Burn module that maps images to logits.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, activation::relu};
use fireproof::base::Classifier;

/// One convolution, the mean of each of its channels' quarters, and a linear layer.
#[derive(Module, Debug)]
pub struct Network {
    features: Conv2d,
    classes: Linear,
}

impl Network {
    /// With weights of Burn's choice, for 8×8 images in grey.
    pub fn new(classes: usize, device: &Device) -> Self {
        Self {
            features: Conv2dConfig::new([1, 4], [3, 3]).init(device),
            classes: LinearConfig::new(16, classes).init(device),
        }
    }
}

impl Classifier for Network {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        let count = images.dims()[0];
        let features = relu(self.features.forward(images));
        let quarters = features.reshape([count, 4, 2, 3, 2, 3]).mean_dims(&[3, 5]);
        self.classes.forward(quarters.reshape([count, 16]))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use burn::tensor::TensorData;
    use fireproof::attack::{Attack, Frozen, Pgd};
    use fireproof::base::{Batch, Purpose, Seed};
    use fireproof::nn::InitialWeights;

    /// Images of noise with the classes 0, 1, 2, 0 and so on.
    pub(crate) fn batch(count: usize) -> Batch {
        let mut draws = Seed(5).draws(Purpose::Subset, 0, 0);
        let pixels: Vec<f32> = (0..count * 64)
            .map(|_| draws.uniform(0.2, 0.8) as f32)
            .collect();
        let device = fireproof::device();
        let images = Tensor::from_data(TensorData::new(pixels, [count, 1, 8, 8]), &device);
        let labels: Vec<i64> = (0..count as i64).map(|at| at % 3).collect();
        Batch::new(
            images,
            Tensor::from_data(TensorData::new(labels, [count]), &device),
        )
        .unwrap()
    }

    /// Three classes by smooth functions of single images, without matrix products, whose rounding
    /// depends on the batch on some backends.
    pub(crate) fn victim() -> Frozen {
        Frozen::from_fn(|images: Tensor<4>| {
            let part = |from, rows| {
                let rows = images
                    .clone()
                    .narrow(2, from, rows)
                    .narrow(3, from, 8 - from);
                rows.powi_scalar(2).mean_dims(&[1, 2, 3]).flatten::<2>(1, 3)
            };
            Tensor::cat(
                vec![part(0, 3) * 6.0, part(3, 3) * 5.0, part(5, 3) * 4.0],
                1,
            )
        })
    }

    #[test]
    fn smoke_a_network_is_attacked() {
        let network = Network::new(3, &fireproof::device()).map(&mut InitialWeights::uniform(1));
        let batch = batch(3);
        assert_eq!(network.logits(batch.images.clone()).dims(), [3, 3]);
        let victim = Frozen::new(&network);
        let clean = Pgd::linf(0.0).attack(&victim, &batch, Seed(1)).unwrap();
        let found = Pgd::linf(0.1).attack(&victim, &batch, Seed(1)).unwrap();
        assert!(found.loss.iter().zip(&clean.loss).all(|(a, b)| a > b));
    }
}
