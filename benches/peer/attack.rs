//! PGD, and training steps on attacked images.

use crate::conv::outcome;
use crate::data::{batch, device, filled};
use crate::{Case, Run, timed};
use burn::module::{Module, ModuleDisplay};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use fireproof::attack::{Attack, Frozen, Keep, Pgd};
use fireproof::base::{Classifier, Degrees, Keys, Pixels, Result, Seed};
use fireproof::curriculum::Stage;
use fireproof::group::Group;
use fireproof::kernel::Numerics;
use fireproof::model::{
    Cnn, CnnConfig, ResNetConfig, SmallCnn, SmallCnnConfig, VggConfig, WideResNetConfig,
};
use fireproof::train::{Augmentation, Scored, StagedBatch, Trades, Trainee, sgd};

/// The p4 network of the paper. Without dropout, whose draws no two libraries share.
pub fn p4_cnn() -> Cnn {
    let config = CnnConfig::new(Group::P4, [1, 28, 28], 10).with_dropout(Some(0.0));
    made(config.init(&device()))
}

fn small_cnn() -> SmallCnn {
    let config = SmallCnnConfig::new([1, 28, 28], 10).with_dropout(0.0);
    made(config.init(&device()))
}

fn made<M: Module>(model: Result<M>) -> M {
    filled(model.expect("images that it takes"))
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

const DIGIT: [usize; 3] = [1, 28, 28];
const COLOUR: [usize; 3] = [3, 32, 32];

/// Does the same with the network of a case, whatever its type.
macro_rules! with_network {
    ($case:expr, |$model:ident, $image:ident| $body:expr) => {
        with_network! { @ $case, |$model, $image| $body;
            "p4-cnn", DIGIT: p4_cnn();
            "small-cnn", DIGIT: small_cnn();
            "resnet18", COLOUR: made(ResNetConfig::resnet18(Group::P1, COLOUR, 10).init(&device()));
            "p4m-resnet18", COLOUR: made(ResNetConfig::resnet18(Group::P4m, COLOUR, 10).init(&device()));
            "vgg16", COLOUR: made(VggConfig::vgg16(Group::P1, COLOUR, 10).init(&device()));
            "wrn-34-10", COLOUR: made(WideResNetConfig::wrn_34_10(Group::P1, COLOUR, 10).init(&device()));
        }
    };
    (@ $case:expr, |$model:ident, $image:ident| $body:expr;
        $($name:literal, $size:ident: $made:expr;)+) => {
        match $case.network.as_str() {
            $($name => {
                let ($model, $image) = ($made, $size);
                $body
            })+
            other => panic!("unknown network: {other}"),
        }
    };
}

/// An attack on a network that was frozen before. The result is the perturbation.
pub fn pgd(case: &Case) -> Run {
    let (victim, image) = with_network!(case, |model, image| {
        (frozen(&model, case.numerics), image)
    });
    let (attack, batch) = (attack(case), batch(case.batch, image));
    Box::new(move |_| {
        let (seconds, images) = timed(|| attack.perturb(&victim, &batch, Seed(1)));
        outcome(seconds, images.expect("an attack") - batch.images.clone())
    })
}

/// A training step: freeze, attack, learn from the attacked images; or from the images themselves if the
/// attack has no steps. The result is their losses, compared after one step, so that gradients and update
/// matter.
pub fn train(case: &Case) -> Run {
    with_network!(case, |model, image| train_model(case, model, image))
}

fn train_model<M>(case: &Case, model: M, image: [usize; 3]) -> Run
where
    M: Module + ModuleDisplay + Classifier + 'static,
{
    let (steps, numerics) = (case.steps, case.numerics);
    let (attack, batch) = (attack(case), batch(case.batch, image));
    let labels = batch.labels.clone().autodiff();
    let keys = Keys::new(1, batch.ids.clone()).with_draw(1);
    let mut optimizer = sgd(0.9, 0.0);
    let mut kept = Some(model.train());
    let mut step = move || {
        let model = kept.take().expect("the model of the step before");
        let images = match steps {
            0 => batch.images.clone(),
            _ => attack
                .perturb(&frozen(&model, numerics), &batch, Seed(1))
                .expect("an attack"),
        };
        let images = Tensor::from_inner(images);
        let logits = Numerics::Exact.run(|| model.training_logits(images, &keys));
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

/// A step of training by TRADES as users make it, with β = 6. The result is its losses after one step.
pub fn trades(case: &Case) -> Run {
    with_network!(case, |model, image| trades_model(case, model, image))
}

fn trades_model<M>(case: &Case, model: M, image: [usize; 3]) -> Run
where
    M: Module + ModuleDisplay + Classifier + 'static,
{
    let mut batch = batch(case.batch, image);
    batch.images = Tensor::from_inner(batch.images);
    batch.labels = batch.labels.autodiff();
    let staged = StagedBatch {
        batch,
        stage: Stage {
            angle: Degrees(0.0),
            shift: Pixels(0.0),
            epsilon: 0.1,
            steps: case.steps,
            step_size: 0.025,
            learning_rate: 0.01,
        },
        seed: Seed(1),
        epoch: 1,
        step: 1,
        share: 1.0,
    };
    let trainee = Trainee::new(model.train(), Trades::new(6.0), Augmentation::default());
    let mut optimizer = sgd(0.9, 0.0);
    let mut kept = Some(trainee);
    let mut step = move || {
        let trainee = kept.take().expect("the model of the step before");
        let learnt = trainee.learn(staged.clone()).expect("a step");
        kept = Some(optimizer.step(0.01, trainee, learnt.grads));
        learnt.item.losses.without_autodiff()
    };
    Box::new(move |check| {
        if check {
            step();
        }
        let (seconds, losses) = timed(&mut step);
        outcome(seconds, losses)
    })
}
