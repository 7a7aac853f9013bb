//! Batches of a set, on a device.

use super::given::twelve;
use crate::common::{On, values};
use fireproof::base::Bounds;
use fireproof::data::{ImageSet, cifar10};
use std::fs;
use tempfile::tempdir;

on_every_device![
    value_batch_holds_bytes_over_255_labels_and_ids,
    value_batch_of_numbers_has_their_bounds,
    value_batches_cover_the_set_in_order,
    convention_cifar_planes_are_red_green_blue,
];

fn value_batch_holds_bytes_over_255_labels_and_ids(on: &On) {
    // Oracle: the definition, byte / 255 rounded to f32.
    let batch = twelve().batch(&[5, 0], &on.device());
    assert_eq!(batch.images.dims(), [2, 2, 1, 2]);
    let pixels = values(&batch.images);
    let byte = |b: u8| f32::from(b) / 255.0;
    let expected = [
        byte(5),
        1.0,
        0.0,
        byte(51), //
        byte(0),
        1.0,
        0.0,
        byte(51),
    ];
    assert_eq!(pixels, expected);
    assert_eq!(batch.labels_to_vec(), [2, 0]);
    assert_eq!(batch.ids, [5, 0]);
    assert_eq!(batch.bounds, Bounds::default());
    batch.check(3).unwrap();
}

fn value_batch_of_numbers_has_their_bounds(on: &On) {
    let bounds = Bounds::new(-3.0, 4.0).unwrap();
    for bounds in [bounds, Bounds::none()] {
        let numbers = vec![-2.5, 0.1, 4.0, 0.0];
        let set = ImageSet::of_numbers("points", [1, 1, 2], 2, numbers, vec![0, 1], bounds);
        let batch = set.unwrap().batch(&[1, 0], &on.device());
        assert_eq!(values(&batch.images), [4.0, 0.0, -2.5, 0.1]);
        assert_eq!((batch.bounds, batch.labels_to_vec()), (bounds, vec![1, 0]));
        batch.check(2).unwrap();
    }
}

fn value_batches_cover_the_set_in_order(on: &On) {
    let (device, set) = (on.device(), twelve());
    let batches = set.batches(5, &device);
    assert_eq!(batches.len(), 3);
    let ids: Vec<Vec<u64>> = batches.map(|batch| batch.ids).collect();
    assert_eq!(ids.iter().map(Vec::len).collect::<Vec<_>>(), [5, 5, 2]);
    assert_eq!(ids.concat(), (0..12).collect::<Vec<_>>());
}

fn convention_cifar_planes_are_red_green_blue(on: &On) {
    let mut record = vec![3];
    record.extend([[10; 1024], [20; 1024], [30; 1024]].concat());
    let dir = tempdir().unwrap();
    for file in ["data_batch_1.bin", "test_batch.bin"] {
        fs::write(dir.path().join(file), &record).unwrap();
    }
    let batch = cifar10(dir.path()).unwrap().test.batch(&[0], &on.device());
    let channels: Vec<f32> = batch
        .images
        .mean_dims(&[2, 3])
        .to_data()
        .iter::<f32>()
        .collect();
    for (found, byte) in channels.into_iter().zip([10.0, 20.0, 30.0]) {
        assert!((found - byte / 255.0).abs() < 1e-6);
    }
}
