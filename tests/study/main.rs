//! Studies: verdicts on simulated outcomes, of which the truth is known.

mod calibration;
mod trials;
mod world;
