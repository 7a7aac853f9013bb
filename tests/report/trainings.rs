//! Trainings that have names and no order.

use super::{expect, out, profile, texts, written};
use fireproof::base::Error;
use fireproof::evaluate::{Estimand, Profile};
use fireproof::report::Trainings;

const WAYS: [&str; 9] = [
    "neither", "poses", "pixels", "fixed", "warm-up", "CuSP", "reversed", "max", "average",
];

/// Networks by trainings, of which the later ones are a little better.
fn trained(networks: &[&'static str], ways: &[&'static str]) -> Vec<[String; 2]> {
    let pairs = networks.iter().flat_map(|network| {
        let ways = ways.iter();
        ways.map(|way| [(*network).to_owned(), (*way).to_owned()])
    });
    pairs.collect()
}

fn profiles(names: &[[String; 2]]) -> Vec<Profile> {
    let each = names.iter().enumerate().map(|(at, names)| {
        let part = at as f64 / names.len() as f64 / 100.0;
        profile(&names.join(" "), 0.6 + part, 0.3 + part)
    });
    each.collect()
}

fn of<'a>(names: &[[String; 2]], profiles: &'a [Profile]) -> Trainings<'a> {
    let pairs = names.iter().zip(profiles);
    pairs.fold(Trainings::new(), |all, ([network, way], profile)| {
        all.with(network, way, profile)
    })
}

fn count(svg: &str, text: &str) -> usize {
    texts(svg).iter().filter(|found| *found == text).count()
}

#[test]
fn smoke_many_trainings_have_a_row_for_each_network() {
    let names = trained(&["StdCNN", "GCNN"], &WAYS);
    let profiles = profiles(&names);
    let figure = of(&names, &profiles).figure("MNIST", Estimand::Accuracy, &["angles", "epsilons"]);
    let path = out("trainings.svg");
    figure.unwrap().plot_svg(&path).unwrap();
    let found = written(&path);
    expect(&found, &["MNIST", "trained by", "accuracy (%)"]);
    let found = std::fs::read_to_string(&path).unwrap();
    // Each in the legend of its row, and the network above the row and in its legend.
    for name in WAYS {
        assert_eq!(count(&found, name), 2, "{name}");
    }
    for name in ["StdCNN", "GCNN"] {
        assert_eq!(count(&found, name), 2, "{name}");
    }
    // The first network has circles, from the eighth training on hollow ones, in its panels and legend: seven
    // levels and five, and a sample. White circles are rims besides, of each.
    let circles = found.matches("<circle").count();
    let tags = found.split("<circle").skip(1);
    let tags = tags.map(|tag| tag.split('>').next().unwrap_or_default());
    let white = tags.filter(|tag| tag.contains("fill=\"#FFFFFF\"")).count();
    let of_one = 7 + 5 + 1;
    assert_eq!(
        (white, circles - white),
        (9 * of_one + 1 + 2 * of_one, 9 * of_one + 1)
    );
}

#[test]
fn smoke_few_trainings_share_their_panels() {
    let names = trained(&["StdCNN", "GCNN"], &WAYS[..3]);
    let profiles = profiles(&names);
    let trainings = of(&names, &profiles);
    let svg = trainings
        .figure("", Estimand::Fooling, &["epsilons"])
        .unwrap()
        .to_svg()
        .unwrap();
    for name in ["StdCNN", "GCNN", "neither", "poses", "pixels"] {
        assert_eq!(count(&svg, name), 1, "{name}");
    }
    // Of one training networks have the colours: two of them.
    let names = trained(&["StdCNN", "GCNN"], &WAYS[..1]);
    let svg = of(&names, &profiles[..2])
        .figure("", Estimand::Accuracy, &["epsilons"])
        .unwrap()
        .to_svg()
        .unwrap();
    assert!(svg.contains("#0072B2") && svg.contains("#D55E00"), "{svg}");
}

#[test]
fn smoke_plane_of_trainings() {
    let names = trained(&["StdCNN", "GCNN"], &WAYS);
    let profiles = profiles(&names);
    let (spatial, adversarial) = (("angles", 180.0), ("epsilons", 0.1));
    let figure = of(&names, &profiles).plane("Both", spatial, adversarial);
    let path = out("trainings_plane.svg");
    figure.unwrap().plot_svg(&path).unwrap();
    let found = std::fs::read_to_string(&path).unwrap();
    // All within ten points of the best: one plane is enough.
    assert_eq!(count(&found, "spatial accuracy at ±180° (%)"), 1);
    for name in WAYS {
        assert_eq!(count(&found, name), 1, "{name}");
    }
    let mut apart = profiles.clone();
    apart[0] = profile("poor", 0.2, 0.1);
    let figure = of(&names, &apart).plane("Both", spatial, adversarial);
    let found = figure.unwrap().to_svg().unwrap();
    assert_eq!(count(&found, "spatial accuracy at ±180° (%)"), 2);
}

#[test]
fn error_axes_that_none_has() {
    let names = trained(&["StdCNN"], &WAYS[..2]);
    let profiles = profiles(&names);
    let trainings = of(&names, &profiles);
    for error in [
        trainings
            .figure("", Estimand::Accuracy, &["scales"])
            .unwrap_err(),
        trainings
            .plane("", ("scales", 1.0), ("epsilons", 0.1))
            .unwrap_err(),
    ] {
        assert!(error.to_string().contains("scales"), "{error}");
        assert!(matches!(error, Error::Setting { .. }), "{error:?}");
    }
    // In rows, too: an axis of no network is an error and no gap.
    let names = trained(&["StdCNN", "GCNN"], &WAYS);
    let profiles = self::profiles(&names);
    let many = of(&names, &profiles).figure("", Estimand::Accuracy, &["angles", "scales"]);
    assert!(many.unwrap_err().to_string().contains("scales"));
}
