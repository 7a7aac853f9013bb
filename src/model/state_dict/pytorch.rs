use super::safetensors::numbers;
use super::{Entry, normalization};
use crate::base::{Error, Result};
use pytorch_reader::{DType, PytorchError, PytorchReader, Tensor};
use safetensors::Dtype;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use tempfile::NamedTempFile;

/// Where checkpoints keep the weights beside whatever else they keep.
const KEYS: [&str; 5] = ["state_dict", "model_state_dict", "model", "net", "network"];

pub(super) fn read(file: &Path, key: Option<&str>) -> Result<BTreeMap<String, Entry>> {
    std::fs::File::open(file).map_err(|error| Error::io(file, error))?;
    let refused = |found: &dyn std::fmt::Display| {
        Error::input(
            file.display().to_string(),
            found,
            "a state dict that `torch.save` wrote; if Python reads it, convert it there: \
             safetensors.torch.save_file(torch.load(FILE, map_location='cpu'), 'FILE.safetensors')",
        )
    };
    // Lives as long as tensors are read from it.
    let mut copy = None;
    let tensors = match opened(file, key) {
        Err(PytorchError::Zip(error)) => {
            copy = with_one_directory(file)?;
            let copy = copy.as_ref().ok_or_else(|| refused(&error))?;
            opened(copy.path(), key)
        }
        tensors => tensors,
    };
    let tensors = tensors.map_err(|error| refused(&error))?;
    let entry = |tensor: Tensor| {
        let mut bytes = tensor.read().map_err(|error| refused(&error))?;
        if cfg!(target_endian = "big") {
            // The reader gives them as this machine keeps numbers.
            let size = tensor.dtype().size();
            bytes.chunks_mut(size).for_each(<[u8]>::reverse);
        }
        let values = numbers(dtype(&tensor), &bytes).expect("a type of numbers");
        let shape = tensor.shape().to_vec();
        Ok((tensor.name, Entry { shape, values }))
    };
    let tensors = tensors.into_iter().map(entry).collect();
    drop(copy);
    tensors
}

/// The tensors under a key; or of the weights, with the constants of a normalisation that lie beside them.
fn opened(file: &Path, key: Option<&str>) -> std::result::Result<Vec<Tensor>, PytorchError> {
    let all = |reader: PytorchReader| Vec::from_iter(reader.tensors().values().cloned());
    if let Some(key) = key {
        return PytorchReader::with_top_level_key(file, key).map(all);
    }
    let mut whole = all(PytorchReader::new(file)?);
    for key in KEYS {
        let start = format!("{key}.");
        let is_under = |tensor: &Tensor| tensor.name.starts_with(&start);
        if !whole.iter().any(is_under) {
            continue;
        }
        // Else it is how names begin.
        if let Ok(inner) = PytorchReader::with_top_level_key(file, key) {
            whole.retain(|tensor| !is_under(tensor) && normalization::is_constant(&tensor.name));
            whole.extend(all(inner));
            break;
        }
    }
    Ok(whole)
}

/// A copy of a ZIP file that names its directory once.
///
/// PyTorch's files have two records of where the directory is, of 32 and of 64 bits. The reader takes the
/// directory to end at the former, 76 bytes late; it notices that no entry is there, unless the first one is
/// just as long, as in a file that was saved by a name of 21 letters. This copy's first record refers to the
/// second one.
fn with_one_directory(file: &Path) -> Result<Option<NamedTempFile>> {
    const RECORD: usize = 22;
    const LOCATOR: usize = 20;
    let mut bytes = std::fs::read(file).map_err(|error| Error::io(file, error))?;
    let Some(end) = bytes.len().checked_sub(RECORD) else {
        return Ok(None);
    };
    let has = |at: Option<usize>, signature: &[u8]| {
        at.is_some_and(|at| bytes[at..].starts_with(signature))
    };
    if !has(Some(end), b"PK\x05\x06") || !has(end.checked_sub(LOCATOR), b"PK\x06\x07") {
        return Ok(None);
    }
    // Where the directory starts: too far for 32 bits.
    bytes[end + 16..end + 20].fill(0xff);
    let failed = |error| Error::io(std::env::temp_dir(), error);
    let mut copy = NamedTempFile::new().map_err(failed)?;
    copy.write_all(&bytes).map_err(failed)?;
    Ok(Some(copy))
}

/// The type of a tensor's numbers, as SafeTensors calls it.
fn dtype(tensor: &Tensor) -> Dtype {
    match tensor.dtype() {
        DType::F64 => Dtype::F64,
        DType::F32 => Dtype::F32,
        DType::F16 => Dtype::F16,
        DType::BF16 => Dtype::BF16,
        DType::I64 => Dtype::I64,
        DType::I32 => Dtype::I32,
        DType::I16 => Dtype::I16,
        DType::I8 => Dtype::I8,
        DType::U64 => Dtype::U64,
        DType::U32 => Dtype::U32,
        DType::U16 => Dtype::U16,
        DType::U8 => Dtype::U8,
        DType::Bool => Dtype::BOOL,
    }
}
