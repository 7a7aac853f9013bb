//! What attacks found as data: written, read again, damaged, joined.

use super::network::{Net, network};
use crate::common::{On, values};
use burn::tensor::Tensor;
use fireproof::attack::{Adversaries, Attack, Frozen, NO_CLASS, Pgd};
use fireproof::base::{Batch, Bounds, Precision, Seed, read};
use serde_json::{Value, json};
use std::path::Path;

on_every_device![
    value_files_are_exact,
    convention_of_the_file,
    value_other_classifiers_see_them,
    value_shards_are_dealt_by_turns,
    error_damaged_files,
    error_other_batches,
];

// Of a classifier that tells bright images from dark ones.
fn found(on: &On, precision: Precision) -> Adversaries {
    let victim = Frozen::from_fn(|images: Tensor<4>| {
        let mean = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3);
        Tensor::cat(vec![-mean.clone() + 1.0, mean], 1)
    });
    let pixels = (0..5 * 2 * 3 * 4).map(|at| ((at * at) as f32).sin().abs());
    let images = on.tensor(pixels.collect(), [5, 2, 3, 4]);
    let batch = Batch::new(images, on.labels(&[0, 1, 0, 1, 0]))
        .unwrap()
        .with_ids(vec![3, 1, 4, u64::MAX, 5])
        .unwrap()
        .with_bounds(Bounds::new(0.0, 1.5).unwrap())
        .with_precision(precision);
    let attack = Pgd::l2(0.1).with_steps(3);
    let found = attack.attack(&victim, &batch, Seed(7)).unwrap();
    let mut kept = Adversaries::of(&found, &batch, &attack, 7).unwrap();
    // What a classifier without an answer leaves.
    kept.predicted[0] = NO_CLASS;
    kept.loss[0] = f32::NAN;
    kept.distance[1] = None;
    kept
}

fn numbers(tensor: &Tensor<4>) -> Vec<u64> {
    read::<f64, _, _>(tensor)
        .into_iter()
        .map(f64::to_bits)
        .collect()
}

fn equal(a: &Adversaries, b: &Adversaries) {
    assert_eq!(
        (a.images.dtype(), a.images.dims()),
        (b.images.dtype(), b.images.dims())
    );
    assert_eq!(numbers(&a.images), numbers(&b.images));
    assert_eq!(numbers(&a.originals), numbers(&b.originals));
    assert_eq!(
        (&a.ids, &a.labels, &a.predicted),
        (&b.ids, &b.labels, &b.predicted)
    );
    assert_eq!((&a.fooled, &a.distance), (&b.fooled, &b.distance));
    let bits = |of: &Adversaries| Vec::from_iter(of.loss.iter().map(|loss| loss.to_bits()));
    assert_eq!(bits(a), bits(b));
    assert_eq!(
        (a.bounds, &a.attack, a.seed, a.shard),
        (b.bounds, &b.attack, b.seed, b.shard)
    );
}

fn value_files_are_exact(on: &On) {
    // Oracle: the values that were written. Not every device has all element types.
    let folder = tempfile::tempdir().unwrap();
    for &precision in on.among(&Precision::ALL, &[Precision::F32]) {
        let kept = found(on, precision);
        assert!(kept.fooled.contains(&true) && kept.distance.iter().any(Option::is_some));
        let path = folder.path().join("made/on the way.safetensors");
        kept.save(&path).unwrap();
        let loaded = Adversaries::load(&path, &on.device()).unwrap();
        equal(&loaded, &kept);
        let again = folder.path().join("again");
        loaded.save(&again).unwrap();
        assert!(std::fs::read(path).unwrap() == std::fs::read(again).unwrap());
    }
    let unbounded = Adversaries {
        bounds: Bounds::none(),
        ..found(on, Precision::F32)
    };
    let path = folder.path().join("unbounded");
    unbounded.save(&path).unwrap();
    equal(&Adversaries::load(&path, &on.device()).unwrap(), &unbounded);
}

fn header(file: &[u8]) -> (Value, usize) {
    let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    (
        serde_json::from_slice(&file[8..8 + length]).unwrap(),
        8 + length,
    )
}

