use super::{About, Adversaries};
use crate::base::{Precision, Result, read};
use burn::tensor::{Tensor, bf16, f16};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use std::collections::HashMap;

/// The entry of the header that says what holds for all images, as JSON. The only one: the format
/// keeps no order of entries, and equal adversaries are to be equal files.
pub(super) const ABOUT: &str = "fireproof.adversaries";

/// Where in a file what is: known from the number of images and their kind alone, so that images can
/// be written one at a time.
///
/// The order is that of the library's own writer: the widest element types first, by name among them.
pub(in crate::attack) struct Layout {
    header: Vec<u8>,
    columns: Vec<Column>,
}

/// Something that each image has, such as its pixels.
pub(in crate::attack) struct Column {
    pub name: &'static str,
    /// Where the first image's begins in the file.
    pub start: u64,
    /// Bytes of each image.
    pub size: usize,
}

pub(super) fn dtype_of(precision: Precision) -> Dtype {
    match precision {
        Precision::F64 => Dtype::F64,
        Precision::F32 => Dtype::F32,
        Precision::F16 => Dtype::F16,
        Precision::Bf16 => Dtype::BF16,
    }
}

impl Layout {
    /// Of so many images `[channel, height, width]`.
    pub fn new(about: &About, count: usize, image: [usize; 3], precision: Precision) -> Self {
        let pixels = dtype_of(precision);
        let mut kinds = vec![
            ("distance", Dtype::F64, &[][..]),
            ("fooled", Dtype::BOOL, &[]),
            ("ids", Dtype::U64, &[]),
            ("images", pixels, &image),
            ("labels", Dtype::I64, &[]),
            ("loss", Dtype::F32, &[]),
            ("originals", pixels, &image),
            ("predicted", Dtype::I64, &[]),
        ];
        if about.moved {
            kinds.push(("poses", Dtype::F64, &[4]));
        }
        kinds.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let mut end = 0;
        let mut columns = Vec::new();
        let tensors = kinds.into_iter().map(|(name, dtype, each)| {
            let values: usize = each.iter().product();
            let (start, size) = (end, values * dtype.bitsize() / 8);
            end += count * size;
            columns.push(Column {
                name,
                start: start as u64,
                size,
            });
            let info = TensorInfo {
                dtype,
                shape: [&[count], each].concat(),
                data_offsets: (start, end),
            };
            (name.to_owned(), info)
        });
        let tensors = tensors.collect();
        let text = serde_json::to_string(about).expect("plain values");
        let about = HashMap::from([(ABOUT.to_owned(), text)]);
        let metadata = Metadata::new(Some(about), tensors).expect("one tensor after the other");
        let mut text = serde_json::to_vec(&metadata).expect("plain values");
        text.resize(text.len().next_multiple_of(8), b' ');
        let header = [&(text.len() as u64).to_le_bytes(), &text[..]].concat();
        for column in &mut columns {
            column.start += header.len() as u64;
        }
        Self { header, columns }
    }

    /// What the file begins with.
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// The columns in their order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> &Column {
        let found = self.columns.iter().find(|column| column.name == name);
        found.expect("the name of a column")
    }

    /// Bytes of the file of so many images.
    pub fn len(&self, count: usize) -> u64 {
        let row: usize = self.columns.iter().map(|column| column.size).sum();
        (self.header.len() + count * row) as u64
    }
}

impl Adversaries {
    /// The column of this name as the file has it.
    pub(in crate::attack) fn bytes(&self, column: &str) -> Result<Vec<u8>> {
        fn each<T: Copy, const N: usize>(values: &[T], bytes: fn(T) -> [u8; N]) -> Vec<u8> {
            values.iter().flat_map(|&value| bytes(value)).collect()
        }
        Ok(match column {
            "distance" => each(&self.distance, |d| d.unwrap_or(f64::NAN).to_le_bytes()),
            "fooled" => each(&self.fooled, |fooled| [u8::from(fooled)]),
            "ids" => each(&self.ids, u64::to_le_bytes),
            "images" => pixels(&self.images)?,
            "labels" => each(&self.labels, i64::to_le_bytes),
            "loss" => each(&self.loss, f32::to_le_bytes),
            "originals" => pixels(&self.originals)?,
            "poses" => {
                let poses = self.poses.iter().flatten();
                let numbers = poses.flat_map(|pose| pose.to_row());
                each(&Vec::from_iter(numbers), f64::to_le_bytes)
            }
            _ => each(&self.predicted, i64::to_le_bytes),
        })
    }
}

fn pixels(images: &Tensor<4>) -> Result<Vec<u8>> {
    fn each<T, const N: usize>(values: Vec<T>, bytes: fn(T) -> [u8; N]) -> Vec<u8> {
        values.into_iter().flat_map(bytes).collect()
    }
    Ok(match Precision::of("attacked images", images)? {
        Precision::F64 => each(read(images), f64::to_le_bytes),
        Precision::F32 => each(read(images), f32::to_le_bytes),
        Precision::F16 => each(read(images), f16::to_le_bytes),
        Precision::Bf16 => each(read(images), bf16::to_le_bytes),
    })
}
