use super::Scores;
use crate::base::{Error, Result};

/// One training in the trade-off: what its networks score on the same images when clean, in poses and
/// under an attack.
///
/// Images that were shown in poses but not attacked are left out by [`Scores::of_images`].
#[derive(Clone, Copy, Debug)]
pub struct Arm<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Accuracy on clean images.
    pub clean: &'a Scores,
    /// Accuracy in poses.
    pub spatial: &'a Scores,
    /// Accuracy under the attack.
    pub adversarial: &'a Scores,
}

impl Arm<'_> {
    /// The number of seeds and images that all arms have.
    pub(super) fn common(arms: &[Arm<'_>]) -> Result<(usize, usize)> {
        let Some(first) = arms.first() else {
            return Err(Error::input("trainings", 0, "at least one"));
        };
        let expected = (first.clean.seeds(), first.clean.images());
        for arm in arms {
            for scores in [arm.clean, arm.spatial, arm.adversarial] {
                let (seeds, images) = (scores.seeds(), scores.images());
                if (seeds, images) != expected {
                    return Err(Error::input(
                        format!("scores of training `{}`", arm.name),
                        format!("{seeds} seeds, {images} images"),
                        format!("{} seeds, {} images, as of all", expected.0, expected.1),
                    ));
                }
            }
        }
        Ok(expected)
    }
}
