//! How operations compute on this thread: their numerics, and which path they took.

use std::cell::{Cell, RefCell};
use std::env::VarError;
use std::fmt;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

/// Which arithmetic a convolution uses.
///
/// The errors are the largest ones over the root mean square of the result, for uniform noise in up
/// to 360 channels; `tests/kernel.rs` samples them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Numerics {
    /// A direct sum, or F(2,3) Winograd, which rounds about as much as one (A. Lavin, S. Gray 2016,
    /// "Fast Algorithms for Convolutional Neural Networks"): errors below 1e-5 of the root mean
    /// square (measured: 4e-6). Sums of small integers are exact. p4m convolutions have less than
    /// half of F(2,3)'s products by their mirrors, without more error; wide ones with
    /// [`Fast`](Self::Fast), too.
    #[default]
    Exact,
    /// F(4,3) Winograd, 4 times fewer products than a direct sum: errors below 4e-5 of the root
    /// mean square (measured: 1.4e-5).
    Fast,
}

impl Numerics {
    /// Runs `work` with these numerics on this thread; what it computes elsewhere, and what comes
    /// after, is not concerned. A backward pass uses the numerics of its forward pass.
    ///
    /// On a thread of a rayon pool, `work` may have to wait for other threads and take up another
    /// task of the pool meanwhile, which then runs with these numerics too. The same is true of
    /// [`composed`] and [`record`].
    ///
    /// ```
    /// use fireproof::kernel::Numerics;
    ///
    /// assert_eq!(Numerics::Fast.run(Numerics::current), Numerics::Fast);
    /// ```
    pub fn run<R>(self, work: impl FnOnce() -> R) -> R {
        let before = NUMERICS.replace(Some(self));
        let _restore = Restore(|| NUMERICS.set(before));
        work()
    }

    /// The numerics of this thread. Outside of [`Numerics::run`] these are what the environment
    /// variable [`NUMERICS_VARIABLE`] says, `exact` or `fast`, and [`Numerics::Exact`] without it.
    pub fn current() -> Self {
        NUMERICS.get().unwrap_or_else(preset)
    }
}

/// The environment variable that chooses the [`Numerics`] where a program chooses none. Clean
/// predictions and verdicts of attacks are exact all the same.
pub const NUMERICS_VARIABLE: &str = "FIREPROOF_NUMERICS";

fn preset() -> Numerics {
    static PRESET: OnceLock<Numerics> = OnceLock::new();
    *PRESET.get_or_init(|| match std::env::var(NUMERICS_VARIABLE).as_deref() {
        Ok("fast") => Numerics::Fast,
        Err(VarError::NotPresent) | Ok("" | "exact") => Numerics::Exact,
        _ => {
            log::warn!("{NUMERICS_VARIABLE} is neither exact nor fast; taking exact");
            Numerics::Exact
        }
    })
}

impl fmt::Display for Numerics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exact => "exact",
            Self::Fast => "fast",
        })
    }
}

thread_local! {
    static NUMERICS: Cell<Option<Numerics>> = const { Cell::new(None) };
    static COMPOSED: Cell<bool> = const { Cell::new(false) };
    static RECORD: RefCell<Option<Vec<Ran>>> = const { RefCell::new(None) };
}

/// Runs something when dropped, also when a panic passes.
struct Restore<F: FnMut()>(F);

impl<F: FnMut()> Drop for Restore<F> {
    fn drop(&mut self) {
        (self.0)();
    }
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

/// Runs `work` on Burn's operations only, whatever kernels there are for this thread: what kernels
/// are compared with.
pub fn composed<R>(work: impl FnOnce() -> R) -> R {
    let before = COMPOSED.replace(true);
    let _restore = Restore(|| COMPOSED.set(before));
    work()
}

/// Runs `work` and tells which operations with kernels it ran on this thread, in their order, and
/// on which path.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::{Device, Tensor};
/// use fireproof::kernel::{self, Path};
/// use fireproof::nn::Conv2dConfig;
///
/// let device = Device::flex();
/// let [three, five] = [3, 5].map(|side| Conv2dConfig::new([8, 8], side).init(&device));
/// let images = Tensor::<4>::ones([1, 8, 9, 9], &device);
/// let (_, ran) = kernel::record(|| (three.forward(images.clone()), five.forward(images)));
/// let paths: Vec<Path> = ran.iter().map(|ran| ran.path).collect();
/// assert_eq!(paths, [Path::Kernel, Path::Composed]);
/// # }
/// ```
pub fn record<R>(work: impl FnOnce() -> R) -> (R, Vec<Ran>) {
    let mut before = RECORD.replace(Some(Vec::new()));
    let mut ran = Vec::new();
    let result = {
        let _restore = Restore(|| ran = RECORD.replace(before.take()).unwrap_or_default());
        work()
    };
    // Whoever records around this records it too.
    RECORD.with_borrow_mut(|outer| {
        if let Some(outer) = outer {
            outer.extend(ran.iter().cloned());
        }
    });
    (result, ran)
}

/// Whether to take the kernel, if `possible`; noted for [`record`].
pub(crate) fn choose(operation: &'static str, possible: impl FnOnce() -> bool) -> Path {
    let path = if !COMPOSED.get() && possible() {
        Path::Kernel
    } else {
        Path::Composed
    };
    RECORD.with_borrow_mut(|record| {
        if let Some(record) = record {
            record.push(Ran { operation, path });
        }
    });
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn convention_scopes_end_where_they_end() {
        let before = Numerics::current();
        let broken = std::panic::catch_unwind(|| {
            Numerics::Fast.run(|| composed(|| panic!("as an attack's loss may")))
        });
        assert!(broken.is_err());
        assert_eq!(Numerics::current(), before);
        assert_eq!(choose("test", || true), Path::Kernel);
        let nested = Numerics::Fast.run(|| Numerics::Exact.run(Numerics::current));
        assert_eq!(nested, Numerics::Exact);
        let elsewhere = Numerics::Fast.run(|| {
            std::thread::spawn(Numerics::current)
                .join()
                .expect("a thread")
        });
        assert_eq!(elsewhere, before);
    }

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
