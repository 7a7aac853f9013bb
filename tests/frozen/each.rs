//! Maps that know which images they are given.

use crate::common::{On, values};
use burn::tensor::Tensor;
use fireproof::attack::{Attack, AttackSpec, Fgsm, Frozen, Keep, Pgd};
use fireproof::base::{Batch, Degrees, Seed};
use fireproof::data::ImageSet;
use fireproof::evaluate::{Axis, Evaluation};
use fireproof::transform::{Pose, Warp};

on_every_device![
    value_every_image_is_attacked_behind_a_map_of_its_own,
    value_evaluations_tell_maps_their_images,
];

const COUNT: usize = 9;

fn bytes() -> Vec<u8> {
    let pixel = |at: usize| (128.0 + 80.0 * ((at * at) as f32 * 0.37).sin()) as u8;
    (0..COUNT * 64).map(pixel).collect()
}

fn images(on: &On) -> Tensor<4> {
    let pixels = bytes().into_iter().map(|byte| f32::from(byte) / 255.0);
    on.tensor(pixels.collect(), [COUNT, 1, 8, 8])
}

// Images one by one, without matrix products, whose rounding may depend on the batch.
fn upright() -> Frozen {
    Frozen::from_fn(|images: Tensor<4>| {
        let rows = images.clone().narrow(2, 2, 3).mean_dims(&[1, 2, 3]);
        let columns = images.clone().narrow(3, 1, 2).mean_dims(&[1, 2, 3]);
        let all = images.square().mean_dims(&[1, 2, 3]) * 1.4;
        Tensor::cat(vec![rows, columns, all], 1).flatten::<2>(1, 3)
    })
}

fn pose(id: u64) -> Pose {
    Pose::rotation(Degrees(20.0 * id as f64 - 70.0))
}

fn turned(victim: &Frozen) -> Frozen {
    victim.through_each(|images, ids| {
        let poses = Vec::from_iter(ids.iter().map(|&id| pose(id)));
        Warp::bilinear().apply(images, &poses)
    })
}

fn batch(on: &On, victim: &Frozen) -> Batch {
    let images = images(on);
    let ids = Vec::from_iter((0..COUNT as u64).map(|at| (at * 4) % 9));
    let labels = victim.for_ids(&ids).predict(images.clone());
    let batch = Batch::new(images, on.labels(&labels)).unwrap();
    batch.with_ids(ids).unwrap()
}

fn value_every_image_is_attacked_behind_a_map_of_its_own(on: &On) {
    // Oracle: each image alone, behind a map for that image that knows of no id.
    let victim = turned(&upright()).through(|images| images.flip([2]));
    let batch = batch(on, &victim);
    let pgd = Pgd::linf(0.02).with_steps(3);
    let attacks: [AttackSpec; 4] = [
        pgd.clone().restarts(3).into(),
        Fgsm::linf(0.015).or(Pgd::linf(0.015)).into(),
        Pgd::l2(0.1).with_keep(Keep::Last).into(),
        Fgsm::linf(0.015).then(pgd).into(),
    ];
    for attack in attacks {
        let found = attack.attack(&victim, &batch, Seed(1)).unwrap();
        let count = found.fooled_count();
        assert!(count > 0 && count < COUNT, "{attack}: {count}");
        for at in 0..COUNT {
            let one = batch.select(&[at]);
            let pose = pose(one.ids[0]);
            let alone = upright()
                .through(move |images| Warp::bilinear().apply(images, &[pose]))
                .through(|images| images.flip([2]));
            let expected = attack.attack(&alone, &one, Seed(1)).unwrap();
            let got = found.select(&[at]);
            assert_eq!(values(got.images), values(expected.images), "{attack} {at}");
            assert_eq!(got.fooled, expected.fooled);
            assert_eq!(got.queries, expected.queries);
        }
    }
}

fn value_evaluations_tell_maps_their_images(on: &On) {
    // Oracle: the images turned beforehand.
    let victim = upright();
    let images = images(on);
    let poses = Vec::from_iter((0..COUNT as u64).map(pose));
    let labels = victim.predict(Warp::bilinear().apply(images.clone(), &poses));
    let labels = Vec::from_iter(labels.into_iter().map(|label| label as u8));
    let set = ImageSet::new("turned", [1, 8, 8], 3, bytes(), labels).unwrap();
    let evaluation = Evaluation::new()
        .with_batch_size(4)
        .with_axis(Axis::epsilons(Pgd::linf(0.0).restarts(2), [0.02]));
    let profile = evaluation
        .run(&turned(&victim), &set, &on.device())
        .unwrap();
    assert_eq!(profile.clean.value, 1.0);
    let point = &profile.curves[0].points[0];
    assert!(point.accuracy.value > 0.0 && point.accuracy.value < 1.0);
}
