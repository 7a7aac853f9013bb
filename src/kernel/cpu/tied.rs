//! The convolution of p4m features, whose components are split by mirrors: see
//! [`mirrors`](super::mirrors).

use std::ops::Range;

use super::filters::Packed;
use super::gemm::Products;
use super::isa::{Isa, Line, Simd, Work};
use super::mirrors::{HALVES, ORBIT, POINTS, QUARTERS, SIZE, Tied};
use super::space::{Blocks, Columns, Space, Span, Target, chunk, lines};
use super::tile::Two;
use super::transforms::{combine, enter, synthesise};

/// Calls `$f::<S, P>` with each point of a tile, so that the tables are known to the compiler.
macro_rules! points {
    ($f:ident($($x:expr),*)) => {
        points!(@ $f($($x),*) 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    (@ $f:ident $x:tt $($p:literal)*) => {
        $(points!(@@ $f $x $p);)*
    };
    (@@ $f:ident($($x:expr),*) $p:literal) => {
        $f::<S, $p>($($x),*)
    };
}

/// Points of a tile.
const AREA: usize = 16;

/// Points of the eight components of a tile: `[component][point]`.
type Local = [Line; SIZE * AREA];

/// Lines per product of halves and of quarters.
pub(super) type Apart = [usize; 2];

impl Tied {
    fn made(packed: &Packed, outputs: &Range<usize>) -> usize {
        packed.rows * packed.blocks_of(outputs).len()
    }

    /// The outputs of halves and of quarters that belong to these channels.
    fn outputs(part: &Range<usize>) -> [Range<usize>; 2] {
        let bases = part.start / SIZE..part.end / SIZE;
        [4, 2].map(|each| each * bases.start..each * bases.end)
    }

    /// Lines per product, in data and in products.
    fn apart(&self, stride: usize, part: &Range<usize>) -> [Apart; 2] {
        let [of_halves, of_quarters] = Self::outputs(part);
        let (halves, quarters) = (&self.halves, &self.quarters);
        [
            self.data_apart(stride),
            [
                lines(Self::made(halves, &of_halves), stride),
                lines(Self::made(quarters, &of_quarters), stride),
            ],
        ]
    }

    fn data_apart(&self, stride: usize) -> Apart {
        [
            lines(self.halves.inputs, stride),
            lines(self.quarters.inputs, stride),
        ]
    }
}

impl Space<4, 2> for Tied {
    fn chunk(&self, isa: Isa, tiles: usize) -> usize {
        let column = |packed: &Packed| packed.inputs + Self::made(packed, &(0..packed.outputs));
        let lines = HALVES * column(&self.halves) + QUARTERS * column(&self.quarters);
        chunk(lines, isa.columns(self.halves.rows), tiles)
    }

    fn grain(&self) -> usize {
        let whole = |bases: &usize| {
            (4 * bases).is_multiple_of(self.halves.rows)
                && (2 * bases).is_multiple_of(self.quarters.rows)
        };
        // Of the product of both at the latest.
        let bases = (1..).find(whole).expect("a common multiple");
        SIZE * bases
    }

    fn room(&self, stride: usize, part: &Range<usize>) -> [usize; 2] {
        let room = |[halves, quarters]: Apart| HALVES * halves + QUARTERS * quarters;
        self.apart(stride, part).map(room)
    }

    fn enter<const ADJOINT: bool>(&self, isa: Isa, span: Span, from: Blocks, to: &mut [Line]) {
        isa.run(Split::<ADJOINT> {
            span,
            bases: 0..self.halves.inputs / 4,
            from,
            to,
            apart: self.data_apart(span.stride),
        });
    }

    fn multiply(&self, isa: Isa, columns: Columns, data: &[Line], out: &mut [Line]) {
        let Columns {
            part,
            count,
            stride,
        } = columns;
        let outputs = Self::outputs(&part);
        let [data_apart, out_apart] = self.apart(stride, &part);
        let (data_halves, data_quarters) = data.split_at(HALVES * data_apart[0]);
        let (out_halves, out_quarters) = out.split_at_mut(HALVES * out_apart[0]);
        let halves = (&self.halves, [HALVES, ORBIT], data_halves, out_halves);
        let quarters = (&self.quarters, [QUARTERS, 1], data_quarters, out_quarters);
        for (kind, of) in [halves, quarters].into_iter().enumerate() {
            let (filters, [points, share], data, out) = of;
            isa.run(Products {
                filters,
                blocks: filters.blocks_of(&outputs[kind]),
                points,
                share,
                count,
                stride,
                data,
                data_point: data_apart[kind],
                out,
                out_point: out_apart[kind],
            });
        }
    }

    fn leave(&self, isa: Isa, span: Span, part: &Range<usize>, from: &[Line], to: Target) {
        isa.run(Join {
            span,
            part: part.clone(),
            from,
            apart: self.apart(span.stride, part)[1],
            to,
        });
    }
}

/// Where the parts of a base channel's tile lie.
#[derive(Clone, Copy)]
struct Parts {
    apart: Apart,
    /// The first line, in halves and in quarters.
    first: [usize; 2],
    stride: usize,
}

impl Parts {
    #[inline(always)]
    fn new(apart: Apart, base: usize, t: usize, stride: usize) -> Self {
        let quarters = HALVES * apart[0];
        Self {
            apart,
            first: [4 * base * stride + t, quarters + 2 * base * stride + t],
            stride,
        }
    }

    /// Line of component `k` of a half.
    #[inline(always)]
    fn half(self, slot: usize, k: usize) -> usize {
        self.first[0] + slot * self.apart[0] + k * self.stride
    }

    /// Line of component `k` of a quarter.
    #[inline(always)]
    fn quarter(self, slot: usize, k: usize) -> usize {
        self.first[1] + slot * self.apart[1] + k * self.stride
    }
}

/// Tiles to points by `Bᵀ d B`, or by `A y Aᵀ` for the adjoint, and components to parts.
pub(super) struct Split<'a, const ADJOINT: bool> {
    pub span: Span,
    /// Base channels of the parts that are written; the first of them is the first that is read.
    pub bases: Range<usize>,
    pub from: Blocks<'a>,
    pub to: &'a mut [Line],
    pub apart: Apart,
}

impl<const ADJOINT: bool> Work for Split<'_, ADJOINT> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let [rows, cols] = self.from.size;
        let mut local = [Line::ZERO; SIZE * AREA];
        for (at, base) in self.bases.enumerate() {
            let from = &self.from.from[at * SIZE * rows * cols..][..SIZE * rows * cols];
            for t in 0..self.span.count {
                let [ty, tx] = self.span.tile(t);
                for g in 0..SIZE {
                    let from = &from[g * rows * cols + (ty * cols + tx) * 2..];
                    let to = &mut local[g * AREA..][..AREA];
                    enter::<S, Two, 4, 2, ADJOINT>(s, from, cols, to, 1);
                }
                let parts = Parts::new(self.apart, base, t, self.span.stride);
                points!(split(s, &local, self.to, parts));
            }
        }
    }
}

