//! Image warping: every image of a batch sampled along a motion of its own, with the gradients in
//! the images and in the motions.
//!
//! What a source coordinate is does not depend on the channel, so it is computed once for each
//! pixel and kept in tables. Every channel is then copied into a plane with margins, in which a
//! pixel's right and lower neighbours are *always* the next ones in memory, so that sampling needs
//! no case for the border. The gradient goes the other way: into a plane with margins, which are
//! then folded back.
//!
//! Nothing here uses a fused multiply-add and every sum has a fixed order, so that all instruction
//! sets give the same bits.

use rayon::prelude::*;

use super::count;
use super::isa::{Isa, LANES, Simd, Work};
use super::scratch::Scratch;
use crate::kernel::Border;

mod axis;
mod bilinear;

use axis::Axes;
use bilinear::{Backward, Forward};

/// Shape of a batch of images; results have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Images.
    pub batch: usize,
    /// Channels of an image.
    pub channels: usize,
    /// Rows of a channel.
    pub height: usize,
    /// Columns of a channel.
    pub width: usize,
}

/// Numbers that one thread takes at a time, at least.
const PIECE: usize = 1 << 13;

impl Frame {
    /// The shape `[batch, channels, height, width]`.
    pub fn new([batch, channels, height, width]: [usize; 4]) -> Self {
        Self {
            batch,
            channels,
            height,
            width,
        }
    }

    /// As [`new`](Self::new) takes it.
    pub fn shape(&self) -> [usize; 4] {
        [self.batch, self.channels, self.height, self.width]
    }

    /// Pixels of a channel.
    fn area(&self) -> usize {
        self.height * self.width
    }

    /// Numbers of an image.
    fn image(&self) -> usize {
        self.channels * self.area()
    }

    /// Images that a thread takes at a time, at least.
    fn some(&self) -> usize {
        (PIECE / self.image().max(1)).max(1)
    }

    fn check(&self, images: &[usize], table: usize) {
        let len = count(self.shape());
        assert!(
            images.iter().all(|&images| images == len),
            "lengths {images:?} of images that are {self:?}"
        );
        assert_eq!(table, self.batch, "as many motions as images");
        // Coordinates are exact in f32, and places in a plane in u32.
        assert!(
            self.height.max(self.width) < (1 << 23) - 3
                && ((self.height + 3) * (self.width + 3)) < 1 << 31,
            "an image of {} × {} pixels is too large",
            self.height,
            self.width
        );
    }
}

/// Where the pixels of a batch come from.
#[derive(Clone, Copy, Debug)]
pub struct Sampling<'a, M> {
    /// How each image is moved.
    pub by: &'a [M],
    /// The shape of the batch.
    pub frame: Frame,
    /// What is outside of the images.
    pub border: Border,
}

impl<'a, M> Sampling<'a, M> {
    /// The sampling of these parts.
    pub fn new(by: &'a [M], frame: Frame, border: Border) -> Self {
        Self { by, frame, border }
    }

    fn axes(&self) -> Axes {
        Axes::new(self.border, self.frame)
    }
}

impl<'a> Sampling<'a, f32> {
    /// The same with the numbers of each motion together.
    fn by_motions(self) -> Sampling<'a, [f32; 4]> {
        let (motions, rest) = self.by.as_chunks();
        assert!(rest.is_empty(), "a motion is four numbers");
        Sampling::new(motions, self.frame, self.border)
    }
}

/// The images, each sampled along its motion, linearly between the four pixels around a point.
///
/// Output pixel (x, y), counted from the centre of the image, is sampled at the column
/// (x - right) · cos - (y - down) · sin and the row (x - right) · sin + (y - down) · cos. A
/// coordinate that is NaN gives NaN.
///
/// # Shapes
/// - `images`, `y`: `[batch][channel][height][width]`
/// - motions: `[batch][4]`, namely cos, sin, right, down
///
/// # Panics
/// If a length does not fit.
pub fn bilinear(isa: Isa, images: &[f32], sampling: Sampling<f32>, y: &mut [f32]) {
    let sampling = sampling.by_motions();
    let axes = sampling.axes();
    for_each_image(sampling, y, images, |y, image, motion| {
        isa.run(Forward {
            axes,
            motion,
            image,
            y,
        })
    });
}

/// Calls `work` with each image of the result, the image it is made of, and its motion.
fn for_each_image<M: Copy + Sync>(
    sampling: Sampling<M>,
    to: &mut [f32],
    from: &[f32],
    work: impl Fn(&mut [f32], &[f32], M) + Sync + Send,
) {
    let frame = sampling.frame;
    frame.check(&[from.len(), to.len()], sampling.by.len());
    if to.is_empty() {
        return;
    }
    to.par_chunks_exact_mut(frame.image())
        .zip(from.par_chunks_exact(frame.image()))
        .zip(sampling.by)
        .with_min_len(frame.some())
        .for_each(|((to, from), &motion)| work(to, from, motion));
}

