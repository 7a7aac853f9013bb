//! Small networks trained on points of the settings.

use crate::options::Options;
use crate::training::{Budgets, Method, methods};
use crate::{bar, common, percent};
use burn::module::{Module, Param};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};
use fireproof::base::{Purpose, Result};
use fireproof::evaluate::Rate;
use fireproof::prelude::*;
use fireproof::theory::{GaussianFeature, Logits, Measured, Setting, Share, SignFeature, Survey};
use fireproof::train::Progress;
use serde::Serialize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

// Steps of the attack that networks are tested with, on the first so many points.
const TEST_STEPS: usize = 20;
const ATTACKED: usize = 1000;
const RATE: f64 = 0.05;

/// What came of a training.
#[derive(Clone, Debug, Serialize)]
pub struct Trained {
    pub setting: String,
    pub network: &'static str,
    pub method: &'static str,
    pub epsilon: f64,
    pub measured: Measured,
    /// Right after a random shift against PGD and the attack of the theorem, whichever is worse.
    pub worst: Rate,
    /// What no classifier of this S exceeds.
    pub bound: f64,
}

/// The settings that networks are trained in, by their letter.
pub fn settings() -> Result<Vec<(&'static str, Box<dyn Setting>)>> {
    let eta = |d: usize| 2.0 / (d as f64).sqrt();
    Ok(vec![
        ("A", Box::new(SignFeature::new(64, 0.8, eta(64))?)),
        ("A", Box::new(SignFeature::new(64, 0.95, eta(64))?)),
        ("B", Box::new(GaussianFeature::new(16, 2.0, eta(16))?)),
        ("B", Box::new(GaussianFeature::new(64, 1.0, eta(64))?)),
        ("B", Box::new(GaussianFeature::new(64, 2.0, eta(64))?)),
    ])
}

// How a network looks at a point.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    // All features at once, each with weights of its own.
    Dense,
    // Every place with its neighbours alike, and then the mean over all places: no shift changes it.
    Invariant,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Dense => "dense",
            Self::Invariant => "invariant",
        }
    }
}

#[derive(Module, Debug)]
struct Network {
    first: Param<Tensor<2>>,
    first_bias: Param<Tensor<1>>,
    second: Param<Tensor<2>>,
    second_bias: Param<Tensor<1>>,
    last: Param<Tensor<2>>,
    is_invariant: bool,
}

impl Network {
    fn new(kind: Kind, features: usize, seed: Seed, device: &Device) -> Self {
        let (inputs, hidden) = match kind {
            Kind::Dense => (features, 32),
            Kind::Invariant => (3, 16),
        };
        let weights = |index: u64, from: usize, to: usize| {
            let mut draws = seed.draws(Purpose::Weights, index, 0);
            let scale = (2.0 / from as f64).sqrt();
            let numbers = (0..from * to).map(|_| (scale * draws.normal()) as f32);
            let numbers = TensorData::new(numbers.collect::<Vec<_>>(), [from, to]);
            Param::from_tensor(Tensor::from_data(numbers, device))
        };
        let bias = || Param::from_tensor(Tensor::zeros([hidden], device));
        Self {
            first: weights(0, inputs, hidden),
            first_bias: bias(),
            second: weights(1, hidden, hidden),
            second_bias: bias(),
            last: weights(2, hidden, 2),
            is_invariant: kind == Kind::Invariant,
        }
    }

    fn hidden(&self, rows: Tensor<2>) -> Tensor<2> {
        let first = rows.matmul(self.first.val()) + self.first_bias.val().unsqueeze();
        let second = relu(first).matmul(self.second.val()) + self.second_bias.val().unsqueeze();
        relu(second)
    }
}

impl Classifier for Network {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        let [count, _, _, features] = images.dims();
        let points = images.reshape([count, features]);
        let hidden = match self.is_invariant {
            false => self.hidden(points),
            true => {
                let shifted = |by: usize| {
                    let (tail, head) = (
                        points.clone().narrow(1, by, features - by),
                        points.clone().narrow(1, 0, by),
                    );
                    let rows = Tensor::cat(vec![tail, head], 1);
                    rows.reshape([count * features, 1])
                };
                let last = shifted(features - 1);
                let here = points.clone().reshape([count * features, 1]);
                let rows = Tensor::cat(vec![last, here, shifted(1)], 1);
                let hidden = self.hidden(rows);
                let [_, width] = hidden.dims();
                let places = hidden.reshape([count, features, width]);
                places.mean_dim(1).reshape([count, width])
            }
        };
        hidden.matmul(self.last.val())
    }
}

struct Cell<'a> {
    setting: &'a dyn Setting,
    kind: Kind,
    method: Method,
}

