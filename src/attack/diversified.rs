use super::{Loss, PixelSpace, Reference, Space, Trial};
use crate::base::{Purpose, Result};
use burn::tensor::{Tensor, TensorData};
use derive_more::Display;
use serde_json::Value;

/// Walks from a point so many steps of length ε along a direction of the logits that each image draws
/// for itself: an output-diversified start, which spreads over what a network can say and not over
/// pixels. Each step costs a forward and a backward pass.
///
/// (Y. Tashiro, Y. Song, S. Ermon 2020, "Diversity can be Transferred: Output Diversification for
/// White- and Black-box Attacks", equations 2 and 3; published with 2 steps.)
pub(super) fn diversify(
    trial: &mut Trial,
    space: &PixelSpace,
    start: Tensor<2>,
    steps: usize,
) -> Result<Tensor<2>> {
    let classes = trial.classes();
    let weights = trial.keys().each(Purpose::Start, |draws| {
        // Not those that the start was drawn from.
        let mut draws = draws.clone().in_stream(1);
        Vec::from_iter((0..classes).map(|_| draws.uniform(-1.0, 1.0)))
    });
    let data = TensorData::new(weights.concat(), [trial.len(), classes]);
    let originals = trial.originals();
    let weights = Tensor::from_data(data, (&originals.device(), originals.dtype()));
    let along = Direction(weights);
    (0..steps).try_fold(start, |point, _| {
        let pass = trial.gradient(space, point.clone(), Some(&along))?;
        Ok(space.step(trial, point, pass.gradient, space.0.epsilon))
    })
}

/// `w · z`, with a `w` for each image.
#[derive(Debug, Display)]
#[display("direction of the logits")]
struct Direction(Tensor<2>);

impl Loss for Direction {
    fn per_image(&self, logits: Tensor<2>, _: &Reference) -> Tensor<1> {
        let weights = self.0.clone().to_device(&logits.device());
        (logits * weights).sum_dim(1).squeeze_dim(1)
    }

    fn settings(&self) -> Value {
        Value::Null
    }
}
