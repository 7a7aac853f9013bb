//! CuSP as published, scaled, and its variants.

use super::given::{published, stages};
use fireproof::base::{Degrees, Pixels};
use fireproof::curriculum::{Curriculum, Stage};

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
            (&mnist, Curriculum::cusp_mnist_shifts()),
            (&cifar, Curriculum::cusp_cifar10_shifts()),
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

#[test]
fn value_counterparts_differ_in_what_they_say_alone() {
    let cusp = Curriculum::cusp_cifar10();
    for epoch in 1..=120 {
        let (stage, mut fixed) = (cusp.stage(epoch), cusp.stage(120));
        let [mut pose, mut pixels, mut natural] = [stage; 3];
        fixed.learning_rate = stage.learning_rate;
        pose.epsilon = 0.0;
        pixels.angle = Degrees(0.0);
        (natural.epsilon, natural.angle) = (0.0, Degrees(0.0));
        for (counterpart, expected) in [
            (cusp.fixed(), fixed),
            (cusp.pose_only(), pose),
            (cusp.pixels_only(), pixels),
            (cusp.natural(), natural),
        ] {
            assert_eq!(counterpart.stage(epoch), expected);
        }
    }
    let shifts = Curriculum::cusp_mnist_shifts().pixels_only();
    assert_eq!(shifts.stage(120).shift, Pixels(0.0));
}
