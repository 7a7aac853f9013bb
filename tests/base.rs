//! Errors, bounds, batches, seeds, statistics and devices.

use burn::tensor::{Int, Tensor, TensorData};
use fireproof::base::statistics::{holm, mcnemar, wilson};
use fireproof::base::{
    Batch, Bounds, Classifier, DEVICE_VARIABLE, Error, Purpose, Seed, compiled_devices, device,
    device_named, try_device,
};
use proptest::prelude::*;

fn batch(pixels: Vec<f32>, labels: Vec<i64>) -> Batch {
    let (count, device) = (labels.len(), device());
    let side = pixels.len() / count / 2;
    Batch::new(
        Tensor::from_data(TensorData::new(pixels, [count, 1, 2, side]), &device),
        Tensor::<1, Int>::from_data(TensorData::new(labels, [count]), &device),
    )
}

#[test]
fn error_batch_names_the_pixel() {
    let mut pixels = vec![0.5; 12];
    pixels[10] = 1.5;
    let error = batch(pixels, vec![0, 1])
        .with_ids(vec![40, 41])
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

#[test]
fn error_batch_refuses_what_is_not_a_number() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut pixels = vec![0.5; 4];
        pixels[3] = bad;
        // Not even where there are no bounds.
        let batch = batch(pixels, vec![0]).with_bounds(Bounds::none());
        assert!(matches!(batch.check(10), Err(Error::Input { .. })));
    }
}

#[test]
fn error_batch_refuses_labels_without_a_class() {
    for label in [-1, 10, i64::from(i32::MAX)] {
        let error = batch(vec![0.0; 8], vec![3, label])
            .check(10)
            .unwrap_err()
            .to_string();
        assert!(error.contains("label of image 1"), "{error}");
    }
    batch(vec![0.0; 8], vec![0, 9]).check(10).unwrap();
}

#[test]
fn error_batch_refuses_emptiness() {
    let empty = batch(vec![0.0; 8], vec![0, 1]).select(&[0]);
    assert_eq!(empty.len(), 1);
    let device = device();
    let empty = Batch::new(
        Tensor::empty([0, 1, 2, 2], &device),
        Tensor::<1, Int>::empty([0], &device),
    );
    assert!(empty.check(10).is_err());
}

#[test]
#[should_panic(expected = "as many labels as images")]
fn error_batch_counts_differ() {
    let device = device();
    Batch::new(
        Tensor::zeros([2, 1, 2, 2], &device),
        Tensor::<1, Int>::zeros([3], &device),
    );
}

#[test]
fn value_batch_select_keeps_ids() {
    let pixels: Vec<f32> = (0..12).map(|i| i as f32 / 12.0).collect();
    let all = batch(pixels.clone(), vec![5, 6, 7]).with_ids(vec![10, 20, 30]);
    let some = all.select(&[2, 0]);
    assert_eq!(some.ids, [30, 10]);
    assert_eq!(some.labels_to_vec(), [7, 5]);
    let got: Vec<f32> = some.images.to_data().iter::<f32>().collect();
    assert_eq!(got, [&pixels[8..12], &pixels[0..4]].concat());
}

#[test]
fn error_bounds_need_order() {
    for (low, high) in [
        (1.0, 0.0),
        (0.5, 0.5),
        (f32::NAN, 1.0),
        (0.0, f32::INFINITY),
    ] {
        assert!(matches!(Bounds::new(low, high), Err(Error::Setting { .. })));
    }
}

#[test]
fn value_bounds_clamp_and_serialise() {
    let device = device();
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

#[test]
fn value_draws_are_fixed_for_ever() {
    // Oracle: `rand_chacha`'s ChaCha8 with the key written out, which RFC-style test vectors of
    // that crate cover; a change here would silently change every published experiment.
    use rand_chacha::rand_core::{Rng, SeedableRng};
    let mut key = [0u8; 32];
    key[0] = 7;
    key[8] = Purpose::Pose as u8;
    key[16] = 12;
    key[24] = 3;
    let mut generator = rand_chacha::ChaCha8Rng::from_seed(key);
    let mut draws = Seed(7).draws(Purpose::Pose, 12, 3);
    for _ in 0..5 {
        assert_eq!(draws.next(), generator.next_u64());
    }
}

#[test]
fn value_draws_have_the_right_moments() {
    // Oracle: mean and variance of the uniform and normal distributions; five standard errors.
    let count = 20_000;
    let mut draws = Seed(1).draws(Purpose::Start, 0, 0);
    let uniform: Vec<f64> = (0..count).map(|_| draws.uniform(-1.0, 3.0)).collect();
    let normal: Vec<f64> = (0..count).map(|_| draws.normal()).collect();
    let mean = |v: &[f64]| v.iter().sum::<f64>() / count as f64;
    let variance = |v: &[f64]| v.iter().map(|x| (x - mean(v)).powi(2)).sum::<f64>() / count as f64;
    let error = 5.0 / (count as f64).sqrt();
    assert!((mean(&uniform) - 1.0).abs() < error * (16.0f64 / 12.0).sqrt());
    assert!((variance(&uniform) - 16.0 / 12.0).abs() < 0.05);
    assert!(uniform.iter().all(|x| (-1.0..3.0).contains(x)));
    assert!(mean(&normal).abs() < error);
    assert!((variance(&normal) - 1.0).abs() < 0.05);
}

proptest! {
    #[test]
    fn value_shuffle_is_a_permutation(seed: u64, count in 0usize..200) {
        let mut items: Vec<usize> = (0..count).collect();
        Seed(seed).draws(Purpose::Order, 0, 0).shuffle(&mut items);
        let mut sorted = items.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sorted, (0..count).collect::<Vec<_>>());
    }

    #[test]
    fn value_below_stays_below(seed: u64, count in 1u64..) {
        let mut draws = Seed(seed).draws(Purpose::Order, 0, 0);
        for _ in 0..20 {
            prop_assert!(draws.below(count) < count);
        }
    }

    #[test]
    fn value_wilson_holds_the_estimate(count in 1usize..5000, share in 0.0f64..=1.0) {
        let successes = (share * count as f64) as usize;
        let interval = wilson(successes, count);
        prop_assert!(interval.contains(successes as f64 / count as f64));
        prop_assert!(interval.low >= 0.0 && interval.high <= 1.0);
    }

    #[test]
    fn value_holm_never_lowers(p in proptest::collection::vec(0.0f64..=1.0, 1..20)) {
        for (raw, adjusted) in p.iter().zip(holm(&p)) {
            prop_assert!(adjusted >= *raw && adjusted <= 1.0);
        }
    }
}

