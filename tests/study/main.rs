//! Studies: their settings and cells, and verdicts on simulated outcomes, of which the truth is known.

mod calibration;
#[cfg(all(feature = "flex", feature = "train"))]
mod cells;
mod coverage;
#[cfg(all(feature = "flex", feature = "report", feature = "train"))]
mod findings;
#[cfg(all(feature = "flex", feature = "train"))]
mod given;
#[cfg(all(feature = "flex", feature = "report", feature = "train"))]
mod killed;
#[cfg(all(feature = "flex", feature = "train"))]
mod scans;
#[cfg(feature = "train")]
mod settings;
mod trials;
mod verdicts;
mod world;
