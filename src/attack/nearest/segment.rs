use super::walk::Rows;
use crate::attack::{Ball, Loss, Margin, Trial};
use crate::base::{Precision, Result};

/// Looks for where the segment from each image to its nearest candidate so far comes to fool, and
/// offers what it meets on the way: so many points for each image, each an exact forward pass.
///
/// By false position on the margin, which on a linear model is there at once. (F. Croce, M. Hein
/// 2020, "Minimally distorted adversarial examples with a fast adaptive boundary attack", section
/// 3.3, "final search".)
pub(super) fn refine(trial: &mut Trial, steps: usize, ball: Option<&Ball>) -> Result<()> {
    if steps == 0 {
        return Ok(());
    }
    let positions = trial.fooled_farther();
    trial.part(&positions, |trial| {
        let rows = Rows::new(trial);
        let Some((best, logits)) = trial.best_logits() else {
            return Ok(());
        };
        let way = Rows::rows(best.images) - rows.origin.clone();
        let unit = Precision::of_type(trial.originals().dtype()).map_or(0.0, Precision::epsilon);
        // A hair behind the boundary, where rounding still tells the sides apart.
        let beyond = 2.0 * unit.powf(0.75);
        let clean = trial.clean();
        let margin =
            |trial: &Trial, logits| rows.column(Margin.per_image(logits, trial.reference()));
        let mut standing = margin(trial, clean);
        let mut fooling = margin(trial, logits);
        let (mut low, mut high) = (fooling.zeros_like(), fooling.ones_like());
        for _ in 0..steps {
            let rise = fooling.clone() - standing.clone();
            let share = standing.clone().neg() / rise;
            // Margins may be infinite or NaN, where a half is as good.
            let sound = (share.clone().is_finite()).bool_and(share.clone().greater_elem(0.0));
            let share = share.mask_fill(sound.bool_not(), 0.5).clamp_max(1.0);
            let at = low.clone() + (high.clone() - low.clone()) * share + beyond;
            let at = at.min_pair(high.clone());
            let point = rows.origin.clone() + way.clone() * at.clone();
            let logits = rows.offer(trial, ball, &rows.bounds.clamp(point))?;
            let fooled = trial.fooled_by(logits.clone());
            let met = margin(trial, logits);
            low = rows.either([at.clone(), low], &fooled);
            standing = rows.either([met.clone(), standing], &fooled);
            high = rows.either([high, at], &fooled);
            fooling = rows.either([fooling, met], &fooled);
        }
        Ok(())
    })
}
