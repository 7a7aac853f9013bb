use burn::tensor::Tensor;

/// What an [`Objective`](crate::train::Objective) makes a step's images into before it learns from
/// them.
#[derive(Clone, Debug, Default)]
pub struct Crafted {
    /// Batches of images, each one image for each of the step's in their order
    /// `[batch, channel, height, width]`, outside autodiff. None where a stage has no budget for any.
    pub images: Vec<Tensor<4>>,
    /// Numbers found on the way, to be shown, by name: one for each image that they are of.
    pub numbers: Vec<(String, Tensor<1>)>,
}

impl Crafted {
    /// These images, if there are any.
    pub fn of(images: impl IntoIterator<Item = Tensor<4>>) -> Self {
        Self {
            images: images.into_iter().collect(),
            numbers: Vec::new(),
        }
    }
}
