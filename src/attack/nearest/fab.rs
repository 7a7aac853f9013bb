use super::scope::geometry;
use super::segment::refine;
use super::tangent::Tangent;
use super::walk::{Rows, lead, likely};
use super::{Geometry, Plane};
use crate::attack::alike::{distances, in_scope};
use crate::attack::part::in_turn;
use crate::attack::settings::{nearest, published};
use crate::attack::{Attack, Cost, KthBest, NormSpec, Part, TargetsSpec, Trial};
use crate::base::{Error, Purpose, Result};
use burn::tensor::{Int, Tensor};
use std::fmt;

nearest! {
    /// The targeted fast adaptive boundary attack, FAB-T: looks for the nearest image that fools.
    ///
    /// Each step takes the boundary between the label and another class for the plane that it is to first
    /// order, and goes to a point a little beyond the nearest one of plane *and* bounds, drawn towards the
    /// point of the plane that is nearest to the image itself. From a point that fools it steps back
    /// towards the image. (F. Croce, M. Hein 2020, "Minimally distorted adversarial examples with a fast
    /// adaptive boundary attack", algorithm 1 and equations 7 to 9, towards one class at a time; as in
    /// F. Croce, M. Hein 2020, "Reliable evaluation of adversarial robustness with an ensemble of diverse
    /// parameter-free attacks".)
    ///
    /// Defaults, as published: 100 steps towards each of the 9 other classes that the image is most likely
    /// taken for, α_max = 0.1, η = 1.05, β = 0.9, and at last 3 points of a search between each image and
    /// what was found. The first run starts at the image, [restarts](Attack::restarts) at random at half
    /// the distance found so far, and of ε if there is one.
    ///
    /// # With ε and without
    ///
    /// Without ε every image that fools counts, and each is looked for as near as it can be: see
    /// [`Found::distance`](crate::attack::Found::distance) and
    /// [`accuracy_at`](crate::attack::Found::accuracy_at). With ε only those within the ball count, as in
    /// AutoAttack, and an image that is fooled so meets no further classes or restarts.
    ///
    /// # Passes
    ///
    /// A step costs *one* forward and one backward pass: the one at the new point tells whether it fools
    /// and gives the plane. So after a step back the plane is that of the point before it, nearer to the
    /// boundary, where the published code makes another pass. A run ends with a forward pass at its last
    /// point. All passes are [exact](crate::kernel::Numerics::Exact), since every candidate is on the
    /// edge.
    ///
    /// # Errors
    ///
    /// Those of [`Attack::attack`].
    ///
    /// ```
    /// use fireproof::attack::{Attack, Fab};
    ///
    /// assert_eq!(Fab::l2().restarts(5).to_string(), "FAB-100 L2 ×5");
    /// let bounded = Fab::linf().with_epsilon(8.0 / 255.0);
    /// assert_eq!(bounded.to_string(), "FAB-100 L∞ ε=8/255");
    /// assert_eq!(Fab::linf().at_level(&[8.0 / 255.0])?, bounded.into());
    /// # Ok::<(), fireproof::base::Error>(())
    /// ```
    pub struct Fab in any norm {
        /// How many steps it takes towards each class.
        #[serde(default = "published::steps")]
        pub steps: usize,
        /// Towards how many classes it goes, one after the other, the most likely one first.
        #[serde(default = "published::target_classes")]
        pub target_classes: usize,
        /// α_max: how much a step is drawn towards the image at most.
        #[serde(default = "published::alpha_max")]
        pub alpha_max: f64,
        /// η: how far a step goes beyond the plane, 1 being none.
        #[serde(default = "published::eta")]
        pub eta: f64,
        /// β: what is left of a perturbation that fools by the step back.
        #[serde(default = "published::beta")]
        pub beta: f64,
        /// The classes that images are to be taken for: it goes there and nowhere else.
        #[serde(default)]
        #[setters(into, strip_option)]
        pub targets: Option<TargetsSpec>,
        /// At how many points the segment from the image to what was found is searched in the end.
        #[serde(default = "published::final_search")]
        pub final_search: usize,
    }
}

published! {
    steps: usize = 100,
    target_classes: usize = 9,
    alpha_max: f64 = 0.1,
    eta: f64 = 1.05,
    beta: f64 = 0.9,
    final_search: usize = 3,
}

impl Fab {
    /// The attack for any norm with a [`Geometry`].
    pub fn new(norm: impl Into<NormSpec>) -> Self {
        Self {
            norm: norm.into(),
            epsilon: None,
            steps: published::steps(),
            target_classes: published::target_classes(),
            alpha_max: published::alpha_max(),
            eta: published::eta(),
            beta: published::beta(),
            targets: None,
            final_search: published::final_search(),
            predicted_labels: false,
        }
    }

    // Towards all classes, for the nearest image that fools; then what was found is brought nearer.
    fn all(&self, trial: &mut Trial) -> Result<()> {
        trial.offer_originals();
        let others = trial.classes() - 1;
        trial.exactly(|trial| {
            for rank in 0..self.ranks().min(others) {
                trial.survivors(|trial| self.walk(trial, rank))?;
            }
            refine(trial, self.final_search, None)
        })
    }

    // Towards how many classes it goes.
    fn ranks(&self) -> usize {
        match self.targets {
            Some(_) => 1,
            None => self.target_classes,
        }
    }

