//! Whole pixels, independence of the batch, and what is out of the ordinary.

use super::*;

/// Pillow's arithmetic: shifts and quarter turns, whose sources are exact.
fn exact(turns: usize, shift: [i64; 2], frame: Frame) -> [i64; 6] {
    let unit = 1 << 16;
    let [height, width] = [frame.height, frame.width].map(|length| length as i64 * unit / 2);
    let [right, down] = shift.map(|shift| shift * unit);
    let (cos, sin) = match turns {
        0 => (1, 0),
        1 => (0, 1),
        2 => (-1, 0),
        _ => (0, -1),
    };
    let (x, y) = (unit / 2 - width - right, unit / 2 - height - down);
    [
        cos * unit,
        -sin * unit,
        cos * x - sin * y + width,
        sin * unit,
        cos * unit,
        sin * x + cos * y + height,
    ]
}

// Oracle: Burn's operations, bit for bit.
#[test]
fn value_of_nearest_is_that_of_burns_operations() {
    for seed in 0..100 {
        let (mut noise, frame, border) = start(3000 + seed);
        let sources: Vec<_> = (0..frame.batch)
            .map(|_| {
                let turns = noise.pick(0, 3);
                let shift = [(); 2].map(|()| noise.pick(0, 40) as i64 - 20);
                exact(turns, shift, frame)
            })
            .collect();
        let x = noise.numbers(len(frame));
        let images = images(&x, frame, &flex());
        let expected = composed(|| warp_nearest(images, sources.clone(), border));
        let expected = bits(&numbers(expected));
        for isa in isas() {
            let mut y = vec![f32::NAN; x.len()];
            nearest(isa, &x, Sampling::new(&sources, frame, border), &mut y);
            assert_eq!(bits(&y), expected, "{isa:?}, {frame:?}, {border:?}");
        }
    }
}

// Oracle: the definition on the infinite lattice. The gradient is the adjoint: sums of halves
// from -4 to 4 are exact, so in any order.
#[test]
fn value_and_gradient_of_nearest_against_the_definition() {
    for seed in 0..200 {
        let (mut noise, frame, border) = start(4000 + seed);
        let sources = sources(&mut noise, frame);
        let x = noise.numbers(len(frame));
        let dy: Vec<f32> = x.iter().map(|x| (x * 8.0).round() / 2.0).collect();
        let area = frame.height * frame.width;
        let (mut value, mut gradient) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        for i in 0..x.len() {
            let source = sources[i / area / frame.channels];
            let (column, row) = ((i % frame.width) as i64, (i % area / frame.width) as i64);
            let at = |s: &[i64]| (s[0] * column + s[1] * row + s[2]).div_euclid(1 << 16);
            let column = pixel(border, at(&source[..3]), frame.width);
            let row = pixel(border, at(&source[3..]), frame.height);
            if let (Some(column), Some(row)) = (column, row) {
                let from = i / area * area + row * frame.width + column;
                value[i] = x[from];
                gradient[from] += dy[i];
            }
        }
        for isa in isas() {
            let (mut y, mut dx) = (vec![f32::NAN; x.len()], vec![f32::NAN; x.len()]);
            let by = Sampling::new(&sources, frame, border);
            nearest(isa, &x, by, &mut y);
            nearest_gradient(isa, &dy, by, &mut dx);
            assert_eq!(y, value, "{isa:?}, {frame:?}, {border:?}");
            assert_eq!(dx, gradient, "{isa:?}, {frame:?}, {border:?}");
        }
    }
}

#[test]
fn gradient_of_bilinear_images_is_the_adjoint() {
    for seed in 0..100 {
        let (mut noise, frame, border) = start(5000 + seed);
        let motions = motions(&mut noise, frame);
        let (x, dy) = (noise.numbers(len(frame)), noise.numbers(len(frame)));
        let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        let isa = Isa::detect();
        let by = Sampling::new(&motions, frame, border);
        bilinear(isa, &x, by, &mut y);
        let wanted = Some(&mut dx[..]);
        bilinear_gradient(isa, &x, by, &dy, wanted, None);
        let dot = |a: &[f32], b: &[f32]| {
            let products = a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b));
            products.sum::<f64>()
        };
        let (forward, back) = (dot(&y, &dy), dot(&x, &dx));
        let scale = (dot(&y, &y) * dot(&dy, &dy)).sqrt().max(1.0);
        assert!((forward - back).abs() < 1e-6 * scale, "{forward} {back}");
    }
}

