//! What is done with a whole classifier: passes, attacks, evaluation, training.

use super::given::{SIDE, coarse, images, model, numbers};
use super::operations::distance;
use crate::common::On;
use burn::tensor::Tensor;
use fireproof::attack::{
    Apgd, Attack, AttackSpec, CrossEntropy, Ddn, DeepFool, Dlr, Fab, Fgsm, Fmn, Frozen, Keep,
    LeastLikely, Linf, Loss, Malt, Margin, NormSpec, Pgd, Reference, Square, verify,
};
use fireproof::base::{Batch, Bounds, Degrees, Precision, Purpose, Seed};
use fireproof::data::ImageSet;
use fireproof::evaluate::{Axis, Evaluation, RandomPose};
use fireproof::transform::Warp;

pub type Errors = (&'static str, Vec<Option<f64>>);

const COUNT: usize = 4;

/// By name, for each of `Precision::ALL` that there is, how far it is off: attacks outside their
/// balls, all else from the finest precision.
pub fn attacks(on: &On, has: impl Fn(&Precision) -> bool) -> Vec<Errors> {
    let each = |error: &dyn Fn(Precision) -> f64| {
        let cell = |precision| has(&precision).then(|| error(precision));
        Precision::ALL.map(cell).to_vec()
    };
    let finest = Precision::ALL.into_iter().find(&has).unwrap();
    let compared = |run: fn(&On, Precision) -> Tensor<1>| {
        let expected = numbers(&run(on, finest));
        each(&|precision| distance(&run(on, precision), &expected))
    };
    let list = vec![
        ("`Frozen::logits`", compared(logits)),
        ("`Frozen::loss_gradient`", compared(gradient)),
        (
            "`Fgsm`, `Pgd` in L∞",
            each(&|precision| worst_excess(on, precision, linf())),
        ),
        (
            "`Fgsm`, `Pgd` in L2",
            each(&|precision| worst_excess(on, precision, l2())),
        ),
        (
            "`Fgsm`, `Pgd` in L1",
            each(&|precision| worst_excess(on, precision, l1())),
        ),
        (
            "`Square` in L∞",
            each(&|precision| worst_excess(on, precision, vec![square(Square::linf(LINF))])),
        ),
        (
            "`Square` in L2, L1",
            each(&|precision| {
                let attacks = [Square::l2(L2), Square::l1(L1)].map(square);
                worst_excess(on, precision, attacks.to_vec())
            }),
        ),
        (
            "`Apgd`, `EachTarget`, `Malt`, `Fab`, `Fmn`, `DeepFool` in L∞",
            each(&|precision| worst_excess(on, precision, stronger(&Linf.into(), LINF))),
        ),
        (
            "`Apgd`, `EachTarget`, `Malt`, `Fab`, `Fmn`, `DeepFool`, `Ddn` in L2",
            each(&|precision| {
                let mut attacks = stronger(&fireproof::attack::L2.into(), L2);
                attacks.push(Ddn::new().with_epsilon(L2).with_steps(4).into());
                worst_excess(on, precision, attacks)
            }),
        ),
        ("`Evaluation`", compared(evaluation)),
        #[cfg(feature = "train")]
        ("`Trainee::learn`", compared(training::step)),
    ];
    list
}

pub fn victim(on: &On, precision: Precision) -> Frozen {
    Frozen::new(&model(&on.device(), precision))
}

/// Four images, labelled by what the model takes them for in the precision that all backends have.
pub fn batch(on: &On, precision: Precision) -> Batch {
    let predicted = victim(on, Precision::F32).predict(images(on, Precision::F32, COUNT, SIDE));
    Batch {
        images: images(on, precision, COUNT, SIDE),
        labels: on.labels(&predicted),
        ids: (10..10 + COUNT as u64).collect(),
        bounds: Bounds::default(),
    }
}

fn logits(on: &On, precision: Precision) -> Tensor<1> {
    let (victim, images) = (victim(on, precision), images(on, precision, COUNT, SIDE));
    let logits = victim.logits(images.clone());
    assert_eq!(logits.dtype(), precision.dtype());
    assert_eq!(victim.precision(), Some(precision));
    assert_eq!(victim.predict(images).len(), COUNT);
    logits.flatten(0, 1)
}

fn gradient(on: &On, precision: Precision) -> Tensor<1> {
    let reference = Reference::new(batch(on, precision).labels);
    let pass = victim(on, precision)
        .loss_gradient(images(on, precision, COUNT, SIDE), |logits| {
            CrossEntropy.per_image(logits, &reference)
        })
        .unwrap();
    let types = [pass.loss.dtype(), pass.logits.dtype(), pass.images.dtype()];
    assert_eq!(types, [precision.dtype(); 3]);
    assert_eq!(pass.gradient.dtype(), precision.dtype());
    pass.gradient.flatten(0, 3)
}

fn variants(plain: Pgd, fgsm: Fgsm) -> Vec<AttackSpec> {
    let plain = plain.with_steps(3);
    vec![
        fgsm.clone().into(),
        plain.clone().into(),
        plain.clone().with_random_start(false).into(),
        plain.clone().with_keep(Keep::Last).into(),
        plain.clone().with_loss(Margin).restarts(2).into(),
        plain.clone().with_targets(LeastLikely).into(),
        plain.clone().with_predicted_labels(true).into(),
        plain.clone().with_steps(0).into(),
        fgsm.clone().or(plain.clone()).into(),
        fgsm.then(plain).into(),
    ]
}

const LINF: f64 = 8.0 / 255.0;
const L2: f64 = 0.7;
const L1: f64 = 2.0;

fn linf() -> Vec<AttackSpec> {
    variants(Pgd::linf(LINF), Fgsm::linf(LINF))
}

fn l2() -> Vec<AttackSpec> {
    variants(Pgd::l2(L2), Fgsm::l2(L2))
}

fn l1() -> Vec<AttackSpec> {
    variants(Pgd::l1(L1), Fgsm::l1(L1))
}

// Towards a class that is not reached at once: all queries are made.
fn stronger(norm: &NormSpec, epsilon: f64) -> Vec<AttackSpec> {
    let apgd = Apgd::new(norm.clone(), epsilon).with_steps(3);
    let dlr = apgd.clone().with_loss(Dlr);
    vec![
        apgd.into(),
        dlr.clone().towards_each(2).into(),
        Malt::new(dlr, 1).into(),
        Fab::new(norm.clone())
            .with_epsilon(epsilon)
            .with_steps(3)
            .into(),
        Fmn::new(norm.clone())
            .with_epsilon(epsilon)
            .with_steps(4)
            .into(),
        DeepFool::new(norm.clone())
            .with_epsilon(epsilon)
            .with_steps(3)
            .into(),
    ]
}

fn square(attack: Square) -> AttackSpec {
    attack.with_queries(12).with_targets(LeastLikely).into()
}

// How far outside the ball the worst perturbation is.
fn worst_excess(on: &On, precision: Precision, attacks: Vec<AttackSpec>) -> f64 {
    let (victim, batch) = (victim(on, precision), batch(on, precision));
    let excess = |attack: AttackSpec| {
        let found = attack.attack(&victim, &batch, Seed(7)).expect("settled");
        assert_eq!(found.images.dtype(), precision.dtype(), "{attack}");
        let ball = attack.ball().unwrap();
        verify(&found, &batch, ball.norm.clone(), ball.epsilon).unwrap();
        assert_eq!(victim.predict(found.images.clone()), found.predicted);
        let moved = numbers(&found.images)
            .into_iter()
            .zip(numbers(&found.originals));
        let moved: Vec<f64> = moved.map(|(a, b)| a - b).collect();
        let lengths = moved
            .chunks(moved.len() / COUNT)
            .map(|m| ball.norm.length(m));
        let longest = lengths.fold(0.0, f64::max);
        // It is there to move something, though not farther than it needs to.
        let still = attack.to_string().contains("PGD-0") || attack.goal().nearest.is_some();
        assert!(longest > ball.epsilon / 2.0 || still, "{attack}");
        (longest - ball.epsilon).max(0.0)
    };
    attacks.into_iter().map(excess).fold(0.0, f64::max)
}

fn set() -> ImageSet {
    let mut draws = Seed(9).draws(Purpose::Subset, 0, 0);
    let pixels = coarse(&mut draws, COUNT * 2 * SIDE * SIDE, 0.0, 255.0);
    let pixels = pixels.into_iter().map(|pixel| pixel as u8).collect();
    ImageSet::new("coarse", [2, SIDE, SIDE], 3, pixels, vec![0, 1, 2, 0]).unwrap()
}

// The set has no element type: its images are made in the classifier's.
fn evaluation(on: &On, precision: Precision) -> Tensor<1> {
    let poses = RandomPose::rotations().with_warp(Warp::bilinear());
    let profile = Evaluation::new()
        .with_axis(Axis::angles([Degrees(45.0)]).with_threat(poses))
        .with_axis(Axis::epsilons(Pgd::linf(0.0).with_steps(2), [LINF]))
        .run(&victim(on, precision), &set(), &on.device())
        .unwrap();
    let points = profile.curves.iter().flat_map(|curve| &curve.points);
    let mut accuracies = vec![1.0, profile.clean.value];
    accuracies.extend(points.map(|point| point.accuracy.value));
    super::given::tensor(on, Precision::F32, &accuracies, [accuracies.len()])
}

#[cfg(feature = "train")]
mod training {
    use super::{On, Precision, Seed, Tensor, model, numbers, set};
    use burn::module::Module;
    use fireproof::base::{Degrees, Pixels};
    use fireproof::curriculum::Stage;
    use fireproof::train::{
        Augmentation, Motion, Natural, ObjectiveSpec, PgdTraining, StagedBatch, Student, Trainee,
        sgd,
    };
    use fireproof::transform::Warp;

    // The weights after a step, of natural training: the paths of attacks differ by rounding.
    pub fn step(on: &On, precision: Precision) -> Tensor<1> {
        let _ = learnt(on, precision, PgdTraining::default());
        learnt(on, precision, Natural)
    }

    fn learnt(on: &On, precision: Precision, objective: impl Into<ObjectiveSpec>) -> Tensor<1> {
        let staged = StagedBatch {
            batch: set().batch(&[0, 1, 2, 3], &on.device()),
            stage: Stage {
                angle: Degrees(30.0),
                shift: Pixels(1.0),
                epsilon: 0.05,
                steps: 2,
                step_size: 0.03,
                learning_rate: 0.05,
            },
            seed: Seed(3),
            epoch: 1,
            step: 1,
            share: 1.0,
        };
        let motion = Augmentation::new(Motion::Joint(Warp::bilinear()));
        let model = model(&on.device().autodiff(), precision);
        let trainee = Trainee::new(model, objective, motion);
        let step = trainee.learn(staged).expect("a step");
        let model = sgd(0.9, 1e-4).step(0.05, trainee, step.grads).model;
        let weights = model.valid().weights().into_iter().map(|weight| {
            assert_eq!(weight.values.dtype(), precision.dtype(), "{}", weight.name);
            assert!(
                numbers(&weight.values)
                    .iter()
                    .all(|value| value.is_finite())
            );
            weight.values
        });
        Tensor::cat(weights.collect(), 0)
    }
}
