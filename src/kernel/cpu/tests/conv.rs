//! Convolutions against their definition in f64, and the independence of batch, order and threads.

use super::{After, Along, Case, Naive, Noise, Window};
use super::{bits, cases, close, error, isas, on_threads};
use crate::kernel::Numerics;
use crate::kernel::cpu::elementwise::bias_gradient;

/// Largest error over root mean square, at up to 100 channels.
fn bound(numerics: Numerics) -> f64 {
    match numerics {
        Numerics::Exact => 1e-5,
        Numerics::Fast => 4e-5,
    }
}

/// What Winograd's transforms know, or any window.
fn window(noise: &mut Noise) -> Window {
    if noise.coin() {
        return Window::three([0, 0, 0, 1, 1, 2][noise.pick(0, 5)]);
    }
    let mut few = |most: usize| match noise.pick(0, 3) {
        0 => noise.pick(1, 8),
        _ => noise.pick(1, most),
    };
    let (side, stride, dilation) = (few(5), few(3), few(1));
    let padding = match noise.pick(0, 3) {
        0 => noise.pick(0, 8),
        _ => noise.pick(0, side / 2),
    };
    Window {
        side,
        stride,
        dilation,
        padding,
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
        let window = window(noise);
        let fits = |side| window.output(side).is_some();
        let most = if noise.pick(0, 2) == 0 { 3 } else { 40 };
        let naive = Naive {
            images: [noise.pick(1, most), height, width],
            channels: [channels(noise), channels(noise)],
            window,
        };
        if !fits(height) || !fits(width) {
            continue;
        }
        let sizes = [naive.images[0], window.taps()];
        let sizes = sizes.iter().chain(&naive.channels);
        let each = sizes.product::<usize>();
        let outputs = naive.output().iter().product::<usize>();
        if each * outputs > products || each / window.taps() * height * width > products {
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
    for (seed, mut noise, case) in cases(5000, 0, |noise| draw(noise, 1_000_000)) {
        let bias = noise.numbers(case.naive.channels[0]);
        let bias = noise.coin().then_some(&bias[..]);
        let beside = noise.numbers(case.dy.len());
        let beside = noise.coin().then_some(&beside[..]);
        let relu = noise.coin();
        let after = After { bias, beside, relu };
        let gate = noise.numbers(case.dy.len());
        let gate = noise.coin().then_some(&gate[..]);
        let errors = case.errors(&case.prepared(), Along { after, gate });
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

/// Images of 2×2 pixels: noise, and small integers, of which every sum is exact.
#[test]
fn value_images_that_are_one_tile() {
    let draw = |noise: &mut Noise| {
        let naive = Naive {
            images: [noise.pick(1, 40), 2, 2],
            channels: [noise.pick(1, 100), noise.pick(1, 100)],
            window: Window::three(1),
        };
        let numerics = [Numerics::Exact, Numerics::Fast][noise.pick(0, 1)];
        let (isa, whole) = (noise.isa(), noise.coin());
        Case::new(naive, (numerics, isa), || match whole {
            true => noise.pick(0, 8) as f32 - 4.0,
            false => noise.number(),
        })
    };
    for (seed, mut noise, case) in cases(2000, 3_000_000, draw) {
        let errors = case.errors(&case.prepared(), Along::default());
        let whole = case.w.iter().all(|w| w.fract() == 0.0);
        let most = if whole { f64::MIN_POSITIVE } else { 1e-5 };
        assert!(
            errors.iter().all(|&e| e < most),
            "{}: {errors:?}, seed {seed}",
            case.name()
        );
        if seed % 10 == 0 {
            case.assert_independent(&mut noise, || case.prepared());
        }
    }
}

/// Images alone, in chunks, in another order and with other thread counts: the same bits.
#[test]
fn value_does_not_depend_on_batch_order_or_threads() {
    for (_, mut noise, case) in cases(400, 1_000_000, |noise| draw(noise, 5_000_000)) {
        case.assert_independent(&mut noise, || case.prepared());
    }
}

/// Every instruction set, with both numerics.
fn for_every_path(images: &[usize; 3], cases: &[(Window, [usize; 2])]) {
    for isa in isas() {
        for numerics in [Numerics::Exact, Numerics::Fast] {
            for &(window, channels) in cases {
                let naive = Naive {
                    channels,
                    images: *images,
                    window,
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

/// Every instruction set, method and kind of window on one case of each batch size.
#[test]
fn value_every_path_and_batch() {
    let window = |[side, stride, dilation, padding]: [usize; 4]| Window {
        side,
        stride,
        dilation,
        padding,
    };
    let [halving, pointwise, wide, apart] =
        [[3, 2, 1, 1], [1, 2, 1, 0], [5, 1, 1, 2], [2, 3, 2, 0]].map(window);
    for batch in [1, 2, 7, 15, 16, 17, 31, 32, 33] {
        let three = [(0, [9, 11]), (1, [17, 8]), (2, [8, 3]), (0, [2, 13])];
        let three = three.map(|(padding, channels)| (Window::three(padding), channels));
        let others = [halving, pointwise, wide, apart].map(|window| (window, [9, 11]));
        for_every_path(&[batch, 13, 18], &three);
        for_every_path(&[batch, 13, 18], &others);
    }
}

/// The stated bounds at the widest layers: sums over 360 channels.
#[test]
fn value_error_of_wide_layers() {
    let cases = [0, 1].map(|padding| (Window::three(padding), [184, 360]));
    for_every_path(&[3, 10, 9], &cases);
}

/// Error of the weight gradient, which is the same with any number of threads; `None` if the gradient that
/// comes in is shut off.
fn weight_error(case: &Case, gate: Option<&[f32]>, threads: Option<usize>) -> Option<f64> {
    let masked = case.masked(gate);
    if masked.iter().all(|&dy| dy == 0.0) {
        return None;
    }
    let prepared = case.prepared();
    let run = |threads: usize| {
        let mut dw = vec![f32::NAN; case.w.len()];
        on_threads(threads, || {
            prepared.weight_gradient(&case.x, &case.dy, gate, case.naive.images, &mut dw);
        });
        dw
    };
    let dw = run(2);
    if let Some(threads) = threads {
        let same = bits(&dw) == bits(&run(threads));
        assert!(same, "threads: {}", case.name());
    }
    Some(error(&dw, &case.naive.weight_gradient(&case.x, &masked)))
}

/// The gate drawn, and the error, which is checked, where there is a kernel.
fn weight_case(seed: u64, noise: &mut Noise, case: &Case) -> (Option<Vec<f32>>, Option<f64>) {
    let gate = noise.numbers(case.dy.len());
    let gate = noise.coin().then_some(gate);
    let threads = seed.is_multiple_of(4).then(|| noise.pick(1, 9));
    let found = weight_error(case, gate.as_deref(), threads);
    if let Some(found) = found {
        assert!(found < 1e-5, "{}: {found:e}, seed {seed}", case.name());
    }
    (gate, found)
}

#[test]
fn value_weight_and_bias_gradient_against_the_definition() {
    let mut worst = 0.0f64;
    for (seed, mut noise, case) in cases(4000, 2_000_000, |noise| draw(noise, 500_000)) {
        let co = case.naive.channels[0];
        let (gate, Some(found)) = weight_case(seed, &mut noise, &case) else {
            continue;
        };
        let gate = gate.as_deref();
        worst = worst.max(found);

        let area = case.naive.output().iter().product();
        let mut db = vec![f32::NAN; co];
        bias_gradient(&case.dy, gate, area, &mut db);
        let mut expected = vec![0.0; co];
        for (i, &dy) in case.masked(gate).iter().enumerate() {
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

/// The same where Winograd's tiles sum it.
#[test]
fn value_weight_gradient_in_tiles_against_the_definition() {
    let mut worst = 0.0f64;
    let three = |noise: &mut Noise| {
        loop {
            let case = draw(noise, 300_000);
            let Naive {
                window, channels, ..
            } = case.naive;
            if window.is_three() && channels.iter().all(|&count| count >= 8) {
                return case;
            }
        }
    };
    for (seed, mut noise, case) in cases(2500, 3_000_000, three) {
        let (_, found) = weight_case(seed, &mut noise, &case);
        worst = worst.max(found.unwrap_or(0.0));
    }
    println!("worst error / rms in tiles: {worst:e}");
}

/// Whole numbers are summed exactly in tiles too, and a gradient of several blocks and parts is whole.
#[test]
fn value_weight_gradient_of_whole_numbers_is_exact() {
    for isa in isas() {
        // One block in many parts; several blocks; blocks of channels that fill no vector.
        for (images, channels) in [
            ([33, 12, 9], [16, 24]),
            ([2, 8, 8], [120, 100]),
            ([18, 4, 4], [9, 197]),
        ] {
            let naive = Naive {
                channels,
                images,
                window: Window::three(1),
            };
            let mut noise = Noise::new(7);
            let case = Case::new(naive, (Numerics::Exact, isa), || {
                noise.pick(0, 2) as f32 - 1.0
            });
            assert_eq!(
                weight_error(&case, None, Some(3)),
                Some(0.0),
                "{}",
                case.name()
            );
        }
    }
}
