use crate::base::Result;
use crate::kernel;
use burn::module::{Module, ModuleDisplay};
use burn::tensor::{Device, Tensor};

/// What layers take and give: tensors, of any rank.
pub trait Features: Sized {
    /// The positive part, `max(x, 0)`.
    fn relu(self) -> Self;

    /// The sum with others of the same shape.
    fn plus(self, others: Self) -> Self;
}

impl<const D: usize> Features for Tensor<D> {
    fn relu(self) -> Self {
        kernel::relu(self)
    }

    fn plus(self, others: Self) -> Self {
        self + others
    }
}

/// What a network is made of: a map from features to features.
///
/// Layers compose: a pair is a layer after another, a `Vec` a chain of them, and `None` the
/// identity. With its [`LayerConfig`], a layer of your own goes wherever this crate's do; a layer
/// over a group must commute with the group's action on its features.
pub trait Layer {
    /// What it takes, for instance `Tensor<4>`.
    type Input;
    /// What it gives.
    type Output: Features;

    /// The layer's response.
    fn forward(&self, input: Self::Input) -> Self::Output;

    /// `relu` of [`forward`](Layer::forward), for layers that can compute both in one pass.
    fn forward_relu(&self, input: Self::Input) -> Self::Output {
        self.forward(input).relu()
    }
}

/// A layer before it is made: what can be known of it without its parameters.
///
/// A pair, a `Vec` and an `Option` of configurations are those of the layers they make, so that a
/// network's size check, its number of parameters and its forward pass come from one list.
///
/// ```
/// use fireproof::{group::Group, nn::*};
///
/// let network = (
///     BlockConfig::new(LiftingConv2dConfig::new(Group::P4, [1, 8], 3)).with_batch_norm(true),
///     vec![BlockConfig::new(GroupConv2dConfig::new(Group::P4, [8, 8], 3)).with_max_pool(2); 2],
/// );
/// // 18 → 16 → 14 → 7 → 5, which a pooling of 2×2 cannot halve.
/// assert!(network.check([18, 18]).is_err());
/// assert_eq!(network.check([24, 24])?, [4, 4]);
/// assert_eq!(network.num_params(), (9 + 5) * 8 + 2 * (9 * 4 * 8 + 1) * 8);
/// let layers = network.init(&fireproof::device());
/// # let _ = layers;
/// # Ok::<(), fireproof::base::Error>(())
/// ```
pub trait LayerConfig {
    /// The layer.
    type Layer: Layer + Module + ModuleDisplay;

    /// The size `[height, width]` of the output for an input of this size: the same, unless the
    /// layer says otherwise.
    ///
    /// # Errors
    ///
    /// [`Error::Size`](crate::base::Error::Size) if there is none, or if the layer would not be
    /// exactly equivariant on this size.
    fn check(&self, size: [usize; 2]) -> Result<[usize; 2]> {
        Ok(size)
    }

    /// How many parameters the layer will have, as [`Module::num_params`] counts them.
    fn num_params(&self) -> usize;

    /// The layer, with parameters that Burn draws at their first use.
    fn init(&self, device: &Device) -> Self::Layer;
}

impl<A: Layer, B: Layer<Input = A::Output>> Layer for (A, B) {
    type Input = A::Input;
    type Output = B::Output;

    fn forward(&self, input: A::Input) -> B::Output {
        self.1.forward(self.0.forward(input))
    }

    fn forward_relu(&self, input: A::Input) -> B::Output {
        self.1.forward_relu(self.0.forward(input))
    }
}

impl<A: LayerConfig, B: LayerConfig> LayerConfig for (A, B)
where
    B::Layer: Layer<Input = <A::Layer as Layer>::Output>,
{
    type Layer = (A::Layer, B::Layer);

    fn check(&self, size: [usize; 2]) -> Result<[usize; 2]> {
        self.1.check(self.0.check(size)?)
    }

    fn num_params(&self) -> usize {
        self.0.num_params() + self.1.num_params()
    }

    fn init(&self, device: &Device) -> Self::Layer {
        (self.0.init(device), self.1.init(device))
    }
}

