//! What objectives make of a stage's budgets.

use super::fitting::{GENERATOR, Net};
use super::given::{CALM, HARD, Recorder, epoch, halves, loader};
use crate::common::values;
use burn::data::dataloader::DataLoader;
use burn::module::Module;
use fireproof::attack::{
    Attack, AttackSpec, Ball, Frozen, GridSearch, JointPgd, Keep, L1, L2, Linf, Msd, Pgd,
    RandomPose, RandomSearch,
};
use fireproof::base::{Degrees, Keys, Pixels, Purpose, Seed};
use fireproof::curriculum::Stage;
use fireproof::train::{
    Augmentation, AverageOver, FastFgsm, Fat, Mart, MaxOver, MsdTraining, Natural, Objective,
    ObjectiveSpec, PgdTraining, PoseKl, StagedBatch, Student, Trades, Trainee, WorstPose,
};
use fireproof::transform::{Pose, PoseBudget, Warp};
use serde_json::{Value, json};
use std::sync::PoisonError;

const POSED: Stage = Stage {
    epsilon: 0.0,
    ..HARD
};

const ATTACKED: Stage = Stage {
    angle: Degrees(0.0),
    shift: Pixels(0.0),
    ..HARD
};

fn poses() -> PoseBudget {
    PoseBudget::new(HARD.angle, HARD.shift).unwrap()
}

fn staged(stage: Stage) -> StagedBatch {
    let device = fireproof::device();
    let loader = loader(&device, 16, &[stage], 1).to_device(&device.clone().autodiff());
    epoch(&*loader).remove(0)
}

/// 0.1 · (1.0 / 0.2) is not 0.5 in every bit.
fn rounded(settings: Value) -> Value {
    match settings {
        Value::Number(number) => json!((number.as_f64().unwrap() * 1e9).round() / 1e9),
        Value::Array(list) => list.into_iter().map(rounded).collect(),
        Value::Object(fields) => {
            let each = fields
                .into_iter()
                .map(|(name, value)| (name, rounded(value)));
            Value::Object(each.collect())
        }
        other => other,
    }
}

#[test]
fn convention_attacks_have_the_stages_budgets() {
    let none = PoseBudget::default();
    let pgd = |norm: Pgd, step| norm.with_steps(3).with_step_size(step);
    let joint = JointPgd::linf(none, 0.0);
    let two = || [AttackSpec::from(Pgd::linf(0.2)), Pgd::l2(1.0).into()];
    let balls = || [Ball::new(Linf, 0.2), Ball::new(L2, 1.0), Ball::new(L1, 4.0)];
    let of = |attack: AttackSpec| ObjectiveSpec::from(PgdTraining::new(attack));
    // At angle 30°, shift 1 px and ε = 0.1, by 3 steps of 0.05.
    let cases: [(ObjectiveSpec, AttackSpec); 9] = [
        (of(Pgd::linf(0.7).into()), pgd(Pgd::linf(0.1), 0.05).into()),
        (
            of(GridSearch::new(none).into()),
            GridSearch::new(poses()).into(),
        ),
        // Its steps are in units of ε.
        (
            of(joint.into()),
            JointPgd::linf(poses(), 0.1)
                .with_steps(3)
                .with_step_size(0.5)
                .into(),
        ),
        (
            of(GridSearch::new(none).then(Pgd::linf(0.0)).into()),
            GridSearch::new(poses())
                .then(pgd(Pgd::linf(0.1), 0.05))
                .into(),
        ),
        (
            of(RandomPose::new(none).before(Pgd::linf(0.0)).into()),
            RandomPose::new(poses())
                .before(pgd(Pgd::linf(0.1), 0.05))
                .into(),
        ),
        // The first radius is the stage's, the others follow, and so do steps.
        (
            MaxOver::new(two()).into(),
            pgd(Pgd::linf(0.1), 0.05).or(pgd(Pgd::l2(0.5), 0.25)).into(),
        ),
        (
            MsdTraining::new(balls()).into(),
            Msd::new([Ball::new(Linf, 0.1), Ball::new(L2, 0.5), Ball::new(L1, 2.0)])
                .with_steps(3)
                .with_relative_step_size(1.5)
                .with_keep(Keep::Last)
                .into(),
        ),
        (
            WorstPose::new(4).into(),
            RandomSearch::new(poses(), 4).into(),
        ),
        (
            PoseKl::new(1.0).into(),
            RandomSearch::new(poses(), 10).into(),
        ),
    ];
    for (objective, expected) in cases {
        let found = objective.attack(&HARD).unwrap();
        let [found, expected] = [found, expected].map(|attack| rounded(attack.settings()));
        assert_eq!(found, expected, "{objective:?}");
    }
    let none = [
        ObjectiveSpec::from(PgdTraining::default()),
        MaxOver::new(two()).into(),
        AverageOver::new(two()).into(),
        MsdTraining::new(balls()).into(),
        Trades::new(6.0).into(),
        Mart::default().into(),
        Fat::new(1).into(),
        FastFgsm::default().into(),
    ];
    for objective in none {
        assert!(objective.attack(&POSED).is_none(), "{objective:?}");
        assert!(objective.attack(&HARD).is_some(), "{objective:?}");
        assert!(!objective.moves_images());
        let none = Stage { steps: 0, ..HARD };
        assert!(objective.attack(&none).is_none(), "{objective:?}");
    }
    for objective in [
        ObjectiveSpec::from(WorstPose::default()),
        PoseKl::new(1.0).into(),
    ] {
        assert!(objective.attack(&ATTACKED).is_none() && objective.moves_images());
    }
    // What has no budget is left out.
    let both = [
        AttackSpec::from(Pgd::linf(0.3)),
        RandomSearch::new(PoseBudget::default(), 3).into(),
    ];
    let both = MaxOver::new(both);
    let name = |stage: &Stage| both.attack(stage).unwrap().name();
    assert_eq!(name(&HARD), "ensemble");
    assert_eq!(name(&POSED), "random_search");
    assert_eq!(name(&ATTACKED), "pgd");
    assert!(both.moves_images() && both.attack(&CALM).is_none());
}

