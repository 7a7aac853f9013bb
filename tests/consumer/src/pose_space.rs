//! A space: what rotations and shifts can make of an image, and an attack that climbs it.

use burn::tensor::{Tensor, TensorData};
use fireproof::attack::{
    Ascent, Attack, AttackSpec, Ball, Candidate, Cost, FixedStep, Keep, Space, Trial,
};
use fireproof::base::{Degrees, Error, Pixels, Result, named};
use fireproof::transform::{PoseBudget, Warp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Poses within a budget: points are degrees, pixels to the right and pixels downwards. A step of
/// length 1 is as long as the budget in each of them.
#[derive(Clone, Copy, Debug)]
pub struct PoseSpace(pub PoseBudget);

impl PoseSpace {
    fn limits(&self, like: &Tensor<2>) -> Tensor<2> {
        let PoseBudget { angle, shift } = self.0;
        let limits = [angle.0, shift.0, shift.0].map(|limit| limit as f32);
        Tensor::<1>::from_floats(limits, &like.device()).unsqueeze_dim(0)
    }
}

impl Space for PoseSpace {
    fn start(&self, trial: &Trial, random: bool) -> Tensor<2> {
        let device = trial.originals().device();
        if !random {
            return Tensor::zeros([trial.len(), 3], &device);
        }
        let poses = self.0.draw(trial.keys()).into_iter();
        let rows: Vec<f32> = poses
            .flat_map(|pose| [pose.angle.0, pose.right.0, pose.down.0].map(|v| v as f32))
            .collect();
        Tensor::from_data(TensorData::new(rows, [trial.len(), 3]), &device)
    }

    fn images(&self, trial: &Trial, point: Tensor<2>) -> Tensor<4> {
        let moved = Warp::bilinear().apply_tensor(trial.originals().clone(), point);
        // The four weights of a pixel may add up to a little more than 1.
        trial.bounds().clamp(moved)
    }

    fn candidate(&self, images: Tensor<4>, point: Tensor<2>) -> Candidate {
        Candidate::moved(images, point)
    }

    fn steepest(&self, _trial: &Trial, gradient: Tensor<2>, length: f64) -> Tensor<2> {
        let limits = self.limits(&gradient);
        gradient.sign() * limits * length
    }

    fn project(&self, _trial: &Trial, point: Tensor<2>) -> Tensor<2> {
        let limits = self.limits(&point).expand(point.shape());
        point.min_pair(limits.clone()).max_pair(-limits)
    }
}

/// Climbs the loss in [`PoseSpace`] from a random pose.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoseAscent {
    /// How far images may be moved.
    pub budget: PoseBudget,
    /// The number of steps, each of 2.5 budgets/steps.
    pub steps: usize,
}

impl Attack for PoseAscent {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        trial.offer_originals();
        let space = PoseSpace(self.budget);
        let ascent = Ascent {
            space: &space,
            loss: None,
            steps: self.steps,
            keep: Keep::Best,
        };
        let start = space.start(trial, true);
        let mut rule = FixedStep(2.5 / self.steps.max(1) as f64);
        ascent.climb(trial, start, &mut rule)
    }

    fn ball(&self) -> Option<Ball> {
        None
    }

    fn check(&self) -> Result<()> {
        self.budget.check()
    }

    fn cost(&self) -> Cost {
        Cost {
            // The clean pass, the last point's and the verdict's.
            queries: self.steps + 3,
            gradients: self.steps,
        }
    }

    fn at_level(&self, level: &[f64]) -> Result<AttackSpec> {
        let &[angle, shift] = level else {
            let expected = "degrees and pixels";
            return Err(Error::setting("level", format!("{level:?}"), expected));
        };
        let budget = PoseBudget::new(Degrees(angle), Pixels(shift))?;
        Ok(Self { budget, ..*self }.into())
    }

    fn settings(&self) -> Value {
        named::<dyn Attack>("own_pose_ascent", self)
    }
}

impl fmt::Display for PoseAscent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PoseBudget { angle, shift } = self.budget;
        write!(f, "pose ascent-{} ±{angle} ±{shift}", self.steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::tests::{batch, victim};
    use crate::shrinking::Shrinking;
    use fireproof::attack::{Linf, verify};
    use fireproof::base::{Seed, read};

    fn attack() -> PoseAscent {
        let budget = PoseBudget::new(Degrees(30.0), Pixels(1.5)).unwrap();
        PoseAscent { budget, steps: 8 }
    }

    #[test]
    fn value_poses_make_the_images_and_raise_the_loss() {
        let (victim, batch) = (victim(), batch(4));
        let found = attack().attack(&victim, &batch, Seed(3)).unwrap();
        let poses = found.poses.clone().unwrap();
        let within = |v: f64, limit: f64| v.abs() <= limit + 1e-6;
        assert!(poses.iter().all(|pose| within(pose.angle.0, 30.0)
            && within(pose.right.0, 1.5)
            && within(pose.down.0, 1.5)));
        // Oracle: the warp by poses on the host.
        let warped: Vec<f32> = read(&Warp::bilinear().apply(batch.images.clone(), &poses));
        let images: Vec<f32> = read(&found.images);
        assert!(
            images
                .iter()
                .zip(&warped)
                .all(|(a, b)| (a - b).abs() < 1e-4)
        );
        let still = attack().at_level(&[0.0, 0.0]).unwrap();
        let still = still.attack(&victim, &batch, Seed(3)).unwrap();
        assert!(found.loss.iter().zip(&still.loss).all(|(a, b)| a >= b));
        assert!(found.loss.iter().zip(&still.loss).any(|(a, b)| a > b));
    }

    #[test]
    fn convention_another_attack_has_its_ball_around_the_moved_images() {
        let (victim, batch) = (victim(), batch(4));
        let found = attack().then(Shrinking::new(Linf, 0.05));
        let found = found.attack(&victim, &batch, Seed(3)).unwrap();
        verify(&found, &batch, Linf, 0.05).unwrap();
        assert!(found.poses.is_some());
    }
}
