//! Attacks against independent oracles: analytic optima, torchattacks, and the properties that
//! every honest attack has.

#[macro_use]
#[path = "../common/whole.rs"]
mod whole;
#[allow(dead_code, unused_imports)] // A part of it: `tests/portability` uses the rest.
#[path = "../common/mod.rs"]
mod common;

mod adversaries;
mod apgd;
mod auto;
#[cfg(feature = "train")]
mod autoattack;
mod bpda;
mod checks;
mod curves;
mod diagnosis;
mod draws;
mod effort;
mod errors;
mod for_training;
mod joint;
mod kept;
mod l1;
mod led;
mod linear;
mod losses;
#[cfg(feature = "train")]
mod masked;
mod moved;
mod nearest;
mod network;
mod norms;
mod optima;
mod peers;
mod planes;
mod poses;
mod radii;
mod random;
mod results;
mod sets;
mod specs;
mod square;
mod stages;
mod starts;
#[cfg(feature = "train")]
mod stored;
mod torchattacks;
mod transfer;
mod watched;
