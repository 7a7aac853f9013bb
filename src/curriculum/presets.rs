use super::{Curriculum, Milestones};
use crate::base::{Error, Result};
use derive_more::Display;

// First epochs of the published stages. The budgets have two switches, the learning rate three.
const EPOCHS: usize = 120;
const SECOND: usize = 75;
const THIRD: usize = 90;
const LAST_RATE: usize = 100;

fn budget(values: [f64; 3]) -> Milestones {
    Milestones::new([1, SECOND, THIRD].into_iter().zip(values))
}

fn rate(values: [f64; 4]) -> Milestones {
    Milestones::new([1, SECOND, THIRD, LAST_RATE].into_iter().zip(values))
}

/// Presets. [`Preset::all`] lists them with where each comes from.
impl Curriculum {
    /// CuSP for CIFAR-10 by PGD training. **Published**: what the code of the paper runs (Kamath et al.,
    /// NeurIPS 2021).
    ///
    /// | epochs | rotation | ε | attack | learning rate |
    /// |---|---|---|---|---|
    /// | 1–74 | ±120° | 2/255 | 10 steps of 2/255 | 0.1 |
    /// | 75–89 | ±150° | 4/255 | 10 steps of 2/255 | 0.01 |
    /// | 90–99 | ±180° | 8/255 | 10 steps of 2/255 | 0.001 |
    /// | 100–120 | ±180° | 8/255 | 10 steps of 2/255 | 0.0001 |
    ///
    /// Published with SGD (momentum 0.9, weight decay 5e-4) in batches of 128, on randomly cropped
    /// and flipped images.
    pub fn cusp_cifar10() -> Self {
        Self::new(EPOCHS)
            .with_angle(budget([120.0, 150.0, 180.0]))
            .with_epsilon(budget([2.0 / 255.0, 4.0 / 255.0, 8.0 / 255.0]))
            .with_steps(10)
            .with_step_size(2.0 / 255.0)
            .with_learning_rate(rate([0.1, 0.01, 0.001, 0.0001]))
    }

    /// CuSP for CIFAR-10 by TRADES. **Published, but commented out**: the paper's code has it beside the
    /// [PGD variant](Self::cusp_cifar10), which runs in its place.
    ///
    /// | epochs | rotation | ε | attack | learning rate |
    /// |---|---|---|---|---|
    /// | 1–74 | ±120° | 2/255 | 10 steps of 0.007 | 0.1 |
    /// | 75–89 | ±120° | 4/255 | 10 steps of 0.007 | 0.01 |
    /// | 90–99 | ±180° | 8/255 | 10 steps of 0.007 | 0.001 |
    /// | 100–120 | ±180° | 8/255 | 10 steps of 0.007 | 0.0001 |
    ///
    /// The rotations of the second stage differ from those of the PGD variant:
    /// [`cusp_cifar10_trades_corrected`](Self::cusp_cifar10_trades_corrected) has them alike. Its
    /// objective is TRADES with β = 5; optimiser and images as there.
    pub fn cusp_cifar10_trades() -> Self {
        Self::cusp_cifar10()
            .with_angle(budget([120.0, 120.0, 180.0]))
            .with_step_size(0.007)
    }

    /// CuSP for CIFAR-10 by TRADES. **Corrected**: the rotations of the
    /// [PGD variant](Self::cusp_cifar10), so that the two differ in nothing but objective and step
    /// size: ±150° in place of ±120° in epochs 75 to 89. All else is as
    /// [published](Self::cusp_cifar10_trades). (In the PGD variant there is nothing to correct.)
    pub fn cusp_cifar10_trades_corrected() -> Self {
        Self::cusp_cifar10().with_step_size(0.007)
    }

