use crate::train::{Best, EpochRecord};

/// A trained model and how it came about.
#[derive(Clone, Debug)]
pub struct Trained<M> {
    /// The model, ready for inference; [`train`](burn::module::Module::train) it before training on.
    pub model: M,
    /// The model of the epoch that was the most robust, where that was
    /// [measured](crate::train::Training::robust).
    pub best: Option<Best<M>>,
    /// Every epoch, those before a resumption included.
    pub history: Vec<EpochRecord>,
}
