//! Bilinear sampling of one image.

use super::axis::{Axes, Circular, Edge, Fold, Reflect, Split, Zeros};
use super::{Border, LANES, Scratch, Simd, Work};

/// Pixels whose neighbours are collected at a time: they stay in the nearest cache.
const BLOCK: usize = 256;

/// Sampling of an image.
pub struct Forward<'a> {
    pub axes: Axes,
    /// Cos, sin, right, down.
    pub motion: [f32; 4],
    pub image: &'a [f32],
    pub y: &'a mut [f32],
}

/// Gradients of an image, if wanted, and of its motion, if wanted.
pub struct Backward<'a> {
    pub axes: Axes,
    /// Cos, sin, right, down.
    pub motion: [f32; 4],
    pub image: &'a [f32],
    pub dy: &'a [f32],
    pub dimage: Option<&'a mut [f32]>,
    pub dmotion: Option<&'a mut [f32; 4]>,
}

/// Where every output pixel is sampled.
struct Table<'a> {
    /// The upper left neighbour's place in the plane, as the *bits* of a number.
    place: &'a [f32],
    /// Weight of the right neighbours.
    across: &'a [f32],
    /// Weight of the lower neighbours.
    along: &'a [f32],
}

/// Calls a function with the axes' way of folding, chosen outside of all loops.
macro_rules! folding {
    ($axes:expr, $call:ident($($argument:expr),*)) => {
        match $axes.border {
            Border::Zeros => $call(Zeros, $axes, $($argument),*),
            Border::Edge => $call(Edge, $axes, $($argument),*),
            Border::Reflect => $call(Reflect, $axes, $($argument),*),
            Border::Circular => $call(Circular, $axes, $($argument),*),
        }
    };
}

/// One output row's sources.
#[derive(Clone, Copy)]
struct Row {
    motion: [f32; 4],
    half_width: f32,
    half_height: f32,
    /// Last column and row of the image.
    last: [f32; 2],
    /// The row before the rotation is undone, from the centre.
    y: f32,
}

impl Row {
    #[inline(always)]
    fn new(axes: &Axes, motion: [f32; 4], row: usize) -> Self {
        let half_height = (axes.height as f32 - 1.0) / 2.0;
        Self {
            motion,
            half_width: (axes.width as f32 - 1.0) / 2.0,
            half_height,
            last: [(axes.width - 1) as f32, (axes.height - 1) as f32],
            y: (row as f32 - half_height) - motion[3],
        }
    }

    /// A column before the rotation is undone, from the centre.
    #[inline(always)]
    fn x(&self, column: usize) -> f32 {
        (column as u32 as f32 - self.half_width) - self.motion[2]
    }

    /// The source of a column, along the columns and the rows.
    #[inline(always)]
    fn split(&self, fold: impl Fold, column: usize) -> [Split; 2] {
        // The order of the operations decides the bits.
        let [cos, sin, ..] = self.motion;
        let x = self.x(column);
        let source_x = (x * cos + self.half_width) - self.y * sin;
        let source_y = x * sin + (self.y * cos + self.half_height);
        [
            fold.split(source_x, self.last[0]),
            fold.split(source_y, self.last[1]),
        ]
    }
}

/// Room after the tables: rows are made sixteen pixels at a time, and what is too much at the end
/// of a row is overwritten by the next.
const SLACK: usize = LANES;

impl<'a> Table<'a> {
    /// A table in the given memory.
    #[inline(always)]
    fn new(axes: &Axes, motion: [f32; 4], memory: &'a mut Scratch) -> Self {
        let area = axes.area();
        let numbers = memory.numbers(Self::size(axes));
        let (place, rest) = numbers.split_at_mut(area + SLACK);
        let (across, along) = rest.split_at_mut(area + SLACK);
        folding!(axes, locate(motion, place, across, along));
        Self {
            place: &place[..area],
            across: &across[..area],
            along: &along[..area],
        }
    }

    fn size(axes: &Axes) -> usize {
        3 * (axes.area() + SLACK)
    }
}

/// A whole number from 0 to 2²³ - 1 as an integer, and a NaN as 0: its weight makes the value NaN.
/// A cast says what becomes of all numbers, which vector units do one by one.
#[inline(always)]
fn whole(number: f32) -> u32 {
    const SHIFT: f32 = (1 << 23) as f32;
    let number = if number > 0.0 { number } else { 0.0 };
    (number + SHIFT).to_bits() - SHIFT.to_bits()
}

/// The sixteen numbers from `at` on.
#[inline(always)]
fn sixteen(numbers: &mut [f32], at: usize) -> &mut [f32; LANES] {
    numbers[at..].first_chunk_mut().expect("there is slack")
}

