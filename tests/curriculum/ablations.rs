//! Ablations: each differs from its curriculum in what it says alone.

use super::given::stages;
use fireproof::base::{Degrees, Pixels};
use fireproof::curriculum::{Cosine, Curriculum, Linear, Schedule, Stage, Warmup};

#[test]
fn value_ablations_differ_in_what_they_say_alone() {
    // Oracle: the curriculum's own stages, put together by hand.
    let cusp = Curriculum::cusp_cifar10();
    for epoch in 1..=120 {
        let (stage, last, mirrored) = (cusp.stage(epoch), cusp.stage(120), cusp.stage(121 - epoch));
        let rate = |of: Stage| Stage {
            learning_rate: stage.learning_rate,
            ..of
        };
        let posed = |of: Stage, pose: Stage| Stage {
            angle: pose.angle,
            shift: pose.shift,
            ..of
        };
        let none = Stage {
            angle: Degrees(0.0),
            ..stage
        };
        let calm = |of: Stage| Stage { epsilon: 0.0, ..of };
        for (ablation, expected) in [
            (cusp.fixed(), rate(last)),
            (cusp.fixed_pose(), posed(stage, last)),
            (cusp.fixed_epsilon(), rate(posed(last, stage))),
            (cusp.reversed(), rate(mirrored)),
            (cusp.pose_only(), calm(stage)),
            (cusp.pixels_only(), none),
            (cusp.natural(), calm(none)),
        ] {
            assert_eq!(ablation.stage(epoch), expected, "epoch {epoch}");
        }
        let uncoupled = Stage {
            learning_rate: Cosine::new(0.1, 0.0001).at(epoch, 120),
            ..stage
        };
        assert_eq!(cusp.uncoupled().stage(epoch), uncoupled);
    }
    let shifts = Curriculum::cusp_mnist_translation();
    assert_eq!(shifts.pixels_only().stage(120).shift, Pixels(0.0));
    assert_eq!(shifts.fixed_pose().stage(1).shift, Pixels(3.0));
    // Steps that are a multiple of ε/steps go with ε.
    assert_eq!(shifts.fixed_epsilon().stage(1).step_size, 0.25 * 0.3);
}

#[test]
fn convention_the_uncoupled_rate_falls_at_no_switch_and_ends_alike() {
    let cusp = Curriculum::cusp_cifar10();
    for (_, ablation) in cusp.ablations() {
        let apart = ablation.uncoupled();
        apart.check().unwrap();
        let rates = [1, 120].map(|epoch| apart.learning_rate(epoch));
        assert_eq!(rates, [0.1, 0.0001]);
        let differences = apart.differences(&ablation);
        assert!(differences.iter().all(|of| of.what == "learning rate"));
        for epoch in [75, 90, 100] {
            let [before, after] = [epoch - 1, epoch].map(|e| apart.learning_rate(e));
            assert!(after > 0.9 * before, "epoch {epoch}: {before} to {after}");
        }
    }
}

#[test]
fn convention_ablations_keep_their_names_files_and_lengths() {
    let cusp = Curriculum::cusp_mnist();
    let ablations = cusp.ablations();
    let names: Vec<&str> = ablations.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        [
            "curriculum",
            "no curriculum",
            "pose only",
            "pixels only",
            "reversed",
            "ε-curriculum at fixed pose",
            "pose-curriculum at fixed ε",
            "neither",
        ]
    );
    for (name, ablation) in ablations {
        ablation.check().unwrap();
        assert_eq!(ablation.epochs(), 120);
        let json = serde_json::to_string(&ablation).unwrap();
        let read: Curriculum = serde_json::from_str(&json).unwrap();
        assert_eq!(read, ablation, "{name}");
        for epochs in 1..30 {
            ablation.scaled_to(epochs).check().unwrap();
        }
    }
}

#[test]
fn value_reversed_stages_scale_as_the_stages_do() {
    // Oracle: by hand. Backwards the budgets of epochs 120–90, 89–75 and 74–1 hold in epochs 1–31,
    // 32–46 and 47–120, under rates that fall at 75, 90 and 100. In 12 epochs the stages that begin at
    // 1, 32, 47, 75, 90 and 100 begin at 1, 4, 6, 8, 10 and 11 (3.1, 4.6, 7.4, 8.9 and 9.9 before).
    let cusp = Curriculum::cusp_cifar10();
    let back = cusp.reversed();
    let starts = |c: &Curriculum| Vec::from_iter(stages(c).into_iter().map(|s| s.0));
    assert_eq!(starts(&back), [1, 32, 47, 75, 90, 100]);
    let short = back.scaled_to(12);
    let levels = |c: &Curriculum| {
        let stages = stages(c).into_iter();
        Vec::from_iter(stages.map(|(from, _, s)| (from, s.angle.0, (s.epsilon * 255.0).round())))
    };
    assert_eq!(
        levels(&short),
        [
            (1, 180.0, 8.0),
            (4, 150.0, 4.0),
            (6, 120.0, 2.0),
            (8, 120.0, 2.0),
            (10, 120.0, 2.0),
            (11, 120.0, 2.0)
        ]
    );
    for epochs in 6..40 {
        let scaled: Vec<Stage> = stages(&back.scaled_to(epochs))
            .iter()
            .map(|s| s.2)
            .collect();
        let whole: Vec<Stage> = stages(&back).iter().map(|s| s.2).collect();
        assert_eq!(scaled, whole, "{epochs} epochs");
    }
}

#[test]
fn value_an_ablation_of_a_ramp() {
    let ramp = Curriculum::new(5)
        .with_epsilon(Linear::new(0.0, 0.4))
        .with_angle(Warmup::new(30.0, 2));
    let epsilons = |c: Curriculum| [1, 2, 3, 4, 5].map(|epoch| c.stage(epoch).epsilon);
    assert_eq!(
        epsilons(ramp.reversed()),
        [0.4, 0.30000000000000004, 0.2, 0.1, 0.0]
    );
    assert_eq!(epsilons(ramp.fixed()), [0.4; 5]);
    let angles = [1, 2, 3, 4, 5].map(|epoch| ramp.reversed().stage(epoch).angle.0);
    assert_eq!(angles, [30.0, 30.0, 30.0, 30.0, 15.0]);
}
