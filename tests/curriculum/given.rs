//! Stages of the published curriculum, and stages as plain values.

use fireproof::base::{Degrees, Pixels};
use fireproof::curriculum::{Curriculum, Stage};

/// A stage of the published curriculum: angle, ε·255 and learning rate.
pub fn published(angle: f64, levels: f64, learning_rate: f64) -> Stage {
    Stage {
        angle: Degrees(angle),
        shift: Pixels(0.0),
        epsilon: levels / 255.0,
        steps: 10,
        step_size: 2.0 / 255.0,
        learning_rate,
    }
}

pub fn stages(curriculum: &Curriculum) -> Vec<(usize, usize, Stage)> {
    let stages = curriculum.stages().into_iter();
    stages
        .map(|(epochs, stage)| (*epochs.start(), *epochs.end(), stage))
        .collect()
}
