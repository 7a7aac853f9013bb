//! The paper's figures, trajectories, and what the measures of mechanisms look like.

use super::{expect, out, profile, tensor, texts, written};
use burn::tensor::Tensor;
use fireproof::attack::{Fab, Frozen, Pgd};
use fireproof::base::{Degrees, Error, Seed};
use fireproof::data::{ImageSet, embedded_mnist};
use fireproof::evaluate::{
    BoundaryScan, ComponentScan, Difference, Entry, Estimand, Profile, Report, Surface,
    TangentScan, TrainingRecord, Versions,
};
use fireproof::group::Group;
use fireproof::model::CnnConfig;
use fireproof::report::{Family, Figure, Panel};

/// Two networks at four levels of training each: what is gained for the one robustness is lost for the
/// other.
fn trained() -> Vec<(&'static str, f64, Profile)> {
    let mut trained = Vec::new();
    for (network, better) in [("StdCNN", 0.0), ("GCNN", 0.12)] {
        for (rank, angle) in [0.0, 60.0, 120.0, 180.0].into_iter().enumerate() {
            let up = rank as f64 / 3.0;
            let name = format!("{network} ±{angle}°");
            let (spatial, adversarial) = (0.3 + better + 0.4 * up, 0.5 - better - 0.3 * up * up);
            let mut profile = profile(&name, spatial, adversarial);
            for curve in &mut profile.curves {
                for point in &mut curve.points {
                    let lost = 0.98 - point.accuracy.value;
                    let each = (0..500).map(|at| f64::from(u8::from((at as f64) < 500.0 * lost)));
                    point.gap = Some(Difference::of(&Vec::from_iter(each)));
                }
            }
            trained.push((network, angle, profile));
        }
    }
    trained
}

