//! Attacks against independent oracles: analytic optima, torchattacks, and the properties that
//! every honest attack has.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Int, Tensor, TensorData};
use fireproof::attack::{
    Attack, AttackSpec, CrossEntropy, Fgsm, Found, Frozen, Keep, L2, Linf, Loss, LossSpec, Margin,
    Norm, Pgd, Reference, Targets, verify,
};
use fireproof::base::{Batch, Bounds, Classifier, Error, Purpose, Seed};
use flate2::read::GzDecoder;
use std::io::Read;

const PIXELS: usize = 64;

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), &fireproof::device())
}

fn l2(values: impl IntoIterator<Item = f64>) -> f64 {
    L2.length(&Vec::from_iter(values))
}

fn labels(values: &[i64]) -> Tensor<1, Int> {
    Tensor::from_data(values, &fireproof::device())
}

fn vec<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().iter::<f32>().collect()
}

fn perturbations(found: &Found, batch: &Batch) -> Vec<Vec<f64>> {
    let (attacked, original) = (vec(&found.images), vec(&batch.images));
    let pixels = attacked.len() / batch.len();
    attacked
        .iter()
        .zip(&original)
        .map(|(a, b)| f64::from(*a) - f64::from(*b))
        .collect::<Vec<_>>()
        .chunks(pixels)
        .map(<[f64]>::to_vec)
        .collect()
}

// --- a linear model, whose optimum is known ---------------------------------------------------

// w, different in sign and size from pixel to pixel, never 0.
fn weights() -> Vec<f64> {
    (0..PIXELS)
        .map(|i| (1.7 * i as f64).sin() * 0.1 + if i % 2 == 0 { 0.02 } else { -0.02 })
        .collect()
}

// Logits (0, w·x): for label 0 the loss rises along w.
fn linear() -> Frozen {
    let weights: Vec<f32> = weights().iter().map(|w| *w as f32).collect();
    let weights = tensor(weights, [PIXELS, 1]);
    Frozen::from_fn(move |x: Tensor<4>| {
        let score = x.flatten::<2>(1, 3).matmul(weights.clone());
        Tensor::cat(vec![score.clone() * 0.0, score], 1)
    })
}

fn linear_batch() -> Batch {
    let pixels = (0..2 * PIXELS)
        .map(|i| (i * 37 % 101) as f32 / 100.0)
        .collect();
    Batch::new(tensor(pixels, [2, 1, 8, 8]), labels(&[0, 0]))
}

#[test]
fn value_linf_reaches_the_linear_optimum() {
    // Oracle: x + ε·sign(w), without bounds and clipped to them.
    let epsilon = 0.1;
    for bounds in [Bounds::none(), Bounds::default()] {
        let batch = linear_batch().with_bounds(bounds);
        let found = Pgd::linf(epsilon)
            .attack(&linear(), &batch, Seed(3))
            .unwrap();
        for (image, original) in vec(&found.images)
            .chunks(PIXELS)
            .zip(vec(&batch.images).chunks(PIXELS))
        {
            for ((attacked, original), w) in image.iter().zip(original).zip(weights()) {
                let optimum = (f64::from(*original) + epsilon * w.signum())
                    .clamp(bounds.low().into(), bounds.high().into());
                assert!((f64::from(*attacked) - optimum).abs() < 1e-7);
            }
        }
    }
}

#[test]
fn value_l2_reaches_the_linear_optimum() {
    // Oracle: x + ε·w/‖w‖, without bounds.
    // What remains is the rounding of pixels to f32, 3e-8 each.
    let epsilon = 2.0;
    let batch = linear_batch().with_bounds(Bounds::none());
    let length = l2(weights());
    // From a random start the error shrinks by 1/(1 + step/ε) a step, here 1/11.
    let random = Pgd::l2(epsilon).with_step_size(10.0 * epsilon);
    let straight = Pgd::l2(epsilon).with_random_start(false);
    for attack in [random, straight] {
        let found = attack.attack(&linear(), &batch, Seed(3)).unwrap();
        for perturbation in perturbations(&found, &batch) {
            let wanted = weights().into_iter().map(|w| epsilon * w / length);
            let error = l2(perturbation.iter().zip(wanted).map(|(a, b)| a - b));
            println!("{attack}: relative error {:e}", error / epsilon);
            assert!(error / epsilon <= 1e-6);
        }
    }
}

