use crate::base::{Error, Result};
use crate::group::Group;
use derive_more::Display;

/// What a convolution or a pooling looks at, and on which sizes of image it is exact.
///
/// A layer with kernel k, dilation d, stride s and padding p at both ends commutes with turns and
/// mirrors exactly if `(H + 2p − d(k−1) − 1) mod s = 0` for both sides H of the image: then the
/// points it samples are the same seen from every side. Otherwise it leaves out something at one
/// end that it takes in at the other, and does not commute (but for images so small that only
/// padding is left out). Images need not be square.
///
/// Kernels are square and padding is the same on all sides by construction; anything else would
/// not commute with quarter turns at all.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq)]
#[display("{group}, k={kernel}, s={stride}, p={padding}, d={dilation}")]
pub struct Footprint {
    /// The group that the layer commutes with. p1 restricts nothing.
    pub group: Group,
    /// Side of the kernel, in pixels.
    pub kernel: usize,
    /// Step between neighbouring outputs, in pixels.
    pub stride: usize,
    /// Rows and columns added on each side, in pixels.
    pub padding: usize,
    /// Step between neighbouring kernel entries, in pixels.
    pub dilation: usize,
    /// Whether sizes that break exactness are refused.
    pub exact: bool,
}

impl Footprint {
    /// A square of this side on every pixel, without a group.
    pub(crate) fn new(kernel: usize) -> Self {
        Self {
            group: Group::P1,
            kernel,
            stride: 1,
            padding: 0,
            dilation: 1,
            exact: true,
        }
    }

    /// The side of the output for this side of the input, or why there is none.
    fn side(&self, side: usize) -> std::result::Result<usize, String> {
        let extent = self.dilation * (self.kernel - 1) + 1;
        let Some(room) = (side + 2 * self.padding).checked_sub(extent) else {
            return Err(format!("the kernel spans {extent} pixels"));
        };
        let left = room % self.stride;
        if left != 0 && self.exact && self.group != Group::P1 {
            return Err(format!(
                "(H + 2p - d(k-1) - 1) mod s = {left} for the side of {side}, and only 0 commutes \
                 with the group {} exactly (`with_exact(false)` lifts this)",
                self.group
            ));
        }
        Ok(room / self.stride + 1)
    }

    /// The size `[height, width]` of the output for this size of the input.
    ///
    /// # Errors
    ///
    /// [`Error::Size`] if the kernel does not fit, or if the size breaks exactness and that has
    /// not been allowed.
    pub fn check(&self, layer: &str, [height, width]: [usize; 2]) -> Result<[usize; 2]> {
        match (self.side(height), self.side(width)) {
            (Ok(height), Ok(width)) => Ok([height, width]),
            (Err(reason), _) | (_, Err(reason)) => Err(Error::Size {
                layer: format!("{layer} ({self})"),
                height,
                width,
                reason,
                works: nearest_sizes(height.max(width), |side| self.side(side).is_ok()),
            }),
        }
    }

    /// As [`check`](Footprint::check), for a forward pass: a wrong size is then a mistake of the
    /// program.
    pub(crate) fn expect(&self, layer: &str, size: [usize; 2]) -> [usize; 2] {
        self.check(layer, size)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Refuses zeros, which would make no layer.
    pub(crate) fn assert_valid(&self) {
        assert!(
            self.kernel > 0 && self.stride > 0 && self.dilation > 0,
            "kernel, stride and dilation must be at least 1: {self}"
        );
    }
}

/// The nearest side at most this one and the nearest one above it that work, among those not too
/// far to be of use.
pub(crate) fn nearest_sizes(side: usize, works: impl Fn(usize) -> bool) -> Vec<usize> {
    const FAR: usize = 64;
    let below = (side.saturating_sub(FAR).max(1)..=side)
        .rev()
        .find(|&side| works(side));
    let above = (side + 1..=side + FAR).find(|&side| works(side));
    below.into_iter().chain(above).collect()
}

/// What all layers with a field `footprint` have, given a configuration with a method `footprint`.
macro_rules! spatial {
    (
        $config:ident => $layer:ident, $input:literal => $output:literal $(, $fused:ident)?;
        init: $init:expr, params: $params:expr
    ) => {
        impl $layer {
            /// The size `[height, width]` of the output for an input of this size.
            ///
            /// # Errors
            ///
            /// [`Error::Size`](crate::base::Error::Size) if the layer's window does not fit, or if
            /// the size would break exact equivariance.
            pub fn check(&self, size: [usize; 2]) -> $crate::base::Result<[usize; 2]> {
                self.footprint.check(stringify!($layer), size)
            }

            /// What the layer looks at.
            pub fn footprint(&self) -> $crate::nn::Footprint {
                self.footprint
            }
        }

        $crate::nn::layer::layer! {
            $config => $layer, $input => $output $(, $fused)?;
            init: $init,
            params: $params,
            check: |config, size| config.footprint().check(stringify!($layer), size)
        }
    };
}
pub(crate) use spatial;
