//! Labels of every type of whole numbers, and labels that are none.

use super::attacks::{batch, victim};
use crate::common::On;
use burn::tensor::{DType, IntDType, Tensor, TensorData};
use fireproof::attack::{Attack, CrossEntropy, Loss, Margin, NextClass, Pgd, Reference};
use fireproof::base::{Batch, Error, Precision, Seed, read};

on_every_device![
    value_labels_of_every_type_are_the_same_labels,
    error_labels_beyond_every_class_are_refused_by_image,
];

fn value_labels_of_every_type_are_the_same_labels(on: &On) {
    let (victim, batch) = (victim(on, Precision::F32), batch(on, Precision::F32));
    let types = [IntDType::I64, IntDType::I32, IntDType::U32, IntDType::U8];
    let types = types
        .into_iter()
        .filter(|&dtype| on.device().supports_dtype(dtype));
    let attacks = [
        Pgd::linf(0.05).with_steps(2),
        Pgd::linf(0.05).with_steps(2).with_loss(Margin),
        Pgd::linf(0.05).with_steps(2).with_targets(NextClass),
    ];
    for attack in attacks {
        let mut before = None;
        for dtype in types.clone() {
            let batch = Batch {
                labels: batch.labels.clone().cast(dtype),
                ..batch.clone()
            };
            let found = attack.attack(&victim, &batch, Seed(1)).unwrap();
            let now = (found.fooled, found.loss, read::<f32, _, _>(&found.images));
            assert_eq!(
                *before.get_or_insert(now.clone()),
                now,
                "{dtype:?}, {attack}"
            );
        }
    }
    let logits: Tensor<2> = on.pattern([4, 3], 1) / 8.0;
    for loss in [&CrossEntropy as &dyn Loss, &Margin] {
        let of = |dtype| {
            let labels = batch.labels.clone().cast(dtype);
            read::<f32, _, _>(&loss.per_image(logits.clone(), &Reference::new(labels)))
        };
        for dtype in types.clone() {
            assert_eq!(of(dtype), of(IntDType::I32), "{dtype:?}, {loss}");
        }
    }
}

fn error_labels_beyond_every_class_are_refused_by_image(on: &On) {
    let (victim, batch) = (victim(on, Precision::F32), batch(on, Precision::F32));
    if !on.device().supports_dtype(DType::I64) {
        return;
    }
    for wrong in [i64::MAX, i64::MIN, -1, 3, 256, 1 << 32] {
        let labels = TensorData::new(vec![0, 1, wrong, 2], [4]);
        let batch = Batch {
            labels: Tensor::from_data(labels, (&on.device(), DType::I64)),
            ..batch.clone()
        };
        let error = Pgd::linf(0.1).attack(&victim, &batch, Seed(0)).unwrap_err();
        let Error::Input {
            what,
            found,
            expected,
        } = &error
        else {
            panic!("{error}");
        };
        assert_eq!(what, "label of image 12");
        assert_eq!(*found, wrong.to_string());
        assert_eq!(expected, "0 to 2 (the classifier has 3 classes)");
    }
    let labels = TensorData::new(vec![0, 1, u64::MAX, 2], [4]);
    let batch = Batch {
        labels: Tensor::from_data(labels, (&on.device(), DType::U64)),
        ..batch
    };
    let error = Pgd::linf(0.1).attack(&victim, &batch, Seed(0)).unwrap_err();
    assert!(
        error.to_string().starts_with("label of image 12"),
        "{error}"
    );
}
