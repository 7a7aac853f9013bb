use crate::attack::Cost;
use crate::attack::rows::{replace, select};
use burn::tensor::{Device, Tensor};

/// What a trial has spent on each image, and what was wrong with its gradients.
#[derive(Clone, Debug)]
pub(super) struct Spent {
    pub queries: Vec<u32>,
    pub gradients: Vec<u32>,
    // What one gradient pass counts as, a forward pass alone as its queries.
    each: [u32; 2],
    // In how many gradients every entry was zero, and in how many one was not finite `[batch, 2]`:
    // on the device, as nothing is read back while an attack climbs.
    flaws: Tensor<2>,
}

impl Spent {
    pub fn nothing(count: usize, each: Cost, device: &Device) -> Self {
        Self {
            queries: vec![0; count],
            gradients: vec![0; count],
            each: [each.queries, each.gradients].map(|passes| passes as u32),
            flaws: Tensor::zeros([count, 2], device),
        }
    }

    /// A forward pass of every image.
    pub fn query(&mut self) {
        let [query, _] = self.each;
        self.queries.iter_mut().for_each(|passes| *passes += query);
    }

    /// A forward pass of these images.
    pub fn query_at(&mut self, positions: &[usize]) {
        let [query, _] = self.each;
        positions.iter().for_each(|&at| self.queries[at] += query);
    }

    /// A forward and a backward pass of every image. Returns the gradient `[batch, coordinates]` with
    /// zeros for entries that are not finite.
    pub fn gradient(&mut self, gradient: Tensor<2>) -> Tensor<2> {
        self.query();
        let [_, gradients] = self.each;
        (self.gradients.iter_mut()).for_each(|passes| *passes += gradients);
        // By questions that shaders answer as well, which may take a difference with itself for zero.
        let wrong = gradient.clone().is_finite().bool_not();
        let gradient = gradient.mask_fill(wrong.clone(), 0.0);
        let undefined = wrong.any_dim(1);
        let zero = gradient.clone().abs().sum_dim(1).equal_elem(0.0);
        let vanished = zero.bool_and(undefined.clone().bool_not());
        let flaws = Tensor::cat(vec![vanished.float(), undefined.float()], 1);
        self.flaws = self.flaws.clone() + flaws;
        gradient
    }

    /// The flaws so far `[2 · batch]`: gradients that vanished, then those that were not finite.
    pub fn flaws(&self) -> Tensor<1> {
        self.flaws.clone().transpose().flatten(0, 1)
    }

    /// Adds what was spent on the images at these positions.
    pub fn add(&mut self, positions: &[usize], part: Self) {
        for (passes, parts) in [
            (&mut self.queries, &part.queries),
            (&mut self.gradients, &part.gradients),
        ] {
            positions
                .iter()
                .zip(parts)
                .for_each(|(&at, &n)| passes[at] += n);
        }
        let sum = select(&self.flaws, positions) + part.flaws;
        self.flaws = replace(self.flaws.clone(), positions, sum);
    }
}
