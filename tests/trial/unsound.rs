//! Classifiers whose numbers fail somewhere in the ball: nothing is robust by that alone.

use super::given::{IMAGES, attacks, batch, pixels, victim};
use crate::common::On;
use burn::tensor::Tensor;
use fireproof::attack::{
    Attack, AttackSpec, Fgsm, Found, Frozen, Keep, Margin, NO_CLASS, NormSpec, Pgd,
};
use fireproof::attack::{L2, Linf};
use fireproof::base::{Batch, Seed};
use fireproof::kernel::Numerics;

on_every_device![
    value_bad_gradients_do_not_spoil_the_others,
    value_nan_logits_are_never_robust,
    value_flaws_of_gradients_are_counted_per_image,
    value_a_false_pass_does_not_save_from_restarts,
];

// One image of two pixels, and a classifier of two logits; classes may be swapped.
fn case(
    on: &On,
    pixels: [f32; 2],
    label: usize,
    logits: impl Fn([Tensor<2>; 2]) -> [Tensor<2>; 2] + Send + Sync + 'static,
) -> (Frozen, Batch) {
    let victim = Frozen::from_fn(move |images: Tensor<4>| {
        let x = images.flatten::<2>(1, 3);
        let [own, other] = logits([0, 1].map(|at| x.clone().narrow(1, at, 1)));
        let order = match label {
            0 => vec![own, other],
            _ => vec![other, own],
        };
        Tensor::cat(order, 1)
    });
    let images = on.tensor(pixels.to_vec(), [1, 1, 1, 2]);
    let batch = Batch::new(images, on.labels(&[label as i64])).unwrap();
    assert_eq!(victim.predict(batch.images.clone()), [label as i64]);
    (victim, batch)
}

fn ways(on: &On, norm: impl Into<NormSpec>, epsilon: f64) -> Vec<AttackSpec> {
    let pgd = Pgd::new(norm, epsilon);
    let fgsm = Fgsm::new(pgd.norm.clone(), epsilon);
    if on.pick(false, true) {
        return vec![fgsm.into(), pgd.with_steps(4).restarts(2).into()];
    }
    let mut ways: Vec<AttackSpec> = vec![fgsm.clone().into(), fgsm.with_loss(Margin).into()];
    for attack in [pgd.clone(), pgd.with_loss(Margin)] {
        for keep in [Keep::Best, Keep::Last] {
            let attack = attack.clone().with_keep(keep);
            ways.push(attack.clone().with_random_start(false).into());
            ways.push(attack.clone().into());
            ways.push(attack.restarts(3).into());
        }
    }
    ways
}

fn found(attack: &AttackSpec, victim: &Frozen, batch: &Batch, numerics: Numerics) -> Found {
    let victim = victim.clone().with_numerics(numerics);
    attack.attack(&victim, batch, Seed(1)).unwrap()
}

fn value_bad_gradients_do_not_spoil_the_others(on: &On) {
    let numerics = on.among(&[Numerics::Exact, Numerics::Fast], &[Numerics::Exact]);
    // WGSL lets shaders assume that neither NaN nor infinity occurs.
    if on.is("wgpu") {
        return;
    }
    // At a black first pixel the root has no derivative; the second pixel leads to (0, 0.55).
    for label in [0, 1] {
        let (victim, batch) = case(on, [0.0, 0.4], label, |[first, second]| {
            let s = second - 0.5 + (first.clone() * first).sqrt();
            [s.clone() * 0.0, s]
        });
        for &numerics in numerics {
            for attack in [ways(on, L2, 0.2), ways(on, Linf, 0.2)].concat() {
                let found = found(&attack, &victim, &batch, numerics);
                assert_eq!(found.fooled, [true], "{attack} {label}");
                if !attack.is_random() {
                    assert!(found.undefined[0] > 0, "{attack} {label}");
                }
            }
        }
    }
}

fn value_nan_logits_are_never_robust(on: &On) {
    let numerics = on.among(&[Numerics::Exact, Numerics::Fast], &[Numerics::Exact]);
    // Numbers only within 0.001 of the image itself.
    for label in [0, 1] {
        let (victim, batch) = case(on, [0.4, 0.4], label, |[first, _]| {
            let g = ((first - 0.4).abs().neg() + 0.001).log() + 10.0;
            [g.clone(), g / 2.0]
        });
        for &numerics in numerics {
            for attack in [ways(on, L2, 0.1), ways(on, Linf, 0.1)].concat() {
                let found = found(&attack, &victim, &batch, numerics);
                if attack.is_random() {
                    assert_eq!(found.fooled, [true], "{attack} {label}");
                    assert_eq!(found.predicted, [NO_CLASS], "{attack} {label}");
                }
                // At the image itself the gradient is zero, or not a number.
                let flawed = found.vanished[0] + found.undefined[0] > 0;
                assert!(found.fooled[0] || flawed, "{attack} {label}");
            }
        }
    }
    // From the first pass on, towards a target, and against the own prediction.
    let lost = Frozen::from_fn(|x: Tensor<4>| x.flatten::<2>(1, 3).narrow(1, 0, 3) * f32::NAN);
    let batch = batch(on, &victim(on));
    let mut all = attacks(0.08);
    all.truncate(on.pick(all.len(), 2));
    all.push(Pgd::linf(0.1).with_predicted_labels(true).into());
    for attack in all {
        let found = attack.attack(&lost, &batch, Seed(1)).unwrap();
        assert_eq!(found.robust_accuracy(), 0.0, "{attack}");
        assert_eq!(found.predicted, [NO_CLASS; IMAGES], "{attack}");
    }
}

