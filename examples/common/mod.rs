//! What the studies among the examples share: where they run, what they measure on, their networks.

use burn::module::Module;
use burn::tensor::Device;
use fireproof::base::{Error, Result, device_named};
use fireproof::prelude::*;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// The exit code, after the error if there is one.
pub fn exit(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Refuses counts of 0, by the name of their flag.
pub fn above_zero<const N: usize>(counts: [(&str, usize); N]) -> Result<()> {
    match counts.into_iter().find(|(_, count)| *count == 0) {
        Some((flag, count)) => Err(Error::setting(flag, count, "at least 1")),
        None => Ok(()),
    }
}

/// Makes the folder, and tries to write there, before hours are spent on what could not be kept.
pub fn writable(folder: &Path) -> Result<()> {
    let probe = folder.join(".writable");
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&probe, "").and_then(|()| std::fs::remove_file(&probe)))
        .map_err(|error| Error::io(folder, error))
}

/// The device of this name, or the automatic choice.
pub fn device(name: Option<&str>) -> Result<Device> {
    name.map_or_else(fireproof::try_device, device_named)
}

/// The digits in this folder, or the embedded ones.
pub fn digits(folder: Option<&Path>) -> Result<Splits> {
    folder.map_or_else(|| Ok(embedded_mnist()), mnist)
}

/// So many images, as many of each class; the whole set if there are no more.
pub fn balanced(set: &ImageSet, count: usize, seed: u64) -> Result<ImageSet> {
    match count < set.len() {
        true => set.balanced(count, Seed(seed)),
        false => Ok(set.clone()),
    }
}

/// The network of the study over `group`: the published layout and flattened head, with about as many
/// parameters as that over `of` with this many base channels. Unlike the published digit networks it has
/// batch norm and no dropout: networks this small, trained this briefly, otherwise learn nothing under
/// attack.
pub fn network(
    group: Group,
    (of, width): (Group, usize),
    seed: u64,
    set: &ImageSet,
    device: &Device,
) -> Result<CnnConfig> {
    let config = |group, widths| {
        CnnConfig::new(group, set.shape(), set.classes())
            .with_widths(widths)
            .with_dropout(Some(0.0))
            .with_batch_norm(Some(true))
            .with_seed(seed)
    };
    let widths = Widths::Given([width, width, 2 * width, 2 * width]);
    let reference = config(of, widths);
    if group == of {
        return Ok(reference);
    }
    let parameters = reference.init(device)?.num_params();
    Ok(config(group, Widths::Matched(parameters)))
}

/// StdCNN, or GCNN with its group.
pub fn network_name(group: Group) -> String {
    match group {
        Group::P1 => "StdCNN".to_owned(),
        group => format!("GCNN {group}"),
    }
}

/// Measures, and shows how far it has come.
pub fn measured(
    evaluation: &Evaluation,
    victim: &Frozen,
    set: &ImageSet,
    device: &Device,
) -> Result<Profile> {
    let style = ProgressStyle::with_template("  measuring {bar:30} {percent:>3} %, {eta} left")
        .expect("a valid template");
    let bar = ProgressBar::new(1).with_style(style);
    let profile = evaluation.run_with_progress(victim, set, device, |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    profile
}

/// Minutes and seconds.
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
