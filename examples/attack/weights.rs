//! Weights as SafeTensors, by the names that they have in the model, as `burn::store` (feature
//! `store`) writes them too.

use burn::module::Module;
use burn::tensor::{Tensor, TensorData, bf16, f16};
use fireproof::base::{Classifier, Error, Result, read, write_atomically};
use fireproof::train::{Student, Weight};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::path::Path;

pub fn save<M: Module + Classifier + 'static>(model: &M, file: &Path) -> Result<()> {
    let weights = model.weights();
    let bytes = |weight: &Weight| -> Vec<u8> {
        let values = read::<f32, _, _>(&weight.values).into_iter();
        values.flat_map(f32::to_le_bytes).collect()
    };
    let bytes = Vec::from_iter(weights.iter().map(bytes));
    let views = weights.iter().zip(&bytes).map(|(weight, bytes)| {
        let view = TensorView::new(Dtype::F32, weight.shape.clone(), bytes);
        (
            &weight.name,
            view.expect("as many numbers as its shape says"),
        )
    });
    let packed = safetensors::serialize(views, None).map_err(|e| refused(file, e, "weights"))?;
    write_atomically(file, &packed)
}

pub fn load<M: Module + Classifier + 'static>(mut model: M, file: &Path) -> Result<M> {
    let bytes = std::fs::read(file).map_err(|e| Error::io(file, e))?;
    let tensors =
        SafeTensors::deserialize(&bytes).map_err(|e| refused(file, e, "a SafeTensors file"))?;
    let weights = model.weights();
    let mut names = tensors.names();
    names.sort_unstable();
    let missing = weights
        .iter()
        .find(|weight| !names.contains(&&*weight.name));
    if let Some(Weight { name, shape, .. }) = missing {
        let expected = format!("`{name}` {shape:?} among them; see --network");
        return Err(refused(file, names.join(", "), &expected));
    }
    if let Some(name) = names
        .iter()
        .find(|name| weights.iter().all(|w| w.name != **name))
    {
        let expected = "the weights of this network alone; see --network";
        return Err(refused(file, format!("`{name}`"), expected));
    }
    let values = |weight: &Weight| {
        let view = tensors.tensor(&weight.name).expect("a name of the file");
        let values = numbers(&view).filter(|_| view.shape() == weight.shape);
        let values = values.ok_or_else(|| {
            let found = format!("`{}` {} {:?}", weight.name, view.dtype(), view.shape());
            refused(file, found, &format!("F32, F16 or BF16 {:?}", weight.shape))
        })?;
        let shape = [values.len()];
        Ok(Tensor::from_data(
            TensorData::new(values, shape),
            &weight.values.device(),
        ))
    };
    let values = weights.iter().map(values).collect::<Result<_>>()?;
    model.replace(values);
    Ok(model)
}

// Those of a type that f32 has all of.
fn numbers(view: &TensorView) -> Option<Vec<f32>> {
    fn each<const N: usize>(bytes: &[u8], number: fn([u8; N]) -> f32) -> Option<Vec<f32>> {
        let (chunks, _) = bytes.as_chunks::<N>();
        Some(chunks.iter().map(|&chunk| number(chunk)).collect())
    }
    match view.dtype() {
        Dtype::F32 => each(view.data(), f32::from_le_bytes),
        Dtype::F16 => each(view.data(), |bytes| f16::from_le_bytes(bytes).to_f32()),
        Dtype::BF16 => each(view.data(), |bytes| bf16::from_le_bytes(bytes).to_f32()),
        _ => None,
    }
}

fn refused(file: &Path, found: impl std::fmt::Display, expected: &str) -> Error {
    Error::input(format!("tensors of {}", file.display()), found, expected)
}
