use crate::base::{Degrees, Draws, Error, Keys, Pixels, Purpose, Result};
use derive_more::Display;
use serde::{Deserialize, Serialize};

/// Left and right exchanged or not, then a rotation about the image centre, then a shift.
///
/// ```
/// use fireproof::base::{Degrees, Pixels};
/// use fireproof::transform::Pose;
///
/// let pose = Pose { down: Pixels(2.0), ..Pose::rotation(Degrees(30.0)) };
/// assert_eq!(pose.to_string(), "30°, right 0 px, down 2 px");
/// assert!(Pose::rotation(Degrees(f64::NAN)).check().is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, Display, PartialEq, Serialize, Deserialize)]
#[display("{}{angle}, right {right}, down {down}", if *mirrored { "mirrored, " } else { "" })]
pub struct Pose {
    /// Rotation, counter-clockwise as displayed.
    pub angle: Degrees,
    /// Shift to the right.
    pub right: Pixels,
    /// Shift downwards.
    pub down: Pixels,
    /// Whether left and right are exchanged first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mirrored: bool,
}

impl Pose {
    /// The pose that changes nothing.
    pub const IDENTITY: Self = Self {
        angle: Degrees(0.0),
        right: Pixels(0.0),
        down: Pixels(0.0),
        mirrored: false,
    };

    /// A pure rotation.
    pub fn rotation(angle: Degrees) -> Self {
        Self {
            angle,
            ..Self::IDENTITY
        }
    }

    /// A pure shift to the right and downwards.
    pub fn shift(right: Pixels, down: Pixels) -> Self {
        Self {
            right,
            down,
            ..Self::IDENTITY
        }
    }

    /// This pose of the image with left and right exchanged.
    pub fn mirrored(self) -> Self {
        Self {
            mirrored: true,
            ..self
        }
    }

    /// The pose as numbers: degrees, pixels right and down, 1 if mirrored.
    pub(crate) fn to_row(self) -> [f64; 4] {
        let mirrored = f64::from(u8::from(self.mirrored));
        [self.angle.0, self.right.0, self.down.0, mirrored]
    }

    /// The pose of such numbers.
    pub(crate) fn from_row([angle, right, down, mirrored]: [f64; 4]) -> Self {
        Self {
            angle: Degrees(angle),
            right: Pixels(right),
            down: Pixels(down),
            mirrored: mirrored != 0.0,
        }
    }

    /// The largest shift that [`check`](Pose::check) accepts: beyond it `f32` coordinates leave
    /// no room for fractions of a pixel.
    pub const LARGEST_SHIFT: Pixels = Pixels((1 << 20) as f64);

    /// # Errors
    ///
    /// [`Error::Input`] if the angle is not finite or a shift is not within
    /// ±[`LARGEST_SHIFT`](Pose::LARGEST_SHIFT).
    pub fn check(&self) -> Result<()> {
        if !self.angle.0.is_finite() {
            return Err(Error::input("pose: angle", self.angle, "a finite number"));
        }
        for (name, shift) in [("right", self.right), ("down", self.down)] {
            if shift.0.is_nan() || shift.0.abs() > Self::LARGEST_SHIFT.0 {
                return Err(Error::input(
                    format!("pose: shift {name}"),
                    shift,
                    format!("at most {} either way", Self::LARGEST_SHIFT),
                ));
            }
        }
        Ok(())
    }
}

/// The set of poses that an image may be put in: rotations up to ±`angle` and shifts up to
/// ±`shift` along each axis.
///
/// ```
/// use fireproof::base::{Degrees, Keys, Pixels};
/// use fireproof::transform::PoseBudget;
///
/// let budget = PoseBudget::new(Degrees(30.0), Pixels(3.0))?;
/// let poses = budget.draw(&Keys::new(7, [12, 40]));
/// assert!(poses[0].angle.0.abs() <= 30.0 && poses[0].right.0.abs() <= 3.0);
/// // Image 40 gets the same pose in whatever batch it is.
/// assert_eq!(poses[1], budget.draw(&Keys::new(7, [40]))[0]);
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoseBudget {
    /// Largest rotation either way.
    pub angle: Degrees,
    /// Largest shift along each axis either way.
    pub shift: Pixels,
}

impl PoseBudget {
    /// A budget of rotations up to ±`angle` and shifts up to ±`shift`.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if one of them is negative or not finite.
    pub fn new(angle: Degrees, shift: Pixels) -> Result<Self> {
        let budget = Self { angle, shift };
        budget.check()?;
        Ok(budget)
    }

    /// The published joint level `a` on images with this many pixels a side: rotations up to
    /// ±180°·`level` and shifts up to ±`level`·`side` pixels.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if the level is negative or not finite.
    pub fn joint(level: f64, side: usize) -> Result<Self> {
        Self::new(Degrees(180.0 * level), Pixels(level * side as f64))
    }

    /// # Errors
    ///
    /// [`Error::Setting`] if a limit is negative or not finite.
    pub fn check(&self) -> Result<()> {
        for (name, limit) in [("angle", self.angle.0), ("shift", self.shift.0)] {
            let valid = limit.is_finite() && limit >= 0.0;
            let name = format_args!("pose budget: {name}");
            Error::unless(valid, name, limit, "a finite number, 0 or more")?;
        }
        Ok(())
    }

    /// Refuses a budget of which some pose cannot be made.
    pub(crate) fn check_poses(&self) -> Result<()> {
        self.check()?;
        let (shift, most) = (self.shift, Pose::LARGEST_SHIFT);
        let expected = format!("at most {most}");
        Error::unless(shift.0 <= most.0, "pose budget: shift", shift, expected)
    }

    /// A pose for each image: angle and shifts uniform in [−limit, limit).
    pub fn draw(&self, keys: &Keys) -> Vec<Pose> {
        self.draw_for(Purpose::Pose, keys)
    }

    /// As [`draw`](Self::draw), of other random numbers: those of this purpose.
    pub fn draw_for(&self, purpose: Purpose, keys: &Keys) -> Vec<Pose> {
        keys.each(purpose, |draws| self.draw_next(draws))
    }

    /// The next pose of a generator: angle and shifts uniform in [−limit, limit).
    pub fn draw_next(&self, draws: &mut Draws) -> Pose {
        let mut within = |limit: f64| draws.uniform(-limit, limit);
        Pose {
            angle: Degrees(within(self.angle.0)),
            right: Pixels(within(self.shift.0)),
            down: Pixels(within(self.shift.0)),
            mirrored: false,
        }
    }
}
