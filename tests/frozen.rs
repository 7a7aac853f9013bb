//! `Frozen` and the model it was made from are independent of each other.

use burn::module::{Module, ModuleMapper, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor};
use fireproof::attack::{Attack, CrossEntropy, Frozen, Loss, Margin, Pgd, Reference};
use fireproof::base::{Batch, Classifier, Error, Seed};

#[derive(Module, Debug)]
struct Net {
    conv: Conv2d,
    norm: BatchNorm,
    dropout: Dropout,
    linear: Linear,
}

impl Net {
    // Burn initialises these parameters lazily: nothing is drawn before the first use.
    fn new(device: &Device) -> Self {
        Self {
            conv: Conv2dConfig::new([1, 4], [3, 3]).init(device),
            norm: BatchNormConfig::new(4).init(device),
            dropout: DropoutConfig::new(0.5).init(),
            linear: LinearConfig::new(4 * 6 * 6, 3).init(device),
        }
    }
}

impl Classifier for Net {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        let features = relu(self.norm.forward(self.conv.forward(images)));
        self.linear
            .forward(self.dropout.forward(features.flatten::<2>(1, 3)))
    }
}

struct AddOne;

impl ModuleMapper for AddOne {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| (tensor.inner() + 1.0).autodiff().require_grad())
    }
}

fn device() -> Device {
    fireproof::device()
}

fn images(seed: f32) -> Tensor<4> {
    let ramp = Tensor::<1, Int>::arange(0..5 * 64, &device()).float();
    ((ramp * 0.37 + seed).sin() * 0.5 + 0.5).reshape([5, 1, 8, 8])
}

fn batch() -> Batch {
    let labels = Tensor::<1, Int>::from_data([0, 1, 2, 0, 1], &device());
    Batch::new(images(0.0), labels)
}

fn vec<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.to_data().iter::<f32>().collect()
}

fn frozen_logits(victim: &Frozen) -> Vec<f32> {
    vec(victim.logits(images(0.0)))
}

// Training-mode passes move batch norm's running statistics.
fn warm_up(model: &Net) {
    for pass in 0..3 {
        model
            .logits((images(pass as f32) * 3.0).autodiff())
            .inner()
            .to_data();
    }
}

#[test]
fn value_frozen_logits_are_those_of_inference_mode() {
    // Oracle: Burn's own `valid`.
    let model = Net::new(&device().autodiff());
    warm_up(&model);
    let victim = Frozen::new(&model);
    assert_eq!(
        frozen_logits(&victim),
        vec(model.valid().logits(images(0.0)))
    );
    // Dropout is off and batch mates do not matter.
    assert_eq!(frozen_logits(&victim), frozen_logits(&victim));
    let alone = vec(victim.logits(images(0.0).narrow(0, 2, 1)));
    for (alone, together) in alone.iter().zip(&frozen_logits(&victim)[6..9]) {
        assert!((alone - together).abs() < 1e-5);
    }
    // Training mode does differ, or the above would show nothing.
    assert_ne!(
        frozen_logits(&victim),
        vec(model.logits(images(0.0)).inner())
    );
}

#[test]
fn value_frozen_logits_are_outside_autodiff() {
    let victim = Frozen::new(&Net::new(&device().autodiff()));
    assert!(
        !victim
            .logits(images(0.0).autodiff().require_grad())
            .is_autodiff()
    );
    let pass = victim
        .loss_gradient(images(0.0).autodiff(), |logits| {
            CrossEntropy.per_image(logits, &Reference::new(batch().labels))
        })
        .unwrap();
    assert!(!pass.loss.is_autodiff() && !pass.logits.is_autodiff());
    assert!(!pass.gradient.is_autodiff());
    assert_eq!(pass.gradient.dims(), [5, 1, 8, 8]);
}

#[test]
fn value_freezing_never_used_parameters_leaves_the_original_trainable() {
    // `clone().freeze()` would freeze the original with it here (design trap).
    let model = Net::new(&device().autodiff());
    let victim = Frozen::new(&model);
    let before = frozen_logits(&victim);
    assert!(model.conv.weight.is_require_grad() && model.linear.weight.is_require_grad());
    let gradients = model.logits(images(0.0).autodiff()).sum().backward();
    assert!(model.conv.weight.val().grad(&gradients).is_some());
    assert_eq!(frozen_logits(&victim), before);
}

#[test]
fn value_changing_the_original_changes_no_frozen_logit() {
    let model = Net::new(&device().autodiff());
    let victim = Frozen::new(&model);
    let before = frozen_logits(&victim);

    warm_up(&model);
    assert_eq!(frozen_logits(&victim), before, "running statistics");
    assert_ne!(vec(model.valid().logits(images(0.0))), before);

    let other = Net::new(&device().autodiff());
    let model = model.load_record(other.into_record());
    assert_eq!(frozen_logits(&victim), before, "load_record");

    let model = model.map(&mut AddOne);
    assert_eq!(frozen_logits(&victim), before, "map");

    let model = model.to_device(&device());
    assert_eq!(frozen_logits(&victim), before, "to_device");
    drop(model);
    assert_eq!(frozen_logits(&victim), before, "drop");
}

