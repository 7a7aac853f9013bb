//! Pooling and element-wise steps against their definitions.

use super::{Noise, close, isas};
use crate::kernel::cpu::elementwise::{Step, linf_step, relu, relu_gradient};
use crate::kernel::cpu::pool::{
    CLOSED, Windows, average_pool, average_pool_gradient, max_pool, max_pool_gradient,
};

/// Values on a coarse grid, so that there are ties and zeros.
fn coarse(noise: &mut Noise, len: usize) -> Vec<f32> {
    (0..len)
        .map(|_| noise.pick(0, 8) as f32 * 0.25 - 1.0)
        .collect()
}

fn cases(noise: &mut Noise) -> (Windows, usize) {
    let size = [2, 2, 2, 1, 3, 5][noise.pick(0, 5)];
    let stride = [size, noise.pick(1, 4)][noise.pick(0, 1)];
    let plane = [noise.pick(size, 65), noise.pick(size, 50)];
    (
        Windows {
            plane,
            size,
            stride,
        },
        noise.pick(1, 30),
    )
}

#[test]
fn value_and_gradient_of_pooling_against_the_definition() {
    for seed in 0..300 {
        let mut noise = Noise::new(seed);
        let (windows, planes) = cases(&mut noise);
        let [height, width, size, stride] = windows.sizes();
        let [high, wide] = windows.output();
        let x = coarse(&mut noise, planes * height * width);
        let dy = noise.numbers(planes * high * wide);
        let relu = noise.coin();
        let (mut best, mut codes) = (Vec::new(), Vec::new());
        let mut mean = Vec::new();
        let (mut dx, mut dx_mean) = (vec![0.0f64; x.len()], vec![0.0f64; x.len()]);
        for n in 0..planes * high * wide {
            let (p, row, col) = (
                n / (high * wide),
                n / wide % high * stride,
                n % wide * stride,
            );
            let at = |k: usize| (p * height + row + k / size) * width + col + k % size;
            let mut k = 0;
            for other in 1..size * size {
                if x[at(other)] > x[at(k)] {
                    k = other;
                }
            }
            let shut = relu && x[at(k)] <= 0.0;
            best.push(if shut { 0.0 } else { x[at(k)] });
            codes.push(if shut { CLOSED } else { k as u8 });
            dx[at(k)] += if shut { 0.0 } else { f64::from(dy[n]) };
            let area = (size * size) as f64;
            mean.push((0..size * size).map(|k| f64::from(x[at(k)])).sum::<f64>() / area);
            (0..size * size).for_each(|k| dx_mean[at(k)] += f64::from(dy[n]) / area);
        }
        let close = |a: &[f32], b: &[f64]| close(a, b, 1e-5);
        for isa in isas() {
            let (mut y, mut found) = (vec![f32::NAN; dy.len()], vec![7; dy.len()]);
            max_pool(isa, &x, windows, relu, &mut y, &mut found);
            assert!(
                y == best && found == codes,
                "{windows:?} {isa:?} seed {seed}"
            );
            let mut back = vec![f32::NAN; x.len()];
            max_pool_gradient(isa, &dy, &codes, windows, &mut back);
            assert!(close(&back, &dx), "{windows:?} {isa:?} seed {seed}");
            average_pool(isa, &x, windows, &mut y);
            assert!(close(&y, &mean), "{windows:?} {isa:?} seed {seed}");
            average_pool_gradient(isa, &dy, windows, &mut back);
            assert!(close(&back, &dx_mean), "{windows:?} {isa:?} seed {seed}");
        }
    }
}

/// The largest of a window with a NaN is the NaN, whichever place it has.
#[test]
fn convention_nan_wins_the_window() {
    let windows = Windows {
        plane: [2, 2],
        size: 2,
        stride: 2,
    };
    for isa in isas() {
        for place in 0..4 {
            let mut x = [1.0, 2.0, 3.0, 4.0];
            x[place] = f32::NAN;
            let (mut y, mut code) = ([0.0], [9]);
            max_pool(isa, &x, windows, true, &mut y, &mut code);
            assert!(
                y[0].is_nan() && usize::from(code[0]) == place,
                "{isa:?} {place}"
            );
        }
    }
}

#[test]
fn value_relu_gradient_and_step() {
    let mut noise = Noise::new(5);
    let len = 100_003;
    let (x, clean) = (noise.numbers(len), noise.numbers(len));
    let mut gradient = coarse(&mut noise, len);
    gradient[17] = f32::NAN;
    let step = Step {
        size: 0.125,
        radius: 0.25,
        bounds: [-0.5, 0.75],
    };
    for isa in isas() {
        let mut dx = vec![f32::NAN; len];
        relu_gradient(isa, &x, &gradient, &mut dx);
        let mut positive = vec![f32::NAN; len];
        relu(isa, &x, &mut positive);
        let mut moved = vec![f32::NAN; len];
        linf_step(isa, &x, &gradient, &clean, step, &mut moved);
        for i in 0..len {
            assert_eq!(dx[i], if gradient[i] <= 0.0 { 0.0 } else { x[i] });
            assert_eq!(positive[i], x[i].max(0.0));
            let sign = match gradient[i] {
                g if g > 0.0 => 1.0,
                g if g < 0.0 => -1.0,
                _ => 0.0,
            };
            let near = (x[i] + 0.125 * sign - clean[i]).clamp(-0.25, 0.25);
            assert_eq!(moved[i], (clean[i] + near).clamp(-0.5, 0.75), "{isa:?} {i}");
        }
    }
}
