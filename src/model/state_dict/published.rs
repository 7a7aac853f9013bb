use crate::nn::Normalize;
use burn::module::Module;

/// A network that says what its weights are called in files: what [`StateDict`](super::StateDict) loads
/// and writes.
///
/// One whose fields have the names of its PyTorch original says nothing:
///
/// ```
/// use burn::module::Module;
/// use fireproof::model::{Published, StateDict};
/// use fireproof::nn::*;
///
/// #[derive(Module, Debug)]
/// struct Net {
///     normalize: Option<Normalize>,
///     conv1: Conv2d,
///     fc: Linear,
/// }
///
/// impl Published for Net {
///     fn normalize(&mut self) -> Option<&mut Option<Normalize>> {
///         Some(&mut self.normalize)
///     }
/// }
///
/// let device = fireproof::device();
/// let net = Net {
///     normalize: None,
///     conv1: Conv2dConfig::new([1, 4], 3).init(&device),
///     fc: LinearConfig::new([4, 10]).init(&device),
/// };
/// let mut state = StateDict::of(&net);
/// let names = Vec::from_iter(state.names());
/// assert_eq!(names, ["conv1.bias", "conv1.weight", "fc.bias", "fc.weight"]);
/// assert_eq!(state.shape("fc.weight"), Some(&[10, 4][..])); // as in PyTorch
///
/// // A file's normalisation of the pixels becomes the network's, never an assumption.
/// state.insert("mu", &[1, 1, 1, 1], vec![0.1307]);
/// let error = state.load(net.clone()).unwrap_err();
/// assert!(error.to_string().contains("`mu` [1, 1, 1, 1]"));
/// state.insert("sigma", &[1, 1, 1, 1], vec![0.3081]);
/// assert!(state.load(net)?.normalize.is_some());
/// # Ok::<(), fireproof::base::Error>(())
/// ```
pub trait Published: Module {
    /// The names in files of the parameters that this module calls so, in the same order.
    ///
    /// `own` are the places in the module, with dots, but with PyTorch's last parts: `weight` and `bias`
    /// where Burn has `gamma` and `beta`, and no part for the layer inside of a
    /// [`GroupBatchNorm`](crate::nn::GroupBatchNorm). As they are, unless a network says otherwise.
    fn names(&self, own: Vec<String>) -> Vec<String> {
        own
    }

    /// How names begin that files of this network may have, and whose tensors it has no use for.
    fn ignorable(&self) -> &'static [&'static str] {
        &[]
    }

    /// The place of the normalisation of the pixels, if there is one.
    fn normalize(&mut self) -> Option<&mut Option<Normalize>> {
        None
    }
}

/// The number at which a name goes on after its start, and the rest of it.
pub(crate) fn numbered<'a>(name: &'a str, start: &str) -> Option<(usize, &'a str)> {
    let (number, rest) = name.strip_prefix(start)?.split_once('.')?;
    Some((number.parse().ok()?, rest))
}

/// Of each of the `blocks` among the names of a residual network its stage and its place in it, both
/// counted from 0: a stage begins with the first block of all, and with each that has a shortcut.
pub(crate) fn staged(own: &[String]) -> Vec<[usize; 2]> {
    let blocks = own.iter().filter_map(|name| numbered(name, "blocks."));
    let mut begins = Vec::new();
    for (block, rest) in blocks {
        begins.resize(begins.len().max(block + 1), false);
        begins[block] |= rest.starts_with("shortcut.");
    }
    let mut place: Option<[usize; 2]> = None;
    let next = |begins| {
        let at = match (place, begins) {
            (None, _) => [0, 0],
            (Some([stage, _]), true) => [stage + 1, 0],
            (Some([stage, at]), false) => [stage, at + 1],
        };
        place = Some(at);
        at
    };
    begins.into_iter().map(next).collect()
}
