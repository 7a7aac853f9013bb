//! Filters of p4m group convolutions, split by their mirrors.

use super::{Naive, Noise, bits, count, error, isas};
use crate::group::Group;
use crate::kernel::Numerics;
use crate::kernel::cpu::conv::{Images, Prepared};
use crate::kernel::cpu::filters::{Packed, Reading};
use crate::kernel::cpu::isa::Isa;
use crate::kernel::cpu::mirrors::{POINTS, SIGNS, Tied, are_tied};
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

struct Case {
    naive: Naive,
    images: Images,
    isa: Isa,
    w: Vec<f32>,
    x: Vec<f32>,
    dy: Vec<f32>,
}

impl Case {
    /// Numbers from `number`, of base channels `[co, ci]`.
    fn new(
        [co, ci]: [usize; 2],
        images: Images,
        padding: usize,
        isa: Isa,
        mut number: impl FnMut() -> f32,
    ) -> Self {
        let Images {
            batch,
            height,
            width,
        } = images;
        let naive = Naive {
            batch,
            co: 8 * co,
            ci: 8 * ci,
            height,
            width,
            padding,
        };
        let [oh, ow] = naive.output();
        let mut numbers = |len: usize| (0..len).map(|_| number()).collect::<Vec<f32>>();
        Self {
            w: expand(&numbers(co * ci * 72), [co, ci]),
            x: numbers(batch * 8 * ci * height * width),
            dy: numbers(batch * 8 * co * oh * ow),
            naive,
            images,
            isa,
        }
    }

    /// Random sizes, such that the oracle stays affordable.
    fn draw(noise: &mut Noise, products: usize) -> Self {
        loop {
            let base = [noise.pick(1, 24), noise.pick(1, 24)];
            let base = base.map(|c| if noise.pick(0, 1) == 0 { c } else { c.min(4) });
            let side = |noise: &mut Noise| match noise.pick(0, 3) {
                0 => noise.pick(3, 4),
                1 => noise.pick(5, 33),
                _ => noise.pick(3, 16),
            };
            let images = Images {
                batch: [noise.pick(1, 3), noise.pick(1, 40)][noise.pick(0, 1)],
                height: side(noise),
                width: side(noise),
            };
            let area = images.batch * images.height * images.width;
            if area * base[0] * base[1] * 64 * 9 > products {
                continue;
            }
            let isas = isas();
            let isa = isas[noise.pick(0, isas.len() - 1)];
            let padding = [0, 0, 1, 1, 2][noise.pick(0, 4)];
            return Self::new(base, images, padding, isa, || noise.number());
        }
    }

    fn plain(&self, numerics: Numerics) -> Prepared {
        let Naive {
            co, ci, padding, ..
        } = self.naive;
        Prepared::with_isa(&self.w, [co, ci], padding, numerics, self.isa)
    }

    fn split(&self) -> Prepared {
        self.plain(Numerics::Exact).with_group(Group::P4m)
    }

    fn run(&self, prepared: &Prepared) -> [Vec<f32>; 2] {
        let (mut y, mut dx) = (vec![f32::NAN; self.dy.len()], vec![f32::NAN; self.x.len()]);
        prepared.forward(&self.x, self.images, None, false, &mut y);
        prepared.input_gradient(&self.dy, None, self.images, &mut dx);
        [y, dx]
    }

    fn errors(&self, found: &[Vec<f32>; 2]) -> [f64; 2] {
        [
            error(
                &found[0],
                &self.naive.forward(&self.x, &self.w, None, false),
            ),
            error(&found[1], &self.naive.input_gradient(&self.dy, &self.w)),
        ]
    }

