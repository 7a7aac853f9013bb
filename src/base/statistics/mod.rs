//! Intervals and tests for proportions measured on images, by one network or by several of them.
//!
//! One random draw per image makes the images independent: [`wilson`]. Several draws of the same
//! image are not independent of each other: [`clustered`]. Two models on the same images:
//! [`paired`] for the difference, [`sign_flip`] for whether there is one ([`mcnemar`] is its case of
//! one draw), with [`holm`] over a family of such tests.
//!
//! Those speak of the networks at hand. Networks of several seeds on the same images are a table of
//! which rows and columns both vary: [`Crossed`] is its mean with an error that knows of both.
//! [`student`] is the distribution that goes with it, and [`holm_exclusive`] a family in which every
//! question has two answers to test for.
//!
//! Nothing here is random. The intervals hold the truth in at least 93.5 % of samples where a 95 %
//! bootstrap or textbook interval falls to 88 to 92 %: near 0 and 1, on few images.

mod crossed;
mod exact;
mod holm;
mod interval;
mod proportion;
pub mod student;

pub use crossed::{Crossed, Table};
pub use exact::{mcnemar, sign_flip};
pub use holm::{holm, holm_exclusive};
pub use interval::Interval;
pub use proportion::{clustered, paired, wilson};
