use crate::attack::rows::{either, rows_of_second};
use crate::attack::{Ascent, Candidate, FixedStep, Keep, Pass, Space, Trial};
use crate::base::Result;
use burn::tensor::Tensor;

/// The best point that each image has met on an ascent: one that fools before one that does not, then the
/// higher loss.
struct Summit {
    point: Tensor<2>,
    logits: Tensor<2>,
    // Below all others where the image could afford no pass.
    loss: Tensor<1>,
    // The passes that its image had cost when one first fooled.
    passes: Tensor<1>,
    // 1 for fooled, else 0.
    fooled: Tensor<1>,
}

impl Summit {
    fn of(trial: &Trial, point: &Tensor<2>, pass: &Pass) -> Self {
        let fooled = trial.fooled_by(pass.logits.clone()).float();
        let mut fooled = fooled.cast(pass.loss.dtype());
        let mut loss = pass.loss.clone();
        let (passes, out) = trial.spent_by_now();
        if let Some(out) = out.map(|out| out.greater_elem(0.5)) {
            loss = loss.mask_fill(out.clone(), f32::MIN);
            fooled = fooled.mask_fill(out, 0.0);
        }
        Self {
            point: point.clone(),
            logits: pass.logits.clone(),
            loss,
            passes,
            fooled,
        }
    }

    fn meet(self, other: Self) -> Self {
        let newly = other.fooled.clone().greater(self.fooled.clone());
        let alike = other.fooled.clone().equal(self.fooled.clone());
        let higher = other.loss.clone().greater(self.loss.clone());
        let taken = newly.clone().bool_or(alike.bool_and(higher));
        let rows = rows_of_second(&taken);
        Self {
            point: either([self.point, other.point], &rows),
            logits: either([self.logits, other.logits], &rows),
            passes: self.passes.mask_where(newly.clone(), other.passes),
            loss: self.loss.mask_where(taken.clone(), other.loss),
            fooled: self.fooled.mask_where(taken, other.fooled),
        }
    }
}

/// Climbs from `start` by so many steps of one length, and offers the candidates at the best points and
/// where the last step leads.
///
/// # Errors
///
/// As [`Trial::gradient`]; what was found until then has been offered.
pub(super) fn search(
    trial: &mut Trial,
    space: &dyn Space,
    start: Tensor<2>,
    steps: (usize, f64),
    at: impl Fn(&Trial, &Tensor<2>) -> Candidate,
) -> Result<()> {
    let (best, last) = climb(trial, space, start, steps);
    if let Some(best) = best {
        let candidate = at(trial, &best.point);
        trial.offer_searched(candidate, best.logits, best.loss, best.passes);
        // The image made anew must fool, too, or else what comes is compared with nothing.
        trial.standing();
    }
    let last = last?;
    let candidate = at(trial, &last);
    let logits = trial.logits(candidate.images.clone())?;
    trial.offer_exact(candidate, logits);
    Ok(())
}

/// Climbs from `start` by steps of one length and offers nothing. Returns the best points that a pass
/// has seen, if any has, and where the last step leads, or the error of [`Trial::gradient`] that ended it.
fn climb(
    trial: &mut Trial,
    space: &dyn Space,
    start: Tensor<2>,
    (steps, length): (usize, f64),
) -> (Option<Summit>, Result<Tensor<2>>) {
    let mut best: Option<Summit> = None;
    let ascent = Ascent {
        space,
        loss: None,
        steps,
        keep: Keep::Best,
    };
    let last = ascent.go(
        trial,
        start,
        &mut FixedStep(length),
        |trial, point, pass| {
            let here = Summit::of(trial, point, pass);
            best = Some(match best.take() {
                None => here,
                Some(best) => best.meet(here),
            });
        },
    );
    (best, last)
}
