//! The square attack. In which way squares change an image is a norm's [`Squares`].

mod judged;
mod pattern;
mod place;
mod schedule;
mod search;
mod stripes;
mod windows;

pub(super) use stripes::Stripes;
pub(super) use windows::Windows;

use super::alike::{balls, in_ball};
use super::ball::check_length;
use super::label::Short;
use super::{
    Attack, Ball, Cost, CrossEntropy, Goal, L1, Limits, LossSpec, Margin, NormSpec, TargetsSpec,
    Trial,
};
use crate::attack::settings::published;
use crate::base::{Draws, Error, Result};
use burn::tensor::Tensor;
use derive_setters::Setters;
use schedule::Schedule;
use search::Search;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The square attack: a random search that changes one square of the image at a time and keeps
/// what raises the loss. It needs no gradient, only logits, so it is not misled by those that are
/// masked, and attacks what cannot be differentiated.
///
/// (M. Andriushchenko, F. Croce, N. Flammarion, M. Hein 2020, "Square Attack: a query-efficient
/// black-box adversarial attack via random search", algorithms 1 to 3; in L1 as in F. Croce, M. Hein
/// 2021, "Mind the box: l₁-APGD for sparse adversarial attacks on image classifiers", section 4.)
///
/// Defaults: 5,000 queries, squares of 80 % of the image at first, the margin loss (cross-entropy
/// towards targets), true labels: those of AutoAttack.
///
/// # The search
///
/// It begins with vertical stripes in L∞ and with a grid of small patterns in L2 and L1. The square's
/// part of the image is halved after 10, 50, 200, 500, 1,000, 2,000, 4,000, 6,000 and 8,000 squares,
/// whatever the number of queries is, unless the schedule is
/// [rescaled](Self::with_rescaled_schedule). An image leaves the search as soon as it fools; one that
/// fools as it is never enters it. More queries never help the classifier. A candidate that is equal to the
/// best one, or to one that was judged since that was found, costs no pass.
///
/// Of a classifier on the CPU that has [`Stages`](crate::base::Stages), as this crate's networks for digits
/// do, a query with a small square computes only what sees the square. Logits are the same, to the bit, and
/// the query counts as a pass.
///
/// Every image has its own squares, drawn for its id: published code draws one place for the whole
/// batch, so that what it finds for an image depends on the others. Places are drawn from all that the
/// image has, as in the paper; that code never draws the last row and column.
///
/// # Errors
///
/// Those of [`Attack::attack`].
///
/// ```
/// use fireproof::attack::{Attack, Pgd, Square};
///
/// let attack = Square::linf(8.0 / 255.0).with_queries(1000).with_rescaled_schedule(true);
/// assert_eq!(attack.to_string(), "Square-1000 L∞ ε=8/255, rescaled schedule");
/// let worst = Pgd::l2(0.5).or(Square::l2(0.5));
/// assert_eq!(worst.to_string(), "PGD-10 L2 ε=0.5 step=0.125 or Square-5000 L2 ε=0.5");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct Square {
    /// The norm of the ball; one that has [squares](super::Norm::squares).
    #[setters(into)]
    pub norm: NormSpec,
    /// The radius of the ball, in units of the pixels.
    pub epsilon: f64,
    /// How many candidates it tries on an image at most, each by one forward pass unless it is known: the
    /// start, and one square after the other.
    #[serde(default = "published::queries")]
    pub queries: usize,
    /// The part of the image that the first squares cover, from 0 to 1.
    #[serde(default = "published::p_init")]
    pub p_init: f64,
    /// Whether the schedule of the part is for as many squares as there are queries, and not for
    /// 10,000.
    #[serde(default)]
    pub rescaled_schedule: bool,
    /// What it raises, if other than the margin (towards targets: cross-entropy).
    #[serde(default)]
    #[setters(into, strip_option)]
    pub loss: Option<LossSpec>,
    /// The classes that images are to be taken for; without them, any class but the label.
    #[serde(default)]
    #[setters(into, strip_option)]
    pub targets: Option<TargetsSpec>,
    /// Whether it is against the classifier's own clean predictions instead of the labels: `fooled`
    /// then means that the attack changed the prediction.
    #[serde(default)]
    pub predicted_labels: bool,
}

