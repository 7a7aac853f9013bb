//! Seeds and what is drawn from them: on the host.

use fireproof::base::statistics::{holm, wilson};
use fireproof::base::{Bounds, Degrees, Error, Keys, Pixels, Purpose, Seed};
use fireproof::transform::PoseBudget;
use proptest::prelude::*;

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

// Oracle: the seeds' own generators, drawn for training and for testing.
#[test]
fn convention_testing_replays_no_pose_of_training() {
    let keys = Keys::new(5, 0..50);
    let budget = PoseBudget::new(Degrees(180.0), Pixels(3.0)).unwrap();
    let (trained, tested) = (
        budget.draw(&keys),
        budget.draw_for(Purpose::TestPose, &keys),
    );
    assert!(trained.iter().zip(&tested).all(|(a, b)| a.angle != b.angle));
}

// Oracle: the keys of each image in its draw alone.
#[test]
fn value_images_in_draws_of_their_own() {
    let keys = Keys::new(5, [8, 8, 3]).with_draws([0, 2, 2]);
    let alone = |id, draw| Keys::new(5, [id]).with_draw(draw);
    let number = |keys: &Keys, at: usize| keys.draws(Purpose::Noise, at).next();
    let expected = [(8, 0), (8, 2), (3, 2)];
    for (at, (id, draw)) in expected.into_iter().enumerate() {
        assert_eq!(keys.draw_of(at), draw);
        assert_eq!(number(&keys, at), number(&alone(id, draw), 0));
        let own = keys.next_layer();
        assert_eq!(own.draw_of(at), draw);
        assert_eq!(number(&keys.select(&[at]), 0), number(&alone(id, draw), 0));
    }
    assert_eq!(keys.with_draw(7), Keys::new(5, [8, 8, 3]).with_draw(7));
}

#[test]
#[should_panic(expected = "one draw for each image")]
fn error_draws_of_other_images() {
    let _ = Keys::new(5, [8, 3]).with_draws([1]);
}
