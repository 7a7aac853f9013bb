use super::Frozen;
use crate::base::{Classifier, Keys, Precision};
use burn::tensor::Tensor;
use std::sync::Arc;

impl Frozen {
    /// The same classifier, which shows each of its passes to `watch`: the images, their ids and the
    /// logits, outside autodiff.
    pub(in crate::attack) fn watched(
        &self,
        watch: impl Fn(Tensor<4>, &[u64], Tensor<2>) + Send + Sync + 'static,
    ) -> Self {
        let watched = Watched {
            watch,
            classifier: self.classifier.clone(),
        };
        Self {
            classifier: Arc::new(watched),
            ..self.clone()
        }
    }
}

struct Watched<F> {
    watch: F,
    classifier: Arc<dyn Classifier>,
}

impl<F: Fn(Tensor<4>, &[u64], Tensor<2>) + Send + Sync> Classifier for Watched<F> {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        let ids = 0..images.dims()[0] as u64;
        self.keyed_logits(images, &Keys::new(0, ids))
    }

    fn keyed_logits(&self, images: Tensor<4>, keys: &Keys) -> Tensor<2> {
        let logits = self.classifier.keyed_logits(images.clone(), keys);
        (self.watch)(images.inner(), &keys.ids, logits.clone().inner());
        logits
    }

    fn precision(&self) -> Option<Precision> {
        self.classifier.precision()
    }
}
