use crate::base::{Draws, Purpose, Seed, keeps_path};
use burn::module::{ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};

/// Draws the weights and biases of a module from a seed, in a walk over its parameters.
///
/// Burn draws from one generator for the whole process; here the i-th `weight` or `bias` of the
/// walk depends on the seed and i alone. Weights of convolutions, `[out, in, ..]`, keep the size of
/// activations through rectifiers (He et al. 2015), and their biases are zero; those of linear
/// layers, `[in, out]`, are uniform in ±1/√fan_in with their biases, as Burn and PyTorch have it; unless
/// the constructor says otherwise.
/// Parameters of other names, as those of batch norm, stay as they are.
///
/// ```
/// use burn::module::Module;
/// use fireproof::{group::Group, nn::*};
///
/// let device = fireproof::device();
/// let conv = || GroupConv2dConfig::new(Group::P4, [2, 3], 3).init(&device);
/// let [first, again] = [0, 1].map(|_| conv().map(&mut InitialWeights::uniform(7)));
/// assert_eq!(first.weight().to_data(), again.weight().to_data());
/// ```
#[derive(Clone, Debug)]
pub struct InitialWeights {
    seed: Seed,
    scheme: Scheme,
    zero: Option<String>,
    path: Vec<String>,
    /// How many weights and biases have been drawn.
    count: u64,
    /// How the bias that belongs to the latest weight is drawn.
    bias: Rule,
}

#[derive(Clone, Copy, Debug)]
enum Scheme {
    Uniform,
    Normal,
    PyTorch,
    FanOut,
    Truncated,
}

#[derive(Clone, Copy, Debug)]
enum Rule {
    /// Uniform in ± this number.
    Uniform(f64),
    /// Normal with mean 0 and this deviation.
    Normal(f64),
    /// The same, drawn again where it is more than two deviations from 0.
    Truncated(f64),
    Constant(f64),
}

impl Rule {
    fn draw(self, draws: &mut Draws) -> f64 {
        match self {
            Self::Uniform(bound) => draws.uniform(-bound, bound),
            Self::Normal(deviation) => deviation * draws.normal(),
            Self::Truncated(deviation) => loop {
                let number = draws.normal();
                if number.abs() <= 2.0 {
                    break deviation * number;
                }
            },
            Self::Constant(number) => number,
        }
    }
}

/// The last axes of a convolution's weight, two at most: not that of a group before them.
fn kernel(shape: &[usize]) -> &[usize] {
    &shape[shape.len().saturating_sub(2).max(2)..]
}

impl Scheme {
    /// How the weight of this shape is drawn, and the bias that belongs to it.
    fn rules(self, shape: &[usize]) -> [Rule; 2] {
        let product = |sizes: &[usize]| sizes.iter().product::<usize>() as f64;
        let zero = Rule::Constant(0.0);
        match (self, shape) {
            (Self::Truncated, _) => [Rule::Truncated(0.1), Rule::Constant(0.1)],
            (Self::FanOut, &[input, _]) => [Rule::Uniform(1.0 / (input as f64).sqrt()), zero],
            (_, &[input, _]) => [Rule::Uniform(1.0 / (input as f64).sqrt()); 2],
            (Self::Uniform, _) => [Rule::Uniform((6.0 / product(&shape[1..])).sqrt()), zero],
            (Self::Normal, _) => [Rule::Normal((2.0 / product(&shape[1..])).sqrt()), zero],
            (Self::PyTorch, &[_, input, ..]) => {
                let seen = input as f64 * product(kernel(shape));
                [Rule::Uniform(1.0 / seen.sqrt()); 2]
            }
            (Self::FanOut, &[output, ..]) => {
                let reached = output as f64 * product(kernel(shape));
                [Rule::Normal((2.0 / reached).sqrt()), zero]
            }
            _ => unreachable!("a weight has two axes or more"),
        }
    }
}

impl InitialWeights {
    /// Convolutions uniform in ±√(6/fan_in).
    pub fn uniform(seed: impl Into<Seed>) -> Self {
        Self::new(seed, Scheme::Uniform)
    }

    /// Convolutions normal with deviation √(2/fan_in).
    pub fn normal(seed: impl Into<Seed>) -> Self {
        Self::new(seed, Scheme::Normal)
    }

    /// Convolutions uniform in ±1/√(in · side²) with their biases, as PyTorch's begin, and GrouPy's, which
    /// do not count the group.
    pub fn pytorch(seed: impl Into<Seed>) -> Self {
        Self::new(seed, Scheme::PyTorch)
    }

    /// Convolutions normal with deviation √(2/(out · side²)), and linear layers without a bias at first:
    /// as wide residual networks are published.
    pub fn fan_out(seed: impl Into<Seed>) -> Self {
        Self::new(seed, Scheme::FanOut)
    }

    /// All weights normal with deviation 0.1, drawn again beyond two of these, and all biases 0.1: as
    /// Madry et al. publish their network.
    pub fn truncated(seed: impl Into<Seed>) -> Self {
        Self::new(seed, Scheme::Truncated)
    }

    fn new(seed: impl Into<Seed>, scheme: Scheme) -> Self {
        Self {
            seed: seed.into(),
            scheme,
            zero: None,
            path: Vec::new(),
            count: 0,
            bias: Rule::Constant(0.0),
        }
    }

    /// The same, but zeros for the module's field of this name.
    pub fn with_zero(mut self, field: impl Into<String>) -> Self {
        self.zero = Some(field.into());
        self
    }

    /// How a parameter of this shape is drawn; `None` for one that is neither weight nor bias.
    fn rule(&mut self, shape: &[usize]) -> Option<Rule> {
        let rule = match (self.path.last()?.as_str(), shape) {
            ("weight", shape @ [_, _, ..]) => {
                let [weight, bias] = self.scheme.rules(shape);
                self.bias = bias;
                weight
            }
            ("bias", _) => self.bias,
            _ => return None,
        };
        match self.zero.is_some() && self.path.first() == self.zero.as_ref() {
            true => Some(Rule::Constant(0.0)),
            false => Some(rule),
        }
    }
}

impl ModuleMapper for InitialWeights {
    keeps_path!();

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let shape = param.lazy_shape();
        let Some(rule) = self.rule(&shape) else {
            return param;
        };
        let mut draws = self.seed.draws(Purpose::Weights, self.count, 0);
        self.count += 1;
        let count = shape.num_elements();
        let values: Vec<f32> = (0..count).map(|_| rule.draw(&mut draws) as f32).collect();
        let tensor = Tensor::from_data(TensorData::new(values, shape), &param.lazy_device());
        let id = param.id;
        // In this way Burn's own draw never takes place.
        param.transform_for_load(tensor, id)
    }
}
