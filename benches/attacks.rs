//! Images per second of every attack on the p4 and the plain MNIST network, 128 images at a time.
//!
//! `cargo bench --bench attacks`; `BURN_DEVICE` chooses the device. Attacks take few steps, by name
//! behind them, in balls so small that no image leaves the search: what stands for twice the steps takes
//! twice the time. "textbook" is PGD with neither the clean pass nor the search for the best iterate, as
//! in training on attacked images. AutoAttack itself is timed by `benches/peer/compare_autoattack.py`; here are
//! its four attacks in short, and itself where all images fall to its first attack's 100 steps. "batch_norm" is
//! PGD on the p4 network with and without normalisations, under both heads.

use burn::tensor::{Int, Tensor, TensorData};
use criterion::{BatchSize, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use fireproof::attack::{
    Affine, Apgd, Attack, AttackSpec, AutoAttack, Ball, CarliniWagner, Ddn, DeepFool, Dlr, Fab,
    Fgsm, Fmn, FriendlyPgd, Frozen, GridSearch, JointPgd, Keep, Linf, Malt, Mask, Msd, Orbit, Pgd,
    PoseGradient, PoseSearch, RandomPose, RandomSearch, Square,
};
use fireproof::base::{Batch, Degrees, Kind, Pixels, Purpose, Seed};
use fireproof::group::Group;
use fireproof::model::{CnnConfig, Head};
use fireproof::transform::PoseBudget;
use std::time::Duration;

const IMAGES: usize = 128;

// In which all images of random pixels stand.
const LINF: f64 = 1e-4;
const L2: f64 = 1e-3;
const L1: f64 = 1e-2;

fn batch(victim: &Frozen) -> Batch {
    let device = fireproof::device();
    let mut draws = Seed(1).draws(Purpose::Subset, 0, 0);
    let pixels = (0..IMAGES * 784).map(|_| draws.uniform(0.0, 1.0) as f32);
    let data = TensorData::new(pixels.collect::<Vec<_>>(), [IMAGES, 1, 28, 28]);
    let images = Tensor::<4>::from_data(data, &device);
    // Predictions as labels: nothing is fooled to begin with.
    let labels = Tensor::<1, Int>::from_data(&victim.predict(images.clone())[..], &device);
    Batch::new(images, labels).expect("a label for each image")
}

fn cases() -> Vec<(&'static str, AttackSpec)> {
    let pgd = Pgd::linf(LINF);
    let apgd = Apgd::linf(LINF).with_steps(10);
    let dlr = apgd.clone().with_loss(Dlr);
    let fab = Fab::linf().with_steps(10);
    let half = Mask::new([1, 28, 28], |[_, y, _]| y < 14).expect("pixels");
    let levels = (0..IMAGES as u64).map(|id| (id, LINF * (1 + id % 2) as f64));
    let short = |apgd: Apgd| apgd.with_steps(5);
    // So little that no image falls.
    let budget = PoseBudget::new(Degrees(1e-3), Pixels(1e-4)).expect("a budget");
    let grid = GridSearch::new(budget).with_points(5, 3, 3);
    let four = AttackSpec::from(short(apgd.clone()))
        .or(short(dlr.clone()).towards_each(2))
        .or(fab
            .clone()
            .with_steps(5)
            .with_target_classes(2)
            .with_epsilon(LINF))
        .or(Square::linf(LINF).with_queries(20));
    vec![
        ("FGSM", Fgsm::linf(LINF).into()),
        ("PGD-10", pgd.clone().into()),
        ("PGD-10 textbook", pgd.clone().with_keep(Keep::Last).into()),
        ("PGD-10 L2", Pgd::l2(L2).into()),
        ("PGD-10 L1", Pgd::l1(L1).into()),
        ("PGD-10 ×2", pgd.clone().restarts(2).into()),
        ("PGD-10 then PGD-10", pgd.clone().then(pgd.clone()).into()),
        ("PGD-10 within 12 passes", pgd.clone().within(12).into()),
        ("PGD-10 masked", pgd.clone().masked(half).into()),
        ("friendly PGD-10", FriendlyPgd::new(pgd.clone(), 1).into()),
        (
            "MSD-10 L∞ and L2",
            Msd::new([Ball::new(Linf, LINF), Ball::new(fireproof::attack::L2, L2)])
                .with_steps(10)
                .into(),
        ),
        ("APGD-10", apgd.clone().into()),
        ("APGD-10 L2", Apgd::l2(L2).with_steps(10).into()),
        ("APGD-10 L1", Apgd::l1(L1).with_steps(10).into()),
        ("APGD-10 DLR", dlr.clone().into()),
        (
            "APGD-10 DLR towards two classes",
            dlr.clone().towards_each(2).into(),
        ),
        (
            "MALT: APGD-10 DLR towards two classes",
            Malt::new(dlr, 2).into(),
        ),
        // So many queries that a query's share of all else hardly counts.
        ("Square-100", Square::linf(LINF).with_queries(100).into()),
        ("Square-100 L2", Square::l2(L2).with_queries(100).into()),
        ("Square-100 L1", Square::l1(L1).with_queries(100).into()),
        (
            "FAB-10 towards one class",
            fab.with_target_classes(1).into(),
        ),
        ("DeepFool-10", DeepFool::linf().with_steps(10).into()),
        ("FMN-10", Fmn::linf().with_steps(10).into()),
        ("DDN-10", Ddn::new().with_steps(10).into()),
        (
            "Carlini-Wagner 1 × 10",
            CarliniWagner::new().with_searches(1).with_steps(10).into(),
        ),
        ("grid search 45", grid.clone().into()),
        ("worst of 45 poses", RandomSearch::new(budget, 45).into()),
        ("pose search", PoseSearch::new(budget).into()),
        ("pose gradient-10", PoseGradient::new(budget).into()),
        // Whole turns are no small change.
        (
            "orbit of p1, shifts",
            Orbit::new(Group::P1).with_shifts(1).into(),
        ),
        ("joint PGD-10", JointPgd::linf(budget, LINF).into()),
        (
            "PGD-10 in a random pose",
            RandomPose::new(budget).before(pgd.clone()).into(),
        ),
        (
            "grid search 45 plus PGD-10",
            Affine::new(grid, pgd.clone()).into(),
        ),
        ("PGD-10 at two levels", pgd.at_each(levels).into()),
        ("AutoAttack's four, short", four.into()),
        (
            "AutoAttack, first attack",
            AutoAttack::standard(Linf, 0.5).into(),
        ),
    ]
}

fn attacks(criterion: &mut Criterion) {
    let device = fireproof::device();
    let cases = cases();
    // Every attack that files can name is among them.
    for name in <dyn Attack as Kind>::registry().names() {
        assert!(
            cases.iter().any(|(_, attack)| attack.name() == name),
            "{name}"
        );
    }
    for (name, group) in [("p4", Group::P4), ("plain", Group::P1)] {
        let model = CnnConfig::new(group, [1, 28, 28], 10)
            .with_seed(7)
            .init(&device)
            .expect("28×28 suits both groups");
        let victim = Frozen::new(&model);
        let batch = batch(&victim);
        let mut bench = criterion.benchmark_group(format!("attacks/{name}"));
        // An attack takes from a hundredth of a second to seconds.
        bench.sample_size(10).sampling_mode(SamplingMode::Flat);
        bench.warm_up_time(Duration::from_millis(300));
        bench.measurement_time(Duration::from_secs(2));
        bench.throughput(Throughput::Elements(IMAGES as u64));
        bench.bench_function("forward", |b| {
            b.iter(|| victim.logits(batch.images.clone()).into_data());
        });
        for (case, attack) in &cases {
            bench.bench_function(*case, |b| {
                b.iter_batched(
                    || batch.clone(),
                    |batch| {
                        attack
                            .attack(&victim, &batch, Seed(1))
                            .expect("a valid attack")
                    },
                    BatchSize::SmallInput,
                );
            });
        }
        bench.finish();
    }
}

// What a batch normalisation costs an attack, which looks at it by its running statistics.
fn batch_norm(criterion: &mut Criterion) {
    let device = fireproof::device();
    let mut bench = criterion.benchmark_group("batch_norm");
    bench.sample_size(20).sampling_mode(SamplingMode::Flat);
    bench.measurement_time(Duration::from_secs(8));
    for (name, head) in [("flattened", Head::Flattened), ("pooled", Head::Pooled)] {
        for norm in [false, true] {
            let model = CnnConfig::new(Group::P4, [1, 28, 28], 10)
                .with_head(head)
                .with_batch_norm(Some(norm))
                .with_seed(7)
                .init(&device)
                .expect("28×28 suits the group");
            let victim = Frozen::new(&model);
            let batch = batch(&victim);
            let attack = Pgd::linf(LINF);
            let with = if norm { "with" } else { "without" };
            bench.bench_function(format!("p4, {name}, {with}, PGD-10"), |b| {
                b.iter(|| attack.attack(&victim, &batch, Seed(1)).expect("an attack"));
            });
        }
    }
    bench.finish();
}

criterion_group!(benches, attacks, batch_norm);
criterion_main!(benches);