// What holds layers of one kind, one after the other, and how an iterator of layers fills it.
macro_rules! chain {
    ($($of:ident, $fill:ident;)+) => {
        $(
            impl<L> Layer for $of<L>
            where
                L: Layer<Output = <L as Layer>::Input>,
                L::Input: Features,
            {
                type Input = L::Input;
                type Output = L::Input;

                fn forward(&self, input: L::Input) -> L::Input {
                    self.iter().fold(input, |x, layer| layer.forward(x))
                }
            }

            impl<C> LayerConfig for $of<C>
            where
                C: LayerConfig,
                C::Layer: Layer<Output = <C::Layer as Layer>::Input>,
                <C::Layer as Layer>::Input: Features,
            {
                type Layer = $of<C::Layer>;

                fn check(&self, size: [usize; 2]) -> Result<[usize; 2]> {
                    self.iter().try_fold(size, |size, layer| layer.check(size))
                }

                fn num_params(&self) -> usize {
                    self.iter().map(C::num_params).sum()
                }

                fn init(&self, device: &Device) -> Self::Layer {
                    self.iter().map(|layer| layer.init(device)).$fill()
                }
            }
        )+
    };
}

chain!(Vec, collect; Option, next;);

/// The methods `forward`, with its documentation, and `forward_relu` of a layer that has a method
/// `respond`, which takes the input and whether relu goes along.
macro_rules! forward {
    ($(#[$about:meta])* $input:ty => $output:ty) => {
        $(#[$about])*
        pub fn forward(&self, input: $input) -> $output {
            self.respond(input, false)
        }

        /// `relu` of [`forward`](Self::forward), with the same shapes and panics: on the CPU in one
        /// pass.
        pub fn forward_relu(&self, input: $input) -> $output {
            self.respond(input, true)
        }
    };
}
pub(super) use forward;

/// Makes a layer of a type that has its `forward`, and perhaps `forward_relu`, already, and of its
/// configuration what makes it: how, with how many parameters, and with which size check if the
/// layer changes sizes.
macro_rules! layer {
    (
        $config:ty => $layer:ty, $input:literal => $output:literal $(, $fused:ident)?;
        init: $init:expr, params: $params:expr $(, check: $check:expr)?
    ) => {
        impl $crate::nn::Layer for $layer {
            type Input = burn::tensor::Tensor<$input>;
            type Output = burn::tensor::Tensor<$output>;

            fn forward(&self, input: Self::Input) -> Self::Output {
                Self::forward(self, input)
            }

            $(
                fn forward_relu(&self, input: Self::Input) -> Self::Output {
                    Self::$fused(self, input)
                }
            )?
        }

        impl $crate::nn::LayerConfig for $config {
            type Layer = $layer;

            $(
                fn check(&self, size: [usize; 2]) -> $crate::base::Result<[usize; 2]> {
                    let check: fn(&Self, [usize; 2]) -> $crate::base::Result<[usize; 2]> = $check;
                    check(self, size)
                }
            )?

            fn num_params(&self) -> usize {
                let params: fn(&Self) -> usize = $params;
                params(self)
            }

            fn init(&self, device: &burn::tensor::Device) -> $layer {
                let init: fn(&Self, &burn::tensor::Device) -> $layer = $init;
                init(self, device)
            }
        }
    };
}
pub(crate) use layer;

/// Shows a layer on one line.
macro_rules! display {
    ($layer:ident, |$this:ident, $content:ident| $add:expr) => {
        impl burn::module::ModuleDisplay for $layer {
            fn custom_settings(&self) -> Option<burn::module::DisplaySettings> {
                burn::module::DisplaySettings::new()
                    .with_new_line_after_attribute(false)
                    .optional()
            }

            fn custom_content(
                &self,
                $content: burn::module::Content,
            ) -> Option<burn::module::Content> {
                let $this = self;
                $add.optional()
            }
        }
    };
}
pub(crate) use display;
