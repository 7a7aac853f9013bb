//! Searches over poses, and over poses and pixels together, on trained networks.

use crate::attack::{frozen, p4_cnn};
use crate::conv::outcome;
use crate::data::{batch, device};
use crate::{Case, Outcome, Run, stored, timed};
use burn::tensor::{Int, Tensor, TensorData};
use fireproof::attack::{self, Attack, AttackSpec, Frozen, GridSearch, JointPgd, Pgd};
use fireproof::base::{Degrees, Pixels, Seed};
use fireproof::data::{ImageSet, embedded_mnist};
use fireproof::group::Group;
use fireproof::model::{Cnn, CnnConfig};
use fireproof::prelude::{Curriculum, Natural, Training};
use fireproof::train::Student;
use fireproof::transform::{Pose, PoseBudget, Warp};
use std::path::Path;

fn budget(case: &Case) -> PoseBudget {
    PoseBudget::new(Degrees(case.angle), Pixels(case.shift)).expect("a budget")
}

fn grid(case: &Case) -> GridSearch {
    GridSearch::new(budget(case)).with_points(case.angles, 5, 5)
}

// Everybody that an attack fools in a set, or that is misclassified as it is: 1, else 0.
fn fooled(attack: &dyn Attack, victim: &Frozen, set: &ImageSet, batch: usize) -> Outcome {
    let run = attack::Run::new(0).with_batch_size(batch);
    let (seconds, whole) = timed(|| run.attack(attack, victim, set, &device()));
    let images = whole.expect("an attack").images;
    let fooled = images
        .iter()
        .map(|image| f32::from(image.fooled_by.is_some()));
    flags(seconds, Vec::from_iter(fooled))
}

fn flags(seconds: f64, fooled: Vec<f32>) -> Outcome {
    outcome(seconds, Tensor::<1>::from_data(&fooled[..], &device()))
}

/// A grid search on the first stored images.
pub fn search(case: &Case) -> Run {
    let victim = stored::network(&case.network, &device());
    let set = stored::set().take(case.images);
    let (attack, batch) = (grid(case), case.batch);
    Box::new(move |_| fooled(&attack, &victim, &set, batch))
}

/// Foolbox's poses one after the other, all images in each: it shifts before it rotates, so that its grid
/// is another one. What its own attack finds must be fooled here, and nobody else.
pub fn same_poses(case: &Case) -> Run {
    let victim = stored::network(&case.network, &device());
    let set = stored::set().take(case.images);
    let batch = set.batch(&Vec::from_iter(0..set.len()), &device());
    let labels = batch.labels_to_vec();
    let poses = Vec::from_iter(grid(case).poses().into_iter().map(|pose| {
        let (sin, cos) = pose.angle.radians().sin_cos();
        let (right, down) = (pose.right.0, pose.down.0);
        let (right, down) = (-(cos * right + sin * down), sin * right - cos * down);
        Pose {
            angle: pose.angle,
            ..Pose::shift(Pixels(right), Pixels(down))
        }
    }));
    Box::new(move |_| {
        let wrong = |images: Tensor<4>| {
            let classes = victim.predict(images).into_iter().zip(&labels);
            Vec::from_iter(classes.map(|(class, label)| class != *label))
        };
        let (seconds, found) = timed(|| {
            let mut found = wrong(batch.images.clone());
            for pose in &poses {
                let moved =
                    Warp::bilinear().apply(batch.images.clone(), &vec![*pose; labels.len()]);
                found
                    .iter_mut()
                    .zip(wrong(moved))
                    .for_each(|(all, one)| *all |= one);
            }
            found
        });
        flags(seconds, found.into_iter().map(f32::from).collect())
    })
}

/// A grid search that fools nobody, since its budget is as good as none; the images of `search`, their
/// predicted classes for labels. The result is the worst loss of each.
pub fn nobody(case: &Case) -> Run {
    let victim = frozen(&p4_cnn(), case.numerics);
    let mut digits = batch(case.images, [1, 28, 28]);
    let labels = TensorData::new(victim.predict(digits.images.clone()), [case.images]);
    digits.labels = Tensor::<1, Int>::from_data(labels, &device());
    let attack = grid(case);
    Box::new(move |_| {
        let (seconds, found) = timed(|| attack.attack(&victim, &digits, Seed(1)));
        let found = found.expect("an attack");
        assert_eq!(found.fooled_count(), 0, "a budget for nobody");
        flags(seconds, found.loss)
    })
}

