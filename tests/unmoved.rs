//! Nothing moved: attacks, trainings and evaluations give what they gave before the crate was
//! re-cut.
//!
//! The oracle is `fixtures/unmoved.json` (with `fixtures/unmoved_l2.bin.gz`), written before the
//! first change by
//!
//! ```text
//! FIREPROOF_WRITE_FIXTURES=1 cargo test --release --test unmoved
//! ```
//!
//! Images, losses, verdicts and weights are equal bit for bit. Images of L2 attacks may differ in
//! their last bits, verdicts on them not. Passes may have become fewer where [`FEWER`] says why.
//! The evaluations alone were written anew since, with the intervals and fooling rates of today.
//!
//! Bits depend on the processor's instructions and on Burn's arithmetic there. On a machine that
//! computes otherwise than the one that wrote the fixture, the comparison is loose, and says so.
//! Everything else of the environment (threads, numerics, device) does not matter.
#![cfg(all(feature = "flex", feature = "train"))]

use burn::module::{Module, ModuleDisplay, ModuleVisitor, Param};
use burn::tensor::activation::log_softmax;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData};
use fireproof::attack::{Attack, Fgsm, Frozen, Keep, Margin, Pgd, Targets};
use fireproof::base::{Batch, Bounds, Classifier, Degrees, Pixels, Seed};
use fireproof::curriculum::Curriculum;
use fireproof::data::{ImageSet, embedded_mnist};
use fireproof::evaluate::{Axis, Evaluation, Outcomes, RandomPose, Rate};
use fireproof::group::Group;
use fireproof::kernel::Numerics;
use fireproof::model::{CnnConfig, Head, SmallCnnConfig};
use fireproof::train::{Augmentation, Natural, PgdTraining, Progress, Training};
use fireproof::transform::Warp;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::{Debug, Display, Write as _};
use std::io::{Read, Write as _};
use std::path::PathBuf;
use std::time::Instant;

/// Cases in whose names the first word occurs may make fewer passes than before, and why.
const FEWER: &[(&str, &str)] = &[(
    "",
    "where the kept candidate was judged by an exact pass on exactly its image, that is its verdict",
)];

/// By how much a pixel of an L2 attack may differ.
const LAST_BITS: f32 = 2e-7;

/// Of the images of L2 attacks one pixel in so many is kept (of all images every bit is
/// digested): a stride that meets all columns and rows.
const STRIDE: usize = 13;

const IMAGES: usize = 16;

// --- what the crate is asked: all that depends on its public face -----------------------------

#[derive(Clone, Copy, PartialEq)]
enum Ball {
    Linf,
    L2,
}

fn pgd(ball: Ball, epsilon: f64) -> Pgd {
    match ball {
        Ball::Linf => Pgd::linf(epsilon),
        Ball::L2 => Pgd::l2(epsilon),
    }
}

fn fgsm(ball: Ball, epsilon: f64) -> Fgsm {
    match ball {
        Ball::Linf => Fgsm::linf(epsilon),
        Ball::L2 => Fgsm::l2(epsilon),
    }
}

fn restarts(attack: Pgd, count: usize) -> impl Attack + 'static {
    attack.restarts(count)
}

/// What the attack finds; the image kept of every one is the whole one.
fn attacked(attack: &dyn Attack, victim: &Frozen, batch: &Batch) -> (Attacked, Vec<f32>) {
    let found = attack.attack(victim, batch, Seed(5)).unwrap();
    let pixels = floats(&found.images);
    let images = pixels.chunks(pixels.len() / batch.len());
    let attacked = Attacked {
        images: words(images.map(|image| format!("{:016x}", digest(image)))),
        fooled: bits(found.fooled.iter().copied()),
        loss: words(found.loss.iter().map(|l| format!("{:08x}", l.to_bits()))),
        queries: words(&found.queries),
        gradients: words(&found.gradients),
        sample: None,
    };
    (attacked, pixels)
}

fn cusp(epochs: usize) -> Training {
    Training::new(
        Curriculum::cusp_mnist().scaled_to(epochs),
        PgdTraining::default(),
    )
    .with_augmentation(Augmentation::new(Warp::bilinear()))
    .with_batch_size(64)
    .with_seed(9)
}

fn natural() -> Training {
    let curriculum = Curriculum::new(3).with_learning_rate(0.04);
    Training::new(curriculum, Natural)
        .with_batch_size(32)
        .with_seed(4)
}

