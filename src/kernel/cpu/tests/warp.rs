//! Warps against their definition, against Burn's operations, and against themselves.

use burn::tensor::{Device, Tensor, TensorData};

use super::{Noise, bits, close, error, isas};
use crate::kernel::cpu::isa::Isa;
use crate::kernel::cpu::warp::{
    Frame, Sampling, bilinear, bilinear_gradient, nearest, nearest_gradient,
};
use crate::kernel::{Border, composed, warp_bilinear, warp_nearest};

/// Small and large, narrow and wide, some longer than a block of pixels.
fn frame(noise: &mut Noise) -> Frame {
    let [height, width] = [[1, 1], [1, 5], [7, 1], [2, 2], [16, 16], [28, 28], [33, 17]]
        .get(noise.pick(0, 9))
        .copied()
        .unwrap_or([noise.pick(1, 33), noise.pick(1, 40)]);
    Frame::new([noise.pick(1, 5), noise.pick(1, 4), height, width])
}

fn start(seed: u64) -> (Noise, Frame, Border) {
    let mut noise = Noise::new(seed);
    let frame = frame(&mut noise);
    let border = Border::ALL[noise.pick(0, 3)];
    (noise, frame, border)
}

fn len(frame: Frame) -> usize {
    frame.batch * frame.channels * frame.height * frame.width
}

/// Rotations by any angle and shifts by up to twice the side.
fn motions(noise: &mut Noise, frame: Frame) -> Vec<f32> {
    let mut motions = Vec::new();
    for _ in 0..frame.batch {
        let angle = noise.number() * 4.0;
        motions.extend([angle.cos(), angle.sin()]);
        motions.push(noise.number() * 2.0 * frame.width as f32);
        motions.push(noise.number() * 2.0 * frame.height as f32);
    }
    motions
}

/// Whole numbers in units of 2⁻¹⁶ pixel, of about such motions.
fn sources(noise: &mut Noise, frame: Frame) -> Vec<[i64; 6]> {
    let side = frame.height.max(frame.width) as f32;
    (0..frame.batch)
        .map(|_| {
            let angle = noise.number() * 4.0;
            let [x, y] = [noise.number() * 2.0 * side, noise.number() * 2.0 * side];
            [angle.cos(), -angle.sin(), x, angle.sin(), angle.cos(), y]
                .map(|value| (value * 65536.0) as i64)
        })
        .collect()
}

/// The pixel of an axis at a place of the infinite lattice, by walking there.
fn pixel(border: Border, at: i64, length: usize) -> Option<usize> {
    let last = length as i64 - 1;
    let mut at = at;
    while !(0..=last).contains(&at) {
        at = match border {
            Border::Zeros => return None,
            Border::Edge => at.signum().max(0) * last,
            Border::Reflect if last == 0 => 0,
            Border::Reflect if at < 0 => -at,
            Border::Reflect => 2 * last - at,
            Border::Circular if at < 0 => at + length as i64,
            Border::Circular => at - length as i64,
        };
    }
    Some(at as usize)
}

/// Calls `f(image pixel, output pixel, weight)` for every product of the bilinear sampling, by
/// its definition on the infinite lattice in f64.
fn products(frame: Frame, border: Border, motions: &[f32], mut f: impl FnMut(usize, usize, f64)) {
    let Frame { height, width, .. } = frame;
    let area = height * width;
    for (image, motion) in motions.chunks(4).enumerate() {
        let [cos, sin, right, down] = [0, 1, 2, 3].map(|i| f64::from(motion[i]));
        let middle = [width, height].map(|length| (length as f64 - 1.0) / 2.0);
        for at in 0..area {
            let x = (at % width) as f64 - middle[0] - right;
            let y = (at / width) as f64 - middle[1] - down;
            let from_x = x * cos - y * sin + middle[0];
            let from_y = x * sin + y * cos + middle[1];
            for corner in 0..4 {
                let column = from_x.floor() + f64::from(corner % 2);
                let row = from_y.floor() + f64::from(corner / 2);
                let weight = (1.0 - (from_x - column).abs()) * (1.0 - (from_y - row).abs());
                let column = pixel(border, column as i64, width);
                let row = pixel(border, row as i64, height);
                if let (Some(column), Some(row)) = (column, row) {
                    for channel in 0..frame.channels {
                        let plane = (image * frame.channels + channel) * area;
                        f(plane + row * width + column, plane + at, weight);
                    }
                }
            }
        }
    }
}

