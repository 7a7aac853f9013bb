use super::random::Random;
use super::{Frozen, Pass};
use crate::base::{Error, Result};
use burn::tensor::Tensor;
use std::ops::Range;

/// The loss of each image of a batch.
pub(in crate::attack) type LossOf<'a> = dyn Fn(Tensor<2>) -> Tensor<1> + 'a;

impl Frozen {
    /// One forward and one backward pass at a point whose images a differentiable map gives.
    pub(in crate::attack) fn pass<const D: usize>(
        &self,
        point: Tensor<D>,
        images: impl FnOnce(Tensor<D>) -> Tensor<4> + Send,
        loss: &LossOf,
    ) -> Result<Pass<D>> {
        if let Some(other) = &self.surrogate {
            let mut pass = self.like(other).pass(point, images, loss)?;
            let lot = self.next_pass(pass.images.dims()[0]);
            let logits = (self.numerics).run(|| self.forward(pass.images.clone(), &lot).inner());
            pass.loss = losses(loss, logits.clone());
            pass.logits = logits;
            self.show(&pass.images, &pass.logits);
            return Ok(pass);
        }
        let point = leaf(point);
        let images = self.numerics.run(|| images(point.clone()));
        let pass = match self.random {
            None => self.certain(point, images, loss),
            Some(random) => self.expected(random, point, images, loss),
        }?;
        self.show(&pass.images, &pass.logits);
        Ok(pass)
    }

    fn certain<const D: usize>(
        &self,
        point: Tensor<D>,
        images: Tensor<4>,
        loss: &LossOf,
    ) -> Result<Pass<D>> {
        let lot = self.next_pass(point.dims()[0]);
        let at = images.clone().inner();
        let logits = self.numerics.run(|| self.forward(images, &lot));
        let loss = losses(loss, logits.clone());
        Ok(Pass {
            gradient: gradient(loss.clone().sum(), &point)?,
            images: at,
            loss: loss.inner(),
            logits: logits.inner(),
        })
    }

    // The gradient of the loss of the mean logits. A few images at a time, so that their graph is that
    // of one pass: each sees the whole batch's loss, the others in it being nothing.
    fn expected<const D: usize>(
        &self,
        random: Random,
        point: Tensor<D>,
        images: Tensor<4>,
        loss: &LossOf,
    ) -> Result<Pass<D>> {
        let (count, at) = (images.dims()[0], images.clone().inner());
        let lot = self.next_pass(count);
        let (mut logits, mut gradients) = (Vec::new(), Vec::new());
        for places in random.chunks(count) {
            let [first, some] = [places.start, places.len()];
            let here = leaf(at.clone().narrow(0, first, some));
            let keys = lot.keys(Some(places.clone()), self.draws());
            let mean = self
                .numerics
                .run(|| random.mean(here.clone(), &keys, &|images, keys| self.rows(images, keys)));
            let own = losses(loss, among(mean.clone(), places, count)).narrow(0, first, some);
            gradients.push(gradient(own.sum(), &here)?);
            logits.push(mean.inner());
        }
        let logits = Tensor::cat(logits, 0);
        let slope = Tensor::from_inner(Tensor::cat(gradients, 0));
        Ok(Pass {
            gradient: gradient((images * slope).sum(), &point)?,
            images: at,
            loss: losses(loss, logits.clone()),
            logits,
        })
    }
}

fn leaf<const D: usize>(point: Tensor<D>) -> Tensor<D> {
    Tensor::from_inner(point.inner()).require_grad()
}

fn losses(loss: &LossOf, logits: Tensor<2>) -> Tensor<1> {
    let count = logits.dims()[0];
    let loss = loss(logits);
    assert_eq!(loss.dims(), [count], "one loss per image");
    loss
}

// These rows of so many, all others zero.
fn among(rows: Tensor<2>, places: Range<usize>, count: usize) -> Tensor<2> {
    let classes = rows.dims()[1];
    let like = (&rows.device(), rows.dtype());
    let zeros = |count| Tensor::zeros([count, classes], like);
    let [before, after] = [places.start, count - places.end];
    Tensor::cat(vec![zeros(before), rows, zeros(after)], 0)
}

fn gradient<const D: usize>(total: Tensor<1>, point: &Tensor<D>) -> Result<Tensor<D>> {
    let not_differentiable = || {
        Error::input(
            "gradient of the classifier",
            "none",
            "logits computed from the images by differentiable operations",
        )
    };
    if !total.is_tracked() {
        return Err(not_differentiable());
    }
    let mut gradients = total.backward();
    let gradient = point.grad_remove(&mut gradients);
    gradient.ok_or_else(not_differentiable)
}
