use super::{Level, Scene, Threat};
use crate::attack::{Cost, CrossEntropy, Loss, Reference};
use crate::base::{Error, Purpose, Result, named};
use burn::tensor::{Tensor, TensorData};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// PGD as the paper's published code attacks CIFAR-10, its mistakes included: on *normalised* images, of
/// which every pixel is brought into [-1, 1].
///
/// - ε and the step are in normalised units: 8/255 is about 1.6/255 of the pixel range.
/// - The images reach from about -2.4 to 2.8, so that the clip moves every pixel outside [-1, 1] to its edge,
///   whatever ε is: the perturbation is up to 1.75 units, not ε, and even at ε = 0 the image is not as it
///   was. What holds against it is no robustness at ε.
/// - The attack on the GCNN leads away from the classifier's own prediction
///   ([`with_predicted_labels`](Self::with_predicted_labels)), that on the StdCNN from the label, so that
///   accuracies and fooling rates of the two are not comparable.
///
/// Left out, because it is no property of a classifier: the published GCNN is attacked with its batch norm
/// in training mode, by the statistics of each batch, which are changed on the way and carried over from one
/// ε to the next. Here every classifier is frozen. Random starts are drawn for each image by the
/// evaluation's seed; the published ones have none.
///
/// The classifier takes images in the pixel range and normalises them itself, as this crate's do: a step in
/// normalised units is one of as many standard deviations of the channel. Nothing of it is verified to be in
/// a ball, for it is in none.
///
/// Use [`Axis::epsilons`](super::Axis::epsilons) to measure robustness;
/// [`Evaluation::published`](super::Evaluation::published) has both side by side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(default, deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct PublishedPgd {
    /// The number of steps: 10.
    pub steps: usize,
    /// The length of each, in normalised units: 2/255.
    pub step_size: f64,
    /// Whether the classifier's clean predictions take the place of the labels, as for the GCNN.
    pub predicted_labels: bool,
    /// Whether the random start is clipped before the first gradient, as for the StdCNN.
    pub clipped_start: bool,
    /// What is taken off each channel: the means of CIFAR-10.
    #[setters(skip)]
    pub mean: Vec<f64>,
    /// What each channel is divided by: the standard deviations of CIFAR-10.
    #[setters(skip)]
    pub std: Vec<f64>,
}

impl Default for PublishedPgd {
    fn default() -> Self {
        Self::std_cnn()
    }
}

impl PublishedPgd {
    /// The published attack on the StdCNN: away from the label, its start clipped.
    pub fn std_cnn() -> Self {
        Self {
            steps: 10,
            step_size: 2.0 / 255.0,
            predicted_labels: false,
            clipped_start: true,
            mean: vec![0.4914, 0.4822, 0.4465],
            std: vec![0.2023, 0.1994, 0.2010],
        }
    }

    /// The published attack on the GCNN: away from the prediction, its start not clipped. Its batch norm in
    /// training mode is left out.
    pub fn gcnn() -> Self {
        Self::std_cnn()
            .with_predicted_labels(true)
            .with_clipped_start(false)
    }

    /// With these constants of normalisation, one of each for every channel.
    pub fn with_normalisation(
        mut self,
        mean: impl IntoIterator<Item = f64>,
        std: impl IntoIterator<Item = f64>,
    ) -> Self {
        self.mean = mean.into_iter().collect();
        self.std = std.into_iter().collect();
        self
    }

    // The images, attacked.
    fn attack(&self, epsilon: f64, scene: &mut Scene) -> Result<Tensor<4>> {
        let batch = scene.batch();
        let originals = batch.images.clone();
        let [count, channels, height, width] = originals.dims();
        if self.mean.len() != channels {
            return Err(Error::input(
                "channels of the images",
                channels,
                format!("{}, as the published normalisation has", self.mean.len()),
            ));
        }
        let like = (&originals.device(), originals.dtype());
        let per_channel = |numbers: Vec<f64>| {
            let numbers = TensorData::new(numbers, [1, channels, 1, 1]);
            Tensor::<4>::from_data(numbers, like).expand([count, channels, height, width])
        };
        let std = per_channel(self.std.clone());
        let ends = |sign: f64| {
            let pairs = self.mean.iter().zip(&self.std);
            per_channel(pairs.map(|(mean, std)| mean + sign * std).collect())
        };
        let (low, high) = (ends(-1.0), ends(1.0));
        let clipped = |images: Tensor<4>| images.max_pair(low.clone()).min_pair(high.clone());
        let radius = std.clone() * epsilon;
        let within = |images: Tensor<4>| {
            let [least, most] = [
                originals.clone() - radius.clone(),
                originals.clone() + radius.clone(),
            ];
            images.max_pair(least).min_pair(most)
        };
        let start = scene.keys().each(Purpose::Start, |draws| {
            let pixels = channels * height * width;
            Vec::from_iter((0..pixels).map(|_| draws.uniform(-1.0, 1.0)))
        });
        let start = TensorData::new(start.concat(), [count, channels, height, width]);
        let start = Tensor::<4>::from_data(start, like);
        let mut images = originals.clone() + start * radius.clone();
        if self.clipped_start {
            images = clipped(images);
        }
        let labels = match self.predicted_labels {
            true => Tensor::from_data(scene.clean(), &originals.device()),
            false => batch.labels.clone(),
        };
        let about = Reference::new(labels);
        for _ in 0..self.steps {
            let gradient = scene.gradient(images.clone(), |logits| {
                CrossEntropy.unsaturated(logits, &about)
            })?;
            let step = gradient.sign() * std.clone() * self.step_size;
            images = clipped(within(images + step));
        }
        Ok(images)
    }
}

impl Threat for PublishedPgd {
    fn check(&self, level: &Level) -> Result<()> {
        let radius = level.parts().len() == 1 && level.parts()[0] >= 0.0;
        Error::unless(radius, "radius", level, "one number, 0 or more")?;
        let valid = self.step_size.is_finite() && self.step_size > 0.0;
        Error::unless(valid, "step size", self.step_size, "a number above 0")?;
        let matching = self.mean.len() == self.std.len() && self.std.iter().all(|&std| std > 0.0);
        let expected = "as many as means, each above 0";
        Error::unless(matching, "std", format_args!("{:?}", self.std), expected)
    }

    fn classes(&self, level: &Level, scene: &mut Scene) -> Result<Vec<i64>> {
        let images = self.attack(level.parts()[0], scene)?;
        Ok(scene.predict(images))
    }

    fn cost(&self, _: &Level) -> Cost {
        Cost {
            queries: self.steps + 1,
            gradients: self.steps,
        }
    }

    // The clip moves pixels even at ε = 0.
    fn is_clean(&self, _: &Level) -> bool {
        false
    }

    fn describe(&self, level: &Level) -> String {
        let (from, left_out) = match self.predicted_labels {
            true => ("predictions", "; batch norm in training mode left out"),
            false => ("labels", ""),
        };
        format!(
            "published PGD-{} on normalised images clipped to [-1, 1], ε = {} and steps of {} in normalised \
             units, against {from}{left_out}",
            self.steps,
            super::short(level.parts()[0]),
            super::short(self.step_size),
        )
    }

    fn settings(&self) -> Value {
        named::<dyn Threat>("published_pgd", self)
    }
}
