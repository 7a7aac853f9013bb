use super::judged::Judged;
use super::schedule::Schedule;
use super::{Limits, Squares};
use crate::attack::frozen::{Changes, Known};
use crate::attack::goal::{fooled, predicted_classes};
use crate::attack::rows::{each, positions, replace, select};
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
    judged: Judged,
    // Of each the best candidate so far: none before the first.
    best: Option<Met>,
    // The best ones as the victim's stages see them, where it has any.
    known: Option<Known>,
}

// Candidates and what a pass has said of them.
struct Met {
    images: Tensor<4>,
    logits: Tensor<2>,
    loss: Tensor<1>,
}

impl Search<'_> {
    /// Searches, and offers the trial each image's last candidate. At each query the candidates are
    /// read, to see which of them are not [judged](Judged) yet, and two flags of those; where the victim has
    /// stages, on the CPU, what these make of them, too.
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
            let images = match &standing.best {
                None => self.squares.start(within, &mut standing.draws),
                Some(best) => {
                    let part = self.schedule.part(query - 1);
                    let images = best.images.clone();
                    (self.squares).change(images, part, within, &mut standing.draws)
                }
            };
            let mut rows = standing.judged.unknown(&images);
            if rows.is_empty() {
                continue;
            }
            let mut images = select(&images, &rows);
            let asked = each(&standing.positions, &rows);
            let near = standing.known.as_mut().map(|known| (known, &rows[..]));
            let drafted = trial.draft_near(&asked, images.clone(), near);
            let (mut logits, changes) = match drafted {
                Ok((logits, changes)) => (Ok(logits), changes),
                Err(error) => (Err(error), None),
            };
            // The candidates' own rows.
            let mut at = Vec::from_iter(0..rows.len());
            // Whoever could not afford that query keeps what was best before.
            let paid = Vec::from_iter(asked.iter().map(|&at| trial.affords(at)));
            if paid.contains(&false) {
                let kept = Vec::from_iter((0..rows.len()).filter(|&at| paid[at]));
                let broke = (0..rows.len()).filter(|&at| !paid[at]);
                let broke = Vec::from_iter(broke.map(|at| rows[at]));
                let asked = each(&rows, &kept);
                images = select(&images, &kept);
                let others = standing.leave(&broke, &mut fallen);
                let row = |row: &usize| others.iter().position(|other| other == row);
                rows = asked.iter().filter_map(row).collect();
                if standing.positions.is_empty() {
                    end = logits.map(|_| ());
                    break;
                }
                if rows.is_empty() {
                    // Others may have passes left: their candidates were known.
                    continue;
                }
                logits = logits.map(|logits| select(&logits, &kept));
                at = kept;
            }
            let logits = match logits {
                Ok(logits) => logits,
                Err(error) => {
                    end = Err(error);
                    break;
                }
            };
            let changes = changes.as_ref().map(|changes| (changes, &at[..]));
            let first = standing.best.is_none();
            let falling = standing.meet(&rows, images, logits, changes, &self.loss);
            if let (true, Some(best)) = (first, &standing.best) {
                standing.known = trial.known(&standing.positions, &best.images);
            }
            if !falling.is_empty() {
                standing.leave(&falling, &mut fallen);
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
            judged: Judged::nothing(trial.len()),
            positions,
            originals: trial.originals().clone(),
            reference,
            best: None,
            known: None,
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
    fn select(&self, rows: &[usize]) -> Self {
        Self {
            images: select(&self.images, rows),
            logits: select(&self.logits, rows),
            loss: select(&self.loss, rows),
        }
    }

    // Puts rows that were selected back.
    fn replace(self, rows: &[usize], part: Self) -> Self {
        Self {
            images: replace(self.images, rows, part.images),
            logits: replace(self.logits, rows, part.logits),
            loss: replace(self.loss, rows, part.loss),
        }
    }
}

impl Standing {
    // Candidates of these rows, whose best becomes what fools or has a higher loss. Returns the rows
    // that fool.
    fn meet(
        &mut self,
        rows: &[usize],
        images: Tensor<4>,
        logits: Tensor<2>,
        changes: Option<(&Changes, &[usize])>,
        loss: &LossSpec,
    ) -> Vec<usize> {
        let reference = match rows.len() == self.positions.len() {
            true => self.reference.clone(),
            false => {
                let at = indices(rows.iter().copied(), &self.originals.device());
                self.reference.select(&at)
            }
        };
        let loss = loss.unsaturated(logits.clone(), &reference);
        let fooled = fooled(predicted_classes(logits.clone()), &reference);
        let fools = fooled.clone().float();
        let taken = match &self.best {
            None => fools.ones_like(),
            Some(best) => (loss.clone().greater(select(&best.loss, rows)))
                .bool_or(fooled)
                .float(),
        };
        let met = Met {
            images,
            logits,
            loss,
        };
        let flags: Vec<f32> = read(&Tensor::cat(vec![fools, taken], 0));
        let (fools, taken) = flags.split_at(rows.len());
        for (&row, &taken) in rows.iter().zip(taken) {
            self.judged.meet(row, taken > 0.0);
        }
        let taken = positions(taken, |taken| taken > 0.0);
        if let (Some((changes, at)), Some(known)) = (changes, &mut self.known) {
            known.take(taken.iter().map(|&new| (rows[new], at[new])), changes);
        }
        self.best = match self.best.take() {
            None => Some(met),
            Some(best) if taken.is_empty() => Some(best),
            Some(best) => Some(best.replace(&each(rows, &taken), met.select(&taken))),
        };
        each(rows, &positions(fools, |fools| fools > 0.0))
    }

    // Moves these rows to the fallen. Returns where the others were.
    fn leave(&mut self, rows: &[usize], fallen: &mut Vec<Self>) -> Vec<usize> {
        let all = 0..self.positions.len();
        let others = Vec::from_iter(all.filter(|row| !rows.contains(row)));
        // Of no use to who has fallen.
        let known = self.known.take();
        fallen.push(self.part(rows));
        self.known = known;
        *self = self.part(&others);
        others
    }

    // What is known of these rows.
    fn part(&self, rows: &[usize]) -> Self {
        let at = indices(rows.iter().copied(), &self.originals.device());
        Self {
            positions: each(&self.positions, rows),
            draws: rows.iter().map(|&row| self.draws[row].clone()).collect(),
            originals: select(&self.originals, rows),
            reference: self.reference.select(&at),
            judged: self.judged.part(rows),
            best: self.best.as_ref().map(|best| best.select(rows)),
            known: self.known.as_ref().map(|known| known.part(rows)),
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
