use crate::common;
use crate::plan::Claim;
use clap::Parser;
use fireproof::base::{Error, Result};
use fireproof::group::Group;
use std::path::PathBuf;

/// Measures the trade-off between spatial and adversarial robustness on handwritten digits.
///
/// Trains a translation-equivariant network (StdCNN) and a rotation-equivariant one (GCNN) and
/// asks three questions of "Can we have it all? On the Trade-off between Spatial and Adversarial
/// Robustness of Neural Networks" (NeurIPS 2021):
///
/// (a) trained on ever larger random rotations: does spatial robustness rise and adversarial
/// robustness fall?
/// (b) adversarially trained on ever larger pixel perturbations: does adversarial robustness rise
/// and spatial robustness fall?
/// (c) trained on both by the CuSP curriculum: is it better than the same final budgets from the
/// first epoch on?
///
/// Every number comes with a 95 % interval. Writes report.json, report.csv, report.md, plots and a page
/// that has it all, index.html. Networks that are in the folder already are not trained again.
#[derive(Parser, Debug)]
#[command(name = "tradeoff", verbatim_doc_comment)]
pub struct Options {
    /// Everything at a small size, to see that it works: at most a minute on two cores. The
    /// numbers of such a run show nothing.
    #[arg(long)]
    pub quick: bool,

    /// Folder with the four MNIST files (plain or .gz) to use in place of the embedded digits
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Symmetry of the GCNN: p4 (quarter turns) or p4m (quarter turns and reflections)
    #[arg(long, default_value = "p4")]
    pub group: Group,

    /// Base channels of the GCNN's first convolution; the StdCNN gets as many as make the numbers
    /// of parameters equal
    #[arg(long, value_name = "CHANNELS")]
    pub width: Option<usize>,

    /// Epochs of every training of (a) and (b); those of (c) have twice as many
    #[arg(long)]
    pub epochs: Option<usize>,

    /// Training images of every training, as many of each class; the whole set if it is larger
    #[arg(long, value_name = "IMAGES")]
    pub train_size: Option<usize>,

    /// Test images, for poses and attacks alike, as many of each class; the whole set if it is larger
    #[arg(long, value_name = "IMAGES")]
    pub test_size: Option<usize>,

    /// Which questions: a, b, c, separated by commas
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "a,b,c",
        value_name = "CLAIMS"
    )]
    pub claims: Vec<Claim>,

    /// Translations by up to 0, 1, 2 and 3 pixels in place of rotations
    #[arg(long)]
    pub shifts: bool,

    /// Seed of the trainings: weights, order, poses, attacks
    #[arg(long, default_value_t = 7)]
    pub seed: u64,

    /// How many seeds, from that one on: every network is trained from each
    #[arg(long, default_value_t = 1, value_name = "SEEDS")]
    pub seeds: u64,

    /// Seed of the images chosen, where not all are taken
    #[arg(long, default_value_t = 1)]
    pub data_seed: u64,

    /// Seed of the test: poses and random starts
    #[arg(long, default_value_t = 2)]
    pub test_seed: u64,

    /// Device: one of the backends compiled in, e.g. flex or wgpu; chosen automatically otherwise
    #[arg(long)]
    pub device: Option<String>,

    /// Folder for the report and the plots
    #[arg(long, value_name = "DIR", default_value = "target/fireproof/tradeoff")]
    pub out: PathBuf,
}

/// How large a study is: what `--quick` and the size flags decide.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub width: usize,
    pub epochs: usize,
    pub train: usize,
    pub batch: usize,
    pub test: usize,
    pub training_steps: usize,
    pub attack_steps: usize,
}

impl Sizes {
    /// The epochs of trainings on poses and attacks together, which take longer to learn.
    pub fn epochs_of_both(&self) -> usize {
        2 * self.epochs
    }
}

impl Options {
    pub fn sizes(&self) -> Sizes {
        let preset = if self.quick {
            Sizes {
                width: 3,
                epochs: 3,
                train: 300,
                batch: 50,
                test: 100,
                training_steps: 2,
                attack_steps: 4,
            }
        } else {
            Sizes {
                width: 5,
                epochs: 6,
                train: 2200,
                batch: 50,
                test: 400,
                training_steps: 4,
                attack_steps: 10,
            }
        };
        Sizes {
            width: self.width.unwrap_or(preset.width),
            epochs: self.epochs.unwrap_or(preset.epochs),
            train: self.train_size.unwrap_or(preset.train),
            test: self.test_size.unwrap_or(preset.test),
            ..preset
        }
    }

    /// Refuses what no study can be made of, before any time is spent.
    pub fn check(&self) -> Result<()> {
        if self.group == Group::P1 {
            return Err(Error::setting(
                "--group",
                self.group,
                "p4 or p4m: the StdCNN is p1 already",
            ));
        }
        let sizes = self.sizes();
        common::above_zero([
            ("--width", sizes.width),
            ("--epochs", sizes.epochs),
            ("--train-size", sizes.train),
            ("--test-size", sizes.test),
            ("--seeds", self.seeds as usize),
        ])?;
        if sizes.epochs < 2 {
            return Err(Error::setting(
                "--epochs",
                sizes.epochs,
                "at least 2: one epoch has no room for a curriculum",
            ));
        }
        Ok(())
    }

    /// The questions asked, in their order.
    pub fn claims(&self) -> impl Iterator<Item = Claim> + '_ {
        Claim::ALL
            .into_iter()
            .filter(|claim| self.claims.contains(claim))
    }
}
