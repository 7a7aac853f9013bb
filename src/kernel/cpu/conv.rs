//! Convolution: prepared filters, forward and gradients.

use std::fmt;
use std::sync::OnceLock;

use super::bank::Bank;
use super::correlate::Correlation;
use super::count;
use super::filters::Reading;
use super::isa::Isa;
use super::memory::Buffer;
use super::method::{Extent, Filters, Method, convolve, overlap_add};
use super::mirrors::{self, Bases, Tied};
use super::pass::{After, Pass};
use super::shared::Shared;
use super::window::{MOST, Window};
use crate::group::Group;
use crate::kernel::Numerics;

/// Batch, and rows and columns of the convolution's *input*.
pub type Images = [usize; 3];

/// Numbers that live as long as they are needed.
struct Weights(Box<dyn AsRef<[f32]> + Send + Sync>);

impl fmt::Debug for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not all of them.
        write!(f, "{} weights", self.get().len())
    }
}

impl Weights {
    fn get(&self) -> &[f32] {
        (*self.0).as_ref()
    }
}

/// A convolution's filters, transformed and packed for the kernels.
///
/// Filters are made at the first use of their direction.
#[derive(Debug)]
pub struct Prepared {
    weights: Weights,
    /// If the weights are those that a group makes the filters of.
    bank: Option<Bank>,
    /// Then the filters, if they are needed.
    expanded: OnceLock<Buffer>,
    channels: [usize; 2],
    window: Window,
    numerics: Numerics,
    isa: Isa,
    tied: bool,
    /// For each extent of images.
    forward: [OnceLock<Filters>; 3],
    backward: [OnceLock<Filters>; 3],
}

impl Prepared {
    /// Prepares `weights`, `[co][ci][side][side]`, for a convolution with this window.
    ///
    /// # Panics
    /// If `weights` has another length, a channel count is zero, or the window is not
    /// [known](Window::is_known).
    pub fn new(
        weights: impl AsRef<[f32]> + Send + Sync + 'static,
        [co, ci]: [usize; 2],
        window: Window,
        numerics: Numerics,
    ) -> Self {
        let count = count([co, ci, window.taps()]);
        Self::made(
            Weights(Box::new(weights)),
            count,
            [co, ci],
            window,
            numerics,
        )
    }

    /// Prepares the filters that a group makes of `weights`, `[out][in][components][side][side]`. They are made
    /// only where a kernel needs them, and the weights' gradient is that of these few.
    ///
    /// # Panics
    /// As [`Prepared::new`], and if the bank is of another side.
    pub fn over(
        weights: impl AsRef<[f32]> + Send + Sync + 'static,
        shape: [usize; 2],
        bank: Bank,
        window: Window,
        numerics: Numerics,
    ) -> Self {
        assert_eq!(bank.taps(), window.taps(), "the bank is of this window");
        let tied = bank.group() == Group::P4m && bank.is_over_group() && window.is_three();
        let [co, ci] = bank.channels(shape);
        let count = count([shape[0], ci, window.taps()]);
        let weights = Weights(Box::new(weights));
        Self {
            bank: Some(bank),
            tied,
            ..Self::made(weights, count, [co, ci], window, numerics)
        }
    }

    /// `count` weights of a convolution with these channels.
    fn made(
        weights: Weights,
        count: usize,
        [co, ci]: [usize; 2],
        window: Window,
        numerics: Numerics,
    ) -> Self {
        assert!(co > 0 && ci > 0, "a convolution has channels");
        assert!(
            window.is_known(),
            "side, stride and dilation are 1 to {MOST}, padding is at most {MOST}: {window:?}"
        );
        assert_eq!(
            weights.get().len(),
            count,
            "weights are [co, ci, side, side]"
        );
        Self {
            weights,
            bank: None,
            expanded: OnceLock::new(),
            channels: [co, ci],
            window,
            numerics,
            isa: Isa::detect(),
            tied: false,
            forward: Default::default(),
            backward: Default::default(),
        }
    }

    /// The same for this instruction set: for tests of those that are not the fastest.
    ///
    /// # Panics
    /// If the CPU does not have it.
    #[cfg(test)]
    pub fn on(self, isa: Isa) -> Self {
        assert!(isa.available(), "{isa:?} is not available on this CPU");
        Self {
            isa,
            forward: Default::default(),
            backward: Default::default(),
            ..self
        }
    }

