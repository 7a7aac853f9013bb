//! Losses over poses, accuracy all around, and images beside their worst poses.

use super::{expect, out, point, profile, texts, written};
use burn::tensor::{Int, Tensor};
use fireproof::attack::{Attack, Frozen, Pgd};
use fireproof::base::{Batch, Degrees, Error, Pixels, Seed};
use fireproof::evaluate::{Axis, Curve, Direction, PoseMap, PoseScan, Profile};
use fireproof::report::{ContactSheet, PolarPlot};
use fireproof::transform::{Pose, PoseBudget, Warp};

fn map(losses: Vec<f32>, predicted: Vec<i64>) -> PoseMap {
    PoseMap {
        id: 12,
        label: 7,
        angles: [-30.0, -10.0, 10.0, 30.0].map(Degrees).to_vec(),
        shifts: [-1.0, 1.0].map(Pixels).to_vec(),
        direction: Direction::Down,
        warp: Warp::bilinear(),
        loss: Default::default(),
        losses,
        predicted,
    }
}

// Oracle: by hand. White lines are the rims of what is drawn over the fields: a side between two
// classes each, and the two of the cross.
#[test]
fn value_a_heatmap_has_its_boundaries_and_words() {
    #[rustfmt::skip]
    let map = map(
        vec![0.5, 1.0, 0.0, 0.0, 0.1, 0.2, 2.0, 0.1],
        vec![7, 3, 7, 7, 7, 7, 1, 7],
    );
    let svg = map.to_svg().unwrap();
    let white = |svg: &str| {
        let lines = svg.split("<polyline ").skip(1);
        lines
            .filter(|line| line.contains("stroke=\"#FFFFFF\""))
            .count()
    };
    assert_eq!(white(&svg), 4 + 2);
    map.plot_svg(out("heatmap_small.svg")).unwrap();
    let expected = [
        "Image 12, class 7",
        "rotation (degrees)",
        "shift down (pixels)",
        "loss: cross-entropy",
        "○ worst pose: 30°, down -1 px; taken for 1, loss 2",
        "+ as it is; misclassified in 25 % of 8 poses; bilinear sampling, border zeros",
        "-30",
        "1.5",
        "3",
    ];
    expect(&written(&out("heatmap_small.svg")), &expected);
    // One class and one loss: nothing but the cross.
    let flat = PoseMap {
        losses: vec![0.25; 8],
        predicted: vec![7; 8],
        ..map.clone()
    };
    assert_eq!(white(&flat.to_svg().unwrap()), 2);
    for (losses, predicted) in [(vec![0.0; 7], vec![7; 8]), (vec![0.0; 8], vec![7; 9])] {
        let broken = PoseMap {
            losses,
            predicted,
            ..map.clone()
        };
        let error = broken.plot_svg(out("never.svg")).unwrap_err();
        assert!(matches!(error, Error::Drawing { .. }), "{error}");
    }
    assert!(!out("never.svg").exists());
}

// Classes by where most of the light is, so that turns and shifts change them.
fn lit() -> Frozen {
    Frozen::from_fn(|images: Tensor<4>| {
        let n = images.dims()[0];
        let parts = [(0, 0), (0, 14), (14, 0), (14, 14)].map(|(top, left)| {
            let part = images
                .clone()
                .slice([0..n, 0..1, top..top + 14, left..left + 14]);
            part.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3) * 40.0
        });
        Tensor::cat(parts.to_vec(), 1)
    })
}

fn digits() -> Batch {
    let device = fireproof::device();
    let batch = fireproof::data::embedded_mnist()
        .test
        .batch(&[0, 1, 2, 3], &device);
    let labels = lit().predict(batch.images.clone());
    Batch {
        labels: Tensor::<1, Int>::from_data(&labels[..], &device),
        ..batch
    }
}

#[test]
fn smoke_heatmaps_of_digits() {
    let budget = PoseBudget::new(Degrees(180.0), Pixels(6.0)).unwrap();
    let maps = PoseScan::new(budget)
        .with_points(91, 41)
        .of(&lit(), &digits())
        .unwrap();
    maps[0].plot_svg(out("heatmap.svg")).unwrap();
    let classes = ["0", "1", "2", "3", "180", "-90", "-6"];
    expect(&written(&out("heatmap.svg")), &classes);
    let still = PoseBudget::new(Degrees(0.0), Pixels(0.0)).unwrap();
    let maps = PoseScan::new(still).of(&lit(), &digits()).unwrap();
    maps[3].plot_svg(out("heatmap_still.svg")).unwrap();
    expect(&written(&out("heatmap_still.svg")), &["0"]);
}

fn around(name: &str, step: usize, accuracy: impl Fn(f64) -> f64) -> Profile {
    let angles = Vec::from_iter((0..360).step_by(step).map(|angle| angle as f64));
    let axis = Axis::rotations(angles.iter().copied().map(Degrees));
    let points = angles.iter().map(|&angle| point(angle, accuracy(angle)));
    Profile {
        curves: vec![Curve::of(&axis, points.collect())],
        ..profile(name, 0.5, 0.5)
    }
}

