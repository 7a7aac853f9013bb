//! The work of a study: its cells by their addresses, the folder of their results, who makes which.

mod address;
mod cell;
mod folder;
mod join;
mod make;
mod measured;
mod packed;
mod plan;
mod queue;
mod result;
mod scan;
mod shard;
mod work;

pub use address::Address;
pub use cell::{Cell, RESULTS};
pub use join::{Joined, join};
pub use make::{Made, Step};
pub use measured::Measured;
pub use plan::Planned;
pub use queue::{Event, Tally};
pub use result::{CELL_SCHEMA, CellResult, CellTimes};
pub use scan::Scanned;
pub use shard::Shard;
pub use work::Work;
