use crate::base::read;
use crate::kernel::{self, Affine, Filters, Statistics};
use crate::nn::batch_norm::given;
use burn::module::{
    Content, Devices, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor,
};
use burn::nn::BatchNorm;
use burn::tensor::{Device, Tensor};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The filters of a convolution, expanded over the group and transformed for its kernel once for a
/// model that no longer learns.
///
/// A leaf of the module tree without parameters. It keeps nothing while gradients of the weights
/// are wanted, and whatever may give its layer other weights or another device (mapping, loading,
/// moving, forking, switching between training and inference) hands on an empty one. As a layer's
/// weights can be reached in no other way, no filter can be out of date.
#[derive(Clone, Debug, Default)]
pub struct FilterCache {
    // Clones of a layer have equal weights until one of them is mapped, so they may share.
    prepared: Arc<OnceLock<Filters>>,
    normalised: Arc<Mutex<Option<Normalised>>>,
}

/// Filters with a normalisation folded in.
#[derive(Debug)]
struct Normalised {
    /// Scale, shift, mean, variance and ε.
    by: Vec<u32>,
    filters: Filters,
}

impl FilterCache {
    /// Whether filters are kept.
    pub fn is_prepared(&self) -> bool {
        self.prepared.get().is_some()
    }

    /// The filters made by `expand`, kept if neither weight nor bias takes part in a graph.
    pub(crate) fn filters<const D: usize>(
        &self,
        weight: Tensor<D>,
        bias: Option<Tensor<1>>,
        expand: impl FnOnce(Tensor<D>, Option<Tensor<1>>) -> Filters,
    ) -> Filters {
        if weight.is_tracked() || bias.as_ref().is_some_and(Tensor::is_tracked) {
            return expand(weight, bias);
        }
        if let Some(prepared) = self.prepared.get() {
            return prepared.clone();
        }
        // Outside of the cell's lock: a thread of the pool that waits for a part of this may take up
        // another batch, which asks for the same cell. Another thread may have been first.
        let _ = self.prepared.set(expand(weight, bias));
        self.prepared.get().expect("the cell was filled").clone()
    }

    /// These filters with a normalisation folded in, for features on this device; `None` unless neither
    /// learns and there is a kernel that would gain by it.
    ///
    /// The normalisation is another layer, which may be given other numbers: they are compared every
    /// time.
    pub(crate) fn normalised(
        &self,
        filters: &Filters,
        norm: &BatchNorm,
        device: &Device,
    ) -> Option<Filters> {
        if kernel::is_composed() || filters.is_tracked() || !filters.suits() {
            return None;
        }
        let (affine, statistics) = given(norm, device);
        let (Affine { scale, shift }, Statistics { mean, variance }) = (affine, statistics?);
        let numbers = [scale, shift, mean, variance];
        if !numbers.iter().all(|n| kernel::suits(n) && !n.is_tracked()) {
            return None;
        }
        let numbers = numbers.map(Tensor::inner);
        let bits = |numbers: &Tensor<1>| read::<f32, _, _>(numbers).into_iter().map(f32::to_bits);
        let epsilon = norm.epsilon.to_bits();
        let by: Vec<u32> = (numbers.iter().flat_map(bits))
            .chain([epsilon as u32, (epsilon >> 32) as u32])
            .collect();
        let lock = || {
            self.normalised
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        let kept = |found: &&Normalised| found.by == by;
        if let Some(found) = lock().as_ref().filter(kept) {
            return Some(found.filters.clone());
        }
        let [scale, shift, mean, variance] = numbers;
        let filters = filters.inner().normalised(
            Affine { scale, shift },
            Statistics { mean, variance },
            norm.epsilon,
        );
        // Another thread may have been first, with the same value.
        *lock() = Some(Normalised {
            by,
            filters: filters.clone(),
        });
        Some(filters)
    }
}

impl Module for FilterCache {
    fn collect_devices(&self, devices: Devices) -> Devices {
        devices
    }

    fn fork(self, _: &Device) -> Self {
        Self::default()
    }

    fn to_device(self, _: &Device) -> Self {
        Self::default()
    }

    fn train(self) -> Self {
        Self::default()
    }

    fn valid(&self) -> Self {
        Self::default()
    }

    fn materialize(self) -> Self {
        Self::default()
    }

    fn visit<V: ModuleVisitor>(&self, _: &mut V) {}

    fn map<M: ModuleMapper>(self, _: &mut M) -> Self {
        Self::default()
    }
}

impl ModuleDisplayDefault for FilterCache {
    fn content(&self, content: Content) -> Option<Content> {
        let state = if self.is_prepared() {
            "prepared"
        } else {
            "empty"
        };
        content.add_formatted(&state).optional()
    }
}

impl ModuleDisplay for FilterCache {}