#[test]
fn value_changing_a_plain_original_changes_no_frozen_logit() {
    // Without autodiff `valid` has nothing to leave; it must still copy.
    let model = Net::new(&device());
    let victim = Frozen::new(&model);
    let before = frozen_logits(&victim);
    model.norm.running_mean.update(Tensor::ones([4], &device()));
    model.norm.running_mean.value_sync();
    assert_eq!(frozen_logits(&victim), before, "running statistics");
    let other = Net::new(&device());
    let model = model.load_record(other.into_record());
    assert_eq!(frozen_logits(&victim), before, "load_record");
    assert_ne!(vec(model.valid().logits(images(0.0))), before);
}

#[cfg(feature = "train")]
#[test]
fn value_training_the_original_changes_no_frozen_logit() {
    use burn::optim::{GradientsParams, SgdConfig};

    let mut model = Net::new(&device().autodiff());
    let victim = Frozen::new(&model);
    let before = frozen_logits(&victim);
    let mut optimizer = SgdConfig::new().init();
    for _ in 0..3 {
        let labels = batch().labels.autodiff();
        let loss = CrossEntropy.per_image(
            model.logits(images(0.0).autodiff()),
            &Reference::new(labels),
        );
        let gradients = GradientsParams::from_grads(loss.sum().backward(), &model);
        model = optimizer.step(0.1, model, gradients);
    }
    assert_eq!(frozen_logits(&victim), before);
    assert_ne!(vec(model.valid().logits(images(0.0))), before);
}

#[test]
fn value_attacking_the_frozen_changes_nothing_in_the_original() {
    let model = Net::new(&device().autodiff());
    warm_up(&model);
    let before = vec(model.valid().logits(images(0.0)));
    let statistics = vec(model.norm.running_mean.value_sync());
    let victim = Frozen::new(&model);
    Pgd::linf(0.1).attack(&victim, &batch(), Seed(1)).unwrap();
    drop(victim);
    assert_eq!(vec(model.norm.running_mean.value_sync()), statistics);
    assert_eq!(vec(model.valid().logits(images(0.0))), before);
    assert!(model.linear.weight.is_require_grad());
    // It still trains: dropout and batch statistics are on.
    assert_ne!(
        vec(model.logits(images(0.0).autodiff()).inner()),
        vec(model.logits(images(0.0).autodiff()).inner())
    );
}

#[test]
fn gradient_of_the_loss_matches_finite_differences() {
    // Oracle: central differences in f32 along random directions, of a smooth classifier.
    let weights = (Tensor::<1, Int>::arange(0..64 * 3, &device()).float() * 1.3)
        .cos()
        .reshape([64, 3]);
    let victim = Frozen::from_fn(move |x: Tensor<4>| {
        (x.flatten::<2>(1, 3) * 2.0).sin().matmul(weights.clone())
    });
    for loss in [&CrossEntropy as &dyn Loss, &Margin] {
        let labels = Reference::new(batch().labels);
        let value = |x: Tensor<4>| vec(loss.per_image(victim.logits(x), &labels));
        let pass = victim
            .loss_gradient(images(0.0), |logits| loss.per_image(logits, &labels))
            .unwrap();
        assert_eq!(vec(pass.loss), value(images(0.0)));
        let direction = (images(0.4) - 0.5) * 2.0;
        let step = 1e-2;
        let above = value(images(0.0) + direction.clone() * step);
        let below = value(images(0.0) - direction.clone() * step);
        let slope = vec((pass.gradient * direction).sum_dims(&[1, 2, 3]));
        for ((above, below), slope) in above.iter().zip(&below).zip(slope) {
            let measured = (above - below) / (2.0 * step as f32);
            assert!(
                (measured - slope).abs() < 2e-2 * slope.abs().max(1.0),
                "{measured} {slope}"
            );
        }
    }
}

#[test]
fn value_through_attacks_behind_a_map() {
    // Oracle: the logits of the mapped images.
    let victim = Frozen::new(&Net::new(&device()));
    let mirrored = victim.through(|images| images.flip([3]));
    assert_eq!(
        vec(mirrored.logits(images(0.0))),
        vec(victim.logits(images(0.0).flip([3])))
    );
    let pass = mirrored.loss_gradient(images(0.0), |z| {
        Margin.per_image(z, &Reference::new(batch().labels))
    });
    let plain = victim.loss_gradient(images(0.0).flip([3]), |z| {
        Margin.per_image(z, &Reference::new(batch().labels))
    });
    assert_eq!(
        vec(pass.unwrap().gradient.flip([3])),
        vec(plain.unwrap().gradient)
    );
}

#[test]
fn error_classifier_without_a_gradient() {
    let constant =
        Frozen::from_fn(|x: Tensor<4>| Tensor::zeros([x.dims()[0], 3], &x.device().inner()));
    let cut = Frozen::from_fn(|x: Tensor<4>| x.inner().flatten::<2>(1, 3).narrow(1, 0, 3));
    for victim in [constant, cut] {
        let error = Pgd::linf(0.1)
            .attack(&victim, &batch(), Seed(1))
            .unwrap_err();
        assert!(matches!(error, Error::Input { .. }), "{error}");
        assert!(error.to_string().contains("gradient"), "{error}");
    }
}

#[test]
fn smoke_debug_and_classes() {
    let victim = Frozen::new(&Net::new(&device()));
    assert_eq!(format!("{victim:?}"), "Frozen { classes: None, .. }");
    assert_eq!(victim.classes(&images(0.0)), 3);
    assert_eq!(
        format!("{:?}", victim.clone()),
        "Frozen { classes: Some(3), .. }"
    );
    assert_eq!(victim.predict(images(0.0)).len(), 5);
}
