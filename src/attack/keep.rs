use serde::{Deserialize, Serialize};

/// Which of the points visited an attack returns for an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// The best one, the image itself included.
    #[default]
    Best,
    /// The last iterate; of several restarts the best last iterate. What training on attacked
    /// images and comparisons with other libraries use.
    Last,
}
