use crate::poses;
use clap::Parser;
use fireproof::attack::{AttackSpec, AutoAttack, Norm, NormSpec, Version};
use fireproof::base::{Error, Kind, Result};
use fireproof::kernel::Numerics;
use fireproof::prelude::*;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Attacks a network on handwritten digits.
///
/// Prints who stands after each part of the attack, with 95 % intervals, passes and seconds. Writes
/// attack.json (what came of each image), adversaries.safetensors (the attacked images), curve.svg
/// (robust accuracy against passes, and against the radius) and digits.svg.
#[derive(Parser)]
pub struct Options {
    /// Train on few digits and attack few: only to see that it works
    #[arg(long)]
    pub quick: bool,
    /// The network: gcnn (p4), stdcnn (p1), small, the name of any network, or a JSON file with one
    #[arg(long, default_value = "gcnn")]
    pub network: String,
    /// Load the weights from this file: .pt or .pth as PyTorch writes a state dict, .safetensors, or a record
    /// (.bpk) such as the example `tradeoff` saves; train and save them there if there is none yet (not as
    /// .pt). A configuration beside it, of the same name but .json, takes the place of --network
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// The attack: auto, a version of it (standard, fast, plus, rand), one on poses (grid, random-search,
    /// pose-search, pose-gradient, orbit) or on pose and pixels together (joint), the name of any attack,
    /// or a JSON file with one
    #[arg(long, default_value = "auto")]
    pub attack: String,
    /// The norm: linf, l2 or l1 [default: linf, or the attack's own]
    #[arg(long)]
    pub norm: Option<String>,
    /// The radius of the ball, for pixels from 0 to 1 [default: 0.1; for minimum-norm attacks none]
    #[arg(long)]
    pub epsilon: Option<f64>,
    /// The largest rotation of attacks on poses, in degrees; orbit has its quarter turns [default: 30]
    #[arg(long, allow_negative_numbers = true)]
    pub angle: Option<f64>,
    /// The largest shift of attacks on poses along each axis, in pixels [default: 3; of orbit 0]
    #[arg(long, allow_negative_numbers = true)]
    pub shift: Option<f64>,
    /// Numerics of the attack's gradients: exact or fast
    #[arg(long, default_value_t = Numerics::current(), value_parser = numerics)]
    pub numerics: Numerics,
    /// The most passes, forward and backward, that an image may cost
    #[arg(long, value_name = "PASSES")]
    pub budget: Option<u32>,
    /// How many test images are attacked
    #[arg(long, value_name = "IMAGES")]
    pub images: Option<usize>,
    /// Seed of the attack
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Images at a time
    #[arg(long, default_value_t = 128)]
    pub batch: usize,
    /// Attack one part of the images, for instance 2/4; the last part that is done joins all of them
    #[arg(long, default_value = "1/1", value_parser = shard)]
    pub shard: Shard,
    /// Keep here what is known after every batch; an interrupted run goes on from it
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// The attacked images as one file [default: adversaries.safetensors in the folder --out]
    #[arg(long, value_name = "FILE")]
    pub adversaries: Option<PathBuf>,
    /// Look for signs that the number is the attack's failure, on up to 64 of the images; about as long
    /// again as the attack takes on them. Writes diagnosis.json
    #[arg(long)]
    pub diagnose: bool,
    /// Write those that fool the network to this folder as well, each as a PNG
    #[arg(long, value_name = "DIR")]
    pub pictures: Option<PathBuf>,
    /// Draw the loss of the images in the picture over angle and shift, each to a file heatmap-ID.svg
    #[arg(long)]
    pub heatmap: bool,
    /// Folder for what is written
    #[arg(long, value_name = "DIR", default_value = "target/fireproof/attack")]
    pub out: PathBuf,
}

/// One part of the images, counted from 0.
#[derive(Clone, Copy)]
pub struct Shard {
    pub index: usize,
    pub count: usize,
}

fn shard(text: &str) -> std::result::Result<Shard, String> {
    let parts = text.split_once('/').and_then(|(number, count)| {
        let number: usize = number.parse().ok()?;
        let count = count.parse().ok()?;
        (1..=count).contains(&number).then_some((number, count))
    });
    let (number, count) = parts.ok_or("expected a part and the number of parts, such as 2/4")?;
    Ok(Shard {
        index: number - 1,
        count,
    })
}

fn numerics(text: &str) -> std::result::Result<Numerics, String> {
    serde_json::from_value(text.into()).map_err(|_| "expected exact or fast".to_owned())
}