#[test]
fn convention_without_budgets_every_objective_is_natural() {
    let _alone = GENERATOR.write().unwrap_or_else(PoisonError::into_inner);
    let device = fireproof::device().autodiff();
    let net = Net::new(&device).valid().train().fork(&device);
    let losses = |objective: &dyn Objective| {
        let step = objective.step(&net, &staged(CALM)).unwrap();
        values(&step.scored.losses)
    };
    let natural = losses(&Natural);
    let every = super::baselines::every_objective().into_iter();
    // Perturbed weights are no budget of a stage.
    for objective in every.filter(|objective| !format!("{objective:?}").contains("awp")) {
        assert_eq!(losses(&*objective), natural, "{objective:?}");
    }
}

#[test]
fn value_without_weight_a_regulariser_is_what_is_left() {
    let _alone = GENERATOR.write().unwrap_or_else(PoisonError::into_inner);
    let device = fireproof::device().autodiff();
    let net = Net::new(&device).valid().train().fork(&device);
    let found = |objective: &dyn Objective| {
        // Passes move the running statistics, which attacks see.
        let net = net.valid().train();
        let step = objective.step(&net, &staged(HARD)).unwrap();
        let gradients = net_gradients(&net, &step.gradients);
        (values(&step.scored.losses), gradients)
    };
    // TRADES learns from the images as they are, and the regulariser between poses from the worst ones.
    let pairs: [(ObjectiveSpec, ObjectiveSpec); 2] = [
        (Trades::new(0.0).into(), Natural.into()),
        (PoseKl::new(0.0).into(), WorstPose::default().into()),
    ];
    for (without, plain) in pairs {
        assert_eq!(found(&*without), found(&*plain), "{without:?}");
    }
    assert_ne!(found(&Trades::new(1.0)), found(&Natural));
}

fn net_gradients(net: &Net, gradients: &burn::optim::GradientsParams) -> Vec<Vec<f32>> {
    let gradients = net.flat_gradients(gradients);
    gradients.iter().flatten().map(values).collect()
}

