//! Objectives around others: perturbed and averaged weights.

use super::fitting::{GENERATOR, Net, weights};
use super::given::{CALM, HARD, epoch, loader};
use crate::common::values;
use burn::data::dataloader::DataLoader;
use burn::module::Module;
use burn::tensor::Tensor;
use burn::train::TrainStep;
use fireproof::curriculum::Stage;
use fireproof::train::{
    Augmentation, Awp, Ema, Mart, Natural, Objective, ObjectiveSpec, PgdTraining, StagedBatch,
    Student, Swa, Trades, Trainee, sgd,
};
use std::sync::PoisonError;

fn net() -> Net {
    net_of(1)
}

/// The same network whenever it is made.
fn net_of(seed: u64) -> Net {
    let device = fireproof::device().autodiff();
    Net::seeded(seed, &device).valid().train().fork(&device)
}

fn batch(stage: Stage) -> StagedBatch {
    let device = fireproof::device();
    let loader = loader(&device, 16, &[stage], 1).to_device(&device.clone().autodiff());
    epoch(&*loader).remove(0)
}

/// Learnt weights, running statistics.
fn parts(student: &Net) -> [Vec<Vec<f32>>; 2] {
    let (learnt, rest): (Vec<_>, Vec<_>) = student.weights().into_iter().partition(|w| w.learnt);
    [learnt, rest].map(|weights| weights.iter().map(|w| values(&w.values)).collect())
}

fn gradients(student: &Net, objective: &dyn Objective, staged: &StagedBatch) -> Vec<Vec<f32>> {
    let step = objective.step(student, staged).unwrap();
    let gradients = student.flat_gradients(&step.gradients);
    gradients.iter().flatten().map(values).collect()
}

#[test]
fn value_gradients_are_those_at_perturbed_weights() {
    // Oracle: the formula on the host in f64, and a network that has the perturbed weights as its own.
    let _alone = GENERATOR.write().unwrap_or_else(PoisonError::into_inner);
    let (staged, gamma) = (batch(HARD), 0.05);
    for of in [
        ObjectiveSpec::from(Natural),
        PgdTraining::default().into(),
        Trades::new(2.0).into(),
        Mart::default().into(),
    ] {
        let net = net();
        let (mut twin, before) = (net.valid().train(), parts(&net));
        let found = gradients(&net, &Awp::new(of.clone()).with_gamma(gamma), &staged);
        // The weights are where they were to the bit.
        assert_eq!(parts(&net)[0], before[0]);

        let crafted = of.craft(&twin, &staged).unwrap();
        let up = of.learn(&*twin.apart(), &staged, &crafted).unwrap();
        // A pass apart leaves the running statistics alone.
        assert_eq!(parts(&twin), before, "{of:?}");
        let up = twin.flat_gradients(&up.gradients);
        let moved = twin
            .weights()
            .into_iter()
            .zip(up)
            .map(|(weight, gradient)| {
                let Some(gradient) = gradient.filter(|_| weight.shape.len() > 1) else {
                    return weight.values;
                };
                let (w, g) = (values(&weight.values), values(&gradient));
                let length =
                    |v: &[f32]| v.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
                let times = gamma * length(&w) / length(&g);
                let moved = w.iter().zip(&g);
                let moved = moved.map(|(w, g)| (f64::from(*w) + times * f64::from(*g)) as f32);
                Tensor::from_data(Vec::from_iter(moved).as_slice(), &fireproof::device())
            });
        let moved = moved.collect();
        twin.replace(moved);
        let step = of.learn(&twin, &staged, &crafted).unwrap();
        let expected = twin.flat_gradients(&step.gradients);
        let expected = Vec::from_iter(expected.iter().flatten().map(values));
        let off = found.concat().into_iter().zip(expected.concat());
        let largest = expected
            .concat()
            .into_iter()
            .fold(0.0f32, |m, g| m.max(g.abs()));
        assert!(off.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) < 1e-4 * largest);
        // The pass at the perturbed weights counts in the running statistics, once.
        let [found, expected] =
            [parts(&net), parts(&twin)].map(|[_, statistics]| statistics.concat());
        assert!(
            found
                .iter()
                .zip(&expected)
                .all(|(a, b)| (a - b).abs() < 1e-5),
            "{of:?}"
        );
    }
}

#[test]
fn convention_weights_are_not_perturbed_before_their_time() {
    let _alone = GENERATOR.write().unwrap_or_else(PoisonError::into_inner);
    let staged = batch(HARD);
    let of = PgdTraining::default;
    let plain = gradients(&net_of(3), &of(), &staged);
    for same in [
        Awp::new(of()).with_gamma(0.0),
        Awp::new(of()).with_warmup(1),
    ] {
        assert_eq!(gradients(&net_of(3), &same, &staged), plain);
    }
    for other in [Awp::new(of()), Awp::new(of()).with_gamma(0.005)] {
        assert_ne!(gradients(&net_of(3), &other, &staged), plain);
    }
    let after = StagedBatch {
        epoch: 2,
        ..batch(HARD)
    };
    let awp = Awp::new(of()).with_warmup(1);
    assert_ne!(
        gradients(&net_of(3), &awp, &after),
        gradients(&net_of(3), &of(), &after)
    );
    let published = Awp::trades(6.0);
    assert_eq!((published.gamma, published.warmup), (0.005, 10));
    assert_eq!(
        (Awp::new(Natural).gamma, Awp::new(Natural).warmup),
        (0.01, 0)
    );
}

