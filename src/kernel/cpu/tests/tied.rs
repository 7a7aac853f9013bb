//! Filters of p4m group convolutions, split by their mirrors.

use super::{After, Along, Case, Naive, Noise, bits, cases, count, isas};
use crate::group::Group;
use crate::kernel::Numerics;
use crate::kernel::cpu::Window;
use crate::kernel::cpu::conv::{Images, Prepared};
use crate::kernel::cpu::filters::{Packed, Reading};
use crate::kernel::cpu::isa::Isa;
use crate::kernel::cpu::mirrors::{Bases, POINTS, SIGNS, Tied, are_tied};
use crate::kernel::cpu::tile::Two;

/// Expands `[co][ci][8][3][3]` as a group convolution does.
pub fn expand(base: &[f32], [co, ci]: [usize; 2]) -> Vec<f32> {
    let indices = Group::P4m.filter_indices(3);
    let mut filters = Vec::with_capacity(co * ci * 8 * 72);
    for o in 0..co {
        for moved in indices.chunks_exact(72) {
            for i in 0..ci {
                let filter = &base[(o * ci + i) * 72..][..72];
                filters.extend(moved.iter().map(|&at| filter[at]));
            }
        }
    }
    filters
}

/// Numbers from `number`, of base channels `[co, ci]`.
fn tied(
    base: [usize; 2],
    images: Images,
    padding: usize,
    isa: Isa,
    number: impl FnMut() -> f32,
) -> Case {
    let naive = Naive {
        channels: base.map(|channels| 8 * channels),
        images,
        window: Window::three(padding),
    };
    let mut case = Case::new(naive, (Numerics::Exact, isa), number);
    case.w = expand(&case.w, base);
    case
}

/// Random sizes, such that the oracle stays affordable.
fn draw(noise: &mut Noise, products: usize) -> Case {
    loop {
        let base = [noise.pick(1, 24), noise.pick(1, 24)];
        let base = base.map(|c| if noise.coin() { c } else { c.min(4) });
        let side = |noise: &mut Noise| match noise.pick(0, 3) {
            0 => noise.pick(3, 4),
            1 => noise.pick(5, 33),
            _ => noise.pick(3, 16),
        };
        let most = if noise.coin() { 3 } else { 40 };
        let images = [noise.pick(1, most), side(noise), side(noise)];
        if images.iter().chain(&base).product::<usize>() * 64 * 9 > products {
            continue;
        }
        let padding = [0, 0, 1, 1, 2][noise.pick(0, 4)];
        let isa = noise.isa();
        return tied(base, images, padding, isa, || noise.number());
    }
}

fn split(case: &Case) -> Prepared {
    case.prepared().with_group(Group::P4m)
}

/// Points of an orbit have the same matrices, whichever of them is taken to make them; together
/// the parts give back the filters.
#[test]
fn value_parts_are_the_same_at_all_points_of_an_orbit() {
    let mut noise = Noise::new(1);
    let w = expand(&noise.numbers(72), [1, 1]);
    let isa = Isa::Portable;
    for reading in [Reading::Forward, Reading::Transposed, Reading::Flipped] {
        let whole = Packed::winograd::<Two, 4, 2>(&w, [8, 8], reading, isa);
        let tied = Tied::new(Bases::of_bank(&w, 8), [8, 8], reading, isa);
        let element = |packed: &Packed, matrix: usize, output: usize, input: usize| {
            let block = packed.block(matrix, output / packed.rows);
            block[input * packed.rows + output % packed.rows]
        };
        for (p, point) in POINTS.iter().enumerate() {
            let (parts, count) = match point.inner {
                true => (&tied.quarters, 4),
                false => (&tied.halves, 2),
            };
            let first = if point.inner {
                point.slot
            } else {
                point.slot / 4
            };
            let size = 8 / count;
            for (a, b) in (0..8).flat_map(|a| (0..8).map(move |b| (a, b))) {
                let sum: f32 = (0..count)
                    .map(|part| {
                        let signs = SIGNS[part];
                        let sign = (signs[a / size] * signs[b / size]) as f32;
                        sign * element(parts, first + part, a % size, b % size)
                    })
                    .sum();
                let expected = element(&whole, p, point.order[a], point.order[b]);
                assert!(
                    (sum - expected).abs() < 1e-6,
                    "{reading:?}, point {p}: {sum} {expected}"
                );
            }
        }
    }
}

