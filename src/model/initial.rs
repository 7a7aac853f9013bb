use crate::base::{Draws, Error, Purpose, Result, Seed};
use crate::nn::NormalizeConfig;
use burn::module::Param;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};

/// Draws a model's initial weights on the host, one parameter after the other, so that they
/// depend on the seed alone.
pub(crate) struct Initial<'a> {
    seed: Seed,
    parameter: u64,
    device: &'a Device,
}

impl<'a> Initial<'a> {
    pub fn new(seed: u64, device: &'a Device) -> Self {
        Self {
            seed: Seed(seed),
            parameter: 0,
            device,
        }
    }

    /// Uniform in ±bound.
    pub fn uniform<const D: usize>(&mut self, shape: [usize; D], bound: f64) -> Tensor<D> {
        self.draw(shape, |draws| draws.uniform(-bound, bound))
    }

    /// Normal with mean 0.
    pub fn normal<const D: usize>(&mut self, shape: [usize; D], deviation: f64) -> Tensor<D> {
        self.draw(shape, |draws| deviation * draws.normal())
    }

    /// Zeros, which count as a parameter nevertheless.
    pub fn zeros<const D: usize>(&mut self, shape: [usize; D]) -> Tensor<D> {
        self.draw(shape, |_| 0.0)
    }

    /// A linear layer with weight and bias uniform in ±1/√fan_in, as Burn and PyTorch have it.
    pub fn linear(&mut self, input: usize, output: usize) -> Linear {
        let bound = 1.0 / (input as f64).sqrt();
        let mut linear = LinearConfig::new(input, output).init(self.device);
        linear.weight = Param::from_tensor(self.uniform([input, output], bound));
        linear.bias = Some(Param::from_tensor(self.uniform([output], bound)));
        linear
    }

    fn draw<const D: usize>(
        &mut self,
        shape: [usize; D],
        mut value: impl FnMut(&mut Draws) -> f64,
    ) -> Tensor<D> {
        let mut draws = self.seed.draws(Purpose::Weights, self.parameter, 0);
        self.parameter += 1;
        let count = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|_| value(&mut draws) as f32).collect();
        Tensor::from_data(TensorData::new(values, shape), self.device)
    }
}

/// Refuses settings that no model can have.
pub(crate) fn check_settings(
    image: [usize; 3],
    classes: usize,
    dropout: f64,
    normalize: Option<&NormalizeConfig>,
) -> Result<()> {
    let [channels, ..] = image;
    if channels == 0 {
        let found = format!("{image:?}");
        return Err(Error::setting("image", found, "at least one channel"));
    }
    if classes < 2 {
        return Err(Error::setting("classes", classes, "at least 2"));
    }
    if !(0.0..1.0).contains(&dropout) {
        return Err(Error::setting("dropout", dropout, "at least 0 and below 1"));
    }
    normalize.map_or(Ok(()), |constants| constants.check(channels))
}
