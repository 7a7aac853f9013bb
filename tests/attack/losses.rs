//! What attacks climb: losses, their unsaturated forms, and ties.

use super::network::{Net, network, random_batch};
use crate::common::{On, uniform, values};
use burn::tensor::Tensor;
use fireproof::attack::{
    Attack, CrossEntropy, Frozen, Kl, Loss, Margin, Pgd, ProbabilityMargin, Reference,
    predicted_classes,
};
use fireproof::base::{Classifier, Purpose, Seed, read};
use serde_json::Value;
use std::fmt;

on_every_device![
    value_unsaturated_cross_entropy_is_its_inverse_softplus,
    value_kl_and_probability_margin_by_hand,
    value_kl_is_zero_at_the_start,
    value_margin_of_a_tie_says_what_the_prediction_says,
    value_saturated_losses_stop_neither_attack,
    value_vanishing_gradients_are_reported,
];

fn value_unsaturated_cross_entropy_is_its_inverse_softplus(on: &On) {
    // Oracle: cross-entropy is log(1 + exp(u)), so that its gradient is sigmoid(u) times u's.
    let mut draws = Seed(5).draws(Purpose::Subset, 0, 0);
    let logits = on.tensor(uniform(&mut draws, 60 * 5, -4.0, 4.0), [60, 5]);
    let labels = on.labels(&Vec::from_iter((0..60).map(|at| at % 5)));
    let towards = on.labels(&Vec::from_iter((0..60).map(|at| (at + 2) % 5)));
    let away = Reference::new(labels);
    for reference in [away.clone(), away.with_targets(towards)] {
        let sign: f32 = if reference.targets.is_some() {
            -1.0
        } else {
            1.0
        };
        let u = values(CrossEntropy.unsaturated(logits.clone(), &reference));
        let loss = values(CrossEntropy.per_image(logits.clone(), &reference));
        for (u, loss) in u.iter().zip(&loss) {
            let expected = f64::from(sign) * f64::from(sign * u).exp().ln_1p();
            assert!(
                (expected - f64::from(*loss)).abs() < 2e-5,
                "{expected} {loss}"
            );
        }
        let gradient = |of: &dyn Fn(Tensor<2>) -> Tensor<1>| {
            let logits = logits.clone().autodiff().require_grad();
            let gradients = of(logits.clone()).sum().backward();
            values(logits.grad(&gradients).unwrap())
        };
        let of_u = gradient(&|z| CrossEntropy.unsaturated(z, &reference));
        let of_loss = gradient(&|z| CrossEntropy.per_image(z, &reference));
        for (at, (a, b)) in of_u.iter().zip(&of_loss).enumerate() {
            let sigmoid = 1.0 / (1.0 + (-sign * u[at / 5]).exp());
            assert!((a * sigmoid - b).abs() < 1e-6, "{a} {b} {sigmoid}");
        }
    }
}

fn value_kl_and_probability_margin_by_hand(on: &On) {
    // Logits whose exponentials are 1, 2, 5 and, for the clean image, 4, 2, 2.
    let ln = |row: [f32; 3]| on.tensor(row.map(f32::ln).to_vec(), [1, 3]);
    let (logits, clean) = (ln([1.0, 2.0, 5.0]), ln([4.0, 2.0, 2.0]));
    let away = Reference::new(on.labels(&[0])).with_clean(clean);
    let [p, q] = [[0.5f64, 0.25, 0.25], [0.125, 0.25, 0.625]];
    let expected: f64 = p.iter().zip(q).map(|(p, q)| p * (p / q).ln()).sum();
    let found = f64::from(values(Kl.per_image(logits.clone(), &away))[0]);
    assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    let margin =
        |reference: &Reference| values(ProbabilityMargin.per_image(logits.clone(), reference))[0];
    assert!((margin(&away) - (0.625 - 0.125)).abs() < 1e-6);
    let towards = away.with_targets(on.labels(&[1]));
    assert!((margin(&towards) - (0.25 - 0.625)).abs() < 1e-6);
}

