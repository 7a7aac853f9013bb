//! What every attack gets from its trial: passes counted, survivors, combinators, a verdict on
//! exactly what is returned, and few reads to the host.

use burn::tensor::{Int, Tensor, TensorData};
use fireproof::attack::{
    Attack, AttackSpec, Fgsm, Found, Frozen, Goal, Keep, L2, Linf, Margin, Norm, Pgd, Trial, verify,
};
use fireproof::base::{Batch, Purpose, Seed, count_reads, read};

const IMAGES: usize = 24;
const SIDE: usize = 6;

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), &fireproof::device())
}

// Three classes by smooth functions of the pixels; every image is independent of the others.
fn victim() -> Frozen {
    let mut draws = Seed(3).draws(Purpose::Weights, 0, 0);
    let weights = (0..SIDE * SIDE * 3).map(|_| draws.uniform(-1.0, 1.0) as f32);
    let weights = tensor(weights.collect(), [SIDE * SIDE, 3]);
    Frozen::from_fn(move |images: Tensor<4>| {
        // Products one by one: matrix products may sum in another order for another batch.
        let x = (images.flatten::<2>(1, 3) * 3.0).sin();
        let x = x.unsqueeze_dim::<3>(2) * weights.clone().unsqueeze_dim::<3>(0);
        x.sum_dim(1).squeeze_dim::<2>(1)
    })
}

// Labels are the predictions, but for every sixth image.
fn batch(victim: &Frozen) -> Batch {
    let mut draws = Seed(4).draws(Purpose::Subset, 0, 0);
    let pixels = (0..IMAGES * SIDE * SIDE).map(|_| draws.uniform(0.0, 1.0) as f32);
    let images = tensor(pixels.collect(), [IMAGES, 1, SIDE, SIDE]);
    let predicted = victim.predict(images.clone()).into_iter().enumerate();
    let labels: Vec<i64> = predicted
        .map(|(at, class)| (class + i64::from(at % 6 == 5)) % 3)
        .collect();
    let ids = (0..IMAGES as u64).map(|at| 1000 + 7 * at).collect();
    let labels = Tensor::<1, Int>::from_data(labels.as_slice(), &fireproof::device());
    Batch::new(images, labels).with_ids(ids)
}

fn pixels(found: &Found) -> Vec<f32> {
    found.images.to_data().iter::<f32>().collect()
}

/// Every attack of the crate: a new one is a line here.
fn attacks(epsilon: f64) -> Vec<AttackSpec> {
    vec![
        Fgsm::linf(epsilon).into(),
        Fgsm::l2(4.0 * epsilon).with_keep(Keep::Last).into(),
        Pgd::linf(epsilon).into(),
        Pgd::l2(4.0 * epsilon).with_loss(Margin).into(),
        Pgd::linf(epsilon).with_keep(Keep::Last).into(),
        Pgd::linf(epsilon).with_steps(2).restarts(3).into(),
        Pgd::l2(4.0 * epsilon)
            .with_keep(Keep::Last)
            .restarts(2)
            .into(),
        Fgsm::linf(epsilon)
            .or(Pgd::linf(epsilon).with_loss(Margin))
            .into(),
        Fgsm::linf(epsilon / 2.0).then(Pgd::linf(epsilon)).into(),
        Pgd::linf(epsilon).with_targets(1).restarts(2).into(),
    ]
}

