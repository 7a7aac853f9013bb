use super::adam::Adam;
use super::constant::Constant;
use super::scope::{Scope, check_positive};
use super::tanh::Tanh;
use super::walk::{Rows, from_the_right};
use crate::attack::alike::walks;
use crate::attack::rows::{positions, select};
use crate::attack::settings::{nearest, published};
use crate::attack::{Attack, L2, Loss, Margin, Trial};
use crate::base::{Error, Result, read};
use burn::tensor::{Tensor, TensorData};
use std::fmt;

nearest! {
    /// The attack of Carlini and Wagner in L2: makes `‖δ‖² + c·max(max_{j≠y}(z_y - z_j), 0)` small by Adam,
    /// in a variable whose tanh is the pixel, and looks for the smallest c at which that fools.
    ///
    /// (N. Carlini, D. Wagner 2017, "Towards Evaluating the Robustness of Neural Networks", section V.A,
    /// with the function f₆ and no confidence.)
    ///
    /// Defaults, as published: 9 values of c from 0.001 on, tenfold until the image fools and then halving
    /// the interval; for each 10,000 steps at a rate of 0.01, of which every tenth part ends for an image
    /// whose objective has not fallen by a ten-thousandth. That is much more than other attacks take;
    /// [`with_steps`](Self::with_steps) says less. It starts at the image and draws nothing. One forward and
    /// one backward pass a step, all [exact](crate::kernel::Numerics::Exact); ε as with
    /// [`Fab`](super::Fab). It needs bounds, as tanh has them.
    ///
    /// # Errors
    ///
    /// Those of [`Attack::attack`]; [`Error::Setting`] for a batch whose bounds are not finite.
    ///
    /// ```
    /// use fireproof::attack::{Attack, CarliniWagner};
    ///
    /// let attack = CarliniWagner::new().with_steps(200).with_searches(5);
    /// assert_eq!(attack.to_string(), "CW-5×200 L2");
    /// ```
    pub struct CarliniWagner {
        /// How many values of c are tried.
        #[serde(default = "published::searches")]
        pub searches: usize,
        /// How many steps each value gets at most.
        #[serde(default = "published::steps")]
        pub steps: usize,
        /// Adam's rate.
        #[serde(default = "published::rate")]
        pub rate: f64,
        /// The first c.
        #[serde(default = "published::first_constant")]
        pub first_constant: f64,
        /// Whether an image whose objective no longer falls leaves the rest of the steps out.
        #[serde(default = "published::abort_early")]
        pub abort_early: bool,
    }
}

published! {
    searches: usize = 9,
    steps: usize = 10_000,
    rate: f64 = 0.01,
    first_constant: f64 = 1e-3,
    abort_early: bool = true,
}

impl Default for CarliniWagner {
    fn default() -> Self {
        Self::new()
    }
}

impl CarliniWagner {
    /// The attack with the published settings.
    #[doc(alias = "CW")]
    pub fn new() -> Self {
        Self {
            epsilon: None,
            searches: published::searches(),
            steps: published::steps(),
            rate: published::rate(),
            first_constant: published::first_constant(),
            abort_early: published::abort_early(),
            predicted_labels: false,
        }
    }

    fn scope(&self) -> Scope {
        Scope::new(L2.into(), self.epsilon, self.predicted_labels)
    }

    // For each image the search for its c.
    fn walk(&self, trial: &mut Trial) -> Result<()> {
        let count = trial.len();
        let mut constants = vec![Constant::first(self.first_constant); count];
        for _ in 0..self.searches {
            let rows = Rows::new(trial);
            let values = Vec::from_iter(constants.iter().map(|constant| constant.value));
            let like = (&rows.origin.device(), rows.origin.dtype());
            let constant = Tensor::from_data(TensorData::new(values, [count, 1]), like);
            let free = Tanh::new(&rows).free(rows.origin.clone());
            let descent = Descent {
                adam: Adam::new(&free),
                free,
                constant,
                before: None,
                step: 0,
            };
            let mut fooled = vec![false; count];
            self.descend(trial, descent, &mut fooled)?;
            for (constant, fooled) in constants.iter_mut().zip(fooled) {
                constant.go_on(fooled);
            }
        }
        Ok(())
    }