    fn name(&self) -> String {
        let Naive {
            co, ci, padding, ..
        } = self.naive;
        format!(
            "{:?}, {ci} → {co}, padding {padding}, {:?}",
            self.images, self.isa
        )
    }
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
        let tied = Tied::new(&w, [8, 8], reading, isa);
        let element = |packed: &Packed, matrix: usize, output: usize, input: usize| {
            let block = matrix * packed.blocks + output / packed.rows;
            packed.data[(block * packed.inputs + input) * packed.rows + output % packed.rows]
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
    for seed in 0..count(600) {
        let mut noise = Noise::new(seed + 3_000_000);
        let case = Case::draw(&mut noise, 6_000_000);
        let prepared = case.split();
        assert_eq!(
            prepared.is_split(),
            [case.naive.co * case.naive.ci >= 256; 2]
        );
        let errors = case.errors(&case.run(&prepared));
        worst = errors.into_iter().fold(worst, f64::max);
        assert!(worst < 5e-6, "{}: {errors:?}, seed {seed}", case.name());

        // Bias, relu and gate.
        let bias = noise.numbers(case.naive.co);
        let mut y = vec![f32::NAN; case.dy.len()];
        prepared.forward(&case.x, case.images, Some(&bias), true, &mut y);
        let expected = case.naive.forward(&case.x, &case.w, Some(&bias), true);
        assert!(error(&y, &expected) < 1e-5, "{}", case.name());
        let mut dx = vec![f32::NAN; case.x.len()];
        prepared.input_gradient(&case.dy, Some(&y), case.images, &mut dx);
        let gated = |(&dy, &y): (&f32, &f32)| if y > 0.0 { dy } else { 0.0 };
        let masked: Vec<f32> = case.dy.iter().zip(&y).map(gated).collect();
        let expected = case.naive.input_gradient(&masked, &case.w);
        if masked.iter().any(|&dy| dy != 0.0) {
            assert!(error(&dx, &expected) < 1e-5, "{}", case.name());
        }
    }
    println!("worst error / rms: {worst:e}");
}

/// Small whole numbers: every sum is exact, so the result is.
#[test]
fn value_whole_numbers_are_exact() {
    for seed in 0..count(60) {
        let mut noise = Noise::new(seed + 4_000_000);
        let images = Images {
            batch: noise.pick(1, 33),
            height: noise.pick(3, 9),
            width: noise.pick(3, 9),
        };
        let base = [noise.pick(1, 8), noise.pick(1, 8)];
        let padding = noise.pick(0, 1);
        let isas = isas();
        let isa = isas[seed as usize % isas.len()];
        let case = Case::new(base, images, padding, isa, || {
            noise.pick(0, 18) as f32 - 9.0
        });
        let [y, dx] = case.run(&case.split());
        let same = |found: &[f32], expected: &[f64]| {
            let pairs = found.iter().zip(expected);
            pairs.into_iter().all(|(&a, &b)| f64::from(a) == b)
        };
        let expected = case.naive.forward(&case.x, &case.w, None, false);
        assert!(same(&y, &expected), "{}", case.name());
        let expected = case.naive.input_gradient(&case.dy, &case.w);
        assert!(same(&dx, &expected), "{}", case.name());
    }
}

#[test]
fn value_does_not_depend_on_batch_order_or_threads() {
    for seed in 0..count(80) {
        let mut noise = Noise::new(seed + 5_000_000);
        let case = Case::draw(&mut noise, 8_000_000);
        let prepared = case.split();
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("a pool")
                .install(|| case.run(&prepared).map(|x| bits(&x)))
        };
        let [y, dx] = on(1);
        assert!(
            on(noise.pick(2, 9)) == [y.clone(), dx.clone()],
            "{}",
            case.name()
        );

        let batch = case.images.batch;
        let (xi, yi) = (case.x.len() / batch, case.dy.len() / batch);
        let cut = noise.pick(0, batch - 1);
        for (first, batch) in [(cut, 1), (cut, batch - cut)] {
            let images = Images {
                batch,
                ..case.images
            };
            let (xs, ys) = (
                first * xi..(first + batch) * xi,
                first * yi..(first + batch) * yi,
            );
            let (mut some_y, mut some_dx) = (vec![f32::NAN; ys.len()], vec![f32::NAN; xs.len()]);
            prepared.forward(&case.x[xs.clone()], images, None, false, &mut some_y);
            prepared.input_gradient(&case.dy[ys.clone()], None, images, &mut some_dx);
            assert!(
                bits(&some_y) == y[ys] && bits(&some_dx) == dx[xs],
                "{}",
                case.name()
            );
        }
    }
}

/// The stated bound at the widest layers.
#[test]
fn value_error_of_wide_layers() {
    for isa in isas() {
        for (base, padding) in [([23, 23], 1), ([45, 23], 0), ([45, 45], 1)] {
            let images = Images {
                batch: 3,
                height: 8,
                width: 9,
            };
            let mut noise = Noise::new(3);
            let case = Case::new(base, images, padding, isa, || noise.number());
            let errors = case.errors(&case.run(&case.split()));
            println!("{}: {errors:?}", case.name());
            assert!(errors.iter().all(|&e| e < 1e-5), "{}", case.name());
        }
    }
}

/// One broken copy, another group or other channels: as if nothing had been said.
#[test]
fn value_structure_is_refused_unless_it_holds() {
    let mut noise = Noise::new(6);
    let images = Images {
        batch: 2,
        height: 7,
        width: 6,
    };
    let mut case = Case::new([3, 2], images, 1, Isa::detect(), || noise.number());
    assert!(are_tied(&case.w, [24, 16]));
    for at in 0..case.w.len() {
        let kept = case.w[at];
        case.w[at] = f32::from_bits(kept.to_bits() ^ 1);
        assert!(!are_tied(&case.w, [24, 16]), "weight {at}");
        case.w[at] = kept;
    }
    assert!(!are_tied(&case.w[..24 * 12 * 9], [24, 12]));

    for numerics in [Numerics::Exact, Numerics::Fast] {
        let plain = case.run(&case.plain(numerics)).map(|x| bits(&x));
        for group in [Group::P1, Group::P4] {
            let other = case.plain(numerics).with_group(group);
            assert_eq!(other.is_split(), [false; 2]);
            assert!(case.run(&other).map(|x| bits(&x)) == plain);
        }
        case.w[100] += 1.0;
        let broken = case.plain(numerics).with_group(Group::P4m);
        assert_eq!(broken.is_split(), [false; 2]);
        case.w[100] -= 1.0;
    }
}

/// Splitting is chosen by channels alone.
#[test]
fn value_choice() {
    let w = |co: usize, ci: usize| expand(&Noise::new(7).numbers(co * ci * 72), [co, ci]);
    let split = |co: usize, ci: usize, numerics: Numerics| {
        let prepared = Prepared::new(&w(co, ci), [8 * co, 8 * ci], 1, numerics);
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
