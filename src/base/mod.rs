//! What every module may use: errors, units, bounds, seeds, batches, classifiers, statistics and
//! the choice of a device.

mod batch;
mod bounds;
mod classifier;
mod device;
mod error;
mod host;
mod keys;
mod registry;
mod seed;
pub mod statistics;
mod step_size;
mod units;
mod write;

pub use batch::Batch;
pub use bounds::Bounds;
pub use classifier::Classifier;
pub use device::{DEVICE_VARIABLE, compiled_devices, device, device_named, try_device};
pub use error::{Error, Result};
pub use host::{Reads, count_reads, read};
pub use keys::Keys;
pub use registry::{Kind, NoSettings, Registry, Spec, named};
pub use seed::{Draws, Purpose, Seed};
pub use step_size::StepSize;
pub use units::{Degrees, Pixels};
pub use write::write_atomically;
