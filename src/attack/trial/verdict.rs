//! How a trial ends.

use super::Trial;
use crate::attack::ball::settle;
use crate::attack::goal::{fooled, predicted_classes};
use crate::attack::rows::{positions, replace, select};
use crate::attack::{Ball, Candidate, Found, NormSpec};
use crate::base::{Precision, Result, read};
use crate::transform::Pose;
use burn::tensor::Tensor;

impl Trial {
    // The images to return, settled and verified, and which of them settling has changed.
    pub(in crate::attack) fn settle(&self, ball: Option<&Ball>) -> Result<(Candidate, Vec<usize>)> {
        let mut best = self.best();
        let around = best.originals.as_ref().unwrap_or(&self.originals);
        let (images, changed) = settle(best.images, around, &self.keys.ids, self.bounds, ball)?;
        best.images = images;
        Ok((best, changed))
    }

    // Everything but the search.
    pub(in crate::attack) fn conclude(mut self, ball: Option<&Ball>) -> Result<Found> {
        let (found, changed) = self.settle(ball)?;
        let met = self.best.as_ref().map(|best| (&best.fooled, &best.passes));
        let met = met.map(|(fooled, passes)| fooled.clone() * passes.clone());
        let met = met.unwrap_or_else(|| Tensor::zeros([self.len()], &found.images.device()));
        let logits = match self.best.take() {
            None => self.verdict(found.images.clone()),
            Some(best) => {
                let mut exact: Vec<f32> = read(&best.exact);
                changed.into_iter().for_each(|at| exact[at] = 0.0);
                let open = positions(&exact, |exact| exact == 0.0);
                match open.is_empty() {
                    true => best.logits,
                    false => {
                        let logits = self.verdict_at(&open, select(&found.images, &open));
                        replace(best.logits, &open, logits)
                    }
                }
            }
        };
        let count = self.len();
        let loss = self.loss.per_image(logits.clone(), &self.reference);
        let predicted = predicted_classes(logits);
        let verdicts = fooled(predicted.clone(), &self.reference).float();
        let norm = self.norm(ball);
        let distance = match &norm {
            Some(norm) => self.lengths(&found, &**norm),
            None => verdicts.zeros_like(),
        };
        let columns = [
            loss,
            verdicts,
            predicted.float(),
            distance,
            met,
            self.spent.flaws(),
        ];
        let precision = Precision::of("attacked images", &found.images)?.of_sums();
        let columns = columns.map(|column| column.cast(precision.dtype()));
        let columns: Vec<f64> = read(&Tensor::cat(columns.to_vec(), 0));
        let mut columns = columns.chunks(count);
        let [
            loss,
            verdicts,
            predicted,
            distance,
            met,
            vanished,
            undefined,
        ] = std::array::from_fn(|_| columns.next().expect("seven numbers for each image"));
        let counts = |numbers: &[f64]| numbers.iter().map(|&n| n as u32).collect();
        // The ball has been verified: rounding of a length does not lead out of it.
        let radius = ball.map_or(f64::INFINITY, |ball| ball.epsilon);
        let distance = distance.iter().zip(verdicts).map(|(&distance, &fooled)| {
            (fooled > 0.0 && norm.is_some()).then(|| distance.min(radius))
        });
        // Zero for what only the last verdict has found to fool.
        let fell = |(at, &met): (usize, &f64)| match met as u32 {
            0 => self.spent.passes(at),
            met => met,
        };
        let fell = met.iter().enumerate().map(fell).zip(verdicts);
        Ok(Found {
            passes_to_fool: fell
                .map(|(met, &fooled)| (fooled > 0.0).then_some(met))
                .collect(),
            originals: found.originals.unwrap_or(self.originals),
            images: found.images,
            predicted: predicted.iter().map(|&class| class as i64).collect(),
            fooled: verdicts.iter().map(|&fooled| fooled > 0.0).collect(),
            distance: distance.collect(),
            loss: loss.iter().map(|&loss| loss as f32).collect(),
            queries: self.spent.queries,
            gradients: self.spent.gradients,
            vanished: counts(vanished),
            undefined: counts(undefined),
            poses: found.poses.as_ref().map(to_poses),
        })
    }

    // What distances are measured by.
    fn norm(&self, ball: Option<&Ball>) -> Option<NormSpec> {
        let nearest = self.nearest.as_ref().map(|nearest| &nearest.norm);
        nearest.or(ball.map(|ball| &ball.norm)).cloned()
    }
}

// In the four columns of a candidate.
fn to_poses(poses: &Tensor<2>) -> Vec<Pose> {
    let rows: Vec<f64> = read(poses);
    let (rows, _) = rows.as_chunks();
    rows.iter().copied().map(Pose::from_row).collect()
}
