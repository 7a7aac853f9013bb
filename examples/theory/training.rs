//! The ways in which every network is trained, whatever it learns from.

use fireproof::curriculum::{Curriculum, Milestones};
use fireproof::train::{Natural, ObjectiveSpec, PgdTraining, Trades};

// Weight of the divergence in TRADES, as published for colour images.
const BETA: f64 = 6.0;

/// What a method may do to points or images at most.
#[derive(Clone, Copy, Debug)]
pub struct Budgets {
    /// Of rotations, in degrees.
    pub angle: f64,
    /// Of shifts, in pixels.
    pub shift: f64,
    /// Of attacks.
    pub epsilon: f64,
}

/// A way to train.
#[derive(Clone, Debug)]
pub struct Method {
    pub name: &'static str,
    pub curriculum: Curriculum,
    pub objective: ObjectiveSpec,
}

/// All of them. They differ in budgets and objective alone; those of both budgets have twice the epochs.
pub fn methods(budgets: Budgets, epochs: usize, steps: usize, rate: f64) -> Vec<Method> {
    let falling = Milestones::new([(0.0, rate), (0.6, 0.4 * rate), (0.8, 0.1 * rate)]);
    let base = Curriculum::new(epochs)
        .with_steps(steps)
        .with_relative_step_size(2.5)
        .with_learning_rate(falling.clone());
    // A third of the budgets, two thirds, all, from the epochs on in which the published CuSP raises its own.
    let stages = |most: f64| {
        let parts = [most / 3.0, most * 2.0 / 3.0, most];
        Milestones::new([1, 75, 90].into_iter().zip(parts))
    };
    let cusp = Curriculum::new(120)
        .with_angle(stages(budgets.angle))
        .with_shift(stages(budgets.shift))
        .with_epsilon(stages(budgets.epsilon))
        .scaled_to(2 * epochs)
        .with_steps(steps)
        .with_relative_step_size(2.5)
        .with_learning_rate(falling);
    let moved = (base.clone())
        .with_angle(budgets.angle)
        .with_shift(budgets.shift);
    let attacked = base.clone().with_epsilon(budgets.epsilon);
    let pgd = || ObjectiveSpec::from(PgdTraining::default());
    let all: [(_, _, ObjectiveSpec); 6] = [
        ("natural", base, Natural.into()),
        ("augmented", moved, Natural.into()),
        ("PGD", attacked.clone(), pgd()),
        ("TRADES", attacked, Trades::new(BETA).into()),
        ("fixed budgets", cusp.fixed(), pgd()),
        ("CuSP", cusp, pgd()),
    ];
    let method = |(name, curriculum, objective)| Method {
        name,
        curriculum,
        objective,
    };
    all.into_iter().map(method).collect()
}
