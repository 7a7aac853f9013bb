//! Windows of images on the host: cut out, and put back.

#[cfg(feature = "flex")]
use rayon::prelude::*;

/// Numbers of some images, `[image][plane][row][column]`.
#[derive(Clone, Debug)]
pub(super) struct Planes {
    pub values: Vec<f32>,
    pub planes: usize,
    /// Rows and columns.
    pub size: [usize; 2],
}

/// A window of each of some images.
#[derive(Debug)]
pub(super) struct Patches {
    /// Where each begins: row and column.
    pub corners: Vec<[usize; 2]>,
    /// What is in them.
    pub content: Planes,
}

impl Planes {
    /// Numbers of an image.
    pub fn len(&self) -> usize {
        self.planes * self.size[0] * self.size[1]
    }

    /// The numbers of one image.
    pub fn image(&self, at: usize) -> &[f32] {
        &self.values[at * self.len()..][..self.len()]
    }

    /// These images.
    pub fn select(&self, rows: &[usize]) -> Self {
        let images = rows.iter().flat_map(|&row| self.image(row));
        Self {
            values: images.copied().collect(),
            ..*self
        }
    }

    /// Windows of this size, one for each of these images, with what the patches are in them, if there are
    /// any.
    pub fn windows(
        &self,
        rows: &[usize],
        corners: &[[usize; 2]],
        size: [usize; 2],
        patches: Option<&Patches>,
    ) -> Self {
        let each = self.planes * size[0] * size[1];
        let mut values = vec![0.0; rows.len() * each];
        for_each(&mut values, each, |at, window| {
            self.cut(rows[at], corners[at], size, window);
            if let Some(patches) = patches {
                patches.overlay(at, window, corners[at], size);
            }
        });
        Self {
            values,
            planes: self.planes,
            size,
        }
    }

    // The window of an image that begins at `corner`.
    fn cut(&self, row: usize, corner: [usize; 2], size: [usize; 2], window: &mut [f32]) {
        let (image, [height, width]) = (self.image(row), self.size);
        // Whole lines are copied together.
        let [lines, columns] = match size[1] == width {
            true => [1, size[0] * width],
            false => size,
        };
        for (line, to) in window.chunks_exact_mut(columns).enumerate() {
            let (plane, line) = (line / lines, line % lines);
            let from = (plane * height + corner[0] + line) * width + corner[1];
            to.copy_from_slice(&image[from..from + columns]);
        }
    }

    /// Overwrites a window of the image in `row` by that of the patch `at`.
    pub fn put(&mut self, row: usize, patches: &Patches, at: usize) {
        let (len, size) = (self.len(), self.size);
        patches.overlay(at, &mut self.values[row * len..][..len], [0, 0], size);
    }
}

impl Patches {
    // Writes what a patch has in common with a window that begins at `corner` into the window.
    fn overlay(&self, at: usize, window: &mut [f32], corner: [usize; 2], size: [usize; 2]) {
        let (of, own) = (self.content.size, self.corners[at]);
        let patch = self.content.image(at);
        let [rows, columns] = [0, 1].map(|axis| {
            let first = own[axis].max(corner[axis]);
            let end = (own[axis] + of[axis]).min(corner[axis] + size[axis]);
            first..end.max(first)
        });
        for plane in 0..self.content.planes {
            for row in rows.clone() {
                let from = (plane * of[0] + row - own[0]) * of[1] + columns.start - own[1];
                let to = (plane * size[0] + row - corner[0]) * size[1] + columns.start - corner[1];
                window[to..to + columns.len()].copy_from_slice(&patch[from..from + columns.len()]);
            }
        }
    }
}

// The images are on the CPU wherever this is worth while.
#[cfg(feature = "flex")]
fn for_each(values: &mut [f32], each: usize, work: impl Fn(usize, &mut [f32]) + Send + Sync) {
    let images = values.par_chunks_mut(each).enumerate();
    images.for_each(|(at, image)| work(at, image));
}

#[cfg(not(feature = "flex"))]
fn for_each(values: &mut [f32], each: usize, work: impl Fn(usize, &mut [f32])) {
    let images = values.chunks_mut(each).enumerate();
    images.for_each(|(at, image)| work(at, image));
}