fn convention_of_the_file(on: &On) {
    // Oracle: the description of the format, read by hand.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("found.safetensors");
    let kept = found(on, Precision::F32);
    kept.save(&path).unwrap();
    let file = std::fs::read(&path).unwrap();
    let (header, begin) = header(&file);
    let kinds = [
        ("images", "F32", json!([5, 2, 3, 4])),
        ("originals", "F32", json!([5, 2, 3, 4])),
        ("ids", "U64", json!([5])),
        ("labels", "I64", json!([5])),
        ("predicted", "I64", json!([5])),
        ("fooled", "BOOL", json!([5])),
        ("distance", "F64", json!([5])),
        ("loss", "F32", json!([5])),
    ];
    for (name, dtype, shape) in &kinds {
        assert_eq!(
            (&header[name]["dtype"], &header[name]["shape"]),
            (&json!(dtype), shape)
        );
    }
    let names = header.as_object().unwrap().len();
    assert_eq!(names, 1 + kinds.len(), "and `__metadata__`");
    let about = header["__metadata__"]["fireproof.adversaries"]
        .as_str()
        .unwrap();
    let about: Value = serde_json::from_str(about).unwrap();
    let attack = Pgd::l2(0.1).with_steps(3).settings();
    assert_eq!(
        about,
        json!({"version": 1, "attack": attack, "seed": 7, "shard": [0, 1],
            "bounds": {"low": 0.0, "high": 1.5}})
    );
    let column = |name: &str| {
        let [from, to] = [0, 1].map(|end| header[name]["data_offsets"][end].as_u64().unwrap());
        &file[begin + from as usize..begin + to as usize]
    };
    let bytes = |values: Vec<f32>| Vec::from_iter(values.into_iter().flat_map(f32::to_le_bytes));
    assert_eq!(column("images"), bytes(values(&kept.images)));
    assert_eq!(column("ids")[24..32], [255; 8]);
    assert_eq!(column("predicted")[..8], [255; 8], "no class");
    assert!(f64::from_le_bytes(column("distance")[8..16].try_into().unwrap()).is_nan());
}

fn value_other_classifiers_see_them(on: &On) {
    // Oracle: verdicts of the attack, and `predict`.
    let (victim, batch) = network(on);
    let attack = Pgd::linf(0.05).with_steps(3);
    let found = attack.attack(&victim, &batch, Seed(2)).unwrap();
    let kept = Adversaries::of(&found, &batch, &attack, 2).unwrap();
    assert_eq!(kept.accuracy(&victim), found.robust_accuracy());
    let fooling = kept.fooling();
    assert_eq!(
        (fooling.len(), fooling.accuracy(&victim)),
        (found.fooled_count(), 0.0)
    );
    let other = Frozen::new(&Net::random(on, 12));
    let predicted = other.predict(kept.batch().images);
    let right = predicted
        .iter()
        .zip(&kept.labels)
        .filter(|(p, l)| p == l)
        .count();
    assert_eq!(kept.accuracy(&other), right as f64 / kept.len() as f64);
    // Those that go by ids are told the images' own: more than are shown together.
    let by_id = Frozen::from_fn(|x: Tensor<4>| {
        let mean = x.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3);
        Tensor::cat(vec![mean.clone() * 0.0 + 0.5, mean], 1)
    });
    let by_id = by_id.through_each(|x, ids| {
        let shade = Vec::from_iter(ids.iter().map(|id| (id % 2) as f32));
        let shade = Tensor::<1>::from_data(shade.as_slice(), &x.device());
        x.clone() * 0.0 + shade.reshape([-1, 1, 1, 1]).expand(x.dims())
    });
    let count = 600;
    let ids = Vec::from_iter((0..count as u64).map(|at| 3 * at + 1));
    let labels = Vec::from_iter(ids.iter().map(|id| (id % 2) as i64));
    let images = Tensor::full([count, 1, 2, 2], 0.5, &on.device());
    let batch_by_id = Batch::new(images, on.labels(&labels)).unwrap();
    let batch_by_id = batch_by_id.with_ids(ids).unwrap();
    let nothing = Pgd::linf(0.0).with_steps(1);
    let found = nothing.attack(&by_id, &batch_by_id, Seed(2)).unwrap();
    let kept_by_id = Adversaries::of(&found, &batch_by_id, &nothing, 2).unwrap();
    assert_eq!(kept_by_id.accuracy(&by_id), 1.0);
    assert_eq!(kept.batch().ids, batch.ids);
    assert_eq!(kept.batch().labels_to_vec(), batch.labels_to_vec());
}

fn shard(kept: &Adversaries, index: usize, count: usize) -> Adversaries {
    Adversaries {
        shard: [index, count],
        ..kept.select(&Vec::from_iter((index..kept.len()).step_by(count)))
    }
}

