//! Convolutions against their definition in f64, and the independence of batch, order and threads.

use super::{Naive, Noise, bits, count, error, isas};
use crate::kernel::Numerics;
use crate::kernel::cpu::conv::{Images, Prepared};
use crate::kernel::cpu::elementwise::bias_gradient;
use crate::kernel::cpu::isa::Isa;

/// Largest error over root mean square, at up to 100 channels.
fn bound(numerics: Numerics) -> f64 {
    match numerics {
        Numerics::Exact => 1e-5,
        Numerics::Fast => 4e-5,
    }
}

struct Case {
    naive: Naive,
    images: Images,
    numerics: Numerics,
    isa: Isa,
}

/// Random sizes; channel counts and images are drawn so that the oracle stays affordable.
fn draw(noise: &mut Noise, products: usize) -> Case {
    loop {
        let side = |noise: &mut Noise| match noise.pick(0, 5) {
            0 => noise.pick(1, 4),
            1 => noise.pick(5, 65),
            _ => noise.pick(3, 20),
        };
        let channels = |noise: &mut Noise| match noise.pick(0, 3) {
            0 => noise.pick(1, 7),
            1 => noise.pick(8, 100),
            _ => noise.pick(1, 40),
        };
        let (height, width) = (side(noise), side(noise).min(33));
        let padding = [0, 0, 0, 1, 1, 2][noise.pick(0, 5)];
        if height.min(width) + 2 * padding < 3 {
            continue;
        }
        let batch = if noise.pick(0, 2) == 0 {
            noise.pick(1, 3)
        } else {
            noise.pick(1, 40)
        };
        let naive = Naive {
            batch,
            co: channels(noise),
            ci: channels(noise),
            height,
            width,
            padding,
        };
        if naive.batch * naive.co * naive.ci * height * width * 9 > products {
            continue;
        }
        let isas = isas();
        return Case {
            images: Images {
                batch,
                height,
                width,
            },
            naive,
            numerics: [Numerics::Exact, Numerics::Fast][noise.pick(0, 1)],
            isa: isas[noise.pick(0, isas.len() - 1)],
        };
    }
}

impl Case {
    fn name(&self) -> String {
        let Naive {
            batch,
            co,
            ci,
            height,
            width,
            padding,
        } = self.naive;
        let (numerics, isa) = (self.numerics, self.isa);
        format!("{batch}×{ci}×{height}×{width} → {co}, padding {padding}, {numerics:?}, {isa:?}")
    }

    fn prepared(&self, w: &[f32]) -> Prepared {
        let Naive {
            co, ci, padding, ..
        } = self.naive;
        Prepared::with_isa(w, [co, ci], padding, self.numerics, self.isa)
    }

    fn lengths(&self) -> [usize; 3] {
        let n = &self.naive;
        let [oh, ow] = n.output();
        [
            n.batch * n.ci * n.height * n.width,
            n.co * n.ci * 9,
            n.batch * n.co * oh * ow,
        ]
    }

    /// Of the result and of the input gradient, for numbers of this seed.
    fn errors(&self, seed: u64) -> [f64; 2] {
        let [xs, ws, ys] = self.lengths();
        let mut noise = Noise::new(seed);
        let (x, w, dy) = (noise.numbers(xs), noise.numbers(ws), noise.numbers(ys));
        let prepared = self.prepared(&w);
        let (mut y, mut dx) = (vec![f32::NAN; ys], vec![f32::NAN; xs]);
        prepared.forward(&x, self.images, None, false, &mut y);
        prepared.input_gradient(&dy, None, self.images, &mut dx);
        [
            error(&y, &self.naive.forward(&x, &w, None, false)),
            error(&dx, &self.naive.input_gradient(&dy, &w)),
        ]
    }
}

/// `dy` where it counts.
fn masked(dy: &[f32], gate: Option<&[f32]>) -> Vec<f32> {
    let shut = |i: usize| gate.is_some_and(|gate| gate[i] <= 0.0);
    (dy.iter().enumerate())
        .map(|(i, &dy)| if shut(i) { 0.0 } else { dy })
        .collect()
}

