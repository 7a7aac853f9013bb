//! Numbers that both sides make for themselves, equal to the bit.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};
use fireproof::base::Batch;

/// The device measured.
pub fn device() -> Device {
    Device::flex()
}

/// A number in [0, 1) that looks random: the finaliser of MurmurHash3.
fn uniform(at: u32, salt: u32) -> f64 {
    let mut x = at.wrapping_add(salt.wrapping_mul(0x9e37_79b9));
    x = (x ^ (x >> 16)).wrapping_mul(0x85eb_ca6b);
    x = (x ^ (x >> 13)).wrapping_mul(0xc2b2_ae35);
    f64::from((x ^ (x >> 16)) >> 8) / f64::from(1 << 24)
}

/// Values between `low` and `high`.
pub fn numbers(count: usize, salt: u32, low: f64, high: f64) -> Vec<f32> {
    let value = |at| (low + (high - low) * uniform(at as u32, salt)) as f32;
    (0..count).map(value).collect()
}

/// A tensor of [`numbers`].
pub fn fill<const D: usize>(shape: [usize; D], salt: u32, low: f64, high: f64) -> Tensor<D> {
    let values = numbers(shape.iter().product(), salt, low, high);
    Tensor::from_data(TensorData::new(values, shape), &device())
}

/// As [`fill`], for a weight that sums this many inputs.
pub fn weight<const D: usize>(shape: [usize; D], salt: u32, fan_in: usize) -> Tensor<D> {
    let bound = (6.0 / fan_in as f64).sqrt();
    fill(shape, salt, -bound, bound)
}

/// Random images of this size, as far as work is concerned.
pub fn batch(count: usize, [channels, height, width]: [usize; 3]) -> Batch {
    let labels: Vec<i64> = (0..count as i64).map(|at| at % 10).collect();
    let labels = Tensor::<1, Int>::from_data(TensorData::new(labels, [count]), &device());
    let images = fill([count, channels, height, width], 1, 0.0, 1.0);
    Batch::new(images, labels).expect("a label for each image")
}

/// Poses `[count, 3]` within ±30° and ±3 pixels.
pub fn poses(count: usize) -> Vec<f32> {
    let within = numbers(3 * count, 2, -1.0, 1.0);
    let scaled = within.iter().zip([30.0, 3.0, 3.0].iter().cycle());
    scaled.map(|(value, limit)| value * limit).collect()
}

/// The model with weights and biases of this formula, outside autodiff.
pub fn filled<M: Module>(model: M) -> M {
    model.map(&mut Fill {
        salt: 100,
        path: Vec::new(),
    })
}

/// Parameters in the order of the module's fields, each with a salt of its own.
struct Fill {
    salt: u32,
    path: Vec<String>,
}

impl ModuleMapper for Fill {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.salt += 1;
        let salt = self.salt;
        let positive = matches!(
            self.path.last().map(String::as_str),
            Some("gamma" | "running_var")
        );
        param.map(|tensor| {
            let shape = tensor.dims();
            match D {
                1 if positive => fill(shape, salt, 0.5, 1.5),
                1 => fill(shape, salt, -0.05, 0.05),
                // Linear layers are [in, out], convolutions [out, in, ...].
                2 => weight(shape, salt, shape[0]),
                _ => weight(shape, salt, shape[1..].iter().product()),
            }
        })
    }
}
