/// A point of a setting, with its class.
///
/// ```
/// use fireproof::theory::Point;
///
/// let point = Point { positive: true, features: vec![1.0, 2.0, 3.0] };
/// assert_eq!(point.shifted(1).features, [3.0, 1.0, 2.0]);
/// assert_eq!((point.sign(), point.shifted(3)), (1.0, point));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Whether its class is +1 and not −1.
    pub positive: bool,
    /// Its features; before any shift the strong one comes first.
    pub features: Vec<f64>,
}

impl Point {
    /// Its class, +1 or −1.
    pub fn sign(&self) -> f64 {
        match self.positive {
            true => 1.0,
            false => -1.0,
        }
    }

    /// Its class as a label: 1 for +1, 0 for −1.
    pub fn label(&self) -> u8 {
        u8::from(self.positive)
    }

    /// The point under the group's element `by`: feature `i` goes to place `i + by`, and around.
    ///
    /// # Panics
    ///
    /// Panics if the point has no features.
    pub fn shifted(&self, by: usize) -> Self {
        let mut features = self.features.clone();
        features.rotate_right(by % self.features.len());
        Self {
            features,
            positive: self.positive,
        }
    }
}