// Oracle: places by hand: the centre is at (236, 276), the rim 190 around it, in units of 1/8.
#[test]
fn value_a_polar_plot_turns_counter_clockwise_from_above() {
    let quarter = around("one", 90, |angle| {
        [1.0, 0.5, 0.25, 0.75][angle as usize / 90]
    });
    let svg = PolarPlot::accuracy("rotations", &[&quarter])
        .unwrap()
        .to_svg()
        .unwrap();
    // Markers have a rim each, and a part of the legend; the first one comes again at the end.
    let places = Vec::from_iter(svg.split("<circle ").skip(1).map(|circle| {
        let number = |name: &str| -> i32 {
            let rest = circle.split(name).nth(1).unwrap();
            rest.split('"').next().unwrap().parse().unwrap()
        };
        (number("cx=\""), number("cy=\""))
    }));
    let at = |right: f64, down: f64| {
        (
            (8.0 * (236.0 + right)) as i32,
            (8.0 * (276.0 + down)) as i32,
        )
    };
    let (above, left, below, right) = (
        at(0.0, -190.0),
        at(-95.0, 0.0),
        at(0.0, 47.5),
        at(142.5, 0.0),
    );
    let each = [above, left, below, right, above];
    let twice = Vec::from_iter(each.into_iter().flat_map(|at| [at; 2]));
    assert_eq!(places[..10], twice);
    assert_eq!(places.len(), 11);
}

#[test]
fn smoke_polar_plots_of_several_networks() {
    let lobe = |angle: f64| 0.35 + 0.6 * (angle.to_radians().cos() / 2.0 + 0.5).powi(3);
    let quarters = |angle: f64| 0.8 + 0.15 * (4.0 * angle).to_radians().cos();
    let networks = [
        around("StdCNN ±0°", 10, lobe),
        around("GCNN <p4>", 15, quarters),
    ];
    let networks = networks.each_ref();
    let plot = PolarPlot::accuracy("rotations", &networks).unwrap();
    let plot = plot.with_title("Accuracy of two networks (%)");
    plot.plot_svg(out("polar.svg")).unwrap();
    let words = "every image in exactly this pose, nearest sampling, border zeros";
    let expected = [
        "Accuracy of two networks (%)",
        "StdCNN ±0°",
        "GCNN <p4>",
        "90°",
        "100",
        words,
    ];
    expect(&written(&out("polar.svg")), &expected);
    // A part of the circle stays open: so many points there and back.
    let points = |svg: &str| {
        let polygon = svg.split("<polygon ").nth(1).unwrap();
        let list = polygon
            .split("points=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        list.split_whitespace().count()
    };
    let closed = PolarPlot::fooling("rotations", &networks[..1]).unwrap();
    assert_eq!(points(&closed.to_svg().unwrap()), 2 * 37);
    let mut half = networks[0].clone();
    half.curves[0].points.truncate(19);
    let open = PolarPlot::accuracy("rotations", &[&half]).unwrap();
    assert_eq!(points(&open.to_svg().unwrap()), 2 * 19);
}

#[test]
fn error_polar_plots_of_other_axes() {
    let network = around("one", 90, |_| 0.5);
    let error = PolarPlot::accuracy("turns", &[&network])
        .unwrap_err()
        .to_string();
    assert!(error.contains("turns"), "{error}");
    let mut pairs = network;
    pairs.curves[0].points[1].level = [90.0, 1.0].into();
    let error = PolarPlot::accuracy("rotations", &[&pairs])
        .unwrap_err()
        .to_string();
    assert!(error.contains("one angle"), "{error}");
}

// Oracle: by hand.
#[test]
fn smoke_contact_sheet_of_what_was_found() {
    let (victim, batch) = (lit(), digits());
    let joint = Pgd::linf(0.2)
        .with_steps(3)
        .attack(&victim, &batch, Seed(1))
        .unwrap();
    let mut moved = joint.clone();
    let pose = Pose {
        angle: Degrees(-12.3456),
        ..Pose::shift(Pixels(1.5), Pixels(-2.0))
    };
    moved.images = Warp::bilinear().apply(batch.images.clone(), &[pose; 4]);
    moved.predicted = victim.predict(moved.images.clone());
    moved.poses = Some(vec![pose, Pose::IDENTITY, pose, pose]);
    let found = [("worst pose", &moved), ("joint", &joint)];
    let sheet = ContactSheet::of_found(&victim, &batch, &found).unwrap();
    sheet.write_svg(out("poses.svg")).unwrap();
    let texts = texts(&std::fs::read_to_string(out("poses.svg")).unwrap());
    let labels = batch.labels_to_vec();
    expect(
        &texts,
        &[
            "as it is",
            "worst pose",
            "joint",
            &format!("0: class {}", labels[0]),
            &format!("→ {}", labels[0]),
            &format!("→ {}, -12.35°", moved.predicted[0]),
            &format!("→ {}, 0°", moved.predicted[1]),
            "right 1.5 px",
            "down -2 px",
        ],
    );
    assert_eq!(texts.iter().filter(|text| *text == "down -2 px").count(), 3);
    // A PNG has no texts, and no room for them.
    let (info, _) = super::decode(&sheet.to_png().unwrap());
    assert_eq!((info.width, info.height), (3 * 86 + 2, 4 * 86 + 2));
    let few = joint.select(&[0]);
    let error = ContactSheet::of_found(&victim, &batch, &[("few", &few)]).unwrap_err();
    assert!(error.to_string().contains("`few`"), "{error}");
}
