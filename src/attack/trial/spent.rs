use crate::attack::Cost;
use crate::attack::rows::{replace, select};
use crate::base::{Error, Result};
use burn::tensor::{Device, Tensor};

/// What a trial has spent on each image, what it may spend yet, and what was wrong with its gradients.
#[derive(Clone, Debug)]
pub(super) struct Spent {
    pub queries: Vec<u32>,
    pub gradients: Vec<u32>,
    // Passes that the trial had made of which this one is a part.
    before: Vec<u32>,
    // Passes that are left of a budget.
    left: Option<Vec<u32>>,
    // Whether a pass was more than was left: what it tells counts for nothing.
    out: Vec<bool>,
    // What one gradient pass counts as, a forward pass alone as its queries.
    each: [u32; 2],
    // In how many gradients every entry was zero, and in how many one was not finite `[batch, 2]`:
    // on the device, as nothing is read back while an attack climbs.
    flaws: Tensor<2>,
}

/// A budget around another one, as it stood when that began.
pub(super) struct Limit {
    left: Option<Vec<u32>>,
    out: Vec<bool>,
    passes: Vec<u32>,
}

impl Spent {
    pub fn nothing(count: usize, each: Cost, device: &Device) -> Self {
        Self {
            queries: vec![0; count],
            gradients: vec![0; count],
            before: vec![0; count],
            left: None,
            out: vec![false; count],
            each: [each.queries, each.gradients].map(|passes| passes as u32),
            flaws: Tensor::zeros([count, 2], device),
        }
    }

    /// What a part of the trial with the images at these positions begins with.
    pub fn of_part(&self, positions: &[usize], device: &Device) -> Self {
        let left = |left: &Vec<u32>| positions.iter().map(|&at| left[at]).collect();
        Self {
            before: positions.iter().map(|&at| self.passes(at)).collect(),
            left: self.left.as_ref().map(left),
            out: positions.iter().map(|&at| self.out[at]).collect(),
            each: self.each,
            ..Self::nothing(positions.len(), Cost::default(), device)
        }
    }

    /// The images for which no pass was more than was left.
    pub fn solvent(&self) -> Vec<usize> {
        let at = 0..self.out.len();
        at.filter(|&at| self.affords(at)).collect()
    }

    /// A forward pass of these images, whatever is left.
    pub fn query(&mut self, positions: impl IntoIterator<Item = usize>) {
        let [query, _] = self.each;
        for at in positions {
            self.queries[at] += query;
            if let Some(left) = &mut self.left {
                left[at] = left[at].saturating_sub(query);
            }
        }
    }

    /// A forward pass of these images, and a backward pass, for a search.
    ///
    /// # Errors
    ///
    /// [`Error::Budget`] if it is more than any of them has left: then it must not be made.
    pub fn pay(
        &mut self,
        positions: impl IntoIterator<Item = usize>,
        backward: bool,
    ) -> Result<()> {
        let mut nobody = true;
        let [queries, gradients] = self.each;
        let gradients = if backward { gradients } else { 0 };
        for at in positions {
            if let Some(left) = &mut self.left {
                let rest = left[at].checked_sub(queries + gradients);
                match rest {
                    Some(rest) if !self.out[at] => left[at] = rest,
                    _ => {
                        self.out[at] = true;
                        continue;
                    }
                }
            }
            nobody = false;
            self.queries[at] += queries;
            self.gradients[at] += gradients;
        }
        match nobody && self.left.is_some() {
            true => Err(Error::Budget),
            false => Ok(()),
        }
    }

    /// Gives each image no more than so many passes from here on. Returns what there was before.
    pub fn limit(&mut self, passes: &[u32]) -> Limit {
        let outer = self.left.clone();
        let most = |at: usize| outer.as_ref().map_or(u32::MAX, |outer| outer[at]);
        let least = |(at, &passes): (usize, &u32)| passes.min(most(at));
        self.left = Some(passes.iter().enumerate().map(least).collect());
        Limit {
            left: outer,
            out: self.out.clone(),
            passes: self.all(),
        }
    }

