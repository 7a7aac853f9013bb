use super::batches::batches;
use super::eigen::{Eigen, Symmetric};
use super::{Components, Versions, defaults};
use crate::attack::{AttackSpec, Frozen};
use crate::base::{Error, Result, Seed, read};
use crate::data::{DataSummary, ImageSet};
use burn::tensor::{Device, Tensor};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// The principal components of the perturbations that an attack finds on many images: settings that give
/// [`Components`].
///
/// Few components that explain most say that one perturbation nearly does for all images. The paper's first
/// version (arXiv 2002.11318v1) and its predecessors look at them before and after training with rotations.
///
/// ```
/// use fireproof::attack::{Frozen, Pgd};
/// use fireproof::data::embedded_mnist;
/// use fireproof::evaluate::ComponentScan;
/// use fireproof::model::SmallCnnConfig;
///
/// let device = fireproof::device();
/// let set = embedded_mnist().test.take(8);
/// let victim = Frozen::new(&SmallCnnConfig::new(set.shape(), 10).init(&device)?);
/// let scan = ComponentScan::new(Pgd::linf(0.1).with_steps(2)).with_count(3);
/// let components = scan.run(&victim, &set, &device)?;
/// assert_eq!((components.vectors.len(), components.vectors[0].len()), (3, 28 * 28));
/// println!("the first explains {:.1} %", 100.0 * components.share(0));
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(deny_unknown_fields)]
#[setters(prefix = "with_")]
pub struct ComponentScan {
    /// The attack, with its own radius. What it does to pixels is the perturbation:
    /// [`Found::perturbation`](crate::attack::Found::perturbation).
    #[setters(into)]
    pub attack: AttackSpec,
    /// How many components are kept; all eigenvalues count for what they explain.
    #[serde(default = "defaults::components")]
    pub count: usize,
    /// Whether the mean perturbation is taken off first, as for principal components. Without it they are
    /// the singular vectors of the perturbations, the first of which is much like the mean.
    #[serde(default = "defaults::yes")]
    pub centred: bool,
    /// Whether every perturbation is brought to Euclidean length 1 first, so that long ones do not count
    /// for more; one of length 0 stays.
    #[serde(default)]
    pub unit_length: bool,
    /// Whether only perturbations that fool count. Else those that do not count as well.
    #[serde(default)]
    pub only_fooled: bool,
    /// Images at a time: bounds the memory, does not change the measurement.
    #[serde(default = "defaults::batch_size")]
    pub batch_size: usize,
    /// The seed of what the attack draws.
    #[serde(default)]
    #[setters(into)]
    pub seed: Seed,
}

impl ComponentScan {
    /// Eight components of all perturbations of an attack, centred, as long as they are; batches of 128,
    /// seed 0.
    pub fn new(attack: impl Into<AttackSpec>) -> Self {
        Self {
            attack: attack.into(),
            count: defaults::components(),
            centred: defaults::yes(),
            unit_length: false,
            only_fooled: false,
            batch_size: defaults::batch_size(),
            seed: Seed(0),
        }
    }

    /// Refuses settings that make no sense.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for no component or no image at a time, and for what the attack refuses.
    pub fn check(&self) -> Result<()> {
        self.attack.check()?;
        Error::unless(self.count > 0, "components: count", 0, "1 or more")?;
        Error::unless(
            self.batch_size > 0,
            "components: batch size",
            0,
            "1 or more",
        )
    }

    /// The components of what the attack finds on an image set.
    ///
    /// They are computed in `f64`, in time that grows with the cube of the number of images or of pixels,
    /// whichever is smaller: seconds for a thousand.
    ///
    /// # Errors
    ///
    /// What [`check`](Self::check) refuses; whatever the attack refuses; and as [`of`](Self::of).
    pub fn run(&self, victim: &Frozen, data: &ImageSet, device: &Device) -> Result<Components> {
        self.check()?;
        let mut rows = Vec::new();
        for (victim, batch) in batches(victim, data, self.batch_size, device)? {
            let found = self.attack.attack(&victim, &batch, self.seed)?;
            let each = split(&found.perturbation());
            let counts = |at: usize| !self.only_fooled || found.fooled[at];
            let each = each.into_iter().enumerate();
            rows.extend(each.filter(|(at, _)| counts(*at)).map(|(_, row)| row));
        }
        let mut components = self.analyse(rows, data.shape())?;
        components.data = Some(DataSummary::of(data));
        components.versions = Some(Versions::of(device));
        Ok(components)
    }

