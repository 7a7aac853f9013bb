//! A classifier that treats every image by itself, its images, and every attack.

use crate::common::{On, uniform, values};
use burn::tensor::{Tensor, TensorData};
use fireproof::attack::{
    Affine, Apgd, Attack, AttackSpec, CarliniWagner, Ddn, DeepFool, Dlr, Fab, Fgsm, Fmn, Found,
    Frozen, GridSearch, JointPgd, Keep, Kl, Malt, Margin, Mask, Orbit, Pgd, PoseGradient,
    PoseSearch, RandomPose, RandomSearch, Square,
};
use fireproof::base::{Batch, Degrees, Pixels, Purpose, Seed};
use fireproof::transform::PoseBudget;
use serde::{Serialize, de::DeserializeOwned};

pub const IMAGES: usize = 24;

pub const SIDE: usize = 6;

pub const IDS: [u64; IMAGES] = {
    let mut ids = [0; IMAGES];
    let mut at = 0;
    while at < IMAGES {
        ids[at] = 1000 + 7 * at as u64;
        at += 1;
    }
    ids
};

// Three classes by smooth functions of the pixels; every image is independent of the others.
pub fn victim(_: &On) -> Frozen {
    Frozen::from_fn(logits)
}

pub fn logits(images: Tensor<4>) -> Tensor<2> {
    let mut draws = Seed(3).draws(Purpose::Weights, 0, 0);
    let weights = uniform(&mut draws, SIDE * SIDE * 3, -1.0, 1.0);
    let weights = TensorData::new(weights, [SIDE * SIDE, 3]);
    let weights = Tensor::<2>::from_data(weights, &images.device());
    // Products one by one: matrix products may sum in another order for another batch.
    let x = (images.flatten::<2>(1, 3) * 3.0).sin();
    let x = x.unsqueeze_dim::<3>(2) * weights.unsqueeze_dim::<3>(0);
    x.sum_dim(1).squeeze_dim::<2>(1)
}

// Labels are the predictions, but for every sixth image.
pub fn batch(on: &On, victim: &Frozen) -> Batch {
    let mut draws = Seed(4).draws(Purpose::Subset, 0, 0);
    let pixels = uniform(&mut draws, IMAGES * SIDE * SIDE, 0.0, 1.0);
    let images = on.tensor(pixels, [IMAGES, 1, SIDE, SIDE]);
    let predicted = victim.predict(images.clone()).into_iter().enumerate();
    let labels: Vec<i64> = predicted
        .map(|(at, class)| (class + i64::from(at % 6 == 5)) % 3)
        .collect();
    Batch::new(images, on.labels(&labels))
        .unwrap()
        .with_ids(IDS.to_vec())
        .unwrap()
}

/// The upper half of an image.
pub fn half() -> Mask {
    Mask::new([1, SIDE, SIDE], |[_, y, _]| y < SIDE / 2).unwrap()
}

/// Whatever fell to the one attack falls to the other.
pub fn assert_keeps(one: &Found, other: &Found) {
    for (at, (one, other)) in one.fooled.iter().zip(&other.fooled).enumerate() {
        assert!(other >= one, "image {at}");
    }
}

pub fn pixels(found: &Found) -> Vec<f32> {
    values(&found.images)
}

