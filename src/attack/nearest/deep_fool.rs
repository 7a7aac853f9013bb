use super::Plane;
use super::scope::geometry;
use super::walk::{Rows, from_the_right, lead, likely};
use crate::attack::alike::{distances, walks};
use crate::attack::rows::{positions, select};
use crate::attack::settings::{nearest, published};
use crate::attack::{Attack, NormSpec, Trial};
use crate::base::{Bounds, Error, Result, read};
use burn::tensor::{Int, Tensor};
use std::fmt;

nearest! {
    /// DeepFool: steps to the nearest of the planes that the boundaries to other classes are to first
    /// order, until the image fools.
    ///
    /// Fast and coarse: it stops at the first point that fools, which is seldom the nearest.
    /// (S.-M. Moosavi-Dezfooli, A. Fawzi, P. Frossard 2016, "DeepFool: a simple and accurate method to fool
    /// deep neural networks", algorithm 2; with other norms, section 3.3.)
    ///
    /// Defaults, as published: 50 steps at most, the 10 most likely classes, that is 9 others, and an
    /// overshoot of 0.02; as in the authors' code each step goes 10⁻⁴ farther, or it might come nearer and
    /// nearer for ever. Points are moved into the bounds, which the paper does not know of. It starts at
    /// the image and draws nothing.
    ///
    /// A step costs a forward and a backward pass for each of the other classes; a point that fools only
    /// the first. All are [exact](crate::kernel::Numerics::Exact). ε as with [`Fab`](super::Fab).
    ///
    /// # Errors
    ///
    /// Those of [`Attack::attack`].
    ///
    /// ```
    /// use fireproof::attack::{Attack, DeepFool};
    ///
    /// assert_eq!(DeepFool::l2().to_string(), "DeepFool-50 L2");
    /// assert!(DeepFool::linf().with_overshoot(-0.1).check().is_err());
    /// ```
    pub struct DeepFool in any norm {
        /// How many steps it takes at most.
        #[serde(default = "published::steps")]
        pub steps: usize,
        /// How many other classes it looks at, the most likely ones on the clean image.
        #[serde(default = "published::target_classes")]
        pub target_classes: usize,
        /// By what share all steps together go beyond the planes.
        #[serde(default = "published::overshoot")]
        pub overshoot: f64,
    }
}

published! {
    steps: usize = 50,
    target_classes: usize = 9,
    overshoot: f64 = 0.02,
}

impl DeepFool {
    /// The attack for any norm with a [`Geometry`](super::Geometry).
    pub fn new(norm: impl Into<NormSpec>) -> Self {
        Self {
            norm: norm.into(),
            epsilon: None,
            steps: published::steps(),
            target_classes: published::target_classes(),
            overshoot: published::overshoot(),
            predicted_labels: false,
        }
    }

    // The rest of the steps for images that do not fool, as far as known: `way` is what all steps so
    // far add up to, `classes` where to `[batch, classes]`.
    fn walk(
        &self,
        trial: &mut Trial,
        left: usize,
        way: Tensor<2>,
        classes: Tensor<2, Int>,
    ) -> Result<()> {
        let (geometry, rows, ball) = (geometry(&self.norm)?, Rows::new(trial), self.ball());
        let ahead = rows.origin.clone() + way.clone() * (1.0 + self.overshoot);
        let point = rows.bounds.clamp(ahead);
        if left == 0 {
            rows.offer(trial, ball.as_ref(), &point)?;
            return Ok(());
        }
        let pass = |trial: &mut Trial, rows: &Rows, point: &Tensor<2>, class: Tensor<2, Int>| {
            let labels = trial.reference().labels.clone();
            let (pass, gradient) = rows.gradient(trial, point, |logits| {
                lead(logits, class.clone().squeeze_dim(1), labels.clone())
            })?;
            Ok((pass, gradient))
        };
        let (first, gradient) = pass(trial, &rows, &point, classes.clone().narrow(1, 0, 1))?;
        // The image itself has been offered.
        if left < self.steps {
            trial.offer_within(ball.as_ref(), first.images, first.logits.clone());
        }
        let fooled = trial.fooled_by(first.logits).float();
        let standing = positions(&read::<f32, _, _>(&fooled), |fooled| fooled == 0.0);
        let of = |rows: &Tensor<2>| select(rows, &standing);
        let (point, way, classes) = (of(&point), of(&way), select(&classes, &standing));
        let (mut gap, mut normal) = (of(&rows.column(first.loss)).abs(), of(&gradient));
        trial.part(&standing, |trial| {
            let rows = Rows::new(trial);
            let mut nearest = distance(&gap, geometry.dual_lengths(normal.clone()));
            for rank in 1..classes.dims()[1] {
                let class = classes.clone().narrow(1, rank, 1);
                let (pass, gradient) = pass(trial, &rows, &point, class)?;
                let other = rows.column(pass.loss).abs();
                let far = distance(&other, geometry.dual_lengths(gradient.clone()));
                let nearer = far.clone().lower(nearest.clone()).squeeze_dim(1);
                nearest = rows.either([nearest, far], &nearer);
                gap = rows.either([gap, other], &nearer);
                normal = rows.either([normal, gradient], &nearer);
            }
            let gap = gap + geometry.dual_lengths(normal.clone()) * FARTHER;
            let plane = Plane { normal, gap };
            let step = geometry.onto(&point, &plane, Bounds::none());
            self.walk(trial, left - 1, way + step, classes)
        })
    }
}

// How much longer each step is.
const FARTHER: f64 = 1e-4;

// A plane without a normal is never reached.
fn distance(gap: &Tensor<2>, slope: Tensor<2>) -> Tensor<2> {
    let flat = slope.clone().equal_elem(0.0);
    (gap.clone() / slope).mask_fill(flat, f32::MAX)
}

distances!(DeepFool);

impl Attack for DeepFool {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        let count = self.target_classes.min(trial.classes() - 1);
        from_the_right(trial, |trial| {
            let classes = likely(trial).narrow(1, 0, count);
            let way = Rows::new(trial).origin.zeros_like();
            self.walk(trial, self.steps, way, classes)
        })
    }

    /// # Errors
    ///
    /// [`Error::Setting`] if ε or the overshoot is negative or not finite in f32, if the norm has no
    /// geometry, or if there is no class to go to.
    fn check(&self) -> Result<()> {
        self.scope().check()?;
        let count = self.target_classes;
        Error::unless(count > 0, "target_classes", count, "at least 1")?;
        crate::attack::ball::check_length("overshoot", self.overshoot)
    }

    // The clean pass, the last point's, one to be sure of what was found, and the verdict's.
    walks!("deep_fool", |fool| fool.steps * fool.target_classes, 4);
}

impl fmt::Display for DeepFool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeepFool-{}{}", self.steps, self.scope())
    }
}