#[test]
fn value_every_attack_keeps_the_invariants() {
    let victim = victim();
    let batch = batch(&victim);
    let clean = victim.predict(batch.images.clone());
    let labels = batch.labels_to_vec();
    for attack in attacks(0.08) {
        let found = attack.attack(&victim, &batch, Seed(1)).unwrap();
        // In its ball and bounds, around the images it names.
        let ball = attack.ball().expect("a ball");
        verify(&found, &batch, ball.norm, ball.epsilon).unwrap();
        // The verdict is a fresh pass's, and so are the classes.
        assert_eq!(
            found.predicted,
            victim.predict(found.images.clone()),
            "{attack}"
        );
        if attack.goal().targets.is_none() {
            for (at, class) in found.predicted.iter().enumerate() {
                assert_eq!(found.fooled[at], *class != labels[at], "{attack}");
            }
        }
        // Deterministic, and each image for itself.
        let again = attack.attack(&victim, &batch, Seed(1)).unwrap();
        assert_eq!(pixels(&found), pixels(&again), "{attack}");
        let part = [3, 11, 17];
        let alone = attack
            .attack(&victim, &batch.select(&part), Seed(1))
            .unwrap();
        assert_eq!(pixels(&alone), pixels(&found.select(&part)), "{attack}");
        assert_eq!(alone.queries, found.select(&part).queries, "{attack}");
        // No more passes than promised.
        let cost = attack.cost();
        assert!(
            found.queries.iter().all(|&q| q as usize <= cost.queries),
            "{attack}"
        );
        assert!(
            found
                .gradients
                .iter()
                .all(|&g| g as usize <= cost.gradients),
            "{attack}"
        );
        // A radius of 0 leaves every image as it is.
        let nothing = attack.at_level(&[0.0]).unwrap();
        if nothing.ball().is_some_and(|ball| ball.epsilon == 0.0) {
            let found = nothing.attack(&victim, &batch, Seed(1)).unwrap();
            assert_eq!(found.predicted, clean, "{attack}");
        }
        // By name in files, with unknown fields refused.
        let settings = serde_json::to_value(&attack).unwrap();
        let read: AttackSpec = serde_json::from_value(settings.clone()).unwrap();
        assert_eq!(read, attack);
        assert_eq!(read.to_string(), attack.to_string());
        let joined = read
            .clone()
            .or(attack.clone())
            .attack(&victim, &batch, Seed(1));
        let fooled = joined.unwrap().fooled;
        assert!(
            found
                .fooled
                .iter()
                .zip(fooled)
                .all(|(one, both)| both >= *one)
        );
        let mut misspelt = settings;
        misspelt["epsilonn"] = 1.into();
        assert!(
            serde_json::from_value::<AttackSpec>(misspelt).is_err(),
            "{attack}"
        );
    }
}

#[test]
fn value_ensembles_and_restarts_never_lose_an_image() {
    let victim = victim();
    let batch = batch(&victim);
    let run = |attack: &dyn Attack| attack.attack(&victim, &batch, Seed(2)).unwrap();
    let weak = Fgsm::linf(0.05);
    let strong = Pgd::linf(0.05).with_steps(4);
    let alone = [run(&weak), run(&strong)];
    let both = run(&weak.clone().or(strong.clone()));
    for at in 0..IMAGES {
        let either = alone[0].fooled[at] || alone[1].fooled[at];
        assert_eq!(both.fooled[at], either);
        // What the first fooled never meets the second.
        assert_eq!(both.gradients[at], if alone[0].fooled[at] { 1 } else { 5 });
    }
    assert!(alone[0].fooled_count() < IMAGES && both.fooled_count() > 4);
    let mut before = run(&strong);
    for count in [2, 4, 8] {
        let found = run(&strong.clone().restarts(count));
        assert!(
            before
                .fooled
                .iter()
                .zip(&found.fooled)
                .all(|(was, is)| is >= was)
        );
        before = found;
    }
}

#[test]
fn value_a_sequence_goes_on_around_what_it_found() {
    let victim = victim();
    let batch = batch(&victim);
    let (first, then) = (Fgsm::linf(0.02).with_keep(Keep::Last), Pgd::linf(0.03));
    let found = first
        .clone()
        .then(then.clone())
        .attack(&victim, &batch, Seed(1))
        .unwrap();
    let fgsm = first.attack(&victim, &batch, Seed(1)).unwrap();
    let near = |at: usize, to: &Tensor<4>| {
        let row = |t: &Tensor<4>| read::<f32, _, _>(&t.clone().narrow(0, at, 1));
        row(&found.originals) == row(to)
    };
    let mut moved = 0;
    for at in 0..IMAGES {
        if found.fooled[at] || near(at, &batch.images) {
            continue;
        }
        // Around the first attack's image, which is not the batch's own.
        assert!(near(at, &fgsm.images));
        moved += 1;
    }
    assert!(
        moved > 0,
        "some image stands, with its worst image around the first attack's"
    );
    let lengths = Linf.lengths(found.perturbation()).to_data();
    assert!(lengths.iter::<f32>().all(|length| length <= 0.03 + 1e-6));
    // In L2, where rounding leaves the ball, the centre is a result of the first attack all the same.
    let (first, then_l2) = (Pgd::l2(0.1).with_keep(Keep::Last), Fgsm::l2(0.2));
    let moved = first
        .then(then_l2)
        .attack(&victim, &batch, Seed(1))
        .unwrap();
    let centres = moved.originals.clone() - batch.images.clone();
    let centres: Vec<f32> = read(&centres);
    for centre in centres.chunks(SIDE * SIDE) {
        let centre: Vec<f64> = centre.iter().map(|&v| f64::from(v)).collect();
        assert!(L2.length(&centre) <= 0.1 + 1e-6);
    }
    let direct = then.attack(&victim, &batch, Seed(1)).unwrap();
    assert!(found.robust_accuracy() <= direct.robust_accuracy());
}

