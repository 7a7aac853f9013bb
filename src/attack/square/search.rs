use super::schedule::Schedule;
use super::{Limits, Squares};
use crate::attack::goal::{fooled, predicted_classes};
use crate::attack::rows::{either, positions, rows_of_second, select};
use crate::attack::{Ball, LossSpec, Reference, Trial};
use crate::base::{Bounds, Draws, Precision, Purpose, Result, indices, read};
use burn::tensor::Tensor;

/// The random search, on the images of a trial that nothing has fooled yet.
pub(super) struct Search<'a> {
    pub ball: Ball,
    pub squares: &'a dyn Squares,
    pub loss: LossSpec,
    pub queries: usize,
    pub schedule: Schedule,
}

// The images that the search still works on; tensors of a row for each.
struct Standing {
    // In the trial.
    positions: Vec<usize>,
    draws: Vec<Draws>,
    originals: Tensor<4>,
    reference: Reference,
    // Of each the best candidate so far: none before the first.
    best: Option<Met>,
}

// Candidates and what a pass has said of them.
struct Met {
    images: Tensor<4>,
    logits: Tensor<2>,
    loss: Tensor<1>,
}

impl Search<'_> {
    /// Searches, and offers the trial each image's last candidate. One vector of flags is read at
    /// each query.
    ///
    /// # Errors
    ///
    /// [`Error::Budget`](crate::base::Error::Budget), with what was found until then offered.
    pub fn run(&self, trial: &mut Trial) -> Result<()> {
        let mut standing = self.all(trial);
        let epsilon = self.radius(trial);
        let mut fallen = Vec::new();
        let mut end = Ok(());
        for query in 0..self.queries {
            let within = Limits {
                originals: &standing.originals,
                epsilon,
                bounds: trial.bounds(),
            };
            let mut images = match &standing.best {
                None => self.squares.start(within, &mut standing.draws),
                Some(best) => {
                    let part = self.schedule.part(query - 1);
                    let images = best.images.clone();
                    (self.squares).change(images, part, within, &mut standing.draws)
                }
            };
            let mut logits = match trial.logits_at(&standing.positions, images.clone()) {
                Ok(logits) => logits,
                Err(error) => {
                    end = Err(error);
                    break;
                }
            };
            // Whoever could not afford that query keeps what was best before.
            let paid = |&row: &usize| trial.affords(standing.positions[row]);
            let (kept, broke): (Vec<_>, Vec<_>) = (0..standing.positions.len()).partition(paid);
            if !broke.is_empty() {
                fallen.push(standing.part(&broke));
                standing = standing.part(&kept);
                images = select(&images, &kept);
                logits = select(&logits, &kept);
            }
            let loss = self.loss.unsaturated(logits.clone(), &standing.reference);
            let fooled = fooled(predicted_classes(logits.clone()), &standing.reference).float();
            let fools: Vec<f32> = read(&fooled);
            let met = Met {
                images,
                logits,
                loss,
            };
            standing.best = Some(match standing.best.take() {
                None => met,
                Some(best) => best.meet(met, fooled),
            });
            let falling = positions(&fools, |fools| fools > 0.0);
            if !falling.is_empty() {
                fallen.push(standing.part(&falling));
                standing = standing.part(&positions(&fools, |fools| fools == 0.0));
            }
            if standing.positions.is_empty() {
                break;
            }
        }
        fallen.push(standing);
        offer(fallen, trial)?;
        end
    }

    fn all(&self, trial: &mut Trial) -> Standing {
        let mut reference = trial.reference().clone();
        if self.loss.wants_clean() {
            reference = reference.with_clean(trial.clean());
        }
        let positions = Vec::from_iter(0..trial.len());
        let draws = |&at: &usize| trial.keys().draws(Purpose::Search, at);
        Standing {
            draws: positions.iter().map(draws).collect(),
            positions,
            originals: trial.originals().clone(),
            reference,
            best: None,
        }
    }

    // A little less than the ball's where pixels round to outside of it, so that what fools in the
    // search does so in the end: all of them away from the original, by half of the distance of
    // neighbouring numbers. Not more than a hundredth, of which coarse types need several.
    fn radius(&self, trial: &Trial) -> f64 {
        let Ball { norm, epsilon } = &self.ball;
        if !norm.settles() {
            return *epsilon;
        }
        let originals = trial.originals();
        let unit = Precision::of_type(originals.dtype()).map_or(0.0, Precision::epsilon);
        let pixels = originals.dims()[1..].iter().product();
        let rounding = norm.length(&vec![unit / 2.0 * largest(trial.bounds()); pixels]);
        epsilon - rounding.min(epsilon / 100.0)
    }
}

// The largest magnitude of valid pixels; without bounds, what tolerances take for it.
fn largest(bounds: Bounds) -> f64 {
    match bounds == Bounds::none() {
        true => 1.0,
        false => f64::from(bounds.low().abs().max(bounds.high().abs())),
    }
}

impl Met {
    // Takes over what fools, or has a higher loss.
    fn meet(self, other: Self, fooled: Tensor<1>) -> Self {
        let higher = other.loss.clone().greater(self.loss.clone());
        let taken = higher.bool_or(fooled.greater_elem(0.5));
        let rows = rows_of_second(&taken);
        Self {
            images: either([self.images, other.images], &rows),
            logits: either([self.logits, other.logits], &rows),
            loss: self.loss.mask_where(taken, other.loss),
        }
    }

    fn select(&self, rows: &[usize]) -> Self {
        Self {
            images: select(&self.images, rows),
            logits: select(&self.logits, rows),
            loss: select(&self.loss, rows),
        }
    }
}

impl Standing {
    // What is known of these rows.
    fn part(&self, rows: &[usize]) -> Self {
        let at = indices(rows.iter().copied(), &self.originals.device());
        Self {
            positions: rows.iter().map(|&row| self.positions[row]).collect(),
            draws: rows.iter().map(|&row| self.draws[row].clone()).collect(),
            originals: select(&self.originals, rows),
            reference: self.reference.select(&at),
            best: self.best.as_ref().map(|best| best.select(rows)),
        }
    }
}

// For every image that could afford a query the best one, in the trial's order.
fn offer(parts: Vec<Standing>, trial: &mut Trial) -> Result<()> {
    let met = parts.into_iter().filter_map(|part| {
        let Standing {
            positions, best, ..
        } = part;
        best.map(|best| (positions, (best.images, best.logits)))
    });
    let (positions, met): (Vec<_>, Vec<_>) = met.unzip();
    let (images, logits): (Vec<_>, Vec<_>) = met.into_iter().unzip();
    let positions: Vec<usize> = positions.concat();
    if positions.is_empty() {
        return Ok(());
    }
    let mut order = Vec::from_iter(0..positions.len());
    order.sort_unstable_by_key(|&row| positions[row]);
    let images = select(&Tensor::cat(images, 0), &order);
    let logits = select(&Tensor::cat(logits, 0), &order);
    let positions = Vec::from_iter(order.into_iter().map(|row| positions[row]));
    trial.part(&positions, |trial| {
        trial.offer_found(images, logits);
        Ok(())
    })
}