#[test]
fn value_l2_reaches_the_clipped_linear_optimum() {
    // Oracle: clip(x + s·w) with s such that the perturbation has length ε, by bisection in f64.
    let epsilon = 1.0;
    let batch = linear_batch();
    let attack = Pgd::l2(epsilon).with_steps(300).with_step_size(1.0);
    let found = attack.attack(&linear(), &batch, Seed(3)).unwrap();
    let originals = vec(&batch.images);
    for (original, perturbation) in originals.chunks(PIXELS).zip(perturbations(&found, &batch)) {
        let at = |s: f64| -> Vec<f64> {
            let moved = original.iter().zip(weights());
            moved
                .map(|(x, w)| (f64::from(*x) + s * w).clamp(0.0, 1.0) - f64::from(*x))
                .collect()
        };
        let (mut low, mut high) = (0.0, 1000.0);
        for _ in 0..200 {
            let middle = (low + high) / 2.0;
            if l2(at(middle)) < epsilon {
                low = middle;
            } else {
                high = middle;
            }
        }
        let error = l2(perturbation.iter().zip(at(low)).map(|(a, b)| a - b));
        println!("relative error {:e}", error / epsilon);
        assert!(error / epsilon <= 1e-5);
        let optimum = at(low);
        let clipped = optimum.iter().zip(original).filter(|(d, x)| {
            let moved = f64::from(**x) + **d;
            moved == 0.0 || moved == 1.0
        });
        assert!(clipped.count() > 3, "the bounds must matter");
    }
}

#[test]
fn value_targets_pull_and_labels_push() {
    // Oracle: towards class 1 of (0, w·x) is along w, away from label 1 against it.
    let batch = linear_batch().with_bounds(Bounds::none());
    let mut against = batch.clone();
    against.labels = labels(&[1, 1]);
    let push = Pgd::linf(0.1).with_random_start(false);
    let pull = push.clone().with_targets(1);
    for (attack, batch, sign) in [(&pull, &batch, 1.0), (&push, &against, -1.0)] {
        for loss in [LossSpec::from(CrossEntropy), Margin.into()] {
            let attack = attack.clone().with_loss(loss).with_keep(Keep::Last);
            let found = attack.attack(&linear(), batch, Seed(3)).unwrap();
            for perturbation in perturbations(&found, batch) {
                for (delta, w) in perturbation.iter().zip(weights()) {
                    assert!((delta - sign * 0.1 * w.signum()).abs() < 1e-7);
                }
            }
        }
    }
}

// --- a small network with weights by formula ---------------------------------------------------

#[derive(Module, Debug)]
struct Net {
    conv1: Conv2d,
    conv2: Conv2d,
    fc: Linear,
}

impl Classifier for Net {
    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        let x = relu(self.conv1.forward(images));
        let x = relu(self.conv2.forward(x));
        self.fc.forward(x.flatten::<2>(1, 3))
    }
}

impl Net {
    // The network of make_torchattacks.py; `weights` hands out its tensors in that order.
    fn new(mut weights: impl FnMut(usize) -> Vec<f32>) -> Self {
        let device = fireproof::device();
        let mut conv = |config: Conv2dConfig, shape: [usize; 4]| {
            let mut layer = config.with_stride([2, 2]).init(&device);
            layer.weight = Param::from_tensor(tensor(weights(shape.iter().product()), shape));
            layer.bias = Some(Param::from_tensor(tensor(weights(shape[0]), [shape[0]])));
            layer
        };
        let conv1 = conv(Conv2dConfig::new([1, 16], [5, 5]), [16, 1, 5, 5]);
        let conv2 = conv(Conv2dConfig::new([16, 32], [5, 5]), [32, 16, 5, 5]);
        let mut fc = LinearConfig::new(512, 10).init(&device);
        // PyTorch stores [out, in].
        fc.weight = Param::from_tensor(tensor(weights(5120), [10, 512]).transpose());
        fc.bias = Some(Param::from_tensor(tensor(weights(10), [10])));
        Self { conv1, conv2, fc }
    }