    /// Says that the weights are the filter bank of a convolution of `group`'s features, as
    /// `[co / |G|, |G|, ci / |G|, |G|, 3, 3]`, in the order of [`Group::filter_indices`]. Filters
    /// that are already made are dropped.
    ///
    /// Under p4m mirrors save more than half of the products. Nothing
    /// changes for other groups, or if a single weight is not the copy that the group asks for.
    ///
    /// # Panics
    /// If the weights are already those that a group makes the filters of.
    pub fn with_group(self, group: Group) -> Self {
        assert!(self.bank.is_none(), "the group is known");
        Self {
            tied: group == Group::P4m
                && self.window.is_three()
                && mirrors::are_tied(self.weights.get(), self.channels),
            forward: Default::default(),
            backward: Default::default(),
            ..self
        }
    }

    /// Whether the forward pass and the input gradient use that the weights are tied by mirrors.
    #[cfg(test)]
    pub fn is_split(&self) -> [bool; 2] {
        let [co, ci] = self.channels;
        [[co, ci], [ci, co]].map(|shape| self.method(shape, Extent::Large) == Method::Tied)
    }

    /// Output and input channels.
    pub fn channels(&self) -> [usize; 2] {
        self.channels
    }

    /// What an output looks at.
    pub fn window(&self) -> Window {
        self.window
    }

    /// Rows and columns of the output, or `None` if the filter is larger than the padded image.
    pub fn output(&self, [_, height, width]: Images) -> Option<[usize; 2]> {
        Some([self.window.output(height)?, self.window.output(width)?])
    }

    fn method(&self, shape: [usize; 2], extent: Extent) -> Method {
        Method::new(shape, self.window, extent, self.numerics, self.tied)
    }

    /// Of an image that is made.
    fn extent(&self, made: [usize; 2]) -> Extent {
        let (pixels, filters) = (made[0] * made[1], self.channels[0] * self.channels[1]);
        if made == [2; 2] && self.window == Window::three(1) {
            Extent::Island
        } else if self.numerics.is_small(pixels, filters) {
            Extent::Small
        } else {
            Extent::Large
        }
    }

    /// Outputs and inputs of the weights.
    fn shape(&self) -> [usize; 2] {
        self.bank.as_ref().map_or(self.channels, |bank| {
            let [co, ci] = bank.channels([1, 1]);
            [self.channels[0] / co, self.channels[1] / ci]
        })
    }

    /// `[co][ci][side][side]`.
    fn filters(&self) -> &[f32] {
        let Some(bank) = &self.bank else {
            return self.weights.get();
        };
        let make = || bank.expand(self.weights.get(), self.shape());
        filled(&self.expanded, make).as_floats()
    }

    fn pack(&self, method: Method, reading: Reading) -> Filters {
        if method == Method::Tied && self.bank.is_some() {
            let bases = Bases::alone(self.weights.get(), self.channels[1]);
            return Filters::Tied(Tied::new(bases, self.channels, reading, self.isa));
        }
        method.pack(
            self.filters(),
            self.channels,
            self.window,
            reading,
            self.isa,
        )
    }

    fn forward_filters(&self, made: [usize; 2]) -> &Filters {
        let extent = self.extent(made);
        let make = || self.pack(self.method(self.channels, extent), Reading::Forward);
        filled(&self.forward[extent as usize], make)
    }

    /// Whether tiles overlap, and the filters.
    fn backward_filters(&self, made: [usize; 2]) -> (bool, &Filters) {
        let [co, ci] = self.channels;
        let extent = self.extent(made);
        let method = self.method([ci, co], extent);
        let overlap = self.window.padding == 0 && method != Method::Direct;
        let reading = match overlap {
            true => Reading::Transposed,
            false => Reading::Flipped,
        };
        let make = || self.pack(method, reading);
        (overlap, filled(&self.backward[extent as usize], make))
    }

    /// Rows and columns of the output, for input, output and gate of these lengths.
    fn check(&self, images: Images, x: &[f32], y: &[f32], gate: Option<&[f32]>) -> [usize; 2] {
        let [co, ci] = self.channels;
        let output = self
            .output(images)
            .expect("the filter fits into the padded image");
        let [batch, height, width] = images;
        assert_eq!(x.len(), count([batch, ci, height, width]), "the input");
        let outputs = count([batch, co, output[0], output[1]]);
        assert_eq!(y.len(), outputs, "the output");
        let fits = gate.is_none_or(|gate| gate.len() == y.len());
        assert!(fits, "the gate is as the output");
        output
    }

