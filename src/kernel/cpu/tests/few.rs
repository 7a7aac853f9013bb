//! Products of few rows.

use super::{Noise, bits, count, isas, on_threads};
use crate::kernel::cpu::matmul::{Matrix, matmul};

// Oracle: the same rows among others, whose columns are packed; for these Burn's operations and f64 are
// the oracle (tests/kernel).
#[test]
fn exact_few_rows_are_those_of_many() {
    for seed in 0..count(1000) {
        let mut noise = Noise::new(seed);
        let (inner, columns) = (noise.pick(1, 70), noise.pick(1, 150));
        // Above and below what more than one thread is woken for.
        let inner = if noise.pick(0, 9) == 0 {
            50 * inner
        } else {
            inner
        };
        let [few, many] = [noise.pick(1, 4), 20];
        let (a, b) = (noise.numbers(many * inner), noise.numbers(inner * columns));
        let bias = noise.numbers(columns);
        let bias = noise.coin().then_some(&bias[..]);
        let (relu, turned) = (noise.coin(), noise.coin());
        let b = match turned {
            false => Matrix::new(&b, [inner, columns]),
            true => Matrix::new(&b, [columns, inner]).transposed(),
        };
        for isa in isas() {
            let product = |rows: usize| {
                let a = Matrix::new(&a[..rows * inner], [rows, inner]);
                let mut c = vec![f32::NAN; rows * columns];
                matmul(isa, a, b, bias, relu, &mut c);
                c
            };
            let expected = &product(many)[..few * columns];
            for threads in [1, 3] {
                let found = on_threads(threads, || product(few));
                assert_eq!(
                    bits(&found),
                    bits(expected),
                    "seed {seed}, {isa:?}, {turned}"
                );
            }
        }
    }
}
