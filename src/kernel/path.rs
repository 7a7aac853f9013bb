use crate::base::Setting;

thread_local! {
    static COMPOSED: Setting<()> = const { Setting::new() };
    static RECORD: Setting<Vec<Ran>> = const { Setting::new() };
}

/// The path of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Path {
    /// This crate's own kernel.
    Kernel,
    /// Burn's operations.
    Composed,
}

/// One operation that ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// The operation, such as `conv2d` or `max_pool2d`.
    pub operation: &'static str,
    /// The path taken by its forward pass; its backward pass takes the same.
    pub path: Path,
}

/// Runs `work` on Burn's operations only, whatever kernels there are for it: what kernels are
/// compared with. Kept apart as [`Numerics::run`](super::Numerics::run) says.
pub fn composed<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    match is_composed() {
        true => work(),
        false => Setting::during(&COMPOSED, (), work).0,
    }
}

/// Whether kernels are forbidden.
pub(crate) fn is_composed() -> bool {
    Setting::with(&COMPOSED, |()| ()).is_some()
}

/// Runs `work` and tells which operations with kernels it ran, in their order, and on which path.
/// Kept apart as [`Numerics::run`](super::Numerics::run) says.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::{Device, Tensor};
/// use fireproof::kernel::{self, Path};
/// use fireproof::nn::Conv2dConfig;
///
/// let device = Device::flex();
/// let [three, nine] = [3, 9].map(|side| Conv2dConfig::new([8, 8], side).init(&device));
/// let images = Tensor::<4>::ones([1, 8, 9, 9], &device);
/// let (_, ran) = kernel::record(|| (three.forward(images.clone()), nine.forward(images)));
/// let paths: Vec<Path> = ran.iter().map(|ran| ran.path).collect();
/// assert_eq!(paths, [Path::Kernel, Path::Composed]);
/// # }
/// ```
pub fn record<R: Send>(work: impl FnOnce() -> R + Send) -> (R, Vec<Ran>) {
    let (result, ran) = Setting::during(&RECORD, Vec::new(), work);
    // Whoever records around this records it too.
    Setting::with(&RECORD, |outer| outer.extend(ran.iter().cloned()));
    (result, ran)
}

/// Whether to take the kernel, if `possible`; noted for [`record`].
pub(crate) fn choose(operation: &'static str, possible: impl FnOnce() -> bool) -> Path {
    let path = if !is_composed() && possible() {
        Path::Kernel
    } else {
        Path::Composed
    };
    Setting::with(&RECORD, |ran| ran.push(Ran { operation, path }));
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_record_keeps_order_and_nests() {
        let ((_, inner), outer) = record(|| {
            choose("first", || true);
            record(|| composed(|| choose("second", || true)))
        });
        let ran = |operation, path| Ran { operation, path };
        assert_eq!(inner, [ran("second", Path::Composed)]);
        assert_eq!(
            outer,
            [ran("first", Path::Kernel), ran("second", Path::Composed)]
        );
        assert!(record(|| ()).1.is_empty());
    }
}
