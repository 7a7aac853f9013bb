//! What searches over poses find of what a grid of 15,500 poses fools, and for how many passes: the table in
//! docs/attacks.md. On three networks that are trained here: one on digits as they are, one in random
//! poses, and a p4 network with the invariant head.
//!
//! `cargo bench --bench poses -- --images 300 --from 300` takes a quarter of an hour; `--fine 31,5,5` compares with
//! a coarser grid.

use burn::module::{Module, ModuleDisplay};
use fireproof::attack::{Attack, PoseGradient, PoseSearch, RandomSearch, Run, Whole};
use fireproof::base::{Classifier, Result};
use fireproof::data::embedded_mnist;
use fireproof::prelude::*;
use std::time::Instant;

// Budgets under which about half of the images fall, or nearly all: (degrees, pixels).
const NATURAL: [(f64, f64); 2] = [(30.0, 3.0), (15.0, 1.5)];
const POSED: [(f64, f64); 2] = [(30.0, 3.0), (180.0, 0.0)];

fn main() -> Result<()> {
    let option = |name: &str| {
        let at = std::env::args().position(|arg| arg == name)?;
        std::env::args().nth(at + 1)
    };
    let number = |name: &str, default: usize| {
        option(name).map_or(default, |text| text.parse().expect("a number"))
    };
    let (images, from) = (number("--images", 300), number("--from", 300));
    let fine = option("--fine").unwrap_or_else(|| "155,10,10".to_owned());
    let fine: Vec<usize> = fine
        .split(',')
        .map(|part| part.parse().expect("three numbers"))
        .collect();
    let set = embedded_mnist().test;
    let set = set.subset(&Vec::from_iter(from..from + images));
    let shape = set.shape();
    let device = fireproof::device();
    let small = || SmallCnnConfig::new(shape, 10).init(&device);
    let invariant = CnnConfig::new(Group::P4, shape, 10)
        .with_widths(Widths::Given([6, 6, 12, 24]))
        .with_head(Head::Pooled)
        .init(&device)?;
    for (name, victim, budgets) in [
        ("SmallCnn, natural", fit(small()?, 4, (0.0, 0.0))?, NATURAL),
        ("SmallCnn, posed", fit(small()?, 4, (30.0, 3.0))?, POSED),
        (
            "p4-CNN, invariant head",
            fit(invariant, 10, (0.0, 0.0))?,
            NATURAL,
        ),
    ] {
        for (angle, shift) in budgets {
            let budget = PoseBudget::new(Degrees(angle), Pixels(shift))?;
            let run = |attack: &dyn Attack| -> Result<(Whole, f64)> {
                let started = Instant::now();
                let run = Run::new(1).with_batch_size(300);
                let whole = run.attack(attack, &victim, &set, &device)?;
                Ok((whole, started.elapsed().as_secs_f64()))
            };
            let grid = GridSearch::new(budget).with_points(fine[0], fine[1], fine[2]);
            let (truth, seconds) = run(&grid)?;
            let fallen = |whole: &Whole| {
                let images = whole.images.iter();
                Vec::from_iter(images.map(|image| image.fooled_by.is_some()))
            };
            let all = fallen(&truth);
            println!(
                "\n{name}, ±{angle}° ±{shift} px: {} of {images} right as they are; {grid} fools {} in \
                 {seconds:.0} s\n| attack | finds of these | others | passes per image | at most | s |\n\
                 |---|---:|---:|---:|---:|---:|",
                truth.clean_correct(),
                all.iter().filter(|fooled| **fooled).count(),
            );
            let attacks: [Box<dyn Attack>; 7] = [
                Box::new(GridSearch::new(budget)),
                Box::new(RandomSearch::new(budget, 10)),
                Box::new(RandomSearch::new(budget, 155)),
                Box::new(RandomSearch::new(budget, 775)),
                Box::new(PoseSearch::new(budget)),
                Box::new(PoseGradient::new(budget)),
                Box::new(PoseGradient::new(budget).restarts(7)),
            ];
            for attack in attacks {
                let (whole, seconds) = run(&*attack)?;
                let found = fallen(&whole);
                let count = |of: bool| {
                    let pairs = found.iter().zip(&all);
                    pairs.filter(|(found, all)| **found && **all == of).count()
                };
                let [forward, backward] = whole.passes();
                let most = whole.most();
                println!(
                    "| {attack} | {} | {} | {:.1} | {} | {seconds:.1} |",
                    count(true),
                    count(false),
                    forward + backward,
                    most.queries + most.gradients,
                );
            }
        }
    }
    Ok(())
}

// Trained on 4,000 digits, in random poses up to (degrees, pixels).
fn fit<M: Module + ModuleDisplay + Classifier + 'static>(
    model: M,
    epochs: usize,
    (angle, shift): (f64, f64),
) -> Result<Frozen> {
    let digits = embedded_mnist();
    let curriculum = Curriculum::new(epochs)
        .with_learning_rate(Milestones::new([(0.0, 0.05), (0.5, 0.02), (0.75, 0.005)]))
        .with_angle(angle)
        .with_shift(shift);
    let mut training = Training::new(curriculum, Natural).with_batch_size(50);
    training.augmentation = Augmentation::new(Warp::bilinear());
    let (train, watch) = (digits.train.take(4000), digits.test.take(200));
    let trained = training.fit(model, &train, &watch, &fireproof::device())?;
    Ok(Frozen::new(&trained.model))
}
