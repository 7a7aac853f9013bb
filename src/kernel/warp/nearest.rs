//! Sampling at the nearest pixel, in whole numbers: the same bits wherever it runs.

use super::{gather, suits};
use crate::kernel::{Border, choose};
use burn::tensor::{Tensor, TensorData};

/// The images, each pixel copied from the place that its image's sources name; differentiable in
/// the images.
///
/// Output pixel (column, row) comes from the column `sources[0] · column + sources[1] · row +
/// sources[2]` and the row `sources[3] · column + sources[4] · row + sources[5]`, in units of 2⁻¹⁶
/// pixel and rounded down.
///
/// # Shapes
///
/// - images, output: `[batch, channel, height, width]`
///
/// # Panics
///
/// Panics unless there are as many sources as images, and if the source of a pixel is more than an
/// `i64` holds.
pub fn warp_nearest(images: Tensor<4>, sources: Vec<[i64; 6]>, border: Border) -> Tensor<4> {
    let [batch, channels, height, width] = images.dims();
    assert_eq!(sources.len(), batch, "as many sources as images");
    for source in &sources {
        let held = holds(*source, [width, height]);
        assert!(held, "{source:?} leads out of an i64 on {width} × {height}");
    }
    match choose("warp", || suits(&images)) {
        #[cfg(feature = "flex")]
        crate::kernel::Path::Kernel => {
            let sources = sources.into();
            crate::kernel::flex::run1(flex::Nearest { border, sources }, images)
        }
        _ => {
            let mut table = Vec::with_capacity(batch * height * width);
            for source in sources {
                push_places(&mut table, source, height, width, border);
            }
            let table = TensorData::new(table, [batch, 1, height * width]);
            let table = Tensor::from_data(table, &images.device());
            gather(border.frame(images), table).reshape([batch, channels, height, width])
        }
    }
}

/// Whether the sources of all pixels are numbers that an `i64` holds. They are linear, so the
/// extreme ones are at corners.
fn holds(source: [i64; 6], size: [usize; 2]) -> bool {
    source.chunks_exact(3).all(|axis| {
        let at = |corner: [bool; 2]| {
            let ends = corner.into_iter().zip(size).zip(axis);
            let sum = ends
                .filter(|((far, _), _)| *far)
                .map(|((_, length), &step)| length.saturating_sub(1) as i128 * i128::from(step));
            i64::try_from(i128::from(axis[2]) + sum.sum::<i128>())
        };
        let corners = [[false, false], [true, false], [false, true], [true, true]];
        corners.into_iter().all(|corner| at(corner).is_ok())
    })
}

/// Appends, for each pixel of the output in row order, the place of its source in the framed
/// image.
fn push_places(
    table: &mut Vec<i64>,
    source: [i64; 6],
    height: usize,
    width: usize,
    border: Border,
) {
    let (of_x, of_y) = source.split_at(3);
    let ring = border.ring();
    let framed_width = width + 2 * ring;
    for y in 0..height as i64 {
        // What wraps here and there wraps back in the sum.
        let [from_x, from_y] = [of_x, of_y].map(|of| of[2].wrapping_add(of[1].wrapping_mul(y)));
        table.extend((0..width as i64).map(|x| {
            let source_x = from_x.wrapping_add(of_x[0].wrapping_mul(x)) >> 16;
            let source_y = from_y.wrapping_add(of_y[0].wrapping_mul(x)) >> 16;
            // As unsigned numbers negative ones are larger than any side.
            let inside = (source_x as u64) < width as u64 && (source_y as u64) < height as u64;
            let (across, along) = if inside {
                (source_x as usize + ring, source_y as usize + ring)
            } else {
                (
                    border.index(source_x, width),
                    border.index(source_y, height),
                )
            };
            (along * framed_width + across) as i64
        }));
    }
}

#[cfg(feature = "flex")]
mod flex {
    use super::super::frame;
    use crate::kernel::Border;
    use crate::kernel::cpu::Isa;
    use crate::kernel::cpu::warp::{self, Frame, Sampling};
    use crate::kernel::flex::buffer::Buffer;
    use crate::kernel::flex::{Kernel, contiguous, numbers};
    use burn_flex::FlexTensor;
    use std::sync::Arc;

    #[derive(Clone, Debug)]
    pub(super) struct Nearest {
        pub border: Border,
        pub sources: Arc<[[i64; 6]]>,
    }

    impl Kernel<1> for Nearest {
        type Saved = Frame;

        fn forward(&self, [images]: [FlexTensor; 1], keep: bool) -> (FlexTensor, Option<Frame>) {
            let images = contiguous(images);
            let frame = frame(&images);
            let sampling = Sampling::new(&self.sources, frame, self.border);
            let y = Buffer::filled(frame.shape(), |y| {
                warp::nearest(Isa::detect(), numbers(&images), sampling, y);
            });
            (y, keep.then_some(frame))
        }

        fn backward(&self, frame: Frame, dy: FlexTensor, _: [bool; 1]) -> [Option<FlexTensor>; 1] {
            let dy = contiguous(dy);
            let sampling = Sampling::new(&self.sources, frame, self.border);
            [Some(Buffer::filled(frame.shape(), |dimages| {
                warp::nearest_gradient(Isa::detect(), numbers(&dy), sampling, dimages);
            }))]
        }
    }
}
