//! What every module may use: errors, units, bounds, element types, seeds and keys, batches,
//! classifiers, statistics, names in files, whole writing and the choice of a device.
//!
//! A thing belongs here if several modules need it and it needs none of them; it gets a file of its
//! own. A trait whose values files say by name implements [`Kind`] for its trait object, with a
//! [`Registry`]; a [`Spec`] then is any of its values, compared, cloned, written and read as plain
//! data.

mod batch;
mod bounds;
mod classifier;
mod config;
mod device;
pub(crate) mod errand;
mod error;
mod host;
mod keys;
mod place;
mod precision;
mod registry;
mod scope;
mod seed;
mod stages;
pub mod statistics;
mod step_size;
mod units;
mod write;

pub use batch::Batch;
pub use bounds::Bounds;
pub use classifier::Classifier;
pub(crate) use config::{config, strictly};
pub use device::{DEVICE_VARIABLE, compiled_devices, device, device_named, try_device};
pub use error::{Error, Result};
pub use host::{Reads, count_reads, read};
pub(crate) use host::{as_indices, indices, read_data};
pub use keys::Keys;
pub(crate) use place::keeps_path;
pub use precision::Precision;
pub(crate) use precision::{assert_alike, assert_layer_alike, widened};
pub(crate) use registry::open_kind;
pub use registry::{Kind, NoSettings, Registry, Spec, named};
pub(crate) use scope::Setting;
pub use seed::{Draws, Purpose, Seed};
pub use stages::{Stages, View};
pub use step_size::StepSize;
pub use units::{Degrees, Pixels};
#[cfg(feature = "train")]
pub(crate) use write::process_name;
pub use write::write_atomically;
