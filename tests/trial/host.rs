//! What comes over to the host, and at whose word.

use super::given::{IMAGES, batch, victim};
use crate::common::On;
use fireproof::attack::{Attack, Goal, Keep, Pgd, Trial};
use fireproof::base::{Seed, count_reads};

on_every_device![
    convention_pixels_stay_on_the_device,
    value_exact_gradients_on_demand,
];

fn convention_pixels_stay_on_the_device(on: &On) {
    let victim = victim(on);
    let batch = batch(on, &victim);
    victim.classes(&batch.images);
    // L∞: labels, pixels in bounds, ball, which passes were exact, and the verdict with distances, passes and the flaws of
    // gradients; nothing grows with the pixels.
    let attack = Pgd::linf(0.1);
    let (found, reads) = count_reads(|| attack.attack(&victim, &batch, Seed(1)));
    found.unwrap();
    assert_eq!(reads.count, 5);
    assert_eq!(reads.values, IMAGES + 1 + 1 + IMAGES + 7 * IMAGES);
    // In training no verdict is read.
    let attack = attack.with_keep(Keep::Last);
    let (images, reads) = count_reads(|| attack.perturb(&victim, &batch, Seed(1)));
    images.unwrap();
    assert_eq!((reads.count, reads.values), (3, IMAGES + 2));
}

fn value_exact_gradients_on_demand(on: &On) {
    let victim = victim(on).with_numerics(fireproof::kernel::Numerics::Fast);
    let batch = batch(on, &victim);
    let mut trial = Trial::new(&victim, &batch, &Goal::default(), 1).unwrap();
    trial.exact();
    assert_eq!(
        trial.victim().numerics(),
        fireproof::kernel::Numerics::Exact
    );
}
