//! What the crate is asked: all that depends on its public face.

use super::*;

#[derive(Clone, Copy, PartialEq)]
pub enum Ball {
    Linf,
    L2,
}

pub fn pgd(ball: Ball, epsilon: f64) -> Pgd {
    match ball {
        Ball::Linf => Pgd::linf(epsilon),
        Ball::L2 => Pgd::l2(epsilon),
    }
}

pub fn fgsm(ball: Ball, epsilon: f64) -> Fgsm {
    match ball {
        Ball::Linf => Fgsm::linf(epsilon),
        Ball::L2 => Fgsm::l2(epsilon),
    }
}

pub fn restarts(attack: Pgd, count: usize) -> impl Attack + 'static {
    attack.restarts(count)
}

/// What the attack finds; the image kept of every one is the whole one.
pub fn attacked(attack: &dyn Attack, victim: &Frozen, batch: &Batch) -> (Attacked, Vec<f32>) {
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

pub fn cusp(epochs: usize) -> Training {
    Training::new(
        Curriculum::cusp_mnist().scaled_to(epochs),
        PgdTraining::default(),
    )
    .with_augmentation(Augmentation::new(Warp::bilinear()))
    .with_batch_size(64)
    .with_seed(9)
}

pub fn natural() -> Training {
    let curriculum = Curriculum::new(3).with_learning_rate(0.04);
    Training::new(curriculum, Natural)
        .with_batch_size(32)
        .with_seed(4)
}

pub fn learn<M>(training: &Training, model: M, images: usize, device: &Device) -> (M, Learnt)
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

pub fn measured(evaluation: &Evaluation, victim: &Frozen, data: &ImageSet) -> Vec<Measured> {
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

pub fn rate(rate: &Rate) -> [f64; 3] {
    [rate.value, rate.interval.low, rate.interval.high]
}

pub fn outcomes(outcomes: &Option<Outcomes>) -> String {
    bits(outcomes.iter().flat_map(|outcomes| outcomes.iter()))
}
