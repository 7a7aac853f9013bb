//! What is left of a run: its outcomes, what it found, curves and a picture.

use crate::options::{Options, Shard};
use burn::tensor::{Device, Tensor};
use fireproof::attack::diagnosis::Diagnosis;
use fireproof::attack::{Adversaries, AttackSpec, Whole};
use fireproof::base::{Batch, Error, Result, read, write_atomically};
use fireproof::prelude::*;
use fireproof::report::ContactSheet;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

// Images in the picture.
const SHOWN: usize = 10;

/// Where attacked images go: those of a shard, or of all of them.
pub fn adversaries(options: &Options, shard: Option<Shard>) -> PathBuf {
    let file = options.adversaries.clone();
    let file = file.unwrap_or_else(|| options.out.join("adversaries.safetensors"));
    of_shard(&file, shard)
}

fn outcomes(options: &Options, shard: Option<Shard>) -> PathBuf {
    of_shard(&options.out.join("attack.json"), shard)
}

// The file of a shard, or the one of the whole set.
fn of_shard(file: &Path, shard: Option<Shard>) -> PathBuf {
    let Some(Shard { index, count }) = shard.filter(|shard| shard.count > 1) else {
        return file.to_owned();
    };
    let part =
        |name: Option<&std::ffi::OsStr>| name.unwrap_or_default().to_string_lossy().into_owned();
    let (stem, ending) = (part(file.file_stem()), part(file.extension()));
    file.with_file_name(format!("{stem}-{}-of-{count}.{ending}", index + 1))
}

pub fn write_diagnosis(options: &Options, diagnosis: &Diagnosis) -> Result<()> {
    write_json(&options.out.join("diagnosis.json"), diagnosis)
}

pub fn write(
    options: &Options,
    attack: &AttackSpec,
    whole: &Whole,
    victim: &Frozen,
    set: &ImageSet,
    device: &Device,
) -> Result<()> {
    write_json(&outcomes(options, Some(options.shard)), whole)?;
    let (whole, found) = match options.shard.count {
        1 => (
            whole.clone(),
            Adversaries::load(adversaries(options, None), device)?,
        ),
        count => {
            let shards = (0..count).map(|index| Shard { index, count });
            let there = |shard: &Shard| {
                outcomes(options, Some(*shard)).exists()
                    && adversaries(options, Some(*shard)).exists()
            };
            let done = Vec::from_iter(shards.filter(there));
            if done.len() < count {
                println!(
                    "\n{} of {count} parts are done; the last one joins them.",
                    done.len()
                );
                return Ok(());
            }
            let (whole, found) = joined(options, &done, set, device)?;
            println!("\nAll {count} parts together:\n\n{whole}");
            write_json(&outcomes(options, None), &whole)?;
            found.save(adversaries(options, None))?;
            (whole, found)
        }
    };
    println!("\nEvery image: {}", outcomes(options, None).display());
    println!("What was found: {}", adversaries(options, None).display());
    let file = options.out.join("curve.svg");
    whole.plot_svg(&attack.to_string(), &file)?;
    println!("Robust accuracy against passes: {}", file.display());
    let file = options.out.join("digits.svg");
    let shown = chosen(&found);
    let clean = clean(&shown, set, device);
    picture(&shown, &clean, victim)?.write_svg(&file)?;
    println!("Clean, attacked, what was changed: {}", file.display());
    if options.heatmap {
        options.draw_heatmaps(victim, &clean)?;
    }
    if let Some(folder) = &options.pictures {
        let count = found.fooling().save_images(folder)?.len();
        println!("{count} that fool: {}", folder.display());
    }
    Ok(())
}

fn write_json(file: &Path, value: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value).expect("plain values");
    write_atomically(file, text.as_bytes())
}

fn joined(
    options: &Options,
    shards: &[Shard],
    set: &ImageSet,
    device: &Device,
) -> Result<(Whole, Adversaries)> {
    let whole = |shard: &Shard| {
        let file = outcomes(options, Some(*shard));
        let text = std::fs::read_to_string(&file).map_err(|e| Error::io(&file, e))?;
        serde_json::from_str::<Whole>(&text)
            .map_err(|error| Error::input(file.display().to_string(), error, "outcomes of a run"))
    };
    let wholes = shards.iter().map(whole).collect::<Result<Vec<_>>>()?;
    let found = |shard: &Shard| Adversaries::load(adversaries(options, Some(*shard)), device);
    let found = shards.iter().map(found).collect::<Result<Vec<_>>>()?;
    Ok((Whole::join(wholes, set)?, Adversaries::join(found)?))
}

// Digits that the attack turned, as far as there are.
fn chosen(found: &Adversaries) -> Adversaries {
    let all = 0..found.len();
    let moved = |at: &usize| found.fooled[*at] && found.distance[*at] != Some(0.0);
    let mut chosen = Vec::from_iter(all.clone().filter(moved).take(SHOWN));
    chosen.extend(all.filter(|at| !moved(at)).take(SHOWN - chosen.len()));
    chosen.sort_unstable();
    found.select(&chosen)
}

// The images as they are, in the order of what was found.
fn clean(found: &Adversaries, set: &ImageSet, device: &Device) -> Batch {
    let ids = (0..set.len()).map(|at| (set.id(at), at));
    let places: HashMap<u64, usize> = ids.collect();
    let places = Vec::from_iter(found.ids.iter().map(|id| places[id]));
    set.batch(&places, device)
}

// Each with the class that it is taken for and, where it was moved, its pose.
fn picture(found: &Adversaries, clean: &Batch, victim: &Frozen) -> Result<ContactSheet> {
    let change = (found.images.clone() - found.originals.clone()).abs();
    let largest: f32 = read(&change.max())[0];
    let predict = |images: &Tensor<4>| victim.for_ids(&found.ids).predict(images.clone());
    let mut sheet = ContactSheet::new(found.bounds)
        .with_row_labels(found.labels.iter().map(i64::to_string))
        .with_found("clean", &clean.images, &predict(&clean.images), None)?;
    let poses = found.poses.as_deref();
    if largest == 0.0 {
        return sheet.with_found("worst pose", &found.images, &found.predicted, poses);
    }
    if poses.is_some() {
        let moved = &found.originals;
        sheet = sheet.with_found("moved", moved, &predict(moved), poses)?;
    }
    // So that the largest change is black or white, or nearly.
    let gain = (1.0 / largest.max(1e-3)).floor().max(1.0);
    sheet
        .with_found("attacked", &found.images, &found.predicted, None)?
        .with_difference(
            format!("change × {gain}"),
            found.images.clone(),
            found.originals.clone(),
            gain,
        )
}
