//! What makes a classifier look robust, or has no answer at all.

use super::given::{always, greys, over, point, run};
use crate::common::On;
use burn::tensor::Tensor;
use fireproof::attack::{Frozen, Pgd};
use fireproof::evaluate::{Axis, Profile, Rate, Report};

on_every_device![
    value_profiles_tell_of_gradients_that_fail,
    value_no_answer_under_a_threat_is_wrong_and_fooled,
];

// Brighter than one half or not, for images whose gradients are what `broken` makes of them.
fn bright(broken: impl Fn(Tensor<2>) -> Tensor<2> + Send + Sync + 'static) -> Frozen {
    Frozen::from_fn(move |images: Tensor<4>| {
        let mean = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3) - 0.5;
        let score = mean.clone().detach() + broken(mean);
        Tensor::cat(vec![score.clone().neg(), score], 1)
    })
}

fn value_profiles_tell_of_gradients_that_fail(on: &On) {
    let data = greys(&[0, 20, 120, 200, 255]);
    let evaluation = over(Axis::epsilons(Pgd::linf(0.0), [0.0, 0.1]));
    let flaws = |victim: &Frozen| {
        let profile = run(on, &evaluation, victim, &data);
        let flaws = [0, 1].map(|at| point(&profile, "epsilons", at));
        assert_eq!((flaws[0].vanished, flaws[0].undefined), (0.0, 0.0));
        ((flaws[1].vanished, flaws[1].undefined), profile)
    };
    let sound = bright(|mean| mean.clone() - mean.detach());
    let (none, profile) = flaws(&sound);
    assert_eq!(none, (0.0, 0.0));
    assert!(!told(&profile, "too high"));
    // Fooled without a gradient: nothing to tell. A random start may fool the third image.
    let flat = bright(|mean| mean.clone() * 0.0 + 0.0);
    let ((vanished, undefined), profile) = flaws(&flat);
    assert!((0.8..=1.0).contains(&vanished) && undefined == 0.0);
    assert!(told(
        &profile,
        "zero everywhere, so that accuracies may be too high"
    ));
    // WGSL lets shaders assume that neither NaN nor infinity occurs.
    if on.is("wgpu") {
        return;
    }
    let rough = bright(|mean| (mean * 0.0).square().sqrt());
    let ((vanished, undefined), profile) = flaws(&rough);
    assert!((0.8..=1.0).contains(&undefined) && vanished == 0.0);
    assert!(told(&profile, "NaN or infinite"));
    let mut columns = profile.to_csv();
    columns.truncate(columns.find("\r\n").unwrap());
    assert!(columns.contains("queries,vanished,undefined"));
}

fn told(profile: &Profile, doubt: &str) -> bool {
    let mut report = Report::new("flaws", 1, profile.versions.clone());
    report.push("all", None, profile.clone());
    let [alone, whole] = [profile.to_markdown(), report.to_markdown()].map(|t| t.contains(doubt));
    assert_eq!(alone, whole);
    alone
}

fn value_no_answer_under_a_threat_is_wrong_and_fooled(on: &On) {
    // No number where the upper edge is dark, as shifts downwards leave it.
    let victim = Frozen::from_fn(|images: Tensor<4>| {
        let dark = images.clone().narrow(2, 0, 1).min_dim(3).flatten::<2>(1, 3);
        let lost = dark.greater_elem(0.1).bool_not();
        let mean = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3);
        let score = (mean - 0.1).mask_fill(lost, f32::NAN);
        Tensor::cat(vec![score.clone() * 0.0, score], 1)
    });
    let data = greys(&[200; 40]);
    let evaluation = over(Axis::shifts([0.0, 3.0].map(fireproof::base::Pixels)));
    let all = |victim: &Frozen| run(on, &evaluation, victim, &data);
    let (lost, same) = (all(&victim), all(&always(1)));
    let [lost, same] = [&lost, &same].map(|profile| point(profile, "shifts", 1));
    assert_eq!(same.fooling, Rate::of(0, 40));
    let fooled = (lost.fooling.value * 40.0).round() as usize;
    assert!((5..40).contains(&fooled), "{fooled}");
    assert_eq!(lost.accuracy, Rate::of(40 - fooled, 40));
}
