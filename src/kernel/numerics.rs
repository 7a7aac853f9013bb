use super::scope::Restore;
use derive_more::Display;
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::env::VarError;
use std::sync::OnceLock;

thread_local! {
    static NUMERICS: Cell<Option<Numerics>> = const { Cell::new(None) };
}

/// Which arithmetic a convolution uses.
///
/// The errors are the largest ones over the root mean square of the result, for uniform noise in up
/// to 360 channels; `tests/kernel` samples them.
#[derive(Clone, Copy, Debug, Default, Display, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[display(rename_all = "snake_case")]
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
    /// [`composed`](super::composed) and [`record`](super::record).
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
