use super::PoseSpace;
use super::space::within;
use crate::attack::{Ball, Candidate, Limits, Space, Trial};
use crate::base::Purpose;
use burn::tensor::Tensor;

/// Poses and perturbations together: points are `[batch, 3 + pixels]`, those of a [`PoseSpace`] and the
/// perturbation δ of the image in that pose, which stays in a ball and within bounds.
///
/// A step of length 1 is as long as the budget in the pose and as the radius in δ.
#[derive(Clone, Debug)]
pub(super) struct JointSpace {
    pub pose: PoseSpace,
    pub ball: Ball,
}

impl JointSpace {
    /// The pose and δ of points.
    fn parts(&self, trial: &Trial, point: &Tensor<2>) -> [Tensor<2>; 2] {
        let pixels = trial.originals().dims()[1..].iter().product();
        [(0, 3), (3, pixels)].map(|(start, length)| point.clone().narrow(1, start, length))
    }

    /// The images of points whose pose has made these moved ones, and those.
    pub fn remade(&self, trial: &Trial, moved: Tensor<4>, point: &Tensor<2>) -> Candidate {
        let [_, change] = self.parts(trial, point);
        let images = moved.clone() + change.reshape(moved.dims());
        Candidate {
            images: self.inside(trial, images, &moved),
            originals: Some(moved),
            poses: None,
        }
    }

    pub fn pose_of(&self, trial: &Trial, point: &Tensor<2>) -> Tensor<2> {
        let [pose, _] = self.parts(trial, point);
        pose
    }

    fn inside(&self, trial: &Trial, images: Tensor<4>, moved: &Tensor<4>) -> Tensor<4> {
        let to = Limits {
            originals: moved,
            epsilon: self.ball.epsilon,
            bounds: trial.bounds(),
        };
        self.ball.norm.project(images, to)
    }
}

impl Space for JointSpace {
    fn start(&self, trial: &Trial, random: bool) -> Tensor<2> {
        let pose = self.pose.start(trial, random);
        let Ball { norm, epsilon } = &self.ball;
        let change = match random {
            true => {
                let draw = |pixels, draws: &mut _| norm.draw(pixels, *epsilon, draws);
                trial.draw_pixels(Purpose::Start, draw)
            }
            false => trial.originals().zeros_like(),
        };
        self.project(trial, Tensor::cat(vec![pose, change.flatten(1, 3)], 1))
    }

    fn images(&self, trial: &Trial, point: Tensor<2>) -> Tensor<4> {
        let [pose, change] = self.parts(trial, &point);
        let moved = self.pose.images(trial, pose);
        let images = moved.clone() + change.reshape(moved.dims());
        within(trial.bounds(), images)
    }

    fn steepest(&self, trial: &Trial, gradient: Tensor<2>, length: f64) -> Tensor<2> {
        let [pose, change] = self.parts(trial, &gradient);
        let change = change.reshape(trial.originals().dims());
        let Ball { norm, epsilon } = &self.ball;
        let change = norm.steepest(change, length * epsilon);
        let pose = self.pose.steepest(trial, pose, length);
        Tensor::cat(vec![pose, change.flatten(1, 3)], 1)
    }

    fn project(&self, trial: &Trial, point: Tensor<2>) -> Tensor<2> {
        let [pose, change] = self.parts(trial, &point);
        let pose = self.pose.project(trial, pose);
        let moved = self.pose.images(trial, pose.clone());
        let images = moved.clone() + change.reshape(moved.dims());
        let change = self.inside(trial, images, &moved) - moved;
        Tensor::cat(vec![pose, change.flatten(1, 3)], 1)
    }
}
