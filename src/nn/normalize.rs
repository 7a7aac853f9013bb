use crate::base::{Error, assert_alike, config, read};
use crate::nn::layer::layer;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay};
use burn::tensor::{Device, Tensor, TensorData};
use derive_new::new;
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// Configuration of a [`Normalize`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters, new)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct NormalizeConfig {
    /// What to subtract, one number per channel.
    pub mean: Vec<f32>,
    /// What to divide by afterwards, one positive number per channel.
    pub std: Vec<f32>,
}

config!(NormalizeConfig);

impl NormalizeConfig {
    /// The usual constants of MNIST, for pixels in `[0, 1]`.
    pub fn mnist() -> Self {
        Self::new(vec![0.1307], vec![0.3081])
    }

    /// The usual constants of CIFAR-10, for pixels in `[0, 1]`.
    pub fn cifar10() -> Self {
        Self::new(vec![0.4914, 0.4822, 0.4465], vec![0.2023, 0.1994, 0.2010])
    }

    /// Refuses constants that are no normalisation of images with this many channels.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] unless there is one finite mean and one finite positive deviation for
    /// each channel.
    pub fn check(&self, channels: usize) -> crate::base::Result<()> {
        let each = |values: &[f32], valid: fn(f32) -> bool| {
            values.len() == channels && values.iter().all(|&value| valid(value))
        };
        let valid = channels > 0
            && each(&self.mean, |mean| mean.is_finite())
            && each(&self.std, |std| std.is_finite() && std > 0.0);
        let found = format_args!("mean {:?}, std {:?}", self.mean, self.std);
        let expected =
            format_args!("{channels} finite means and {channels} finite positive deviations");
        Error::unless(valid, "normalize", found, expected)
    }

    /// The layer.
    ///
    /// # Panics
    ///
    /// Panics if [`check`](Self::check) refuses the constants.
    pub fn init(&self, device: &Device) -> Normalize {
        if let Err(error) = self.check(self.mean.len()) {
            panic!("{error}");
        }
        let constant = |values: &[f32]| {
            let shape = [1, values.len(), 1, 1];
            Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
        };
        Normalize {
            mean: constant(&self.mean),
            std: constant(&self.std),
        }
    }
}

/// Brings each channel to mean 0 and deviation 1: `(x − mean) / std`.
///
/// Part of the *model*, so that attacks see the pixels that people see: their budget is in
/// pixels, and clipping to valid pixels clips to valid pixels. Its constants are no parameters:
/// they move with the model, but are neither trained nor recorded, and they take the element type of
/// the images.
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct Normalize {
    mean: Tensor<4>,
    std: Tensor<4>,
}

/// Shows its constants: two models are not one where these differ, though no parameter does.
impl ModuleDisplay for Normalize {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new()
            .with_new_line_after_attribute(false)
            .optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        let shown = |values: &Tensor<4>| {
            let values: Vec<f32> = read(values);
            format!("{values:?}")
        };
        content
            .add("mean", &shown(&self.mean))
            .add("std", &shown(&self.std))
            .optional()
    }
}

impl Normalize {
    /// Normalised images.
    ///
    /// # Shapes
    ///
    /// - images, output: `[batch, channel, height, width]`
    ///
    /// # Panics
    ///
    /// Panics if the number of channels is wrong, or if [`Precision`](crate::base::Precision) does
    /// not know the images' element type.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        // A constant `[1, 1, 1, 1]` would be spread over any number of channels.
        assert_eq!(
            images.dims()[1],
            self.mean.dims()[1],
            "channels of the images"
        );
        assert_alike("normalize", &[("images", images.dtype())]);
        // Constants are no parameters: nothing that casts a model reaches them.
        let constant = |values: &Tensor<4>| values.clone().cast(images.dtype());
        let (mean, std) = (constant(&self.mean), constant(&self.std));
        (images - mean) / std
    }

    /// The constants.
    pub fn constants(&self) -> NormalizeConfig {
        NormalizeConfig::new(read(&self.mean), read(&self.std))
    }
}

layer!(NormalizeConfig => Normalize, 4 => 4; init: Self::init, params: |_| 0);