    fn random(seed: u64) -> Self {
        let mut index = 0;
        Self::new(|count| {
            index += 1;
            let mut draws = Seed(seed).draws(Purpose::Weights, index, 0);
            // Spread as a trained network's, so that attacks neither always fail nor succeed.
            let spread = if count > 1000 { 0.08 } else { 0.4 };
            (0..count)
                .map(|_| (draws.normal() * spread) as f32)
                .collect()
        })
    }
}

// Smooth random images whose labels are the network's predictions, but for every tenth.
fn random_batch(victim: &Frozen, count: usize) -> Batch {
    let pixels = (0..count * 784).map(|i| {
        let (image, at) = (i / 784, i % 784);
        let (y, x) = ((at / 28) as f32, (at % 28) as f32);
        let phase = image as f32 * 1.7;
        0.5 + 0.5 * (0.31 * x * (1.0 + phase.sin()) + phase).sin() * (0.23 * y + 2.0 * phase).cos()
    });
    let images = tensor(pixels.collect(), [count, 1, 28, 28]);
    let mut classes = victim.predict(images.clone());
    classes
        .iter_mut()
        .step_by(10)
        .for_each(|class| *class = (*class + 1) % 10);
    let ids = (0..count as u64)
        .map(|position| 1000 + 7 * position)
        .collect();
    Batch::new(images, labels(&classes)).with_ids(ids)
}

fn network() -> (Frozen, Batch) {
    let victim = Frozen::new(&Net::random(1));
    let batch = random_batch(&victim, 40);
    (victim, batch)
}

fn attack(attack: &dyn Attack, seed: u64) -> Found {
    let (victim, batch) = network();
    attack.attack(&victim, &batch, Seed(seed)).unwrap()
}

#[test]
fn value_one_full_step_is_fgsm_bit_for_bit() {
    for keep in [Keep::Best, Keep::Last] {
        let pgd = |start: Pgd| start.with_steps(1).with_random_start(false).with_keep(keep);
        let pairs = [
            (pgd(Pgd::linf(0.03)).with_step_size(0.03), Fgsm::linf(0.03)),
            (pgd(Pgd::l2(0.5)).with_step_size(0.5), Fgsm::l2(0.5)),
        ];
        for (pgd, fgsm) in pairs {
            let (one, other) = (attack(&pgd, 1), attack(&fgsm.with_keep(keep), 2));
            assert_eq!(vec(&one.images), vec(&other.images));
            assert_eq!(one.fooled, other.fooled);
            assert_eq!(one.loss, other.loss);
            assert!(one.fooled_count() > 4);
        }
    }
}

#[test]
fn value_epsilon_zero_is_clean_accuracy() {
    let (victim, batch) = network();
    let wrong: Vec<bool> = victim
        .predict(batch.images.clone())
        .iter()
        .zip(batch.labels_to_vec())
        .map(|(predicted, label)| *predicted != label)
        .collect();
    for pgd in [
        Pgd::linf(0.0),
        Pgd::l2(0.0),
        Pgd::linf(0.0).with_keep(Keep::Last),
    ] {
        let found = attack(&pgd.restarts(2), 1);
        assert_eq!(vec(&found.images), vec(&batch.images));
        assert_eq!(found.fooled, wrong);
        assert_eq!(found.fooled_count(), 4);
        assert_eq!(found.robust_accuracy(), 0.9);
    }
}

// Every image that fools after less effort must also fool after more.
fn assert_never_recovers(efforts: &[impl Attack], seed: u64) {
    let mut before: Option<Found> = None;
    for pgd in efforts {
        let found = attack(pgd, seed);
        if let Some(before) = &before {
            for (image, (was, is)) in before.fooled.iter().zip(&found.fooled).enumerate() {
                assert!(is >= was, "{pgd}, seed {seed}: image {image} recovered");
            }
        }
        before = Some(found);
    }
}

