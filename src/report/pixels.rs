use crate::base::{Bounds, Error, Result, read};
use burn::tensor::Tensor;

/// Images as numbers from 0 to 1 within their bounds; without limits there is no black and white: 0
/// to 1, cut.
pub(super) fn scaled(images: Tensor<4>, bounds: Bounds) -> Tensor<4> {
    let limit = |limit: f32, other: f32| if limit.is_finite() { limit } else { other };
    let (low, high) = (limit(bounds.low(), 0.0), limit(bounds.high(), 1.0));
    (images - low) / (high - low)
}

/// Images from 0 to 1 as bytes in the order image, channel, row, column.
pub(super) fn bytes(what: &str, images: &Tensor<4>) -> Result<Vec<u8>> {
    to_bytes(what, &read::<f32, _, _>(images))
}

/// Numbers from 0 to 1 as bytes.
pub(super) fn to_bytes(what: &str, values: &[f32]) -> Result<Vec<u8>> {
    if values.iter().any(|value| value.is_nan()) {
        return Err(Error::input(
            format!("a pixel of {what}"),
            "NaN",
            "a number",
        ));
    }
    let byte = |value: &f32| (value * 255.0).round().clamp(0.0, 255.0) as u8;
    Ok(values.iter().map(byte).collect())
}

/// A PNG of 8 bits, grey or RGB, of bytes in the order row, column, channel.
pub(super) fn png(
    what: &str,
    bytes: &[u8],
    [channels, height, width]: [usize; 3],
) -> Result<Vec<u8>> {
    let failed = |error: png::EncodingError| Error::Drawing {
        what: what.to_owned(),
        reason: error.to_string(),
    };
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width as u32, height as u32);
    encoder.set_color(match channels {
        1 => png::ColorType::Grayscale,
        _ => png::ColorType::Rgb,
    });
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(bytes).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(file)
}
