//! PGD against torchattacks.

use super::network::Net;
use crate::common::{On, values};
use fireproof::attack::{Attack, Frozen, Keep, Pgd};
use fireproof::base::{Batch, Seed};
use flate2::read::GzDecoder;
use std::io::Read;

on_every_device![value_torchattacks_pgd,];

fn unpack(bytes: &[u8]) -> Vec<u8> {
    let mut raw = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut raw).unwrap();
    raw
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let words = bytes.chunks_exact(4);
    words
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect()
}

/// The trained network of the fixtures, and the first of its test digits.
pub fn trained(on: &On, count: usize) -> (Frozen, Batch) {
    let raw = unpack(include_bytes!("../fixtures/torchattacks_weights.bin.gz"));
    let weights = floats(&raw);
    let mut used = 0;
    let net = Net::new(on, |count| {
        used += count;
        weights[used - count..used].to_vec()
    });
    assert_eq!(used, weights.len());

    let raw = unpack(include_bytes!("../fixtures/torchattacks_images.bin.gz"));
    let (classes, pixels) = raw.split_at(500);
    let classes: Vec<i64> = classes[..count].iter().map(|c| i64::from(*c)).collect();
    let pixels = pixels[..count * 784].iter();
    let pixels = pixels.map(|p| f32::from(*p) / 255.0).collect();
    let batch = Batch::new(on.tensor(pixels, [count, 1, 28, 28]), on.labels(&classes)).unwrap();
    (Frozen::new(&net), batch)
}

fn value_torchattacks_pgd(on: &On) {
    // Oracle: torchattacks 3.5.1 on PyTorch 2.15.0, by tests/fixtures/make_torchattacks.py.
    // The first fifty images are those whose attacked pixels are in the fixture.
    let (victim, batch) = trained(on, on.pick(500, 50));

    let raw = unpack(include_bytes!("../fixtures/torchattacks_expected.bin.gz"));
    let (count, shown) = (batch.len(), 50 * 784);
    let (expected, bytes) = raw.split_at(4 * (5000 + 2 * shown));
    let expected = floats(expected);
    let (logits, attacked) = expected.split_at(5000);
    let (predicted, steep) = bytes.split_at(1000);
    assert_eq!(steep.len(), shown);

    let ours = values(victim.logits(batch.images.clone()));
    for (ours, theirs) in ours.iter().zip(logits) {
        assert!((ours - theirs).abs() < 1e-4, "{ours} {theirs}");
    }
    for (index, (steps, agreement)) in [(1, 0.999), (10, 0.97)].into_iter().enumerate() {
        let pgd = Pgd::linf(0.1)
            .with_steps(steps)
            .with_step_size(0.025)
            .with_random_start(false)
            .with_keep(Keep::Last);
        let found = pgd.attack(&victim, &batch, Seed(0)).unwrap();
        let theirs = &attacked[index * shown..(index + 1) * shown];
        let ours = values(&found.images);
        let pairs = ours[..shown].iter().zip(theirs).zip(steep);
        let counted: Vec<bool> = pairs
            .filter(|(_, steep)| steps > 1 || **steep == 1)
            .map(|((ours, theirs), _)| ours == theirs)
            .collect();
        let equal = counted.iter().filter(|equal| **equal).count();
        let fraction = equal as f64 / counted.len() as f64;
        println!(
            "{steps} steps: {equal} of {} pixels equal to the bit",
            counted.len()
        );
        assert!(fraction >= agreement, "{fraction}");

        let predicted = &predicted[index * 500..(index + 1) * 500];
        let robust = predicted
            .iter()
            .zip(batch.labels_to_vec())
            .filter(|(p, c)| i64::from(**p) == *c);
        let theirs = robust.count() as f64 / count as f64;
        println!(
            "{steps} steps: robust accuracy {} and {theirs}",
            found.robust_accuracy()
        );
        assert!((found.robust_accuracy() - theirs).abs() <= 1.0 / count as f64 + 1e-9);
    }
}
