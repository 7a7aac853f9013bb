use super::Frozen;
use burn::tensor::Tensor;
use std::sync::Arc;

/// What is shown of a pass: images, ids and logits.
pub(super) type Watch = dyn Fn(Tensor<4>, &[u64], Tensor<2>) + Send + Sync;

impl Frozen {
    /// The same classifier, which shows each of its passes to `watch`: the images, their ids and the
    /// logits, outside autodiff; of a random one the mean over its draws.
    pub(in crate::attack) fn watched(
        &self,
        watch: impl Fn(Tensor<4>, &[u64], Tensor<2>) + Send + Sync + 'static,
    ) -> Self {
        Self {
            watch: Some(Arc::new(watch)),
            ..self.clone()
        }
    }

    pub(super) fn show(&self, images: &Tensor<4>, logits: &Tensor<2>) {
        let Some(watch) = &self.watch else {
            return;
        };
        let numbered = || (0..images.dims()[0] as u64).collect();
        let ids = self.ids.clone().unwrap_or_else(numbered);
        watch(images.clone().inner(), &ids, logits.clone().inner());
    }
}
