//! Sizes of nothing, and sizes that no memory holds.

use super::isas;
use crate::group::Group;
use crate::kernel::Numerics;
use crate::kernel::cpu::conv::Prepared;
use crate::kernel::cpu::elementwise::bias_gradient;
use crate::kernel::cpu::matmul::{Matrix, matmul};
use crate::kernel::cpu::pool::{Windows, max_pool};
use crate::kernel::cpu::warp::{Frame, Sampling, nearest};
use crate::kernel::cpu::{After, Isa, Window, count};
use crate::kernel::{Border, flex::buffer::Buffer};
use std::panic::{AssertUnwindSafe, catch_unwind};

// Oracle: a sum of nothing is 0, so what is left is the bias.
#[test]
fn value_products_over_nothing_are_the_bias() {
    for isa in isas() {
        for (rows, columns) in [(1, 1), (2, 3), (8, 16), (9, 50), (33, 17)] {
            let rows_of = [
                Matrix::new(&[], [rows, 0]),
                Matrix::new(&[], [0, rows]).transposed(),
            ];
            let columns_of = [
                Matrix::new(&[], [0, columns]),
                Matrix::new(&[], [columns, 0]).transposed(),
            ];
            let bias: Vec<f32> = (0..columns).map(|at| at as f32 - 1.0).collect();
            for (a, b) in rows_of.iter().flat_map(|a| columns_of.map(|b| (*a, b))) {
                let mut c = vec![f32::NAN; rows * columns];
                matmul(isa, a, b, Some(&bias), false, &mut c);
                assert!(c.chunks(columns).all(|row| row == bias));
                matmul(isa, a, b, None, true, &mut c);
                assert!(c.iter().all(|&c| c == 0.0));
            }
        }
    }
}

// Sizes whose product wraps to the length that is there are refused before anything is read.
#[test]
fn error_sizes_that_wrap() {
    let half = 1 << (usize::BITS / 2);
    let refused = |what: &str, work: &mut dyn FnMut()| {
        let refused = catch_unwind(AssertUnwindSafe(work)).is_err();
        assert!(refused, "{what}");
    };
    assert_eq!(count([half, half / 2]), half * (half / 2));
    refused("count", &mut || {
        let _ = count([half, half]);
    });
    refused("matrix", &mut || {
        let _ = Matrix::new(&[], [half, half]);
    });
    refused("product", &mut || {
        let (a, b) = (Matrix::new(&[], [half, 0]), Matrix::new(&[], [0, half]));
        matmul(Isa::Portable, a, b, None, false, &mut []);
    });
    refused("filters", &mut || {
        drop(Prepared::new(
            [],
            [half, half],
            Window::three(1),
            Numerics::Exact,
        ));
    });
    let filters =
        Prepared::new([0.0; 9], [1, 1], Window::three(1), Numerics::Exact).with_group(Group::P1);
    for images in [[1, half, half], [half, half, 1], [1, usize::MAX, 1]] {
        refused("convolution", &mut || {
            filters.forward(&[], images, After::default(), &mut []);
        });
        refused("its gradient", &mut || {
            filters.input_gradient(&[], None, images, &mut []);
        });
        refused("that of its filters", &mut || {
            filters.weight_gradient(&[], &[], None, images, &mut [0.0; 9]);
        });
    }
    refused("bias", &mut || {
        bias_gradient(&[0.0; 2], None, usize::MAX, &mut [0.0; 3])
    });
    refused("pooling", &mut || {
        let windows = Windows {
            plane: [half, half],
            size: 2,
            stride: 2,
        };
        max_pool(Isa::Portable, &[], windows, false, &mut [], &mut []);
    });
    refused("warp", &mut || {
        let frame = Frame::new([half, half, 1, 1]);
        let sampling = Sampling::new(&[[0; 6]; 4], frame, Border::Edge);
        nearest(Isa::Portable, &[], sampling, &mut []);
    });
    refused("buffer", &mut || drop(Buffer::filled([half, half], |_| {})));
}