    /// Undoes [`limit`](Self::limit), given what it returned.
    pub fn unlimit(&mut self, outer: Limit) {
        let since = |at: usize| self.passes(at) - outer.passes[at];
        let rest = |(at, left): (usize, u32)| left.saturating_sub(since(at));
        let left = outer
            .left
            .map(|left| left.into_iter().enumerate().map(rest));
        self.left = left.map(Iterator::collect);
        self.out = outer.out;
    }

    /// Whether there is a budget.
    pub fn is_limited(&self) -> bool {
        self.left.is_some()
    }

    /// 1 where a pass was more than was left, if there is any such image `[batch]`.
    pub fn out(&self) -> Option<Tensor<1>> {
        let out = || Vec::from_iter(self.out.iter().map(|&out| f32::from(out)));
        let any = self.out.contains(&true);
        any.then(|| Tensor::from_data(out().as_slice(), &self.flaws.device()))
    }

    /// Whether no pass was more than the image at this position had left.
    pub fn affords(&self, at: usize) -> bool {
        !self.out[at]
    }

    /// How many of so many forward passes the image at this position can afford.
    pub fn affordable(&self, at: usize, passes: usize) -> usize {
        let [query, _] = self.each;
        let left = self.left.as_ref().map(|left| left[at] / query.max(1));
        match self.out[at] {
            true => 0,
            false => left.map_or(passes, |left| passes.min(left as usize)),
        }
    }

    /// What a forward pass counts as.
    pub fn query_counts(&self) -> u32 {
        self.each[0]
    }

    /// Whether no image has any pass left.
    pub fn is_out(&self) -> bool {
        self.out.iter().all(|&out| out)
    }

    /// Passes on the image at this position, forward and backward, with those before this part.
    pub fn passes(&self, at: usize) -> u32 {
        self.before[at] + self.queries[at] + self.gradients[at]
    }

    /// The passes on every image.
    pub fn all(&self) -> Vec<u32> {
        (0..self.queries.len()).map(|at| self.passes(at)).collect()
    }

    /// The passes on every image, on the device.
    pub fn on_device(&self) -> Tensor<1> {
        let (passes, device) = (self.all(), self.flaws.device());
        let first = passes.first().copied().unwrap_or(0);
        match passes.iter().all(|&passes| passes == first) {
            true => Tensor::full([passes.len()], first as f32, &device),
            false => {
                let passes = Vec::from_iter(passes.into_iter().map(|passes| passes as f32));
                Tensor::from_data(passes.as_slice(), &device)
            }
        }
    }

    /// Takes note of a gradient `[batch, coordinates]`. Returns it with zeros for entries that are not
    /// finite.
    pub fn gradient(&mut self, gradient: Tensor<2>) -> Tensor<2> {
        // By questions that shaders answer as well, which may take a difference with itself for zero.
        let wrong = gradient.clone().is_finite().bool_not();
        let gradient = gradient.mask_fill(wrong.clone(), 0.0);
        let undefined = wrong.any_dim(1);
        let zero = gradient.clone().abs().sum_dim(1).equal_elem(0.0);
        let vanished = zero.bool_and(undefined.clone().bool_not());
        let mut flaws = Tensor::cat(vec![vanished.float(), undefined.float()], 1);
        if let Some(out) = self.out() {
            let out = out.greater_elem(0.5).unsqueeze_dim::<2>(1);
            flaws = flaws.clone().mask_fill(out.expand(flaws.dims()), 0.0);
        }
        self.flaws = self.flaws.clone() + flaws;
        gradient
    }

    /// The flaws so far `[2 · batch]`: gradients that vanished, then those that were not finite.
    pub fn flaws(&self) -> Tensor<1> {
        self.flaws.clone().transpose().flatten(0, 1)
    }

    /// Adds what was spent on the images at these positions, in a [part](Self::of_part).
    pub fn add(&mut self, positions: &[usize], part: Self) {
        for (row, &at) in positions.iter().enumerate() {
            self.queries[at] += part.queries[row];
            self.gradients[at] += part.gradients[row];
            self.out[at] |= part.out[row];
            if let (Some(left), Some(of_part)) = (&mut self.left, &part.left) {
                left[at] = of_part[row];
            }
        }
        let sum = select(&self.flaws, positions) + part.flaws;
        self.flaws = replace(self.flaws.clone(), positions, sum);
    }
}
