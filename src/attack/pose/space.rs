use super::remade;
use crate::attack::{Candidate, Space, Trial};
use crate::base::{Bounds, Degrees, Draws, Pixels, Purpose, read};
use crate::transform::{Border, Pose, PoseBudget, Warp};
use burn::tensor::{Tensor, TensorData};

/// The poses of a budget, for gradient attacks: bilinear sampling is differentiable in them.
///
/// Points are `[batch, 3]`: angle, shift to the right and shift downwards, each in units of the largest
/// one, from −1 to 1. So a step is as long for the one as for the other. The steepest step of length l
/// is l times the sign of the gradient. It starts at the identity or at random poses.
///
/// Candidates are moved images without a perturbation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PoseSpace {
    /// The largest rotation and shift.
    pub budget: PoseBudget,
    /// What lies outside the image.
    pub border: Border,
}

impl PoseSpace {
    /// The poses of a budget, with zeros outside the image.
    pub fn new(budget: PoseBudget) -> Self {
        Self {
            budget,
            border: Border::default(),
        }
    }

    pub(super) fn warp(&self) -> Warp {
        Warp::bilinear().with_border(self.border)
    }

    fn limits(&self) -> [f64; 3] {
        let PoseBudget { angle, shift } = self.budget;
        [angle.0, shift.0, shift.0]
    }

    // In degrees and pixels.
    fn tensor(&self, point: Tensor<2>) -> Tensor<2> {
        let like = (&point.device(), point.dtype());
        let limits = TensorData::new(self.limits().to_vec(), [1, 3]);
        point * Tensor::from_data(limits, like)
    }

    /// The poses of points, as their images can be made from them again.
    pub(super) fn poses(&self, trial: &Trial, point: &Tensor<2>) -> Vec<Pose> {
        let coordinates: Vec<f64> = read(point);
        let limits = self.limits();
        let pose = |row: &[f64]| Pose {
            right: Pixels(row[1] * limits[1]),
            down: Pixels(row[2] * limits[2]),
            ..Pose::rotation(Degrees(row[0] * limits[0]))
        };
        let rows = coordinates.chunks_exact(3).map(pose);
        rows.map(|pose| remade::rounded(pose, trial.originals()))
            .collect()
    }
}

impl Space for PoseSpace {
    fn start(&self, trial: &Trial, random: bool) -> Tensor<2> {
        let originals = trial.originals();
        let like = (&originals.device(), originals.dtype());
        if !random {
            return Tensor::zeros([trial.len(), 3], like);
        }
        let draw = |draws: &mut Draws| [(); 3].map(|()| draws.uniform(-1.0, 1.0));
        let drawn = trial.keys().each(Purpose::SearchedPose, draw);
        Tensor::from_data(TensorData::new(drawn.concat(), [trial.len(), 3]), like)
    }

    fn images(&self, trial: &Trial, point: Tensor<2>) -> Tensor<4> {
        let mut originals = trial.originals().clone();
        if point.device().is_autodiff() {
            originals = Tensor::from_inner(originals);
        }
        let moved = self.warp().apply_tensor(originals, self.tensor(point));
        within(trial.bounds(), moved)
    }

    fn candidate(&self, images: Tensor<4>, point: Tensor<2>) -> Candidate {
        Candidate::moved(images, self.tensor(point))
    }

    fn steepest(&self, _: &Trial, gradient: Tensor<2>, length: f64) -> Tensor<2> {
        gradient.sign() * length
    }

    fn project(&self, _: &Trial, point: Tensor<2>) -> Tensor<2> {
        point.clamp(-1.0, 1.0)
    }
}

/// The images within bounds, with a gradient as if there were none: a pixel that rounding has put out of
/// bounds must not lose its own.
pub(super) fn within(bounds: Bounds, images: Tensor<4>) -> Tensor<4> {
    let values = images.clone().detach();
    images + (bounds.clamp(values.clone()) - values)
}
