use crate::kernel::{avg_pool2d, max_pool2d};
use crate::nn::Footprint;
use crate::nn::footprint::spatial;
use crate::nn::planes::Planes;
use burn::tensor::Tensor;
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};

/// A pooling: configuration, forward pass and size check.
///
/// One over a group says so by the names `{ group, exact }` of the settings it then has. `forward`
/// and, where relu can go along, `forward_relu` say what is done with planes.
macro_rules! pooling {
    (
        $(#[$about:meta])*
        $layer:ident, $config:ident { $($group:ident, $exact:ident)? }
        $rank:literal $shape:literal,
        padding: $padding:literal,
        forward: $pool:expr
        $(, $forward_relu:ident: $fused:expr)?
    ) => {
        #[doc = concat!("Configuration of a [`", stringify!($layer), "`].")]
        #[derive(
            Clone,
            Debug,
            PartialEq,
            serde::Serialize,
            serde::Deserialize,
            derive_setters::Setters,
            derive_new::new,
        )]
        #[serde(deny_unknown_fields)]
        #[setters(prefix = "with_")]
        pub struct $config {
            $(
                /// The group.
                pub $group: $crate::group::Group,
            )?
            /// Side of the window, in pixels.
            pub kernel_size: usize,
            /// Step between neighbouring windows, in pixels; by default the window's side.
            #[new(value = "kernel_size")]
            pub stride: usize,
            #[doc = $padding]
            #[new(value = "0")]
            pub padding: usize,
            $(
                /// Whether to refuse features of a size that breaks exact equivariance.
                #[new(value = "true")]
                pub $exact: bool,
            )?
        }

        $crate::base::config!($config);

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
            #[doc = concat!("- input, and output with its own size: `", $shape, "`")]
            ///
            /// # Panics
            ///
            /// Panics if the group axis is wrong, or if [`check`](Self::check) refuses the size.
            pub fn forward(&self, input: Tensor<$rank>) -> Tensor<$rank> {
                self.pool(input, $pool)
            }

            $(
                /// `relu` of [`forward`](Self::forward), which is also `forward` of relu; with the
                /// same shapes and panics, and on the CPU in one pass.
                pub fn $forward_relu(&self, input: Tensor<$rank>) -> Tensor<$rank> {
                    self.pool(input, $fused)
                }
            )?

            fn pool(
                &self,
                input: Tensor<$rank>,
                pool: fn(&Footprint, Tensor<4>) -> Tensor<4>,
            ) -> Tensor<$rank> {
                let planes = input.into_planes(self.footprint.group);
                let [_, _, height, width] = planes.dims();
                self.footprint.expect(stringify!($layer), [height, width]);
                Planes::from_planes(pool(&self.footprint, planes), self.footprint.group)
            }
        }

        spatial! {
            $config => $layer, $rank => $rank $(, $forward_relu)?;
            init: |config, _| config.init(), params: |_| 0
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

pooling! {
    /// The largest value in each window of features without a group axis.
    MaxPool2d, MaxPool2dConfig {}
    4 "[batch, channel, height, width]",
    padding: "Rows and columns, never the largest, added on each of the four sides, in pixels.",
    forward: |footprint, planes| max(footprint, planes, false),
    forward_relu: |footprint, planes| max(footprint, planes, true)
}

pooling! {
    /// The largest value in each window, component by component.
    #[doc(alias = "plane_group_spatial_max_pooling")]
    GroupMaxPool2d, GroupMaxPool2dConfig { group, exact }
    5 "[batch, channel, group, height, width]",
    padding: "Rows and columns, never the largest, added on each of the four sides, in pixels.",
    forward: |footprint, planes| max(footprint, planes, false),
    forward_relu: |footprint, planes| max(footprint, planes, true)
}

pooling! {
    /// The mean of each window, component by component; padding counts as zeros.
    GroupAvgPool2d, GroupAvgPool2dConfig { group, exact }
    5 "[batch, channel, group, height, width]",
    padding: "Zeros added on each of the four sides, in pixels.",
    forward: average
}