    // All steps towards the class of this rank, or the given one, for every image of the trial.
    fn walk(&self, trial: &mut Trial, rank: usize) -> Result<()> {
        let (geometry, ball) = (geometry(&self.norm)?, self.ball());
        let rows = Rows::new(trial);
        let target: Tensor<1, Int> = match &trial.reference().targets {
            Some(given) => given.clone(),
            None => likely(trial).narrow(1, rank, 1).squeeze_dim(1),
        };
        let labels = trial.reference().labels.clone();
        let lead = |logits| lead(logits, target.clone(), labels.clone());
        let mut point = self.start(trial, geometry, &rows);
        let at_image = trial.keys().draw == 0;
        for step in 0..self.steps {
            let (pass, gradient) = rows.gradient(trial, &point, lead)?;
            // The image itself has been offered.
            if step > 0 || !at_image {
                trial.offer_within(ball.as_ref(), pass.images, pass.logits.clone());
            }
            let fooled = trial.fooled_by(pass.logits);
            let tangent = Tangent {
                gap: rows.column(pass.loss.neg()),
                point: point.clone(),
                gradient,
            };
            let back = rows.origin.clone() + (point.clone() - rows.origin.clone()) * self.beta;
            let from = rows.either([point, back], &fooled);
            point = self.step(geometry, &rows, from, tangent);
        }
        rows.offer(trial, ball.as_ref(), &point)?;
        Ok(())
    }

    // Equations 7 to 9 of the paper, in one projection of twice as many points.
    fn step(
        &self,
        geometry: &dyn Geometry,
        rows: &Rows,
        from: Tensor<2>,
        tangent: Tangent,
    ) -> Tensor<2> {
        let count = from.dims()[0];
        let gaps = [&from, &rows.origin].map(|points| tangent.gap_at(points));
        let plane = Plane {
            normal: Tensor::cat(vec![tangent.gradient; 2], 0),
            gap: Tensor::cat(gaps.to_vec(), 0),
        };
        let points = Tensor::cat(vec![from.clone(), rows.origin.clone()], 0);
        let moves = geometry.onto(&points, &plane, rows.bounds);
        let lengths = geometry.row_lengths(moves.clone()).clamp_min(SHORTEST);
        let [own, clean] = [0, count].map(|at| moves.clone().narrow(0, at, count));
        let [near, far] = [0, count].map(|at| lengths.clone().narrow(0, at, count));
        let alpha = (near.clone() / (near + far)).clamp_max(self.alpha_max);
        let rest = alpha.clone().neg() + 1.0;
        let next =
            (from + own * self.eta) * rest + (rows.origin.clone() + clean * self.eta) * alpha;
        rows.bounds.clamp(next)
    }

    // At the image; in any draw but the first, at random around it.
    fn start(&self, trial: &mut Trial, geometry: &dyn Geometry, rows: &Rows) -> Tensor<2> {
        if trial.keys().draw == 0 {
            return rows.origin.clone();
        }
        let direction = trial.draw_pixels(Purpose::Start, |pixels, draws| {
            let direction = self.norm.draw(pixels, 1.0, draws);
            let length = self.norm.length(&direction);
            Vec::from_iter(direction.into_iter().map(|v| v / length))
        });
        let direction = Rows::rows(direction);
        let most = self.epsilon.unwrap_or(f64::INFINITY);
        let found = rows.column(trial.distances(&*self.norm));
        let unknown = found.clone().greater_elem(f32::MAX);
        let usual = self.epsilon.unwrap_or(geometry.usual_radius());
        let radius = found.mask_fill(unknown, usual).clamp_max(most) * 0.5;
        rows.bounds.clamp(rows.origin.clone() + direction * radius)
    }
}

// Moves count as this long at least, so that their shares are numbers: as published.
const SHORTEST: f32 = 1e-8;

distances!(Fab, targets);

impl Attack for Fab {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        in_turn(&self.parts(), trial)
    }

    // With a ball an image leaves when it is fooled; without one all go on to the end.
    fn parts(&self) -> Vec<Part<'_>> {
        if self.epsilon.is_none() {
            return vec![Part::new(self.to_string(), |trial| self.all(trial))];
        }
        let towards = |rank: usize| {
            let name = match self.targets {
                Some(_) => self.to_string(),
                None => format!("{self} towards {}", KthBest::new(rank + 1)),
            };
            let search = move |trial: &mut Trial| {
                trial.offer_originals();
                // Not those that are wrong as they are.
                trial.exactly(|trial| {
                    trial.survivors(|trial| {
                        self.walk(trial, rank)?;
                        refine(trial, self.final_search, self.ball().as_ref())
                    })
                })
            };
            Part::new(name, search).with_least_classes(rank + 2)
        };
        (0..self.ranks()).map(towards).collect()
    }

    /// # Errors
    ///
    /// [`Error::Setting`] if ε is negative or not finite in f32, if the norm has no geometry, if there
    /// is no class to go to, or if α_max, η or β is out of its range.
    fn check(&self) -> Result<()> {
        self.scope().check()?;
        let count = self.target_classes;
        Error::unless(count > 0, "target_classes", count, "at least 1")?;
        let share = |value: f64| (0.0..=1.0).contains(&value);
        let from_0_to_1 = "a number from 0 to 1";
        Error::unless(
            share(self.alpha_max),
            "alpha_max",
            self.alpha_max,
            from_0_to_1,
        )?;
        Error::unless(share(self.beta), "beta", self.beta, from_0_to_1)?;
        let beyond = self.eta >= 1.0 && self.eta.is_finite();
        Error::unless(beyond, "eta", self.eta, "a finite number, 1 or more")
    }

    fn cost(&self) -> Cost {
        let classes = self.ranks();
        Cost {
            // The clean pass; for each class the last point's, and one to be sure of what was found;
            // the final search, and the verdict.
            queries: 1 + classes * (self.steps + 2) + self.final_search + 1,
            gradients: classes * self.steps,
        }
    }

    in_scope!("fab");
}

impl fmt::Display for Fab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FAB-{}{}", self.steps, self.scope())
    }
}
