use super::alike::{aims, balls, in_ball};
use super::ball::check_length;
use super::label::Short;
use super::settings::{climbing, published};
use super::{Ascent, Attack, Ball, Cost, Keep, LossSpec, NormSpec, PixelSpace, Space, Trial};
use crate::base::{Error, Result};
use std::fmt;

climbing! {
    /// Auto-PGD: projected gradient descent with momentum that finds its own step sizes.
    ///
    /// Steps start at 2ε; at checkpoints that come closer and closer, an image whose loss has risen too
    /// seldom halves its step and goes on from its best point. Nothing but the number of steps is left to
    /// choose, and with more of them it finds more. (F. Croce, M. Hein 2020, "Reliable evaluation of
    /// adversarial robustness with an ensemble of diverse parameter-free attacks", algorithm 1.)
    ///
    /// In L1 it takes other steps, on ever fewer pixels: [`SparseStep`](super::SparseStep). There it is
    /// published with [larger radii](Self::larger_radii) at first, three times ε and twice.
    ///
    /// Defaults: 100 steps, a random start, cross-entropy, true labels. Of all points visited the best is
    /// returned, as with [`Pgd`](super::Pgd). The projection is the one onto ball *and* bounds.
    ///
    /// # Errors
    ///
    /// Those of [`Attack::attack`].
    ///
    /// ```
    /// use fireproof::attack::{Apgd, Attack, Dlr};
    ///
    /// let attack = Apgd::linf(8.0 / 255.0).with_loss(Dlr).restarts(5);
    /// assert_eq!(attack.to_string(), "APGD-100 L∞ ε=8/255, DLR loss ×5");
    /// ```
    pub struct Apgd {
        /// How many steps it takes; none returns the start.
        #[serde(default = "published::steps")]
        pub steps: usize,
        /// Radii that it begins with, in units of ε and each for three tenths of the steps: from the highest
        /// point found in one of these balls it goes on in the next smaller one. What it finds outside its
        /// own ball counts for nothing.
        ///
        /// (F. Croce, M. Hein 2021, "Mind the box: l₁-APGD for sparse adversarial attacks on image
        /// classifiers", section 3.3, with `[3, 2]`.)
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[setters(into)]
        pub larger_radii: Vec<f64>,
        /// Whether it starts at a random point of the ball, and not at the image itself.
        #[serde(default = "published::random_start")]
        pub random_start: bool,
    }
}

published! {
    steps: usize = 100,
    random_start: bool = true,
}

impl Apgd {
    /// The attack within a ball of any norm, by its [rule](super::Norm::rule).
    pub fn new(norm: impl Into<NormSpec>, epsilon: f64) -> Self {
        Self {
            norm: norm.into(),
            epsilon,
            steps: published::steps(),
            larger_radii: Vec::new(),
            random_start: published::random_start(),
            loss: LossSpec::default(),
            targets: None,
            predicted_labels: false,
        }
    }
}

// The part of the steps that each larger radius has.
const LARGER_SHARE: f64 = 0.3;

impl Apgd {
    fn space(&self, factor: f64) -> PixelSpace {
        PixelSpace(Ball::new(self.norm.clone(), factor * self.epsilon))
    }
}

balls!(Apgd);

impl Attack for Apgd {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        trial.climb(&self.loss, |trial| {
            if self.random_start {
                trial.offer_originals();
            }
            let larger = self.larger_radii.iter().copied();
            let spaces = larger.chain([1.0]).map(|factor| self.space(factor));
            let spaces = Vec::from_iter(spaces);
            let mut point = spaces[0].start(trial, self.random_start);
            let mut left = self.steps;
            let ascent = |space, steps| Ascent {
                space,
                loss: None,
                steps,
                keep: Keep::Best,
            };
            for pair in spaces.windows(2) {
                let [space, smaller] = [&pair[0], &pair[1]];
                let steps = ((LARGER_SHARE * self.steps as f64).ceil() as usize).min(left);
                left -= steps;
                let mut rule = self.norm.rule(steps, space.0.epsilon);
                let highest = ascent(space, steps).highest(trial, point, &mut *rule)?;
                point = smaller.project(trial, highest);
            }
            let mut rule = self.norm.rule(left, self.epsilon);
            let space = spaces.last().expect("its own ball");
            ascent(space, left).climb(trial, point, &mut *rule)
        })
    }

    /// # Errors
    ///
    /// [`Error::Setting`](crate::base::Error::Setting) if ε is negative or not finite in f32, and
    /// for larger radii that do not fall.
    fn check(&self) -> Result<()> {
        let falling = self.larger_radii.is_sorted_by(|a, b| a > b);
        let valid = falling && self.larger_radii.iter().all(|&f| f > 1.0 && f < 1e6);
        let (found, expected) = (&self.larger_radii, "at most three falling numbers above 1");
        let few = self.larger_radii.len() <= 3;
        Error::unless(
            few && valid,
            "larger_radii",
            format_args!("{found:?}"),
            expected,
        )?;
        check_length("epsilon", self.epsilon)
    }

    fn cost(&self) -> Cost {
        Cost {
            // The clean pass, the last point's and the verdict's.
            queries: self.steps + 3,
            gradients: self.steps,
        }
    }

    fn is_random(&self) -> bool {
        self.random_start
    }

    aims!();

    in_ball!("apgd");
}

impl fmt::Display for Apgd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (norm, epsilon) = (&self.norm, Short(self.epsilon));
        write!(f, "APGD-{} {norm} ε={epsilon}", self.steps)?;
        if let [first, ..] = &self.larger_radii[..] {
            write!(f, " from {}ε", Short(*first))?;
        }
        if !self.random_start {
            f.write_str(", no random start")?;
        }
        self.goal().fmt(f)
    }
}
