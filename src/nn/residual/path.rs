use crate::base::Result;
use crate::group::Group;
use crate::nn::{GroupAvgPool2dConfig, GroupConv2dConfig, LayerConfig};
use serde::{Deserialize, Serialize};

/// How a residual network halves the size of its features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Downsampling {
    /// By a stride of the convolutions, as published. On even sizes these begin in the first row and
    /// column and end before the last: over p4 and p4m the network is then *not* equivariant.
    #[default]
    Strided,
    /// By the mean of 2×2 pixels between convolutions without a stride: exactly equivariant on even
    /// sizes, all others are refused over p4 and p4m.
    Pooled,
}

/// The two convolutions of a residual block, and what stands beside them: all that is the same
/// wherever the normalisations are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResidualPath {
    /// The group: p1 for ordinary convolutions.
    pub group: Group,
    /// Channels of the input and of the output.
    pub channels: [usize; 2],
    /// By what the size is divided; a block with 0 panics when it is checked or made.
    pub stride: usize,
    /// How.
    pub downsampling: Downsampling,
}

impl ResidualPath {
    // The first convolution, with what halves the size after it.
    pub(super) fn first(self) -> (GroupConv2dConfig, Option<GroupAvgPool2dConfig>) {
        (self.conv(self.channels, 3, self.stride), self.pool())
    }

    // The second one.
    pub(super) fn second(self) -> GroupConv2dConfig {
        self.conv([self.channels[1]; 2], 3, 1)
    }

    // What makes the input such that it can be added, unless it can be as it is. The mean comes before
    // the convolution: the same linear map, of fewer pixels.
    pub(super) fn beside(self) -> Option<(Option<GroupAvgPool2dConfig>, GroupConv2dConfig)> {
        let made = || (self.pool(), self.conv(self.channels, 1, self.stride));
        self.has_shortcut().then(made)
    }

    /// Whether what is added is the input after a convolution, not as it is.
    pub(crate) fn has_shortcut(self) -> bool {
        let [before, after] = self.channels;
        self.stride != 1 || before != after
    }

    pub(super) fn check(self, size: [usize; 2]) -> Result<[usize; 2]> {
        self.second().check(self.first().check(size)?)
    }

    fn pool(self) -> Option<GroupAvgPool2dConfig> {
        let pooled = self.stride != 1 && self.downsampling == Downsampling::Pooled;
        pooled.then(|| GroupAvgPool2dConfig::new(self.group, self.stride))
    }

    // Of the same size but for the stride, no bias.
    fn conv(self, channels: [usize; 2], side: usize, stride: usize) -> GroupConv2dConfig {
        let conv = GroupConv2dConfig::new(self.group, channels, side)
            .with_padding(side / 2)
            .with_bias(false);
        match self.downsampling {
            Downsampling::Strided if stride != 1 => conv.with_stride(stride).with_exact(false),
            _ => conv,
        }
    }
}