/// Gradients of [`bilinear`]'s images and motions from that of its result, each if wanted. Both
/// are overwritten.
///
/// Where a coordinate is held at a limit, its derivative is zero; the limit itself is not held.
/// Where it turns back, it is zero.
///
/// # Shapes
/// As there; `dimages` as `images`, `dmotions` as the motions, `dy` as `y`.
///
/// # Panics
/// If a length does not fit.
pub fn bilinear_gradient(
    isa: Isa,
    images: &[f32],
    sampling: Sampling<f32>,
    dy: &[f32],
    dimages: Option<&mut [f32]>,
    dmotions: Option<&mut [f32]>,
) {
    let sampling = sampling.by_motions();
    let (frame, motions) = (sampling.frame, sampling.by);
    frame.check(&[images.len(), dy.len()], motions.len());
    let axes = sampling.axes();
    let some = frame.some();
    let (image, batch) = (frame.image(), frame.batch);
    if let Some(dimages) = &dimages {
        assert_eq!(dimages.len(), batch * image, "dimages are as the images");
    }
    let mut dmotions = dmotions.map(|dmotions| {
        assert_eq!(dmotions.len(), 4 * batch, "dmotions are as the motions");
        dmotions.as_chunks_mut::<4>().0
    });
    if dy.is_empty() {
        // A sum of nothing.
        if let Some(dmotions) = dmotions {
            dmotions.fill([0.0; 4]);
        }
        return;
    }
    let images = images
        .par_chunks_exact(image)
        .zip(dy.par_chunks_exact(image))
        .zip(motions);
    let run = |image, dy, motion, dimage, dmotion| {
        isa.run(Backward {
            axes,
            motion,
            image,
            dy,
            dimage,
            dmotion,
        })
    };
    // One pass for both, so that the tables are computed once.
    match (dimages, &mut dmotions) {
        (None, None) => {}
        (Some(dimages), None) => images
            .zip(dimages.par_chunks_exact_mut(image))
            .with_min_len(some)
            .for_each(|(((x, dy), &m), dx)| run(x, dy, m, Some(dx), None)),
        (None, Some(dmotions)) => images
            .zip(dmotions.par_iter_mut())
            .with_min_len(some)
            .for_each(|(((x, dy), &m), dm)| run(x, dy, m, None, Some(dm))),
        (Some(dimages), Some(dmotions)) => images
            .zip(dimages.par_chunks_exact_mut(image))
            .zip(dmotions.par_iter_mut())
            .with_min_len(some)
            .for_each(|((((x, dy), &m), dx), dm)| run(x, dy, m, Some(dx), Some(dm))),
    }
}

/// Where the pixels of an image are copied from.
pub type Sources = [i64; 6];

/// The images, each pixel copied from the place that its image's sources name.
///
/// Output pixel (column, row) comes from the column `sources[0] · column + sources[1] · row +
/// sources[2]` and the row `sources[3] · column + sources[4] · row + sources[5]`, in units of 2⁻¹⁶
/// pixel and rounded down.
///
/// # Shapes
/// - `images`, `y`: `[batch][channel][height][width]`
///
/// # Panics
/// If a length does not fit.
pub fn nearest(isa: Isa, images: &[f32], sampling: Sampling<Sources>, y: &mut [f32]) {
    copy::<false>(isa, images, sampling, y);
}

/// Gradient of [`nearest`]'s images from that of its result; overwritten.
///
/// # Shapes
/// As there.
///
/// # Panics
/// If a length does not fit.
pub fn nearest_gradient(isa: Isa, dy: &[f32], sampling: Sampling<Sources>, dimages: &mut [f32]) {
    copy::<true>(isa, dy, sampling, dimages);
}

/// Copies every pixel from its place, or adds it to its place on the way back.
fn copy<const BACK: bool>(isa: Isa, from: &[f32], sampling: Sampling<Sources>, to: &mut [f32]) {
    let Sampling { frame, border, .. } = sampling;
    for_each_image(sampling, to, from, |to, from, source| {
        isa.run(Copies::<BACK> {
            frame,
            border,
            source,
            from,
            to,
        })
    });
}

struct Copies<'a, const BACK: bool> {
    frame: Frame,
    border: Border,
    source: Sources,
    from: &'a [f32],
    to: &'a mut [f32],
}

impl<const BACK: bool> Work for Copies<'_, BACK> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let area = self.frame.area();
        let mut table = Scratch::floats(area);
        let table = table.numbers(area);
        places(self.source, self.frame, self.border, table);
        let planes = self.from.chunks_exact(area);
        for (to, from) in self.to.chunks_exact_mut(area).zip(planes) {
            if BACK {
                to.fill(0.0);
                for (dy, place) in from.iter().zip(&*table) {
                    if let Some(sum) = to.get_mut(place.to_bits() as usize) {
                        *sum += dy;
                    }
                }
                continue;
            }
            for (y, place) in to.iter_mut().zip(&*table) {
                // Border is past the end of the plane.
                *y = from.get(place.to_bits() as usize).map_or(0.0, |&x| x);
            }
        }
    }
}

/// For each output pixel the place of its source in a plane, as the *bits* of a number; the
/// plane's area for a source outside that is zero.
#[inline(always)]
fn places(source: Sources, frame: Frame, border: Border, table: &mut [f32]) {
    let (width, height) = (frame.width as i64, frame.height as i64);
    for (row, table) in table.chunks_exact_mut(frame.width).enumerate() {
        let from = |axis: usize| {
            let along = source[axis + 1].wrapping_mul(row as i64);
            source[axis + 2].wrapping_add(along)
        };
        let at = |axis: usize, from: i64, column: usize| {
            from.wrapping_add(source[axis].wrapping_mul(column as i64)) >> 16
        };
        let (from_x, from_y) = (from(0), from(3));
        for (column, place) in table.iter_mut().enumerate() {
            let (x, y) = (at(0, from_x, column), at(3, from_y, column));
            // As unsigned numbers negative ones are larger than any side.
            let inside = ((x as u64) < width as u64) & ((y as u64) < height as u64);
            let index = match inside {
                true => y * width + x,
                false if border == Border::Zeros => width * height,
                // Without a ring, the frame is the image.
                false => border.place([y, x], [frame.height, frame.width]) as i64,
            };
            *place = f32::from_bits(index as u32);
        }
    }
}