fn value_kl_is_zero_at_the_start(on: &On) {
    let victim = Frozen::new(&Net::random(on, 1));
    let batch = random_batch(on, &victim, on.pick(6, 2));
    let attack = Pgd::linf(0.05).with_loss(Kl).with_steps(3);
    // With steps of a sign, rounding alone would lead away.
    let still = attack.clone().with_random_start(false).with_steps(0);
    let found = still.attack(&victim, &batch, Seed(1)).unwrap();
    assert!(
        found.loss.iter().all(|loss| loss.abs() < 1e-6),
        "{:?}",
        found.loss
    );
    // From anywhere else it rises, but where the network is so sure that there is no gradient.
    let found = attack.attack(&victim, &batch, Seed(1)).unwrap();
    assert!(found.loss.iter().all(|&loss| loss > -1e-6));
    assert!(found.loss.iter().any(|&loss| loss > 0.1));
}

fn value_margin_of_a_tie_says_what_the_prediction_says(on: &On) {
    // All logits of three classes from two values, so that most rows are ties.
    for code in 0..8 {
        let row = [0, 1, 2].map(|bit| f32::from(code >> bit & 1 == 1) * 3.0 - 1.0);
        let logits = on.tensor(row.to_vec(), [1, 3]);
        let predicted = read::<i64, _, _>(&predicted_classes(logits.clone()))[0];
        for class in 0..3 {
            let away = Reference::new(on.labels(&[class]));
            let margin = values(Margin.per_image(logits.clone(), &away))[0];
            assert_eq!(margin > 0.0, predicted != class, "{row:?} {class}");
            let other = Reference::new(on.labels(&[(class + 1) % 3]));
            let towards = other.with_targets(on.labels(&[class]));
            let margin = values(Margin.per_image(logits.clone(), &towards))[0];
            assert_eq!(margin > 0.0, predicted == class, "{row:?} towards {class}");
        }
    }
}

// A network with logits so many times as large: the same classes everywhere.
fn louder(on: &On, times: f64) -> Frozen {
    let net = Net::random(on, 1);
    Frozen::from_fn(move |images| net.logits(images) * times)
}

fn value_saturated_losses_stop_neither_attack(on: &On) {
    let count = on.pick(200, 20);
    let victim = Frozen::new(&Net::random(on, 1));
    let batch = random_batch(on, &victim, count);
    let accuracy = |victim: &Frozen, attack: Pgd| {
        let found = attack.attack(victim, &batch, Seed(3)).unwrap();
        assert_eq!(found.vanished.iter().sum::<u32>(), 0);
        found.robust_accuracy()
    };
    for pgd in [Pgd::linf(0.03), Pgd::l2(0.6)] {
        let loud = louder(on, 100.0);
        let by_entropy = accuracy(&loud, pgd.clone());
        let by_margin = accuracy(&loud, pgd.clone().with_loss(Margin));
        assert!((0.05..0.9).contains(&by_margin), "{pgd}: {by_margin}");
        let most = by_margin + on.pick(0.01, 0.051);
        assert!(by_entropy <= most, "{pgd}: {by_entropy} {by_margin}");
        // The direction does not depend on how loud the logits are but for their softmax.
        let plain = accuracy(&victim, pgd.clone());
        assert!((by_entropy - plain).abs() < 0.1, "{by_entropy} {plain}");
    }
}

/// Cross-entropy as it stands, which saturates.
#[derive(Debug)]
pub struct Saturating;

impl fmt::Display for Saturating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plain cross-entropy")
    }
}

impl Loss for Saturating {
    fn per_image(&self, logits: Tensor<2>, reference: &Reference) -> Tensor<1> {
        CrossEntropy.per_image(logits, reference)
    }

    fn settings(&self) -> Value {
        Value::from("saturating")
    }
}

fn value_vanishing_gradients_are_reported(on: &On) {
    let (_, batch) = network(on);
    let loud = louder(on, 1000.0);
    let pgd = Pgd::linf(0.03).with_loss(Saturating);
    let found = pgd.attack(&loud, &batch, Seed(3)).unwrap();
    let stands = |at: &usize| !found.fooled[*at];
    let silent = (0..batch.len()).filter(stands);
    let silent = Vec::from_iter(silent.filter(|&at| found.vanished[at] == 10));
    assert!(silent.len() > 10, "{:?}", found.vanished);
    let climbed = Pgd::linf(0.03).attack(&loud, &batch, Seed(3)).unwrap();
    assert!(silent.iter().any(|&at| climbed.fooled[at]));
    assert_eq!(climbed.vanished, vec![0; batch.len()]);
}
