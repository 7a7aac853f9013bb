//! Warps, and the search over a grid of them.

use crate::attack::{frozen, p4_cnn};
use crate::conv::{Backward, outcome, pass};
use crate::data::{batch, device, fill, poses};
use crate::{Case, Run, timed};
use burn::tensor::{Tensor, TensorData};
use fireproof::attack::{CrossEntropy, Loss, Reference};
use fireproof::base::{Degrees, Pixels};
use fireproof::transform::{Pose, Warp};

/// A warp with a pose for each image, or its gradient in the images or in images and poses.
pub fn warp(case: &Case) -> Run {
    let (count, channels, side) = (case.batch, case.channels[0], case.side);
    let images = fill([count, channels, side, side], 1, 0.0, 1.0);
    let rows = poses(count);
    let tensor = Tensor::<2>::from_data(TensorData::new(rows.clone(), [count, 3]), &device());
    match case.pass.as_str() {
        "nearest" => {
            let rows: Vec<Pose> = rows
                .chunks(3)
                .map(|row| pose([row[0], row[1], row[2]].map(f64::from)))
                .collect();
            Box::new(move |_| {
                let (seconds, value) = timed(|| Warp::nearest().apply(images.clone(), &rows));
                outcome(seconds, value)
            })
        }
        "pose" => {
            let mut backward = Backward::new();
            Box::new(move |check| {
                let images = Tensor::from_inner(images.clone()).require_grad();
                let poses = Tensor::from_inner(tensor.clone()).require_grad();
                let warped = Warp::bilinear().apply_tensor(images, poses.clone());
                let (seconds, gradients) = backward.run(&warped, check);
                outcome(seconds, poses.grad(&gradients).expect("poses have one"))
            })
        }
        _ => pass(case, images, move |x| {
            Warp::bilinear().apply_tensor(x, tensor.clone())
        }),
    }
}

fn pose([angle, right, down]: [f64; 3]) -> Pose {
    Pose {
        angle: Degrees(angle),
        right: Pixels(right),
        down: Pixels(down),
        ..Pose::IDENTITY
    }
}

const IMAGES: usize = 100;

/// The worst loss of each of 100 images over rotations within ±30° and shifts within ±3 pixels,
/// `batch` images in each forward pass.
pub fn search(case: &Case) -> Run {
    let victim = frozen(&p4_cnn(), case.numerics);
    let even =
        |at: usize, count: usize, limit: f64| limit * (2.0 * at as f64 / (count - 1) as f64 - 1.0);
    let shifts = (0..25).map(|at| (even(at / 5, 5, 3.0), even(at % 5, 5, 3.0)));
    let grid: Vec<Pose> = (0..case.angles)
        .flat_map(|at| {
            let angle = even(at, case.angles, 30.0);
            shifts
                .clone()
                .map(move |(right, down)| pose([angle, right, down]))
        })
        .collect();
    let together = case.batch / IMAGES;
    let digits = batch(IMAGES, [1, 28, 28]);
    let images = digits.images.repeat_dim(0, together);
    let labels = digits.labels.repeat_dim(0, together);
    Box::new(move |_| {
        let (seconds, worst) = timed(|| {
            let worst = grid.chunks(together).map(|poses| {
                let count = poses.len() * IMAGES;
                let rows: Vec<Pose> = poses.iter().flat_map(|pose| [*pose; IMAGES]).collect();
                let warped = Warp::bilinear().apply(images.clone().narrow(0, 0, count), &rows);
                let losses = CrossEntropy.per_image(
                    victim.logits(warped),
                    &Reference::new(labels.clone().narrow(0, 0, count)),
                );
                let losses: Tensor<2> = losses.reshape([poses.len(), IMAGES]).max_dim(0);
                losses
            });
            worst.reduce(Tensor::max_pair).expect("a grid of poses")
        });
        outcome(seconds, worst)
    })
}