#[test]
fn value_more_steps_or_restarts_never_help_the_classifier() {
    let mut accuracies = Vec::new();
    for seed in 0..4 {
        for start in [Pgd::linf(0.07), Pgd::l2(1.2)] {
            let step = start.clone().with_step_size(start.epsilon / 2.0);
            for random in [true, false] {
                let steps = step.clone().with_random_start(random);
                let efforts = [0, 1, 2, 4, 8].map(|steps_| steps.clone().with_steps(steps_));
                assert_never_recovers(&efforts, seed);
            }
            let two = step.with_steps(2);
            let efforts = [1, 2, 4].map(|restarts| two.clone().restarts(restarts));
            assert_never_recovers(&efforts, seed);
            let range = [&efforts[0], &efforts[2]].map(|pgd| attack(pgd, seed).robust_accuracy());
            accuracies.push(range);
        }
    }
    println!("robust accuracy, 1 and 4 restarts: {accuracies:?}");
    // Neither hopeless nor effortless, or nothing could have been seen.
    assert!(accuracies.iter().flatten().all(|a| (0.05..0.9).contains(a)));
    assert!(accuracies.iter().any(|[one, four]| four < one));
}

#[test]
fn value_the_best_iterate_is_at_least_as_good_as_the_last() {
    for pgd in [Pgd::linf(0.02), Pgd::l2(0.2)] {
        // Long steps overshoot.
        let pgd = pgd.with_relative_step_size(40.0);
        let best = attack(&pgd, 4);
        let last = attack(&pgd.clone().with_keep(Keep::Last), 4);
        let mut better = 0;
        for image in 0..best.len() {
            assert!(best.fooled[image] >= last.fooled[image]);
            if best.fooled[image] == last.fooled[image] {
                assert!(best.loss[image] >= last.loss[image] - 1e-5);
            }
            better += usize::from(best.loss[image] > last.loss[image] + 1e-3);
        }
        println!("{pgd}: {better} images better");
        assert!(better > 3);
    }
}

#[test]
fn value_draws_do_not_depend_on_the_batch() {
    let victim = Frozen::new(&Net::random(1));
    let batch = random_batch(&victim, 100);
    for pgd in [Pgd::linf(0.07), Pgd::l2(1.2)] {
        let start = pgd.clone().with_steps(0).with_keep(Keep::Last);
        let together = start.attack(&victim, &batch, Seed(5)).unwrap();
        let together_attacked = pgd.attack(&victim, &batch, Seed(5)).unwrap();
        let (mut largest, mut differing): (f32, usize) = (0.0, 0);
        for position in 0..100 {
            let single = batch.select(&[position]);
            let alone = start.attack(&victim, &single, Seed(5)).unwrap();
            let row = |found: &Found| vec(&found.images.clone().narrow(0, position, 1));
            assert_eq!(vec(&alone.images), row(&together), "image {position}");

            let alone = pgd.attack(&victim, &single, Seed(5)).unwrap();
            assert_eq!(alone.fooled[0], together_attacked.fooled[position]);
            for (a, b) in vec(&alone.images).iter().zip(row(&together_attacked)) {
                largest = largest.max((a - b).abs());
                differing += usize::from(*a != b);
            }
        }
        println!(
            "{pgd}: alone and among 100, {differing} of 78400 pixels differ, by {largest:e} at most"
        );
        let other = start.attack(&victim, &batch, Seed(6)).unwrap();
        assert_ne!(vec(&other.images), vec(&together.images));
    }
}

#[test]
fn value_gradients_do_not_depend_on_batch_mates() {
    // Oracle: the same image alone. A batch mean would divide by 40.
    let (victim, batch) = network();
    let gradient = |batch: &Batch| {
        let labels = batch.labels.clone();
        let pass = victim.loss_gradient(batch.images.clone(), |logits| {
            CrossEntropy.per_image(logits, &Reference::new(labels))
        });
        pass.unwrap().gradient
    };
    let together = gradient(&batch);
    for position in [0, 17, 39] {
        let alone = vec(&gradient(&batch.select(&[position])));
        let row = vec(&together.clone().narrow(0, position, 1));
        let scale = alone.iter().fold(0.0, |m: f32, v| m.max(v.abs()));
        for (alone, row) in alone.iter().zip(row) {
            assert!((alone - row).abs() <= 1e-5 * scale);
        }
    }
}

