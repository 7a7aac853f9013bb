//! Element-wise steps in one pass: relu, its gradient and a bias's, the step of an L∞ attack, and what an
//! optimiser's is made of.

use rayon::prelude::*;

use super::count;
use super::isa::Isa;
use super::map::map;

/// Numbers that one thread takes at a time.
const PIECE: usize = 1 << 15;

/// Gradient through a relu whose *output* is `y`: 0 where `y <= 0`, else `dy`; it passes a NaN, as
/// Burn's and PyTorch's do.
///
/// # Panics
/// If lengths differ.
pub fn relu_gradient(isa: Isa, dy: &[f32], y: &[f32], dx: &mut [f32]) {
    map(isa, [dy, y], PIECE, dx, |_| |[dy, y]| gated(dy, y));
}

/// What passes a relu backwards whose output is `gate`.
#[inline(always)]
pub(crate) fn gated(dy: f32, gate: f32) -> f32 {
    if gate <= 0.0 { 0.0 } else { dy }
}

/// Settings of an L∞ attack's step, in units of the image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Length of the step; positive to climb.
    pub size: f32,
    /// Radius of the ball around the clean image.
    pub radius: f32,
    /// Least and greatest value of a pixel.
    pub bounds: [f32; 2],
}

/// `y = clamp(clean + project(x + size · sign(gradient) - clean))`, where `project` clamps to
/// `-radius ..= radius` and `clamp` to the bounds.
///
/// The sign of zero, and of NaN, is zero; a NaN in `x` or `clean` stays one.
///
/// # Panics
/// If lengths differ, or `bounds` are not in order.
pub fn linf_step(isa: Isa, x: &[f32], gradient: &[f32], clean: &[f32], step: Step, y: &mut [f32]) {
    let Step {
        size,
        radius,
        bounds: [least, greatest],
    } = step;
    assert!(least <= greatest, "bounds {:?} are in order", step.bounds);
    map(isa, [x, gradient, clean], PIECE, y, |_| {
        move |[x, gradient, clean]| {
            let up = if gradient > 0.0 { size } else { 0.0 };
            let down = if gradient < 0.0 { size } else { 0.0 };
            let moved = x + (up - down);
            let projected = clamp(moved - clean, -radius, radius);
            clamp(clean + projected, least, greatest)
        }
    });
}

/// `to = x + y · factor`, the product and the sum rounded apart.
///
/// # Panics
/// If lengths differ.
pub fn add_scaled(isa: Isa, x: &[f32], y: &[f32], factor: f32, to: &mut [f32]) {
    map(isa, [x, y], PIECE, to, |_| move |[x, y]| x + y * factor);
}

/// Unlike `f32::max` and `f32::min`, this keeps a NaN.
#[inline(always)]
fn clamp(x: f32, least: f32, greatest: f32) -> f32 {
    let x = if x < least { least } else { x };
    if x > greatest { greatest } else { x }
}

/// `y = max(x, 0)`; a NaN stays one.
///
/// # Panics
/// If lengths differ.
pub fn relu(isa: Isa, x: &[f32], y: &mut [f32]) {
    map(isa, [x], PIECE, y, |_| |[x]| positive(x));
}

/// `max(x, 0)`; a NaN stays one.
#[inline(always)]
pub(crate) fn positive(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}

/// Gradient of a bias: the sum of `dy`, `[batch][co][area]`, over images and pixels, where `gate`,
/// if given, is not at most 0. Summed in a fixed order, planes in f32 and their sums in f64.
///
/// # Panics
/// If a length does not fit.
pub fn bias_gradient(dy: &[f32], gate: Option<&[f32]>, area: usize, db: &mut [f32]) {
    let co = db.len();
    assert!(
        gate.is_none_or(|gate| gate.len() == dy.len()),
        "gate is as dy"
    );
    let image = count([co, area]).max(1);
    assert_eq!(dy.len() % image, 0, "dy is [batch, co, area]");
    let batch = dy.len() / image;
    db.par_iter_mut().enumerate().for_each(|(o, db)| {
        let mut sum = 0.0f64;
        for n in 0..batch {
            let plane = (n * co + o) * area..(n * co + o + 1) * area;
            let gate = gate.map(|gate| &gate[plane.clone()]);
            // Sixteen sums apart, for the vector units.
            let mut sums = [0.0f32; 16];
            for (block, dy) in dy[plane].chunks(16).enumerate() {
                for (i, &dy) in dy.iter().enumerate() {
                    let shut = gate.is_some_and(|gate| gate[block * 16 + i] <= 0.0);
                    sums[i] += if shut { 0.0 } else { dy };
                }
            }
            sum += sums.iter().map(|&x| f64::from(x)).sum::<f64>();
        }
        *db = sum as f32;
    });
}
