//! The convolution of sixteen images by Winograd tiles.

use std::ops::Range;

use super::isa::Line;
use super::pass::Pass;
use super::plan::Unit;
use super::scratch::Scratch;
use super::space::{Blocks, Columns, Rim, Space, Span, Target};

/// Computes these output channels of units of one shape.
pub(crate) fn forward<P: Space<I, O>, const I: usize, const O: usize>(
    pass: &Pass,
    space: &P,
    units: &[Unit],
    part: Range<usize>,
) {
    let leave = |_: usize, span: Span, products: &[Line], to: &mut [Line]| {
        let rim = Rim {
            bias: pass.after.bias,
            relu: pass.after.relu_in_lanes(),
            to,
            size: units[0].block(),
        };
        space.leave(pass.isa, span, &part, products, Target::Rim(rim));
    };
    let scatter = |unit: &Unit, result: &[Line]| pass.scatter(unit, &part, result);
    through::<P, I, O, false>(pass, space, units, part.clone(), leave, scatter);
}

/// Takes units of one shape through Winograd space together, a run of tiles of each at a time: `leave`
/// brings the products of a unit's run to its result, and `scatter` a unit's whole result to the images.
///
/// The adjoint reads what the forward pass makes, and makes what that reads.
pub(crate) fn through<P, const I: usize, const O: usize, const ADJOINT: bool>(
    pass: &Pass,
    space: &P,
    units: &[Unit],
    part: Range<usize>,
    mut leave: impl FnMut(usize, Span, &[Line], &mut [Line]),
    scatter: impl Fn(&Unit, &[Line]),
) where
    P: Space<I, O>,
{
    let (isa, unit) = (pass.isa, units[0]);
    let (padding, size, made) = match ADJOINT {
        true => (0, unit.block(), unit.reach()),
        false => (pass.padding, unit.reach(), unit.block()),
    };
    let tiles = unit.block().map(|side| side / O);
    let count = tiles[0] * tiles[1];
    // Of one unit, and of all of them.
    let each = space.chunk(isa, count);
    let stride = each * units.len();

    let data_len = pass.channels[0] * size[0] * size[1];
    let result_len = part.len() * made[0] * made[1];
    let room = space.room(stride, &part);
    let mut data = Scratch::new(units.len() * data_len);
    let mut result = Scratch::new(units.len() * result_len);
    let mut points = Scratch::new(room[0]);
    let mut products = Scratch::new(room[1]);
    let data = data.lines(units.len() * data_len);
    let result = result.lines(units.len() * result_len);
    let points = points.lines(room[0]);
    let products = products.lines(room[1]);

    for (unit, data) in units.iter().zip(data.chunks_exact_mut(data_len)) {
        pass.gather(unit, padding, size, data);
    }
    for span in Span::all(count, each, tiles[1]) {
        let span = Span { stride, ..span };
        for (at, from) in data.chunks_exact(data_len).enumerate() {
            let to = &mut points[at * span.count..];
            space.enter::<ADJOINT>(isa, span, Blocks { from, size }, to);
        }
        let columns = Columns {
            part: part.clone(),
            count: units.len() * span.count,
            stride,
        };
        space.multiply(isa, columns, points, products);
        for (at, to) in result.chunks_exact_mut(result_len).enumerate() {
            leave(at, span, &products[at * span.count..], to);
        }
    }
    for (unit, result) in units.iter().zip(result.chunks_exact(result_len)) {
        scatter(unit, result);
    }
}