fn value_shards_are_dealt_by_turns(on: &On) {
    let kept = found(on, Precision::F32);
    for count in 1..=5 {
        let shards = (0..count).rev().map(|index| shard(&kept, index, count));
        equal(&Adversaries::join(shards).unwrap(), &kept);
    }
    let refused = |shards: Vec<Adversaries>| {
        let error = Adversaries::join(shards).unwrap_err().to_string();
        assert!(error.contains("every shard of one run, once"), "{error}");
    };
    refused(vec![]);
    refused(vec![shard(&kept, 0, 2)]);
    refused(vec![shard(&kept, 1, 2), shard(&kept, 1, 2)]);
    let other = Adversaries {
        seed: Seed(8),
        ..shard(&kept, 1, 2)
    };
    refused(vec![shard(&kept, 0, 2), other]);
    let short = shard(&kept, 0, 2);
    refused(vec![short.select(&[0]), shard(&kept, 1, 2)]);
}

fn error_damaged_files(on: &On) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("found.safetensors");
    found(on, Precision::F32).save(&path).unwrap();
    let right = std::fs::read(&path).unwrap();
    let load = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let loaded = Adversaries::load(&path, &on.device());
        loaded.map(|_| ()).map_err(|error| error.to_string())
    };
    let (header, begin) = header(&right);
    let step = on.pick(3, 97);
    // Nothing of a file is left out unseen, nor added.
    for end in (0..right.len()).step_by(step) {
        load(&right[..end]).unwrap_err();
    }
    load(&[&right[..], &[0]].concat()).unwrap_err();
    // Whatever the header says, there is no panic.
    for at in (0..begin).step_by(step) {
        for flip in on.among(&[1, 128], &[1]) {
            let mut bytes = right.clone();
            bytes[at] ^= flip;
            let _ = load(&bytes);
        }
    }
    let with = |change: &dyn Fn(&mut Value)| {
        let mut header = header.clone();
        change(&mut header);
        let text = header.to_string().into_bytes();
        let length = (text.len() as u64).to_le_bytes();
        [&length, &text[..], &right[begin..]].concat()
    };
    let refused = |change: &dyn Fn(&mut Value), expected: &str| {
        let error = load(&with(change)).unwrap_err();
        assert!(
            error.contains(expected) && error.contains("found.safetensors"),
            "{error}"
        );
    };
    load(&with(&|_| ())).unwrap();
    refused(
        &|h| h["images"]["dtype"] = json!("I32"),
        "of F64, F32, F16 or BF16, found I32",
    );
    refused(
        &|h| h["images"]["shape"] = json!([5, 2, 12]),
        "[image, channel, height, width]",
    );
    refused(
        &|h| h["originals"]["shape"] = json!([5, 2, 4, 3]),
        "`originals` of F32 [5, 2, 3, 4]",
    );
    refused(
        &|h| h["labels"]["dtype"] = json!("U64"),
        "`labels` of I64 [5], found U64 [5]",
    );
    refused(
        &|h| h["__metadata__"] = json!({}),
        "metadata `fireproof.adversaries`",
    );
    refused(
        &|h| h["images"]["data_offsets"] = json!([0, 7]),
        "a SafeTensors file",
    );
    let about = |change: fn(&mut Value), expected| {
        refused(
            &|header| {
                let place = &mut header["__metadata__"]["fireproof.adversaries"];
                let mut about: Value = serde_json::from_str(place.as_str().unwrap()).unwrap();
                change(&mut about);
                *place = about.to_string().into();
            },
            expected,
        );
    };
    about(|about| about["version"] = 2.into(), "version 2");
    about(
        |about| about["bounds"] = json!({"low": 1.0, "high": 0.5}),
        "bounds [1, 0.5]",
    );
    about(|about| about["shard"] = json!([2, 2]), "shard 2 of 2");
    about(|about| about["more"] = 1.into(), "unknown field `more`");
    let place = header["fooled"]["data_offsets"][0].as_u64().unwrap() as usize;
    let mut bytes = right.clone();
    bytes[begin + place] = 2;
    let error = load(&bytes).unwrap_err();
    let expected = format!(
        "at byte {}: expected 0 or 1 for each image, found 2",
        begin + place
    );
    assert!(error.contains(&expected), "{error}");
    let missing = Adversaries::load(Path::new("no such file"), &on.device()).unwrap_err();
    assert!(missing.to_string().contains("no such file"), "{missing}");
}

fn error_other_batches(on: &On) {
    let (victim, batch) = network(on);
    let attack = Pgd::linf(0.05).with_steps(1);
    let found = attack.attack(&victim, &batch, Seed(2)).unwrap();
    let error = Adversaries::of(&found, &batch.select(&[0]), &attack, 2).unwrap_err();
    assert!(
        error.to_string().contains("one for each of the 1 images"),
        "{error}"
    );
}
