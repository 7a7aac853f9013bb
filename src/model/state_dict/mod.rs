//! Weights as PyTorch names and lays them out, in and out of files and networks.

mod fields;
mod loading;
mod normalization;
mod published;
mod pytorch;
mod safetensors;

pub use published::Published;
pub(crate) use published::{numbered, staged};

use self::fields::Fields;
use crate::base::{Error, Result};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// Tensors by name, as PyTorch's `state_dict()` has them: in and out of `.pt`, `.pth` and SafeTensors
/// files, and of every network that says what its weights are called there ([`Published`]).
///
/// Shapes are PyTorch's: a linear weight is `[out, in]`, a convolution's `[out, in, side, side]`, one over
/// a group as GrouPy has it, `[out, in, |G|, side, side]`, with |G| = 1 in a lifting convolution. Numbers
/// are kept as f32, whatever the file has.
///
/// # Batch norm
///
/// A file's `running_var` is PyTorch's, which moves it by each batch's *unbiased* variance: n/(n − 1) of
/// the biased one by which this crate, as Burn, moves its own, for batches of n values a channel. A file
/// does not tell n, and inference must give the logits that PyTorch gives: the variance is taken, and
/// written, as it is. Where a network learns on, only the newest batches' share differs, by 3e-5 of itself
/// for 128 images of 16×16.
///
/// ```
/// use fireproof::base::read;
/// use fireproof::group::Group;
/// use fireproof::model::{CnnConfig, StateDict};
/// use burn::tensor::Tensor;
///
/// # let folder = std::env::temp_dir().join(format!("fireproof-state-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # let file = folder.join("cnn.safetensors");
/// let device = fireproof::device();
/// let config = CnnConfig::new(Group::P4, [1, 28, 28], 10);
/// let learnt = config.clone().with_seed(7).init(&device)?;
/// StateDict::of(&learnt).write(&file)?;
///
/// let state = StateDict::read(&file)?; // or a `.pt`
/// assert_eq!(state.shape("conv1.weight"), Some(&[10, 1, 1, 3, 3][..]));
/// let loaded = state.load(config.init(&device)?)?;
/// let images = Tensor::<4>::ones([2, 1, 28, 28], &device);
/// let logits = [&learnt, &loaded].map(|model| read::<f32, _, _>(&model.forward(images.clone())));
/// assert_eq!(logits[0], logits[1]);
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StateDict {
    tensors: BTreeMap<String, Entry>,
    /// Where it comes from, as errors call it.
    source: String,
}

/// A tensor on the host, its numbers in row order.
#[derive(Clone, PartialEq)]
struct Entry {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not millions of numbers.
        self.shape.fmt(f)
    }
}

impl StateDict {
    /// One without tensors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a file: SafeTensors, or what `torch.save` wrote, by its ending (`.safetensors`, `.pt`, `.pth`).
    ///
    /// Of a checkpoint, a dictionary with more in it than weights, those under the usual keys are taken:
    /// `state_dict`, `model_state_dict`, `model`, `net`, `network`, and constants of a normalisation beside
    /// them; others by [`read_under`](Self::read_under). No code of the file is run.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if there is no such file; [`Error::Input`] if it has another ending, or does not hold
    /// what that promises.
    pub fn read(file: impl AsRef<Path>) -> Result<Self> {
        Self::read_file(file.as_ref(), None)
    }

    /// Reads the tensors under this key of a checkpoint that `torch.save` wrote.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and if there is no such key.
    pub fn read_under(file: impl AsRef<Path>, key: &str) -> Result<Self> {
        Self::read_file(file.as_ref(), Some(key))
    }

    fn read_file(file: &Path, key: Option<&str>) -> Result<Self> {
        let ending = file.extension().and_then(|ending| ending.to_str());
        let tensors = match (ending, key) {
            (Some("safetensors"), None) => safetensors::read(file)?,
            (Some("pt" | "pth"), key) => pytorch::read(file, key)?,
            _ => {
                let expected = match key {
                    None => ".pt, .pth or .safetensors",
                    Some(_) => ".pt or .pth, which have keys",
                };
                let found = ending.unwrap_or("none");
                return Err(Error::input(
                    format!("ending of {}", file.display()),
                    found,
                    expected,
                ));
            }
        };
        let source = file.display().to_string();
        Ok(Self { tensors, source })
    }

    /// Writes a SafeTensors file, whole or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn write(&self, file: impl AsRef<Path>) -> Result<()> {
        self.write_with(file, &[])
    }

    /// The same with further texts in the file's header.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn write_with(&self, file: impl AsRef<Path>, texts: &[(&str, &str)]) -> Result<()> {
        safetensors::write(&self.tensors, texts, file.as_ref())
    }

    /// The names, in alphabetical order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The shape of the tensor of this name, if there is one.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|entry| &entry.shape[..])
    }

    /// The numbers of the tensor of this name in row order, if there is one.
    pub fn values(&self, name: &str) -> Option<&[f32]> {
        self.tensors.get(name).map(|entry| &entry.values[..])
    }

    /// Adds a tensor, or replaces that of the same name.
    ///
    /// # Panics
    ///
    /// Panics unless there are as many numbers as the shape says.
    pub fn insert(&mut self, name: impl Into<String>, shape: &[usize], values: Vec<f32>) {
        let count = shape.iter().product::<usize>();
        assert_eq!(values.len(), count, "numbers of a tensor {shape:?}");
        let shape = shape.to_vec();
        self.tensors.insert(name.into(), Entry { shape, values });
    }

    /// Removes the tensor of this name; whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        self.tensors.remove(name).is_some()
    }

    /// The same tensors under other names, for files that call them otherwise than a network does.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] if two get the same name.
    pub fn renamed(self, name: impl Fn(&str) -> String) -> Result<Self> {
        let mut tensors = BTreeMap::new();
        for (old, entry) in self.tensors {
            let new = name(&old);
            if tensors.insert(new.clone(), entry).is_some() {
                return Err(Error::input(
                    "renamed tensors",
                    format!("two of the name `{new}`"),
                    "one of each name",
                ));
            }
        }
        let source = self.source;
        Ok(Self { tensors, source })
    }

    /// The weights, running statistics and [`Normalize`](crate::nn::Normalize) of a network, by the names
    /// that it has in files; of the last as `normalize.mean` and `normalize.std`.
    pub fn of<M: Published>(network: &M) -> Self {
        // A copy has the latest running statistics, which Burn keeps apart until then.
        let mut network = network.valid();
        let mut state = Fields::of(&network).values(&network);
        if let Some(Some(normalize)) = network.normalize() {
            let constants = normalize.constants();
            state.insert("normalize.mean", &[constants.mean.len()], constants.mean);
            state.insert("normalize.std", &[constants.std.len()], constants.std);
        }
        state
    }

    /// The network with these weights; clones of it stay as they are. It is in training if it was, else in
    /// inference mode, from which [`train`](burn::module::Module::train) leads back.
    ///
    /// Read over are `num_batches_tracked`, which inference does not use, and what the network says is
    /// [ignorable](Published::ignorable); a first part of all names that the network does not have, such as
    /// `module.`; and an axis of length 1 where GrouPy has one. A mean and a deviation of the pixels (`mu`
    /// and `sigma`, `mean` and `std`, wherever in the network they are) become its
    /// [`Normalize`](crate::nn::Normalize), in the place of one that it has.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] that lists all tensors that are missing, that are no weights of the network (those
    /// of a normalisation that it has no place for are none), and that have another shape there.
    pub fn load<M: Published>(&self, network: M) -> Result<M> {
        loading::load(self, network)
    }
}
