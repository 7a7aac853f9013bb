use super::Step;
use crate::base::{Error, Result};
use crate::group::Group;
use crate::model::StateDict;

/// What every batch norm of this crate's networks adds to the variance, and PyTorch's by default.
const EPSILON: f64 = 1e-5;

/// Folds the steps of a network over a group into plain ones, with their weights.
pub(super) struct Folding<'a> {
    group: Group,
    weights: &'a StateDict,
    pub folded: StateDict,
}

impl<'a> Folding<'a> {
    pub fn new(group: Group, weights: &'a StateDict) -> Self {
        Self {
            group,
            weights,
            folded: StateDict::new(),
        }
    }

    /// The normalisation of the pixels, if there is one. It stays a step of its own: what a convolution adds
    /// at the border are zeros after it, not before.
    pub fn normalization(&self) -> Option<Step> {
        let constants = |name: &str| Some(self.weights.values(name)?.to_vec());
        Some(Step::Normalize {
            mean: constants("normalize.mean")?,
            std: constants("normalize.std")?,
        })
    }

    pub fn steps(&mut self, steps: Vec<Step>) -> Result<Vec<Step>> {
        steps.into_iter().map(|step| self.step(step)).collect()
    }

    fn step(&mut self, step: Step) -> Result<Step> {
        Ok(match step {
            Step::Conv {
                name,
                norm,
                stride,
                padding,
                relu,
            } => {
                self.conv(&name, norm.as_deref())?;
                Step::Conv {
                    name,
                    norm: None,
                    stride,
                    padding,
                    relu,
                }
            }
            Step::Scale { name, relu } => {
                let [scale, shift] = self.affine(&name)?;
                self.insert_each(format!("{name}.weight"), scale);
                self.insert_each(format!("{name}.bias"), shift);
                Step::Scale { name, relu }
            }
            Step::Residual {
                body,
                shortcut,
                relu,
            } => Step::Residual {
                body: self.steps(body)?,
                shortcut: self.steps(shortcut)?,
                relu,
            },
            Step::Linear { name, relu } => {
                for part in ["weight", "bias"] {
                    let name = format!("{name}.{part}");
                    let (shape, values) = self.tensor(&name)?;
                    self.folded.insert(name, shape, values.to_vec());
                }
                Step::Linear { name, relu }
            }
            plain => plain,
        })
    }

    fn tensor(&self, name: &str) -> Result<(&'a [usize], &'a [f32])> {
        let tensor = self.weights.shape(name).zip(self.weights.values(name));
        tensor.ok_or_else(|| {
            Error::input(
                "weights to fold",
                format!("no `{name}`"),
                "all of a network",
            )
        })
    }

    /// What a batch norm does in inference: scale and shift of each channel.
    fn affine(&self, norm: &str) -> Result<[Vec<f64>; 2]> {
        let of = |part: &str| Ok(self.tensor(&format!("{norm}.{part}"))?.1);
        let (gamma, beta) = (of("weight")?, of("bias")?);
        let (mean, variance) = (of("running_mean")?, of("running_var")?);
        let scale = gamma.iter().zip(variance);
        let scale = scale
            .map(|(&gamma, &variance)| f64::from(gamma) / (f64::from(variance) + EPSILON).sqrt());
        let scale = Vec::from_iter(scale);
        let shift = beta.iter().zip(mean).zip(&scale);
        let shift = shift.map(|((&beta, &mean), scale)| f64::from(beta) - f64::from(mean) * scale);
        let shift = shift.collect();
        Ok([scale, shift])
    }

    fn conv(&mut self, name: &str, norm: Option<&str>) -> Result<()> {
        let (shape, weight) = self.tensor(&format!("{name}.weight"))?;
        let bias = self.weights.values(&format!("{name}.bias"));
        let outputs = shape[0];
        let [scale, shift] = match norm {
            Some(norm) => self.affine(norm)?,
            None => [vec![1.0; outputs], vec![0.0; outputs]],
        };
        let filter = weight.len() / outputs;
        let scaled = weight.chunks(filter).zip(&scale);
        let scaled = scaled.flat_map(|(filter, scale)| {
            filter
                .iter()
                .map(move |&value| (f64::from(value) * scale) as f32)
        });
        let (shape, weight) = expanded(self.group, shape, &Vec::from_iter(scaled));
        self.folded.insert(format!("{name}.weight"), &shape, weight);
        let bias = (0..outputs)
            .map(|at| bias.map_or(0.0, |bias| f64::from(bias[at])) * scale[at] + shift[at]);
        self.insert_each(format!("{name}.bias"), bias);
        Ok(())
    }

    /// A number of each channel, for all of its components.
    fn insert_each(&mut self, name: String, numbers: impl IntoIterator<Item = f64>) {
        let size = self.group.size();
        let each = numbers
            .into_iter()
            .flat_map(|number| std::iter::repeat_n(number as f32, size));
        let values = Vec::from_iter(each);
        self.folded.insert(name, &[values.len()], values);
    }
}

/// A weight `[out, in, side, side]` as it is; one `[out, in, components, side, side]` over a group as the
/// ordinary one `[out·|G|, in·components, side, side]`.
fn expanded(group: Group, shape: &[usize], weight: &[f32]) -> (Vec<usize>, Vec<f32>) {
    let &[outputs, inputs, components, side, _] = shape else {
        return (shape.to_vec(), weight.to_vec());
    };
    let indices = group.copies(components, side);
    let filter = components * side * side;
    let moved = Vec::from_iter(indices.chunks(filter));
    let mut values = Vec::with_capacity(weight.len() * group.size());
    for output in weight.chunks(inputs * filter) {
        for moved in &moved {
            for input in output.chunks(filter) {
                values.extend(moved.iter().map(|&at| input[at]));
            }
        }
    }
    let shape = vec![outputs * group.size(), inputs * components, side, side];
    (shape, values)
}