#[test]
fn value_l2_starts_are_uniform_in_the_true_ball() {
    // Oracle: the radius of a uniform point of the d-ball is below r·ε with probability r^d, so
    // (radius/ε)^d is uniform; its mean over n images is 1/2 within 4/√(12 n).
    let (images, pixels) = (400, 4);
    let device = fireproof::device();
    let batch = Batch::new(
        Tensor::full([images, 1, 2, 2], 0.5, &device),
        labels(&vec![0; images]),
    )
    .with_bounds(Bounds::none());
    let victim = Frozen::from_fn(|x: Tensor<4>| x.flatten::<2>(1, 3));
    let start = Pgd::l2(0.3).with_steps(0).with_keep(Keep::Last);
    let found = start.attack(&victim, &batch, Seed(1)).unwrap();
    let levels: Vec<f64> = perturbations(&found, &batch)
        .iter()
        .map(|delta| (l2(delta.iter().copied()) / 0.3).powi(pixels))
        .collect();
    let mean = levels.iter().sum::<f64>() / images as f64;
    assert!(
        (mean - 0.5).abs() < 4.0 / (12.0 * images as f64).sqrt(),
        "{mean}"
    );
    let below = levels.iter().filter(|level| **level < 0.25).count() as f64 / images as f64;
    assert!((below - 0.25).abs() < 0.09, "{below}");
}

#[test]
fn value_every_result_is_in_its_ball_and_bounds() {
    // `verify` computes in f64; white and black images meet the bounds on every pixel, and grey
    // ones round every pixel alike.
    let victim = Frozen::new(&Net::random(1));
    let device = fireproof::device();
    let flat = [0.0, 1.0, 0.5, 0.3].map(|v| Tensor::<4>::full([1, 1, 28, 28], v, &device));
    let flat = Tensor::cat(flat.to_vec(), 0);
    let batch = random_batch(&victim, 20);
    let images = Tensor::cat(vec![batch.images, flat], 0);
    let batch = Batch::new(images, labels(&[3; 24]));
    for epsilon in [1e-7, 0.001, 0.1, 1.0 / 3.0, 2.0] {
        for pgd in [
            Pgd::linf(epsilon),
            Pgd::l2(epsilon),
            Pgd::l2(10.0 * epsilon),
        ] {
            for keep in [Keep::Best, Keep::Last] {
                let pgd = pgd.clone().with_steps(3).with_keep(keep);
                let found = pgd.attack(&victim, &batch, Seed(8)).unwrap();
                verify(&found, &batch, pgd.norm.clone(), pgd.epsilon).unwrap();
            }
        }
    }
    // Unbounded and far from 0.
    let far = batch
        .clone()
        .with_images(batch.images.clone() * 300.0 - 20.0);
    for pgd in [Pgd::linf(0.1), Pgd::l2(0.1)] {
        let found = pgd.attack(&victim, &far.clone().with_bounds(Bounds::none()), Seed(8));
        verify(
            &found.unwrap(),
            &far.clone().with_bounds(Bounds::none()),
            pgd.norm.clone(),
            0.1,
        )
        .unwrap();
    }
}

#[test]
fn value_perturb_is_the_attack_without_its_verdict() {
    let (victim, batch) = network();
    for keep in [Keep::Best, Keep::Last] {
        let pgd = Pgd::l2(1.2).with_keep(keep).restarts(2);
        let images = pgd.perturb(&victim, &batch, Seed(9)).unwrap();
        let found = pgd.attack(&victim, &batch, Seed(9)).unwrap();
        assert_eq!(vec(&images), vec(&found.images));
        assert_eq!(
            vec(&found.perturbation()),
            vec(&(images - batch.images.clone()))
        );
    }
}

#[test]
fn value_restarts_attack_only_standing_images() {
    let pgd = Pgd::linf(0.07).with_steps(2).restarts(3);
    let found = attack(&pgd, 1);
    // Clean pass, then 2 steps and the last iterate per restart; then the verdict, unless what is
    // kept is a last iterate (or the clean image), whose own pass was exact already.
    let mut verdicts = Vec::new();
    for (image, fooled) in found.fooled.iter().enumerate() {
        let restarts = (found.gradients[image]) / 2;
        verdicts.push(found.queries[image] - 1 - 3 * restarts);
        assert!(*fooled || restarts == 3);
    }
    assert!(verdicts.iter().all(|&passes| passes <= 1) && verdicts.contains(&0));
    assert!(found.gradients.contains(&2) && found.gradients.contains(&6));
    let textbook = attack(&Pgd::linf(0.07).with_keep(Keep::Last), 1);
    assert_eq!(textbook.queries, [11; 40]);
    assert_eq!(textbook.gradients, [10; 40]);
}

