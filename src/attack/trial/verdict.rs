//! How a trial ends.

use super::Trial;
use crate::attack::ball::settle;
use crate::attack::goal::{fooled, predicted_classes};
use crate::attack::rows::{positions, replace, select};
use crate::attack::{Ball, Candidate, Found};
use crate::base::{Degrees, Pixels, Result, read};
use crate::transform::Pose;
use burn::tensor::{FloatDType, Tensor};

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
        let logits = match self.best.take() {
            None => self.logits(found.images.clone()),
            Some(best) => {
                let mut exact: Vec<f32> = read(&best.exact);
                changed.into_iter().for_each(|at| exact[at] = 0.0);
                let open = positions(&exact, |exact| exact == 0.0);
                match open.is_empty() {
                    true => best.logits,
                    false => {
                        let logits = self.logits_at(&open, select(&found.images, &open));
                        replace(best.logits, &open, logits)
                    }
                }
            }
        };
        let count = self.len();
        let loss = self.loss.per_image(logits.clone(), &self.reference);
        let predicted = predicted_classes(logits);
        let verdicts = fooled(predicted.clone(), &self.reference).float();
        let columns = [loss, verdicts, predicted.float(), self.spent.flaws()];
        let columns = columns.map(|column| column.cast(FloatDType::F32));
        let columns: Vec<f32> = read(&Tensor::cat(columns.to_vec(), 0));
        let mut columns = columns.chunks(count);
        let [loss, verdicts, predicted, vanished, undefined] =
            std::array::from_fn(|_| columns.next().expect("five numbers for each image"));
        let counts = |numbers: &[f32]| numbers.iter().map(|&n| n as u32).collect();
        Ok(Found {
            originals: found.originals.unwrap_or(self.originals),
            images: found.images,
            predicted: predicted.iter().map(|&class| class as i64).collect(),
            fooled: verdicts.iter().map(|&fooled| fooled > 0.0).collect(),
            loss: loss.to_vec(),
            queries: self.spent.queries,
            gradients: self.spent.gradients,
            vanished: counts(vanished),
            undefined: counts(undefined),
            poses: found.poses.as_ref().map(to_poses),
        })
    }
}

fn to_poses(poses: &Tensor<2>) -> Vec<Pose> {
    let rows: Vec<f32> = read(poses);
    let rows = rows
        .chunks_exact(3)
        .map(|row| [0, 1, 2].map(|at| f64::from(row[at])));
    rows.map(|[angle, right, down]| Pose {
        angle: Degrees(angle),
        right: Pixels(right),
        down: Pixels(down),
    })
    .collect()
}