/// Fills the columns of a table.
#[inline(always)]
fn locate(
    fold: impl Fold,
    axes: &Axes,
    motion: [f32; 4],
    place: &mut [f32],
    across: &mut [f32],
    along: &mut [f32],
) {
    for at in 0..axes.height {
        let row = Row::new(axes, motion, at);
        for start in (0..axes.width).step_by(LANES) {
            let at = at * axes.width + start;
            let place = sixteen(place, at);
            let across = sixteen(across, at);
            let along = sixteen(along, at);
            for i in 0..LANES {
                let [x, y] = row.split(fold, start + i);
                let at = whole(y.neighbour) * axes.stride as u32 + whole(x.neighbour);
                place[i] = f32::from_bits(at);
                (across[i], along[i]) = (x.weight, y.weight);
            }
        }
    }
}

/// Pairs of neighbours of a block of pixels, upper and lower ones.
struct Corners<'a> {
    upper: &'a mut [[f32; 2]],
    lower: &'a mut [[f32; 2]],
}

impl<'a> Corners<'a> {
    /// With numbers for `BLOCK` pixels.
    fn new(memory: &'a mut Scratch) -> Self {
        let pairs = memory.numbers(4 * BLOCK).as_chunks_mut().0;
        let (upper, lower) = pairs.split_at_mut(BLOCK);
        Self { upper, lower }
    }

    /// Collects the neighbours of up to `BLOCK` places. Apart from its callers, this tight loop
    /// has all registers; it uses no vector instructions.
    #[inline(never)]
    fn collect(&mut self, plane: &[f32], stride: usize, places: &[f32]) {
        // Narrow, so that no sum can overflow.
        let span = stride as u32 as usize + 2;
        let pairs = self.upper.iter_mut().zip(&mut *self.lower);
        for ((upper, lower), place) in pairs.zip(places) {
            let place = place.to_bits() as usize;
            let around = &plane[place..place + span];
            // Two numbers at a time, as one load and one store.
            *upper = *around.first_chunk().expect("a right neighbour");
            *lower = *around.last_chunk().expect("lower neighbours");
        }
    }
}

// In this form two equal values give exactly themselves, and weight 0 gives exactly the first.
#[inline(always)]
fn between(first: f32, second: f32, weight: f32) -> f32 {
    first + (second - first) * weight
}

impl Work for Forward<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let axes = &self.axes;
        let area = axes.area();
        let mut memory = Scratch::floats(Table::size(axes));
        let table = Table::new(axes, self.motion, &mut memory);
        let mut plane = Scratch::floats(axes.room());
        let plane = plane.numbers(axes.room());
        let mut pairs = Scratch::floats(4 * BLOCK);
        let mut corners = Corners::new(&mut pairs);
        let images = self.image.chunks_exact(area);
        for (y, image) in self.y.chunks_exact_mut(area).zip(images) {
            axes.extend(image, plane);
            let blocks = y
                .chunks_mut(BLOCK)
                .zip(table.place.chunks(BLOCK))
                .zip(table.across.chunks(BLOCK))
                .zip(table.along.chunks(BLOCK));
            for (((y, place), across), along) in blocks {
                corners.collect(plane, axes.stride, place);
                let pairs = corners.upper.iter().zip(&*corners.lower);
                let weights = across.iter().zip(along);
                for ((y, (upper, lower)), (&across, &along)) in y.iter_mut().zip(pairs).zip(weights)
                {
                    let upper = between(upper[0], upper[1], across);
                    let lower = between(lower[0], lower[1], across);
                    *y = between(upper, lower, along);
                }
            }
        }
    }
}

impl Work for Backward<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let axes = &self.axes;
        let mut memory = Scratch::floats(Table::size(axes));
        let table = Table::new(axes, self.motion, &mut memory);
        if let Some(dimage) = self.dimage {
            spread(axes, &table, self.dy, dimage);
        }
        if let Some(dmotion) = self.dmotion {
            let room = axes.area() + SLACK;
            let mut memory = Scratch::floats(2 * room);
            let (x, y) = memory.numbers(2 * room).split_at_mut(room);
            let mut slopes = [x, y];
            // A function of its own, so that no change elsewhere changes how it is compiled.
            simd.vectorize(Incline {
                axes,
                table: &table,
                image: self.image,
                dy: self.dy,
                slopes: &mut slopes,
            });
            *dmotion = folding!(axes, turn(self.motion, &slopes));
        }
    }
}

struct Incline<'a, 'b> {
    axes: &'a Axes,
    table: &'a Table<'a>,
    image: &'a [f32],
    dy: &'a [f32],
    slopes: &'a mut [&'b mut [f32]; 2],
}

impl Work for Incline<'_, '_> {
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        incline(self.axes, self.table, self.image, self.dy, self.slopes);
    }
}

