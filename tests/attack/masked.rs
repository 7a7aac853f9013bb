//! Networks whose gradients are masked: what PGD says of them, what a suite of attacks says, and whether
//! the diagnosis tells.
//!
//! Oracle: what masks the gradients is known, and the networks without it. The table is printed by
//! `cargo test --release --test attack masked -- --nocapture`; with `FIREPROOF_REFERENCES=all` on 64 digits
//! and with all of AutoAttack.

use super::losses::Saturating;
use super::network::Net;
use super::stored::{natural, set};
use crate::common::On;
use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::Tensor;
use burn::tensor::activation::{log_softmax, softmax};
use fireproof::attack::diagnosis::{BlackBox, Diagnose};
use fireproof::attack::{Apgd, Attack, AttackSpec, AutoAttack, Dlr, Frozen, Linf, Pgd, Square};
use fireproof::base::{Batch, Classifier, Purpose, Seed};
use fireproof::data::embedded_mnist;

// Not on every device: a software renderer would take minutes for networks of this size.
on_this_device![
    value_masked_gradients_are_told,
    value_a_sound_network_raises_nothing,
];

const EPSILON: f64 = 0.1;

fn all() -> bool {
    std::env::var("FIREPROOF_REFERENCES").is_ok_and(|which| which == "all")
}

fn batch(on: &On) -> Batch {
    let count = if all() { 64 } else { 32 };
    set().batch(&Vec::from_iter(0..count), &on.device())
}

// What takes seconds in place of AutoAttack.
fn suite() -> AttackSpec {
    if all() {
        return AutoAttack::standard(Linf, EPSILON).into();
    }
    let apgd = Apgd::linf(EPSILON).with_steps(20);
    let both = apgd.clone().or(apgd.with_loss(Dlr));
    both.or(square()).into()
}

fn square() -> Square {
    let queries = if all() { 1000 } else { 300 };
    Square::linf(EPSILON)
        .with_queries(queries)
        .with_rescaled_schedule(true)
}

// Trained on the digits by what a teacher says of them, or on their labels: the cross-entropy of logits
// that are divided by a temperature. (N. Papernot et al. 2016, "Distillation as a Defense to Adversarial
// Perturbations against Deep Neural Networks", section IV.)
fn trained(on: &On, temperature: f64, teacher: Option<&Net>) -> Net {
    let set = embedded_mnist().train.take(2000);
    let device = on.device().autodiff();
    let mut draws = 0;
    let mut net = Net::new(on, |count| {
        draws += 1;
        let mut draws = Seed(5).draws(Purpose::Weights, draws, 0);
        let spread = if count > 1000 { 0.05 } else { 0.2 };
        let weights = (0..count).map(|_| (draws.normal() * spread) as f32);
        weights.collect()
    })
    .fork(&device)
    .train();
    let mut optimiser = AdamConfig::new().init();
    for epoch in 0..4 {
        let order = Vec::from_iter((0..set.len()).map(|at| (at * 7 + epoch * 11) % set.len()));
        for positions in order.chunks(50) {
            let batch = set.batch(positions, &on.device());
            let wanted = match teacher {
                Some(teacher) => softmax(teacher.logits(batch.images.clone()) / temperature, 1),
                None => one_hot(on, &batch),
            };
            let logits = net.logits(batch.images.autodiff()) / temperature;
            let loss = (log_softmax(logits, 1) * wanted.autodiff()).sum().neg() / 50.0;
            let gradients = GradientsParams::from_grads(loss.backward(), &net);
            net = optimiser.step(0.003, net, gradients);
        }
    }
    net.valid()
}

fn one_hot(on: &On, batch: &Batch) -> Tensor<2> {
    let labels = batch.labels_to_vec();
    let row = |label: i64| (0..10).map(move |class| f32::from(u8::from(class == label)));
    on.tensor(
        labels.iter().copied().flat_map(row).collect(),
        [labels.len(), 10],
    )
}

fn diagnose() -> Diagnose {
    let mut diagnose = Diagnose::new(3).with_images(if all() { 64 } else { 16 });
    let black_box = BlackBox::default().with_queries(square().queries);
    for check in &mut diagnose.checks {
        if check.name() == "black_box" {
            *check = black_box.clone().into();
        }
    }
    diagnose
}

// What stands of a batch after PGD on the loss that saturates, PGD and the suite, and what a diagnosis
// finds in each of the three.
struct Measured {
    clean: usize,
    stand: [usize; 3],
    flags: [Vec<String>; 3],
}

