//! Whatever happens to the original, the frozen copy stays; and the reverse.

use super::given::{Net, batch, frozen_logits, images, warm_up};
use crate::common::{On, values};
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::Tensor;
use fireproof::attack::{Attack, CrossEntropy, Frozen, Loss, Pgd, Reference};
use fireproof::base::{Classifier, Seed};

on_every_device![
    value_freezing_never_used_parameters_leaves_the_original_trainable,
    value_changing_the_original_changes_no_frozen_logit,
    value_changing_a_plain_original_changes_no_frozen_logit,
    value_training_the_original_changes_no_frozen_logit,
    value_attacking_the_frozen_changes_nothing_in_the_original,
];

struct AddOne;

impl ModuleMapper for AddOne {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| (tensor.inner() + 1.0).autodiff().require_grad())
    }
}

fn value_freezing_never_used_parameters_leaves_the_original_trainable(on: &On) {
    // `clone().freeze()` would freeze the original with it here (design trap).
    let model = Net::new(&on.device().autodiff());
    let victim = Frozen::new(&model);
    let before = frozen_logits(on, &victim);
    assert!(model.conv.weight.is_require_grad() && model.linear.weight.is_require_grad());
    let gradients = model.logits(images(on, 0.0).autodiff()).sum().backward();
    assert!(model.conv.weight.val().grad(&gradients).is_some());
    assert_eq!(frozen_logits(on, &victim), before);
}

fn value_changing_the_original_changes_no_frozen_logit(on: &On) {
    let model = Net::new(&on.device().autodiff());
    let victim = Frozen::new(&model);
    let before = frozen_logits(on, &victim);

    warm_up(on, &model);
    assert_eq!(frozen_logits(on, &victim), before, "running statistics");
    assert_ne!(values(model.valid().logits(images(on, 0.0))), before);

    let other = Net::new(&on.device().autodiff());
    let model = model.load_record(other.into_record());
    assert_eq!(frozen_logits(on, &victim), before, "load_record");

    let model = model.map(&mut AddOne);
    assert_eq!(frozen_logits(on, &victim), before, "map");

    let model = model.to_device(&on.device());
    assert_eq!(frozen_logits(on, &victim), before, "to_device");
    drop(model);
    assert_eq!(frozen_logits(on, &victim), before, "drop");
}

fn value_changing_a_plain_original_changes_no_frozen_logit(on: &On) {
    // Without autodiff `valid` has nothing to leave; it must still copy.
    let model = Net::new(&on.device());
    let victim = Frozen::new(&model);
    let before = frozen_logits(on, &victim);
    model
        .norm
        .running_mean
        .update(Tensor::ones([4], &on.device()));
    model.norm.running_mean.value_sync();
    assert_eq!(frozen_logits(on, &victim), before, "running statistics");
    let other = Net::new(&on.device());
    let model = model.load_record(other.into_record());
    assert_eq!(frozen_logits(on, &victim), before, "load_record");
    assert_ne!(values(model.valid().logits(images(on, 0.0))), before);
}

fn value_training_the_original_changes_no_frozen_logit(on: &On) {
    use burn::optim::{GradientsParams, SgdConfig};

    let mut model = Net::new(&on.device().autodiff());
    let victim = Frozen::new(&model);
    let before = frozen_logits(on, &victim);
    let mut optimizer = SgdConfig::new().init();
    for _ in 0..3 {
        let labels = batch(on).labels.autodiff();
        let loss = CrossEntropy.per_image(
            model.logits(images(on, 0.0).autodiff()),
            &Reference::new(labels),
        );
        let gradients = GradientsParams::from_grads(loss.sum().backward(), &model);
        model = optimizer.step(0.1, model, gradients);
    }
    assert_eq!(frozen_logits(on, &victim), before);
    assert_ne!(values(model.valid().logits(images(on, 0.0))), before);
}

fn value_attacking_the_frozen_changes_nothing_in_the_original(on: &On) {
    let model = Net::new(&on.device().autodiff());
    warm_up(on, &model);
    let before = values(model.valid().logits(images(on, 0.0)));
    let statistics = values(model.norm.running_mean.value_sync());
    let victim = Frozen::new(&model);
    Pgd::linf(0.1).attack(&victim, &batch(on), Seed(1)).unwrap();
    drop(victim);
    assert_eq!(values(model.norm.running_mean.value_sync()), statistics);
    assert_eq!(values(model.valid().logits(images(on, 0.0))), before);
    assert!(model.linear.weight.is_require_grad());
    // It still trains: dropout and batch statistics are on.
    assert_ne!(
        values(model.logits(images(on, 0.0).autodiff()).inner()),
        values(model.logits(images(on, 0.0).autodiff()).inner())
    );
}