fn learn<M>(training: &Training, model: M, images: usize, device: &Device) -> (M, Learnt)
where
    M: Module + ModuleDisplay + Classifier + 'static,
{
    let data = embedded_mnist();
    let (train, valid) = (data.train.take(images), data.test.take(100));
    let training = training.clone().with_progress(Progress::Quiet);
    let trained = Numerics::Exact.run(|| training.fit(model, &train, &valid, device));
    let trained = trained.unwrap();
    let last = trained.history.last().unwrap();
    let learnt = Learnt {
        weights: weights(&trained.model),
        train_loss: last.train_loss,
        valid_loss: last.valid_loss,
        valid_accuracy: last.valid_accuracy,
    };
    (trained.model, learnt)
}

fn measured(evaluation: &Evaluation, victim: &Frozen, data: &ImageSet) -> Vec<Measured> {
    let profile = evaluation.run(victim, data, &Device::flex()).unwrap();
    let clean = Measured {
        level: "clean".to_owned(),
        accuracy: rate(&profile.clean),
        correct: outcomes(&profile.clean_correct),
        ..Measured::default()
    };
    let axes = [
        ("rotation", "angles"),
        ("shift", "shifts"),
        ("joint", "joint"),
        ("attack", "epsilons"),
    ];
    let levels = axes.into_iter().flat_map(|(family, axis)| {
        let points = &profile.curve(axis).unwrap().points;
        points.iter().map(move |point| Measured {
            level: format!("{family} {}", point.level),
            accuracy: rate(&point.accuracy),
            fooling: rate(&point.fooling),
            draws: point.draws,
            queries: point.queries,
            correct: outcomes(&point.correct),
            fooled: outcomes(&point.fooled),
        })
    });
    std::iter::once(clean).chain(levels).collect()
}

fn rate(rate: &Rate) -> [f64; 3] {
    [rate.value, rate.interval.low, rate.interval.high]
}

fn outcomes(outcomes: &Option<Outcomes>) -> String {
    bits(outcomes.iter().flat_map(|outcomes| outcomes.iter()))
}

// --- the cases --------------------------------------------------------------------------------

struct Case {
    name: String,
    attack: Box<dyn Attack>,
    ball: Ball,
    bounds: Bounds,
}

