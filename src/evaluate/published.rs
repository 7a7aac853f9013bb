use super::{Axis, Evaluation, PublishedPgd, RandomPose};
use crate::attack::Pgd;

// Of the published evaluation of CIFAR-10: 2/255, 4/255, 8/255.
const RADII: [f64; 3] = [2.0 / 255.0, 4.0 / 255.0, 8.0 / 255.0];

// Levels of rotations up to ±180°·a and shifts up to ±a sides.
const JOINT: [f64; 7] = [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3];

impl Evaluation {
    /// The evaluation of CIFAR-10 as the paper's published code does it, and the corrected one beside it, on
    /// the same images:
    ///
    /// | published | corrected |
    /// |---|---|
    /// | `published_joint`: Pillow's rotation by the nearest pixel, then a shift by whole pixels, which brings back nothing that the rotation cut off ([`RandomPose::published`]) | `joint`: rotation and shift in one sampling |
    /// | `published_epsilons`: PGD-10 on normalised images clipped to [-1, 1], away from the label, as the StdCNN is attacked ([`PublishedPgd::std_cnn`]) | `epsilons`: PGD-10 in the pixel range, within its ball, away from the classifier's own prediction |
    /// | `published_epsilons_gcnn`: the same away from the prediction, as the GCNN is ([`PublishedPgd::gcnn`]) | |
    ///
    /// Joint levels a mean rotations up to ±180°·a and shifts up to ±a of the image's sides; the code takes
    /// any, and these are a choice: 0 to 0.3 in steps of 0.05. Radii are 2, 4 and 8/255 and steps 2/255: of
    /// normalised units on the left, of the pixel range on the right.
    ///
    /// What cannot be had: the published GCNN is attacked with its batch norm in training mode, by batch
    /// statistics that the attack itself changes; here it is frozen, as every classifier. Published poses
    /// and random starts have no seed; here they have the evaluation's, and all classifiers meet the same.
    /// The code saves no predictions of the attacked GCNN, so that its fooling rate there is new.
    ///
    /// The classifier takes images of three channels from 0 to 1 and normalises them itself. For other
    /// images, give the axes another [normalisation](PublishedPgd::with_normalisation).
    ///
    /// ```
    /// use fireproof::evaluate::Evaluation;
    ///
    /// let evaluation = Evaluation::published();
    /// let names: Vec<&str> = evaluation.axes.iter().map(|axis| &*axis.name).collect();
    /// let expected = [
    ///     "published_joint",
    ///     "joint",
    ///     "published_epsilons",
    ///     "published_epsilons_gcnn",
    ///     "epsilons",
    /// ];
    /// assert_eq!(names, expected);
    /// assert!(evaluation.check().is_ok());
    /// ```
    pub fn published() -> Self {
        let joint = Axis::joint(JOINT);
        let attack = |name: &str, threat: PublishedPgd| {
            Axis::new(name, "standard deviations of a channel", threat, RADII).titled(
                "published attack: ε in normalised units, clipped to [-1, 1]",
                "ε = {}, published",
            )
        };
        let two_step = (joint.clone())
            .named("published_joint")
            .with_threat(RandomPose::published())
            .titled(
                "published rotation and shift up to ± a · (180°, side)",
                "a = {}, published",
            );
        Self::new()
            .with_axis(two_step)
            .with_axis(joint)
            .with_axis(attack("published_epsilons", PublishedPgd::std_cnn()))
            .with_axis(attack("published_epsilons_gcnn", PublishedPgd::gcnn()))
            .with_axis(Axis::epsilons(
                Pgd::linf(0.0).with_step_size(2.0 / 255.0),
                RADII,
            ))
    }
}
