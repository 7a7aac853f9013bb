//! Warps from far outside of the image, under every border.

use crate::common::{On, bits, values};
use burn::tensor::Tensor;
use fireproof::kernel::{self, Border};

on_every_device![
    value_nearest_is_right_however_far,
    value_bilinear_is_right_or_nan_however_far,
    error_sources_beyond_an_i64: "leads out of an i64",
];

const SIDES: [usize; 2] = [3, 5];

fn image(on: &On) -> Tensor<4> {
    let pixels = (1..=SIDES[0] * SIDES[1]).map(|at| at as f32).collect();
    on.tensor(pixels, [1, 1, SIDES[0], SIDES[1]])
}

/// The place in a row of `length` pixels, by the pictures in `Border`'s description; `None` for zero.
fn place(border: Border, at: i128, length: usize) -> Option<usize> {
    let length = length as i128;
    let index = match border {
        Border::Zeros => return (0..length).contains(&at).then_some(at as usize),
        Border::Edge => at.clamp(0, length - 1),
        Border::Circular => at.rem_euclid(length),
        Border::Reflect => {
            let ahead = at.rem_euclid(2 * (length - 1));
            ahead.min(2 * (length - 1) - ahead)
        }
    };
    Some(index as usize)
}

fn pixel(border: Border, at: [i128; 2]) -> f32 {
    let found = [0, 1].map(|axis| place(border, at[axis], SIDES[axis]));
    match found {
        [Some(row), Some(column)] => (row * SIDES[1] + column + 1) as f32,
        _ => 0.0,
    }
}

/// What moves the image by this much, up to the largest that a source may be.
fn shifts() -> impl Iterator<Item = i64> {
    let far = [0, 7, 1 << 20, 100_000_003, 1 << 40, (1 << 47) - 9];
    far.into_iter().flat_map(|shift| [shift, -shift])
}

// Oracle: the border's description, in whole numbers.
fn value_nearest_is_right_however_far(on: &On) {
    for border in Border::ALL {
        for (right, down) in shifts().zip(shifts().skip(3)) {
            let source = [1 << 16, 0, -right << 16, 0, 1 << 16, -down << 16];
            let run = || kernel::warp_nearest(image(on), vec![source], border);
            let found = values(run());
            assert_eq!(found, values(kernel::composed(run)));
            for (at, found) in found.into_iter().enumerate() {
                let (row, column) = ((at / SIDES[1]) as i128, (at % SIDES[1]) as i128);
                let from = [row - i128::from(down), column - i128::from(right)];
                assert_eq!(found, pixel(border, from), "{border:?}, {right}, {down}");
            }
        }
    }
}

fn error_sources_beyond_an_i64(on: &On) {
    let source = [1 << 16, 0, i64::MAX - (1 << 17), 0, 1 << 16, 0];
    kernel::warp_nearest(image(on), vec![source], Border::Circular);
}

// Oracle: the border's description, in whole numbers; farther than a repeated image can be told, NaN.
fn value_bilinear_is_right_or_nan_however_far(on: &On) {
    let reach = 1 << 23;
    let beyond = [1e8, 1e9, 3.1e9, 1e12, 1e20, 3e38].map(|far| [far, -far]);
    let within = shifts().filter(|shift| shift.abs() < reach);
    let far = within.map(|shift| shift as f32);
    let far: Vec<f32> = far.chain(beyond.into_iter().flatten()).collect();
    for border in Border::ALL {
        for (at, &right) in far.iter().enumerate() {
            let down = far[(at + 5) % far.len()];
            let motion = on.tensor(vec![1.0, 0.0, right, down], [1, 4]);
            let run = || kernel::warp_bilinear(image(on), motion.clone(), border);
            let output = run();
            assert_eq!(nan_alike(&output), nan_alike(&kernel::composed(run)));
            let repeats = matches!(border, Border::Reflect | Border::Circular);
            let lost = repeats && right.abs().max(down.abs()) > reach as f32;
            for (at, found) in values(&output).into_iter().enumerate() {
                let (row, column) = ((at / SIDES[1]) as i128, (at % SIDES[1]) as i128);
                let from = [
                    row.saturating_sub(down as i128),
                    column.saturating_sub(right as i128),
                ];
                let expected = match lost {
                    true => f32::NAN,
                    false => pixel(border, from),
                };
                let right_or_nan = found == expected || found.is_nan() && expected.is_nan();
                assert!(
                    right_or_nan,
                    "{border:?}, {right}, {down}: {found}, not {expected}"
                );
            }
        }
    }
}

/// As bits, with one for all that is NaN.
fn nan_alike(output: &Tensor<4>) -> Vec<u32> {
    let one = |bits: u32| match f32::from_bits(bits).is_nan() {
        true => f32::NAN.to_bits(),
        false => bits,
    };
    bits(output).into_iter().map(one).collect()
}
