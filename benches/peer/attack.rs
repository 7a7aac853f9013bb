//! PGD, and training steps on attacked images.

use crate::conv::outcome;
use crate::data::{batch, device, filled};
use crate::{Case, Run, timed};
use burn::module::{Module, ModuleDisplay};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use fireproof::attack::{Attack, Frozen, Keep, Pgd};
use fireproof::base::{Classifier, Seed};
use fireproof::group::Group;
use fireproof::kernel::Numerics;
use fireproof::model::{Cnn, CnnConfig, SmallCnn, SmallCnnConfig};
use fireproof::train::{Scored, sgd};

/// The p4 network of the paper. Without dropout, whose draws no two libraries share.
pub fn p4_cnn() -> Cnn {
    let config = CnnConfig::new(Group::P4, [1, 28, 28], 10).with_dropout(Some(0.0));
    filled(config.init(&device()).expect("28×28 suits p4"))
}

fn small_cnn() -> SmallCnn {
    let config = SmallCnnConfig::new([1, 28, 28], 10).with_dropout(0.0);
    filled(config.init(&device()).expect("28×28 is large enough"))
}

/// A frozen copy that computes with these numerics.
pub fn frozen<M: Module + Classifier + 'static>(model: &M, numerics: Numerics) -> Frozen {
    Frozen::new(model).with_numerics(numerics)
}

fn attack(case: &Case) -> Pgd {
    Pgd::linf(0.1)
        .with_steps(case.steps)
        .with_step_size(0.025)
        .with_random_start(false)
        .with_keep(Keep::Last)
}

/// An attack on a network that was frozen before. The result is the perturbation.
pub fn pgd(case: &Case) -> Run {
    let victim = match case.network.as_str() {
        "p4-cnn" => frozen(&p4_cnn(), case.numerics),
        "small-cnn" => frozen(&small_cnn(), case.numerics),
        other => panic!("unknown network: {other}"),
    };
    let (attack, batch) = (attack(case), batch(case.batch));
    Box::new(move |_| {
        let (seconds, images) = timed(|| attack.perturb(&victim, &batch, Seed(1)));
        outcome(seconds, images.expect("an attack") - batch.images.clone())
    })
}

/// A training step: freeze, attack, learn from the attacked images. The result is their losses,
/// compared after one step, so that gradients and update matter.
pub fn train(case: &Case) -> Run {
    match case.network.as_str() {
        "p4-cnn" => train_model(case, p4_cnn()),
        "small-cnn" => train_model(case, small_cnn()),
        other => panic!("unknown network: {other}"),
    }
}

fn train_model<M>(case: &Case, model: M) -> Run
where
    M: Module + ModuleDisplay + Classifier + 'static,
{
    let (attack, batch, numerics) = (attack(case), batch(case.batch), case.numerics);
    let labels = batch.labels.clone().autodiff();
    let mut optimizer = sgd(0.9, 0.0);
    let mut kept = Some(model.train());
    let mut step = move || {
        let model = kept.take().expect("the model of the step before");
        let images = attack
            .perturb(&frozen(&model, numerics), &batch, Seed(1))
            .expect("an attack");
        let images = Tensor::from_inner(images);
        let logits = Numerics::Exact.run(|| model.training_logits(images, Seed(1), &batch.ids, 1));
        let scored = Scored::cross_entropy(logits, labels.clone());
        let gradients = scored.losses.clone().mean().backward();
        let gradients = GradientsParams::from_grads(gradients, &model);
        kept = Some(optimizer.step(0.01, model, gradients));
        scored.losses.inner()
    };
    Box::new(move |check| {
        if check {
            step();
        }
        let (seconds, losses) = timed(&mut step);
        outcome(seconds, losses)
    })
}