/// How a [`Square`] attack changes images in a norm.
///
/// Object-safe. A norm with [`Norm::squares`](super::Norm::squares) can be searched so. What an image
/// becomes may depend on its own row of the tensors and its own draws alone.
pub trait Squares: fmt::Debug + Send + Sync {
    /// Where the search begins: images within the limits. `draws` are those of each image.
    fn start(&self, within: Limits, draws: &mut [Draws]) -> Tensor<4>;

    /// The images with one square changed that covers about this part of each, within the limits.
    fn change(&self, images: Tensor<4>, part: f64, to: Limits, draws: &mut [Draws]) -> Tensor<4>;
}

published! {
    queries: usize = 5000,
    p_init: f64 = 0.8,
}

impl Square {
    /// The attack within a ball of any norm that has [squares](super::Norm::squares).
    pub fn new(norm: impl Into<NormSpec>, epsilon: f64) -> Self {
        Self {
            norm: norm.into(),
            epsilon,
            queries: published::queries(),
            p_init: published::p_init(),
            rescaled_schedule: false,
            loss: None,
            targets: None,
            predicted_labels: false,
        }
    }

    fn squares(&self) -> Result<&dyn Squares> {
        let expected = "L∞, L2, L1 or another norm that says how squares change images in it \
                        (`Norm::squares`)";
        (self.norm.squares())
            .ok_or_else(|| Error::setting("norm of a square attack", &self.norm, expected))
    }
}

balls!(Square);

impl Attack for Square {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        let search = Search {
            ball: Ball::new(self.norm.clone(), self.epsilon),
            squares: self.squares()?,
            loss: self.goal().loss,
            queries: self.queries,
            schedule: Schedule {
                first: self.p_init,
                length: self.rescaled_schedule.then_some(self.queries),
            },
        };
        trial.offer_originals();
        trial.survivors(|trial| search.run(trial))
    }

    fn goal(&self) -> Goal {
        let published = || match self.targets {
            Some(_) => CrossEntropy.into(),
            None => Margin.into(),
        };
        Goal {
            loss: self.loss.clone().unwrap_or_else(published),
            targets: self.targets.clone(),
            predicted_labels: self.predicted_labels,
            ..Goal::default()
        }
    }

    /// # Errors
    ///
    /// [`Error::Setting`] if ε is negative or not finite in f32, if there is no query, if the part of
    /// the image is not above 0 and at most 1, and for a norm without [squares](super::Norm::squares).
    fn check(&self) -> Result<()> {
        check_length("epsilon", self.epsilon)?;
        Error::unless(self.queries > 0, "queries", self.queries, "at least 1")?;
        let part = self.p_init > 0.0 && self.p_init <= 1.0;
        let expected = "a part of the image, above 0 and at most 1";
        Error::unless(part, "p_init", self.p_init, expected)?;
        self.squares().map(|_| ())
    }

    fn cost(&self) -> Cost {
        Cost {
            // The clean pass and, where settling changes an image, the verdict's.
            queries: self.queries + 2,
            gradients: 0,
        }
    }

    in_ball!("square");
}

impl fmt::Display for Square {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (norm, epsilon) = (&self.norm, Short(self.epsilon));
        write!(f, "Square-{} {norm} ε={epsilon}", self.queries)?;
        if self.p_init != published::p_init() {
            write!(f, ", p={}", Short(self.p_init))?;
        }
        if self.rescaled_schedule {
            f.write_str(", rescaled schedule")?;
        }
        if let Some(loss) = &self.loss {
            write!(f, ", {loss} loss")?;
        }
        // The loss has been said where it is not the published one.
        let unsaid = Goal {
            loss: LossSpec::default(),
            ..self.goal()
        };
        unsaid.fmt(f)
    }
}
