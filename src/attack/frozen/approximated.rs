use super::Frozen;
use crate::base::{Classifier, Keys, Precision};
use burn::tensor::Tensor;
use std::sync::Arc;

impl Frozen {
    /// This classifier behind a map that has no useful gradient, such as quantisation, thresholds or a
    /// compression, as if it had that of another one: *backward pass differentiable approximation*,
    /// BPDA. (A. Athalye, N. Carlini, D. Wagner 2018, "Obfuscated Gradients Give a False Sense of
    /// Security", section 4.1.)
    ///
    /// Every pass goes forward through `map`, to the bit; a gradient goes back through `backward`,
    /// which must be differentiable, and finite, at the same images. Maps of this kind and others may
    /// follow one another in any order.
    ///
    /// ```
    /// use burn::tensor::Tensor;
    /// use fireproof::attack::{Attack, Frozen, Pgd};
    /// use fireproof::base::{Batch, Seed};
    ///
    /// let brightness = Frozen::from_fn(|images: Tensor<4>| {
    ///     let mean = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3);
    ///     Tensor::cat(vec![-mean.clone() + 1.0, mean], 1)
    /// });
    /// let black_or_white = |images: Tensor<4>| images.greater_elem(0.5).float();
    /// let steep = |images: Tensor<4>| burn::tensor::activation::sigmoid((images - 0.5) * 10.0);
    /// let victim = brightness.through_approximated(black_or_white, steep);
    ///
    /// let images = Tensor::<4>::full([1, 1, 8, 8], 0.55, &fireproof::device());
    /// let batch = Batch::new(images, Tensor::from_ints([1], &fireproof::device()))?;
    /// let found = Pgd::linf(0.1).attack(&victim, &batch, Seed(1))?;
    /// assert_eq!(found.fooled, [true]);
    /// # Ok::<(), fireproof::base::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// Gradient passes panic if the two do not make images of one shape.
    pub fn through_approximated(
        &self,
        map: impl Fn(Tensor<4>) -> Tensor<4> + Send + Sync + 'static,
        backward: impl Fn(Tensor<4>) -> Tensor<4> + Send + Sync + 'static,
    ) -> Self {
        self.behind(Arc::new(move |images: Tensor<4>, _: &Keys| {
            approximated(images, &map, &backward)
        }))
    }

    /// [`through_approximated`](Self::through_approximated) with a gradient that goes back as if there
    /// were no map: the *straight-through* estimator. (Y. Bengio, N. Léonard, A. Courville 2013,
    /// "Estimating or Propagating Gradients Through Stochastic Neurons for Conditional Computation".)
    ///
    /// ```
    /// use burn::tensor::Tensor;
    /// use fireproof::attack::Frozen;
    /// use fireproof::base::read;
    ///
    /// let victim = Frozen::from_fn(|images: Tensor<4>| images.flatten::<2>(1, 3));
    /// let four_levels = victim.through_straight(|images| (images * 3.0).round() / 3.0);
    /// let images = Tensor::<4>::full([1, 1, 1, 2], 0.4, &fireproof::device());
    /// let pass = four_levels.loss_gradient(images, |logits| logits.sum_dim(1).squeeze_dim(1))?;
    /// assert_eq!(read::<f32, _, _>(&pass.gradient), [1.0, 1.0]);
    /// # Ok::<(), fireproof::base::Error>(())
    /// ```
    pub fn through_straight(
        &self,
        map: impl Fn(Tensor<4>) -> Tensor<4> + Send + Sync + 'static,
    ) -> Self {
        self.through_approximated(map, |images| images)
    }

    /// The same classifier with the backward pass of another function from images to logits: BPDA of
    /// all of it. Its logits, in gradient passes too, are its own to the bit; the gradient of their
    /// loss goes back through `backward`, which must be differentiable, and finite, at the same images.
    ///
    /// Unlike [`with_gradients_of`](Self::with_gradients_of), the loss is the one of this classifier's
    /// logits.
    ///
    /// ```
    /// use burn::tensor::Tensor;
    /// use fireproof::attack::Frozen;
    /// use fireproof::base::read;
    ///
    /// let steps = Frozen::from_fn(|images: Tensor<4>| images.flatten::<2>(1, 3).round());
    /// let victim = steps.with_backward(|images| images.flatten::<2>(1, 3));
    /// let images = Tensor::<4>::full([1, 1, 1, 2], 0.75, &fireproof::device());
    /// let square = |logits: Tensor<2>| logits.square().sum_dim(1).squeeze_dim(1);
    /// let pass = victim.loss_gradient(images, square)?;
    /// assert_eq!(read::<f32, _, _>(&pass.logits), [1.0, 1.0]);
    /// assert_eq!(read::<f32, _, _>(&pass.gradient), [2.0, 2.0]);
    /// # Ok::<(), fireproof::base::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// Gradient passes panic if `backward` does not give as many logits.
    pub fn with_backward(
        &self,
        backward: impl Fn(Tensor<4>) -> Tensor<2> + Send + Sync + 'static,
    ) -> Self {
        let classifier = self.classifier.clone();
        Self {
            classifier: Arc::new(Led {
                classifier,
                backward,
            }),
            ..self.clone()
        }
    }
}

struct Led<F> {
    classifier: Arc<dyn Classifier>,
    backward: F,
}

impl<F: Fn(Tensor<4>) -> Tensor<2> + Send + Sync> Classifier for Led<F> {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        let ids = 0..images.dims()[0] as u64;
        self.keyed_logits(images, &Keys::new(0, ids))
    }

    fn keyed_logits(&self, images: Tensor<4>, keys: &Keys) -> Tensor<2> {
        let forward = |images| self.classifier.keyed_logits(images, keys);
        approximated(images, &forward, &self.backward)
    }

    fn precision(&self) -> Option<Precision> {
        self.classifier.precision()
    }
}

// What `map` gives, with the gradient of `backward` where one is asked for.
fn approximated<const D: usize>(
    images: Tensor<4>,
    map: &impl Fn(Tensor<4>) -> Tensor<D>,
    backward: &impl Fn(Tensor<4>) -> Tensor<D>,
) -> Tensor<D> {
    if !images.is_tracked() {
        return map(images);
    }
    let value = Tensor::from_inner(map(images.clone().detach()).inner());
    let slope = backward(images);
    let shapes = [value.dims(), slope.dims()];
    assert_eq!(shapes[0], shapes[1], "a map and its approximation");
    // Minus zero, which changes no number, not even −0.
    value - (slope.clone().detach() - slope)
}