#[test]
fn value_predicted_labels_measure_disagreement() {
    // Oracle: with the predictions as labels, both sources are the same attack.
    let (victim, mut batch) = network();
    let pgd = Pgd::linf(0.07).with_steps(3);
    let by_prediction = pgd.clone().with_predicted_labels(true);
    let found = by_prediction.attack(&victim, &batch, Seed(2)).unwrap();
    batch.labels = labels(&victim.predict(batch.images.clone()));
    let relabelled = pgd.attack(&victim, &batch, Seed(2)).unwrap();
    assert_eq!(vec(&found.images), vec(&relabelled.images));
    assert_eq!(found.fooled, relabelled.fooled);
}

#[test]
fn value_targets_are_chosen_as_documented() {
    let (victim, batch) = network();
    let clean = vec(&victim.logits(batch.images.clone()));
    let truth = batch.labels_to_vec();
    let given: Vec<usize> = truth
        .iter()
        .map(|label| (*label as usize + 3) % 10)
        .collect();
    let least = |image: usize| {
        let row = &clean[10 * image..10 * (image + 1)];
        let others = (0..10).filter(|class| *class != truth[image]);
        others
            .min_by(|a, b| row[*a as usize].total_cmp(&row[*b as usize]))
            .unwrap()
    };
    let cases: [(Targets, &dyn Fn(usize) -> i64); 4] = [
        (Targets::Next, &|image| (truth[image] + 1) % 10),
        (Targets::Fixed(4), &|_| 4),
        (given.clone().into(), &|image| given[image] as i64),
        (Targets::LeastLikely, &least),
    ];
    for (targets, expected) in cases {
        let pgd = Pgd::l2(3.0).with_steps(20).with_targets(targets);
        let found = pgd.attack(&victim, &batch, Seed(2)).unwrap();
        let reached = victim.predict(found.images.clone());
        for image in 0..batch.len() {
            let (target, label) = (expected(image), truth[image]);
            assert_eq!(
                found.fooled[image],
                reached[image] == target && target != label
            );
        }
        assert!(found.fooled_count() > 5, "{pgd}: {}", found.fooled_count());
    }
}

#[test]
fn value_l2_steps_where_squared_gradients_vanish() {
    // Oracle: the optimum ε·w/‖w‖ does not change with the scale of the logits; their gradients
    // here are around 1e-31, whose squares are 0 in f32.
    let scaled: Vec<f32> = weights().iter().map(|w| *w as f32 * 1e-30).collect();
    let scaled = tensor(scaled, [PIXELS, 1]);
    let faint = Frozen::from_fn(move |x: Tensor<4>| {
        let score = x.flatten::<2>(1, 3).matmul(scaled.clone());
        Tensor::cat(vec![score.clone() * 0.0, score], 1)
    });
    let batch = linear_batch().with_bounds(Bounds::none());
    let found = Pgd::l2(0.5)
        .with_random_start(false)
        .with_keep(Keep::Last)
        .attack(&faint, &batch, Seed(1))
        .unwrap();
    let length = l2(weights());
    for perturbation in perturbations(&found, &batch) {
        let wanted = weights().into_iter().map(|w| 0.5 * w / length);
        let error = l2(perturbation.iter().zip(wanted).map(|(a, b)| a - b));
        assert!(error < 1e-5, "{error}");
    }
}

#[test]
fn smoke_specs_name_build_and_print_attacks() {
    let specs: Vec<AttackSpec> = vec![
        Pgd::linf(8.0 / 255.0).with_targets(Targets::Next).into(),
        Pgd::l2(0.5)
            .with_step_size(0.1)
            .with_keep(Keep::Last)
            .into(),
        Fgsm::linf(0.3).with_loss(Margin).into(),
    ];
    for spec in &specs {
        let json = spec.settings();
        let again: AttackSpec = serde_json::from_value(json).unwrap();
        assert_eq!(&again, spec);
    }
    assert_eq!(
        specs.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "PGD-10 L∞ ε=8/255 step=2/255, towards next class",
            "PGD-10 L2 ε=0.5 step=0.1, last iterate",
            "FGSM L∞ ε=0.3, margin loss",
        ]
    );
    let pgd = Pgd::linf(0.1);
    assert_eq!(pgd.settings(), AttackSpec::from(pgd.clone()).settings());
    assert_eq!(pgd.settings()["attack"], "pgd");
    let unknown = r#"{"attack": "pgd", "norm": "linf", "epsilon": 0.1, "step": 3}"#;
    assert!(serde_json::from_str::<AttackSpec>(unknown).is_err());
}

