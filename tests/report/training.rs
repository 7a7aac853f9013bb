//! Curricula and histories as pictures. What they look like is for eyes: they stay in `target/tmp`.

use super::{expect, out, written};
use fireproof::base::Error;
use fireproof::curriculum::{Curriculum, Linear, Milestones, Warmup};

#[test]
fn smoke_a_curriculum_draws_its_numbers_and_its_switches() {
    let path = out("cusp_cifar10.svg");
    let cusp = Curriculum::cusp_cifar10();
    cusp.plot_svg("CuSP for CIFAR-10, as published", &path)
        .unwrap();
    let texts = written(&path);
    expect(
        &texts,
        &[
            "CuSP for CIFAR-10, as published",
            "rotation up to ± (degrees)",
            "shift up to ± (pixels)",
            "ε (pixel range)",
            "learning rate",
            "epoch",
            // The values and the epochs at which they change, all of them.
            "120",
            "150",
            "180",
            "2/255",
            "4/255",
            "8/255",
            "0.1",
            "0.0001",
            "1",
            "75",
            "90",
        ],
    );
    // A title that is not there takes no room.
    let untitled = cusp.to_svg("").unwrap();
    assert!(!untitled.contains("CuSP"));
    let height = |svg: &str| -> f64 {
        let from = svg.find("height=\"").unwrap() + 8;
        svg[from..].split('"').next().unwrap().parse().unwrap()
    };
    let titled = std::fs::read_to_string(&path).unwrap();
    assert!(height(&untitled) < height(&titled));
}

#[test]
fn smoke_every_form_of_schedule_draws_itself() {
    let ramps = Curriculum::new(40)
        .with_angle(Linear::new(0.0, 180.0))
        .with_shift(Milestones::new([(0.0, 0.0), (0.5, 3.0)]))
        .with_epsilon(Warmup::new(0.3, 0.25))
        .with_learning_rate(Milestones::new([(0.0, 0.1), (0.5, 0.05)]));
    ramps.plot_svg("Ramps", out("ramps.svg")).unwrap();
    expect(&written(&out("ramps.svg")), &["Ramps", "40", "0.3"]);
    let uncoupled = Curriculum::cusp_mnist().reversed().uncoupled();
    uncoupled
        .plot_svg("Reversed, uncoupled", out("reversed.svg"))
        .unwrap();
    expect(
        &written(&out("reversed.svg")),
        &["Reversed, uncoupled", "120"],
    );
    for curriculum in [Curriculum::new(1), Curriculum::new(2).with_epsilon(0.1)] {
        let svg = curriculum.to_svg("").unwrap();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
    let refused = Curriculum::new(0).to_svg("").unwrap_err();
    assert!(matches!(refused, Error::Setting { .. }), "{refused}");
}

#[cfg(feature = "train")]
mod trained {
    use super::super::texts;
    use super::*;
    use fireproof::curriculum::Stage;
    use fireproof::report::History;
    use fireproof::train::{EpochRecord, Robust};

    /// A training that overfits, made up: what is learnt from gets better, robustness worse again.
    fn overfits(epochs: usize, robust: bool) -> Vec<EpochRecord> {
        let curriculum = Curriculum::cusp_cifar10().scaled_to(epochs);
        let record = |epoch: usize| {
            let part = epoch as f64 / epochs as f64;
            let stage: Stage = curriculum.stage(epoch);
            let rise = 1.0 - (-4.0 * part).exp();
            let peak = 0.5 * rise - 0.2 * (part - 0.6).max(0.0);
            EpochRecord {
                epoch,
                stage,
                train_loss: 2.3 - 2.0 * rise,
                train_accuracy: 0.1 + 0.8 * rise,
                valid_loss: 1.6 - 0.8 * rise + (part - 0.6).max(0.0),
                valid_accuracy: 0.1 + 0.7 * rise,
                train_numbers: Default::default(),
                valid_numbers: Default::default(),
                robust: robust.then_some(Robust {
                    clean: 0.1 + 0.7 * rise,
                    accuracy: peak,
                    fooling: 1.0 - peak,
                    staged: Some(peak + 0.1),
                }),
                seconds: 1.0,
            }
        };
        (1..=epochs).map(record).collect()
    }

    #[test]
    fn smoke_robust_overfitting_is_seen_in_the_history() {
        let path = out("history.svg");
        History::new("CuSP", &overfits(60, true))
            .plot_svg(&path)
            .unwrap();
        let shown = written(&path);
        expect(
            &shown,
            &[
                "CuSP",
                "accuracy (%)",
                "loss (nats)",
                "learnt from",
                "validation, as it is",
                "held out, as learnt from",
                "held out, under attack",
                "60",
                "100",
            ],
        );
        // Without robust validation there is no line for it.
        let plain = History::new("", &overfits(3, false)).to_svg().unwrap();
        assert!(
            !texts(&plain)
                .iter()
                .any(|text| text.starts_with("held out"))
        );
    }

    #[test]
    fn error_no_epochs_and_losses_that_are_no_numbers() {
        let none = History::new("none", &[]).to_svg().unwrap_err();
        assert!(matches!(none, Error::Drawing { .. }), "{none}");
        let mut diverged = overfits(4, true);
        for record in &mut diverged {
            (record.train_loss, record.valid_loss) = (f64::NAN, f64::INFINITY);
        }
        let svg = History::new("", &diverged).to_svg().unwrap();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}
