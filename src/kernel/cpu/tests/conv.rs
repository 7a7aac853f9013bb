//! Convolutions against their definition in f64, and the independence of batch, order and threads.

use super::{Along, Case, Naive, Noise, bits, cases, close, error, isas, on_threads};
use crate::kernel::Numerics;
use crate::kernel::cpu::elementwise::bias_gradient;

/// Largest error over root mean square, at up to 100 channels.
fn bound(numerics: Numerics) -> f64 {
    match numerics {
        Numerics::Exact => 1e-5,
        Numerics::Fast => 4e-5,
    }
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
        let most = if noise.pick(0, 2) == 0 { 3 } else { 40 };
        let naive = Naive {
            images: [noise.pick(1, most), height, width],
            channels: [channels(noise), channels(noise)],
            padding,
        };
        let sizes = naive.images.iter().chain(&naive.channels);
        if sizes.product::<usize>() * 9 > products {
            continue;
        }
        let numerics = [Numerics::Exact, Numerics::Fast][noise.pick(0, 1)];
        let isa = noise.isa();
        return Case::new(naive, (numerics, isa), || noise.number());
    }
}

#[test]
fn value_forward_and_input_gradient_against_the_definition() {
    let mut worst = [0.0f64; 2];
    for (seed, mut noise, case) in cases(2500, 0, |noise| draw(noise, 4_000_000)) {
        let bias = noise.numbers(case.naive.channels[0]);
        let bias = noise.coin().then_some(&bias[..]);
        let relu = noise.coin();
        let gate = noise.numbers(case.dy.len());
        let gate = noise.coin().then_some(&gate[..]);
        let errors = case.errors(&case.prepared(), Along { bias, relu, gate });
        assert!(
            errors.iter().all(|&e| e < bound(case.numerics)),
            "{}: {errors:?}, seed {seed}",
            case.name()
        );
        let worst = &mut worst[case.numerics as usize];
        *worst = errors.into_iter().fold(*worst, f64::max);
    }
    println!(
        "worst error / rms: Exact {:e}, Fast {:e}",
        worst[0], worst[1]
    );
}

/// Images alone, in chunks, in another order and with other thread counts: the same bits.
#[test]
fn value_does_not_depend_on_batch_order_or_threads() {
    for (_, mut noise, case) in cases(300, 1_000_000, |noise| draw(noise, 8_000_000)) {
        case.assert_independent(&mut noise, || case.prepared());
    }
}

/// Every instruction set, with both numerics.
fn for_every_path(images: &[usize; 3], cases: &[(usize, [usize; 2])]) {
    for isa in isas() {
        for numerics in [Numerics::Exact, Numerics::Fast] {
            for &(padding, channels) in cases {
                let naive = Naive {
                    channels,
                    images: *images,
                    padding,
                };
                let mut noise = Noise::new(images[0] as u64);
                let case = Case::new(naive, (numerics, isa), || noise.number());
                let errors = case.errors(&case.prepared(), Along::default());
                let name = case.name();
                println!("{name}: {errors:?}");
                assert!(errors.iter().all(|&e| e < bound(numerics)), "{name}");
            }
        }
    }
}

/// Every instruction set, method and kind of padding on one case of each batch size.
#[test]
fn value_every_path_and_batch() {
    for batch in [1, 2, 7, 15, 16, 17, 31, 32, 33] {
        let cases = [(0, [9, 11]), (1, [17, 8]), (2, [8, 3]), (0, [2, 13])];
        for_every_path(&[batch, 13, 18], &cases);
    }
}

/// The stated bounds at the widest layers: sums over 360 channels.
#[test]
fn value_error_of_wide_layers() {
    for_every_path(&[3, 10, 9], &[(0, [184, 360]), (1, [184, 360])]);
}

#[test]
fn value_weight_and_bias_gradient_against_the_definition() {
    let mut worst = 0.0f64;
    for (seed, mut noise, case) in cases(1000, 2_000_000, |noise| draw(noise, 4_000_000)) {
        let co = case.naive.channels[0];
        let prepared = case.prepared();
        let gate = noise.numbers(case.dy.len());
        let gate = noise.coin().then_some(&gate[..]);
        let masked = case.masked(gate);
        if masked.iter().all(|&dy| dy == 0.0) {
            continue;
        }
        let run = |threads: usize| {
            let mut dw = vec![f32::NAN; case.w.len()];
            on_threads(threads, || {
                prepared.weight_gradient(&case.x, &case.dy, gate, case.naive.images, &mut dw);
            });
            dw
        };
        let dw = run(2);
        let found = error(&dw, &case.naive.weight_gradient(&case.x, &masked));
        assert!(found < 1e-5, "{}: {found:e}, seed {seed}", case.name());
        worst = worst.max(found);
        if seed % 4 == 0 {
            let same = bits(&dw) == bits(&run(noise.pick(1, 9)));
            assert!(same, "threads: {}", case.name());
        }

        let area = case.naive.output().iter().product();
        let mut db = vec![f32::NAN; co];
        bias_gradient(&case.dy, gate, area, &mut db);
        let mut expected = vec![0.0; co];
        for (i, &dy) in masked.iter().enumerate() {
            expected[i / area % co] += f64::from(dy);
        }
        let most = 1e-6 * (case.dy.len() as f64).sqrt();
        assert!(
            close(&db, &expected, most),
            "bias {}: {db:?} {expected:?}",
            case.name()
        );
    }
    println!("worst error / rms of weight gradients: {worst:e}");
}
