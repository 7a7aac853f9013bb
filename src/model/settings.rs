use crate::base::{Error, Result};
use crate::group::Group;
use crate::nn::{LayerConfig, NormalizeConfig, nearest_sizes};

/// Refuses settings that no model can have.
pub(crate) fn check_settings(
    image: [usize; 3],
    classes: usize,
    dropout: f64,
    normalize: &Option<NormalizeConfig>,
) -> Result<()> {
    let [channels, ..] = image;
    let found = format_args!("{image:?}");
    Error::unless(channels > 0, "image", found, "at least one channel")?;
    Error::unless(classes >= 2, "classes", classes, "at least 2")?;
    let valid = (0.0..1.0).contains(&dropout);
    Error::unless(valid, "dropout", dropout, "at least 0 and below 1")?;
    normalize
        .as_ref()
        .map_or(Ok(()), |constants| constants.check(channels))
}

/// Refuses a setting with a zero among its numbers: each is a count of so many at least.
pub(crate) fn check_each(setting: &str, counts: &[usize], what: &str) -> Result<()> {
    let found = format_args!("{counts:?}");
    let expected = format_args!("at least one {what} each");
    Error::unless(!counts.contains(&0), setting, found, expected)
}

/// [`check_size`] for a model over a group, of images `[channel, height, width]`.
pub(crate) fn check_size_over(
    group: Group,
    model: &str,
    layers: &impl LayerConfig,
    [_, height, width]: [usize; 3],
) -> Result<[usize; 2]> {
    check_size(&format!("{model} over {group}"), layers, [height, width])
}

/// The size that a model's layers make of images of this size.
///
/// # Errors
///
/// [`Error::Size`] if one of them refuses what the ones before it make of the images, with the
/// sizes of image that work.
pub(crate) fn check_size(
    model: &str,
    layers: &impl LayerConfig,
    [height, width]: [usize; 2],
) -> Result<[usize; 2]> {
    layers.check([height, width]).map_err(|error| match error {
        Error::Size {
            layer,
            height: h,
            width: w,
            reason,
            ..
        } => Error::Size {
            layer: model.to_owned(),
            height,
            width,
            reason: format!("{layer} would see {h}×{w}: {reason}"),
            works: nearest_sizes(height.max(width), |side| layers.check([side; 2]).is_ok()),
        },
        other => other,
    })
}
