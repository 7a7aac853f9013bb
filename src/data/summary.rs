use crate::data::ImageSet;
use serde::{Deserialize, Serialize};

/// What a result says about the images it was made with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataSummary {
    /// The image set's name.
    pub name: String,
    /// The number of images.
    pub images: usize,
    /// `[channel, height, width]`.
    pub shape: [usize; 3],
    /// The number of classes.
    pub classes: usize,
    /// A 64-bit FNV-1a digest, in hexadecimal, of every image's id, label and pixels in order, the
    /// pixels as they are stored: results with equal digests were made with the same images.
    pub digest: String,
}

impl DataSummary {
    /// The summary of an image set.
    pub fn of(data: &ImageSet) -> Self {
        let mut digest = 0xcbf2_9ce4_8422_2325u64;
        let mut add = |byte: u8| digest = (digest ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        for position in 0..data.len() {
            data.id(position)
                .to_le_bytes()
                .into_iter()
                .for_each(&mut add);
            add(data.label(position));
            data.raw(position, &mut add);
        }
        Self {
            name: data.name().to_owned(),
            images: data.len(),
            shape: data.shape(),
            classes: data.classes(),
            digest: format!("{digest:016x}"),
        }
    }
}
