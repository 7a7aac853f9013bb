//! Planes of two accuracies, under the bounds of the statistical settings.

use super::{expect, out, written};
use fireproof::evaluate::Rate;
use fireproof::report::{Figure, Panel};
use fireproof::theory::{GaussianFeature, SignFeature};

fn rates() -> [(&'static str, Rate, Rate); 2] {
    let rate = |right| Rate::of(right, 1000);
    [
        ("sign of the mean", rate(983), rate(29)),
        ("what is exactly ±1", rate(951), rate(949)),
    ]
}

#[test]
fn smoke_plane_under_a_bound_has_its_limit_and_lines() {
    let path = out("under.svg");
    let a = SignFeature::new(100, 0.95, 0.2).unwrap();
    let b = GaussianFeature::new(100, 1.5, 0.2).unwrap();
    let best = a.frontier(40).unwrap();
    let panels = [
        Panel::under(&a, 0.4, &rates()).with_line("the best there are", &best),
        Panel::under(&b, 0.4, &rates()),
    ];
    let figure = Figure::new("Theory").with_row("Settings", panels);
    figure.plot_svg(&path).unwrap();
    let texts = written(&path);
    // Once each in the legend of the row.
    for line in ["no classifier is above", "the best there are"] {
        assert_eq!(texts.iter().filter(|t| *t == line).count(), 1, "{line}");
    }
    expect(
        &texts,
        &[
            "S: accuracy under random shifts (%)",
            "what is exactly ±1",
            "0",
            "100",
        ],
    );
}

#[test]
fn smoke_plane_without_a_bound() {
    let path = out("plane.svg");
    let panel = Panel::plane("quarter turns (%)", "attacked (%)", &rates());
    let figure = Figure::new("").with_row("", [panel]);
    figure.plot_svg(&path).unwrap();
    let texts = written(&path);
    expect(
        &texts,
        &["quarter turns (%)", "attacked (%)", "sign of the mean"],
    );
    assert!(!texts.iter().any(|text| text == "no classifier is above"));
    assert!(
        Figure::new("")
            .with_row("", [Panel::plane("x", "y", &[])])
            .to_svg()
            .is_err()
    );
}
