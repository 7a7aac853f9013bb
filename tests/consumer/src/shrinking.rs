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

/// Steps that get shorter by the same share each.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shrinking {
    /// How a perturbation is measured.
    pub norm: NormSpec,
    /// How large it may be.
    pub epsilon: f64,
    /// The number of steps, the first of ε/2.
    #[serde(default = "ten")]
    pub steps: usize,
    /// What remains of a step's length in the next one.
    #[serde(default = "three_quarters")]
    pub decay: f64,
}

fn ten() -> usize {
    10
}

fn three_quarters() -> f64 {
    0.75
}

impl Shrinking {
    /// The attack with ten steps, each three quarters as long as the one before.
    pub fn new(norm: impl Into<NormSpec>, epsilon: f64) -> Self {
        Self {
            norm: norm.into(),
            epsilon,
            steps: ten(),
            decay: three_quarters(),
        }
    }

    fn threat(&self) -> Ball {
        Ball::new(self.norm.clone(), self.epsilon)
    }
}

struct Shorter {
    first: f64,
    decay: f64,
}

impl StepRule for Shorter {
    fn next(&mut self, space: &dyn Space, trial: &Trial, here: Here) -> Tensor<2> {
        let length = self.first * self.decay.powi(here.step as i32);
        space.step(trial, here.point, here.pass.gradient.clone(), length)
    }
}

impl Attack for Shrinking {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        let space = PixelSpace(self.threat());
        let ascent = Ascent {
            space: &space,
            loss: None,
            steps: self.steps,
            keep: Keep::Best,
        };
        let mut rule = Shorter {
            first: self.epsilon / 2.0,
            decay: self.decay,
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
        named::<dyn Attack>("own_shrinking", self)
    }
}

impl fmt::Display for Shrinking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            norm,
            epsilon,
            steps,
            decay,
        } = self;
        write!(f, "shrinking-{steps} {norm} ε={epsilon} decay={decay}")
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
    fn convention_in_its_ball_the_same_again_and_althree_quarters() {
        let (victim, batch) = (victim(), batch(4));
        for attack in [
            Shrinking::new(Linf, 0.1),
            Shrinking::new(L2, 0.5),
            Shrinking::new(L1, 3.0),
        ] {
            let found = attack.attack(&victim, &batch, Seed(1)).unwrap();
            verify(&found, &batch, attack.norm.clone(), attack.epsilon).unwrap();
            let clean = Shrinking {
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
