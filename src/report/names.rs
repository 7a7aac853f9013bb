//! Classes and poses in few letters.

use crate::attack::NO_CLASS;
use crate::evaluate::short;
use crate::transform::Pose;

/// A predicted class.
pub(super) fn class(predicted: i64) -> String {
    match predicted {
        NO_CLASS => "none".to_owned(),
        class => class.to_string(),
    }
}

/// A pose to hundredths, without what it has not: `mirrored, 12.5°, right 1 px`.
pub(super) fn pose(pose: &Pose) -> String {
    let hundredths = |value: f64| (100.0 * value).round() / 100.0 + 0.0;
    let mirrored = if pose.mirrored { "mirrored, " } else { "" };
    let mut text = format!("{mirrored}{}°", short(hundredths(pose.angle.0)));
    for (name, shift) in [("right", pose.right), ("down", pose.down)] {
        let shift = hundredths(shift.0);
        if shift != 0.0 {
            text += &format!(", {name} {} px", short(shift));
        }
    }
    text
}