    /// `y = x ∗ w`, and what comes after it.
    ///
    /// # Shapes
    /// - `x`: `[batch][ci][height][width]`
    /// - `y`: `[batch][co]` and rows and columns by [`output`](Self::output)
    ///
    /// # Panics
    /// If a length does not fit, or the filter is larger than the padded image.
    pub fn forward(&self, x: &[f32], images: Images, after: After, y: &mut [f32]) {
        let ([co, ci], [batch, height, width]) = (self.channels, images);
        let output = self.check(images, x, y, None);
        let fits = |added: Option<&[f32]>, len| added.is_none_or(|added| added.len() == len);
        assert!(fits(after.bias, co), "bias is [co]");
        assert!(
            fits(after.beside, y.len()),
            "what is added is as the output"
        );
        let filters = self.forward_filters(output);
        let pass = Pass {
            isa: self.isa,
            channels: [ci, co],
            from: x,
            gate: None,
            input: [height, width],
            padding: self.window.padding,
            after,
            to: Shared::new(y),
            output,
        };
        convolve(&pass, filters, batch);
    }

    /// Gradient of the input, `dx`, from that of the output, `dy`.
    ///
    /// With `gate`, the output of a forward pass with relu, `dy` counts for nothing where `gate <= 0`.
    ///
    /// # Shapes
    /// - `dy`, `gate`: as `y` of [`Prepared::forward`]
    /// - `dx`: as its `x`
    ///
    /// # Panics
    /// If a length does not fit, or the filter is larger than the padded image.
    pub fn input_gradient(&self, dy: &[f32], gate: Option<&[f32]>, images: Images, dx: &mut [f32]) {
        let ([co, ci], [batch, height, width]) = (self.channels, images);
        let input = self.check(images, dx, dy, gate);
        let (overlap, filters) = self.backward_filters([height, width]);
        let pass = Pass {
            isa: self.isa,
            channels: [co, ci],
            from: dy,
            gate,
            input,
            // Of Winograd's tiles; the direct method knows its own.
            padding: 2usize.saturating_sub(self.window.padding),
            after: After::default(),
            to: Shared::new(dx),
            output: [height, width],
        };
        match overlap {
            true => overlap_add(&pass, filters, batch),
            false => convolve(&pass, filters, batch),
        }
    }

    /// Gradient of the weights, `dw`.
    ///
    /// With `gate`, the output of a forward pass with relu, `dy` counts for nothing where `gate <= 0`.
    /// By F(2,3) or directly, whatever the numerics; the sum over images is taken in a fixed order,
    /// whatever the number of threads.
    ///
    /// # Shapes
    /// - `x`, `dy`, `gate`: as `x` and `y` of [`Prepared::forward`]
    /// - `dw`: `[co][ci][side][side]`, or as the weights that a group makes the filters of; overwritten
    ///
    /// # Panics
    /// If a length does not fit, or the filter is larger than the padded image.
    pub fn weight_gradient(
        &self,
        x: &[f32],
        dy: &[f32],
        gate: Option<&[f32]>,
        images: Images,
        dw: &mut [f32],
    ) {
        let ([co, ci], [batch, height, width]) = (self.channels, images);
        let output = self.check(images, x, dy, gate);
        let taps = self.window.taps();
        assert_eq!(dw.len(), self.weights.get().len(), "dw is as the weights");
        let correlation = Correlation {
            isa: self.isa,
            x,
            dy,
            gate,
            batch,
            channels: self.channels,
            input: [height, width],
            output,
            window: self.window,
        };
        let Some(bank) = &self.bank else {
            correlation.sum(dw);
            return;
        };
        if self.tied && correlation.sum_mirrored(dw) {
            return;
        }
        let mut whole = Buffer::new(count([co, ci, taps]));
        correlation.sum(whole.as_floats_mut());
        bank.fold(whole.as_floats(), self.shape(), dw);
    }
}

/// The cell's value, made if there is none yet. Made outside the cell's lock: `make` runs on the
/// thread pool, where a waiting thread may take up another task that asks for the same cell.
fn filled<T>(cell: &OnceLock<T>, make: impl FnOnce() -> T) -> &T {
    if cell.get().is_none() {
        // Another thread may have been first, with the same value.
        let _ = cell.set(make());
    }
    cell.get().expect("the cell was filled")
}
