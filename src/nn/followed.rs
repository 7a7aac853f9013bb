use super::{Conv2d, Features, GroupBatchNorm, GroupConv2d, Layer, LiftingConv2d};
use burn::nn::BatchNorm;

/// What follows a convolution, in this order.
#[derive(Clone, Debug)]
pub struct Behind<'a, N, T> {
    /// A normalisation of its response.
    pub norm: Option<&'a N>,
    /// Features that are added.
    pub beside: Option<T>,
    /// Whether negative sums become 0.
    pub relu: bool,
}

impl<N, T> Behind<'_, N, T> {
    /// Relu or nothing.
    pub fn relu(relu: bool) -> Self {
        Self {
            norm: None,
            beside: None,
            relu,
        }
    }
}

/// A layer that can take along what follows it: a [`Block`](super::Block)'s first layer.
///
/// The provided method runs one after the other. This crate's convolutions do better on the CPU: a
/// normalisation by running statistics is folded into filters that no longer learn, up to rounding, and
/// the sum and relu are part of the convolution's own pass. What was folded is kept with the prepared
/// filters and made anew whenever a number of the normalisation is another one.
pub trait Followed<N>: Layer
where
    N: Layer<Input = Self::Output, Output = Self::Output>,
{
    /// The layer's response and what follows.
    ///
    /// # Panics
    ///
    /// Panics where the layers do, and if what is added has another shape.
    fn forward_followed(
        &self,
        input: Self::Input,
        behind: Behind<'_, N, Self::Output>,
    ) -> Self::Output {
        let Behind { norm, beside, relu } = behind;
        match (norm, beside) {
            (None, None) if relu => self.forward_relu(input),
            (Some(norm), None) if relu => norm.forward_relu(self.forward(input)),
            (norm, beside) => {
                let mut y = self.forward(input);
                if let Some(norm) = norm {
                    y = norm.forward(y);
                }
                if let Some(beside) = beside {
                    y = y.plus(beside);
                }
                if relu { y.relu() } else { y }
            }
        }
    }
}

macro_rules! followed {
    ($($layer:ty, $norm:ty, |$of:ident| $inner:expr;)+) => {
        $(
            impl Followed<$norm> for $layer {
                fn forward_followed(
                    &self,
                    input: Self::Input,
                    behind: Behind<'_, $norm, Self::Output>,
                ) -> Self::Output {
                    let Behind { norm, beside, relu } = behind;
                    let norm = norm.map(|$of| $inner);
                    self.respond_to(input, Behind { norm, beside, relu })
                }
            }
        )+
    };
}

followed! {
    Conv2d, BatchNorm, |norm| norm;
    LiftingConv2d, GroupBatchNorm, |norm| &norm.norm;
    GroupConv2d, GroupBatchNorm, |norm| &norm.norm;
}
