//! An attack: an ascent with a step rule of its own.

use burn::tensor::Tensor;
use fireproof::attack::{
    Ascent, Attack, AttackSpec, Ball, Cost, Here, Keep, NormSpec, PixelSpace, Space, StepRule,
    Trial,
};
use fireproof::base::{Error, Result, named};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Iterated fast gradient steps along a decaying sum of gradients. (Y. Dong et al. 2018, "Boosting
/// Adversarial Attacks with Momentum", algorithm 1.)
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Momentum {
    /// How a perturbation is measured.
    pub norm: NormSpec,
    /// How large it may be.
    pub epsilon: f64,
    /// The number of steps, each of ε/steps.
    #[serde(default = "ten")]
    pub steps: usize,
    /// What remains of the sum from step to step.
    #[serde(default = "one")]
    pub decay: f64,
}

fn ten() -> usize {
    10
}

fn one() -> f64 {
    1.0
}

impl Momentum {
    /// The attack with the published number of steps and decay.
    pub fn new(norm: impl Into<NormSpec>, epsilon: f64) -> Self {
        Self {
            norm: norm.into(),
            epsilon,
            steps: ten(),
            decay: one(),
        }
    }

    fn threat(&self) -> Ball {
        Ball::new(self.norm.clone(), self.epsilon)
    }
}

/// Adds up gradients, each in proportion to its mean magnitude.
struct Accumulate {
    length: f64,
    decay: f64,
    sum: Option<Tensor<2>>,
}

impl StepRule for Accumulate {
    fn next(&mut self, space: &dyn Space, trial: &Trial, here: Here) -> Tensor<2> {
        let gradient = here.pass.gradient.clone();
        let size = gradient.clone().abs().mean_dim(1);
        let nothing = size.clone().equal_elem(0.0);
        let gradient = gradient / size.mask_fill(nothing, 1.0);
        let sum = match self.sum.take() {
            Some(sum) => sum * self.decay + gradient,
            None => gradient,
        };
        self.sum = Some(sum.clone());
        space.step(trial, here.point, sum, self.length)
    }
}

impl Attack for Momentum {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        let space = PixelSpace(self.threat());
        let ascent = Ascent {
            space: &space,
            loss: None,
            steps: self.steps,
            keep: Keep::Best,
        };
        let mut rule = Accumulate {
            length: self.epsilon / self.steps.max(1) as f64,
            decay: self.decay,
            sum: None,
        };
        let start = space.start(trial, false);
        ascent.climb(trial, start, &mut rule)
    }

    fn ball(&self) -> Option<Ball> {
        Some(self.threat())
    }

    fn check(&self) -> Result<()> {
        self.threat().check()?;
        match self.decay.is_finite() {
            true => Ok(()),
            false => Err(Error::setting("decay", self.decay, "a finite number")),
        }
    }

    fn cost(&self) -> Cost {
        Cost {
            // The last point's and the verdict's.
            queries: self.steps + 2,
            gradients: self.steps,
        }
    }

    fn at_level(&self, level: &[f64]) -> Result<AttackSpec> {
        let &[epsilon] = level else {
            return Err(Error::setting("level", format!("{level:?}"), "one number"));
        };
        let attack = Self {
            epsilon,
            ..self.clone()
        };
        Ok(attack.into())
    }

    fn is_random(&self) -> bool {
        false
    }

    fn settings(&self) -> Value {
        named::<dyn Attack>("own_momentum", self)
    }
}

impl fmt::Display for Momentum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            norm,
            epsilon,
            steps,
            decay,
        } = self;
        write!(f, "momentum-{steps} {norm} ε={epsilon} decay={decay}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::l1::L1;
    use crate::network::tests::{batch, victim};
    use fireproof::attack::{L2, Linf, verify};
    use fireproof::base::{Seed, read};

    #[test]
    fn convention_in_its_ball_the_same_again_and_alone() {
        let (victim, batch) = (victim(), batch(4));
        for attack in [
            Momentum::new(Linf, 0.1),
            Momentum::new(L2, 0.5),
            Momentum::new(L1, 3.0),
        ] {
            let found = attack.attack(&victim, &batch, Seed(1)).unwrap();
            verify(&found, &batch, attack.norm.clone(), attack.epsilon).unwrap();
            let clean = Momentum {
                epsilon: 0.0,
                ..attack.clone()
            };
            let clean = clean.attack(&victim, &batch, Seed(1)).unwrap();
            let higher = found.loss.iter().zip(&clean.loss).all(|(a, b)| a > b);
            assert!(higher, "{attack}: {:?} {:?}", found.loss, clean.loss);
            let pixels: Vec<f32> = read(&found.images);
            let again = attack.attack(&victim, &batch, Seed(2)).unwrap();
            assert_eq!(pixels, read::<f32, _, _>(&again.images), "{attack}");
            let alone = attack
                .attack(&victim, &batch.select(&[2]), Seed(1))
                .unwrap();
            let size = pixels.len() / 4;
            assert_eq!(
                pixels[2 * size..3 * size],
                read::<f32, _, _>(&alone.images),
                "{attack}"
            );
            assert!(
                found
                    .queries
                    .iter()
                    .all(|&n| n as usize <= attack.cost().queries)
            );
            assert!(
                found
                    .gradients
                    .iter()
                    .all(|&n| n as usize == attack.cost().gradients)
            );
            assert_eq!(
                attack.at_level(&[0.0]).unwrap().ball().unwrap().epsilon,
                0.0
            );
        }
    }
}