    /// The components of perturbations at hand `[image, channel, height, width]`, made by whatever attack.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] for fewer than two perturbations, and for one with a NaN.
    pub fn of(&self, perturbations: &Tensor<4>) -> Result<Components> {
        Error::unless(self.count > 0, "components: count", 0, "1 or more")?;
        let [_, channels, height, width] = perturbations.dims();
        self.analyse(split(perturbations), [channels, height, width])
    }

    fn analyse(&self, mut rows: Vec<Vec<f64>>, shape: [usize; 3]) -> Result<Components> {
        let (count, size) = (rows.len(), shape.iter().product());
        if count < 2 {
            return Err(Error::input("perturbations", count, "two or more"));
        }
        if let Some(at) = (rows.iter()).position(|row| row.iter().any(|x| !x.is_finite())) {
            let what = format!("perturbation {at}");
            return Err(Error::input(what, "NaN or infinite", "finite numbers"));
        }
        if self.unit_length {
            for row in &mut rows {
                let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
                if length > 0.0 {
                    row.iter_mut().for_each(|x| *x /= length);
                }
            }
        }
        let mean = (0..size).map(|pixel| rows.iter().map(|row| row[pixel]).sum::<f64>());
        let mean = Vec::from_iter(mean.map(|sum| sum / count as f64));
        if self.centred {
            for row in &mut rows {
                row.iter_mut().zip(&mean).for_each(|(x, mean)| *x -= mean);
            }
        }
        // The smaller of the two matrices of products has all the eigenvalues that are not 0.
        let (values, vectors) = match count < size {
            true => {
                let Eigen { values, vectors } = Symmetric::gram(&rows).eigen();
                let vectors = vectors.iter().take(self.count).map(|weights| {
                    let mut vector = vec![0.0; size];
                    for (row, weight) in rows.iter().zip(weights) {
                        vector
                            .iter_mut()
                            .zip(row)
                            .for_each(|(v, x)| *v += weight * x);
                    }
                    vector
                });
                let vectors = Vec::from_iter(vectors);
                (values, vectors)
            }
            false => {
                let pixel = |at: usize| Vec::from_iter(rows.iter().map(|row| row[at]));
                let pixels = Vec::from_iter((0..size).map(pixel));
                let Eigen { values, vectors } = Symmetric::gram(&pixels).eigen();
                (values, vectors)
            }
        };
        let of = if self.centred { count - 1 } else { count } as f64;
        let total = values.iter().sum::<f64>().max(0.0) / of;
        // What is left of rounding is no component.
        let largest = values.first().copied().unwrap_or(0.0);
        let kept = values.iter().zip(vectors);
        let kept = kept
            .take(self.count)
            .filter(|(value, _)| **value > 1e-12 * largest);
        let (values, vectors): (Vec<f64>, Vec<Vec<f64>>) = kept
            .map(|(value, vector)| (value / of, signed(vector)))
            .unzip();
        let single = |row: Vec<f64>| Vec::from_iter(row.into_iter().map(|x| x as f32));
        Ok(Components {
            name: "model".to_owned(),
            data: None,
            count,
            shape,
            mean: single(mean),
            total,
            eigenvalues: values,
            vectors: vectors.into_iter().map(single).collect(),
            settings: serde_json::to_value(self).expect("settings are plain values"),
            versions: None,
        })
    }
}

// Each image's numbers.
fn split(images: &Tensor<4>) -> Vec<Vec<f64>> {
    let [count, channels, height, width] = images.dims();
    let size = channels * height * width;
    let numbers: Vec<f64> = read(images);
    match count {
        0 => Vec::new(),
        _ => numbers.chunks(size).map(<[f64]>::to_vec).collect(),
    }
}

// Of length 1, its largest entry positive: an eigenvector has no sign of its own.
fn signed(mut vector: Vec<f64>) -> Vec<f64> {
    let length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
    let largest = vector
        .iter()
        .fold(0.0_f64, |most, x| match x.abs() > most.abs() {
            true => *x,
            false => most,
        });
    let by = length.copysign(largest);
    vector.iter_mut().for_each(|x| *x /= by);
    vector
}
