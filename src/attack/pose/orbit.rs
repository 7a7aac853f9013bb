use super::visits::{Visits, growing};
use crate::attack::alike::aims;
use crate::attack::settings::aiming;
use crate::attack::{Attack, AttackSpec, Ball, Cost, LossSpec, Trial};
use crate::base::{Degrees, Error, Pixels, Result, named};
use crate::group::Group;
use crate::transform::{Border, Pose, Warp};
use serde_json::Value;
use std::fmt;

aiming! {
    /// Every pose of a group that moves pixels and changes none: quarter turns, mirror images, shifts by
    /// whole pixels.
    ///
    /// All of them are tried on an image until one fools, and nothing between pixels is made up. So for an
    /// image that stands this is a certificate over the whole orbit, and no sample of it.
    ///
    /// Needs square images unless the group is p1, whose orbit is the shifts alone.
    ///
    /// ```
    /// use fireproof::attack::{Attack, Orbit};
    ///
    /// let orbit = Orbit::p4m().with_shifts(1);
    /// assert_eq!(orbit.to_string(), "orbit of p4m, shifts up to ±1 px");
    /// assert_eq!(orbit.cost().queries, 8 * 9);
    /// ```
    pub struct Orbit {
        /// Turns and mirror images.
        pub group: Group,
        /// Shifts go up to ± so many pixels along each axis.
        #[serde(default)]
        pub shifts: usize,
        /// What comes into the image that is shifted.
        #[serde(default)]
        pub border: Border,
    }
}

impl Orbit {
    /// The orbit of a group without shifts.
    pub fn new(group: Group) -> Self {
        Self {
            group,
            shifts: 0,
            border: Border::default(),
            loss: LossSpec::default(),
            targets: None,
            predicted_labels: false,
        }
    }

    /// The four rotations.
    pub fn p4() -> Self {
        Self::new(Group::P4)
    }

    /// The four rotations of the image and of its mirror image.
    pub fn p4m() -> Self {
        Self::new(Group::P4m)
    }

    /// The poses of the orbit, the identity first; those without a shift come before the others.
    pub fn poses(&self) -> Vec<Pose> {
        let shifts = self.shifts as i64;
        let around = || (0..=shifts).flat_map(|at| if at == 0 { vec![0] } else { vec![at, -at] });
        let shifts = around().flat_map(|down| around().map(move |right| (right, down)));
        let turns = Vec::from_iter(self.group.elements().map(|element| Pose {
            // Mirrored and turned are all that turned and mirrored can be.
            mirrored: element.is_mirrored(),
            ..Pose::rotation(Degrees(90.0 * element.turns() as f64))
        }));
        let moved = |(right, down)| {
            let pose = move |&turn: &Pose| Pose {
                right: Pixels(right as f64),
                down: Pixels(down as f64),
                ..turn
            };
            Vec::from_iter(turns.iter().map(pose))
        };
        shifts.flat_map(moved).collect()
    }
}

impl Attack for Orbit {
    fn search(&self, trial: &mut Trial) -> Result<()> {
        let [_, _, height, width] = trial.originals().dims();
        if self.group != Group::P1 && height != width {
            let found = format!("{height}×{width}");
            let expected = "square ones, which quarter turns leave in their frame";
            return Err(Error::input("images of an orbit", found, expected));
        }
        trial.offer_originals();
        trial.survivors(|trial| {
            let warp = Warp::nearest().with_border(self.border);
            let mut visits = Visits::new(trial, warp);
            for round in growing(&self.poses()[1..]) {
                visits.round(|_| round.to_vec(), |_, _, _| ())?;
                if visits.is_over() {
                    break;
                }
            }
            visits.offer()
        })
    }

    fn ball(&self) -> Option<Ball> {
        None
    }

    fn moves_images(&self) -> bool {
        true
    }

    fn warps(&self) -> Vec<Warp> {
        vec![Warp::nearest().with_border(self.border)]
    }

    /// # Errors
    ///
    /// [`Error::Setting`] for shifts that no image has room for.
    fn check(&self) -> Result<()> {
        let most = Pose::LARGEST_SHIFT.0 as usize;
        let expected = format!("at most {most}");
        Error::unless(self.shifts <= most, "shifts", self.shifts, expected)
    }

    fn cost(&self) -> Cost {
        Cost {
            queries: self.group.size() * (2 * self.shifts + 1).pow(2),
            gradients: 0,
        }
    }

    fn level(&self) -> Option<Vec<f64>> {
        Some(vec![self.group.size() as f64, self.shifts as f64])
    }

    /// One number is the largest shift; of two, the first is the size of the group: 1, 4 or 8.
    fn at_level(&self, level: &[f64]) -> Result<AttackSpec> {
        let (size, shifts) = match *level {
            [shifts] => (self.group.size() as f64, shifts),
            [size, shifts] => (size, shifts),
            _ => (f64::NAN, f64::NAN),
        };
        let group = Group::ALL
            .into_iter()
            .find(|group| group.size() as f64 == size);
        let whole = shifts >= 0.0 && shifts.fract() == 0.0;
        let Some(group) = group.filter(|_| whole) else {
            let expected = "a whole shift, or 1, 4 or 8 and a whole shift";
            return Err(Error::setting("level", format!("{level:?}"), expected));
        };
        let orbit = self.clone().with_group(group).with_shifts(shifts as usize);
        Ok(orbit.into())
    }

    fn is_random(&self) -> bool {
        false
    }

    aims!();

    fn settings(&self) -> Value {
        named::<dyn Attack>("orbit", self)
    }
}

impl fmt::Display for Orbit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "orbit of {}", self.group)?;
        if self.shifts > 0 {
            write!(f, ", shifts up to ±{} px", self.shifts)?;
        }
        write!(
            f,
            "{}",
            super::text::By(Warp::bilinear().with_border(self.border))
        )?;
        self.goal().fmt(f)
    }
}