#[test]
fn value_forward_and_input_gradient_against_the_definition() {
    let mut worst = [0.0f64; 2];
    for seed in 0..count(2500) {
        let mut noise = Noise::new(seed);
        let case = draw(&mut noise, 4_000_000);
        let [xs, ws, ys] = case.lengths();
        let (x, w, dy) = (noise.numbers(xs), noise.numbers(ws), noise.numbers(ys));
        let bias = noise.numbers(case.naive.co);
        let bias = (noise.pick(0, 1) == 0).then_some(&bias[..]);
        let relu = noise.pick(0, 1) == 0;
        let prepared = case.prepared(&w);

        let mut y = vec![f32::NAN; ys];
        prepared.forward(&x, case.images, bias, relu, &mut y);
        let mut check = |what: &str, found: f64| {
            let name = case.name();
            assert!(
                found < bound(case.numerics),
                "{what} {name}: {found:e}, seed {seed}"
            );
            worst[case.numerics as usize] = worst[case.numerics as usize].max(found);
        };
        let expected = case.naive.forward(&x, &w, bias, relu);
        if expected.iter().any(|&y| y != 0.0) {
            check("forward", error(&y, &expected));
        }

        let gate = noise.numbers(ys);
        let gate = (noise.pick(0, 1) == 0).then_some(&gate[..]);
        let mut dx = vec![f32::NAN; xs];
        prepared.input_gradient(&dy, gate, case.images, &mut dx);
        let masked = masked(&dy, gate);
        let expected = case.naive.input_gradient(&masked, &w);
        if masked.iter().any(|&dy| dy != 0.0) {
            check("gradient", error(&dx, &expected));
        }
    }
    println!(
        "worst error / rms: Exact {:e}, Fast {:e}",
        worst[0], worst[1]
    );
}

/// Convolves with one pool of `threads`.
fn run(
    case: &Case,
    w: &[f32],
    x: &[f32],
    dy: &[f32],
    batch: usize,
    threads: usize,
) -> [Vec<u32>; 2] {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("a pool");
    let prepared = case.prepared(w);
    let images = Images {
        batch,
        ..case.images
    };
    let (mut y, mut dx) = (vec![f32::NAN; dy.len()], vec![f32::NAN; x.len()]);
    pool.install(|| {
        prepared.forward(x, images, None, false, &mut y);
        prepared.input_gradient(dy, None, images, &mut dx);
    });
    [bits(&y), bits(&dx)]
}

/// Images alone, in chunks, in another order and with other thread counts: the same bits.
#[test]
fn value_does_not_depend_on_batch_order_or_threads() {
    for seed in 0..count(300) {
        let mut noise = Noise::new(seed + 1_000_000);
        let case = draw(&mut noise, 8_000_000);
        let batch = case.naive.batch;
        let [xs, ws, ys] = case.lengths();
        let (x, w, dy) = (noise.numbers(xs), noise.numbers(ws), noise.numbers(ys));
        let [y, dx] = run(&case, &w, &x, &dy, batch, 1);
        let name = || format!("{}, seed {seed}", case.name());
        let threads = noise.pick(2, 9);
        assert!(
            run(&case, &w, &x, &dy, batch, threads) == [y.clone(), dx.clone()],
            "{}",
            name()
        );

        let (xi, yi) = (xs / batch, ys / batch);
        let n = noise.pick(0, batch - 1);
        let [x1, y1] = [&x[n * xi..][..xi], &dy[n * yi..][..yi]];
        let alone = run(&case, &w, x1, y1, 1, 2);
        assert!(
            alone[0] == y[n * yi..][..yi] && alone[1] == dx[n * xi..][..xi],
            "{}",
            name()
        );

        let cut = noise.pick(0, batch - 1);
        let later = run(&case, &w, &x[cut * xi..], &dy[cut * yi..], batch - cut, 2);
        assert!(
            later[0] == y[cut * yi..] && later[1] == dx[cut * xi..],
            "{}",
            name()
        );
    }
}

