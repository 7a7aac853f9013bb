//! Queries of candidates that differ from known images in a few pixels.

use super::Frozen;
use super::patch::{Base, Patches, Planes};
use crate::base::{Stages, View, read};
use crate::kernel::{Numerics, suits};
use burn::tensor::{Device, Tensor, TensorData};

/// What a classifier's stages make of some images, which candidates are near to: first the images, then
/// what each stage gives.
#[derive(Clone, Debug)]
pub(in crate::attack) struct Known(Vec<Planes>);

/// The same of candidates, as far as it may differ from that.
#[derive(Debug)]
pub(in crate::attack) struct Changes(Vec<Patches>);

impl Known {
    /// What changes against nothing tell: all.
    pub fn new(changes: &Changes, rows: &[usize]) -> Self {
        let whole = |patches: &Patches| patches.content.select(rows);
        Self(changes.0.iter().map(whole).collect())
    }

    /// Of these images.
    pub fn part(&self, rows: &[usize]) -> Self {
        Self(self.0.iter().map(|planes| planes.select(rows)).collect())
    }

    /// The candidate `at` takes the place of the image in `row`, near to which it was.
    pub fn take(&mut self, row: usize, changes: &Changes, at: usize) {
        for (planes, patches) in self.0.iter_mut().zip(&changes.0) {
            planes.put(row, patches, at);
        }
    }
}

impl Frozen {
    /// [`draft`](Self::draft) of candidates, of which each is near to an image in a row of what is known:
    /// of a classifier on the CPU that has [`Stages`], these compute what sees a pixel that differs, and
    /// no more. Then it also tells what is known of the candidates.
    pub(in crate::attack) fn draft_near(
        &self,
        images: Tensor<4>,
        near: Option<(&Known, &[usize])>,
    ) -> (Tensor<2>, Option<Changes>) {
        let images = images.inner();
        let stages = self.classifier.stages();
        let Some(stages) = stages.filter(|_| self.random.is_none() && suits(&images)) else {
            return (self.draft(images), None);
        };
        let (numerics, count) = (self.numerics, images.dims()[0]);
        let (logits, changes) = numerics.run(|| through(stages, numerics, &images, near));
        self.check(&logits, count);
        self.show(&images, &logits);
        (logits, Some(changes))
    }
}

fn through(
    stages: &dyn Stages,
    numerics: Numerics,
    images: &Tensor<4>,
    near: Option<(&Known, &[usize])>,
) -> (Tensor<2>, Changes) {
    let device = images.device();
    let base = |level: usize| near.map(|(known, rows)| (&known.0[level], rows));
    let mut patches = vec![differing(images, base(0))];
    let [.., height, width] = images.dims();
    let mut size = [height, width];
    for (number, view) in stages.views().into_iter().enumerate() {
        let before = &patches[number];
        let output = size.map(|cells| view.output(cells));
        // As whole tiles of convolutions, so that they are the ones of the whole image.
        let tile = match numerics {
            Numerics::Exact => 2,
            Numerics::Fast => 4,
        };
        let axes = [0, 1].map(|axis| Axis::new(before, axis, view, output[axis], tile));
        let first = |at: usize| axes.each_ref().map(|axis| axis.first[at]);
        let corners = Vec::from_iter((0..before.corners.len()).map(first));
        let wide = axes.map(|axis| axis.len);
        let reach = [0, 1].map(|axis| {
            // What is behind the last cell's view belongs to all of them.
            let behind = size[axis] - (view.stride * (output[axis] - 1) + view.size);
            view.stride * (wide[axis] - 1) + view.size + behind
        });
        let seen = Vec::from_iter(corners.iter().map(|c| c.map(|at| at * view.stride)));
        let input = before.windows(base(number), &seen, reach);
        let made = stages.stage(number, tensor(input, &device));
        let [_, planes, rows, columns] = made.dims();
        assert_eq!([rows, columns], wide, "cells of stage {number}: {view:?}");
        patches.push(Patches {
            corners,
            content: Planes {
                values: read(&made),
                planes,
                size: wide,
            },
        });
        size = output;
    }
    let level = patches.len() - 1;
    let corners = vec![[0, 0]; patches[level].corners.len()];
    let whole = patches[level].windows(base(level), &corners, size);
    (stages.rest(tensor(whole, &device)), Changes(patches))
}

// Along an axis, which cells of a stage's output see a patch, in whole tiles: their number, and the first
// one for each patch.
struct Axis {
    first: Vec<usize>,
    len: usize,
}

impl Axis {
    fn new(patches: &Patches, axis: usize, view: View, output: usize, tile: usize) -> Self {
        let View { size, stride } = view;
        let tile = tile / common(tile, stride);
        let seeing = (patches.content.size[axis] + size - 2) / stride + 1;
        let len = (seeing + tile - 1).div_ceil(tile) * tile;
        let corners = patches.corners.iter().map(|corner| corner[axis]);
        // A tile that the image cuts is left as it is.
        if len >= output || output % tile > 0 {
            return Self {
                first: corners.map(|_| 0).collect(),
                len: output,
            };
        }
        let first = corners.map(|corner| {
            let seeing = (corner + 1).saturating_sub(size).div_ceil(stride);
            (seeing / tile * tile).min(output - len)
        });
        Self {
            first: first.collect(),
            len,
        }
    }
}

// The greatest common divisor.
fn common(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common(b, a % b) }
}

fn tensor(planes: Planes, device: &Device) -> Tensor<4> {
    let [rows, columns] = planes.size;
    let shape = [
        planes.values.len() / planes.len(),
        planes.planes,
        rows,
        columns,
    ];
    Tensor::from_data(TensorData::new(planes.values, shape), device)
}

// The windows in which images differ from those in `base`, all of the size of the largest.
fn differing(images: &Tensor<4>, base: Base) -> Patches {
    let [count, planes, height, width] = images.dims();
    let size = [height, width];
    let whole = Patches {
        corners: vec![[0, 0]; count],
        content: Planes {
            values: read(images),
            planes,
            size,
        },
    };
    let Some((known, rows)) = base else {
        return whole;
    };
    let boxes = Vec::from_iter((0..count).map(|at| {
        let lines = whole.content.image(at).chunks_exact(width);
        let lines = lines.zip(known.image(rows[at]).chunks_exact(width));
        let (mut first, mut end) = (size, [0, 0]);
        for (line, (new, old)) in lines.enumerate() {
            let apart = |(new, old): (&f32, &f32)| new.to_bits() != old.to_bits();
            let Some(left) = new.iter().zip(old).position(apart) else {
                continue;
            };
            let right = new.iter().zip(old).rposition(apart).unwrap_or(left);
            let row = line % height;
            first = [first[0].min(row), first[1].min(left)];
            end = [end[0].max(row + 1), end[1].max(right + 1)];
        }
        (first, end)
    }));
    let long = |axis: usize| {
        let long = boxes
            .iter()
            .map(|(first, end)| end[axis].saturating_sub(first[axis]));
        long.max().unwrap_or(0).max(1)
    };
    let window = [long(0), long(1)];
    let corner = |(first, _): &([usize; 2], [usize; 2])| {
        [0, 1].map(|axis| first[axis].min(size[axis] - window[axis]))
    };
    let corners = Vec::from_iter(boxes.iter().map(corner));
    let content = whole.windows(None, &corners, window);
    Patches { corners, content }
}
