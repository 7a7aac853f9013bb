//! CuSP as published, scaled, and its variants.

use super::given::{published, stages};
use fireproof::base::{Degrees, Pixels};
use fireproof::curriculum::{Curriculum, Origin, Preset, Stage};

#[test]
fn value_cusp_cifar10_is_the_published_one() {
    // Oracle: `main()` of the published code, cusp_cifar10.py, PGD variant: budgets switch at
    // epochs 75 and 90, learning rates at 75, 90 and 100, of 120.
    let cusp = Curriculum::cusp_cifar10();
    cusp.check().unwrap();
    assert_eq!(cusp.epochs(), 120);
    let (first, second) = (published(120.0, 2.0, 0.1), published(150.0, 4.0, 0.01));
    let (third, last) = (published(180.0, 8.0, 0.001), published(180.0, 8.0, 0.0001));
    for (epoch, stage) in [
        (1, first),
        (74, first),
        (75, second),
        (89, second),
        (90, third),
        (99, third),
        (100, last),
        (120, last),
    ] {
        assert_eq!(cusp.stage(epoch), stage, "epoch {epoch}");
        assert_eq!(cusp.learning_rate(epoch), stage.learning_rate);
    }
    assert_eq!(
        stages(&cusp),
        [
            (1, 74, first),
            (75, 89, second),
            (90, 99, third),
            (100, 120, last)
        ]
    );
}

#[test]
fn value_cusp_cifar10_trades_is_the_one_commented_out() {
    // Oracle: the lines commented out beside it in the same `main()`, and the settings of its TRADES:
    // ±120° in the second stage as well, steps of 0.007.
    let trades = Curriculum::cusp_cifar10_trades();
    trades.check().unwrap();
    assert_eq!(trades.epochs(), 120);
    for (epoch, angle, levels, learning_rate) in [
        (1, 120.0, 2.0, 0.1),
        (74, 120.0, 2.0, 0.1),
        (75, 120.0, 4.0, 0.01),
        (89, 120.0, 4.0, 0.01),
        (90, 180.0, 8.0, 0.001),
        (99, 180.0, 8.0, 0.001),
        (100, 180.0, 8.0, 0.0001),
        (120, 180.0, 8.0, 0.0001),
    ] {
        let expected = Stage {
            step_size: 0.007,
            ..published(angle, levels, learning_rate)
        };
        assert_eq!(trades.stage(epoch), expected, "epoch {epoch}");
    }
}

#[test]
fn convention_corrected_presets_differ_only_where_documented() {
    // Oracle: this list, which is what their documentation says.
    let documented = [(
        "cusp_cifar10_trades_corrected",
        "cusp_cifar10_trades",
        ["epochs 75–89: angle 150, there 120"],
    )];
    let corrected = Preset::all()
        .iter()
        .filter(|preset| preset.origin == Origin::Corrected);
    let found = corrected.map(|preset| {
        let of = preset.corrects.expect("what it corrects");
        let there = Preset::named(of).unwrap().curriculum();
        let differences = preset.curriculum().differences(&there);
        let differences = differences.iter().map(ToString::to_string);
        (preset.name, of, differences.collect::<Vec<_>>())
    });
    let documented = documented.map(|(name, of, list)| (name, of, list.map(String::from).to_vec()));
    assert_eq!(found.collect::<Vec<_>>(), documented);
    // From the PGD variant, which needs no correction, it differs in the step size.
    let pgd = Curriculum::cusp_cifar10();
    let differences = Curriculum::cusp_cifar10_trades_corrected().differences(&pgd);
    let [only] = differences.as_slice() else {
        panic!("{differences:?}");
    };
    assert_eq!((only.what, only.epochs.clone()), ("step size", 1..=120));
}

