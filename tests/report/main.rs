//! Figures and contact sheets. What they look like is for eyes: they stay in `target/tmp`.
#![cfg(feature = "report")]

mod attacks;
mod families;
mod planes;
mod poses;
mod training;
mod trainings;

use burn::tensor::{Tensor, TensorData};
use fireproof::attack::Pgd;
use fireproof::base::{Bounds, Degrees, Error, Seed};
use fireproof::data::DataSummary;
use fireproof::evaluate::{Axis, Curve, Point, Profile, Rate, Report, Versions};
use fireproof::report::{ContactSheet, Figure, Panel};
use std::path::{Path, PathBuf};

fn point(level: f64, accuracy: f64) -> Point {
    let right = (accuracy * 500.0).round() as usize;
    Point {
        level: level.into(),
        accuracy: Rate::of(right, 500),
        fooling: Rate::of(500 - right, 500),
        fooling_of_right: None,
        gap: None,
        draws: 1,
        queries: 1.0,
        vanished: 0.0,
        undefined: 0.0,
        correct: None,
        fooled: None,
    }
}

/// A profile with made-up rates: `spatial` at ±180°, `adversarial` at ε = 0.2.
fn profile(name: &str, spatial: f64, adversarial: f64) -> Profile {
    let curve = |axis: Axis, end: f64, power: f64| {
        let levels: Vec<f64> = axis.levels.iter().map(|level| level.parts()[0]).collect();
        let most = levels.last().unwrap();
        let at = |level: f64| 0.98 - (0.98 - end) * (level / most).powf(power);
        let points = levels.iter().map(|&level| point(level, at(level)));
        Curve::of(&axis, points.collect())
    };
    let angles = Axis::angles([0.0, 30.0, 60.0, 90.0, 120.0, 150.0, 180.0].map(Degrees));
    let epsilons = Axis::epsilons(Pgd::linf(0.0), [0.0, 0.05, 0.1, 0.15, 0.2]);
    Profile {
        name: name.to_owned(),
        data: DataSummary {
            name: "made up".to_owned(),
            images: 500,
            shape: [1, 28, 28],
            classes: 10,
            digest: "0".repeat(16),
        },
        clean: Rate::of(490, 500),
        clean_correct: None,
        curves: vec![
            curve(angles, spatial, 0.7),
            curve(epsilons, adversarial, 1.3),
        ],
        settings: serde_json::Value::Null,
        numerics: Default::default(),
        versions: Versions::of(&fireproof::device()),
        extras: Default::default(),
    }
}

fn report() -> Report {
    let versions = Versions::of(&fireproof::device());
    let mut report = Report::new("Spatial against adversarial robustness", Seed(1), versions);
    let ranges = ["±0°", "±45°", "±90°", "±180°"];
    for (k, range) in ranges.iter().enumerate() {
        let (up, down) = (k as f64 / 3.0, 1.0 - k as f64 / 3.0);
        let name = format!("StdCNN {range}");
        let std = profile(&name, 0.35 + 0.5 * up, 0.1 + 0.3 * down);
        report.push("(a) StdCNN, growing rotations", None, std);
        let name = format!("GCNN {range}");
        let gcnn = profile(&name, 0.45 + 0.5 * up, 0.05 + 0.3 * down);
        report.push("(a) GCNN, growing rotations", None, gcnn);
    }
    for (name, spatial, adversarial) in [("fixed budget", 0.7, 0.5), ("CuSP <p4 & ε>", 0.8, 0.6)] {
        report.push("(c) CuSP", None, profile(name, spatial, adversarial));
    }
    report
}

fn out(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("report")
        .join(name)
}

/// The texts of an SVG as a reader sees them.
fn texts(svg: &str) -> Vec<String> {
    svg.split("<text ")
        .skip(1)
        .map(|text| {
            let inner = text
                .split('>')
                .nth(1)
                .unwrap()
                .split("</text")
                .next()
                .unwrap();
            let inner = inner.trim().replace("&lt;", "<").replace("&gt;", ">");
            inner.replace("&amp;", "&")
        })
        .collect()
}

fn written(path: &Path) -> Vec<String> {
    let svg = std::fs::read_to_string(path).unwrap();
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
    assert!(svg.contains("font-family=\"sans-serif\""));
    assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
    texts(&svg)
}