/// Every attack of the crate: a new one is a line here.
pub fn attacks(epsilon: f64) -> Vec<AttackSpec> {
    vec![
        Fgsm::linf(epsilon).into(),
        Fgsm::l2(4.0 * epsilon).with_keep(Keep::Last).into(),
        Pgd::linf(epsilon).into(),
        Pgd::l2(4.0 * epsilon).with_loss(Margin).into(),
        Pgd::linf(epsilon).with_keep(Keep::Last).into(),
        Pgd::linf(epsilon).with_steps(2).restarts(3).into(),
        Pgd::l2(4.0 * epsilon)
            .with_keep(Keep::Last)
            .restarts(2)
            .into(),
        Fgsm::linf(epsilon)
            .or(Pgd::linf(epsilon).with_loss(Margin))
            .into(),
        Fgsm::linf(epsilon / 2.0).then(Pgd::linf(epsilon)).into(),
        Pgd::linf(epsilon).with_targets(1).restarts(2).into(),
        Apgd::linf(epsilon).with_steps(12).into(),
        Apgd::l2(4.0 * epsilon)
            .with_steps(12)
            .with_loss(Dlr)
            .restarts(2)
            .into(),
        Apgd::linf(epsilon)
            .with_steps(4)
            .with_loss(Dlr)
            .towards_each(2)
            .into(),
        Pgd::linf(epsilon)
            .with_steps(4)
            .with_momentum(1.0)
            .with_diversified_steps(2)
            .with_loss(Kl)
            .restarts(2)
            .into(),
        Malt::new(Pgd::linf(epsilon).with_loss(Margin).with_steps(4), 2).into(),
        Fab::linf()
            .with_epsilon(epsilon)
            .with_steps(4)
            .restarts(2)
            .into(),
        Fab::l2().with_epsilon(4.0 * epsilon).with_steps(6).into(),
        (Pgd::linf(epsilon).with_steps(2))
            .or(Fab::linf().with_epsilon(epsilon).with_steps(3))
            .into(),
        Ddn::new().with_epsilon(4.0 * epsilon).with_steps(8).into(),
        Fmn::linf().with_epsilon(epsilon).with_steps(8).into(),
        Fmn::l2().with_epsilon(4.0 * epsilon).with_steps(8).into(),
        DeepFool::linf().with_epsilon(epsilon).with_steps(3).into(),
        DeepFool::l2()
            .with_epsilon(4.0 * epsilon)
            .with_steps(3)
            .into(),
        CarliniWagner::new()
            .with_epsilon(4.0 * epsilon)
            .with_steps(10)
            .with_searches(3)
            .with_first_constant(0.1)
            .into(),
        Pgd::l1(16.0 * epsilon).into(),
        Pgd::l1(16.0 * epsilon)
            .with_keep(Keep::Last)
            .restarts(2)
            .into(),
        Apgd::l1(16.0 * epsilon).with_steps(12).into(),
        Square::linf(epsilon).with_queries(30).into(),
        Square::l2(4.0 * epsilon)
            .with_queries(15)
            .with_targets(1)
            .into(),
        Square::l1(16.0 * epsilon)
            .with_queries(15)
            .with_rescaled_schedule(true)
            .restarts(2)
            .into(),
        Fgsm::l2(2.0 * epsilon)
            .or(Square::l2(2.0 * epsilon).with_queries(10))
            .into(),
        Square::linf(epsilon / 2.0)
            .with_queries(5)
            .then(Square::linf(epsilon).with_queries(10))
            .into(),
        Pgd::linf(epsilon).restarts(2).within(30).into(),
        Apgd::l2(4.0 * epsilon)
            .with_steps(12)
            .or(Square::l2(4.0 * epsilon).with_queries(20))
            .within(40)
            .into(),
        Pgd::l2(4.0 * epsilon).restarts(2).masked(half()).into(),
        Fab::linf()
            .with_epsilon(epsilon)
            .with_steps(4)
            .restarts(2)
            .masked(half())
            .into(),
        (Pgd::linf(epsilon).with_steps(3))
            .at_each(IDS.map(|id| (id, epsilon * (1.0 + (id % 3) as f64 / 4.0))))
            .into(),
    ]
}

/// Every attack of the crate that needs no ball: a new one is a line here.
pub fn attacks_without_ball() -> Vec<AttackSpec> {
    vec![
        Fab::linf().with_steps(5).into(),
        Fab::l2().with_steps(4).restarts(2).into(),
        Ddn::new().with_steps(20).into(),
        Fmn::linf().with_steps(12).into(),
        Fmn::l2().with_steps(40).into(),
        DeepFool::linf().with_steps(40).into(),
        DeepFool::l2().with_steps(40).into(),
        CarliniWagner::new()
            .with_steps(20)
            .with_searches(3)
            .with_rate(0.1)
            .with_first_constant(0.3)
            .into(),
    ]
}

/// Every attack of the crate that moves images: a new one is a line here.
pub fn attacks_on_poses(epsilon: f64) -> Vec<AttackSpec> {
    let budget = PoseBudget::new(Degrees(20.0), Pixels(1.0)).unwrap();
    let grid = GridSearch::new(budget).with_points(5, 3, 2);
    let pgd = Pgd::linf(epsilon).with_steps(3);
    vec![
        grid.clone().into(),
        RandomSearch::new(budget, 6).restarts(2).into(),
        PoseGradient::new(budget).with_steps(3).restarts(2).into(),
        PoseSearch::new(budget)
            .with_points(3, 3, 3)
            .with_rounds(2)
            .with_poses(5)
            .into(),
        Orbit::p4m().into(),
        JointPgd::linf(budget, epsilon).with_steps(3).into(),
        JointPgd::l2(budget, 4.0 * epsilon)
            .with_steps(2)
            .restarts(2)
            .into(),
        RandomPose::new(budget).before(pgd.clone()).into(),
        RandomPose::new(budget)
            .before(pgd.clone().restarts(2))
            .restarts(2)
            .into(),
        grid.clone().then(pgd.clone()).into(),
        grid.clone().or(pgd.clone()).into(),
        Affine::new(grid, pgd).into(),
        RandomSearch::new(budget, 20).within(9).into(),
    ]
}

/// What comes back from a file.
pub fn reread<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let written = serde_json::to_string(value).unwrap();
    serde_json::from_str(&written).unwrap()
}
