//! Networks of plain layers alone.

mod folding;
mod step;

pub use step::Step;

use self::folding::Folding;
use crate::base::{Error, Result};
use crate::model::{Network, StateDict};
use std::path::Path;

/// A network of ordinary layers that gives the same logits as one over a group: group convolutions are
/// expanded into ordinary ones, and batch norms are part of the convolutions before them.
///
/// What it is made of is plain data, so that any program can run it: `examples/plain_network.py` does with
/// PyTorch alone, in some forty lines.
///
/// ```
/// use fireproof::group::Group;
/// use fireproof::model::{CnnConfig, ModelSpec, Plain, StateDict, Step};
///
/// let config = CnnConfig::new(Group::P4, [1, 28, 28], 10);
/// let network = config.init(&fireproof::device())?; // trained, say
/// let plain = Plain::fold(&config, &StateDict::of(&network))?;
/// assert_eq!(plain.weights.shape("conv2.weight"), Some(&[40, 40, 3, 3][..])); // 10 channels × 4 turns
/// assert!(matches!(plain.steps[0], Step::Conv { relu: true, .. }));
/// // plain.write("cnn.safetensors")?;
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Plain {
    /// Size of the images, `[channel, height, width]`.
    pub image: [usize; 3],
    /// What is done to them, in order.
    pub steps: Vec<Step>,
    /// The weights of the steps.
    pub weights: StateDict,
}

impl Plain {
    /// A network of this configuration with these weights, as [`StateDict::of`] gives them.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if the network does not say its steps
    /// ([`Network::steps`]); [`Error::Input`] if one of its weights is missing.
    pub fn fold(network: &dyn Network, weights: &StateDict) -> Result<Self> {
        let Some(steps) = network.steps() else {
            let found = network.settings();
            let expected = "a network that says its steps, as those of this crate do";
            return Err(Error::setting("network to fold", found, expected));
        };
        let mut folding = Folding::new(network.group(), weights);
        let mut folded = Vec::from_iter(folding.normalization());
        folded.extend(folding.steps(steps)?);
        Ok(Self {
            image: network.image(),
            steps: folded,
            weights: folding.folded,
        })
    }

    /// Writes a SafeTensors file, whose header says `image` and `steps` as JSON.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn write(&self, file: impl AsRef<Path>) -> Result<()> {
        let text = |value: serde_json::Result<String>| value.expect("plain values");
        let image = text(serde_json::to_string(&self.image));
        let steps = text(serde_json::to_string(&self.steps));
        let texts = [("image", &*image), ("steps", &*steps)];
        self.weights.write_with(file, &texts)
    }
}