    // The steps of a descent that are left. Tells which images fooled on the way.
    fn descend(&self, trial: &mut Trial, descent: Descent, fooled: &mut [bool]) -> Result<()> {
        let (rows, ball) = (Rows::new(trial), self.ball());
        let (tanh, reference) = (Tanh::new(&rows), trial.reference().clone());
        let Descent {
            mut free,
            mut adam,
            constant,
            before,
            mut step,
        } = descent;
        // The images as tanh has them: on the edge of bounds a little within.
        let origin = tanh.pixels(tanh.free(rows.origin.clone()));
        let part = self.steps.div_ceil(10);
        let mut ever = constant.zeros_like().squeeze_dim::<1>(1);
        let objective = loop {
            let point = rows.bounds.clamp(tanh.pixels(free.clone()));
            let (pass, gradient) =
                rows.gradient(trial, &point, |logits| Margin.per_image(logits, &reference))?;
            trial.offer_within(ball.as_ref(), pass.images, pass.logits.clone());
            let now = trial.fooled_by(pass.logits).float().cast(ever.dtype());
            ever = ever.max_pair(now);
            let (behind, way) = (rows.column(pass.loss.neg()), point - origin.clone());
            let objective =
                behind.clone().clamp_min(0.0) * constant.clone() + way.clone().square().sum_dim(1);
            let open = behind.greater_elem(0.0).float().cast(constant.dtype());
            let slope = way * 2.0 - gradient * (constant.clone() * open);
            free = free.clone() + adam.step(slope * tanh.slope(free), self.rate);
            step += 1;
            if step == self.steps || (self.abort_early && (step - 1) % part == 0) {
                break objective;
            }
        };
        let stalled = match &before {
            Some(before) => objective.clone().greater(before.clone() * STILL_FALLING),
            None => objective.clone().is_finite().bool_not(),
        };
        let flags = Tensor::cat(
            vec![ever, stalled.float().cast(constant.dtype()).squeeze_dim(1)],
            0,
        );
        let flags: Vec<f32> = read(&flags);
        let (ever, stalled) = flags.split_at(fooled.len());
        for (fooled, &ever) in fooled.iter_mut().zip(ever) {
            *fooled |= ever > 0.0;
        }
        if step == self.steps {
            return Ok(());
        }
        let going = positions(stalled, |stalled| stalled == 0.0);
        let descent = Descent {
            free: select(&free, &going),
            adam: adam.select(&going),
            constant: select(&constant, &going),
            before: Some(select(&objective, &going)),
            step,
        };
        let mut of_going = Vec::from_iter(going.iter().map(|&at| fooled[at]));
        trial.part(&going, |trial| self.descend(trial, descent, &mut of_going))?;
        for (&at, now) in going.iter().zip(of_going) {
            fooled[at] = now;
        }
        Ok(())
    }
}

// An objective that is no more than this share of what it was still falls.
const STILL_FALLING: f64 = 0.9999;

// Where Adam stands.
struct Descent {
    // The variable whose tanh is the pixel.
    free: Tensor<2>,
    adam: Adam,
    constant: Tensor<2>,
    // The objective when it was last looked at.
    before: Option<Tensor<2>>,
    step: usize,
}

impl Attack for CarliniWagner {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        let bounds = trial.bounds();
        let found = format_args!("[{}, {}]", bounds.low(), bounds.high());
        let finite = bounds.low().is_finite() && bounds.high().is_finite();
        Error::unless(finite, "bounds", found, "finite ones")?;
        from_the_right(trial, |trial| self.walk(trial))
    }

    /// # Errors
    ///
    /// [`Error::Setting`] if ε is negative or not finite in f32, if there is no step or no value of c,
    /// or if the rate or the first c is not positive.
    fn check(&self) -> Result<()> {
        self.scope().check()?;
        Error::unless(self.steps > 0, "steps", self.steps, "at least 1")?;
        Error::unless(self.searches > 0, "searches", self.searches, "at least 1")?;
        check_positive("rate", self.rate)?;
        check_positive("first_constant", self.first_constant)
    }

    // The clean pass, one to be sure of what was found, and the verdict's.
    walks!("carlini_wagner", |attack| attack.searches * attack.steps, 3);
}

impl fmt::Display for CarliniWagner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CW-{}×{}", self.searches, self.steps)?;
        self.scope().fmt(f)
    }
}
