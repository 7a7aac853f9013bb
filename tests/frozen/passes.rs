//! What a frozen model computes.

use super::given::{Net, batch, frozen_logits, images, warm_up};
use crate::common::{On, values};
use burn::module::Module;
use burn::tensor::{Int, Tensor};
use fireproof::attack::{Attack, CrossEntropy, Frozen, Loss, Margin, Pgd, Reference};
use fireproof::base::{Classifier, Error, Seed};

on_every_device![
    value_frozen_logits_are_those_of_inference_mode,
    value_frozen_logits_are_outside_autodiff,
    gradient_of_the_loss_matches_finite_differences,
    value_through_attacks_behind_a_map,
    error_classifier_without_a_gradient,
    smoke_debug_and_classes,
];

fn value_frozen_logits_are_those_of_inference_mode(on: &On) {
    // Oracle: Burn's own `valid`.
    let model = Net::new(&on.device().autodiff());
    warm_up(on, &model);
    let victim = Frozen::new(&model);
    assert_eq!(
        frozen_logits(on, &victim),
        values(model.valid().logits(images(on, 0.0)))
    );
    // Dropout is off and batch mates do not matter.
    assert_eq!(frozen_logits(on, &victim), frozen_logits(on, &victim));
    let alone = values(victim.logits(images(on, 0.0).narrow(0, 2, 1)));
    for (alone, together) in alone.iter().zip(&frozen_logits(on, &victim)[6..9]) {
        assert!((alone - together).abs() < 1e-5);
    }
    // Training mode does differ, or the above would show nothing.
    assert_ne!(
        frozen_logits(on, &victim),
        values(model.logits(images(on, 0.0)).inner())
    );
}

fn value_frozen_logits_are_outside_autodiff(on: &On) {
    let victim = Frozen::new(&Net::new(&on.device().autodiff()));
    assert!(
        !victim
            .logits(images(on, 0.0).autodiff().require_grad())
            .is_autodiff()
    );
    let pass = victim
        .loss_gradient(images(on, 0.0).autodiff(), |logits| {
            CrossEntropy.per_image(logits, &Reference::new(batch(on).labels))
        })
        .unwrap();
    assert!(!pass.loss.is_autodiff() && !pass.logits.is_autodiff());
    assert!(!pass.gradient.is_autodiff());
    assert_eq!(pass.gradient.dims(), [5, 1, 8, 8]);
}

fn gradient_of_the_loss_matches_finite_differences(on: &On) {
    // Oracle: central differences in f32 along random directions, of a smooth classifier.
    let weights = (Tensor::<1, Int>::arange(0..64 * 3, &on.device()).float() * 1.3)
        .cos()
        .reshape([64, 3]);
    let victim = Frozen::from_fn(move |x: Tensor<4>| {
        (x.flatten::<2>(1, 3) * 2.0).sin().matmul(weights.clone())
    });
    for loss in [&CrossEntropy as &dyn Loss, &Margin] {
        let labels = Reference::new(batch(on).labels);
        let value = |x: Tensor<4>| values(loss.per_image(victim.logits(x), &labels));
        let pass = victim
            .loss_gradient(images(on, 0.0), |logits| loss.per_image(logits, &labels))
            .unwrap();
        assert_eq!(values(pass.loss), value(images(on, 0.0)));
        let direction = (images(on, 0.4) - 0.5) * 2.0;
        let step = 1e-2;
        let above = value(images(on, 0.0) + direction.clone() * step);
        let below = value(images(on, 0.0) - direction.clone() * step);
        let slope = values((pass.gradient * direction).sum_dims(&[1, 2, 3]));
        for ((above, below), slope) in above.iter().zip(&below).zip(slope) {
            let measured = (above - below) / (2.0 * step as f32);
            assert!(
                (measured - slope).abs() < 2e-2 * slope.abs().max(1.0),
                "{measured} {slope}"
            );
        }
    }
}

fn value_through_attacks_behind_a_map(on: &On) {
    // Oracle: the logits of the mapped images.
    let victim = Frozen::new(&Net::new(&on.device()));
    let mirrored = victim.through(|images| images.flip([3]));
    assert_eq!(
        values(mirrored.logits(images(on, 0.0))),
        values(victim.logits(images(on, 0.0).flip([3])))
    );
    let pass = mirrored.loss_gradient(images(on, 0.0), |z| {
        Margin.per_image(z, &Reference::new(batch(on).labels))
    });
    let plain = victim.loss_gradient(images(on, 0.0).flip([3]), |z| {
        Margin.per_image(z, &Reference::new(batch(on).labels))
    });
    assert_eq!(
        values(pass.unwrap().gradient.flip([3])),
        values(plain.unwrap().gradient)
    );
}

fn error_classifier_without_a_gradient(on: &On) {
    let constant =
        Frozen::from_fn(|x: Tensor<4>| Tensor::zeros([x.dims()[0], 3], &x.device().inner()));
    let cut = Frozen::from_fn(|x: Tensor<4>| x.inner().flatten::<2>(1, 3).narrow(1, 0, 3));
    for victim in [constant, cut] {
        let error = Pgd::linf(0.1)
            .attack(&victim, &batch(on), Seed(1))
            .unwrap_err();
        assert!(matches!(error, Error::Input { .. }), "{error}");
        assert!(error.to_string().contains("gradient"), "{error}");
    }
}

fn smoke_debug_and_classes(on: &On) {
    let victim = Frozen::new(&Net::new(&on.device()));
    assert_eq!(format!("{victim:?}"), "Frozen { classes: None, .. }");
    assert_eq!(victim.classes(&images(on, 0.0)), 3);
    assert_eq!(
        format!("{:?}", victim.clone()),
        "Frozen { classes: Some(3), .. }"
    );
    assert_eq!(victim.predict(images(on, 0.0)).len(), 5);
}