#[test]
fn value_and_gradient_of_bilinear_against_the_definition() {
    for seed in 0..200 {
        let (mut noise, frame, border) = start(seed);
        let motions = motions(&mut noise, frame);
        let x = noise.numbers(len(frame));
        let dy = noise.numbers(len(frame));
        let (mut value, mut gradient) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        products(frame, border, &motions, |from, to, weight| {
            value[to] += weight * f64::from(x[from]);
            gradient[from] += weight * f64::from(dy[to]);
        });
        let mut first: Option<[Vec<u32>; 3]> = None;
        for isa in isas() {
            let (mut y, mut dx) = (vec![f32::NAN; x.len()], vec![f32::NAN; x.len()]);
            let mut dm = vec![f32::NAN; motions.len()];
            let by = Sampling::new(&motions, frame, border);
            bilinear(isa, &x, by, &mut y);
            let wanted = (Some(&mut dx[..]), Some(&mut dm[..]));
            bilinear_gradient(isa, &x, by, &dy, wanted.0, wanted.1);
            assert!(close(&y, &value, 2e-4), "{isa:?}, {frame:?}, {border:?}");
            assert!(
                close(&dx, &gradient, 2e-4),
                "{isa:?}, {frame:?}, {border:?}"
            );
            // No sum is contracted or reordered, so all instruction sets agree, bit for bit.
            let all = [bits(&y), bits(&dx), bits(&dm)];
            assert_eq!(first.get_or_insert(all.clone()), &all, "{isa:?}");

            // Each gradient alone is the same.
            let (mut alone, mut turned) = (vec![f32::NAN; x.len()], vec![f32::NAN; dm.len()]);
            let (dx, dm) = (Some(&mut alone[..]), Some(&mut turned[..]));
            bilinear_gradient(isa, &x, by, &dy, dx, None);
            bilinear_gradient(isa, &x, by, &dy, None, dm);
            assert_eq!([&all[1], &all[2]], [&bits(&alone), &bits(&turned)]);
        }
    }
}

/// A device whose operations are Burn's own.
fn flex() -> Device {
    Device::flex()
}

fn images(x: &[f32], frame: Frame, device: &Device) -> Tensor<4> {
    let shape = [frame.batch, frame.channels, frame.height, frame.width];
    Tensor::from_data(TensorData::new(x.to_vec(), shape), device)
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.to_data().iter::<f32>().collect()
}

/// Poses in pixels and degrees, some of them special.
fn poses(noise: &mut Noise, frame: Frame) -> Vec<[f32; 3]> {
    let side = frame.height.max(frame.width) as f32;
    (0..frame.batch)
        .map(|_| match noise.pick(0, 5) {
            0 => [0.0, noise.pick(0, 9) as f32 - 4.0, 1.5],
            1 => [90.0 * noise.pick(0, 4) as f32, 0.0, 0.0],
            _ => [200.0, side, side].map(|most| noise.number() * most),
        })
        .collect()
}

/// The motion of quarter turns and of other angles, as poses have it.
fn motion([angle, right, down]: [f32; 3]) -> [f32; 4] {
    let degrees = f64::from(angle).rem_euclid(360.0);
    let turns = (degrees / 90.0).round();
    let (sin, cos) = (degrees - 90.0 * turns).to_radians().sin_cos();
    let (cos, sin) = match turns as u32 % 4 {
        0 => (cos, sin),
        1 => (-sin, cos),
        2 => (-cos, -sin),
        _ => (sin, -cos),
    };
    [cos as f32, sin as f32, right, down]
}

// Oracle: Burn's operations, bit for bit.
#[test]
fn value_of_bilinear_is_that_of_burns_operations() {
    for seed in 0..120 {
        let (mut noise, frame, border) = start(1000 + seed);
        let poses = poses(&mut noise, frame).into_iter();
        let motions: Vec<f32> = poses.flat_map(motion).collect();
        let x = noise.numbers(len(frame));
        let mut y = vec![f32::NAN; x.len()];
        let by = Sampling::new(&motions, frame, border);
        bilinear(Isa::detect(), &x, by, &mut y);

        let rows = Tensor::from_data(TensorData::new(motions, [frame.batch, 4]), &flex());
        let expected = composed(|| warp_bilinear(images(&x, frame, &flex()), rows, border));
        assert_eq!(bits(&y), bits(&numbers(expected)), "{frame:?}, {border:?}");
    }
}

