//! Measuring both kinds of robustness of a classifier, and the trade-off between them.
//!
//! An [`Evaluation`] says what to measure: plain, serialisable settings. It measures one
//! classifier on one image set and gives a [`Profile`]: accuracy and fooling rate, each with a
//! 95 % interval, on clean images and along every [`Axis`] asked for: random rotations, random
//! shifts, both together, fixed rotations, radii of attacks, or a [`Threat`] of your own. A [`PoseScan`]
//! looks at single images in every pose of a grid, an [`OrbitScan`] at all exact ones. [`compare`] tests
//! two profiles against each other on the same images; [`pareto_front`] and [`hypervolume`] summarise the trade-off of many. A
//! [`Report`] collects profiles with how their models were trained, and writes JSON, CSV and
//! Markdown.
//!
//! A [`Surface`] is A_ε(T_θ(x)) over poses and radii at once, with its [`Volume`]. Three scans look for
//! mechanisms: [`BoundaryScan`] (distance to the decision boundary, by pose), [`TangentScan`] (loss gradient
//! and tangents of rotation and shift) and [`ComponentScan`] (principal components of perturbations).
//! [`Evaluation::published`] is the published evaluation beside the corrected one.
//!
//! To add a scan, write a file of settings with a `run`, as `tangent_scan.rs` is, and one of what it finds, as
//! `tangents.rs` is, with a name in `json.rs`.
//!
//! To add a threat, implement [`Threat`] in a file of its own, as `random_pose.rs` does, and give it
//! a line in `threat.rs` to have a name in files. To add a form of report, write a file with methods of [`Profile`] and [`Report`], as `csv.rs` is;
//! to add a way to compare or to summarise, a file with a function of profiles, as `compare.rs` is.
//!
//! # Four estimands
//!
//! *Accuracy* compares with the label. The *fooling rate* compares with the classifier's **own**
//! prediction on the clean image: the share of images whose predicted class changes, whether or
//! not it was right before; an attack leads away from that prediction for it. A poor classifier can therefore
//! have a low fooling rate. The *accuracy lost* is clean accuracy minus accuracy; and the fooling rate
//! among those images that are right as they are is robustness apart from clean accuracy. See
//! [`Estimand`].
//!
//! # What is random, and what an interval covers
//!
//! Poses are average-case: each image gets poses drawn uniformly from the level's range, as a
//! function of (seed, image id, draw) alone. So every classifier evaluated with one seed meets the
//! same poses, in whatever batches, and the levels of an axis share their draws scaled to the
//! level's range. Attacks are worst-case and run once per image; more tries are the attack's own
//! restarts.
//!
//! Intervals are about the choice of *images* (and, for poses, draws): Wilson's, for several draws
//! [by what they are worth](crate::base::statistics::clustered). They say nothing about how much a
//! differently seeded training would vary.
//!
//! ```
//! use burn::tensor::Tensor;
//! use fireproof::base::Degrees;
//! use fireproof::evaluate::{Rate, hypervolume, pareto_front, TradeOff};
//!
//! let rate = Rate::of(970, 1000);
//! assert_eq!(rate.to_string(), "97.0 % (95.7–97.9)");
//!
//! let natural = TradeOff { spatial: 0.9, adversarial: 0.1 };
//! let robust = TradeOff { spatial: 0.5, adversarial: 0.8 };
//! let neither = TradeOff { spatial: 0.4, adversarial: 0.1 };
//! assert_eq!(pareto_front(&[natural, neither, robust]), [2, 0]);
//! assert!((hypervolume(&[natural, neither, robust]) - (0.5 * 0.8 + 0.4 * 0.1)).abs() < 1e-12);
//! ```

mod axis;
mod batches;
mod boundary;
mod boundary_scan;
mod compare;
mod component_scan;
mod components;
mod csv;
mod curve;
mod defaults;
mod difference;
mod eigen;
mod estimand;
mod evaluation;
mod extras;
mod fixed_pose;
mod json;
mod level;
mod markdown;
mod mean;
mod measure;
mod orbit_accuracy;
mod orbit_scan;
mod outcomes;
mod pareto;
mod pose_map;
mod profile;
mod published;
mod published_pgd;
mod random_pose;
mod rate;
mod report;
mod scene;
mod surface;
mod surface_map;
mod tangent_scan;
mod tangents;
mod threat;
mod worst_case;

pub use axis::Axis;
pub use boundary::{Boundary, BoundaryPoint};
pub use boundary_scan::BoundaryScan;
pub use compare::{Comparison, Pair, Paired, compare};
pub use component_scan::ComponentScan;
pub use components::Components;
pub use curve::{Curve, Point};
pub use difference::Difference;
pub use estimand::Estimand;
pub use evaluation::Evaluation;
pub use extras::Extras;
pub use fixed_pose::FixedPose;
pub use level::{At, Level};
pub(crate) use level::{short, short_level};
pub use mean::Mean;
pub use orbit_accuracy::OrbitAccuracy;
pub use orbit_scan::OrbitScan;
pub use outcomes::Outcomes;
pub use pareto::{TradeOff, hypervolume, pareto_front};
pub use pose_map::{Direction, PoseMap, PoseScan};
pub use profile::{Profile, Versions};
pub use published_pgd::PublishedPgd;
pub use random_pose::RandomPose;
pub use rate::Rate;
pub(crate) use report::axes;
pub use report::{Entry, Report, SCHEMA, TrainingRecord};
pub use scene::Scene;
pub use surface::Surface;
#[cfg(feature = "train")]
pub(crate) use surface_map::base;
pub use surface_map::{SurfaceMap, Volume};
pub use tangent_scan::TangentScan;
pub use tangents::{Alignment, Tangents};
pub use threat::{Threat, ThreatSpec};
pub use worst_case::WorstCase;
