//! The choice of a device.

use fireproof::base::{DEVICE_VARIABLE, compiled_devices, device, device_named, try_device};

#[test]
fn error_device_names() {
    for name in compiled_devices() {
        device_named(name).unwrap();
        device_named(&name.to_uppercase()).unwrap();
    }
    for name in ["cuda:7", "", "tpu"] {
        let error = device_named(name).unwrap_err().to_string();
        assert!(error.contains(compiled_devices()[0]), "{error}");
    }
}

#[test]
fn error_device_variable() {
    // In a process of its own: the environment is shared by all tests of this one.
    const PROBE: &str = "FIREPROOF_PROBE_DEVICE";
    if std::env::var_os(PROBE).is_some() {
        println!("tried: {}", try_device().is_ok());
        println!("device: {:?}", device());
        return;
    }
    let probe = |name: &str| {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "device::error_device_variable", "--nocapture"])
            .env(PROBE, "1")
            .env(DEVICE_VARIABLE, name)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let wrong = probe("warp-drive");
    assert!(
        wrong.contains("tried: false") && wrong.contains("device: Device<"),
        "{wrong}"
    );
    let right = probe(compiled_devices()[0]);
    assert!(right.contains("tried: true"), "{right}");
}
