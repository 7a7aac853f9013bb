//! Layers for images and for features over a group.
//!
//! Images and ordinary features are `Tensor<4>`, `[batch, channel, height, width]`; features over
//! a [`Group`](crate::group::Group) are `Tensor<5>`, `[batch, channel, group, height, width]`. A
//! [`LiftingConv2d`] leads from the former to the latter, a [`GroupPool`] back.
//!
//! Every layer is *exactly* equivariant: moving its input by an element of the group moves its
//! output by the same element, but for the rounding of sums. For a layer with a stride this holds
//! only on some sizes of image ([`Footprint`] says which), so layers with a spatial footprint
//! have a method `check` that turns an input size into the output size or refuses it, and
//! `forward` refuses the same sizes. `with_exact(false)` lifts the restriction.
//!
//! Layers compose ([`Layer`], [`LayerConfig`]): a list of configurations knows the sizes it works
//! on and its number of parameters before it makes the layers. A [`Block`] is a convolution with
//! what usually follows it; [`InitialWeights`] draws all weights from a seed, [`CastWeights`] gives them
//! another element type. Layers with weights take features of their weights' type, all others of any
//! that [`Precision`](crate::base::Precision) knows.
//!
//! To add a layer, write a file with the layer and its configuration; one with a spatial footprint
//! has a `check`, and one with expanded filters keeps them in a [`FilterCache`].

mod batch_norm;
mod block;
mod cast;
mod conv;
mod convolution;
mod dropout;
mod filter_cache;
mod followed;
mod footprint;
mod group_conv;
mod group_pool;
mod initial;
mod layer;
mod lifting_conv;
mod linear;
mod normalize;
mod planes;
mod residual;
mod spatial_pool;

pub use batch_norm::{GroupBatchNorm, GroupBatchNormConfig};
pub use block::{
    Block, BlockConfig, BlockOf, ConvolutionConfig, GroupBlock, LiftingBlock, PlaneBlock,
};
pub use cast::CastWeights;
pub use conv::{Conv2d, Conv2dConfig};
pub use dropout::{GroupDropout, GroupDropoutConfig};
pub use filter_cache::FilterCache;
pub use followed::{Behind, Followed};
pub use footprint::Footprint;
pub(crate) use footprint::nearest_sizes;
pub use group_conv::{GroupConv2d, GroupConv2dConfig};
pub use group_pool::{GroupPool, GroupPoolConfig, GroupReduction};
pub use initial::InitialWeights;
pub use layer::{Features, Layer, LayerConfig};
pub use lifting_conv::{LiftingConv2d, LiftingConv2dConfig};
pub use linear::{Linear, LinearConfig};
pub use normalize::{Normalize, NormalizeConfig};
pub use residual::{
    BasicBlock, BasicBlockConfig, Downsampling, PreActivationBlock, PreActivationBlockConfig,
    ResidualPath,
};
pub use spatial_pool::{
    GroupAvgPool2d, GroupAvgPool2dConfig, GroupMaxPool2d, GroupMaxPool2dConfig, MaxPool2d,
    MaxPool2dConfig,
};