#[test]
fn value_found_selects_and_merges() {
    let victim = victim();
    let batch = batch(&victim);
    let whole = Pgd::linf(0.08).attack(&victim, &batch, Seed(1)).unwrap();
    let order = Vec::from_iter(0..IMAGES);
    let parts = order.chunks(10).map(|part| {
        Pgd::linf(0.08)
            .attack(&victim, &batch.select(part), Seed(1))
            .unwrap()
    });
    let merged = Found::merge(parts);
    assert_eq!(pixels(&merged), pixels(&whole));
    assert_eq!(
        (&merged.fooled, &merged.queries),
        (&whole.fooled, &whole.queries)
    );
    assert_eq!(
        (&merged.loss, &merged.predicted),
        (&whole.loss, &whole.predicted)
    );
}

#[test]
fn convention_pixels_stay_on_the_device() {
    let victim = victim();
    let batch = batch(&victim);
    victim.classes(&batch.images);
    // L∞: labels, pixels in bounds, ball, which passes were exact, and the verdict; nothing grows
    // with the pixels.
    let attack = Pgd::linf(0.1);
    let (found, reads) = count_reads(|| attack.attack(&victim, &batch, Seed(1)));
    found.unwrap();
    assert_eq!(reads.count, 5);
    assert_eq!(reads.values, IMAGES + 1 + 1 + IMAGES + 4 * IMAGES);
    // In training no verdict is read.
    let attack = attack.with_keep(Keep::Last);
    let (images, reads) = count_reads(|| attack.perturb(&victim, &batch, Seed(1)));
    images.unwrap();
    assert_eq!((reads.count, reads.values), (3, IMAGES + 2));
}

// Oracle: the text of the module itself.
#[test]
fn convention_attacks_read_by_one_function() {
    fn files(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => files(&path, found),
                false => found.push(path),
            }
        }
    }
    let mut found = Vec::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/attack");
    files(folder.as_ref(), &mut found);
    assert!(found.len() > 20);
    for path in found {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for read in ["to_data(", "into_data(", "into_scalar(", "to_data_async("] {
            assert!(!code.contains(read), "{} reads by {read}", path.display());
        }
    }
}

#[test]
fn value_exact_gradients_on_demand() {
    let victim = victim().with_numerics(fireproof::kernel::Numerics::Fast);
    let batch = batch(&victim);
    let mut trial = Trial::new(&victim, &batch, &Goal::default(), 1).unwrap();
    trial.exact();
    assert_eq!(
        trial.victim().numerics(),
        fireproof::kernel::Numerics::Exact
    );
}

#[test]
fn error_combinations_that_make_no_sense() {
    let victim = victim();
    let batch = batch(&victim);
    let cases: [(AttackSpec, &str); 5] = [
        (Fgsm::linf(0.1).or(Pgd::linf(0.2)).into(), "one ball"),
        (Fgsm::linf(0.1).or(Pgd::l2(0.1)).into(), "one ball"),
        (
            Fgsm::linf(0.1).or(Pgd::linf(0.1).with_targets(1)).into(),
            "the same targets",
        ),
        (Fgsm::linf(0.1).then(Pgd::l2(0.1)).into(), "one norm"),
        (Fgsm::linf(0.1).restarts(2).into(), "without a random start"),
    ];
    for (attack, expected) in cases {
        let error = attack
            .attack(&victim, &batch, Seed(1))
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
    // The margin of the two other classes is a number all the same.
    let broken = Frozen::from_fn(|images: Tensor<4>| {
        let mean = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3);
        Tensor::cat(vec![mean.clone(), mean.clone() * 2.0, mean * f32::NAN], 1)
    });
    let mut ones = batch.clone();
    ones.labels = Tensor::<1, Int>::zeros([IMAGES], &fireproof::device());
    let attack = Pgd::linf(0.1).with_loss(Margin).with_keep(Keep::Last);
    let error = attack.attack(&broken, &ones, Seed(1)).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("of attacked image 1000: found NaN")
    );
    let error = Pgd::linf(0.1)
        .at_level(&[0.1, 0.2])
        .unwrap_err()
        .to_string();
    assert!(error.contains("one number"), "{error}");
    for (json, expected) in [
        (
            r#"{"attack": "apgdd"}"#,
            "one of: ensemble, fgsm, pgd, restarts, sequence",
        ),
        (r#"{"epsilon": 1}"#, "no name"),
        (
            r#"{"attack": "pgd", "norm": "l3", "epsilon": 1}"#,
            "one of: l2, linf",
        ),
        (
            r#"{"attack": "pgd", "norm": "l2", "epsilon": 1, "loss": "hinge"}"#,
            "margin",
        ),
    ] {
        let error = serde_json::from_str::<AttackSpec>(json)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}
