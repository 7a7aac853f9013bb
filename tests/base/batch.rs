//! Batches and bounds.

use crate::common::{On, values};
use burn::tensor::{Int, Tensor};
use fireproof::base::{Batch, Bounds, Classifier, Error};

on_every_device![
    error_batch_names_the_pixel,
    error_batch_refuses_what_is_not_a_number,
    error_batch_refuses_labels_without_a_class,
    error_batch_refuses_emptiness,
    error_batch_counts_differ,
    value_batch_select_keeps_ids,
    value_bounds_clamp_and_serialise,
    convention_closures_are_classifiers,
];

fn batch(on: &On, pixels: Vec<f32>, labels: Vec<i64>) -> Batch {
    let count = labels.len();
    let side = pixels.len() / count / 2;
    Batch::new(on.tensor(pixels, [count, 1, 2, side]), on.labels(&labels)).unwrap()
}

fn error_batch_names_the_pixel(on: &On) {
    let mut pixels = vec![0.5; 12];
    pixels[10] = 1.5;
    let error = batch(on, pixels, vec![0, 1])
        .with_ids(vec![40, 41])
        .unwrap()
        .check(10)
        .unwrap_err()
        .to_string();
    // Second image, second of two rows of three pixels, second column.
    assert!(
        error.contains("[channel 0, row 1, column 1] of image 41"),
        "{error}"
    );
    assert!(error.contains("1.5") && error.contains("[0, 1]"), "{error}");
}

fn error_batch_refuses_what_is_not_a_number(on: &On) {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut pixels = vec![0.5; 4];
        pixels[3] = bad;
        // Not even where there are no bounds.
        let batch = batch(on, pixels, vec![0]).with_bounds(Bounds::none());
        assert!(matches!(batch.check(10), Err(Error::Input { .. })));
    }
}

fn error_batch_refuses_labels_without_a_class(on: &On) {
    for label in [-1, 10, i64::from(i32::MAX)] {
        let error = batch(on, vec![0.0; 8], vec![3, label])
            .check(10)
            .unwrap_err()
            .to_string();
        assert!(error.contains("label of image 1"), "{error}");
    }
    batch(on, vec![0.0; 8], vec![0, 9]).check(10).unwrap();
}

fn error_batch_refuses_emptiness(on: &On) {
    let empty = batch(on, vec![0.0; 8], vec![0, 1]).select(&[0]);
    assert_eq!(empty.len(), 1);
    let device = on.device();
    let empty = Batch::new(
        Tensor::empty([0, 1, 2, 2], &device),
        Tensor::<1, Int>::empty([0], &device),
    )
    .unwrap();
    assert!(empty.check(10).is_err());
}

fn error_batch_counts_differ(on: &On) {
    let images = |count| Tensor::zeros([count, 1, 2, 2], &on.device());
    let batch = Batch::new(images(2), on.labels(&[0, 1])).unwrap();
    for (result, what) in [
        (Batch::new(images(2), on.labels(&[0, 1, 2])), "labels"),
        (batch.clone().with_ids(vec![4, 5, 6]), "ids"),
        (batch.with_images(images(3)), "labels"),
    ] {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(&format!("{what} of a batch")), "{error}");
    }
}

fn value_batch_select_keeps_ids(on: &On) {
    let pixels: Vec<f32> = (0..12).map(|i| i as f32 / 12.0).collect();
    let all = batch(on, pixels.clone(), vec![5, 6, 7])
        .with_ids(vec![10, 20, 30])
        .unwrap();
    let some = all.select(&[2, 0]);
    assert_eq!(some.ids, [30, 10]);
    assert_eq!(some.labels_to_vec(), [7, 5]);
    let got = values(some.images);
    assert_eq!(got, [&pixels[8..12], &pixels[0..4]].concat());
}

fn value_bounds_clamp_and_serialise(on: &On) {
    let device = on.device();
    let tensor = || Tensor::<1>::from_floats([-2.0, 0.25, 2.0], &device);
    let values = |bounds: Bounds| -> Vec<f32> { bounds.clamp(tensor()).to_data().iter().collect() };
    assert_eq!(values(Bounds::default()), [0.0, 0.25, 1.0]);
    assert_eq!(values(Bounds::new(-1.0, 1.5).unwrap()), [-1.0, 0.25, 1.5]);
    assert_eq!(values(Bounds::none()), [-2.0, 0.25, 2.0]);
    for bounds in [Bounds::none(), Bounds::default()] {
        let text = serde_json::to_string(&bounds).unwrap();
        assert_eq!(serde_json::from_str::<Bounds>(&text).unwrap(), bounds);
    }
}

fn convention_closures_are_classifiers(on: &On) {
    let constant = |images: Tensor<4>| Tensor::zeros([images.dims()[0], 3], &images.device());
    let boxed: Box<dyn Classifier> = Box::new(constant);
    assert_eq!(
        boxed
            .logits(Tensor::zeros([4, 1, 2, 2], &on.device()))
            .dims(),
        [4, 3]
    );
}
