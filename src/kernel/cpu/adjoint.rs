//! The input gradient of a convolution without padding, as the adjoint of its Winograd form:
//! the forward's tiles, with their results added where they overlap.
//!
//! A pixel is in up to four tiles. They are always added in the same order, first the two of a
//! row of tiles, then the two rows, wherever a block of work ends; so the result does not depend
//! on how the work is cut.

use std::ops::Range;

use super::isa::{LANES, Line};
use super::lanes::{Piece, Scatter};
use super::pass::Pass;
use super::plan::{Plan, Unit};
use super::scratch::Scratch;
use super::shared::Shared;
use super::space::{Overlap, Space, Span, Target};
use super::winograd::through;

/// Sums of the two rows that blocks above and below a boundary both reach:
/// `[image][channel][boundary][above, below][2][width]`.
#[derive(Clone, Copy)]
pub(crate) struct Edges {
    /// The sums.
    pub sums: Shared,
    /// Boundaries per image.
    pub boundaries: usize,
}

/// Computes these channels of one unit of the input gradient; rows at block boundaries go to `edges`.
pub(crate) fn backward<P: Space<I, O>, const I: usize, const O: usize>(
    pass: &Pass,
    space: &P,
    plan: &Plan,
    unit: &Unit,
    part: &Range<usize>,
    edges: Edges,
) {
    let open_len = part.len() * I * 2;
    let mut open = Scratch::new(open_len);
    let open = open.lines(open_len);
    let leave = |_: usize, span: Span, products: &[Line], to: &mut [Line]| {
        let overlap = Overlap {
            open: &mut *open,
            to,
            size: unit.reach(),
        };
        space.leave(pass.isa, span, part, products, Target::Overlap(overlap));
    };
    let scatter = |unit: &Unit, result: &[Line]| scatter(pass, plan, unit, part, edges, result);
    through::<P, I, O, true>(pass, space, &[*unit], part.clone(), leave, scatter);
}

/// Writes a unit's block: the two rows at either boundary to `edges`, the others to the result.
fn scatter(
    pass: &Pass,
    plan: &Plan,
    unit: &Unit,
    part: &Range<usize>,
    edges: Edges,
    from: &[Line],
) {
    let [height, width] = pass.output;
    let mut inner = [Piece::default(); LANES];
    let (mut above, mut below) = (inner, inner);
    for (lane, cell) in unit.cells.iter().enumerate().take(unit.used) {
        let (blocks, high) = plan.block_rows(cell.image);
        let block = cell.top / high;
        let (head, last) = (block == 0, block + 1 == blocks);
        let start = if head { 0 } else { 2 };
        let end = if last { height - cell.top } else { high };
        let piece = Piece {
            image: cell.image,
            cols: width,
            ..Piece::default()
        };
        inner[lane] = Piece {
            from: start,
            rows: end - start,
            to: cell.top + start,
            ..piece
        };
        if !last {
            above[lane] = Piece {
                from: high,
                rows: 2,
                to: 4 * block,
                ..piece
            };
        }
        if !head {
            below[lane] = Piece {
                from: 0,
                rows: 2,
                to: 4 * (block - 1) + 2,
                ..piece
            };
        }
    }
    let channels = pass.channels[1];
    let size = unit.reach();
    for (pieces, to, rows) in [
        (inner, pass.to, height),
        (above, edges.sums, 4 * edges.boundaries),
        (below, edges.sums, 4 * edges.boundaries),
    ] {
        if pieces.iter().any(|piece| piece.rows > 0) {
            let shape = [channels, rows, width];
            pass.isa.run(Scatter {
                from,
                size,
                pieces,
                beside: None,
                part: part.clone(),
                to,
                shape,
            });
        }
    }
}

/// Adds the two sums of each boundary row of one image.
pub(crate) fn join(pass: &Pass, plan: &Plan, image: usize, edges: &[f32], boundaries: usize) {
    let [height, width] = pass.output;
    let channels = pass.channels[1];
    let (blocks, high) = plan.block_rows(image);
    for c in 0..channels {
        let plane = image * channels + c;
        for boundary in 0..blocks - 1 {
            let edge = &edges[(plane * boundaries + boundary) * 4 * width..][..4 * width];
            let (above, below) = edge.split_at(2 * width);
            let start = (plane * height + (boundary + 1) * high) * width;
            // SAFETY: only this image's boundary rows, which no unit writes; each image is joined
            // once, after the units, while the result is borrowed.
            let to = unsafe { pass.to.slice(start, 2 * width) };
            for ((to, above), below) in to.iter_mut().zip(above).zip(below) {
                *to = above + below;
            }
        }
    }
}
