//! AutoAttack as it is published with a robust accuracy.

use crate::conv::outcome;
use crate::data::device;
use crate::{Case, Run, stored, timed};
use burn::tensor::Tensor;
use fireproof::attack::{self, AutoAttack, Linf};

/// The standard version on the first of the stored images, in one batch. The result is 1 for each image
/// that is misclassified after it, or was before, and 0 for each other one.
pub fn standard(case: &Case) -> Run {
    let victim = stored::network(&case.network, &device()).with_numerics(case.numerics);
    let set = stored::set().take(case.images);
    let run = attack::Run::new(0).with_batch_size(case.images);
    let attack = AutoAttack::standard(Linf, case.epsilon);
    Box::new(move |_| {
        let (seconds, whole) = timed(|| run.attack(&attack, &victim, &set, &device()));
        let whole = whole.expect("an attack");
        let fooled = whole
            .images
            .iter()
            .map(|image| f32::from(image.fooled_by.is_some()));
        let fooled = Vec::from_iter(fooled);
        outcome(seconds, Tensor::<1>::from_data(&fooled[..], &device()))
    })
}
