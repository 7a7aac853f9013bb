//! Studies: many networks, trained in several ways from several seeds, measured alike, and what follows.
//!
//! A [`Study`] is plain settings, written in a file: images, networks, trainings with their seeds,
//! measurements, and the [endpoints](EndpointPlan) that it declares before it has seen any result. It consists
//! of [`Cell`]s, one network trained once and measured, each called by the [`Address`] of all settings that
//! determine its result. [`Study::begin`] gives the [`Work`] in a folder: it plans, runs and can be killed
//! anywhere; cells of several folders are brought together by [`join`]. What the outcomes say is the business of
//! [`verdicts`], which need no training and take tables of outcomes from anywhere.
//!
//! ```no_run
//! use fireproof::study::{Shard, Study};
//!
//! let study = Study::read("examples/study/quick.json")?;
//! let work = study.begin("target/study", &fireproof::device())?;
//! let tally = work.run(Shard::ALL, |_| {})?;
//! println!("{} cells made, {} were there", tally.now, tally.before);
//! # Ok::<(), fireproof::base::Error>(())
//! ```
//!
//! `cargo run --release --example study` is a thin front end of it.
//!
//! To add a place that images come from, implement [`Source`]; everything else that a study names is an open
//! point of the module that it belongs to.

#[cfg(feature = "train")]
mod cells;
#[cfg(feature = "train")]
mod findings;
#[cfg(all(feature = "report", feature = "train"))]
mod page;
#[cfg(feature = "train")]
mod settings;
pub mod verdicts;

#[cfg(feature = "train")]
pub use cells::*;
#[cfg(feature = "train")]
pub use findings::*;
#[cfg(feature = "train")]
pub use settings::*;
