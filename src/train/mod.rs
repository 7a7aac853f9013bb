//! Training under a curriculum, on [burn-train](burn::train).
//!
//! burn-train keeps the loop; this module gives it the data, the step and the learning rate:
//!
//! - [`Training`] is the setting of a training, and [`Training::fit`] runs it.
//! - A [`Course`] says which [`Stage`](crate::curriculum::Stage) of the curriculum an epoch has,
//!   from which all else follows: how far images are moved, how strongly they are attacked, how
//!   fast the weights learn. A [`Pace`] lets it depend on what came of the epochs before:
//!   [`Adaptive`] goes on once the model withstands the budgets that it has.
//! - [`RobustValidation`] measures robustness on images held out of the training set; the [`Best`] model
//!   by it is kept beside the last. [`RobustAccuracy`] and [`FoolingRate`] are metrics for a loop of your own.
//! - [`StagedLoader`] counts epochs and stamps every [`StagedBatch`] with its stage.
//! - [`Augmentation`] moves images, an [`Objective`] makes a step of learning from them,
//!   [`StagedRate`] is the learning rate, [`sgd`] the optimiser.
//! - [`Trainee`] joins a model with augmentation and objective into what burn-train takes, for a
//!   training of your own make; to the objective it shows the model as a [`Student`].
//!
//! *CuSP* (the paper's curriculum over spatial and adversarial budgets) is nothing but
//! [`PgdTraining`] under a curriculum whose stages raise both budgets.
//!
//! # Objectives
//!
//! | objective | learns from |
//! |---|---|
//! | [`Natural`] | images as they are |
//! | [`PgdTraining`] | attacked images, by any attack |
//! | [`Trades`] | images as they are, and the divergence from attacked ones |
//! | [`Mart`] | attacked images with boosted cross-entropy, and a divergence weighted by what is not known |
//! | [`Fat`] | attacked images that stop soon after they are fooled |
//! | [`FastFgsm`] | images after one step, watching for catastrophic overfitting |
//! | [`MaxOver`], [`AverageOver`] | several attacks: for each image the worst one, or all of them |
//! | [`MsdTraining`] | images after steps, each the steepest of several norms |
//! | [`WorstPose`] | the worst of several random poses |
//! | [`PoseKl`] | the same, and the divergence between poses |
//! | [`Awp`] | as another one, at perturbed weights |
//! | [`Ema`], [`Swa`] | as another one, whose averaged weights are validated and handed back |
//!
//! Budgets are the stage's. `docs/training.md` has losses, sources, defaults and costs.
//!
//! To add an [`Objective`] or a [`Pace`], implement the trait: a file and a line in the registry of
//! `objective.rs` or `pace.rs`, or [`Registry::add`](crate::base::Registry::add) from outside.
//!
//! # Reproducible
//!
//! Order, poses, crops, flips and random starts are functions of the seed, the image and the epoch.
//! Every layer of this crate draws by the images' keys. Burn's own `Dropout` draws from a generator
//! that belongs to the device or to the whole process; it is seeded anew before every training pass,
//! from the seed, the epoch and the batch's first image, and held until the pass is over. So the same
//! seed gives the same weights bit for bit, resumed or not, alone or beside other trainings, on a
//! backend that computes at once and sums in a fixed order, as Flex does. What else a program draws
//! from Burn's generator at the same moment can still disturb it.
//!
//! Trainings may be tasks of a rayon pool, each of a model of its own: Burn holds a lock of the graph
//! over its backward pass, and a model that learns belongs to one graph. On a pool the
//! generator is seeded but not held, as a thread of a pool must not wait for another task: a model
//! that draws from it gives the same weights only if nothing else draws at the same moment. All
//! other models do beside any number of others. A thread of a pool that waits for a part of one training
//! takes up another on top of it: for dozens of them the pool's threads need a larger stack than rayon's
//! two megabytes (`ThreadPoolBuilder::stack_size`), or take threads of your own.

mod adaptive;
mod ahead;
mod any;
mod architecture;
mod augmentation;
mod best;
mod checked;
mod checkpoint;
mod checks;
mod course;
mod crafted;
mod every_epoch;
mod failure;
mod loader;
mod metrics;
mod monitor;
mod no_metric_files;
mod number;
mod objective;
mod objectives;
mod pace;
mod progress;
mod rate;
mod record;
mod resume;
mod robust;
mod scored;
mod scores;
mod sgd;
mod student;
mod trained;
mod trainee;
mod training;
mod watch;

pub use adaptive::Adaptive;
pub use any::trainable;
pub use augmentation::{Augmentation, Motion};
pub use best::best_epoch;
pub use course::Course;
pub use crafted::Crafted;
pub use loader::{StagedBatch, StagedLoader};
pub use metrics::{FoolingRate, RobustAccuracy, RobustInput};
pub use objective::{Objective, ObjectiveSpec, Step};
pub use objectives::{
    AverageOver, Awp, Ema, FastFgsm, Fat, Mart, MaxOver, MsdTraining, Natural, PgdTraining, PoseKl,
    Swa, Trades, WorstPose,
};
pub use pace::{Pace, PaceSpec};
pub use progress::Progress;
pub use rate::StagedRate;
pub use record::EpochRecord;
pub use robust::{Robust, RobustValidation};
pub use scored::Scored;
pub use sgd::sgd;
pub use student::{Student, Weight};
pub use trained::Trained;
pub use trainee::Trainee;
pub use training::Training;
pub use watch::Best;
