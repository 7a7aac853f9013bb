use crate::common;
use clap::{Parser, ValueEnum};
use fireproof::base::{Error, Result};
use std::path::PathBuf;

/// Puts rules, trained networks and networks for digits under the bounds of the statistical settings.
///
/// table: the rules that docs/theory.md discusses, in closed form beside measured ones, with the bounds.
/// sweep: the bounds and the best classifiers that there are, by dimension and strength of the feature.
/// networks: small networks, trained on points of the settings by natural training, augmentation, PGD,
/// TRADES, fixed budgets of both and CuSP, with the crate's own training.
/// digits: a network for handwritten digits, trained alike, under quarter turns and L∞.
///
/// Writes theory.json, theory.md and theory.svg.
#[derive(Parser, Debug)]
#[command(name = "theory", verbatim_doc_comment)]
pub struct Options {
    /// Everything at a small size, to see that it works; the numbers of such a run show nothing
    #[arg(long)]
    pub quick: bool,

    /// Which parts, separated by commas
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "table,sweep,networks,digits",
        value_name = "PARTS"
    )]
    pub parts: Vec<Part>,

    /// Points that every rule of the table is measured on
    #[arg(long, value_name = "POINTS")]
    pub points: Option<usize>,

    /// Points that every network learns from
    #[arg(long, value_name = "POINTS")]
    pub train_size: Option<usize>,

    /// Epochs of every training; those of both budgets have twice as many
    #[arg(long)]
    pub epochs: Option<usize>,

    /// Seed of points, weights, order, poses and attacks
    #[arg(long, default_value_t = 7)]
    pub seed: u64,

    /// Device: one of the backends compiled in, e.g. flex or wgpu; chosen automatically otherwise
    #[arg(long)]
    pub device: Option<String>,

    /// Folder for the tables and the plot
    #[arg(long, value_name = "DIR", default_value = "target/fireproof/theory")]
    pub out: PathBuf,
}

/// A part of the example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Rules in closed form and measured.
    Table,
    /// Bounds by dimension and strength.
    Sweep,
    /// Networks trained on points.
    Networks,
    /// Networks trained on digits.
    Digits,
}

/// How large everything is: what `--quick` and the size flags decide.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Points of the table, of each entry of the sweep, and that networks are measured on.
    pub points: usize,
    pub swept: usize,
    pub test: usize,
    /// Points that networks learn from, and digits.
    pub train: usize,
    pub digits: usize,
    pub epochs: usize,
    /// Digits that networks are measured on, each in four turns.
    pub test_digits: usize,
    pub steps: usize,
}

impl Options {
    pub fn sizes(&self) -> Sizes {
        let preset = match self.quick {
            true => Sizes {
                points: 1000,
                swept: 400,
                test: 400,
                train: 300,
                digits: 100,
                epochs: 2,
                test_digits: 40,
                steps: 3,
            },
            false => Sizes {
                points: 20_000,
                swept: 4000,
                test: 4000,
                train: 3000,
                digits: 1500,
                epochs: 6,
                test_digits: 200,
                steps: 5,
            },
        };
        Sizes {
            points: self.points.unwrap_or(preset.points),
            train: self.train_size.unwrap_or(preset.train),
            epochs: self.epochs.unwrap_or(preset.epochs),
            ..preset
        }
    }

    pub fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    /// Refuses what nothing can be made of, before any time is spent.
    pub fn check(&self) -> Result<()> {
        let sizes = self.sizes();
        common::above_zero([("--points", sizes.points), ("--train-size", sizes.train)])?;
        match sizes.epochs {
            0 | 1 => {
                let expected = "at least 2: one epoch has no room for a curriculum";
                Err(Error::setting("--epochs", sizes.epochs, expected))
            }
            _ => Ok(()),
        }
    }

    /// What was asked for, in words.
    pub fn words(&self) -> String {
        let sizes = self.sizes();
        format!(
            "Rules are measured on {} points, networks learn from {} and are measured on {}; seed {}. \
             Shares are in percent.",
            sizes.points, sizes.train, sizes.test, self.seed
        )
    }

    pub fn to_json(&self) -> serde_json::Value {
        let sizes = self.sizes();
        serde_json::json!({
            "quick": self.quick,
            "points": sizes.points,
            "swept_points": sizes.swept,
            "test_points": sizes.test,
            "train_points": sizes.train,
            "train_digits": sizes.digits,
            "test_digits": sizes.test_digits,
            "epochs": sizes.epochs,
            "attack_steps_in_training": sizes.steps,
            "seed": self.seed,
        })
    }
}