// Oracle: Burn's autodiff of the composed operations, in the images and the motions. Quarter turns
// and half pixels put many coordinates exactly on the limits and turning points of the borders.
#[test]
fn gradient_of_bilinear_is_that_of_burns_operations() {
    for seed in 0..120 {
        let (mut noise, frame, border) = start(2000 + seed);
        let mut poses = poses(&mut noise, frame);
        if noise.pick(0, 2) == 0 {
            poses.fill([0.0, noise.pick(0, 6) as f32 * 0.5, -1.0]);
        }
        let x = noise.numbers(len(frame));
        let dy = noise.numbers(len(frame));

        let motions: Vec<f32> = poses.iter().flat_map(|&pose| motion(pose)).collect();
        let device = flex().autodiff();
        let table = TensorData::new(motions.clone(), [frame.batch, 4]);
        let table = Tensor::<2>::from_data(table, &device).require_grad();
        let input = images(&x, frame, &device).require_grad();
        let (images_gradient, motions_gradient) = composed(|| {
            let y = warp_bilinear(input.clone(), table.clone(), border);
            let gradients = (y * images(&dy, frame, &device)).sum().backward();
            let of_images = input.grad(&gradients).expect("a gradient");
            let of_motions = table.grad(&gradients).expect("a gradient");
            (numbers(of_images), numbers(of_motions))
        });

        let (mut dx, mut dm) = (vec![f32::NAN; x.len()], vec![f32::NAN; motions.len()]);
        let (isa, wanted) = (Isa::detect(), (Some(&mut dx[..]), Some(&mut dm[..])));
        let by = Sampling::new(&motions, frame, border);
        bilinear_gradient(isa, &x, by, &dy, wanted.0, wanted.1);
        let in_images: Vec<f64> = dx.iter().map(|&x| f64::from(x)).collect();
        let worst = error(&images_gradient, &in_images);
        assert!(worst < 1e-5, "{worst}: {frame:?}, {border:?}");
        let scale = dm.iter().fold(1.0, |a: f32, b| a.max(b.abs()));
        for (found, expected) in dm.iter().zip(motions_gradient) {
            let error = (found - expected).abs() / scale;
            assert!(error < 1e-5, "{error}: {frame:?}, {border:?} {poses:?}");
        }
    }
}

// Oracle: central differences of images that are linear in both coordinates, away from the border.
#[test]
fn gradient_of_motions_by_finite_differences() {
    let frame = Frame::new([1, 2, 9, 12]);
    let mut noise = Noise::new(5);
    for border in Border::ALL {
        for _ in 0..20 {
            // Such an image has no kinks at its pixels, so the step may be large.
            let slopes = noise.numbers(4);
            let x: Vec<f32> = (0..len(frame))
                .map(|i| {
                    let (channel, row, column) = (i / 108, i / 12 % 9, i % 12);
                    column as f32 * slopes[2 * channel] + row as f32 * slopes[2 * channel + 1]
                })
                .collect();
            let mut dy = noise.numbers(len(frame));
            for (i, dy) in dy.iter_mut().enumerate() {
                if !(3..6).contains(&(i / 12 % 9)) || !(3..9).contains(&(i % 12)) {
                    *dy = 0.0;
                }
            }
            let angle = noise.number() * 0.2;
            let motion = [angle.cos(), angle.sin(), noise.number(), noise.number()];
            let loss = |motion: &[f32]| {
                let mut y = vec![0.0; x.len()];
                let by = Sampling::new(motion, frame, border);
                bilinear(Isa::detect(), &x, by, &mut y);
                let products = y.iter().zip(&dy).map(|(&y, &dy)| f64::from(y * dy));
                products.sum::<f64>()
            };
            let mut dm = [0.0; 4];
            let isa = Isa::detect();
            let by = Sampling::new(&motion, frame, border);
            bilinear_gradient(isa, &x, by, &dy, None, Some(&mut dm));
            for i in 0..4 {
                let step = 1.0 / 64.0;
                let (mut up, mut low) = (motion, motion);
                up[i] += step;
                low[i] -= step;
                let expected = (loss(&up) - loss(&low)) / f64::from(up[i] - low[i]);
                let error = (f64::from(dm[i]) - expected).abs() / (1.0 + expected.abs());
                assert!(error < 1e-3, "{border:?}, {i}: {} {expected}", dm[i]);
            }
        }
    }
}

mod nearest_and_edges;