#[test]
fn value_the_pose_of_highest_loss_is_learnt_from() {
    // Oracle: every pose by itself, its cross-entropy by hand.
    let _alone = GENERATOR.write().unwrap_or_else(PoisonError::into_inner);
    let device = fireproof::device().autodiff();
    let net = Net::seeded(1, &device).valid().train().fork(&device);
    let staged = staged(HARD);
    let crafted = WorstPose::new(6).craft(&net, &staged).unwrap();
    let victim = Frozen::new(&net);
    let labels = staged.batch.labels_to_vec();
    let keys = Keys::new(staged.seed.derive(1), staged.batch.ids.clone());
    let mut draws = keys.each(Purpose::SearchedPose, |draws| draws.clone());
    let mut worst = vec![(f32::MIN, Vec::new()); labels.len()];
    for _ in 0..6 {
        let each = draws.iter_mut().map(|draws| poses().draw_next(draws));
        let each: Vec<Pose> = each.collect();
        assert!(
            each.iter()
                .all(|pose| pose.angle.0.abs() <= 30.0 && pose.down.0.abs() <= 1.0)
        );
        let images = staged.batch.images.clone().inner();
        let images = Warp::bilinear().apply(images, &each).clamp(0.0, 1.0);
        let (rows, pixels) = (values(victim.logits(images.clone())), values(&images));
        for (at, row) in rows.chunks(2).enumerate() {
            let label = labels[at] as usize;
            // log(1 + exp(other − own))
            let loss = (row[1 - label] - row[label]).exp().ln_1p();
            if loss > worst[at].0 {
                worst[at] = (loss, pixels[64 * at..64 * (at + 1)].to_vec());
            }
        }
    }
    let expected = worst.into_iter().map(|(_, image)| image);
    assert_eq!(
        values(&crafted.images[0]),
        expected.collect::<Vec<_>>().concat()
    );
    // Other poses in another epoch, and one pose as it is drawn.
    let later = StagedBatch {
        epoch: 2,
        ..staged.clone()
    };
    let later = WorstPose::new(6).craft(&net, &later).unwrap();
    assert_ne!(values(&later.images[0]), values(&crafted.images[0]));
    let one = WorstPose::new(1).craft(&net, &staged).unwrap();
    let first = keys.each(Purpose::SearchedPose, |draws| poses().draw_next(draws));
    let first = Warp::bilinear().apply(staged.batch.images.clone().inner(), &first);
    assert_eq!(values(&one.images[0]), values(first.clamp(0.0, 1.0)));
}

#[test]
fn convention_no_pose_is_dealt_to_images_that_an_objective_moves() {
    let device = fireproof::device().autodiff();
    let seen = |objective: ObjectiveSpec, stage: Stage| {
        let model = Recorder::new(&device).train();
        let seen = model.seen.clone();
        let trainee = Trainee::new(model, objective, Augmentation::new(Warp::bilinear()));
        trainee.learn(staged(stage)).unwrap();
        let seen = seen.lock().unwrap();
        seen.last().unwrap().clone()
    };
    let images = values(&staged(HARD).batch.images);
    // A stage of no more than a millionth of a degree: whoever moves within it moves nothing.
    let hardly = Stage {
        angle: Degrees(1e-6),
        shift: Pixels(0.0),
        ..POSED
    };
    let apart = |a: &[f32], b: &[f32]| {
        a.iter()
            .zip(b)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max)
    };
    assert!(apart(&seen(WorstPose::new(2).into(), hardly), &images) < 1e-4);
    // The pose that the augmentation would have dealt is not in what is learnt from.
    let moved = seen(Natural.into(), POSED);
    assert!(apart(&moved, &images) > 0.1);
    let one = |set: &[usize]| halves(16).batch(set, &fireproof::device());
    let batch = staged(POSED).batch;
    let positions: Vec<usize> = batch.ids.iter().map(|&id| id as usize).collect();
    let keys = Keys::new(Seed(1).derive(1), batch.ids.iter().copied());
    let drawn = keys.each(Purpose::SearchedPose, |draws| poses().draw_next(draws));
    let expected = Warp::bilinear()
        .apply(one(&positions).images, &drawn)
        .clamp(0.0, 1.0);
    let found = seen(WorstPose::new(1).into(), POSED);
    assert_eq!(found, values::<4>(expected));
}

