use crate::base::{Keys, Purpose, Seed, assert_alike, config};
use crate::nn::layer::display;
use burn::module::{Flag, Module, Param};
use burn::tensor::{Tensor, TensorData};
use derive_new::new;
use derive_setters::Setters;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering};

/// Configuration of a [`GroupDropout`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters, new)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct GroupDropoutConfig {
    /// The probability that a channel is dropped, at least 0 and below 1.
    pub probability: f64,
    /// The seed of the layer's own draws, made where it is given no keys. Layers of one seed then
    /// drop alike: in a network of several, give each its own, or better all the images' keys.
    #[new(value = "0")]
    pub seed: u64,
}

config!(GroupDropoutConfig);

impl GroupDropoutConfig {
    /// The layer.
    ///
    /// # Panics
    ///
    /// Panics unless the probability is at least 0 and below 1.
    pub fn init(&self) -> GroupDropout {
        assert!(
            (0.0..1.0).contains(&self.probability),
            "dropout probability {} is not in [0, 1)",
            self.probability
        );
        GroupDropout {
            probability: self.probability,
            seed: Seed(self.seed),
            passes: Passes::default(),
            training: Param::from_bool(true),
        }
    }
}

/// Drops whole channels at random during training: all components and pixels of a channel
/// together, so that it commutes with every motion. What is kept is scaled by 1/(1 − probability).
///
/// Active, as Burn's dropout is, for inputs on an autodiff device and until `valid` or `freeze`
/// switches it off. On features without group and space, `[batch, feature]`, it is ordinary
/// dropout (Srivastava et al. 2014).
///
/// Burn draws its masks from a generator shared by the whole process. Here they are a function of
/// numbers one can name, so that the same training run gives the same weights.
#[doc(alias = "FieldDropout")]
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct GroupDropout {
    probability: f64,
    #[module(skip)]
    seed: Seed,
    #[module(skip)]
    passes: Passes,
    /// Whether to drop anything on an autodiff device.
    pub training: Param<Flag>,
}

impl GroupDropout {
    /// The input with some channels dropped.
    ///
    /// The masks depend on the layer's seed, the image's place in the batch, and the number of
    /// training passes that this layer made before; a clone continues at the same number by
    /// itself. Where images have ids, prefer [`forward_with`](Self::forward_with).
    ///
    /// # Shapes
    ///
    /// - input, output: `[batch, channel, ..]`
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        if !self.is_active(&input) {
            return input;
        }
        let places: Vec<u64> = (0..input.dims()[0] as u64).collect();
        let keys = Keys::new(self.seed, places).with_draw(self.passes.next());
        self.drop_channels(input, &keys)
    }

    /// The input with some channels dropped, as determined by the images' keys alone, whatever the
    /// batch.
    ///
    /// Every call takes the [next layer](Keys::next_layer) of the keys, whether it drops anything
    /// or not: the dropouts of a network, in one pass with the same keys, drop independently of
    /// each other.
    ///
    /// # Shapes
    ///
    /// - input, output: `[batch, channel, ..]`
    ///
    /// # Panics
    ///
    /// Panics unless there are as many keys as images, or if
    /// [`Precision`](crate::base::Precision) does not know the input's element type.
    pub fn forward_with<const D: usize>(&self, input: Tensor<D>, keys: &Keys) -> Tensor<D> {
        assert_eq!(keys.len(), input.dims()[0], "as many ids as images");
        let keys = keys.next_layer();
        match self.is_active(&input) {
            true => self.drop_channels(input, &keys),
            false => input,
        }
    }

    /// [`forward_with`](Self::forward_with) these keys, or [`forward`](Self::forward) without.
    pub(crate) fn respond<const D: usize>(
        &self,
        input: Tensor<D>,
        keys: Option<&Keys>,
    ) -> Tensor<D> {
        match keys {
            Some(keys) => self.forward_with(input, keys),
            None => self.forward(input),
        }
    }

    fn is_active<const D: usize>(&self, input: &Tensor<D>) -> bool {
        self.probability > 0.0 && self.training.is_enabled() && input.device().is_autodiff()
    }

    fn drop_channels<const D: usize>(&self, input: Tensor<D>, keys: &Keys) -> Tensor<D> {
        assert_alike("dropout", &[("input", input.dtype())]);
        let channels = input.dims()[1];
        let kept = 1.0 / (1.0 - self.probability);
        let mut mask = Vec::with_capacity(keys.len() * channels);
        for position in 0..keys.len() {
            let mut draws = keys.draws(Purpose::Dropout, position);
            mask.extend((0..channels).map(|_| match draws.chance(self.probability) {
                true => 0.0,
                false => kept,
            }));
        }
        let mut shape = [1; D];
        shape[..2].copy_from_slice(&[keys.len(), channels]);
        let mask = TensorData::new(mask, shape);
        let mask = Tensor::from_data(mask, (&input.device(), input.dtype()));
        input * mask
    }
}

display!(GroupDropout, |layer, content| content
    .add("probability", &layer.probability));

/// Counts training passes. A clone counts on by itself: two runs from the same model must not
/// depend on each other.
#[derive(Debug, Default)]
struct Passes(AtomicU64);

impl Passes {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

impl Clone for Passes {
    fn clone(&self) -> Self {
        Self(AtomicU64::new(self.0.load(Ordering::Relaxed)))
    }
}
