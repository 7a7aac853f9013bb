use crate::group::Group;

/// The width over a group at which a layer has about as many parameters as an ordinary one of this
/// width, and as many features in all up to √|G|: divided by √|G|, rounded.
///
/// That rule gives the widths of the published p4m-ResNet18, 23, 45, 91 and 181.
pub(super) fn scaled(width: usize, group: Group) -> usize {
    (width as f64 / (group.size() as f64).sqrt())
        .round()
        .max(1.0) as usize
}
