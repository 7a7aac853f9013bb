use crate::attack::attack::Cost;
use crate::attack::part::in_turn;
use crate::attack::{Attack, AttackSpec, Ball, Goal, Part, Sequence, Trial};
use crate::base::{Error, Result, named};
use crate::transform::Warp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// The sum of two threats, of which an attack may share its means between them: a pose within β of the
/// one's level, then pixels within 1 − β of the other's around the moved image.
///
/// (F. Tramèr, D. Boneh 2019, "Adversarial Training and Robustness for Multiple Perturbations",
/// section 2.1, affine combinations.) The union, where it must decide for one of the two, is
/// [`Attack::or`]; all of both at once is [`Attack::then`].
///
/// Each share is a [part](Attack::parts), for the images that those before left standing. Shares 0 and 1
/// are the second attack and the first one alone.
///
/// ```
/// use fireproof::attack::{Affine, Attack, GridSearch, Pgd};
/// use fireproof::base::{Degrees, Pixels};
/// use fireproof::transform::PoseBudget;
///
/// let grid = GridSearch::new(PoseBudget::new(Degrees(30.0), Pixels(3.0))?);
/// let attack = Affine::new(grid, Pgd::linf(0.1)).with_shares([0.0, 0.5, 1.0]);
/// assert_eq!(
///     attack.parts()[1].name(),
///     "grid search 31×5×5 ±15° ±1.5 px then PGD-10 L∞ ε=0.05 step=0.0125"
/// );
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Affine {
    /// The attack that moves images.
    pub first: AttackSpec,
    /// The attack on the pixels of moved images.
    pub second: AttackSpec,
    /// The first one's shares β, from 0 to 1.
    #[serde(default = "quarters")]
    pub shares: Vec<f64>,
}

fn quarters() -> Vec<f64> {
    vec![0.0, 0.25, 0.5, 0.75, 1.0]
}

impl Affine {
    /// The sum of what the two may do, at five shares: 0, ¼, ½, ¾ and 1.
    pub fn new(first: impl Into<AttackSpec>, second: impl Into<AttackSpec>) -> Self {
        Self {
            first: first.into(),
            second: second.into(),
            shares: quarters(),
        }
    }

    /// At these shares of the first one, from 0 to 1.
    pub fn with_shares(self, shares: impl IntoIterator<Item = f64>) -> Self {
        Self {
            shares: shares.into_iter().collect(),
            ..self
        }
    }

    fn share(&self, share: f64) -> Result<Share> {
        Ok(Share {
            first: scaled("first", &self.first, share)?,
            second: scaled("second", &self.second, 1.0 - share)?,
            share,
        })
    }

    fn all(&self) -> Result<Vec<Share>> {
        let shares = self.shares.iter();
        shares.map(|&share| self.share(share)).collect()
    }
}

// Both attacks at a share of their levels.
struct Share {
    first: AttackSpec,
    second: AttackSpec,
    share: f64,
}

impl Share {
    // The ones at level 0 have nothing to find.
    fn search(&self, trial: &mut Trial) -> Result<()> {
        let second = |trial: &mut Trial| {
            trial.held(self.second.ball().as_ref(), |trial| {
                self.second.search(trial)
            })
        };
        if self.share == 0.0 {
            return second(trial);
        }
        if self.share == 1.0 {
            return self.first.search(trial);
        }
        let found = trial.alone(None, |trial| self.first.search(trial))?;
        trial.survivors_around(found, second)
    }

    fn cost(&self) -> Cost {
        match self.share {
            0.0 => self.second.cost(),
            1.0 => self.first.cost(),
            _ => self.first.cost().plus(self.second.cost()),
        }
    }

    fn name(&self) -> String {
        match self.share {
            0.0 => self.second.to_string(),
            1.0 => self.first.to_string(),
            _ => Sequence::new(self.first.clone(), self.second.clone()).to_string(),
        }
    }
}

fn scaled(which: &str, attack: &AttackSpec, share: f64) -> Result<AttackSpec> {
    let expected = "an attack at a level, as its ball's radius";
    let level = attack.level();
    let level = level.ok_or_else(|| Error::setting(which, attack, expected))?;
    attack.at_level(&Vec::from_iter(level.iter().map(|part| part * share)))
}

impl Attack for Affine {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        in_turn(&self.parts(), trial)
    }

    fn parts(&self) -> Vec<Part<'_>> {
        let parts = self.all().unwrap_or_default().into_iter();
        parts
            .map(|share| Part::new(share.name(), move |trial| share.search(trial)))
            .collect()
    }

    fn goal(&self) -> Goal {
        self.first.goal()
    }

    fn ball(&self) -> Option<Ball> {
        self.second.ball()
    }

    fn moves_images(&self) -> bool {
        true
    }

    fn warps(&self) -> Vec<Warp> {
        self.first.warps()
    }

    /// # Errors
    ///
    /// [`Error::Setting`] unless the first attack moves images alone, the second changes pixels in a ball
    /// alone, both count the same as fooled and are at a level that can be shared, and the shares are
    /// numbers from 0 to 1.
    fn check(&self) -> Result<()> {
        let moves = self.first.moves_images() && self.first.ball().is_none();
        let expected = "an attack that moves images and leaves their pixels";
        Error::unless(moves, "first", &self.first, expected)?;
        let pixels = !self.second.moves_images() && self.second.ball().is_some();
        let expected = "an attack on pixels in a ball";
        Error::unless(pixels, "second", &self.second, expected)?;
        let agree = self.first.goal().agrees_with(&self.second.goal());
        let expected = "attacks with the same targets and the same labels";
        Error::unless(agree, "attacks", self, expected)?;
        let right = self.shares.iter().all(|share| (0.0..=1.0).contains(share));
        let expected = "at least one number, each from 0 to 1";
        let found = format!("{:?}", self.shares);
        Error::unless(right && !self.shares.is_empty(), "shares", found, expected)?;
        for share in self.all()? {
            share.first.check()?;
            share.second.check()?;
        }
        Ok(())
    }

    fn cost(&self) -> Cost {
        let shares = self.all().unwrap_or_default();
        shares
            .iter()
            .map(Share::cost)
            .fold(Cost::default(), Cost::plus)
    }

    fn level(&self) -> Option<Vec<f64>> {
        Some([self.first.level()?, self.second.level()?].concat())
    }

    /// The last number is the second attack's level, those before are the first one's; one number is the
    /// second's alone.
    fn at_level(&self, level: &[f64]) -> Result<AttackSpec> {
        let (first, last) = match level {
            [last] => (self.first.clone(), *last),
            [own @ .., last] => (self.first.at_level(own)?, *last),
            [] => return Err(Error::setting("level", "nothing", "at least one number")),
        };
        let second = self.second.at_level(&[last])?;
        let shares = self.shares.clone();
        Ok(Self::new(first, second).with_shares(shares).into())
    }

    fn is_random(&self) -> bool {
        self.first.is_random() || self.second.is_random()
    }

    fn settings(&self) -> Value {
        named::<dyn Attack>("affine", self)
    }
}

impl fmt::Display for Affine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} plus {}", self.first, self.second)?;
        if self.shares != quarters() {
            write!(f, " at shares {:?}", self.shares)?;
        }
        Ok(())
    }
}