#[test]
fn value_shuffle_is_uniform() {
    // Oracle: each of the 6 orders of 3 items has probability 1/6.
    let mut counts = std::collections::HashMap::new();
    for id in 0..6000 {
        let mut items = [0, 1, 2];
        Seed(3).draws(Purpose::Order, id, 0).shuffle(&mut items);
        *counts.entry(items).or_insert(0) += 1;
    }
    assert_eq!(counts.len(), 6);
    assert!(
        counts.values().all(|&n| (850..1150).contains(&n)),
        "{counts:?}"
    );
}

#[test]
fn value_wilson_table() {
    // Oracle: SciPy 1.17.1, binomtest(...).proportion_ci(method="wilson").
    for (successes, count, low, high) in [
        (0, 10, 0.0, 0.277_532_799_862_889_26),
        (5, 10, 0.236_593_090_512_564, 0.763_406_909_487_436),
        (970, 1000, 0.957_496_585_852_412_8, 0.978_906_261_171_165_3),
        (10, 10, 0.722_467_200_137_110_9, 1.0),
    ] {
        let interval = wilson(successes, count);
        assert!((interval.low - low).abs() < 1e-12, "{interval:?} {low}");
        assert!((interval.high - high).abs() < 1e-12, "{interval:?} {high}");
    }
}

#[test]
fn value_mcnemar_binomial_table() {
    // Oracle: SciPy 1.17.1, binomtest(...).pvalue; large counts must not underflow.
    for (first, second, p) in [
        (0, 5, 0.0625),
        (2, 8, 0.109375),
        (900, 1100, 8.457_089_535_503_81e-6),
        (2000, 3000, 1.300_231_000_520_532_6e-45),
    ] {
        assert!((mcnemar(first, second) / p - 1.0).abs() < 1e-9);
        assert_eq!(mcnemar(first, second), mcnemar(second, first));
    }
    assert_eq!(mcnemar(7, 7), 1.0);
}

#[test]
fn convention_closures_are_classifiers() {
    let constant = |images: Tensor<4>| Tensor::zeros([images.dims()[0], 3], &images.device());
    let boxed: Box<dyn Classifier> = Box::new(constant);
    assert_eq!(
        boxed.logits(Tensor::zeros([4, 1, 2, 2], &device())).dims(),
        [4, 3]
    );
}

#[test]
fn error_device_names() {
    for name in compiled_devices() {
        device_named(name).unwrap();
        device_named(&name.to_uppercase()).unwrap();
    }
    for name in ["cuda:7", "", "tpu"] {
        let error = device_named(name).unwrap_err().to_string();
        assert!(error.contains(compiled_devices()[0]), "{error}");
    }
}

#[test]
fn error_device_variable() {
    // In a process of its own: the environment is shared by all tests of this one.
    const PROBE: &str = "FIREPROOF_PROBE_DEVICE";
    if std::env::var_os(PROBE).is_some() {
        println!("tried: {}", try_device().is_ok());
        println!("device: {:?}", device());
        return;
    }
    let probe = |name: &str| {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "error_device_variable", "--nocapture"])
            .env(PROBE, "1")
            .env(DEVICE_VARIABLE, name)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let wrong = probe("warp-drive");
    assert!(
        wrong.contains("tried: false") && wrong.contains("device: Device<"),
        "{wrong}"
    );
    let right = probe(compiled_devices()[0]);
    assert!(right.contains("tried: true"), "{right}");
}

#[path = "base/intervals.rs"]
mod intervals;
