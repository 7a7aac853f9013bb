//! Nothing moved: attacks, trainings and evaluations give what they gave before the crate was
//! re-cut.
//!
//! The oracle is `fixtures/unmoved.json` (with `fixtures/unmoved_l2.bin.gz`), written before the
//! first change by
//!
//! ```text
//! FIREPROOF_WRITE_FIXTURES=1 cargo test --release --test unmoved
//! ```
//!
//! Images, losses, verdicts and weights are equal bit for bit. Images of L2 attacks may differ in
//! their last bits, verdicts on them not. Passes may have become fewer where [`FEWER`] says why.
//! Evaluations were written anew for the intervals and fooling rates of today, and all of it for
//! `Loss::unsaturated`: with plain cross-entropy in its place everything was equal to the bit until then; so
//! was the training of the network with batch norm for normalisations that are folded into the filters of
//! frozen networks: without that, all of it was equal to the bit. All of it was written anew once more for
//! weight gradients of 3×3 neighbours by Winograd's tiles: summed directly, all of it was equal to the bit.
//!
//! Bits depend on the processor's instructions and on Burn's arithmetic there. On a machine that
//! computes otherwise than the one that wrote the fixture, the comparison is loose, and says so.
//! Everything else of the environment (threads, numerics, device) does not matter.
#![cfg(all(feature = "flex", feature = "train"))]

mod asked;
mod cases;
mod compare;
mod record;

use asked::*;
use burn::module::{Module, ModuleDisplay, ModuleVisitor, Param};
use burn::tensor::activation::log_softmax;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData};
use cases::*;
use compare::*;
use fireproof::attack::{Attack, Fgsm, Frozen, Keep, LeastLikely, Margin, NextClass, Pgd};
use fireproof::base::{Batch, Bounds, Classifier, Degrees, Pixels, Seed};
use fireproof::curriculum::Curriculum;
use fireproof::data::{ImageSet, embedded_mnist};
use fireproof::evaluate::{Axis, Evaluation, Outcomes, RandomPose, Rate};
use fireproof::group::Group;
use fireproof::kernel::Numerics;
use fireproof::model::{CnnConfig, Head, SmallCnnConfig};
use fireproof::train::{Augmentation, Natural, PgdTraining, Progress, Training};
use fireproof::transform::Warp;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use record::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::{Debug, Display, Write as _};
use std::io::{Read, Write as _};
use std::path::PathBuf;
use std::time::Instant;

/// Cases in whose names the first word occurs may make fewer passes than before, and why.
const FEWER: &[(&str, &str)] = &[(
    "",
    "where the kept candidate was judged by an exact pass on exactly its image, that is its verdict",
)];

/// By how much a pixel of an L2 attack may differ.
const LAST_BITS: f32 = 2e-7;

/// Of the images of L2 attacks one pixel in so many is kept (of all images every bit is
/// digested): a stride that meets all columns and rows.
const STRIDE: usize = 13;

const IMAGES: usize = 16;

/// How many images each kind of case fools, and that there is something to see.
fn summarise(record: &Record) {
    for (case, attacked) in &record.attacks {
        let fooled = attacked.fooled.matches('1').count();
        let passes: f64 = numbers(&attacked.queries).iter().sum();
        println!("{case}: {fooled} of {IMAGES} fooled, {passes} passes");
    }
    for (case, learnt) in &record.trainings {
        let accuracy = 100.0 * learnt.valid_accuracy;
        println!(
            "{case}: {accuracy:.0} % right, loss {:.3}",
            learnt.valid_loss
        );
    }
    for (name, levels) in &record.evaluations {
        for level in levels {
            println!("{name}, {}: {:.2} right", level.level, level.accuracy[0]);
        }
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes without optimisation")]
fn value_nothing_moved() {
    let now = everything();
    summarise(&now);
    if std::env::var("FIREPROOF_WRITE_FIXTURES").is_ok_and(|value| value == "1") {
        now.write();
        println!("written");
        return;
    }
    let before = Record::read();
    let mut differences = Differences::default();
    let names = |record: &Record| -> Vec<String> {
        let (attacks, trainings) = (record.attacks.keys(), record.trainings.keys());
        let names = attacks.chain(trainings).chain(record.evaluations.keys());
        names.cloned().collect()
    };
    assert_eq!(
        names(&before),
        names(&now),
        "the fixture has the cases of this test"
    );
    if before.arithmetic == now.arithmetic {
        differences.bit_for_bit([&before, &now]);
    } else {
        let (there, here) = (&before.arithmetic, &now.arithmetic);
        println!("other arithmetic, compared loosely: {there:?}, here {here:?}");
        differences.loosely([&before, &now]);
    }
    for seen in &differences.seen {
        println!("{seen}");
    }
    let wrong = differences.wrong;
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
