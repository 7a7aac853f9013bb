use serde::{Deserialize, Serialize};

/// A step of a [`Plain`](super::Plain) network, on planes `[batch, channel, height, width]`. Weights are
/// tensors of the file, by the name that the step says with `.weight` and `.bias` behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// `(x − mean) / std`, one number each for each channel.
    Normalize {
        /// What is subtracted.
        mean: Vec<f32>,
        /// By what it is divided then.
        std: Vec<f32>,
    },
    /// A convolution with a bias, and relu if it says so.
    Conv {
        /// Of its weight `[out, in, side, side]` and its bias `[out]`.
        name: String,
        /// Of a batch norm after it; none once it is [folded](super::Plain::fold).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        norm: Option<String>,
        /// Step between neighbouring outputs, in pixels.
        stride: usize,
        /// Zeros added on each side, in pixels.
        padding: usize,
        /// Whether negative values become 0.
        relu: bool,
    },
    /// `x · weight + bias`, one number each for each channel, and relu if it says so: a batch norm that no
    /// convolution comes before.
    Scale {
        /// Of its weight and its bias, both `[channel]`.
        name: String,
        /// Whether negative values become 0.
        relu: bool,
    },
    /// Negative values become 0.
    Relu,
    /// The largest of each window; windows do not overlap, and what is left over at the end is dropped.
    MaxPool {
        /// Side of the windows, in pixels.
        side: usize,
    },
    /// The mean of each window; as [`MaxPool`](Self::MaxPool).
    AvgPool {
        /// Side of the windows, in pixels.
        side: usize,
    },
    /// The sum of two ways, the second of which is the input itself where it has no steps, and relu if it
    /// says so.
    Residual {
        /// The steps of the first way.
        body: Vec<Step>,
        /// Those of the second.
        shortcut: Vec<Step>,
        /// Whether negative values become 0.
        relu: bool,
    },
    /// The largest of so many neighbouring channels: of the components of one over a group.
    ChannelMax {
        /// How many.
        size: usize,
    },
    /// The mean over all places: `[batch, channel]`.
    Mean,
    /// All numbers of an image in one row.
    Flatten,
    /// A linear layer, and relu if it says so.
    Linear {
        /// Of its weight `[out, in]` and its bias `[out]`.
        name: String,
        /// Whether negative values become 0.
        relu: bool,
    },
}

impl Step {
    /// A convolution without padding, a batch norm or none, and relu.
    pub(crate) fn conv(name: impl Into<String>, norm: Option<String>) -> Self {
        Self::Conv {
            name: name.into(),
            norm,
            stride: 1,
            padding: 0,
            relu: true,
        }
    }

    /// The same convolution with this padding.
    pub(crate) fn padded(self, by: usize) -> Self {
        self.with(|_, padding, _| *padding = by)
    }

    /// The same convolution with this stride.
    pub(crate) fn strided(self, by: usize) -> Self {
        self.with(|stride, _, _| *stride = by)
    }

    /// The same convolution without relu.
    pub(crate) fn linearly(self) -> Self {
        self.with(|_, _, relu| *relu = false)
    }

    fn with(mut self, change: impl FnOnce(&mut usize, &mut usize, &mut bool)) -> Self {
        if let Self::Conv {
            stride,
            padding,
            relu,
            ..
        } = &mut self
        {
            change(stride, padding, relu);
        }
        self
    }

    /// A linear layer.
    pub(crate) fn linear(name: impl Into<String>, relu: bool) -> Self {
        let name = name.into();
        Self::Linear { name, relu }
    }
}
