use crate::attack::rows::{either, rows_of_second};
use crate::attack::{Ascent, FixedStep, Keep, Pass, Space, Trial};
use crate::base::Result;
use burn::tensor::Tensor;

/// The best point that each image has met on an ascent: one that fools before one that does not, then the
/// higher loss.
struct Summit {
    point: Tensor<2>,
    loss: Tensor<1>,
    // 1 for fooled, else 0.
    fooled: Tensor<1>,
}

impl Summit {
    fn of(trial: &Trial, point: &Tensor<2>, pass: &Pass) -> Self {
        let fooled = trial.fooled_by(pass.logits.clone()).float();
        Self {
            point: point.clone(),
            loss: pass.loss.clone(),
            fooled: fooled.cast(pass.loss.dtype()),
        }
    }

    fn meet(self, other: Self) -> Self {
        let newly = other.fooled.clone().greater(self.fooled.clone());
        let alike = other.fooled.clone().equal(self.fooled.clone());
        let higher = other.loss.clone().greater(self.loss.clone());
        let taken = newly.bool_or(alike.bool_and(higher));
        let rows = rows_of_second(&taken);
        Self {
            point: either([self.point, other.point], &rows),
            loss: self.loss.mask_where(taken.clone(), other.loss),
            fooled: self.fooled.mask_where(taken, other.fooled),
        }
    }
}

/// Climbs from `start` by steps of one length and offers nothing. Returns the best points that a pass
/// has seen, if any has, and where the last step leads.
///
/// # Errors
///
/// As [`Trial::gradient`].
pub(super) fn climb(
    trial: &mut Trial,
    space: &dyn Space,
    start: Tensor<2>,
    steps: usize,
    length: f64,
) -> Result<Vec<Tensor<2>>> {
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
    )?;
    let best = best.map(|best| best.point);
    Ok(best.into_iter().chain([last]).collect())
}
