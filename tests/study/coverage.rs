//! The quick part of the calibration: few cases, the same draws in every run. `calibration.rs` has all.

use crate::calibration::APART;
use crate::trials::{Plane, of_contrasts, of_estimands, of_family, of_rates, power};
use crate::world::World;

const ENOUGH: f64 = 0.93;

// Oracle: 1,000 samples of outcomes with a known rate.
#[test]
fn value_intervals_over_seeds_hold_the_truth() {
    for (rate, [seeds, images], draws, spread) in [
        (0.5, [3, 500], 1, 0.01),
        (0.9, [3, 2000], 1, 0.02),
        (0.9, [6, 500], 4, 0.01),
        (0.99, [3, 500], 1, 0.01),
        (0.99, [1, 500], 1, 0.01),
    ] {
        let world = World::new(&[rate; 2], [seeds, images], 0.1, spread).with_draws(draws);
        let coverages = of_rates(&world, 1000, 1);
        assert!(
            coverages.iter().all(|&c| c >= ENOUGH),
            "{coverages:?}: {world:?}"
        );
    }
}

// Oracle: 500 samples of outcomes with known rates.
#[test]
fn value_intervals_of_contrasts_hold_the_truth() {
    let rates = [0.9, 0.86, 0.84, 0.8];
    for [seeds, images] in [[3, 500], [1, 500]] {
        let world = World::new(&rates, [seeds, images], 0.1, 0.01);
        let coverages = of_contrasts(&world, 500, 2);
        assert!(
            coverages.iter().all(|&c| c >= ENOUGH),
            "{coverages:?}: {world:?}"
        );
    }
    let world = World::new(&rates, [3, 500], 0.1, 0.01);
    let coverages = of_estimands(&world, 500, 3);
    assert!(
        coverages.iter().all(|&c| c >= ENOUGH),
        "{coverages:?}: {world:?}"
    );
}

// Oracle: the same where few images are right when clean, and nearly none or nearly all of these are lost.
#[test]
fn value_intervals_of_rare_losses_hold_the_truth() {
    for (clean, moved, [seeds, images]) in [
        (0.55, 0.01, [1, 500]),
        (0.55, 0.998, [1, 2000]),
        (0.3, 0.005, [1, 1000]),
        (0.1, 0.99, [1, 500]),
        (0.3, 0.995, [3, 500]),
    ] {
        let rates = [clean, moved, clean, moved];
        let world = World::new(&rates, [seeds, images], 0.4, 0.0);
        let coverages = of_estimands(&world, 1000, 8);
        assert!(
            coverages.iter().all(|&c| c >= ENOUGH),
            "{coverages:?}: {world:?}"
        );
    }
}

// Oracle: the slope of many seeds on all images, the area of the known rates.
#[test]
fn value_intervals_of_slope_and_area_hold_the_truth() {
    for (seeds, spread) in [(3, 0.01), (2, 0.03)] {
        let plane = Plane::new(&APART, [seeds, 500], spread);
        let coverages = plane.coverage(200, 4);
        assert!(coverages.iter().all(|&c| c >= ENOUGH), "{coverages:?}");
    }
}

// Oracle: no effect, and effects of the margin, in families of six.
#[test]
fn convention_families_keep_their_level() {
    let world = World::new(&[0.9; 2], [3, 500], 0.1, 0.01);
    let [any, ..] = of_family(&world, &[0.0; 6], 400, 5);
    assert!(any <= 0.05, "{any}");
    // Where equivalence can be shown at all: one seed, and more images.
    let world = World::new(&[0.9; 2], [1, 2000], 0.1, 0.0);
    let mixed = [0.02, 0.0, 0.02, 0.0, 0.02, 0.0];
    let [any, there, absent, ..] = of_family(&world, &mixed, 300, 6);
    assert!(
        any <= 0.06 && there <= 0.05 && absent <= 0.05,
        "{any} {there} {absent}"
    );
}

// Oracle: the power of the exact test, summed over all splits, alone and at a sixth of the level.
#[test]
fn value_one_seed_has_the_power_of_the_exact_test() {
    for (images, discordance, alone, all) in [(500, 0.1, 0.249, 0.086), (2000, 0.2, 0.497, 0.246)] {
        let found = power(images, discordance, 1000, 7);
        let near = |found: f64, expected: f64| (found - expected).abs() < 0.04;
        assert!(
            near(found[0], alone) && near(found[1], all),
            "{images}, {discordance}: {found:?}"
        );
    }
}