fn measure(victim: &Frozen, batch: &Batch) -> Measured {
    let pgd = Pgd::linf(EPSILON).with_steps(20);
    let textbook = pgd.clone().with_loss(Saturating);
    let attacks: [AttackSpec; 3] = [textbook.into(), pgd.into(), suite()];
    let diagnose = diagnose();
    let predicted = victim.predict(batch.images.clone());
    let right = predicted.iter().zip(batch.labels_to_vec());
    Measured {
        clean: right
            .filter(|(predicted, label)| **predicted == *label)
            .count(),
        stand: attacks.each_ref().map(|attack| {
            let found = attack.attack(victim, batch, Seed(3)).unwrap();
            batch.len() - found.fooled_count()
        }),
        flags: attacks.each_ref().map(|attack| {
            let diagnosis = diagnose.examine(&**attack, victim, batch, None).unwrap();
            println!("{diagnosis}");
            diagnosis.flags().into_iter().map(str::to_owned).collect()
        }),
    }
}

fn value_masked_gradients_are_told(on: &On) {
    let batch = batch(on);
    let net = trained(on, 1.0, None);
    let teacher = trained(on, 50.0, None);
    let student = trained(on, 50.0, Some(&teacher));
    let (plain, loud) = (Frozen::new(&net), net);
    let networks = [
        ("as trained", plain.clone()),
        (
            "logits × 1,000",
            Frozen::from_fn(move |images| loud.logits(images) * 1000.0),
        ),
        ("distilled, T = 50", Frozen::new(&student)),
        (
            "8 grey levels",
            plain.through(|images| (images * 7.0).round() / 7.0),
        ),
    ];
    let rows = networks.map(|(name, victim)| (name, measure(&victim, &batch)));
    println!(
        "| of {} digits | clean | textbook PGD-20 | PGD-20 | suite |",
        batch.len()
    );
    for (
        name,
        Measured {
            clean,
            stand,
            flags,
        },
    ) in &rows
    {
        let cells = stand.iter().zip(flags);
        let cells = cells.map(|(stand, flags)| format!("{stand}: {}", flags.join(", ")));
        println!(
            "| {name} | {clean} | {} |",
            Vec::from_iter(cells).join(" | ")
        );
    }
    let [plain, loud, distilled, grey] = rows.map(|(_, measured)| measured);
    assert_eq!(
        plain.flags[2], [""; 0],
        "a sound evaluation of a sound network"
    );
    assert!(plain.stand[2] < plain.clean);
    for masked in [loud, distilled] {
        // The loss that saturates overestimates by far, and is told; the one that does not is as good as
        // the suite.
        let [textbook, pgd, suite] = masked.stand;
        assert!(textbook > pgd + 2 && pgd <= suite + 1, "{:?}", masked.stand);
        for flag in ["saturated_loss", "vanished_gradients", "black_box"] {
            assert!(
                masked.flags[0].contains(&flag.to_owned()),
                "{:?}",
                masked.flags[0]
            );
        }
        assert_eq!(masked.flags[2], ["saturated_loss"]);
    }
    // Rounding leaves no gradient to any loss.
    let [_, pgd, suite] = grey.stand;
    assert!(pgd + 2 >= grey.clean && suite + 5 < pgd, "{:?}", grey.stand);
    for flags in &grey.flags[1..] {
        for flag in ["vanished_gradients", "black_box"] {
            assert!(flags.contains(&flag.to_owned()), "{flags:?}");
        }
    }
}

fn value_a_sound_network_raises_nothing(on: &On) {
    let apgd = Apgd::linf(0.13).with_steps(20);
    let square = Square::linf(0.13).with_queries(100);
    let suite = apgd.clone().or(apgd.with_loss(Dlr)).or(square);
    let batch = set().batch(&Vec::from_iter(0..12), &on.device());
    let diagnosis = diagnose().examine(&suite, &Frozen::new(&natural(&on.device())), &batch, None);
    let diagnosis = diagnosis.unwrap();
    assert!(
        diagnosis.is_clean() && diagnosis.unmade.is_empty(),
        "{diagnosis}"
    );
    // It has something to look at: images that fall, and that stand.
    let found = suite
        .attack(&Frozen::new(&natural(&on.device())), &batch, Seed(3))
        .unwrap();
    assert!((1..12).contains(&found.fooled_count()));
}