#[test]
fn an_image_does_not_depend_on_the_others() {
    let frame = Frame::new([40, 3, 19, 21]);
    let one = Frame { batch: 1, ..frame };
    let mut noise = Noise::new(6);
    let (motions, sources) = (motions(&mut noise, frame), sources(&mut noise, frame));
    let (x, dy) = (noise.numbers(len(frame)), noise.numbers(len(frame)));
    let isa = Isa::detect();
    let run = |frame, x: &[f32], dy: &[f32], m: &[f32], s: &[[i64; 6]], border| {
        let mut y = [(); 4].map(|()| vec![f32::NAN; x.len()]);
        let mut dm = vec![f32::NAN; m.len()];
        let [a, b, c, d] = &mut y;
        let by = Sampling::new(m, frame, border);
        bilinear(isa, x, by, a);
        bilinear_gradient(isa, x, by, dy, Some(b), Some(&mut dm));
        let by = Sampling::new(s, frame, border);
        nearest(isa, x, by, c);
        nearest_gradient(isa, dy, by, d);
        (y, dm)
    };
    for border in Border::ALL {
        let (all, all_dm) = run(frame, &x, &dy, &motions, &sources, border);
        for i in 0..frame.batch {
            let part = i * len(one)..(i + 1) * len(one);
            let motion = 4 * i..4 * i + 4;
            let (some, dm) = run(
                one,
                &x[part.clone()],
                &dy[part.clone()],
                &motions[motion.clone()],
                &sources[i..=i],
                border,
            );
            for (some, all) in some.iter().zip(&all) {
                assert_eq!(bits(some), bits(&all[part.clone()]));
            }
            assert_eq!(bits(&dm), bits(&all_dm[motion]));
        }
    }
}

// No motion whatever reads or writes border, and one with a NaN makes its image NaN.
#[test]
fn absurd_motions_stay_inside() {
    let frame = Frame::new([1, 1, 5, 6]);
    let (x, dy) = (vec![1.0; 30], vec![1.0; 30]);
    let absurd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 3e38, -1e9];
    for (border, isa) in Border::ALL
        .into_iter()
        .flat_map(|o| isas().into_iter().map(move |isa| (o, isa)))
    {
        for (i, value) in absurd.into_iter().flat_map(|v| (0..4).map(move |i| (i, v))) {
            let mut motion = [0.8, 0.6, 0.0, 0.0];
            motion[i] = value;
            let (mut y, mut dx, mut dm) = ([0.0; 30], [0.0; 30], [0.0; 4]);
            let by = Sampling::new(&motion, frame, border);
            bilinear(isa, &x, by, &mut y);
            let (dx, dm) = (Some(&mut dx[..]), Some(&mut dm[..]));
            bilinear_gradient(isa, &x, by, &dy, dx, dm);
            if value.is_nan() {
                assert!(y.iter().all(|y| y.is_nan()), "{border:?}");
            }
        }
        for source in [[i64::MAX; 6], [i64::MIN; 6], [-1; 6]] {
            let (mut y, mut dx) = ([0.0; 30], [0.0; 30]);
            let sources = [source];
            let by = Sampling::new(&sources, frame, border);
            nearest(isa, &x, by, &mut y);
            nearest_gradient(isa, &dy, by, &mut dx);
        }
    }
}

#[test]
fn nothing_makes_nothing() {
    for shape in [[0, 1, 2, 2], [2, 0, 2, 2], [2, 1, 0, 2], [2, 1, 2, 0]] {
        let (batch, frame) = (shape[0], Frame::new(shape));
        let motions = vec![0.5; 4 * batch];
        let mut dm = vec![f32::NAN; 4 * batch];
        let (isa, border) = (Isa::detect(), Border::Edge);
        let by = Sampling::new(&motions, frame, border);
        bilinear(isa, &[], by, &mut []);
        let (dx, wanted) = (Some(&mut [][..]), Some(&mut dm[..]));
        bilinear_gradient(isa, &[], by, &[], dx, wanted);
        assert!(dm.iter().all(|&x| x == 0.0));
        let sources = vec![[0; 6]; batch];
        let by = Sampling::new(&sources, frame, border);
        nearest(isa, &[], by, &mut []);
        nearest_gradient(isa, &[], by, &mut []);
    }
}

#[test]
fn error_lengths_that_do_not_fit() {
    let frame = Frame::new([2, 1, 2, 2]);
    let (isa, o) = (Isa::Portable, Border::Zeros);
    let refused = |work: &dyn Fn()| {
        let work = std::panic::AssertUnwindSafe(work);
        assert!(std::panic::catch_unwind(work).is_err());
    };
    let x = [0.0; 8];
    let m = [0.0; 8];
    let by = Sampling::new(&m, frame, o);
    refused(&|| bilinear(isa, &x[..7], by, &mut [0.0; 8]));
    refused(&|| bilinear(isa, &x, Sampling::new(&m[..7], frame, o), &mut [0.0; 8]));
    refused(&|| bilinear(isa, &x, Sampling::new(&m[..4], frame, o), &mut [0.0; 8]));
    refused(&|| bilinear(isa, &x, by, &mut [0.0; 9]));
    let dx: &mut dyn FnMut(usize, usize) = &mut |images, motions| {
        let (mut a, mut b) = (vec![0.0; images], vec![0.0; motions]);
        let refuse = std::panic::AssertUnwindSafe(|| {
            bilinear_gradient(isa, &x, by, &x, Some(&mut a), Some(&mut b))
        });
        assert!(std::panic::catch_unwind(refuse).is_err());
    };
    dx(7, 8);
    dx(8, 7);
    let s = [[0; 6]; 2];
    refused(&|| bilinear_gradient(isa, &x, by, &x[..4], None, None));
    refused(&|| nearest(isa, &x, Sampling::new(&s[..1], frame, o), &mut [0.0; 8]));
    let by = Sampling::new(&s, frame, o);
    refused(&|| nearest(isa, &x, by, &mut [0.0; 4]));
    refused(&|| nearest_gradient(isa, &x, by, &mut [0.0; 4]));
}