fn family<'a>(trained: &'a [(&'static str, f64, Profile)]) -> Family<'a> {
    let family = Family::new("trained with rotations up to", "±{}°");
    trained
        .iter()
        .fold(family, |family, (network, angle, profile)| {
            family.with(*network, *angle, profile)
        })
}

// How often a colour is drawn with in an SVG.
fn strokes(svg: &str, colour: &str) -> usize {
    svg.matches(&format!("stroke=\"{colour}\"")).count()
}

#[test]
fn smoke_profiles_of_type_a_and_b() {
    let trained = trained();
    let family = family(&trained);
    let figure = |estimand| family.figure("Claim (a)", estimand, &["angles", "epsilons"]);
    let path = out("type_a.svg");
    figure(Estimand::Fooling).unwrap().plot_svg(&path).unwrap();
    let found = written(&path);
    expect(
        &found,
        &[
            "Claim (a)",
            "fooling rate (%)",
            "attack radius ε",
            "StdCNN",
            "GCNN",
            "±0°",
            "±180°",
        ],
    );
    // Networks and levels are named once each, not every pair of them.
    for name in ["StdCNN", "±60°"] {
        assert_eq!(
            found.iter().filter(|text| *text == name).count(),
            1,
            "{name}"
        );
    }
    let gap = out("gap.svg");
    figure(Estimand::Gap).unwrap().plot_svg(&gap).unwrap();
    expect(&written(&gap), &["accuracy lost (points)", "20", "60"]);
    // No such rate in these profiles: no line, and so no figure.
    assert!(figure(Estimand::FoolingOfRight).unwrap().to_svg().is_err());

    let unknown = family.figure("", Estimand::Fooling, &["shifts"]);
    assert!(matches!(unknown.unwrap_err(), Error::Setting { .. }));
}

// Oracle: viridis from its dark to its light end, by the order of the levels, in whatever order they are
// given; a dashed line is made of many strokes.
#[test]
fn convention_colour_is_the_level_and_line_the_network() {
    let trained = trained();
    let (dark, light) = ("#440154", "#7AD151");
    let svg = |members: &mut dyn Iterator<Item = &(&'static str, f64, Profile)>| {
        let new = Family::new("", "±{}°");
        let family = members.fold(new, |family, (network, angle, profile)| {
            family.with(*network, *angle, profile)
        });
        let figure = family.figure("", Estimand::Accuracy, &["angles"]);
        figure.unwrap().to_svg().unwrap()
    };
    // One network, its levels from the largest to the smallest.
    let planar = || {
        trained
            .iter()
            .filter(|(network, ..)| *network == "StdCNN")
            .rev()
    };
    let one = svg(&mut planar());
    assert_eq!(strokes(&one, dark), strokes(&one, light));
    let plain = strokes(&one, dark);
    // The darkest is the lowest level: its end stands where the accuracy of that is.
    let alone = svg(&mut planar().filter(|(_, angle, _)| *angle == 0.0));
    let line = |svg: &str| {
        let lines = svg.split("<polyline").filter(|line| line.contains(dark));
        let points = lines.map(|line| line.split("points=\"").nth(1).unwrap().split('"').next());
        points
            .flatten()
            .map(str::to_owned)
            .max_by_key(String::len)
            .unwrap()
    };
    let heights = |svg: &str| {
        let points = line(svg);
        let heights = points
            .split_whitespace()
            .map(|at| at.split(',').nth(1).unwrap().to_owned());
        Vec::from_iter(heights)
    };
    assert_eq!(heights(&one), heights(&alone));
    // The second network adds dashes.
    let two = svg(&mut trained.iter());
    assert!(strokes(&two, dark) > 3 * plain && strokes(&two, light) > 3 * plain);
}

#[test]
fn smoke_trajectories_have_arrows_from_level_to_level() {
    let trained = trained();
    let at = (("angles", 180.0), ("epsilons", 0.1));
    let figure = family(&trained).trajectories("Trade-off", Estimand::Accuracy, at.0, at.1);
    let path = out("trajectories.svg");
    figure.unwrap().plot_svg(&path).unwrap();
    let found = written(&path);
    expect(
        &found,
        &[
            "Trade-off",
            "accuracy at ±180° (%)",
            "accuracy at ε = 0.1 (%)",
            "StdCNN",
            "±120°",
        ],
    );
    // Three arrows of each network.
    let svg = std::fs::read_to_string(&path).unwrap();
    let heads = svg.matches("<polygon").count();
    assert!(heads >= 6, "{heads}");

    // Several seeds: means with the range for bars, and a small marker for each.
    let mut seeds = trained.clone();
    for (network, angle, profile) in &trained {
        let mut other = profile.clone();
        for point in other.curves.iter_mut().flat_map(|curve| &mut curve.points) {
            *point = super::Point {
                level: point.level.clone(),
                ..super::point(0.0, (point.accuracy.value - 0.05).max(0.0))
            };
        }
        seeds.push((network, *angle, other));
    }
    let figure = family(&seeds).trajectories("Two seeds", Estimand::Accuracy, at.0, at.1);
    let path = out("seeds.svg");
    figure.unwrap().plot_svg(&path).unwrap();
    let more = std::fs::read_to_string(&path).unwrap();
    assert!(more.matches("<circle").count() > svg.matches("<circle").count());

    let unmeasured = family(&trained).trajectories("", Estimand::Accuracy, ("angles", 45.0), at.1);
    assert!(unmeasured.is_err());
    let none = family(&trained).trajectories("", Estimand::FoolingOfRight, at.0, at.1);
    let error = none.unwrap_err().to_string();
    assert!(error.contains("fooling rate of those right"), "{error}");
}

// Two classes: the digit is brighter or darker than most.
fn bright() -> Frozen {
    Frozen::from_fn(|images: Tensor<4>| {
        let mean = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3);
        Tensor::cat(vec![-mean.clone() + 0.26, mean], 1)
    })
}

fn digits(count: usize) -> ImageSet {
    let digits = embedded_mnist().test;
    let bytes = (0..count)
        .flat_map(|at| digits.pixels(at).to_vec())
        .collect();
    let labels = (0..count).map(|at| {
        let sum: u64 = digits.pixels(at).iter().map(|&byte| u64::from(byte)).sum();
        u8::from(sum as f64 / 784.0 / 255.0 > 0.13)
    });
    ImageSet::new("digits", [1, 28, 28], 2, bytes, labels.collect()).unwrap()
}

#[test]
fn smoke_heat_maps_of_surfaces() {
    let angles = [0.0, 30.0, 90.0, 180.0].map(Degrees);
    let attack = Pgd::linf(0.0).with_steps(2);
    let surface = Surface::rotations(attack, angles, [0.0, 0.005, 0.01, 0.02, 0.05]);
    let map = surface
        .run(&bright(), &digits(40), &fireproof::device())
        .unwrap();
    let path = out("heat.svg");
    map.plot_svg(&path).unwrap();
    let found = written(&path);
    expect(
        &found,
        &["attack radius ε", "pose up to", "±90°", "0.005", "100 %"],
    );
    let clean = format!("{:.1}", 100.0 * map.profile.clean.value);
    expect(&found, &[&clean]);
    let volume = format!("mean over the surface: {}; 40 images", map.volume.accuracy);
    expect(&found, &[&volume]);
    for estimand in Estimand::ALL {
        assert!(map.to_svg(estimand).unwrap().contains("<svg"));
    }
    let mut broken = map.clone();
    broken.poses.pop();
    let error = broken.to_svg(Estimand::Accuracy).unwrap_err();
    assert!(matches!(error, Error::Drawing { .. }), "{error}");
}

#[test]
fn smoke_distances_components_and_cosines_draw_themselves() {
    let (device, data) = (fireproof::device(), digits(40));
    let scan = BoundaryScan::new(Fab::linf()).with_angles([0.0, 30.0, 60.0].map(Degrees));
    let boundary = scan
        .run(&bright(), &data, &device)
        .unwrap()
        .with_name("bright");
    boundary.plot_svg(out("boundary.svg")).unwrap();
    let found = written(&out("boundary.svg"));
    expect(&found, &["bright", "mean distance to boundary, L∞", "60"]);
    let other = boundary.clone().with_name("another");
    let panel = Panel::distances(&[&boundary, &other]);
    let svg = Figure::new("two").with_row("", [panel]).to_svg().unwrap();
    expect(&texts(&svg), &["bright", "another"]);

    let scan = ComponentScan::new(Pgd::linf(0.1).with_steps(2)).with_count(4);
    let perturbations = (0..12 * 100).map(|at| ((at * at * 7 + at * 3) % 29) as f32 / 29.0 - 0.5);
    let perturbations = tensor(perturbations.collect(), [12, 1, 10, 10]);
    let components = scan.of(&perturbations).unwrap();
    components.plot_svg(out("components.svg")).unwrap();
    let svg = std::fs::read_to_string(out("components.svg")).unwrap();
    let share = format!("1: {:.1} %", 100.0 * components.share(0));
    expect(&texts(&svg), &["mean", &share]);
    let mut broken = components.clone();
    broken.vectors[0].pop();
    assert!(matches!(broken.sheet().unwrap_err(), Error::Drawing { .. }));

    let model = CnnConfig::new(Group::P4, data.shape(), 2);
    let model = model.init(&device).unwrap();
    let tangents = TangentScan::new().run(&Frozen::new(&model), &data, &device);
    let tangents = tangents.unwrap();
    tangents.plot_svg(out("tangents.svg")).unwrap();
    let found = written(&out("tangents.svg"));
    expect(&found, &["rotation", "shift to the right", "shift down"]);
}

// Oracle: the same family, member by member.
#[test]
fn value_families_of_a_report_are_those_of_its_profiles() {
    let trained = trained();
    let versions = Versions::of(&fireproof::device());
    let mut report = Report::new("a study", Seed(1), versions);
    for (network, angle, profile) in &trained {
        let mut record = TrainingRecord::new(*network, 0, "natural", Seed(0));
        record.settings = serde_json::json!({ "angle": angle });
        report.push("(a)", Some(record), profile.clone());
    }
    report.push("(a)", None, profile("not trained here", 0.5, 0.5));
    let place = |entry: &Entry| {
        let training = entry.training.as_ref()?;
        let angle = training.settings["angle"].as_f64()?;
        Some((training.model.clone(), angle.into()))
    };
    let title = "trained with rotations up to";
    let of_report = Family::new(title, "±{}°").with_entries(&report.entries, place);
    let svg = |family: &Family| {
        let figure = family.figure("", Estimand::Fooling, &["angles"]);
        figure.unwrap().to_svg().unwrap()
    };
    assert_eq!(svg(&of_report), svg(&family(&trained)));
}