/// Trains for so many epochs with the objective and without what is around it. What `expected` makes of the
/// weights after each update must be what is judged at the end of each epoch.
fn judged_is(
    objective: impl Into<ObjectiveSpec>,
    epochs: usize,
    mut expected: impl FnMut(usize, &[f32]) -> Vec<f32>,
) {
    let _alone = GENERATOR.write().unwrap_or_else(PoisonError::into_inner);
    let net = net();
    let copy = net.valid().train();
    expected(0, &weights(&net.valid()));
    let mut plain = Trainee::new(net, Natural, Augmentation::default());
    let mut trainee = Trainee::new(copy, objective, Augmentation::default());
    let settled = |trainee: &Trainee<Net>| weights(&trainee.model.valid());
    let optimisers = &mut [sgd(0.9, 5e-4), sgd(0.9, 5e-4)];
    let stages = vec![CALM; epochs];
    let loader = loader(&fireproof::device(), 48, &stages, 1);
    let loader = loader.to_device(&fireproof::device().autodiff());
    for number in 1..=epochs {
        let mut judged = Vec::new();
        for staged in epoch(&*loader) {
            assert_eq!(staged.epoch, number);
            let output = TrainStep::step(&plain, staged.clone());
            plain = plain.optimize(&mut optimisers[0], 0.1.into(), output.grads);
            let output = TrainStep::step(&trainee, staged);
            trainee = trainee.optimize(&mut optimisers[1], 0.1.into(), output.grads);
            judged = expected(number, &settled(&plain));
        }
        // What is learnt is what it would be without.
        assert!(settled(&trainee) == settled(&plain));
        let found = weights(&trainee.judged().unwrap());
        let off = found.iter().zip(&judged).map(|(a, b)| (a - b).abs());
        assert!(off.fold(0.0, f32::max) < 1e-5, "epoch {number}");
    }
}

#[test]
fn value_a_moving_average_follows_its_formula() {
    // Oracle: the formula on the host in f64, on the weights of a training without it.
    for decay in [0.3, 0.999] {
        let (mut average, mut n) = (Vec::new(), 0.0);
        let ema = Ema::new(Natural).with_decay(decay);
        judged_is(ema, 3, |number, weights| {
            let weights = Vec::from_iter(weights.iter().map(|&w| f64::from(w)));
            if number == 0 {
                average = weights;
            } else {
                n += 1.0;
                let kept = f64::min(decay, (1.0 + n) / (10.0 + n));
                for (average, weight) in average.iter_mut().zip(weights) {
                    *average = kept * *average + (1.0 - kept) * weight;
                }
            }
            average.iter().map(|&w| w as f32).collect()
        });
    }
}

#[test]
fn value_a_mean_over_epochs_follows_its_formula() {
    // Oracle: the mean on the host in f64 of the weights at the ends of the epochs that count.
    for from in [1, 2, 3, 9] {
        let mut ends: Vec<(usize, Vec<f64>)> = Vec::new();
        judged_is(Swa::new(Natural, from), 4, |number, weights| {
            let weights = Vec::from_iter(weights.iter().map(|&w| f64::from(w)));
            ends.retain(|(epoch, _)| *epoch != number && *epoch >= from);
            ends.push((number, weights));
            let count = ends.len() as f64;
            let mean = |at: usize| ends.iter().map(|(_, w)| w[at]).sum::<f64>() / count;
            (0..ends[0].1.len()).map(|at| mean(at) as f32).collect()
        });
    }
}

#[test]
fn value_averages_of_averages() {
    // Oracle: an average that keeps nothing is what is inside, weights or their average.
    let nothing = |of: ObjectiveSpec| Ema::new(of).with_decay(0.0);
    judged_is(nothing(Natural.into()), 2, |_, weights| weights.to_vec());
    let mut ends: Vec<(usize, Vec<f32>)> = Vec::new();
    judged_is(
        nothing(Swa::new(Natural, 1).into()),
        3,
        |number, weights| {
            ends.retain(|(epoch, _)| *epoch != number && *epoch >= 1);
            ends.push((number, weights.to_vec()));
            let count = ends.len() as f32;
            let mean = |at: usize| ends.iter().map(|(_, w)| w[at]).sum::<f32>() / count;
            (0..weights.len()).map(mean).collect()
        },
    );
}
