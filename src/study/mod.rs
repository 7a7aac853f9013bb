//! Studies: many networks, trained in several ways from several seeds, measured alike, and what follows.

mod address;
mod cell;
mod folder;
mod join;
mod measured;
mod packed;
mod plan;
mod queue;
mod settings;
mod shard;
mod work;

pub use address::Address;
pub use cell::{Cell, RESULTS};
pub use folder::{CELL_SCHEMA, CellResult, CellTimes};
pub use join::{Joined, join};
pub use measured::Measured;
pub use plan::Planned;
pub use queue::{Event, Tally};
pub use settings::*;
pub use shard::Shard;
pub use work::{Made, Step, Work};