#[track_caller]
fn expect(texts: &[String], expected: &[&str]) {
    for text in expected {
        assert!(texts.iter().any(|t| t == text), "no `{text}` in {texts:?}");
    }
}

#[test]
fn smoke_report_figure_has_its_titles_axes_and_legends() {
    let path = out("accuracy.svg");
    report().plot_svg(&path).unwrap();
    let texts = written(&path);
    expect(
        &texts,
        &[
            "Spatial against adversarial robustness",
            "(a) GCNN, growing rotations",
            "(c) CuSP",
            "accuracy (%)",
            "random rotation up to ± (degrees)",
            "attack radius ε",
            "GCNN ±45°",
            "CuSP <p4 & ε>",
            "100",
            "180",
            "0.15",
        ],
    );
    // One legend entry per classifier, though it has a curve in two panels.
    assert_eq!(texts.iter().filter(|t| *t == "StdCNN ±90°").count(), 1);
    let fooling = report().fooling_figure().to_svg().unwrap();
    assert!(fooling.contains("fooling rate (%)"));
}

#[test]
fn smoke_profile_figure_has_both_rates() {
    let path = out("profile.svg");
    profile("GCNN ±45°", 0.8, 0.3).plot_svg(&path).unwrap();
    expect(
        &written(&path),
        &[
            "GCNN ±45°",
            "accuracy",
            "fooling rate",
            "share of images (%)",
        ],
    );
}

#[test]
fn smoke_a_surface_has_a_line_for_each_of_its_first_parts() {
    let path = out("surface.svg");
    let pairs = [0.0, 30.0, 60.0].map(|angle| [0.0, 0.1, 0.2].map(|epsilon| [angle, epsilon]));
    let axis = Axis::attack("turned", Pgd::linf(0.0), pairs.concat())
        .titled("attack radius ε, rotated by up to ±", "±{}°, ε = {}");
    let points = axis.levels.iter().map(|level| {
        let [angle, epsilon] = level.parts() else {
            panic!("pairs")
        };
        Point {
            level: level.clone(),
            ..point(0.0, 0.95 - angle / 100.0 - 1.5 * epsilon)
        }
    });
    let mut profile = profile("GCNN", 0.8, 0.3);
    profile.curves = vec![Curve::of(&axis, points.collect())];
    profile.plot_svg(&path).unwrap();
    let lines = [
        "accuracy, 0",
        "accuracy, 30",
        "accuracy, 60",
        "fooling rate, 60",
    ];
    expect(&written(&path), &lines);
    assert_eq!(
        profile.curves[0].label_at(&[30.0, 0.1].into()),
        "±30°, ε = 0.1"
    );
}

#[test]
fn smoke_trade_off_plane_names_every_classifier() {
    let path = out("trade_off.svg");
    report()
        .plot_trade_off_svg(&path, ("angles", 180.0), ("epsilons", 0.1))
        .unwrap();
    let texts = written(&path);
    expect(
        &texts,
        &[
            "spatial accuracy at ±180° (%)",
            "adversarial accuracy at ε = 0.1 (%)",
            "StdCNN ±0°",
            "GCNN ±180°",
            "fixed budget",
        ],
    );
    // Beside a marker that stands by itself, and in the legend.
    assert_eq!(texts.iter().filter(|t| *t == "fixed budget").count(), 2);
}

#[test]
fn error_nothing_to_draw() {
    let mut bare = profile("bare", 0.5, 0.5);
    bare.curves.clear();
    for error in [
        bare.plot_svg(out("never.svg")).unwrap_err(),
        Figure::new("empty").plot_svg(out("never.svg")).unwrap_err(),
        ContactSheet::new(Bounds::default()).to_png().unwrap_err(),
    ] {
        assert!(matches!(error, Error::Drawing { .. }), "{error}");
    }
    assert!(!out("never.svg").exists());
    assert!(Panel::trade_off(&[&bare], ("angles", 180.0), ("epsilons", 0.1)).is_err());
}

fn tensor(values: Vec<f32>, shape: [usize; 4]) -> Tensor<4> {
    Tensor::from_data(TensorData::new(values, shape), &fireproof::device())
}

fn decode(png: &[u8]) -> (png::OutputInfo, Vec<u8>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    (info, pixels)
}