#[test]
fn value_forward_and_input_gradient_against_the_definition() {
    let mut worst = 0.0f64;
    for (seed, mut noise, case) in cases(600, 3_000_000, |noise| draw(noise, 6_000_000)) {
        let prepared = split(&case);
        let [co, ci] = case.naive.channels;
        assert_eq!(prepared.is_split(), [co * ci >= 256; 2]);
        let errors = case.errors(&prepared, Along::default());
        worst = errors.into_iter().fold(worst, f64::max);
        assert!(worst < 5e-6, "{}: {errors:?}, seed {seed}", case.name());

        // Bias, relu and gate.
        let (bias, gate) = (noise.numbers(co), noise.numbers(case.dy.len()));
        let along = Along {
            after: After {
                bias: Some(&bias),
                relu: true,
                ..After::default()
            },
            gate: Some(&gate),
        };
        let errors = case.errors(&prepared, along);
        assert!(errors.iter().all(|&e| e < 1e-5), "{}", case.name());
    }
    println!("worst error / rms: {worst:e}");
}

/// Small whole numbers: every sum is exact, so the result is.
#[test]
fn value_whole_numbers_are_exact() {
    for seed in 0..count(60) {
        let mut noise = Noise::new(seed + 4_000_000);
        let images = [noise.pick(1, 33), noise.pick(3, 9), noise.pick(3, 9)];
        let base = [noise.pick(1, 8), noise.pick(1, 8)];
        let (padding, isa) = (noise.pick(0, 1), noise.isa());
        let whole = || noise.pick(0, 18) as f32 - 9.0;
        let case = tied(base, images, padding, isa, whole);
        let errors = case.errors(&split(&case), Along::default());
        assert_eq!(errors, [0.0; 2], "{}", case.name());
    }
}

#[test]
fn value_does_not_depend_on_batch_order_or_threads() {
    for (_, mut noise, case) in cases(80, 5_000_000, |noise| draw(noise, 8_000_000)) {
        case.assert_independent(&mut noise, || split(&case));
    }
}

/// The stated bound at the widest layers.
#[test]
fn value_error_of_wide_layers() {
    for isa in isas() {
        for (base, padding) in [([23, 23], 1), ([45, 23], 0), ([45, 45], 1)] {
            let mut noise = Noise::new(3);
            let case = tied(base, [3, 8, 9], padding, isa, || noise.number());
            let errors = case.errors(&split(&case), Along::default());
            println!("{}: {errors:?}", case.name());
            assert!(errors.iter().all(|&e| e < 1e-5), "{}", case.name());
        }
    }
}

/// One broken copy, another group or other channels: as if nothing had been said.
#[test]
fn value_structure_is_refused_unless_it_holds() {
    let mut noise = Noise::new(6);
    let mut case = tied([3, 2], [2, 7, 6], 1, Isa::detect(), || noise.number());
    assert!(are_tied(&case.w, [24, 16]));
    for at in 0..case.w.len() {
        let kept = case.w[at];
        case.w[at] = f32::from_bits(kept.to_bits() ^ 1);
        assert!(!are_tied(&case.w, [24, 16]), "weight {at}");
        case.w[at] = kept;
    }
    assert!(!are_tied(&case.w[..24 * 12 * 9], [24, 12]));

    for numerics in [Numerics::Exact, Numerics::Fast] {
        case.numerics = numerics;
        let plain = case.run(&case.prepared()).map(|x| bits(&x));
        for group in [Group::P1, Group::P4] {
            let other = case.prepared().with_group(group);
            assert_eq!(other.is_split(), [false; 2]);
            assert!(case.run(&other).map(|x| bits(&x)) == plain);
        }
        case.w[100] += 1.0;
        assert_eq!(split(&case).is_split(), [false; 2]);
        case.w[100] -= 1.0;
    }
}

/// Splitting is chosen by channels alone.
#[test]
fn value_choice() {
    let w = |co: usize, ci: usize| expand(&Noise::new(7).numbers(co * ci * 72), [co, ci]);
    let split = |co: usize, ci: usize, numerics: Numerics| {
        let prepared = Prepared::new(w(co, ci), [8 * co, 8 * ci], Window::three(1), numerics);
        prepared.with_group(Group::P4m).is_split()
    };
    for (co, ci, exact, fast) in [
        (1, 1, false, false),
        (2, 2, true, false),
        (5, 5, true, false),
        (6, 6, true, true),
        (3, 12, true, true),
        (23, 23, true, true),
    ] {
        assert_eq!(split(co, ci, Numerics::Exact), [exact; 2], "{co} {ci}");
        assert_eq!(split(co, ci, Numerics::Fast), [fast; 2], "{co} {ci}");
    }
}
