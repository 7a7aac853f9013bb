use crate::attack::{Frozen, NO_CLASS, predicted_classes};
use crate::base::{Batch, Error, Result, read};
use crate::data::ImageSet;
use burn::tensor::{Device, Tensor};

/// What evaluations walk through: the images of a set in batches of the classifier's element type, each with
/// the classifier told their ids.
///
/// # Errors
///
/// [`Error::Setting`] for no images at a time; [`Error::Input`] for an empty set.
pub(super) fn batches<'a>(
    victim: &'a Frozen,
    data: &'a ImageSet,
    size: usize,
    device: &'a Device,
) -> Result<impl Iterator<Item = (Frozen, Batch)> + 'a> {
    Error::unless(size > 0, "batch size", size, "1 or more")?;
    if data.is_empty() {
        let what = format!("image set `{}`", data.name());
        return Err(Error::input(what, "no image", "at least one"));
    }
    let positions = (0..data.len().div_ceil(size)).map(move |chunk| {
        let first = chunk * size;
        Vec::from_iter(first..data.len().min(first + size))
    });
    Ok(positions.map(move |positions| {
        let mut batch = data.batch(&positions, device);
        if let Some(precision) = victim.precision() {
            batch = batch.with_precision(precision);
        }
        (victim.for_ids(&batch.ids), batch)
    }))
}

/// The classes that the classifier takes images for.
///
/// # Errors
///
/// [`Error::Input`] for logits that are not numbers, or fewer than the set has classes.
pub(super) fn classes(
    victim: &Frozen,
    batch: &Batch,
    images: Tensor<4>,
    data: &ImageSet,
) -> Result<Vec<i64>> {
    let logits = victim.logits(images);
    let [_, classes] = logits.dims();
    if classes < data.classes() {
        return Err(Error::input(
            "logits of the classifier",
            format!("{classes} classes"),
            format!("{} or more, as the image set has", data.classes()),
        ));
    }
    let classes: Vec<i64> = read(&predicted_classes(logits));
    match classes.iter().position(|&class| class == NO_CLASS) {
        None => Ok(classes),
        Some(at) => Err(Error::input(
            format!("logits of image {}", batch.ids[at]),
            "NaN",
            "numbers (has the classifier diverged in training?)",
        )),
    }
}
