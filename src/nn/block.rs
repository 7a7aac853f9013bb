use crate::base::Result;
use crate::nn::{
    Behind, Conv2dConfig, Followed, GroupBatchNormConfig, GroupConv2dConfig, GroupMaxPool2dConfig,
    Layer, LayerConfig, LiftingConv2dConfig, MaxPool2dConfig,
};
use burn::module::Module;
use burn::nn::BatchNormConfig;
use burn::tensor::Device;
use derive_setters::Setters;

/// What the layer of a configuration gives.
type Response<C> = <<C as LayerConfig>::Layer as Layer>::Output;

/// The normalisation that goes along with a convolution.
type NormOf<C> = <<C as ConvolutionConfig>::Norm as LayerConfig>::Layer;

/// The configuration of a convolution that a [`Block`] may start with: it names the layers that go
/// along with it.
pub trait ConvolutionConfig: LayerConfig<Layer: Followed<NormOf<Self>>> + Sized {
    /// A normalisation of its output.
    type Norm: LayerConfig<Layer: Layer<Input = Response<Self>, Output = Response<Self>>>;
    /// A pooling of its output.
    type Pool: LayerConfig<Layer: Layer<Input = Response<Self>, Output = Response<Self>>>;

    /// A batch normalisation of its output.
    fn batch_norm(&self) -> Self::Norm;

    /// A max pooling of its output, over windows of this side that do not overlap.
    fn max_pool(&self, side: usize) -> Self::Pool;
}

impl ConvolutionConfig for Conv2dConfig {
    type Norm = BatchNormConfig;
    type Pool = MaxPool2dConfig;

    fn batch_norm(&self) -> BatchNormConfig {
        BatchNormConfig::new(self.channels[1])
    }

    fn max_pool(&self, side: usize) -> MaxPool2dConfig {
        MaxPool2dConfig::new(side)
    }
}

macro_rules! over_a_group {
    ($($config:ty),+) => {
        $(
            impl ConvolutionConfig for $config {
                type Norm = GroupBatchNormConfig;
                type Pool = GroupMaxPool2dConfig;

                fn batch_norm(&self) -> GroupBatchNormConfig {
                    GroupBatchNormConfig::new(self.group, self.channels[1])
                }

                fn max_pool(&self, side: usize) -> GroupMaxPool2dConfig {
                    GroupMaxPool2dConfig::new(self.group, side).with_exact(self.exact)
                }
            }
        )+
    };
}
over_a_group!(LiftingConv2dConfig, GroupConv2dConfig);

/// Configuration of a [`Block`].
#[derive(Clone, Debug, Setters)]
#[setters(prefix = "with_", strip_option)]
pub struct BlockConfig<C> {
    /// The convolution.
    pub conv: C,
    /// Whether a batch normalisation follows it.
    pub batch_norm: bool,
    /// Side of the windows, which do not overlap, of the max pooling at the end, if there is one.
    pub max_pool: Option<usize>,
}

impl<C: ConvolutionConfig> BlockConfig<C> {
    /// This convolution and relu.
    pub fn new(conv: C) -> Self {
        Self {
            conv,
            batch_norm: false,
            max_pool: None,
        }
    }

    fn norm(&self) -> Option<C::Norm> {
        self.batch_norm.then(|| self.conv.batch_norm())
    }

    fn pool(&self) -> Option<C::Pool> {
        self.max_pool.map(|side| self.conv.max_pool(side))
    }
}

impl<C: ConvolutionConfig> LayerConfig for BlockConfig<C> {
    type Layer = BlockOf<C>;

    fn check(&self, size: [usize; 2]) -> Result<[usize; 2]> {
        self.pool().check(self.conv.check(size)?)
    }

    fn num_params(&self) -> usize {
        self.conv.num_params() + self.norm().num_params()
    }

    fn init(&self, device: &Device) -> BlockOf<C> {
        Block {
            conv: self.conv.init(device),
            norm: self.norm().init(device),
            pool: self.pool().init(device),
        }
    }
}

/// The block that a convolution of this configuration starts.
pub type BlockOf<C> = Block<
    <C as LayerConfig>::Layer,
    <<C as ConvolutionConfig>::Norm as LayerConfig>::Layer,
    <<C as ConvolutionConfig>::Pool as LayerConfig>::Layer,
>;

/// A [`Block`] on planes.
pub type PlaneBlock = BlockOf<Conv2dConfig>;
/// A [`Block`] from images to features over a group.
pub type LiftingBlock = BlockOf<LiftingConv2dConfig>;
/// A [`Block`] over a group.
pub type GroupBlock = BlockOf<GroupConv2dConfig>;

/// A convolution, a normalisation or none, relu, and a max pooling or none.
///
/// Relu changes no order, so it may come after the pooling as well as before it: the last of the
/// layers takes it along, in one pass where it can.
///
/// ```
/// use burn::tensor::Tensor;
/// use fireproof::{group::Group, nn::*};
///
/// let device = fireproof::device();
/// let conv = GroupConv2dConfig::new(Group::P4m, [2, 4], 3).with_padding(1);
/// let block = BlockConfig::new(conv).with_batch_norm(true).with_max_pool(2).init(&device);
/// let features = block.forward(Tensor::ones([1, 2, 8, 6, 6], &device));
/// assert_eq!(features.dims(), [1, 4, 8, 3, 3]);
/// ```
#[derive(Module, Debug)]
pub struct Block<C: Module, N: Module, P: Module> {
    /// The convolution.
    pub conv: C,
    /// The normalisation, if there is one.
    pub norm: Option<N>,
    /// The pooling, if there is one.
    pub pool: Option<P>,
}

impl<C, N, P> Layer for Block<C, N, P>
where
    C: Followed<N> + Module,
    N: Layer<Input = C::Output, Output = C::Output> + Module,
    P: Layer<Input = C::Output, Output = C::Output> + Module,
{
    type Input = C::Input;
    type Output = C::Output;

    fn forward(&self, input: C::Input) -> C::Output {
        let behind = Behind {
            norm: self.norm.as_ref(),
            beside: None,
            relu: self.pool.is_none(),
        };
        let y = self.conv.forward_followed(input, behind);
        match &self.pool {
            None => y,
            Some(pool) => pool.forward_relu(y),
        }
    }
}
