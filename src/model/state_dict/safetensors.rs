use super::Entry;
use crate::base::{Error, Result, write_atomically};
use burn::tensor::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

pub(super) fn read(file: &Path) -> Result<BTreeMap<String, Entry>> {
    let bytes = std::fs::read(file).map_err(|error| Error::io(file, error))?;
    let refused = |found: &dyn std::fmt::Display, expected: &str| {
        Error::input(file.display().to_string(), found, expected)
    };
    let tensors = SafeTensors::deserialize(&bytes)
        .map_err(|error| refused(&error, "a whole SafeTensors file"))?;
    let entry = |(name, view): (String, TensorView)| {
        let values = numbers(view.dtype(), view.data()).ok_or_else(|| {
            let found = format!("`{name}` of type {}", view.dtype());
            refused(&found, "numbers, of 16, 32 or 64 bits if real")
        })?;
        let shape = view.shape().to_vec();
        Ok((name, Entry { shape, values }))
    };
    tensors.tensors().into_iter().map(entry).collect()
}

pub(super) fn write(
    tensors: &BTreeMap<String, Entry>,
    texts: &[(&str, &str)],
    file: &Path,
) -> Result<()> {
    let bytes = |entry: &Entry| -> Vec<u8> {
        let values = entry.values.iter();
        values.flat_map(|value| value.to_le_bytes()).collect()
    };
    let bytes = Vec::from_iter(tensors.values().map(bytes));
    let views = tensors.iter().zip(&bytes).map(|((name, entry), bytes)| {
        let view = TensorView::new(Dtype::F32, entry.shape.clone(), bytes);
        (name, view.expect("as many numbers as the shape says"))
    });
    // As other programs mark files for PyTorch.
    let texts = [("format", "pt")].into_iter().chain(texts.iter().copied());
    let texts = texts.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let texts = HashMap::<String, String>::from_iter(texts);
    let packed = safetensors::serialize(views, Some(texts)).expect("tensors of known sizes");
    write_atomically(file, &packed)
}

/// Little-endian numbers as f32, the nearest one; `None` for types that are none.
pub(super) fn numbers(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    fn each<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Option<Vec<f32>> {
        let (chunks, _) = bytes.as_chunks::<N>();
        Some(chunks.iter().map(|&chunk| number(chunk)).collect())
    }
    match dtype {
        Dtype::F64 => each(bytes, |bytes| f64::from_le_bytes(bytes) as f32),
        Dtype::F32 => each(bytes, f32::from_le_bytes),
        Dtype::F16 => each(bytes, |bytes| f16::from_le_bytes(bytes).to_f32()),
        Dtype::BF16 => each(bytes, |bytes| bf16::from_le_bytes(bytes).to_f32()),
        Dtype::I64 => each(bytes, |bytes| i64::from_le_bytes(bytes) as f32),
        Dtype::U64 => each(bytes, |bytes| u64::from_le_bytes(bytes) as f32),
        Dtype::I32 => each(bytes, |bytes| i32::from_le_bytes(bytes) as f32),
        Dtype::U32 => each(bytes, |bytes| u32::from_le_bytes(bytes) as f32),
        Dtype::I16 => each(bytes, |bytes| f32::from(i16::from_le_bytes(bytes))),
        Dtype::U16 => each(bytes, |bytes| f32::from(u16::from_le_bytes(bytes))),
        Dtype::I8 => each(bytes, |bytes| f32::from(i8::from_le_bytes(bytes))),
        Dtype::U8 | Dtype::BOOL => each(bytes, |[byte]| f32::from(byte)),
        _ => None,
    }
}