/// Components to parts at point `P`.
#[inline(always)]
fn split<S: Simd, const P: usize>(s: S, local: &Local, to: &mut [Line], parts: Parts) {
    let point = const { POINTS[P] };
    let at = |k: usize| s.load(&local[point.order[k] * AREA + P]);
    if point.inner {
        for k in 0..2 {
            let found = butterflies(s, [at(k), at(2 + k), at(4 + k), at(6 + k)]);
            for part in 0..4 {
                s.store(found[part], &mut to[parts.quarter(point.slot + part, k)]);
            }
        }
    } else {
        for k in 0..4 {
            let (a, b) = (at(k), at(4 + k));
            s.store(s.add(a, b), &mut to[parts.half(point.slot, k)]);
            s.store(s.sub(a, b), &mut to[parts.half(point.slot + ORBIT, k)]);
        }
    }
}

/// Sums with the signs of [`SIGNS`](super::mirrors::SIGNS), which are their own transposition.
#[inline(always)]
pub(super) fn butterflies<S: Simd>(s: S, [a, b, c, d]: [S::V; 4]) -> [S::V; 4] {
    let (near, far) = (s.add(a, b), s.add(c, d));
    let (left, right) = (s.sub(a, b), s.sub(c, d));
    [
        s.add(near, far),
        s.add(left, right),
        s.sub(near, far),
        s.sub(left, right),
    ]
}

/// Parts to components, and points to tiles.
struct Join<'a> {
    span: Span,
    /// Output channels.
    part: Range<usize>,
    from: &'a [Line],
    apart: Apart,
    to: Target<'a>,
}

impl Work for Join<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (span, from) = (self.span, self.from);
        let mut local = [Line::ZERO; SIZE * AREA];
        let mut target = self.to;
        let first = self.part.start;
        for base in 0..self.part.len() / SIZE {
            for t in 0..span.count {
                let [ty, tx] = span.tile(t);
                let parts = Parts::new(self.apart, base, t, span.stride);
                points!(join(s, from, parts, &mut local));
                for g in 0..SIZE {
                    let (c, from) = (base * SIZE + g, &local[g * AREA..][..AREA]);
                    match &mut target {
                        Target::Rim(rim) => {
                            let [rows, cols] = rim.size;
                            let bias = s.splat(rim.bias.map_or(0.0, |bias| bias[first + c]));
                            let to = &mut rim.to[(c * rows + ty * 2) * cols + tx * 2..];
                            combine::<S, Two, 4, 2>(s, from, 1, (bias, rim.relu), to, cols);
                        }
                        Target::Overlap(overlap) => {
                            let [rows, cols] = overlap.size;
                            let open = &mut overlap.open[c * 8..][..8];
                            let to = &mut overlap.to[(c * rows + ty * 2) * cols + tx * 2..];
                            let place = ([ty, tx], span.across);
                            synthesise::<S, Two, 4, 2>(s, from, 1, place, open, to, cols);
                        }
                    }
                }
            }
        }
    }
}

/// Parts to components at point `P`.
#[inline(always)]
fn join<S: Simd, const P: usize>(s: S, from: &[Line], parts: Parts, local: &mut Local) {
    let point = const { POINTS[P] };
    if point.inner {
        for k in 0..2 {
            let at = |part: usize| s.load(&from[parts.quarter(point.slot + part, k)]);
            let found = butterflies(s, [at(0), at(1), at(2), at(3)]);
            for j in 0..4 {
                s.store(found[j], &mut local[point.order[2 * j + k] * AREA + P]);
            }
        }
    } else {
        for k in 0..4 {
            let a = s.load(&from[parts.half(point.slot, k)]);
            let b = s.load(&from[parts.half(point.slot + ORBIT, k)]);
            s.store(s.add(a, b), &mut local[point.order[k] * AREA + P]);
            s.store(s.sub(a, b), &mut local[point.order[4 + k] * AREA + P]);
        }
    }
}
