use crate::group::Group;
use crate::kernel::{avg_pool2d, max_pool2d};
use crate::nn::Footprint;
use burn::config::Config;
use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};

macro_rules! pooling {
    ($(#[$about:meta])* $layer:ident, $config:ident, $padding:literal, $options:ident, $pool:expr) => {
        #[doc = concat!("Configuration of a [`", stringify!($layer), "`].")]
        #[derive(Config, Debug)]
        pub struct $config {
            /// The group.
            pub group: Group,
            /// Side of the window, in pixels.
            pub kernel_size: usize,
            /// Step between neighbouring windows, in pixels; by default the window's side.
            #[config(default = "kernel_size")]
            pub stride: usize,
            #[doc = $padding]
            #[config(default = 0)]
            pub padding: usize,
            /// Whether to refuse features of a size that breaks exact equivariance.
            #[config(default = true)]
            pub exact: bool,
        }

        impl $config {
            /// The layer.
            ///
            /// # Panics
            ///
            /// Panics if window or stride is 0, or if the padding is more than half the window.
            pub fn init(&self) -> $layer {
                let footprint = Footprint {
                    group: self.group,
                    kernel: self.kernel_size,
                    stride: self.stride,
                    padding: self.padding,
                    dilation: 1,
                    exact: self.exact,
                };
                footprint.assert_valid();
                assert!(
                    2 * self.padding <= self.kernel_size,
                    "a window of {} pixels could lie in the padding of {} alone",
                    self.kernel_size,
                    self.padding
                );
                $layer { footprint }
            }
        }

        $(#[$about])*
        #[derive(Module, Debug)]
        pub struct $layer {
            #[module(skip)]
            footprint: Footprint,
        }

        impl $layer {
            /// Pooled features.
            ///
            /// # Shapes
            ///
            /// - features: `[batch, channel, group, height, width]`
            /// - output: `[batch, channel, group, height_out, width_out]`
            ///
            /// # Panics
            ///
            /// Panics if the group axis is wrong, or if [`check`](Self::check) refuses the size.
            pub fn forward(&self, features: Tensor<5>) -> Tensor<5> {
                self.pool(features, $pool)
            }

            fn pool(
                &self,
                features: Tensor<5>,
                pool: impl FnOnce(Tensor<4>, $options<2>) -> Tensor<4>,
            ) -> Tensor<5> {
                let [batch, channels, size, height, width] = features.dims();
                let Footprint { group, kernel, stride, padding, .. } = self.footprint;
                assert_eq!(size, group.size(), "group axis of {group}");
                let planes = features.reshape([batch, channels * size, height, width]);
                let [height, width] = self.footprint.expect(stringify!($layer), [height, width]);
                let options = $options::new([kernel; 2])
                    .with_stride([stride; 2])
                    .with_padding([padding; 2]);
                pool(planes, options).reshape([batch, channels, size, height, width])
            }

            /// The size `[height, width]` of the output for features of this size.
            ///
            /// # Errors
            ///
            /// [`Error::Size`](crate::base::Error::Size) if the window does not fit, or if the
            /// size would break exact equivariance.
            pub fn check(&self, size: [usize; 2]) -> crate::base::Result<[usize; 2]> {
                self.footprint.check(stringify!($layer), size)
            }

            /// What the layer looks at.
            pub fn footprint(&self) -> Footprint {
                self.footprint
            }
        }
    };
}

pooling!(
    /// The largest value in each window, component by component.
    #[doc(alias = "plane_group_spatial_max_pooling")]
    GroupMaxPool2d,
    GroupMaxPool2dConfig,
    "Rows and columns, never the largest, added on each of the four sides, in pixels.",
    MaxPoolOptions,
    |planes, options| max_pool2d(planes, options, false)
);

impl GroupMaxPool2d {
    /// `relu` of [`forward`](Self::forward), which is also `forward` of relu; with the same shapes
    /// and panics, and on the CPU in one pass.
    pub fn forward_relu(&self, features: Tensor<5>) -> Tensor<5> {
        self.pool(features, |planes, options| {
            max_pool2d(planes, options, true)
        })
    }
}

pooling!(
    /// The mean of each window, component by component; padding counts as zeros.
    GroupAvgPool2d,
    GroupAvgPool2dConfig,
    "Zeros added on each of the four sides, in pixels.",
    AvgPoolOptions,
    avg_pool2d
);
