//! The convolution of sixteen images by Winograd tiles.

use super::isa::{LANES, Line};
use super::lanes::stage_width;
use super::pass::Pass;
use super::plan::Unit;
use super::scratch::Scratch;
use super::space::{Blocks, Rim, Space, Span, Target};

/// Computes one unit of a convolution.
pub(crate) fn forward<P: Space<I, O>, const I: usize, const O: usize>(
    pass: &Pass,
    space: &P,
    unit: &Unit,
) {
    let leave = |span: Span, products: &[Line], to: &mut [Line]| {
        let rim = Rim {
            bias: pass.after.bias,
            relu: pass.after.relu_in_lanes(),
            to,
            size: unit.block(),
        };
        space.leave(pass.isa, span, products, Target::Rim(rim));
    };
    through::<P, I, O, false>(pass, space, unit, leave, |result, stage| {
        pass.scatter(unit, result, stage);
    });
}

/// Takes a unit through Winograd space, a run of tiles at a time: `leave` brings the products of a
/// run to the result, and `scatter` the whole result to the images, with memory for
/// [`Scatter`](super::lanes::Scatter).
///
/// The adjoint reads what the forward pass makes, and makes what that reads.
pub(crate) fn through<P, const I: usize, const O: usize, const ADJOINT: bool>(
    pass: &Pass,
    space: &P,
    unit: &Unit,
    mut leave: impl FnMut(Span, &[Line], &mut [Line]),
    scatter: impl FnOnce(&[Line], &mut [f32]),
) where
    P: Space<I, O>,
{
    let isa = pass.isa;
    let (padding, size, made) = match ADJOINT {
        true => (0, unit.block(), unit.reach()),
        false => (pass.padding, unit.reach(), unit.block()),
    };
    let tiles = unit.block().map(|side| side / O);
    let count = tiles[0] * tiles[1];
    let stride = space.chunk(isa, count);

    let data_len = pass.channels[0] * size[0] * size[1];
    let result_len = pass.channels[1] * made[0] * made[1];
    let room = space.room(stride);
    let stage_len = LANES * stage_width(unit.reach()[1]);
    let mut data = Scratch::new(data_len);
    let mut result = Scratch::new(result_len);
    let mut points = Scratch::new(room[0]);
    let mut products = Scratch::new(room[1]);
    let mut stage = Scratch::floats(stage_len);
    let (data, result) = (data.lines(data_len), result.lines(result_len));
    let points = points.lines(room[0]);
    let products = products.lines(room[1]);
    let stage = stage.numbers(stage_len);

    pass.gather(unit, padding, size, data, stage);
    for span in Span::all(count, stride, tiles[1]) {
        space.enter::<ADJOINT>(isa, span, Blocks { from: data, size }, points);
        space.multiply(isa, span, points, products);
        leave(span, products, result);
    }
    scatter(result, stage);
}
