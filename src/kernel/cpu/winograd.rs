//! The convolution of sixteen images by Winograd tiles.

use super::isa::LANES;
use super::lanes::stage_width;
use super::pass::Pass;
use super::plan::Unit;
use super::scratch::Scratch;
use super::space::{Blocks, Rim, Space, Span};

/// Computes one unit of a convolution.
pub(crate) fn forward<P: Space<I, O>, const I: usize, const O: usize>(
    pass: &Pass,
    space: &P,
    unit: &Unit,
) {
    let Pass { isa, .. } = *pass;
    let [inputs, outputs] = pass.channels;
    let size = [unit.high + 2, unit.wide + 2];
    let (area, made) = (size[0] * size[1], unit.high * unit.wide);
    let tiles = [unit.high / O, unit.wide / O];
    let count = tiles[0] * tiles[1];
    let stride = space.chunk(isa, count);
    let room = space.room(stride);

    let mut data = Scratch::new(inputs * area);
    let mut result = Scratch::new(outputs * made);
    let mut points = Scratch::new(room[0]);
    let mut products = Scratch::new(room[1]);
    let stage_len = LANES * stage_width(size[1]);
    let mut stage = Scratch::floats(stage_len);
    let (data, result) = (data.lines(inputs * area), result.lines(outputs * made));
    let points = points.lines(room[0]);
    let products = products.lines(room[1]);
    let stage = stage.numbers(stage_len);

    pass.gather(unit, pass.padding, size, data, stage);
    for span in Span::all(count, stride, tiles[1]) {
        space.enter::<false>(isa, span, Blocks { from: data, size }, points);
        space.multiply(isa, span, points, products);
        let rim = Rim {
            bias: pass.bias,
            relu: pass.relu,
            to: result,
            size: [unit.high, unit.wide],
        };
        space.combine(isa, span, products, rim);
    }
    pass.scatter(unit, result, stage);
}