/// Attacks of radii at which some images fall and some do not, in L∞ and L2, and of others at which
/// some fall to a later restart of a weak attack only.
fn cases(radii: [f64; 2], weak: [f64; 2]) -> Vec<Case> {
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
            ("next", pgd(epsilon).with_targets(Targets::Next)),
            (
                "least likely",
                pgd(2.0 * epsilon).with_targets(Targets::LeastLikely),
            ),
            (
                "towards 3",
                pgd(epsilon).with_targets(3).with_keep(Keep::Last),
            ),
            ("margin", pgd(epsilon).with_loss(Margin)),
            ("margin, next, no random start", {
                let attack = pgd(epsilon).with_loss(Margin);
                attack.with_targets(Targets::Next).with_random_start(false)
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
        let attack = restarts(pgd(epsilon).with_targets(Targets::Next), 3);
        add("next, 3 restarts", Box::new(attack), inside);
        add("no bounds", Box::new(pgd(epsilon)), Bounds::none());
    }
    cases
}

fn evaluations() -> [(&'static str, Evaluation); 2] {
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

fn everything() -> Record {
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

// --- what is written down ---------------------------------------------------------------------

#[derive(Serialize, Deserialize)]
struct Record {
    arithmetic: Arithmetic,
    attacks: BTreeMap<String, Attacked>,
    trainings: BTreeMap<String, Learnt>,
    evaluations: BTreeMap<String, Vec<Measured>>,
    /// Pixels of the images of L2 attacks, in a file of their own.
    #[serde(skip)]
    sampled: Vec<f32>,
}

/// What bits depend on besides this crate.
#[derive(PartialEq, Debug, Serialize, Deserialize)]
struct Arithmetic {
    /// The instructions of this crate's kernels.
    instructions: String,
    /// A digest of what Burn and the mathematical library compute.
    probe: String,
}

/// One number per image, apart by spaces; yes and no as 1 and 0.
#[derive(Serialize, Deserialize)]
struct Attacked {
    images: String,
    fooled: String,
    loss: String,
    queries: String,
    gradients: String,
    /// Where its pixels begin among those sampled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sample: Option<usize>,
}

#[derive(PartialEq, Debug, Serialize, Deserialize)]
struct Learnt {
    /// Digests of all parameters and running statistics, in order of the digests: neither names
    /// nor the order of fields matter.
    weights: String,
    train_loss: f64,
    valid_loss: f64,
    valid_accuracy: f64,
}

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
struct Measured {
    level: String,
    /// Rate and interval.
    accuracy: [f64; 3],
    fooling: [f64; 3],
    draws: usize,
    queries: f64,
    correct: String,
    fooled: String,
}

impl Arithmetic {
    fn here(device: &Device) -> Self {
        let wave = |count: usize| (0..count).map(|i| (0.37 * i as f32).sin());
        let tensor =
            |count| Tensor::<1>::from_data(TensorData::new(wave(count).collect(), [count]), device);
        let images = tensor(4 * 10 * 196).reshape([4, 10, 14, 14]);
        let filters = tensor(20 * 10 * 9).reshape([20, 10, 3, 3]);
        let options = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
        let features = conv2d(images, filters, None, options).reshape([4, 2880]);
        let logits = features.matmul(tensor(2880 * 50).reshape([2880, 50]));
        let mut numbers = floats(&log_softmax(logits.clone() / 50.0, 1));
        numbers.extend(floats(&logits.square().sum_dim(1).sqrt()));
        numbers.extend((1..500).map(|i| {
            let x = 0.731 * f64::from(i);
            (x.ln() + x.cos() + (-x).exp() + x.powf(1.0 / 784.0)) as f32
        }));
        Self {
            instructions: instructions().to_owned(),
            probe: format!("{:016x}", digest(&numbers)),
        }
    }
}

fn instructions() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            let wide = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl");
            return if wide { "avx512" } else { "avx2" };
        }
    }
    "portable"
}

fn weights(model: &impl Module) -> String {
    struct All(Vec<String>);
    impl ModuleVisitor for All {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0
                .push(format!("{:016x}", digest(&floats(&param.val()))));
        }
    }
    let mut all = All(Vec::new());
    model.visit(&mut all);
    all.0.sort();
    words(all.0)
}

fn floats<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().iter::<f32>().collect()
}

