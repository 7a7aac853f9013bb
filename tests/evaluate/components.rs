//! Principal components of perturbations. They are computed on the host, whatever the device.

use super::csv::parse_csv;
use super::given::{SIDE, bright, greys};
use burn::tensor::{Tensor, TensorData};
use fireproof::attack::Pgd;
use fireproof::evaluate::{ComponentScan, Components};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    shape: [usize; 4],
    perturbations: Vec<f32>,
    centred: bool,
    unit_length: bool,
    total: f64,
    mean: Vec<f64>,
    eigenvalues: Vec<f64>,
    vectors: Vec<Vec<f64>>,
}

fn tensor(values: Vec<f32>, shape: [usize; 4]) -> Tensor<4> {
    Tensor::from_data(TensorData::new(values, shape), &fireproof::device())
}

fn scan() -> ComponentScan {
    ComponentScan::new(Pgd::linf(0.1).with_steps(3))
}

// Oracle: numpy.linalg.eigh of the covariance in double precision; `tests/fixtures/components.py`.
#[test]
fn value_components_are_numpys() {
    let text = include_str!("../fixtures/components.json");
    let cases: Vec<Case> = serde_json::from_str(text).unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let scan = scan()
            .with_count(case.eigenvalues.len())
            .with_centred(case.centred)
            .with_unit_length(case.unit_length);
        let found = scan.of(&tensor(case.perturbations, case.shape)).unwrap();
        assert_eq!(found.count, case.shape[0]);
        assert_eq!(found.eigenvalues.len(), case.eigenvalues.len());
        assert!((found.total / case.total - 1.0).abs() < 1e-12);
        for (a, b) in found.eigenvalues.iter().zip(&case.eigenvalues) {
            assert!((a - b).abs() < 1e-12 * case.total, "{a} {b}");
        }
        let close = |a: &[f32], b: &[f64]| {
            assert_eq!(a.len(), b.len());
            for (&a, b) in a.iter().zip(b) {
                assert!((f64::from(a) - b).abs() < 1e-6, "{a} {b}");
            }
        };
        close(&found.mean, &case.mean);
        for (a, b) in found.vectors.iter().zip(&case.vectors) {
            close(a, b);
        }
        let shares = found.eigenvalues.iter().map(|value| value / case.total);
        let all = found.share_of_first(found.eigenvalues.len());
        assert!((all - shares.sum::<f64>()).abs() < 1e-12);
    }
}

// Oracle: the brightness rises or falls by ε in every pixel, and by no other perturbation sooner: one
// component of equal entries explains all. It is ±0.1 about a mean of 0.1 · (2 − 3) / 5.
#[test]
fn value_perturbations_of_a_linear_classifier_have_one_component() {
    let (data, device) = (greys(&[60, 90, 150, 180, 200]), fireproof::device());
    let found = scan().run(&bright(), &data, &device).unwrap();
    let size = (SIDE * SIDE) as f64;
    assert_eq!((found.count, found.vectors.len()), (5, 1));
    assert!((found.share(0) - 1.0).abs() < 1e-6);
    assert_eq!(found.share(1), 0.0);
    assert!(found.mean.iter().all(|&mean| (mean + 0.02).abs() < 1e-6));
    // Σ (±0.1 + 0.02)² / (5 − 1) for each pixel.
    let variance = (2.0 * 0.12_f64.powi(2) + 3.0 * 0.08_f64.powi(2)) / 4.0;
    assert!((found.eigenvalues[0] - size * variance).abs() < 1e-4);
    let entry = 1.0 / size.sqrt();
    assert!(
        found.vectors[0]
            .iter()
            .all(|&v| (f64::from(v) - entry).abs() < 1e-6)
    );
    // Of squares, not from the mean: 0.01 for each pixel.
    let plain = scan()
        .with_centred(false)
        .run(&bright(), &data, &device)
        .unwrap();
    assert!((plain.eigenvalues[0] - size * 0.01).abs() < 1e-4);
    // Those that fool: within 0.1 of one half.
    let fooling = scan().with_only_fooled(true);
    let near = greys(&[60, 110, 120, 140]);
    assert_eq!(fooling.run(&bright(), &near, &device).unwrap().count, 3);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("components.json");
    let found = found.with_name("bright");
    found.write_json(&path).unwrap();
    assert_eq!(
        Components::read_json(&path).unwrap().to_json(),
        found.to_json()
    );
    let rows = parse_csv(&found.to_csv());
    assert_eq!(
        (rows.len(), rows[1][2].as_str(), rows[1][3].as_str()),
        (2, "5", "1")
    );
    assert_eq!(rows[1][4].parse(), Ok(found.eigenvalues[0]));
    let text = found.to_markdown();
    assert!(
        text.contains("of 5 perturbations on the 5 images"),
        "{text}"
    );
    assert!(text.contains("| 100.0 % | 100.0 % |"), "{text}");
    let json = serde_json::to_value(fooling.clone()).unwrap();
    assert_eq!(
        serde_json::from_value::<ComponentScan>(json).unwrap(),
        fooling
    );
}

#[test]
fn error_perturbations_without_components() {
    let failure = |scan: ComponentScan, values: Vec<f32>, count: usize| {
        let perturbations = tensor(values, [count, 1, 1, 2]);
        scan.of(&perturbations).unwrap_err().to_string()
    };
    assert!(failure(scan(), vec![0.1, 0.2], 1).contains("two or more"));
    assert!(failure(scan(), vec![0.1, f32::NAN, 0.0, 0.0], 2).contains("perturbation 0"));
    assert!(failure(scan().with_count(0), vec![0.0; 4], 2).contains("count"));
    let far = scan().with_only_fooled(true);
    let error = far.run(&bright(), &greys(&[0, 255]), &fireproof::device());
    assert!(error.unwrap_err().to_string().contains("two or more"));
    // No perturbation at all explains nothing.
    let none = scan().of(&tensor(vec![0.0; 6], [3, 1, 1, 2])).unwrap();
    assert_eq!(
        (none.eigenvalues.len(), none.total, none.share(0)),
        (0, 0.0, 0.0)
    );
}
