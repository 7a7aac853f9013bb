//! Studies: verdicts on simulated outcomes, of which the truth is known.

mod calibration;
mod coverage;
mod trials;
mod verdicts;
mod world;
