//! Queries of candidates that differ from known images in a few pixels.

use super::Frozen;
use super::patch::{Patches, Planes};
use crate::base::{Stages, View, read};
use crate::kernel::{Numerics, is_composed, suits};
use burn::tensor::{DType, Device, Tensor, TensorData};

/// Images to which candidates are near, and what the first of a classifier's stages make of them.
#[derive(Clone, Debug)]
pub(in crate::attack) struct Known(Vec<Planes>);

/// The same of candidates, where it differs from that.
#[derive(Debug)]
pub(in crate::attack) struct Changes(Vec<Patches>);

impl Known {
    /// Nothing but the images.
    pub fn new(images: &Tensor<4>) -> Self {
        Self(vec![planes(images)])
    }

    /// Of these images.
    pub fn part(&self, rows: &[usize]) -> Self {
        Self(self.0.iter().map(|planes| planes.select(rows)).collect())
    }

    /// Candidates take the place of the images that they were near to: for each a row, and its number
    /// among the candidates.
    pub fn take(&mut self, taken: impl Iterator<Item = (usize, usize)>, changes: &Changes) {
        let mut some = false;
        for (row, at) in taken {
            some = true;
            for (planes, patches) in self.0.iter_mut().zip(&changes.0) {
                planes.put(row, patches, at);
            }
        }
        if some {
            // What later stages make of them is not known.
            self.0.truncate(changes.0.len());
        }
    }

    // Asks stages of which nothing is known yet, up to so many.
    fn up_to(&mut self, stages: &dyn Stages, count: usize, device: &Device) {
        for number in self.0.len() - 1..count {
            let before = self.0[number].clone();
            self.0
                .push(planes(&stages.stage(number, tensor(before, device))));
        }
    }
}

impl Frozen {
    /// [`draft`](Self::draft) of candidates, of which each is near to an image in a row of what is known:
    /// of a classifier on the CPU that has [`Stages`], the first ones compute what sees a pixel that
    /// differs, and no more. Then it also tells what changes.
    pub(in crate::attack) fn draft_near(
        &self,
        images: Tensor<4>,
        near: Option<(&mut Known, &[usize])>,
    ) -> (Tensor<2>, Option<Changes>) {
        let Some((known, rows)) = near else {
            return (self.draft(images), None);
        };
        let images = images.inner();
        let Some(stages) = self.stages(&images) else {
            return (self.draft(images), None);
        };
        let changes = differing(&images, &known.0[0], rows);
        let views = stages.views();
        let plans = plans(&views, &changes, known.0[0].size, self.numerics);
        if plans.is_empty() {
            return (self.draft(images), Some(Changes(vec![changes])));
        }
        let device = images.device();
        let (logits, changes) = self.numerics.run(|| {
            known.up_to(stages, plans.len(), &device);
            through(stages, views.len(), plans, changes, (known, rows), &device)
        });
        self.check(&logits, rows.len());
        self.show(&images, &logits);
        (logits, Some(changes))
    }

    /// What such candidates are near to, for a classifier of which that may tell something.
    pub(in crate::attack) fn known(&self, images: &Tensor<4>) -> Option<Known> {
        self.stages(images).map(|_| Known::new(images))
    }

    fn stages(&self, images: &Tensor<4>) -> Option<&dyn Stages> {
        let stages = self.classifier.stages();
        stages.filter(|_| self.random.is_none() && suits(images) && !is_composed())
    }
}

/// Where the cells are that see a change, of a stage's output and of its input.
struct Plan {
    corners: Vec<[usize; 2]>,
    size: [usize; 2],
    seen: Vec<[usize; 2]>,
    reach: [usize; 2],
    /// Rows and columns of the whole output.
    output: [usize; 2],
}

// Of the first stages, as long as that is at most half of their output.
fn plans(views: &[View], changes: &Patches, image: [usize; 2], numerics: Numerics) -> Vec<Plan> {
    // As whole tiles of convolutions, so that they are those of the whole image.
    let tile = match numerics {
        Numerics::Exact => 2,
        Numerics::Fast => 4,
    };
    let mut plans: Vec<Plan> = Vec::new();
    for view in views {
        let (corners, changed, input) = match plans.last() {
            None => (&changes.corners, changes.content.size, image),
            Some(plan) => (&plan.corners, plan.size, plan.output),
        };
        let output = input.map(|cells| view.output(cells));
        let axes = [0, 1].map(|axis| {
            let corners = corners.iter().map(|corner| corner[axis]);
            Axis::new(corners, changed[axis], *view, output[axis], tile)
        });
        let size = axes.each_ref().map(|axis| axis.len);
        let cells = size[0] * size[1];
        let made = cells * view.stride * view.stride;
        // Of very small windows kernels choose other tiles.
        if 2 * cells > output[0] * output[1] || numerics.is_small(made, view.filters) {
            break;
        }
        let reach = [0, 1].map(|axis| {
            // What is behind the last cell's view belongs to all of them.
            let behind = input[axis] - (view.stride * (output[axis] - 1) + view.size);
            view.stride * (size[axis] - 1) + view.size + behind
        });
        let first = |at: usize| axes.each_ref().map(|axis| axis.first[at]);
        let corners = Vec::from_iter((0..corners.len()).map(first));
        plans.push(Plan {
            seen: corners
                .iter()
                .map(|c| c.map(|at| at * view.stride))
                .collect(),
            corners,
            size,
            reach,
            output,
        });
    }
    plans
}

