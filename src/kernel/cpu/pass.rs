use std::ops::Range;

use super::isa::{Isa, LANES, Line};
use super::lanes::{Gather, Piece, Scatter};
use super::plan::Unit;
use super::shared::Shared;

/// What is done to the sums of a convolution.
#[derive(Clone, Copy, Debug, Default)]
pub struct After<'a> {
    /// Added to each output channel, `[co]`.
    pub bias: Option<&'a [f32]>,
    /// Added then, of the shape of the output.
    pub beside: Option<&'a [f32]>,
    /// Whether negative outputs become zero at last.
    pub relu: bool,
}

impl After<'_> {
    /// Whether relu comes before outputs leave the lanes: where nothing is added after that.
    pub(crate) fn relu_in_lanes(&self) -> bool {
        self.relu && self.beside.is_none()
    }
}

/// What a pass over a batch shares.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a> {
    /// Instruction set.
    pub isa: Isa,
    /// Channels that are summed over, and that are produced.
    pub channels: [usize; 2],
    /// `[batch][channel][height][width]`.
    pub from: &'a [f32],
    /// If given, same shape: values of `from` count where it is positive, else as zero.
    pub gate: Option<&'a [f32]>,
    /// Rows and columns of `from`.
    pub input: [usize; 2],
    /// Zeros around `from`.
    pub padding: usize,
    /// What is done to sums.
    pub after: After<'a>,
    /// `[batch][channel][height][width]`.
    pub to: Shared,
    /// Rows and columns of `to`.
    pub output: [usize; 2],
}

impl Pass<'_> {
    /// Reads a unit's block of `size` rows and columns, with `padding` zeros around the images.
    pub fn gather(&self, unit: &Unit, padding: usize, size: [usize; 2], to: &mut [Line]) {
        self.isa.run(Gather {
            from: self.from,
            gate: self.gate,
            shape: [self.channels[0], self.input[0], self.input[1]],
            unit,
            padding,
            size,
            to,
        });
    }

    /// Writes these channels of a unit's block of outputs.
    pub fn scatter(&self, unit: &Unit, part: &Range<usize>, from: &[Line]) {
        let mut pieces = [Piece::default(); LANES];
        for (piece, cell) in pieces.iter_mut().zip(&unit.cells).take(unit.used) {
            *piece = Piece {
                image: cell.image,
                from: 0,
                rows: unit.high.min(self.output[0] - cell.top),
                to: cell.top,
                left: cell.left,
                cols: unit.wide.min(self.output[1] - cell.left),
            };
        }
        self.isa.run(Scatter {
            from,
            size: unit.block(),
            pieces,
            beside: self.after.beside.map(|beside| (beside, self.after.relu)),
            part: part.clone(),
            to: self.to,
            shape: [self.channels[1], self.output[0], self.output[1]],
        });
    }
}