// Oracle: the sheet by hand, decoded by the `png` crate.
#[test]
fn value_contact_sheet_places_and_enlarges_pixels() {
    let clean = tensor(vec![0.0, 1.0, 0.2, 0.6], [2, 1, 1, 2]);
    let other = tensor(vec![0.2, 1.0, 0.2, 0.5], [2, 1, 1, 2]);
    let png = ContactSheet::new(Bounds::default())
        .with_scale(2)
        .with_column("clean", clean.clone())
        .unwrap()
        .with_difference("difference", other, clean, 1.0)
        .unwrap()
        .to_png()
        .unwrap();
    let (info, pixels) = decode(&png);
    // Two columns of 4 + 2 pixels and two rows of 2 + 2, with a margin of 2.
    assert_eq!((info.width, info.height), (14, 10));
    assert_eq!(info.color_type, png::ColorType::Grayscale);
    let at = |row: usize, column: usize| pixels[row * 14 + column];
    let corner = [at(0, 0), at(1, 5), at(2, 1), at(2, 6), at(4, 3), at(9, 13)];
    assert_eq!(corner, [255; 6]);
    assert_eq!([at(2, 2), at(3, 3), at(2, 4), at(3, 5)], [0, 0, 255, 255]);
    assert_eq!([at(6, 2), at(7, 3), at(6, 4), at(7, 5)], [51, 51, 153, 153]);
    // 127.5 is middle grey; +0.2 is 25.5 brighter, -0.1 12.75 darker.
    assert_eq!(
        [at(2, 8), at(2, 10), at(6, 8), at(6, 10)],
        [153, 128, 128, 115]
    );
}

#[test]
fn value_colour_sheet_interleaves_channels() {
    let bounds = Bounds::new(-1.0, 1.0).unwrap();
    let sheet = ContactSheet::new(bounds)
        .with_scale(1)
        .with_column("colour", tensor(vec![-1.0, 0.0, 1.0], [1, 3, 1, 1]))
        .unwrap();
    let (info, pixels) = decode(&sheet.to_png().unwrap());
    assert_eq!(
        (info.width, info.height, info.color_type),
        (5, 5, png::ColorType::Rgb)
    );
    assert_eq!(pixels[(2 * 5 + 2) * 3..][..3], [0, 128, 255]);
}

#[test]
fn smoke_contact_sheet_svg_has_captions_and_the_png() {
    let digits = fireproof::data::embedded_mnist();
    let images = digits
        .test
        .batch(&[0, 1, 2, 3, 4], &fireproof::device())
        .images;
    let dark = images.clone() * 0.7;
    let sheet = ContactSheet::new(Bounds::default())
        .with_row_labels(["7 → 2", "2", "1", "0", "4"])
        .with_column("clean", images.clone())
        .unwrap()
        .with_column("attacked, ε = 0.1", dark.clone())
        .unwrap()
        .with_difference("difference × 5", dark, images, 5.0)
        .unwrap();
    sheet.write_png(out("sheet.png")).unwrap();
    sheet.write_svg(out("sheet.svg")).unwrap();
    let svg = std::fs::read_to_string(out("sheet.svg")).unwrap();
    expect(
        &texts(&svg),
        &["clean", "attacked, ε = 0.1", "difference × 5", "7 → 2"],
    );
    assert!(svg.contains("data:image/png;base64,iVBORw0KGgo"));
}

#[test]
fn error_sheets_of_odd_images() {
    let sheet = || ContactSheet::new(Bounds::default());
    let failure = |sheet: Result<ContactSheet, Error>| sheet.unwrap_err().to_string();
    let error = failure(sheet().with_column("two", tensor(vec![0.0; 8], [1, 2, 2, 2])));
    assert!(error.contains("[1, 2, 2, 2]"), "{error}");
    let first = sheet()
        .with_column("a", tensor(vec![0.0; 4], [1, 1, 2, 2]))
        .unwrap();
    let error = failure(first.with_column("b", tensor(vec![0.0; 2], [1, 1, 1, 2])));
    assert!(
        error.contains("[1, 1, 2, 2], as the columns before"),
        "{error}"
    );
    let error = failure(sheet().with_column("c", tensor(vec![f32::NAN], [1, 1, 1, 1])));
    assert!(error.contains("NaN"), "{error}");
}
