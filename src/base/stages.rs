use burn::tensor::Tensor;

/// A classifier in parts, of which the first ones look at the image window by window.
///
/// A search that changes a few pixels at a time need not compute anew what does not see them: given by
/// [`Classifier::stages`](super::Classifier::stages), this is how [`Square`](crate::attack::Square)
/// queries a classifier on the CPU. A *stage* is a part of the network in which each cell of the
/// output is a function of a window of the input, the same one everywhere: convolutions without
/// padding, poolings over windows that do not overlap, and what works number by number.
///
/// # What must hold
///
/// - `rest` of the stages, one after the other, are the classifier's logits, to the bit.
/// - A stage of a part of its input, cut out where a cell's window begins, gives the same cells as that
///   of the whole, to the bit. 3×3 convolutions of this crate do so if a stage has one of them, or the
///   others have fewer than eight input channels, and if nothing in it has a stride before the last of them:
///   parts begin and end at whole tiles of that one.
///
/// Else results are wrong where the first does not hold, and depend on batch mates where the second does
/// not.
pub trait Stages: Send + Sync {
    /// What the cells of each stage's output look at, in order.
    fn views(&self) -> Vec<View>;

    /// What the stage of this number makes of what the one before gives, or of images:
    /// `[batch, plane, height, width]` each.
    fn stage(&self, number: usize, features: Tensor<4>) -> Tensor<4>;

    /// Logits `[batch, classes]` of what the last stage gives.
    fn rest(&self, features: Tensor<4>) -> Tensor<2>;
}

/// What a cell of a stage's output looks at, along each axis: cell `i` at as many cells of the input as
/// `size` from `i · stride` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Cells of the input that a cell looks at, at least 1.
    pub size: usize,
    /// From one cell's first to the next one's, at least 1.
    pub stride: usize,
    /// Filters of the stage's largest convolution: its input channels times its output channels, group components
    /// included; `usize::MAX` where that is not known. Kernels go by it when they choose tiles for few cells.
    pub filters: usize,
}

impl View {
    /// How many cells the output has for so many of the input, which are at least as many as a cell
    /// looks at.
    pub fn output(&self, input: usize) -> usize {
        (input - self.size) / self.stride + 1
    }
}
