use crate::kernel::{avg_pool2d, max_pool2d};
use crate::nn::Footprint;
use crate::nn::layer::layers;
use crate::nn::planes::{flatten, unflatten};
use burn::tensor::Tensor;
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};

/// What all poolings have: configuration, size check and forward pass.
///
/// `$pool` is the response, given the footprint and the features. A pooling over a group says so
/// by the names `{ group, exact }`.
macro_rules! pooling {
    (
        $(#[$about:meta])*
        $layer:ident, $config:ident { $($group:ident, $exact:ident)? }
        $rank:literal: $from:literal => $to:literal,
        $pool:expr,
        padding: $padding:literal
    ) => {
        #[doc = concat!("Configuration of a [`", stringify!($layer), "`].")]
        #[derive(burn::config::Config, Debug)]
        pub struct $config {
            $(
                /// The group.
                pub $group: $crate::group::Group,
            )?
            /// Side of the window, in pixels.
            pub kernel_size: usize,
            /// Step between neighbouring windows, in pixels; by default the window's side.
            #[config(default = "kernel_size")]
            pub stride: usize,
            #[doc = $padding]
            #[config(default = 0)]
            pub padding: usize,
            $(
                /// Whether to refuse features of a size that breaks exact equivariance.
                #[config(default = true)]
                pub $exact: bool,
            )?
        }

        impl $config {
            /// The layer.
            ///
            /// # Panics
            ///
            /// Panics if window or stride is 0, or if the padding is more than half the window.
            pub fn init(&self) -> $layer {
                $layer {
                    footprint: self.footprint(),
                }
            }

            /// What the layer looks at.
            ///
            /// # Panics
            ///
            /// As [`init`](Self::init).
            pub fn footprint(&self) -> $crate::nn::Footprint {
                let footprint = $crate::nn::Footprint {
                    stride: self.stride,
                    padding: self.padding,
                    $(group: self.$group, exact: self.$exact,)?
                    ..$crate::nn::Footprint::new(self.kernel_size)
                };
                footprint.assert_valid();
                assert!(
                    2 * self.padding <= self.kernel_size,
                    "a window of {} pixels could lie in the padding of {} alone",
                    self.kernel_size,
                    self.padding
                );
                footprint
            }
        }

        impl $crate::nn::LayerConfig for $config {
            type Layer = $layer;

            fn check(&self, size: [usize; 2]) -> $crate::base::Result<[usize; 2]> {
                self.footprint().check(stringify!($layer), size)
            }

            fn num_params(&self) -> usize {
                0
            }

            fn init(&self, _: &burn::tensor::Device) -> $layer {
                Self::init(self)
            }
        }

        $(#[$about])*
        #[derive(burn::module::Module, Debug)]
        pub struct $layer {
            #[module(skip)]
            footprint: $crate::nn::Footprint,
        }

        impl $layer {
            /// Pooled features.
            ///
            /// # Shapes
            ///
            #[doc = concat!("- input: `", $from, "`")]
            #[doc = concat!("- output: `", $to, "`")]
            ///
            /// # Panics
            ///
            /// Panics if the group axis is wrong, or if [`check`](Self::check) refuses the size.
            pub fn forward(&self, input: Tensor<$rank>) -> Tensor<$rank> {
                self.pool(input, $pool)
            }

            fn pool(
                &self,
                input: Tensor<$rank>,
                pool: impl FnOnce(&Footprint, Tensor<$rank>) -> Tensor<$rank>,
            ) -> Tensor<$rank> {
                let [.., height, width] = input.dims();
                self.footprint.expect(stringify!($layer), [height, width]);
                pool(&self.footprint, input)
            }

            /// The size `[height, width]` of the output for an input of this size.
            ///
            /// # Errors
            ///
            /// [`Error::Size`](crate::base::Error::Size) if the window does not fit, or if the
            /// size would break exact equivariance.
            pub fn check(&self, size: [usize; 2]) -> $crate::base::Result<[usize; 2]> {
                self.footprint.check(stringify!($layer), size)
            }

            /// What the layer looks at.
            pub fn footprint(&self) -> $crate::nn::Footprint {
                self.footprint
            }
        }
    };
}

fn max(footprint: &Footprint, planes: Tensor<4>, relu: bool) -> Tensor<4> {
    let options = MaxPoolOptions::new([footprint.kernel; 2])
        .with_stride([footprint.stride; 2])
        .with_padding([footprint.padding; 2]);
    max_pool2d(planes, options, relu)
}

fn average(footprint: &Footprint, planes: Tensor<4>) -> Tensor<4> {
    let options = AvgPoolOptions::new([footprint.kernel; 2])
        .with_stride([footprint.stride; 2])
        .with_padding([footprint.padding; 2]);
    avg_pool2d(planes, options)
}

/// The same on every component of features over a group.
fn group_max(footprint: &Footprint, features: Tensor<5>, relu: bool) -> Tensor<5> {
    let planes = flatten(features, footprint.group);
    unflatten(max(footprint, planes, relu), footprint.group)
}

fn group_average(footprint: &Footprint, features: Tensor<5>) -> Tensor<5> {
    let planes = flatten(features, footprint.group);
    unflatten(average(footprint, planes), footprint.group)
}

pooling! {
    /// The largest value in each window of features without a group axis.
    MaxPool2d, MaxPool2dConfig {}
    4: "[batch, channel, height, width]" => "[batch, channel, height_out, width_out]",
    |footprint, planes| max(footprint, planes, false),
    padding: "Rows and columns, never the largest, added on each of the four sides, in pixels."
}

pooling! {
    /// The largest value in each window, component by component.
    #[doc(alias = "plane_group_spatial_max_pooling")]
    GroupMaxPool2d, GroupMaxPool2dConfig { group, exact }
    5: "[batch, channel, group, height, width]" =>
        "[batch, channel, group, height_out, width_out]",
    |footprint, features| group_max(footprint, features, false),
    padding: "Rows and columns, never the largest, added on each of the four sides, in pixels."
}

pooling! {
    /// The mean of each window, component by component; padding counts as zeros.
    GroupAvgPool2d, GroupAvgPool2dConfig { group, exact }
    5: "[batch, channel, group, height, width]" =>
        "[batch, channel, group, height_out, width_out]",
    group_average,
    padding: "Zeros added on each of the four sides, in pixels."
}

impl MaxPool2d {
    /// `relu` of [`forward`](Self::forward), which is also `forward` of relu; with the same shapes
    /// and panics, and on the CPU in one pass.
    pub fn forward_relu(&self, planes: Tensor<4>) -> Tensor<4> {
        self.pool(planes, |footprint, planes| max(footprint, planes, true))
    }
}

impl GroupMaxPool2d {
    /// `relu` of [`forward`](Self::forward), which is also `forward` of relu; with the same shapes
    /// and panics, and on the CPU in one pass.
    pub fn forward_relu(&self, features: Tensor<5>) -> Tensor<5> {
        self.pool(features, |footprint, features| {
            group_max(footprint, features, true)
        })
    }
}

layers! {
    MaxPool2d, 4 => 4, forward_relu;
    GroupMaxPool2d, 5 => 5, forward_relu;
    GroupAvgPool2d, 5 => 5;
}