/// Gradient of an image.
#[inline(always)]
fn spread(axes: &Axes, table: &Table, dy: &[f32], dimage: &mut [f32]) {
    let area = axes.area();
    let mut weights = Scratch::floats(4 * area);
    let weights = weights.numbers(4 * area).as_chunks_mut::<4>().0;
    let pairs = table.across.iter().zip(table.along);
    for (weight, (&across, &along)) in weights.iter_mut().zip(pairs) {
        let (left, upper) = (1.0 - across, 1.0 - along);
        *weight = [upper * left, upper * across, along * left, along * across];
    }
    let lead = axes.lead();
    let count = 4 * (lead + axes.plane);
    let mut sums = Scratch::floats(count);
    let sums = sums.numbers(count).as_chunks_mut::<4>().0;
    for (dimage, dy) in dimage.chunks_exact_mut(area).zip(dy.chunks_exact(area)) {
        sums.fill([0.0; 4]);
        let inner = &mut sums[lead..];
        for ((weight, place), &dy) in weights.iter().zip(table.place).zip(dy) {
            let sum = &mut inner[place.to_bits() as usize];
            *sum = [0, 1, 2, 3].map(|i| sum[i] + weight[i] * dy);
        }
        axes.fold(sums, dimage);
    }
}

/// Gradients of the folded coordinates, columns and rows, summed over the channels in order.
#[inline(always)]
fn incline(axes: &Axes, table: &Table, image: &[f32], dy: &[f32], slopes: &mut [&mut [f32]; 2]) {
    let area = axes.area();
    let mut plane = Scratch::floats(axes.room());
    let plane = plane.numbers(axes.room());
    let mut pairs = Scratch::floats(4 * BLOCK);
    let mut corners = Corners::new(&mut pairs);
    let [slope_x, slope_y] = slopes;
    slope_x.fill(0.0);
    slope_y.fill(0.0);
    for (image, dy) in image.chunks_exact(area).zip(dy.chunks_exact(area)) {
        axes.extend(image, plane);
        let blocks = dy
            .chunks(BLOCK)
            .zip(table.place.chunks(BLOCK))
            .zip(table.across.chunks(BLOCK).zip(table.along.chunks(BLOCK)))
            .zip(slope_x.chunks_mut(BLOCK).zip(slope_y.chunks_mut(BLOCK)));
        for (((dy, place), (across, along)), (slope_x, slope_y)) in blocks {
            corners.collect(plane, axes.stride, place);
            let pairs = corners.upper.iter().zip(&*corners.lower);
            let weights = across.iter().zip(along);
            let slopes = slope_x.iter_mut().zip(slope_y);
            for (((&dy, (upper, lower)), (&across, &along)), (slope_x, slope_y)) in
                dy.iter().zip(pairs).zip(weights).zip(slopes)
            {
                let (above, below) = (upper[1] - upper[0], lower[1] - lower[0]);
                let upper = between(upper[0], upper[1], across);
                let lower = between(lower[0], lower[1], across);
                let share = dy * along;
                *slope_x += (dy - share) * above + share * below;
                *slope_y += dy * (lower - upper);
            }
        }
    }
}

/// Gradient of a motion from those of the folded coordinates, summed in f64.
#[inline(always)]
fn turn(fold: impl Fold, axes: &Axes, motion: [f32; 4], slopes: &[&mut [f32]; 2]) -> [f32; 4] {
    let (cos, sin) = (f64::from(motion[0]), f64::from(motion[1]));
    let (mut d_cos, mut d_sin, mut d_x, mut d_y) = (0.0f64, 0.0f64, 0.0f64, 0.0f64);
    for at in 0..axes.height {
        let row = Row::new(axes, motion, at);
        // Sums of the gradients of the source's column and row, and of both times `x`.
        let mut sums = [[0.0f64; LANES]; 4];
        for start in (0..axes.width).step_by(LANES) {
            let at = at * axes.width + start;
            let slope_x = slopes[0][at..].first_chunk::<LANES>();
            let slope_y = slopes[1][at..].first_chunk::<LANES>();
            let (slope_x, slope_y) = slope_x.zip(slope_y).expect("there is slack");
            let inside = axes.width - start;
            for i in 0..LANES {
                let [to_x, to_y] = row.split(fold, start + i);
                let x = f64::from(row.x(start + i));
                let of_x = through(to_x.slope, slope_x[i], i < inside);
                let of_y = through(to_y.slope, slope_y[i], i < inside);
                sums[0][i] += of_x;
                sums[1][i] += of_y;
                sums[2][i] += of_x * x;
                sums[3][i] += of_y * x;
            }
        }
        let mut total = [0.0f64; 4];
        for (total, sums) in total.iter_mut().zip(&sums) {
            *total = sums.iter().sum();
        }
        let [of_x, of_y, of_x_x, of_y_x] = total;
        let y = f64::from(row.y);
        d_cos += of_x_x + of_y * y;
        d_sin += of_y_x - of_x * y;
        d_x += of_x * cos + of_y * sin;
        d_y += of_y * cos - of_x * sin;
    }
    [d_cos as f32, d_sin as f32, -d_x as f32, -d_y as f32]
}

/// A folded coordinate's gradient as that of the coordinate. A held one lets nothing through, not
/// even a NaN.
#[inline(always)]
fn through(slope: f32, gradient: f32, inside: bool) -> f64 {
    f64::from(if inside & (slope != 0.0) {
        slope * gradient
    } else {
        0.0
    })
}