#[test]
fn convention_presets_are_told_apart_by_name() {
    let listed = Preset::all().iter().map(|preset| {
        preset.curriculum().check().unwrap();
        assert_eq!(Preset::named(preset.name).unwrap().origin, preset.origin);
        assert_eq!(
            preset.corrects.is_some(),
            preset.origin == Origin::Corrected
        );
        format!("{}: {}", preset.name, preset.origin)
    });
    assert_eq!(
        listed.collect::<Vec<_>>(),
        [
            "cusp_cifar10: published",
            "cusp_cifar10_trades: published but commented out",
            "cusp_cifar10_trades_corrected: corrected",
            "cusp_mnist: ours",
            "cusp_translation: ours",
            "cusp_mnist_translation: ours",
        ]
    );
    let refused = Preset::named("cusp").unwrap_err().to_string();
    let part = "curriculum = cusp: expected one of: cusp_cifar10, ";
    assert!(refused.starts_with(part), "{refused}");
}

#[test]
fn value_cusp_scales_to_any_number_of_epochs() {
    // Oracle: by hand. 74, 89 and 99 of 120 epochs are 7.4, 8.9 and 9.9 of 12, and 37, 44.5 and
    // 49.5 of 60. In 5 (3.1, 3.7, 4.1) each of the four stages needs an epoch of its own. Of the
    // stages of 74, 15, 10 and 21 epochs, 3 epochs keep the longest three and 1 the longest one.
    let cusp = Curriculum::cusp_cifar10();
    let (first, second) = (cusp.stage(1), cusp.stage(75));
    let (third, last) = (cusp.stage(90), cusp.stage(100));
    // Each stage with its last epoch.
    for (epochs, expected) in [
        (60, vec![(37, first), (45, second), (50, third), (60, last)]),
        (12, vec![(7, first), (9, second), (10, third), (12, last)]),
        (5, vec![(2, first), (3, second), (4, third), (5, last)]),
        (4, vec![(1, first), (2, second), (3, third), (4, last)]),
        (3, vec![(1, first), (2, second), (3, last)]),
        (2, vec![(1, first), (2, last)]),
        (1, vec![(1, first)]),
    ] {
        let scaled = cusp.scaled_to(epochs);
        scaled.check().unwrap();
        let mut before = 0;
        let expected = expected.into_iter().map(|(end, stage)| {
            let start = std::mem::replace(&mut before, end) + 1;
            (start, end, stage)
        });
        assert_eq!(stages(&scaled), Vec::from_iter(expected), "{epochs} epochs");
    }
    // Ten times as many, exactly.
    let starts: Vec<usize> = stages(&cusp.scaled_to(1200)).iter().map(|s| s.0).collect();
    assert_eq!(starts, [1, 741, 891, 991]);
}

#[test]
fn value_cusp_mnist_and_the_shift_variants() {
    // Oracle: their documentation; they are this crate's own.
    let (mnist, cifar) = (Curriculum::cusp_mnist(), Curriculum::cusp_cifar10());
    for (epoch, epsilon, shift, learning_rate) in [
        (1, 0.1, 1.0, 0.01),
        (74, 0.1, 1.0, 0.01),
        (75, 0.2, 2.0, 0.001),
        (90, 0.3, 3.0, 0.0001),
        (120, 0.3, 3.0, 0.00001),
    ] {
        let stage = mnist.stage(epoch);
        assert_eq!(
            (stage.angle, stage.shift),
            (cifar.stage(epoch).angle, Pixels(0.0))
        );
        assert_eq!(
            (stage.epsilon, stage.learning_rate),
            (epsilon, learning_rate)
        );
        assert_eq!((stage.steps, stage.step_size), (10, 0.25 * epsilon));

        for (rotating, shifting) in [
            (&mnist, Curriculum::cusp_mnist_translation()),
            (&cifar, Curriculum::cusp_translation()),
        ] {
            shifting.check().unwrap();
            let expected = Stage {
                angle: Degrees(0.0),
                shift: Pixels(shift),
                ..rotating.stage(epoch)
            };
            assert_eq!(shifting.stage(epoch), expected);
        }
    }
}