fn value_flaws_of_gradients_are_counted_per_image(on: &On) {
    // The first pixel says what is wrong with an image's gradient.
    let victim = Frozen::from_fn(|images: Tensor<4>| {
        let x = images.flatten::<2>(1, 3);
        let [kind, y] = [0, 1].map(|at| x.clone().narrow(1, at, 1));
        let flat = y.clone() * kind.clone().greater_elem(0.2).float();
        let rough = (kind.clone() - 1.0).detach() * 0.0 + (kind - 1.0).square().sqrt();
        let score = flat + rough * 1e-3 - 2.0;
        Tensor::cat(vec![score.clone() * 0.0, score], 1)
    });
    let pixels = [0.5, 0.5, 0.0, 0.5, 1.0, 0.5, 0.6, 0.5].to_vec();
    let batch = Batch::new(on.tensor(pixels, [4, 1, 1, 2]), on.labels(&[0; 4])).unwrap();
    let still = victim.through(|images| {
        let [count, _, _, _] = images.dims();
        let other = images.clone().narrow(3, 1, 1);
        let first = images.narrow(3, 0, 1);
        // The second image's logits do not depend on it at all.
        let dead = first.clone().equal_elem(0.0);
        let first = first.mask_fill(dead.clone(), 0.0);
        Tensor::cat(vec![first, other.mask_fill(dead, 0.0)], 3).reshape([count, 1, 1, 2])
    });
    let attack = Pgd::linf(0.0).with_steps(3).with_random_start(false);
    let found = attack.attack(&still, &batch, Seed(1)).unwrap();
    assert_eq!(found.vanished, [0, 3, 0, 0]);
    if on.is("wgpu") {
        return; // As above.
    }
    assert_eq!(found.undefined, [0, 0, 3, 0]);
    assert_eq!(found.fooled, [false; 4]);
    // The same where images are attacked in parts.
    let parts = attack.clone().or(attack.clone());
    let twice = parts.attack(&still, &batch, Seed(1)).unwrap();
    assert_eq!(twice.vanished, [0, 6, 0, 0]);
    assert_eq!(twice.select(&[2, 1]).undefined, [6, 0]);
    let merged = Found::merge([twice.select(&[2]), twice.select(&[1])]);
    assert_eq!(
        (merged.undefined, merged.vanished),
        (vec![6, 0], vec![0, 6])
    );
}

fn value_a_false_pass_does_not_save_from_restarts(on: &On) {
    // Oracle: the same classifier with passes that tell the truth. In these, a gradient's pass adds
    // what makes every image look fooled, as rounding may do on the very edge.
    let honest = victim(on);
    let batch = batch(on, &honest);
    let liar = {
        let (honest, wrong) = (honest.clone(), batch.labels_to_vec());
        let ids = batch.ids.clone();
        Frozen::from_shared(std::sync::Arc::new(Liar { honest, ids, wrong }))
    };
    let attack = Pgd::linf(0.05).with_steps(2).restarts(4);
    let [truth, found] = [&honest, &liar].map(|v| attack.attack(v, &batch, Seed(1)).unwrap());
    let stand = |found: &Found| Vec::from_iter((0..IMAGES).filter(|&at| !found.fooled[at]));
    assert!((3..IMAGES).contains(&stand(&truth).len()));
    for at in stand(&truth) {
        assert_eq!(found.gradients[at], 8, "image {at}");
    }
    // Other candidates win where all seem to fool, but nothing is reported that does not.
    let really = honest.predict(found.images.clone());
    assert_eq!(found.predicted, really);
    assert_ne!(pixels(&found), pixels(&truth));
}

struct Liar {
    honest: Frozen,
    ids: Vec<u64>,
    wrong: Vec<i64>,
}

impl fireproof::base::Classifier for Liar {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        self.logits_of(images, &self.ids)
    }

    fn logits_of(&self, images: Tensor<4>, ids: &[u64]) -> Tensor<2> {
        if !images.is_autodiff() {
            return self.honest.logits(images);
        }
        let victim = super::given::logits(images);
        let label = |id: &u64| {
            let at = self.ids.iter().position(|own| own == id).unwrap();
            self.wrong[at]
        };
        let labels = Vec::from_iter(ids.iter().map(label));
        let lies: Vec<f32> = (labels.iter())
            .flat_map(|&label| (0..3).map(move |class| if class == label { -50.0 } else { 0.0 }))
            .collect();
        let device = victim.device().inner();
        let lies = burn::tensor::TensorData::new(lies, [labels.len(), 3]);
        victim + Tensor::<2>::from_inner(Tensor::from_data(lies, &device))
    }
}
