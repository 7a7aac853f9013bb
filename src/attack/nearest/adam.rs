use crate::attack::rows::select;
use burn::tensor::Tensor;

/// Adam on rows of numbers, each for itself.
///
/// (D. Kingma, J. Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1, with its
/// β₁ = 0.9, β₂ = 0.999 and ε = 1e-8.)
#[derive(Clone)]
pub(super) struct Adam {
    mean: Tensor<2>,
    square: Tensor<2>,
    step: i32,
}

const BETAS: [f64; 2] = [0.9, 0.999];

const EPSILON: f64 = 1e-8;

impl Adam {
    pub fn new(like: &Tensor<2>) -> Self {
        Self {
            mean: like.zeros_like(),
            square: like.zeros_like(),
            step: 0,
        }
    }

    /// The way down, to add to the rows.
    pub fn step(&mut self, gradient: Tensor<2>, rate: f64) -> Tensor<2> {
        self.step += 1;
        let [first, second] = BETAS;
        self.mean = self.mean.clone() * first + gradient.clone() * (1.0 - first);
        self.square = self.square.clone() * second + gradient.square() * (1.0 - second);
        let [of_mean, of_square] = BETAS.map(|beta| 1.0 - beta.powi(self.step));
        let spread = (self.square.clone() / of_square).sqrt() + EPSILON;
        self.mean.clone() / spread * (-rate / of_mean)
    }

    pub fn select(&self, positions: &[usize]) -> Self {
        Self {
            mean: select(&self.mean, positions),
            square: select(&self.square, positions),
            step: self.step,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Adam;
    use crate::base::read;
    use burn::tensor::Tensor;

    #[test]
    fn value_adam_is_the_published_one() {
        // Oracle: the algorithm once more, in f64, on 2(x - 1)² for each of two numbers.
        let device = crate::device();
        let mut rows = Tensor::<2>::from_data([[3.0f32, -2.0]], &device);
        let mut adam = Adam::new(&rows);
        let (mut x, mut m, mut v) = ([3.0f64, -2.0], [0.0; 2], [0.0; 2]);
        for t in 1..=40 {
            let way = adam.step((rows.clone() - 1.0) * 4.0, 0.1);
            rows = rows + way;
            for i in 0..2 {
                let g = 4.0 * (x[i] - 1.0);
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.999 * v[i] + 0.001 * g * g;
                let (mean, square): (f64, f64) = (
                    m[i] / (1.0 - 0.9f64.powi(t)),
                    v[i] / (1.0 - 0.999f64.powi(t)),
                );
                x[i] -= 0.1 * mean / (square.sqrt() + 1e-8);
            }
        }
        let found: Vec<f64> = read(&rows);
        assert!(
            (0..2).all(|i| (found[i] - x[i]).abs() < 1e-5),
            "{found:?}, {x:?}"
        );
        assert!((x[0] - 3.0).abs() > 1.0);
    }
}
