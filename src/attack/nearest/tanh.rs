use super::walk::Rows;
use burn::tensor::Tensor;

/// Pixels as functions of a variable without bounds.
pub(super) struct Tanh {
    middle: f64,
    half: f64,
}

// So much of the way from the middle to the bounds is what tanh reaches.
const INSIDE: f64 = 0.999_999;

impl Tanh {
    pub fn new(rows: &Rows) -> Self {
        let [low, high] = [rows.bounds.low(), rows.bounds.high()].map(f64::from);
        Self {
            middle: (low + high) / 2.0,
            half: (high - low) / 2.0,
        }
    }

    pub fn free(&self, pixels: Tensor<2>) -> Tensor<2> {
        let scaled = (pixels - self.middle) * (INSIDE / self.half);
        let (up, down) = (scaled.clone() + 1.0, scaled.neg() + 1.0);
        (up / down).log() * 0.5
    }

    pub fn pixels(&self, free: Tensor<2>) -> Tensor<2> {
        free.tanh() * self.half + self.middle
    }

    pub fn slope(&self, free: Tensor<2>) -> Tensor<2> {
        (free.tanh().square().neg() + 1.0) * self.half
    }
}