impl Options {
    pub fn images(&self) -> usize {
        self.images.unwrap_or(if self.quick { 20 } else { 200 })
    }

    pub fn attack(&self) -> Result<AttackSpec> {
        let file = Path::new(&self.attack);
        let attack = match self.attack.as_str() {
            _ if file.is_file() => {
                let text = std::fs::read_to_string(file).map_err(|e| Error::io(file, e))?;
                serde_json::from_str(&text)
                    .map_err(|error| Error::setting("--attack", &self.attack, error.to_string()))?
            }
            name => match (self.on_poses(name)?, serde_json::from_value(name.into())) {
                (Some(attack), _) => attack,
                (None, Ok(version)) => self.auto(version)?,
                (None, Err(_)) => self.named(name)?,
            },
        };
        attack.check()?;
        let poses = self.angle.or(self.shift);
        if let (false, Some(limit)) = (attack.moves_images(), poses) {
            let expected = format!("only with attacks that move images: {}", poses::NAMES);
            return Err(Error::setting("--angle, --shift", limit, expected));
        }
        if let (true, Some(limit)) = (file.is_file(), poses) {
            let expected = "none beside a file, which says how far images are moved";
            return Err(Error::setting("--angle, --shift", limit, expected));
        }
        Ok(attack)
    }

    /// Norm and radius, as asked for or by default.
    pub fn ball(&self) -> Result<(NormSpec, f64)> {
        let norm = norm(self.norm.as_deref().unwrap_or("linf"))?;
        Ok((norm, self.epsilon.unwrap_or(0.1)))
    }

    fn auto(&self, version: Version) -> Result<AttackSpec> {
        let (norm, epsilon) = self.ball()?;
        Ok(AutoAttack::new(norm, epsilon, version).into())
    }

    fn named(&self, name: &str) -> Result<AttackSpec> {
        self.norm.as_deref().map(norm).transpose()?;
        let made = |name: &str| -> Vec<Result<AttackSpec>> {
            let candidates = self.candidates(name).into_iter();
            candidates.map(|settings| read(settings, name)).collect()
        };
        let mut tried = made(name);
        if let Some(at) = tried.iter().position(Result::is_ok) {
            return tried.swap_remove(at);
        }
        let names = <dyn Attack as Kind>::registry().names();
        if names.iter().any(|known| known == name) {
            return tried.swap_remove(0);
        }
        let plain = names
            .iter()
            .filter(|name| made(name).iter().any(Result::is_ok));
        let plain = Vec::from_iter(plain.map(String::as_str)).join(", ");
        let expected = format!(
            "standard, fast, plus, rand, {}, {plain}, or a JSON file with an attack",
            poses::NAMES
        );
        Err(Error::setting("--attack", name, expected))
    }

    // What was not asked for is tried as most attacks have it, then left to the attack: some are for
    // one norm alone, and minimum-norm attacks need no radius.
    fn candidates(&self, name: &str) -> Vec<Value> {
        let norms = match &self.norm {
            Some(norm) => vec![Some(norm.as_str())],
            None => vec![Some("linf"), None],
        };
        let radii = match self.epsilon {
            Some(epsilon) => vec![Some(epsilon)],
            None => vec![None, Some(0.1)],
        };
        let each = |norm: Option<&str>, epsilon: Option<f64>| {
            let mut settings = Map::from_iter([("attack".to_owned(), json!(name))]);
            settings.extend(norm.map(|norm| ("norm".to_owned(), json!(norm))));
            settings.extend(epsilon.map(|epsilon| ("epsilon".to_owned(), json!(epsilon))));
            Value::Object(settings)
        };
        let pairs = radii
            .iter()
            .flat_map(|&epsilon| norms.iter().map(move |&norm| (norm, epsilon)));
        pairs.map(|(norm, epsilon)| each(norm, epsilon)).collect()
    }
}

fn norm(name: &str) -> Result<NormSpec> {
    let names = <dyn Norm as Kind>::registry().names().join(", ");
    let unknown = |_| Error::setting("--norm", name, format!("one of: {names}"));
    serde_json::from_value(name.into()).map_err(unknown)
}

fn read(settings: Value, name: &str) -> Result<AttackSpec> {
    serde_json::from_value(settings).map_err(|error| {
        let expected = format!("other options, or a file with all settings: {error}");
        Error::setting("--attack", name, expected)
    })
}