// 3×32×32, which ART's composite attack wants: digits with a margin, each in one of three tints.
fn tinted(set: &ImageSet) -> ImageSet {
    let mut bytes = Vec::with_capacity(set.len() * 3 * 32 * 32);
    for at in 0..set.len() {
        let pixels = set.pixels(at);
        for channel in 0..3 {
            let tint = [1.0, 0.8, 0.6][(at + channel) % 3];
            for place in 0..32 * 32 {
                let (row, column) = (place / 32, place % 32);
                let inside = (2..30).contains(&row) && (2..30).contains(&column);
                let pixel = if inside {
                    pixels[(row - 2) * 28 + column - 2]
                } else {
                    0
                };
                bytes.push((f64::from(pixel) * tint).round() as u8);
            }
        }
    }
    let labels = (0..set.len()).map(|at| set.label(at)).collect();
    ImageSet::new("tinted digits", [3, 32, 32], 10, bytes, labels).expect("whole images")
}

fn colour() -> Cnn {
    let config = CnnConfig::new(Group::P4, [3, 32, 32], 10).with_dropout(Some(0.0));
    config.init(&device()).expect("32×32 suits p4")
}

/// Trains a network on tinted digits and writes its weights, in its own order, as raw little-endian
/// `f32`, unless the file is there. The result is the number of weights.
pub fn trained(case: &Case) -> Run {
    let file = case.file.clone();
    Box::new(move |_| {
        let (seconds, count) = timed(|| {
            let mut model = colour();
            if !Path::new(&file).exists() {
                let digits = embedded_mnist();
                let (train, watch) = (digits.train.take(4000), digits.test.take(100));
                let training = Training::new(Curriculum::new(3).with_learning_rate(0.05), Natural);
                let training = training.with_batch_size(50);
                let trained = training.fit(model, &tinted(&train), &tinted(&watch), &device());
                model = trained.expect("a training").model;
                let values = model.weights().into_iter().flat_map(|weight| {
                    let values = weight.values.into_data().convert::<f32>();
                    values
                        .iter::<f32>()
                        .flat_map(f32::to_le_bytes)
                        .collect::<Vec<u8>>()
                });
                std::fs::write(&file, Vec::from_iter(values)).expect("a file of weights");
            }
            model
                .weights()
                .iter()
                .map(|weight| weight.shape.iter().product::<usize>())
                .sum::<usize>()
        });
        flags(seconds, vec![count as f32])
    })
}

fn loaded(file: &str) -> Cnn {
    let bytes = std::fs::read(file).expect("weights, trained before");
    let (numbers, _) = bytes.as_chunks();
    let mut numbers = numbers.iter().map(|&bytes| f32::from_le_bytes(bytes));
    let mut model = colour();
    let weights = Vec::from_iter(model.weights().into_iter().map(|weight| {
        let count = weight.shape.iter().product();
        let values = Vec::from_iter(numbers.by_ref().take(count));
        Tensor::from_data(TensorData::new(values, [count]), &device())
    }));
    model.replace(weights);
    model
}

/// Rotation and pixels in L∞ on the tinted stored images: climbed together, or one after the other where
/// the case has angles to try first.
pub fn composite(case: &Case) -> Run {
    let victim = Frozen::new(&loaded(&case.file));
    let set = tinted(&stored::set().take(case.images));
    let (poses, epsilon, steps) = (budget(case), case.epsilon, case.steps);
    let attack: AttackSpec = match case.angles {
        0 => JointPgd::linf(poses, epsilon).with_steps(steps).into(),
        angles => {
            let grid = GridSearch::new(poses).with_points(angles, 1, 1);
            grid.then(Pgd::linf(epsilon).with_steps(steps)).into()
        }
    };
    let batch = case.batch;
    Box::new(move |_| fooled(&*attack, &victim, &set, batch))
}