    /// CuSP carried over to MNIST. **Ours, not published**: no MNIST schedule of the paper could
    /// be found.
    ///
    /// Rotations and epochs as in [`cusp_cifar10`](Self::cusp_cifar10); ε is 0.1, 0.2 and 0.3, by
    /// 10 steps of 2.5·ε/10; the learning rate starts at 0.01, as in the published MNIST trainings that
    /// the paper builds on, and falls tenfold at the same epochs. To be shortened with
    /// [`scaled_to`](Self::scaled_to).
    pub fn cusp_mnist() -> Self {
        Self::new(EPOCHS)
            .with_angle(budget([120.0, 150.0, 180.0]))
            .with_epsilon(budget([0.1, 0.2, 0.3]))
            .with_steps(10)
            .with_relative_step_size(2.5)
            .with_learning_rate(rate([0.01, 0.001, 0.0001, 0.00001]))
    }

    /// [`cusp_cifar10`](Self::cusp_cifar10) with shifts of ±1, ±2 and ±3 pixels in place of
    /// rotations. **Ours, not published**: the paper trains with translations, but no schedule of them
    /// could be found.
    pub fn cusp_translation() -> Self {
        Self::cusp_cifar10().shifts_for_rotations()
    }

    /// [`cusp_mnist`](Self::cusp_mnist) with shifts of ±1, ±2 and ±3 pixels in place of
    /// rotations. **Ours, not published.**
    pub fn cusp_mnist_translation() -> Self {
        Self::cusp_mnist().shifts_for_rotations()
    }

    fn shifts_for_rotations(self) -> Self {
        self.with_angle(0.0).with_shift(budget([1.0, 2.0, 3.0]))
    }
}

/// Where a preset comes from.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Hash)]
pub enum Origin {
    /// What the paper's code runs.
    #[display("published")]
    Published,
    /// In the paper's code, but not run.
    #[display("published but commented out")]
    CommentedOut,
    /// As published but for what its documentation names.
    #[display("corrected")]
    Corrected,
    /// This crate's own.
    #[display("ours")]
    Ours,
}

/// A curriculum with a name, as a command line takes it.
///
/// ```
/// use fireproof::curriculum::{Origin, Preset};
///
/// let preset = Preset::named("cusp_cifar10")?;
/// assert_eq!((preset.origin, preset.curriculum().epochs()), (Origin::Published, 120));
/// for preset in Preset::all() {
///     println!("{} ({})", preset.name, preset.origin);
/// }
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// The name of the function of [`Curriculum`] that makes it.
    pub name: &'static str,
    /// Where it comes from.
    pub origin: Origin,
    /// The preset that it corrects.
    pub corrects: Option<&'static str>,
    make: fn() -> Curriculum,
}

macro_rules! presets {
    (@corrected) => { None };
    (@corrected $name:ident) => { Some(stringify!($name)) };
    ($($name:ident: $origin:ident $(of $corrected:ident)?;)+) => {
        &[$(Preset {
            name: stringify!($name),
            origin: Origin::$origin,
            corrects: presets!(@corrected $($corrected)?),
            make: Curriculum::$name,
        }),+]
    };
}

impl Preset {
    /// All of them.
    pub fn all() -> &'static [Self] {
        static PRESETS: &[Preset] = presets! {
            cusp_cifar10: Published;
            cusp_cifar10_trades: CommentedOut;
            cusp_cifar10_trades_corrected: Corrected of cusp_cifar10_trades;
            cusp_mnist: Ours;
            cusp_translation: Ours;
            cusp_mnist_translation: Ours;
        };
        PRESETS
    }

    /// The preset of this name.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`], with all names, if there is none.
    pub fn named(name: &str) -> Result<&'static Self> {
        let found = Self::all().iter().find(|preset| preset.name == name);
        let names = || Vec::from_iter(Self::all().iter().map(|preset| preset.name)).join(", ");
        found.ok_or_else(|| Error::setting("curriculum", name, format!("one of: {}", names())))
    }

    /// Its curriculum.
    pub fn curriculum(&self) -> Curriculum {
        (self.make)()
    }
}