fn through(
    stages: &dyn Stages,
    count: usize,
    plans: Vec<Plan>,
    changes: Patches,
    (known, rows): (&Known, &[usize]),
    device: &Device,
) -> (Tensor<2>, Changes) {
    let mut patches = vec![changes];
    let planned = plans.len();
    for (number, plan) in plans.into_iter().enumerate() {
        let input = known.0[number].windows(rows, &plan.seen, plan.reach, patches.last());
        let content = planes(&stages.stage(number, tensor(input, device)));
        assert_eq!(
            content.size, plan.size,
            "rows and columns of stage {number}"
        );
        patches.push(Patches {
            corners: plan.corners,
            content,
        });
    }
    let base = &known.0[planned];
    let features = base.windows(rows, &vec![[0, 0]; rows.len()], base.size, patches.last());
    let later = planned..count;
    let features = later.fold(tensor(features, device), |x, number| {
        stages.stage(number, x)
    });
    (stages.rest(features), Changes(patches))
}

// Along an axis, which cells of a stage's output see a change, in whole tiles: their number, and the
// first one for each image.
struct Axis {
    first: Vec<usize>,
    len: usize,
}

impl Axis {
    fn new(
        corners: impl Iterator<Item = usize>,
        changed: usize,
        View { size, stride, .. }: View,
        output: usize,
        tile: usize,
    ) -> Self {
        // As many cells of the output as come from whole tiles before the stride.
        let tile = (1..=tile)
            .find(|cells| (cells * stride).is_multiple_of(tile))
            .unwrap_or(tile);
        let seeing = (changed + size - 2) / stride + 1;
        let len = (seeing + tile - 1).div_ceil(tile) * tile;
        // A tile that the image cuts is left as it is.
        if len >= output || !output.is_multiple_of(tile) {
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

fn tensor(planes: Planes, device: &Device) -> Tensor<4> {
    let [rows, columns] = planes.size;
    let shape = [
        planes.values.len() / planes.len(),
        planes.planes,
        rows,
        columns,
    ];
    Tensor::from_data(TensorData::new(planes.values, shape), (device, DType::F32))
}

fn planes(features: &Tensor<4>) -> Planes {
    let [_, planes, rows, columns] = features.dims();
    Planes {
        values: read(features),
        planes,
        size: [rows, columns],
    }
}

// The windows in which images differ from those in rows of `known`, all of the size of the largest.
fn differing(images: &Tensor<4>, known: &Planes, rows: &[usize]) -> Patches {
    let new = planes(images);
    let [height, width] = new.size;
    let count = rows.len();
    let boxes = Vec::from_iter((0..count).map(|at| {
        let lines = new.image(at).chunks_exact(width);
        let lines = lines.zip(known.image(rows[at]).chunks_exact(width));
        let (mut first, mut end) = (new.size, [0, 0]);
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
    let size = [long(0), long(1)];
    let corner = |(first, _): &([usize; 2], [usize; 2])| {
        [0, 1].map(|axis| first[axis].min(new.size[axis] - size[axis]))
    };
    let corners = Vec::from_iter(boxes.iter().map(corner));
    let all = Vec::from_iter(0..count);
    Patches {
        content: new.windows(&all, &corners, size, None),
        corners,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::Group;
    use crate::model::{CnnConfig, Widths};
    use burn::module::Module;

    // Oracle: a whole pass, bit for bit, for candidates that differ in a pixel; few and many channels, within and
    // between stages, so that kernels take other tiles for windows of few cells.
    #[test]
    fn exact_drafts_of_near_candidates() {
        let device = Device::flex();
        for (group, widths) in [
            (Group::P1, [8, 8, 4, 4]),
            (Group::P1, [128, 128, 4, 4]),
            (Group::P1, [256, 64, 4, 4]),
            (Group::P1, [4, 128, 128, 4]),
            (Group::P4, [128, 16, 2, 2]),
        ] {
            let model = CnnConfig::new(group, [1, 28, 28], 10)
                .with_widths(Widths::Given(widths))
                .init(&device)
                .expect("28×28 suits the group");
            let pixels = (0..3 * 784).map(|at| ((at * 37 % 101) as f32) / 101.0);
            let pixels = Vec::from_iter(pixels);
            let images = |pixels: Vec<f32>| {
                Tensor::<4>::from_data(TensorData::new(pixels, [3, 1, 28, 28]), &device)
            };
            for numerics in [Numerics::Exact, Numerics::Fast] {
                let victim = Frozen::new(&model.valid()).with_numerics(numerics);
                let mut known = victim.known(&images(pixels.clone())).expect("stages");
                let mut staged = 0;
                for place in [[0, 0], [1, 14], [13, 6], [27, 27]] {
                    let mut moved = pixels.clone();
                    for image in moved.chunks_exact_mut(784) {
                        image[place[0] * 28 + place[1]] += 0.25;
                    }
                    let moved = images(moved);
                    let near = Some((&mut known, [0, 1, 2].as_slice()));
                    let (found, changes) = victim.draft_near(moved.clone(), near);
                    staged += changes.expect("stages").0.len() - 1;
                    let expected = victim.draft(moved);
                    let bits = |logits: Tensor<2>| {
                        let logits: Vec<f32> = read(&logits);
                        Vec::from_iter(logits.into_iter().map(f32::to_bits))
                    };
                    assert_eq!(
                        bits(found),
                        bits(expected),
                        "{group} {widths:?} {numerics} {place:?}"
                    );
                }
                let few = widths == [8, 8, 4, 4];
                assert!(
                    staged > 0 || numerics == Numerics::Fast && !few,
                    "{group} {widths:?} {numerics}"
                );
            }
        }
    }
}
