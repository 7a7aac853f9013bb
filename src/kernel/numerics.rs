use crate::base::Setting;
use derive_more::Display;
use serde::{Deserialize, Serialize};
use std::env::VarError;
use std::sync::OnceLock;

thread_local! {
    static NUMERICS: Setting<Numerics> = const { Setting::new() };
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
    /// square (measured: 4e-6). Images of 2×2 pixels take 9 products where F(2,3) takes 16, as half of what it
    /// reads is zeros around them. Sums of small integers are exact. p4m convolutions have less than
    /// half of F(2,3)'s products by their mirrors, without more error; wide ones with
    /// [`Fast`](Self::Fast), too.
    #[default]
    Exact,
    /// F(4,3) Winograd, 4 times fewer products than a direct sum: errors below 4e-5 of the root
    /// mean square (measured: 1.4e-5). Where the result has no more than 16 pixels, or 64 between many
    /// channels, the tiles of [`Exact`](Self::Exact): there are more weights to read than products to save.
    Fast,
}

impl Numerics {
    /// Whether a result of so many pixels, by so many pairs of an output and an input channel, is too small for the
    /// large tiles of [`Fast`](Self::Fast): whether they have more weights to read than they save products.
    pub(crate) fn is_small(self, pixels: usize, filters: usize) -> bool {
        let small = match filters {
            // These come from memory.
            16_384.. => 64,
            _ => 16,
        };
        self == Self::Fast && pixels <= small
    }

    /// Runs `work` with these numerics, and nothing else: not what other threads compute meanwhile,
    /// nor what comes after. A backward pass uses the numerics of its forward pass.
    ///
    /// Tasks of rayon's pools keep their numerics apart, whatever a thread takes up while it waits:
    /// there, `work` runs on a thread of a pool of this crate's own with as many threads, unless its
    /// numerics are those that hold anyway. The same is true of [`composed`](super::composed),
    /// [`record`](super::record) and [`count_reads`](crate::base::count_reads). Three things follow. Tasks
    /// that `work` itself gives to a pool choose for themselves. A thread of a pool does nothing else
    /// while it waits for `work`, so `work` must not wait for the pool that it comes from. And what
    /// Burn keeps by thread, the statistics of batch norm's last training pass, has to be taken down
    /// after each pass by `let _ = model.valid();` (trainings of this crate do).
    ///
    /// ```
    /// use fireproof::kernel::Numerics;
    ///
    /// assert_eq!(Numerics::Fast.run(Numerics::current), Numerics::Fast);
    /// ```
    pub fn run<R: Send>(self, work: impl FnOnce() -> R + Send) -> R {
        match Self::current() == self {
            true => work(),
            false => Setting::during(&NUMERICS, self, work).0,
        }
    }

    /// The numerics that hold here. Outside of [`Numerics::run`] these are what the environment
    /// variable [`NUMERICS_VARIABLE`] says, `exact` or `fast`, and [`Numerics::Exact`] without it.
    pub fn current() -> Self {
        Setting::with(&NUMERICS, |numerics| *numerics).unwrap_or_else(preset)
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

#[cfg(test)]
mod tests {
    use crate::kernel::{Numerics, Path, choose, composed};

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
}
