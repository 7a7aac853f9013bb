use std::ops::Range;

use super::Correlation;
use crate::kernel::cpu::isa::{LANES, Line, Simd, Work};

/// Puts sixteen output channels of a strip's gradient into lanes: `[co / 16][image][pixel]`.
pub(super) struct Turn<'a> {
    pub shared: &'a Correlation<'a>,
    pub images: Range<usize>,
    /// Of output channels.
    pub first_vector: usize,
    pub top: usize,
    pub rows: usize,
    pub to: &'a mut [Line],
    pub pixels: usize,
}

impl Work for Turn<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let co = self.shared.channels[0];
        let [height, width] = self.shared.output;
        let len = self.rows * width;
        for (at, to) in self.to.chunks_exact_mut(self.pixels).enumerate() {
            let vector = self.first_vector + at;
            let used = LANES.min(co - vector * LANES);
            for (image, to) in self.images.clone().zip(to.chunks_exact_mut(len)) {
                let mut from = [&self.shared.dy[..0]; LANES];
                let mut gate = from;
                for lane in 0..used {
                    let plane = (image * co + vector * LANES + lane) * height;
                    let start = (plane + self.top) * width;
                    from[lane] = &self.shared.dy[start..start + len];
                    if let Some(all) = self.shared.gate {
                        gate[lane] = &all[start..start + len];
                    }
                }
                for (block, to) in to.chunks_mut(LANES).enumerate() {
                    let at = block * LANES;
                    let mut r = [s.splat(0.0); LANES];
                    for lane in 0..LANES {
                        if lane < used {
                            let load = |from: &[f32]| match from[at..].first_chunk() {
                                Some(from) => s.load16(from),
                                None => s.load_part(&from[at..]),
                            };
                            r[lane] = load(from[lane]);
                            if self.shared.gate.is_some() {
                                r[lane] = s.gate(r[lane], load(gate[lane]));
                            }
                        }
                    }
                    let r = s.transpose(r);
                    for i in 0..LANES {
                        if i < to.len() {
                            s.store(r[i], &mut to[i]);
                        }
                    }
                }
            }
        }
    }
}
