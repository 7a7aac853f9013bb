use super::loss::Goal;
use super::{Frozen, Norm};
use crate::base::{Bounds, Result};
use crate::kernel::{LinfStep, linf_step};
use burn::tensor::{Bool, Int, Tensor, TensorData};

/// The one loop of all gradient attacks: step along the steepest ascent, project, repeat.
///
/// One forward and one backward pass per step; nothing is read back to the host.
pub(crate) struct Descent {
    pub norm: Norm,
    pub epsilon: f64,
    pub steps: usize,
    /// Length of a step, in units of the norm.
    pub length: f64,
    pub bounds: Bounds,
}

impl Descent {
    /// Climbs from `start` and returns the last iterate. `best`, if given, meets the start and
    /// every iterate but the last, whose loss no pass of this loop computes.
    pub fn run(
        &self,
        victim: &Frozen,
        goal: &impl Goal,
        originals: &Tensor<4>,
        start: Tensor<4>,
        mut best: Option<&mut Best>,
    ) -> Result<Tensor<4>> {
        let mut images = start;
        for _ in 0..self.steps {
            let here = victim.loss_gradient(images.clone(), |logits| goal.loss(logits))?;
            if let Some(best) = best.as_deref_mut() {
                best.meet(images.clone(), here.loss, goal.fooled(here.logits));
            }
            images = self.climb(images, here.gradient, originals);
        }
        Ok(images)
    }

    fn climb(&self, images: Tensor<4>, gradient: Tensor<4>, originals: &Tensor<4>) -> Tensor<4> {
        match self.norm {
            Norm::Linf => {
                let step = LinfStep {
                    length: self.length,
                    epsilon: self.epsilon,
                    bounds: [self.bounds.low(), self.bounds.high()],
                };
                linf_step(images, gradient, originals, step)
            }
            Norm::L2 => {
                let step = self.norm.steepest(gradient, self.length);
                let moved = images + step;
                self.norm
                    .project(moved, originals, self.epsilon, self.bounds)
            }
        }
    }
}

// Losses closer than this, in proportion, are equal but for the rounding of the passes that made
// them.
const LOSS_RESOLUTION: f64 = 1.0 / (1u32 << 20) as f64;

/// The best candidate met so far for each image: fooling before not fooling, then higher loss,
/// then later, since near an optimum f32 losses tie long before the images have converged.
#[derive(Default)]
pub(crate) struct Best(Option<Candidates>);

/// One candidate for each image.
#[derive(Clone)]
struct Candidates {
    images: Tensor<4>,
    /// The highest loss met with this verdict.
    loss: Tensor<1>,
    /// 1 for fooled, else 0: Burn's CPU backend cannot concatenate booleans of different storage.
    fooled: Tensor<1>,
}

impl Best {
    /// Keeps each candidate that is better than what its image has.
    pub fn meet(&mut self, images: Tensor<4>, loss: Tensor<1>, fooled: Tensor<1, Bool>) {
        let fooled = fooled.float();
        let Some(best) = self.0.take() else {
            self.0 = Some(Candidates {
                images,
                loss,
                fooled,
            });
            return;
        };
        let newly = fooled.clone().greater(best.fooled.clone());
        let alike = fooled.clone().equal(best.fooled.clone());
        let enough = best.loss.clone() - best.loss.clone().abs() * LOSS_RESOLUTION;
        let as_high = alike.clone().bool_and(loss.clone().greater_equal(enough));
        let higher = alike.bool_and(loss.clone().greater(best.loss.clone()));
        let every_pixel = newly
            .clone()
            .bool_or(as_high)
            .reshape([-1, 1, 1, 1])
            .expand(images.shape());
        self.0 = Some(Candidates {
            images: best.images.mask_where(every_pixel, images),
            loss: best.loss.mask_where(newly.bool_or(higher), loss),
            fooled: best.fooled.max_pair(fooled),
        });
    }

    /// As [`meet`](Self::meet), with the logits of the candidates.
    pub fn judge(&mut self, images: Tensor<4>, logits: Tensor<2>, goal: &impl Goal) {
        let fooled = goal.fooled(logits.clone());
        self.meet(images, goal.loss(logits), fooled);
    }

    /// The positions of the images that nothing has fooled yet, read back to the host; `None`
    /// before the first candidate.
    pub fn standing(&self) -> Option<Vec<usize>> {
        let best = self.0.as_ref()?;
        let fooled = best.fooled.to_data();
        let standing = fooled.iter::<f32>().enumerate().filter(|(_, f)| *f == 0.0);
        Some(standing.map(|(position, _)| position).collect())
    }

    /// The best of the images at these positions `[positions]`.
    pub fn select(&self, positions: &Tensor<1, Int>) -> Self {
        Self(self.0.as_ref().map(|best| best.select(positions)))
    }

    /// Puts a [`select`](Self::select)ion back.
    pub fn replace(&mut self, positions: &[usize], selection: Self) {
        let (Some(best), Some(part)) = (self.0.take(), selection.0) else {
            unreachable!("a selection of nothing");
        };
        let count = best.loss.dims()[0];
        let mut from: Vec<usize> = (0..count).collect();
        for (index, &position) in positions.iter().enumerate() {
            from[position] = count + index;
        }
        let from = indices(&from, &best.images);
        let joined = Candidates {
            images: Tensor::cat(vec![best.images, part.images], 0),
            loss: Tensor::cat(vec![best.loss, part.loss], 0),
            fooled: Tensor::cat(vec![best.fooled, part.fooled], 0),
        };
        self.0 = Some(joined.select(&from));
    }

    /// The images kept.
    pub fn into_images(self) -> Option<Tensor<4>> {
        self.0.map(|best| best.images)
    }
}

impl Candidates {
    fn select(&self, positions: &Tensor<1, Int>) -> Self {
        Self {
            images: self.images.clone().select(0, positions.clone()),
            loss: self.loss.clone().select(0, positions.clone()),
            fooled: self.fooled.clone().select(0, positions.clone()),
        }
    }
}

/// Positions as an index tensor beside `images`.
pub(crate) fn indices(positions: &[usize], images: &Tensor<4>) -> Tensor<1, Int> {
    let values: Vec<i64> = positions.iter().map(|&p| p as i64).collect();
    Tensor::from_data(TensorData::new(values, [positions.len()]), &images.device())
}
