//! What attacks leave for eyes: curves of a run, adversaries as pictures.

use super::{decode, expect, out, tensor, written};
use burn::tensor::{Int, Tensor};
use fireproof::attack::{Adversaries, Attack, DeepFool, Frozen, NO_CLASS, Pgd};
use fireproof::base::{Batch, Bounds, Seed};
use fireproof::data::ImageSet;
use fireproof::report::{Figure, Panel};

// Two classes: the image is brighter or darker than 1/8 on average.
fn brightness() -> Frozen {
    Frozen::from_fn(|images: Tensor<4>| {
        let mean = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3);
        Tensor::cat(vec![-mean.clone() + 0.25, mean], 1)
    })
}

#[test]
fn smoke_curves_of_a_run() {
    let digits = fireproof::data::embedded_mnist().test;
    let bytes = (0..60).flat_map(|at| digits.pixels(at).to_vec()).collect();
    let labels = (0..60).map(|at| u8::from(at % 5 > 0)).collect();
    let set = ImageSet::new("bright digits", [1, 28, 28], 2, bytes, labels).unwrap();
    let device = fireproof::device();
    let nearest = DeepFool::linf().run(&brightness(), &set, &device).unwrap();
    nearest.plot_svg("DeepFool", out("nearest.svg")).unwrap();
    let texts = written(&out("nearest.svg"));
    let expected = [
        "bright digits",
        "radius ε",
        "DeepFool",
        "robust accuracy (%)",
        "10",
    ];
    expect(&texts, &expected);
    let weak = Pgd::linf(0.02)
        .with_steps(3)
        .restarts(3)
        .run(&brightness(), &set, &device)
        .unwrap();
    weak.plot_svg("PGD", out("weak.svg")).unwrap();
    let texts = written(&out("weak.svg"));
    assert!(!texts.contains(&"radius ε".to_owned()), "{texts:?}");
    let runs = [("DeepFool", &nearest), ("PGD", &weak)];
    let panel = Panel::robust_by_passes(&runs);
    Figure::new("two runs")
        .with_row("", [panel])
        .plot_svg(out("runs.svg"))
        .unwrap();
    expect(&written(&out("runs.svg")), &["DeepFool", "PGD"]);
}

fn adversaries(images: Tensor<4>, bounds: Bounds) -> Adversaries {
    let count = images.dims()[0];
    let labels = Tensor::<1, Int>::ones([count], &fireproof::device());
    let batch = Batch::new(images, labels).unwrap().with_bounds(bounds);
    let attack = Pgd::linf(0.0).with_steps(1);
    let found = attack.attack(&brightness(), &batch, Seed(1)).unwrap();
    Adversaries::of(&found, &batch, &attack, 1).unwrap()
}

// Oracle: the pixels by hand, decoded by the `png` crate.
#[test]
fn value_adversaries_are_written_as_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let colour = tensor(
        (0..12).map(|at| at as f32 / 10.0 - 0.1).collect(),
        [1, 3, 2, 2],
    );
    let bounds = Bounds::new(-0.1, 1.0).unwrap();
    let kept = adversaries(colour, bounds);
    let paths = kept.save_images(folder.path().join("made")).unwrap();
    assert_eq!(paths, [folder.path().join("made/0-1-1.png")]);
    let (info, pixels) = decode(&std::fs::read(&paths[0]).unwrap());
    assert_eq!(
        (info.width, info.height, info.color_type),
        (2, 2, png::ColorType::Rgb)
    );
    let byte = |at: usize| (255.0 * at as f64 / 11.0).round() as u8;
    assert_eq!(pixels, [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11].map(byte));

    let mut kept = adversaries(
        tensor(vec![0.0, 1.0, 0.2, 0.6], [2, 1, 1, 2]),
        Bounds::default(),
    );
    kept.ids = vec![7, 12];
    kept.predicted = vec![NO_CLASS, 0];
    let paths = kept.save_images(folder.path()).unwrap();
    let names = Vec::from_iter(paths.iter().map(|path| path.file_name().unwrap()));
    assert_eq!(names, ["7-1-none.png", "12-1-0.png"]);
    let (info, pixels) = decode(&std::fs::read(&paths[1]).unwrap());
    assert_eq!((info.width, info.height, pixels), (2, 1, vec![51, 153]));

    kept.ids = vec![7, 7];
    let error = kept.save_images(folder.path()).unwrap_err().to_string();
    assert!(error.contains("7 twice"), "{error}");
    let kept = adversaries(tensor(vec![0.5; 4], [1, 2, 1, 2]), Bounds::default());
    let error = kept.save_images(folder.path()).unwrap_err().to_string();
    assert!(error.contains("found 2, expected 1 or 3"), "{error}");
}