/// Every instruction set, method and kind of padding on one case of each batch size.
#[test]
fn value_every_path_and_batch() {
    for isa in isas() {
        for numerics in [Numerics::Exact, Numerics::Fast] {
            for (padding, [co, ci]) in [(0, [9, 11]), (1, [17, 8]), (2, [8, 3]), (0, [2, 13])] {
                for batch in [1, 2, 7, 15, 16, 17, 31, 32, 33] {
                    let naive = Naive {
                        batch,
                        co,
                        ci,
                        height: 13,
                        width: 18,
                        padding,
                    };
                    let images = Images {
                        batch,
                        height: 13,
                        width: 18,
                    };
                    let case = Case {
                        naive,
                        images,
                        numerics,
                        isa,
                    };
                    let errors = case.errors(batch as u64);
                    assert!(
                        errors.iter().all(|&e| e < bound(numerics)),
                        "{}: {errors:?}",
                        case.name()
                    );
                }
            }
        }
    }
}

#[test]
fn value_weight_and_bias_gradient_against_the_definition() {
    let mut worst = 0.0f64;
    for seed in 0..count(1000) {
        let mut noise = Noise::new(seed + 2_000_000);
        let case = draw(&mut noise, 4_000_000);
        let co = case.naive.co;
        let [xs, ws, ys] = case.lengths();
        let prepared = case.prepared(&vec![0.0; ws]);
        let (x, dy) = (noise.numbers(xs), noise.numbers(ys));
        let gate = noise.numbers(ys);
        let gate = (noise.pick(0, 1) == 0).then_some(&gate[..]);
        let masked = masked(&dy, gate);
        if masked.iter().all(|&dy| dy == 0.0) {
            continue;
        }
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let mut dw = vec![f32::NAN; ws];
            pool.expect("a pool").install(|| {
                prepared.weight_gradient(&x, &dy, gate, case.images, &mut dw);
            });
            dw
        };
        let dw = run(2);
        let found = error(&dw, &case.naive.weight_gradient(&x, &masked));
        assert!(found < 1e-5, "{}: {found:e}, seed {seed}", case.name());
        worst = worst.max(found);
        if seed % 4 == 0 {
            assert!(
                bits(&dw) == bits(&run(noise.pick(1, 9))),
                "threads: {}",
                case.name()
            );
        }

        let area = case.naive.output().iter().product();
        let mut db = vec![f32::NAN; co];
        bias_gradient(&dy, gate, area, &mut db);
        let mut expected = vec![0.0; co];
        for (i, &dy) in masked.iter().enumerate() {
            expected[i / area % co] += f64::from(dy);
        }
        let size = (ys as f64).sqrt();
        let wrong = db
            .iter()
            .zip(&expected)
            .any(|(&a, b)| (f64::from(a) - b).abs() > 1e-6 * size);
        assert!(!wrong, "bias {}: {db:?} {expected:?}", case.name());
    }
    println!("worst error / rms of weight gradients: {worst:e}");
}

/// The stated bounds at the widest layers: sums over 360 channels.
#[test]
fn value_error_of_wide_layers() {
    for isa in isas() {
        for numerics in [Numerics::Exact, Numerics::Fast] {
            for padding in [0, 1] {
                let naive = Naive {
                    batch: 3,
                    co: 184,
                    ci: 360,
                    height: 10,
                    width: 9,
                    padding,
                };
                let images = Images {
                    batch: 3,
                    height: 10,
                    width: 9,
                };
                let case = Case {
                    naive,
                    images,
                    numerics,
                    isa,
                };
                let errors = case.errors(3);
                println!("{}: {errors:?}", case.name());
                assert!(
                    errors.iter().all(|&e| e < bound(numerics)),
                    "{}",
                    case.name()
                );
            }
        }
    }
}
