//! What attacks cost on the p4 and the plain MNIST network, 128 images at a time.
//!
//! `cargo bench --bench attacks`; `BURN_DEVICE` chooses the device. "textbook" is PGD with neither
//! the clean pass nor the search for the best iterate, as in training on attacked images.

use burn::tensor::{Int, Tensor, TensorData};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use fireproof::attack::{Apgd, Attack, Ddn, Dlr, Fab, Fgsm, Frozen, Keep, Pgd, Square};
use fireproof::base::{Batch, Purpose, Seed};
use fireproof::group::Group;
use fireproof::model::CnnConfig;

const IMAGES: usize = 128;

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

// So many that a query's share of all else hardly counts.
fn square(attack: Square) -> Square {
    attack.with_queries(100)
}

fn attacks(criterion: &mut Criterion) {
    let device = fireproof::device();
    for (name, group) in [("p4", Group::P4), ("plain", Group::P1)] {
        let model = CnnConfig::new(group, [1, 28, 28], 10)
            .with_seed(7)
            .init(&device)
            .expect("28×28 suits both groups");
        let victim = Frozen::new(&model);
        let batch = batch(&victim);
        let pgd = Pgd::linf(8.0 / 255.0);
        let fab = Fab::linf().with_steps(10).with_target_classes(1);
        let apgd = Apgd::linf(8.0 / 255.0).with_steps(10);
        let cases: [(&str, Box<dyn Attack>); 12] = [
            ("APGD-10", Box::new(apgd.clone())),
            ("APGD-10 DLR", Box::new(apgd.with_loss(Dlr))),
            ("FGSM", Box::new(Fgsm::linf(8.0 / 255.0))),
            ("PGD-10", Box::new(pgd.clone())),
            ("PGD-10 textbook", Box::new(pgd.with_keep(Keep::Last))),
            ("PGD-10 L2", Box::new(Pgd::l2(0.5))),
            ("PGD-10 L1", Box::new(Pgd::l1(8.0))),
            // In so small a ball that no image leaves the search.
            ("Square-100", Box::new(square(Square::linf(1e-4)))),
            ("Square-100 L2", Box::new(square(Square::l2(1e-3)))),
            ("Square-100 L1", Box::new(square(Square::l1(1e-2)))),
            ("FAB-10 towards one class", Box::new(fab)),
            ("DDN-10", Box::new(Ddn::new().with_steps(10))),
        ];
        let mut bench = criterion.benchmark_group(format!("attacks/{name}"));
        bench.sample_size(10);
        bench.throughput(Throughput::Elements(IMAGES as u64));
        bench.bench_function("forward", |b| {
            b.iter(|| victim.logits(batch.images.clone()).into_data());
        });
        for (case, attack) in cases {
            bench.bench_function(case, |b| {
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

criterion_group!(benches, attacks);
criterion_main!(benches);