// --- errors -------------------------------------------------------------------------------------

fn message(attack: &dyn Attack, batch: &Batch) -> String {
    let victim = linear();
    let error = attack.attack(&victim, batch, Seed(0)).unwrap_err();
    assert!(
        matches!(error, Error::Input { .. } | Error::Setting { .. }),
        "{error:?}"
    );
    error.to_string()
}

#[test]
fn error_settings_out_of_range() {
    let batch = linear_batch();
    let cases: Vec<(Box<dyn Attack>, &str)> = vec![
        (Box::new(Pgd::linf(-0.1)), "epsilon = -0.1"),
        (Box::new(Pgd::l2(f64::NAN)), "epsilon = NaN"),
        (Box::new(Pgd::linf(f64::INFINITY)), "epsilon = inf"),
        (Box::new(Fgsm::linf(-1.0)), "epsilon = -1"),
        (
            Box::new(Pgd::linf(0.1).with_step_size(-0.1)),
            "step_size = -0.1",
        ),
        (
            Box::new(Pgd::linf(0.1).with_step_size(f64::NAN)),
            "step_size = NaN",
        ),
        (
            Box::new(Pgd::linf(0.1).with_relative_step_size(f64::NAN)),
            "relative step_size = NaN",
        ),
        (Box::new(Pgd::linf(0.1).restarts(0)), "restarts = 0"),
        (
            Box::new(Pgd::linf(0.1).with_random_start(false).restarts(2)),
            "restarts = 2",
        ),
        (Box::new(Pgd::linf(0.1).with_targets(2)), "targets = 2"),
        (
            Box::new(Pgd::linf(0.1).with_targets(vec![0, 5])),
            "targets[1] = 5",
        ),
        (
            Box::new(Pgd::linf(0.1).with_targets(vec![0])),
            "targets = 1 classes",
        ),
    ];
    for (attack, expected) in cases {
        let message = message(&*attack, &batch);
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn error_batches_refused() {
    let batch = linear_batch();
    let with_pixel = |value: f32| {
        let mut pixels = vec(&batch.images);
        pixels[PIXELS + 9] = value;
        batch.clone().with_images(tensor(pixels, [2, 1, 8, 8]))
    };
    let mut relabelled = batch.clone();
    relabelled.labels = labels(&[0, 2]);
    let mut negative = batch.clone();
    negative.labels = labels(&[-1, 0]);
    let empty = Batch::new(batch.images.clone().narrow(0, 0, 1), labels(&[0])).select(&[]);
    let place = "pixel [channel 0, row 1, column 1] of image 1";
    for (batch, expected) in [
        (with_pixel(1.5), place),
        (with_pixel(f32::NAN), place),
        (with_pixel(f32::INFINITY), place),
        (with_pixel(f32::NAN).with_bounds(Bounds::none()), place),
        (relabelled, "label of image 1: found 2"),
        (negative, "label of image 0: found -1"),
        (empty, "batch: found no image"),
    ] {
        for attack in [
            &Pgd::linf(0.1) as &dyn Attack,
            &Pgd::l2(0.1),
            &Fgsm::linf(0.1),
        ] {
            let message = message(attack, &batch);
            assert!(message.starts_with(expected), "{message}");
        }
    }
}

#[test]
fn error_classifiers_refused() {
    let batch = linear_batch();
    let one = Frozen::from_fn(|x: Tensor<4>| x.flatten::<2>(1, 3).sum_dim(1));
    let nan = Frozen::from_fn(|x: Tensor<4>| x.flatten::<2>(1, 3).narrow(1, 0, 2) * f32::NAN);
    for (victim, expected) in [
        (one, "logits per image: found 1"),
        (nan, "loss of attacked image 0"),
    ] {
        let error = Pgd::linf(0.1).attack(&victim, &batch, Seed(0)).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}

#[test]
fn error_results_outside_their_ball() {
    let batch = linear_batch();
    let mut found = Pgd::linf(0.05).attack(&linear(), &batch, Seed(0)).unwrap();
    verify(&found, &batch, Linf, 0.05).unwrap();
    let error = verify(&found, &batch, Linf, 0.0499).unwrap_err();
    assert!(matches!(error, Error::Ball { id: 0, .. }), "{error}");
    let error = verify(&found, &batch, L2, 0.05).unwrap_err();
    assert!(error.to_string().contains("L2"), "{error}");

    for bad in [f32::NAN, 1.25, f32::INFINITY] {
        let mut pixels = vec(&batch.images);
        pixels[PIXELS] = bad;
        found.images = tensor(pixels, [2, 1, 8, 8]);
        let error = verify(&found, &batch, Linf, 10.0).unwrap_err();
        assert!(
            error.to_string().starts_with("pixel 0 of attacked image 1"),
            "{error}"
        );
    }
}

// --- torchattacks -------------------------------------------------------------------------------

fn unpack(bytes: &[u8]) -> Vec<u8> {
    let mut raw = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut raw).unwrap();
    raw
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let words = bytes.chunks_exact(4);
    words
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect()
}

#[test]
fn value_torchattacks_pgd() {
    // Oracle: torchattacks 3.5.1 on PyTorch 2.15.0, by tests/fixtures/make_torchattacks.py.
    let raw = unpack(include_bytes!("fixtures/torchattacks_weights.bin.gz"));
    let weights = floats(&raw);
    let mut used = 0;
    let net = Net::new(|count| {
        used += count;
        weights[used - count..used].to_vec()
    });
    assert_eq!(used, weights.len());
    let victim = Frozen::new(&net);

    let raw = unpack(include_bytes!("fixtures/torchattacks_images.bin.gz"));
    let (classes, pixels) = raw.split_at(500);
    let classes: Vec<i64> = classes.iter().map(|c| i64::from(*c)).collect();
    let pixels = pixels.iter().map(|p| f32::from(*p) / 255.0).collect();
    let batch = Batch::new(tensor(pixels, [500, 1, 28, 28]), labels(&classes));

    let raw = unpack(include_bytes!("fixtures/torchattacks_expected.bin.gz"));
    let shown = 50 * 784;
    let (expected, bytes) = raw.split_at(4 * (5000 + 2 * shown));
    let expected = floats(expected);
    let (logits, attacked) = expected.split_at(5000);
    let (predicted, steep) = bytes.split_at(1000);
    assert_eq!(steep.len(), shown);

    let ours = vec(&victim.logits(batch.images.clone()));
    for (ours, theirs) in ours.iter().zip(logits) {
        assert!((ours - theirs).abs() < 1e-4, "{ours} {theirs}");
    }
    for (index, (steps, agreement)) in [(1, 0.999), (10, 0.97)].into_iter().enumerate() {
        let pgd = Pgd::linf(0.1)
            .with_steps(steps)
            .with_step_size(0.025)
            .with_random_start(false)
            .with_keep(Keep::Last);
        let found = pgd.attack(&victim, &batch, Seed(0)).unwrap();
        let theirs = &attacked[index * shown..(index + 1) * shown];
        let ours = vec(&found.images);
        let pairs = ours[..shown].iter().zip(theirs).zip(steep);
        let counted: Vec<bool> = pairs
            .filter(|(_, steep)| steps > 1 || **steep == 1)
            .map(|((ours, theirs), _)| ours == theirs)
            .collect();
        let equal = counted.iter().filter(|equal| **equal).count();
        let fraction = equal as f64 / counted.len() as f64;
        println!(
            "{steps} steps: {equal} of {} pixels equal to the bit",
            counted.len()
        );
        assert!(fraction >= agreement, "{fraction}");

        let predicted = &predicted[index * 500..(index + 1) * 500];
        let robust = predicted
            .iter()
            .zip(&classes)
            .filter(|(p, c)| i64::from(**p) == **c);
        let theirs = robust.count() as f64 / 500.0;
        println!(
            "{steps} steps: robust accuracy {} and {theirs}",
            found.robust_accuracy()
        );
        assert!((found.robust_accuracy() - theirs).abs() <= 0.002 + 1e-9);
    }
}
