//! Filters in the order in which the micro-kernel reads them.

use std::ops::Range;

use rayon::prelude::*;

use super::count;
use super::isa::Isa;
use super::tile::Tile;

/// A stack of matrices `[point][output][input]`, packed `[point][block][input][row]`: a block is
/// `rows` outputs, the last one filled up with zeros.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    /// Matrix elements in packed order.
    pub data: Vec<f32>,
    /// Outputs per block.
    pub rows: usize,
    /// Blocks per point.
    pub blocks: usize,
    /// Channels that are summed over.
    pub inputs: usize,
    /// Channels that are produced.
    pub outputs: usize,
}

/// How filter taps are read from weights `[co][ci][3][3]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// As they are: inputs are `ci`, outputs `co`.
    Forward,
    /// Inputs are `co`, outputs `ci`, taps as they are: the adjoint in Winograd space.
    Transposed,
    /// Inputs are `co`, outputs `ci`, taps turned by 180°: the adjoint as a convolution.
    Flipped,
}

impl Reading {
    /// The filter from `input` to `output`.
    pub fn taps(
        self,
        weights: &[f32],
        [_, ci]: [usize; 2],
        [output, input]: [usize; 2],
    ) -> [f32; 9] {
        let (o, i) = match self {
            Self::Forward => (output, input),
            Self::Transposed | Self::Flipped => (input, output),
        };
        let mut taps = [0.0; 9];
        taps.copy_from_slice(&weights[(o * ci + i) * 9..][..9]);
        if self == Self::Flipped {
            taps.reverse();
        }
        taps
    }
}

impl Packed {
    /// The blocks that these outputs are in, the first of which begins a block.
    pub fn blocks_of(&self, outputs: &Range<usize>) -> Range<usize> {
        debug_assert!(outputs.start.is_multiple_of(self.rows));
        outputs.start / self.rows..outputs.end.div_ceil(self.rows)
    }

    /// Packs what `fill(weights of one filter, points)` makes of each filter.
    fn pack(
        weights: &[f32],
        [co, ci]: [usize; 2],
        reading: Reading,
        isa: Isa,
        points: usize,
        fill: impl Fn(&[f32; 9], &mut [f32]) + Sync,
    ) -> Self {
        assert_eq!(
            weights.len(),
            count([co, ci, 9]),
            "weights are [co, ci, 3, 3]"
        );
        let (outputs, inputs) = match reading {
            Reading::Forward => (co, ci),
            Reading::Transposed | Reading::Flipped => (ci, co),
        };
        Self::stack([outputs, inputs], isa, points, |output, input, points| {
            fill(&reading.taps(weights, [co, ci], [output, input]), points);
        })
    }

    /// Packs matrices: `fill(output, input, points)` gives that element of every matrix.
    pub fn stack(
        [outputs, inputs]: [usize; 2],
        isa: Isa,
        points: usize,
        fill: impl Fn(usize, usize, &mut [f32]) + Sync,
    ) -> Self {
        let blocks = outputs.div_ceil(isa.max_rows());
        let rows = outputs.div_ceil(blocks.max(1)).max(1);
        let mut data = vec![0.0; points * blocks * inputs * rows];
        // One block of all points after the other, then to its place: blocks are apart in `data`.
        let block_len = inputs * rows;
        let made: Vec<Vec<f32>> = (0..blocks)
            .into_par_iter()
            .map(|block| {
                let mut out = vec![0.0; points * block_len];
                let mut at_points = vec![0.0; points];
                for row in 0..rows.min(outputs - block * rows) {
                    let output = block * rows + row;
                    for input in 0..inputs {
                        fill(output, input, &mut at_points);
                        for (point, &x) in at_points.iter().enumerate() {
                            out[point * block_len + input * rows + row] = x;
                        }
                    }
                }
                out
            })
            .collect();
        for (block, made) in made.iter().enumerate() {
            for point in 0..points {
                let to = (point * blocks + block) * block_len;
                data[to..to + block_len]
                    .copy_from_slice(&made[point * block_len..(point + 1) * block_len]);
            }
        }
        Self {
            data,
            rows,
            blocks,
            inputs,
            outputs,
        }
    }

    /// Filters in Winograd space, `I·I` points, computed in f64.
    pub fn winograd<W: Tile<I, O>, const I: usize, const O: usize>(
        weights: &[f32],
        shape: [usize; 2],
        reading: Reading,
        isa: Isa,
    ) -> Self {
        let g = W::filter();
        Self::pack(weights, shape, reading, isa, I * I, |taps, points| {
            let mut half = [[0.0; 3]; I];
            for i in 0..I {
                for x in 0..3 {
                    half[i][x] = (0..3).map(|y| g[i][y] * f64::from(taps[3 * y + x])).sum();
                }
            }
            for i in 0..I {
                for j in 0..I {
                    let u: f64 = (0..3).map(|x| half[i][x] * g[j][x]).sum();
                    points[i * I + j] = u as f32;
                }
            }
        })
    }

    /// Packs matrices so that those of an input are beside one another: `[block][input][point][row]`.
    pub fn together(
        shape: [usize; 2],
        isa: Isa,
        points: usize,
        fill: impl Fn(usize, usize, &mut [f32]) + Sync,
    ) -> Self {
        let apart = Self::stack(shape, isa, points, fill);
        let (rows, inputs) = (apart.rows, apart.inputs);
        let mut data = vec![0.0; apart.data.len()];
        for block in 0..apart.blocks {
            for input in 0..inputs {
                for point in 0..points {
                    let from = ((point * apart.blocks + block) * inputs + input) * rows;
                    let to = ((block * inputs + input) * points + point) * rows;
                    data[to..to + rows].copy_from_slice(&apart.data[from..from + rows]);
                }
            }
        }
        Self { data, ..apart }
    }
}
