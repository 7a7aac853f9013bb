//! What every module may use: errors, units, bounds, seeds, batches, classifiers, statistics and
//! the choice of a device.

mod batch;
mod bounds;
mod classifier;
mod device;
mod error;
mod seed;
pub mod statistics;
mod units;

pub use batch::Batch;
pub use bounds::Bounds;
pub use classifier::Classifier;
pub use device::{DEVICE_VARIABLE, compiled_devices, device, device_named, try_device};
pub use error::{Error, Result};
pub use seed::{Draws, Purpose, Seed};
pub use units::{Degrees, Pixels};
