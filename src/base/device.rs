use crate::base::{Error, Result};
use burn::tensor::Device;
use std::env::VarError;

/// The environment variable that overrides the choice of [`device`].
pub const DEVICE_VARIABLE: &str = "BURN_DEVICE";

/// The names [`device_named`] accepts in this build, the preferred CPU backend first.
pub fn compiled_devices() -> &'static [&'static str] {
    &[
        #[cfg(feature = "flex")]
        "flex",
        #[cfg(feature = "ndarray")]
        "ndarray",
        #[cfg(feature = "vulkan")]
        "vulkan",
        #[cfg(feature = "wgpu")]
        "wgpu",
    ]
}

/// The device of this name: `flex`, `ndarray`, `wgpu` or `vulkan`, or `cpu` for the first CPU
/// backend compiled in.
///
/// # Errors
///
/// [`Error::Device`] for a name that is unknown or whose backend is not compiled in.
pub fn device_named(name: &str) -> Result<Device> {
    match name.trim().to_ascii_lowercase().as_str() {
        #[cfg(feature = "flex")]
        "flex" | "cpu" => Ok(Device::flex()),
        #[cfg(all(feature = "ndarray", not(feature = "flex")))]
        "cpu" => Ok(ndarray()),
        #[cfg(feature = "ndarray")]
        "ndarray" => Ok(ndarray()),
        #[cfg(feature = "vulkan")]
        "vulkan" => Ok(Device::vulkan(burn::tensor::DeviceKind::DefaultDevice)),
        #[cfg(feature = "wgpu")]
        "wgpu" => Ok(Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)),
        _ => Err(Error::Device {
            name: name.to_owned(),
            available: match compiled_devices() {
                [] => "none: enable one of the features flex, ndarray, wgpu, vulkan".to_owned(),
                names => names.join(", "),
            },
        }),
    }
}

// The one place where Burn's deprecated CPU backend is constructed.
#[cfg(feature = "ndarray")]
#[allow(deprecated)]
fn ndarray() -> Device {
    Device::ndarray()
}

/// The device to compute on.
///
/// In this order: what `BURN_DEVICE` names; a real GPU, if a GPU backend is compiled in and an
/// adapter that is not a software renderer answers; the CPU. The choice is logged at `info`.
///
/// # Errors
///
/// [`Error::Device`] if `BURN_DEVICE` names a device that is unknown or not compiled in, or if no
/// backend is compiled in at all.
pub fn try_device() -> Result<Device> {
    match std::env::var(DEVICE_VARIABLE) {
        Err(VarError::NotUnicode(name)) => device_named(&name.to_string_lossy()),
        Ok(name) if !name.trim().is_empty() => {
            let device = device_named(&name)?;
            log::info!("device {device:?}, named by {DEVICE_VARIABLE}");
            Ok(device)
        }
        _ => automatic(),
    }
}

/// The device to compute on, as [`try_device`], but never failing for a wrong `BURN_DEVICE`: that
/// is logged as a warning and the automatic choice taken.
///
/// # Panics
///
/// Panics if no backend is compiled in.
pub fn device() -> Device {
    try_device()
        .or_else(|error| {
            log::warn!("{error}; choosing automatically");
            automatic()
        })
        .expect("a backend is compiled in")
}

fn automatic() -> Result<Device> {
    if let Some((device, name)) = gpu() {
        log::info!("device {device:?}: {name}");
        return Ok(device);
    }
    let device = device_named("cpu")?;
    log::info!("device {device:?}: no GPU answered");
    Ok(device)
}

#[cfg(not(feature = "wgpu"))]
fn gpu() -> Option<(Device, String)> {
    None
}

#[cfg(feature = "wgpu")]
fn gpu() -> Option<(Device, String)> {
    const SOFTWARE: [&str; 5] = [
        "llvmpipe",
        "lavapipe",
        "swiftshader",
        "software",
        "basic render",
    ];
    // Drivers may panic where there is no usable GPU at all; that is an answer, not a failure.
    let found = std::panic::catch_unwind(Device::enumerate_physical).unwrap_or_default();
    found
        .into_iter()
        .find(|gpu| {
            let name = gpu.name.to_ascii_lowercase();
            !SOFTWARE.iter().any(|software| name.contains(software))
        })
        .and_then(|gpu| {
            let device = gpu.devices.iter().next()?.clone();
            Some((device, gpu.name))
        })
}
