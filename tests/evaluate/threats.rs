//! Axes beside one another, and a threat of one's own.

use super::given::{SIDE, bright, brighter_half, greys, halves, over, run};
use crate::common::On;
use fireproof::attack::{Attack, Cost, Pgd};
use fireproof::base::{Degrees, Error, Pixels, Purpose};
use fireproof::evaluate::{Axis, Level, Outcomes, Profile, Scene, Threat, compare};
use fireproof::transform::{PoseBudget, Warp};

on_every_device![
    value_norms_stand_beside_one_another,
    value_a_threat_of_ones_own_has_tuples_and_draws,
];

// Oracle: the same axis alone; on plain images the L2 ball of radius ε·side holds the L∞ ball's
// worst image.
fn value_norms_stand_beside_one_another(on: &On) {
    let data = greys(&(0..=255).step_by(5).collect::<Vec<u8>>());
    let (small, large) = (0.1, 0.1 * SIDE as f64);
    let linf = Axis::epsilons(Pgd::linf(0.0), [0.0, small]);
    let l2 = Axis::attack("L2", Pgd::l2(0.0).with_steps(20), [0.0, large]);
    let both = run(
        on,
        &over(linf.clone()).with_axis(l2.clone()),
        &bright(),
        &data,
    );
    for axis in [linf, l2] {
        let alone = run(on, &over(axis.clone()), &bright(), &data);
        assert_eq!(both.curve(&axis.name).unwrap(), &alone.curves[0]);
    }
    let [linf, l2] = [("epsilons", small), ("L2", large)].map(|at| both.at(at).unwrap());
    assert_eq!(linf.accuracy, l2.accuracy);
    assert!(linf.accuracy.value < both.clean.value);
    let text = both.to_markdown();
    assert!(
        text.contains("| ε = 0.1 |") && text.contains("| L2: 1.6 |"),
        "{text}"
    );
}

/// A random rotation up to θ, then an attack of radius ε on what came of it: levels (θ, ε).
#[derive(Debug)]
struct TurnedThenAttacked;

impl Threat for TurnedThenAttacked {
    fn check(&self, level: &Level) -> Result<(), Error> {
        match level.parts() {
            [_, _] => Ok(()),
            _ => Err(Error::setting("level", level, "an angle and a radius")),
        }
    }

    fn classes(&self, level: &Level, scene: &mut Scene) -> Result<Vec<i64>, Error> {
        let [angle, epsilon] = level.parts()[..] else {
            unreachable!("checked")
        };
        let poses =
            PoseBudget::new(Degrees(angle), Pixels(0.0))?.draw_for(Purpose::TestPose, scene.keys());
        let turned = Warp::nearest().apply(scene.batch().images.clone(), &poses);
        let batch = scene.batch().clone().with_images(turned)?;
        Ok(scene
            .attack(&Pgd::linf(epsilon).with_steps(2), &batch)?
            .predicted)
    }

    fn cost(&self, level: &Level) -> Cost {
        Pgd::linf(level.parts()[1]).with_steps(2).cost()
    }

    fn draws(&self) -> usize {
        2
    }

    fn describe(&self, level: &Level) -> String {
        format!("turned, then attacked at {level}")
    }

    fn settings(&self) -> serde_json::Value {
        serde_json::json!({ "threat": "test_turned_then_attacked" })
    }
}

fn surface() -> Axis {
    let levels = [0.0, 180.0].map(|angle| [0.0, 0.1, 0.6].map(|epsilon| [angle, epsilon]));
    Axis::new(
        "surface",
        "degrees, range",
        TurnedThenAttacked,
        levels.concat(),
    )
    .titled("rotation, then attack", "±{}°, ε = {}")
}

// Oracle: (0, ε) is the attack alone on images that are right as they are; each draw has its own
// angles; passes are counted by the scene.
fn value_a_threat_of_ones_own_has_tuples_and_draws(on: &On) {
    let data = halves(24);
    let attack = Axis::epsilons(Pgd::linf(0.0).with_steps(2), [0.1, 0.6]);
    let profile = run(
        on,
        &over(surface()).with_axis(attack),
        &brighter_half(false),
        &data,
    );
    for epsilon in [0.1, 0.6] {
        let alone = profile.at(("epsilons", epsilon)).unwrap();
        let point = profile.at(("surface", [0.0, epsilon])).unwrap();
        let draws = |outcomes: &Option<Outcomes>| {
            let outcomes: Vec<bool> = outcomes.as_ref().unwrap().iter().collect();
            outcomes
                .chunks(point.draws)
                .map(|draws| draws[0])
                .collect::<Vec<bool>>()
        };
        assert_eq!((point.draws, point.queries), (2, 2.0 * alone.queries));
        let robust: Vec<bool> = alone.correct.as_ref().unwrap().iter().collect();
        assert_eq!(draws(&point.correct), robust);
    }
    let turned = profile.at(("surface", [180.0, 0.1])).unwrap();
    let outcomes: Vec<bool> = turned.correct.as_ref().unwrap().iter().collect();
    assert!(outcomes.chunks(2).any(|draws| draws[0] != draws[1]));
    assert_eq!(
        profile.at(("surface", [0.0, 0.0])).unwrap().accuracy,
        profile.clean
    );
    assert!(profile.to_markdown().contains("| ±180°, ε = 0.6 |"));
    // The name is in no registry: the profile is read all the same, only its settings are not.
    let read: Profile = serde_json::from_str(&profile.to_json()).unwrap();
    assert_eq!(read.curves, profile.curves);
    assert_eq!(compare(&read, &profile).unwrap().curves[0].points.len(), 5);
    let error = read.evaluation().unwrap_err().to_string();
    assert!(error.contains("test_turned_then_attacked"), "{error}");
}