#[test]
fn value_a_gaussian_start_has_its_deviation() {
    // Oracle: the images with the numbers that the generators give.
    let staged = staged(HARD);
    let batch = fireproof::base::Batch {
        images: staged.batch.images.clone().inner(),
        labels: staged.batch.labels.clone().inner(),
        ..staged.batch.clone()
    };
    let device = fireproof::device().autodiff();
    let victim = Frozen::new(&Net::seeded(1, &device));
    let start = |pgd: Pgd| {
        let pgd = pgd.with_steps(0).with_keep(Keep::Last).with_noise(0.03);
        values(pgd.perturb(&victim, &batch, Seed(5)).unwrap())
    };
    let keys = Keys::new(5, batch.ids.iter().copied());
    let noise = keys.each(Purpose::Start, |draws| {
        Vec::from_iter((0..64).map(|_| 0.03 * draws.normal()))
    });
    let pixels = values(&batch.images);
    let noise = noise.concat();
    let expected = |radius: f64| {
        let each = pixels.iter().zip(&noise).map(|(&x, n)| {
            let moved = f64::from(x) + n.clamp(-radius, radius);
            moved.clamp(0.0, 1.0) as f32
        });
        Vec::from_iter(each)
    };
    for radius in [0.5, 0.02] {
        let found = start(Pgd::linf(radius));
        let apart = found
            .iter()
            .zip(expected(radius))
            .map(|(a, b)| (a - b).abs());
        assert!(apart.fold(0.0, f32::max) < 1e-6);
    }
    assert!(
        Pgd::linf(0.1)
            .with_random_start(false)
            .with_noise(0.1)
            .is_random()
    );
    assert!(Pgd::linf(0.1).with_noise(-0.1).check().is_err());
    assert!(Pgd::linf(0.1).with_noise(f64::NAN).check().is_err());
    assert_eq!(
        Trades::new(6.0).attack(&ATTACKED).unwrap().to_string(),
        "PGD-3 L∞ ε=0.1 step=0.05, start with noise 0.001, KL loss, last iterate"
    );
}

#[test]
fn value_running_statistics_of_trades_are_those_of_three_passes() {
    // Oracle: the passes one by one, the images, the attacked ones and the images again.
    let _alone = GENERATOR.write().unwrap_or_else(PoisonError::into_inner);
    let device = fireproof::device().autodiff();
    let net = Net::new(&device).valid().train().fork(&device);
    let (staged, objective) = (staged(HARD), Trades::new(2.0));
    let crafted = objective.craft(&net, &staged).unwrap();
    let statistics = |net: &Net| {
        let running = net.weights().into_iter().filter(|weight| !weight.learnt);
        running
            .map(|weight| values(weight.values))
            .collect::<Vec<_>>()
    };
    let (x, attacked) = (&staged.batch.images, &crafted.images[0]);
    let after = |passes: &[&burn::tensor::Tensor<4>]| {
        let twin = net.valid().train().fork(&device);
        for images in passes {
            let _ = twin.pass((*images).clone(), &staged.keys());
        }
        statistics(&twin)
    };
    let learning = net.valid().train().fork(&device);
    objective.learn(&learning, &staged, &crafted).unwrap();
    let found = statistics(&learning);
    assert!(!found.is_empty());
    assert_eq!(found, after(&[x, attacked, x]));
    for others in [
        &[x, attacked][..],
        &[attacked, x, attacked],
        &[x, x, attacked],
    ] {
        assert_ne!(found, after(others));
    }
}

#[test]
fn convention_radii_of_several_balls_keep_their_proportion_beside_others() {
    let balls = [
        Ball::new(Linf, 0.3),
        Ball::new(L2, 2.0),
        Ball::new(L1, 10.0),
    ];
    let attacks = [AttackSpec::from(Pgd::linf(0.3)), Msd::new(balls).into()];
    // At ε = 0.1, a third of what was given.
    let attack = MaxOver::new(attacks).attack(&ATTACKED).unwrap();
    let found = rounded(json!(attack));
    let text = found.to_string();
    for radius in ["0.1", "0.666666667", "3.333333333"] {
        assert!(text.contains(&format!(":{radius}")), "{radius}: {text}");
    }
    assert!(!text.contains("0.3,") && !text.contains(":2.0"), "{text}");
}