/// Trains and measures all networks, as many at once as there are threads.
pub fn measure(options: &Options) -> Result<Vec<Trained>> {
    let (sizes, settings) = (options.sizes(), settings()?);
    let mut cells = Vec::new();
    for (_, setting) in &settings {
        let budgets = Budgets {
            angle: 0.0,
            // Up to half of the features either way is all of the group, evenly.
            shift: setting.dimension() as f64 / 2.0,
            epsilon: 2.0 * setting.eta(),
        };
        for kind in [Kind::Dense, Kind::Invariant] {
            for method in methods(budgets, sizes.epochs, sizes.steps, RATE) {
                let setting = &**setting;
                cells.push(Cell {
                    setting,
                    kind,
                    method,
                });
            }
        }
    }
    let bar = bar("networks", cells.len());
    let device = common::device(options.device.as_deref())?;
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(cell) = cells.get(at) else { break };
            let measured = cell.measure(options, &device);
            found.lock().expect("nobody panicked").push((at, measured));
            bar.inc(1);
        }
    };
    // Not rayon's: one of those that waits for a part of a training takes up another on top of it, and so on until
    // its stack is full.
    thread::scope(|scope| {
        for _ in 0..rayon::current_num_threads() {
            scope.spawn(work);
        }
    });
    bar.finish_and_clear();
    let mut found = found.into_inner().expect("nobody panicked");
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, measured)| measured).collect()
}

impl Cell<'_> {
    fn measure(&self, options: &Options, device: &Device) -> Result<Trained> {
        let (setting, sizes) = (self.setting, options.sizes());
        let seed = Seed(options.seed);
        let train = points(setting, seed.derive(1), sizes.train)?;
        let model = Network::new(self.kind, setting.dimension(), seed, device);
        let training = Training::new(
            self.method.curriculum.clone(),
            self.method.objective.clone(),
        )
        .with_augmentation(Augmentation::new(
            Warp::nearest().with_border(Border::Circular),
        ))
        .with_batch_size(100)
        .with_seed(options.seed)
        .with_progress(Progress::Quiet);
        // Nothing is chosen by what is measured after every epoch.
        let watch = train.take(50);
        let trained = training.fit(model, &train, &watch, device)?.model;

        let victim = Frozen::new(&trained);
        let epsilon = 2.0 * setting.eta();
        let survey = Survey::new(sizes.test, epsilon).with_seed(seed.derive(2));
        let logits = |images: Tensor<4>| victim.logits(images);
        let measured = survey.of(setting, &Logits::of(logits, device))?;
        Ok(Trained {
            setting: setting.to_string(),
            network: self.kind.name(),
            method: self.method.name,
            epsilon,
            measured,
            worst: self.worst(&victim, &survey, device)?,
            bound: setting.bound(measured.spatial.value(), epsilon),
        })
    }

    /// The accuracy on randomly shifted points that are attacked by PGD or as in the theorem.
    fn worst(&self, victim: &Frozen, survey: &Survey, device: &Device) -> Result<Rate> {
        let (mut shifted, mut attacked, mut labels) = (Vec::new(), Vec::new(), Vec::new());
        let count = survey.points.min(ATTACKED);
        for id in 0..count as u64 {
            let point = self.setting.point(survey.seed, id);
            let by = survey.shift(self.setting, id);
            let turned = self.setting.attacked(&point, survey.epsilon).shifted(by);
            labels.push(point.label());
            shifted.extend(point.shifted(by).features.iter().map(|&x| x as f32));
            attacked.extend(turned.features.iter().map(|&x| x as f32));
        }
        let set = |numbers: Vec<f32>| images(self.setting, numbers, labels.clone());
        let (shifted, attacked) = (set(shifted)?, set(attacked)?);
        let all = Vec::from_iter(0..count);
        let pgd = Pgd::linf(survey.epsilon).with_steps(TEST_STEPS);
        let found = pgd.attack(victim, &shifted.batch(&all, device), survey.seed)?;
        let predicted = victim.predict(attacked.batch(&all, device).images);
        let stands = all
            .iter()
            .filter(|&&at| !found.fooled[at] && predicted[at] == i64::from(labels[at]));
        Ok(Rate::of(stands.count(), count))
    }
}

fn images(setting: &dyn Setting, numbers: Vec<f32>, labels: Vec<u8>) -> Result<ImageSet> {
    let shape = [1, 1, setting.dimension()];
    ImageSet::of_numbers(
        setting.to_string(),
        shape,
        2,
        numbers,
        labels,
        Bounds::none(),
    )
}

fn points(setting: &dyn Setting, seed: Seed, count: usize) -> Result<ImageSet> {
    let (numbers, labels) = setting.images(seed, count)?;
    images(setting, numbers, labels)
}

/// A share of points with its interval.
pub fn rate(share: &Share) -> Rate {
    Rate::of(share.right, share.of)
}

pub fn text(found: &[Trained]) -> String {
    let mut text = format!(
        "## Trained networks\n\nR is against the attack of the theorem; in brackets against that and \
         PGD-{TEST_STEPS}, whichever is worse for the point, on the first {ATTACKED}. R ≤ is what no \
         classifier of this S exceeds.\n\n\
         | setting | network | trained | natural | S | R | R ≤ | S + R |\n\
         |---|---|---|---:|---:|---:|---:|---:|"
    );
    for row in found {
        let (natural, spatial) = (rate(&row.measured.natural), rate(&row.measured.spatial));
        let (low, high) = (row.measured.sum.low, row.measured.sum.high);
        let adversarial = rate(&row.measured.adversarial);
        text += &format!(
            "\n| {} | {} | {} | {} | {spatial} | {adversarial} [{}] | {} | {:.3} ({low:.3}–{high:.3}) |",
            row.setting,
            row.network,
            row.method,
            percent(natural.value),
            percent(row.worst.value),
            percent(row.bound),
            spatial.value + adversarial.value,
        );
    }
    text
}