/// FNV-1a, 64 bits.
fn digest(values: &[f32]) -> u64 {
    let bytes = values
        .iter()
        .flat_map(|value| value.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |digest, byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

fn words(values: impl IntoIterator<Item = impl ToString>) -> String {
    let words: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    words.join(" ")
}

fn bits(flags: impl IntoIterator<Item = bool>) -> String {
    let digits = flags.into_iter().map(|flag| if flag { '1' } else { '0' });
    digits.collect()
}

fn fixture(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "fixtures", name]
        .iter()
        .collect()
}

impl Record {
    fn read() -> Self {
        let text = std::fs::read_to_string(fixture("unmoved.json")).unwrap();
        let mut record: Self = serde_json::from_str(&text).unwrap();
        let mut bytes = Vec::new();
        let packed = std::fs::File::open(fixture("unmoved_l2.bin.gz")).unwrap();
        GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
        let (values, rest) = bytes.as_chunks();
        assert!(rest.is_empty());
        record.sampled = values
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect();
        record
    }

    /// JSON with one case a line.
    fn write(&self) {
        fn json(value: &impl Serialize) -> String {
            serde_json::to_string(value).unwrap()
        }
        fn section(text: &mut String, name: &str, cases: &BTreeMap<String, impl Serialize>) {
            let cases = cases
                .iter()
                .map(|(name, case)| format!("{}: {}", json(name), json(case)));
            let cases = cases.collect::<Vec<_>>().join(",\n");
            write!(text, ",\n\"{name}\": {{\n{cases}\n}}").unwrap();
        }
        let mut text = format!("{{\"arithmetic\": {}", json(&self.arithmetic));
        section(&mut text, "attacks", &self.attacks);
        section(&mut text, "trainings", &self.trainings);
        section(&mut text, "evaluations", &self.evaluations);
        text.push_str("}\n");
        std::fs::write(fixture("unmoved.json"), text).unwrap();

        let bytes = self.sampled.iter().flat_map(|value| value.to_le_bytes());
        let packed = std::fs::File::create(fixture("unmoved_l2.bin.gz")).unwrap();
        let mut packer = GzEncoder::new(packed, Compression::best());
        packer.write_all(&bytes.collect::<Vec<_>>()).unwrap();
        packer.finish().unwrap();
    }

    fn sample(&self, attacked: &Attacked) -> Option<&[f32]> {
        let count = (IMAGES * 784).div_ceil(STRIDE);
        attacked
            .sample
            .map(|from| &self.sampled[from..from + count])
    }
}

// --- the comparison ---------------------------------------------------------------------------

/// What differs, and what may differ but should be seen.
#[derive(Default)]
struct Differences {
    wrong: Vec<String>,
    seen: Vec<String>,
}

impl Differences {
    fn check(&mut self, right: bool, case: &str, what: impl Display) {
        if !right {
            self.wrong.push(format!("{case}: {what}"));
        }
    }

    fn same<T: PartialEq + Debug>(&mut self, case: &str, what: &str, before: T, now: T) {
        let right = before == now;
        self.check(
            right,
            case,
            format_args!("{what} {before:?} is now {now:?}"),
        );
    }

    /// Passes, which may be fewer if that is explained.
    fn passes(&mut self, case: &str, what: &str, before: &[f64], now: &[f64]) {
        if before == now {
            return;
        }
        let text = format!("{what} {} are now {}", words(before), words(now));
        let not_more = before.len() == now.len() && before.iter().zip(now).all(|(b, n)| n <= b);
        match FEWER.iter().find(|(word, _)| case.contains(word)) {
            Some((_, reason)) if not_more => self.seen.push(format!("{case}: {text}: {reason}")),
            _ => self.check(false, case, text),
        }
    }

    fn attack(&mut self, case: &str, [old, new]: [&Record; 2]) {
        let (before, now) = (&old.attacks[case], &new.attacks[case]);
        self.same(case, "fooled", &before.fooled, &now.fooled);
        self.passes(
            case,
            "queries",
            &numbers(&before.queries),
            &numbers(&now.queries),
        );
        self.passes(
            case,
            "gradients",
            &numbers(&before.gradients),
            &numbers(&now.gradients),
        );
        let moved = differing(&before.images, &now.images);
        let losses = differing(&before.loss, &now.loss);
        let (Some(was), Some(is)) = (old.sample(before), new.sample(now)) else {
            self.same(case, "images that differ", 0, moved);
            self.same(case, "losses that differ", 0, losses);
            return;
        };
        let most = farthest(was, is);
        self.check(
            most <= LAST_BITS,
            case,
            format_args!("pixels differ by {most:e}"),
        );
        if moved == 0 {
            self.same(case, "losses that differ", 0, losses);
            return;
        }
        let text = format!("{moved} images differ in last bits, by {most:e} at most");
        self.seen.push(format!("{case}: {text}"));
        for (a, b) in losses_of(before).into_iter().zip(losses_of(now)) {
            let close = (a - b).abs() <= 1e-5 * a.abs().max(1.0);
            self.check(close, case, format_args!("a loss of {a} is now {b}"));
        }
    }

    fn training(&mut self, case: &str, before: &Learnt, now: &Learnt) {
        let all = before.weights.split(' ').count();
        let moved = differing(&before.weights, &now.weights);
        let text = format_args!("{moved} of {all} parameters differ");
        self.check(moved == 0, case, text);
        let history = |l: &Learnt| [l.train_loss, l.valid_loss, l.valid_accuracy];
        self.same(case, "history", history(before), history(now));
    }

    fn evaluation(&mut self, name: &str, before: &Measured, now: &Measured) {
        let case = format!("{name}, {}", before.level);
        self.passes(&case, "queries", &[before.queries], &[now.queries]);
        let now = Measured {
            queries: before.queries,
            ..now.clone()
        };
        self.same(&case, "measured", before, &now);
    }

    fn bit_for_bit(&mut self, records: [&Record; 2]) {
        let [old, new] = records;
        for case in old.attacks.keys() {
            self.attack(case, records);
        }
        for (case, before) in &old.trainings {
            self.training(case, before, &new.trainings[case]);
        }
        for (name, before) in &old.evaluations {
            let now = &new.evaluations[name];
            self.same(name, "levels", before.len(), now.len());
            for (before, now) in before.iter().zip(now) {
                self.evaluation(name, before, now);
            }
        }
    }

    /// For a processor of other arithmetic. Training magnifies what is rounded otherwise, so that
    /// the victims differ, and with them all images but the random starts.
    fn loosely(&mut self, records: [&Record; 2]) {
        let [old, new] = records;
        let ones = |bits: &str| bits.matches('1').count().cast_signed();
        for (case, before) in &old.attacks {
            let now = &new.attacks[case];
            let more = ones(&now.fooled) - ones(&before.fooled);
            self.check(more.abs() <= 5, case, format_args!("{more} more fooled"));
            if !case.contains("restarts") {
                self.same(case, "queries", &before.queries, &now.queries);
                self.same(case, "gradients", &before.gradients, &now.gradients);
            }
            if let (true, Some(was), Some(is)) =
                (case.contains("alone"), old.sample(before), new.sample(now))
            {
                let most = farthest(was, is);
                self.check(most < 1e-5, case, format_args!("pixels differ by {most:e}"));
            }
        }
        for (case, before) in &old.trainings {
            let losses = |l: &Learnt| [l.train_loss, l.valid_loss];
            for (a, b) in losses(before).into_iter().zip(losses(&new.trainings[case])) {
                let close = (a / b).ln().abs() < 0.5;
                self.check(close, case, format_args!("a loss of {a} is now {b}"));
            }
        }
        for (name, before) in &old.evaluations {
            for (before, now) in before.iter().zip(&new.evaluations[name]) {
                self.same(name, "level", &before.level, &now.level);
                let (a, b) = (before.accuracy[0], now.accuracy[0]);
                let text = format_args!("{}: {a} right are now {b}", before.level);
                self.check((a - b).abs() < 0.2, name, text);
            }
        }
    }
}

fn farthest(before: &[f32], now: &[f32]) -> f32 {
    let pairs = before.iter().zip(now);
    pairs.fold(0.0, |most, (a, b)| most.max((a - b).abs()))
}

fn numbers(words: &str) -> Vec<f64> {
    words.split(' ').map(|word| word.parse().unwrap()).collect()
}

fn losses_of(attacked: &Attacked) -> Vec<f32> {
    let words = attacked.loss.split(' ');
    let bits = words.map(|word| u32::from_str_radix(word, 16).unwrap());
    bits.map(f32::from_bits).collect()
}

fn differing(before: &str, now: &str) -> usize {
    assert_eq!(before.len(), now.len());
    let pairs = before.split(' ').zip(now.split(' '));
    pairs.filter(|(a, b)| a != b).count()
}

/// How many images each kind of case fools, and that there is something to see.
fn summarise(record: &Record) {
    for (case, attacked) in &record.attacks {
        let fooled = attacked.fooled.matches('1').count();
        let passes: f64 = numbers(&attacked.queries).iter().sum();
        println!("{case}: {fooled} of {IMAGES} fooled, {passes} passes");
    }
    for (case, learnt) in &record.trainings {
        let accuracy = 100.0 * learnt.valid_accuracy;
        println!(
            "{case}: {accuracy:.0} % right, loss {:.3}",
            learnt.valid_loss
        );
    }
    for (name, levels) in &record.evaluations {
        for level in levels {
            println!("{name}, {}: {:.2} right", level.level, level.accuracy[0]);
        }
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes without optimisation")]
fn value_nothing_moved() {
    let now = everything();
    summarise(&now);
    if std::env::var("FIREPROOF_WRITE_FIXTURES").is_ok_and(|value| value == "1") {
        now.write();
        println!("written");
        return;
    }
    let before = Record::read();
    let mut differences = Differences::default();
    let names = |record: &Record| -> Vec<String> {
        let (attacks, trainings) = (record.attacks.keys(), record.trainings.keys());
        let names = attacks.chain(trainings).chain(record.evaluations.keys());
        names.cloned().collect()
    };
    assert_eq!(
        names(&before),
        names(&now),
        "the fixture has the cases of this test"
    );
    if before.arithmetic == now.arithmetic {
        differences.bit_for_bit([&before, &now]);
    } else {
        let (there, here) = (&before.arithmetic, &now.arithmetic);
        println!("other arithmetic, compared loosely: {there:?}, here {here:?}");
        differences.loosely([&before, &now]);
    }
    for seen in &differences.seen {
        println!("{seen}");
    }
    let wrong = differences.wrong;
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
