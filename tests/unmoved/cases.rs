//! The cases.

use super::*;

pub struct Case {
    pub name: String,
    pub attack: Box<dyn Attack>,
    pub ball: Ball,
    pub bounds: Bounds,
}

/// Attacks of radii at which some images fall and some do not, in L∞ and L2, and of others at which
/// some fall to a later restart of a weak attack only.
pub fn cases(radii: [f64; 2], weak: [f64; 2]) -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, ball, epsilon, weak) in [
        ("L∞", Ball::Linf, radii[0], weak[0]),
        ("L2", Ball::L2, radii[1], weak[1]),
    ] {
        let mut add = |what: &str, attack: Box<dyn Attack>, bounds| {
            cases.push(Case {
                name: format!("{name} {what}"),
                attack,
                ball,
                bounds,
            })
        };
        let inside = Bounds::default();
        let pgd = |epsilon| pgd(ball, epsilon);
        for (keep, kept) in [(Keep::Best, "best"), (Keep::Last, "last")] {
            let one_step = fgsm(ball, epsilon).with_keep(keep);
            add(&format!("FGSM, {kept}"), Box::new(one_step), inside);
            for (random, start) in [(true, "random start"), (false, "no random start")] {
                let attack = pgd(epsilon).with_keep(keep).with_random_start(random);
                let what = format!("PGD, {kept}, {start}");
                add(&what, Box::new(attack), inside);
            }
            let attack = pgd(weak).with_steps(2).with_step_size(weak / 2.0);
            let attack = restarts(attack.with_keep(keep), 5);
            add(&format!("5 restarts, {kept}"), Box::new(attack), inside);
        }
        let attacks = [
            ("next", pgd(epsilon).with_targets(NextClass)),
            ("least likely", pgd(2.0 * epsilon).with_targets(LeastLikely)),
            (
                "towards 3",
                pgd(epsilon).with_targets(3).with_keep(Keep::Last),
            ),
            ("margin", pgd(epsilon).with_loss(Margin)),
            ("margin, next, no random start", {
                let attack = pgd(epsilon).with_loss(Margin);
                attack.with_targets(NextClass).with_random_start(false)
            }),
            ("predicted labels", pgd(epsilon).with_predicted_labels(true)),
            (
                "start alone",
                pgd(epsilon).with_steps(0).with_keep(Keep::Last),
            ),
            (
                "long steps",
                pgd(epsilon).with_steps(4).with_step_size(epsilon),
            ),
        ];
        for (what, attack) in attacks {
            add(what, Box::new(attack), inside);
        }
        let attack = restarts(pgd(epsilon).with_targets(NextClass), 3);
        add("next, 3 restarts", Box::new(attack), inside);
        add("no bounds", Box::new(pgd(epsilon)), Bounds::none());
    }
    cases
}

pub fn evaluations() -> [(&'static str, Evaluation); 2] {
    let axes = [
        (
            RandomPose::rotations(),
            Axis::angles([0.0, 30.0, 180.0].map(Degrees)),
        ),
        (
            RandomPose::shifts(),
            Axis::shifts([0.0, 2.0, 5.5].map(Pixels)),
        ),
        (RandomPose::joint(), Axis::joint([0.0, 0.1, 1.0])),
    ];
    let mut one = Evaluation::new().with_batch_size(24).with_seed(21);
    let mut several = one.clone().with_seed(22);
    for (threat, axis) in axes {
        one = one.with_axis(axis.clone());
        let threat = RandomPose {
            warp: Warp::bilinear(),
            draws: 3,
            ..threat
        };
        several = several.with_axis(axis.with_threat(threat));
    }
    let pgd = Pgd::linf(0.0).with_steps(5);
    let one = one.with_axis(Axis::epsilons(pgd, [0.0, 0.05, 0.1]));
    let pgd = Pgd::l2(0.0).with_steps(3).restarts(2);
    let several = several.with_axis(Axis::epsilons(pgd, [0.0, 0.5, 1.0]));
    [("one draw, L∞", one), ("three draws, L2", several)]
}

pub fn everything() -> Record {
    let device = Device::flex();
    let mut record = Record {
        arithmetic: Arithmetic::here(&device),
        attacks: BTreeMap::new(),
        trainings: BTreeMap::new(),
        evaluations: BTreeMap::new(),
        sampled: Vec::new(),
    };
    let image = embedded_mnist().train.shape();

    let model = CnnConfig::new(Group::P4, image, 10).with_seed(1);
    let (gcnn, learnt) = learn(&natural(), model.init(&device).unwrap(), 600, &device);
    record.trainings.insert("p4 natural".into(), learnt);
    let model = SmallCnnConfig::new(image, 10).with_seed(2);
    let (small, learnt) = learn(&natural(), model.init(&device).unwrap(), 600, &device);
    record.trainings.insert("small natural".into(), learnt);
    let victims = [
        ("p4", Frozen::new(&gcnn), [0.15, 1.6], [0.15, 2.0]),
        ("small", Frozen::new(&small), [0.15, 1.5], [0.18, 1.6]),
    ];

    // Ids that are not the positions in the batch.
    let positions: Vec<usize> = (0..IMAGES).map(|at| 3 + 7 * at).collect();
    let batch = embedded_mnist().test.batch(&positions, &device);
    for (name, victim, radii, weak) in victims {
        let clock = Instant::now();
        for numerics in [Numerics::Exact, Numerics::Fast] {
            let victim = victim.clone().with_numerics(numerics);
            for case in cases(radii, weak) {
                let batch = batch.clone().with_bounds(case.bounds);
                let (mut attacked, pixels) = attacked(&*case.attack, &victim, &batch);
                if case.ball == Ball::L2 {
                    attacked.sample = Some(record.sampled.len());
                    record.sampled.extend(pixels.iter().step_by(STRIDE));
                }
                let name = format!("{name}, {numerics}: {}", case.name);
                assert!(record.attacks.insert(name, attacked).is_none());
            }
        }
        println!("attacks on {name}: {:.1} s", clock.elapsed().as_secs_f64());
    }

    let clock = Instant::now();
    let data = embedded_mnist()
        .test
        .take(200)
        .subset(&(120..180).collect::<Vec<_>>());
    let victim = Frozen::new(&gcnn).with_numerics(Numerics::Exact);
    for (name, evaluation) in evaluations() {
        let measured = measured(&evaluation, &victim, &data);
        record.evaluations.insert(name.to_owned(), measured);
    }
    println!("evaluations: {:.1} s", clock.elapsed().as_secs_f64());

    let pooled = CnnConfig::new(Group::P4m, image, 10).with_head(Head::Pooled);
    for (name, model, images) in [
        ("StdCNN, CuSP", CnnConfig::new(Group::P1, image, 10), 256),
        ("GCNN, CuSP", CnnConfig::new(Group::P4, image, 10), 256),
        ("pooled p4m with batch norm, CuSP", pooled, 128),
    ] {
        let clock = Instant::now();
        let model = model.with_seed(3).init(&device).unwrap();
        let (_, learnt) = learn(&cusp(3), model, images, &device);
        record.trainings.insert(name.to_owned(), learnt);
        println!("{name}: {:.1} s", clock.elapsed().as_secs_f64());
    }
    record
}
