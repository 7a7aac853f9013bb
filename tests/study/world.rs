//! Outcomes of networks with known rates: images, seeds and trainings that vary together and apart.

use fireproof::base::Draws;
use fireproof::study::verdicts::Scores;
use fireproof::theory::normal;

/// A network is right in a draw of an image if a normal number is positive, whose mean is the
/// training's and whose variance of 1 has these parts; the rest belongs to network and image together.
///
/// So the rate of a training over all seeds and images is exact: Φ of its mean.
#[derive(Clone, Debug)]
pub struct World {
    /// The rate of each training.
    pub rates: Vec<f64>,
    pub seeds: usize,
    pub images: usize,
    pub draws: usize,
    /// How hard an image is, for all networks.
    pub image: f64,
    /// How hard it is for the networks of one training.
    pub image_of_training: f64,
    /// How good a seed is, in all trainings.
    pub seed: f64,
    /// How good a network is.
    pub network: f64,
    /// How hard a draw is, for all networks, and again how hard for each.
    pub draw: f64,
}

impl World {
    /// Trainings of these rates with one draw, of which two differ on the share `discordance` of images
    /// with networks of one seed, and of which networks of other seeds differ by `spread` (a standard
    /// deviation of their rates) or less where rates are near 0 or 1.
    pub fn new(rates: &[f64], [seeds, images]: [usize; 2], discordance: f64, spread: f64) -> Self {
        let rate = rates[0];
        let most = 2.0 * rate * (1.0 - rate);
        let common = common(rate, discordance.min(0.6 * most));
        let spread = spread.min(0.3 * rate.min(1.0 - rate));
        let network = (spread / normal::density(normal::quantile(rate))).powi(2);
        Self {
            rates: rates.to_vec(),
            seeds,
            images,
            draws: 1,
            image: common,
            image_of_training: 0.3 * (1.0 - common - network),
            seed: 0.0,
            network,
            draw: 0.0,
        }
    }

    /// The same with several draws, which make a third of what images have in common.
    pub fn with_draws(mut self, draws: usize) -> Self {
        if draws > 1 {
            self.draw = self.image / 3.0;
            self.image -= self.draw;
        }
        self.draws = draws;
        self
    }

    /// Scores of each training, and the rate of each network on all images.
    pub fn outcomes(&self, random: &mut Draws) -> (Vec<Scores>, Vec<Vec<f64>>) {
        let trainings = self.rates.len();
        let own_draw = self.draw.min(self.rest());
        let parts = [self.image, self.image_of_training, self.draw, own_draw];
        let [image, of_training, draw, own_draw] = parts.map(f64::sqrt);
        let rest = (self.rest() - own_draw * own_draw).max(0.0).sqrt();
        let among = 1.0 - self.seed - self.network;
        let of_seed: Vec<f64> = (0..self.seeds)
            .map(|_| self.seed.sqrt() * random.normal())
            .collect();
        let means: Vec<Vec<f64>> = (self.rates.iter())
            .map(|&rate| {
                let own = |seed: &f64| {
                    normal::quantile(rate) + seed + self.network.sqrt() * random.normal()
                };
                of_seed.iter().map(own).collect()
            })
            .collect();
        let mut rows = vec![vec![vec![0.0; self.images]; self.seeds]; trainings];
        let mut hard = vec![0.0; self.draws];
        #[allow(clippy::needless_range_loop)] // Of the rows of all networks.
        for at in 0..self.images {
            let all = image * random.normal();
            if self.draws > 1 {
                hard.iter_mut()
                    .for_each(|hard| *hard = draw * random.normal());
            }
            for (training, means) in means.iter().enumerate() {
                let own = all + of_training * random.normal();
                for (seed, mean) in means.iter().enumerate() {
                    let level = mean + own + rest * random.normal();
                    let right = (hard.iter())
                        .filter(|&&hard| {
                            let noise = if self.draws > 1 {
                                own_draw * random.normal()
                            } else {
                                0.0
                            };
                            level + hard + noise > 0.0
                        })
                        .count();
                    rows[training][seed][at] = right as f64 / self.draws as f64;
                }
            }
        }
        let scores = rows
            .into_iter()
            .map(|rows| Scores::new(rows, self.draws).unwrap());
        let rate = |mean: &f64| normal::cdf(mean / among.sqrt());
        let truth = means.iter().map(|means| means.iter().map(rate).collect());
        (scores.collect(), truth.collect())
    }

    fn rest(&self) -> f64 {
        let known = self.image + self.image_of_training + self.seed + self.network + self.draw;
        assert!(known <= 1.0, "parts of a variance of 1: {self:?}");
        1.0 - known
    }
}

/// The probability that two normal numbers with this correlation are both below their quantiles of
/// these rates.
pub fn both(rates: [f64; 2], correlation: f64) -> f64 {
    let [first, second] = rates.map(normal::quantile);
    let (shared, own) = (correlation.sqrt(), (1.0 - correlation).sqrt());
    let below = |z: f64, limit: f64| normal::cdf((limit - shared * z) / own);
    let (steps, reach) = (2000, 9.0);
    let width = 2.0 * reach / f64::from(steps);
    (0..steps)
        .map(|step| -reach + (f64::from(step) + 0.5) * width)
        .map(|z| normal::density(z) * below(z, first) * below(z, second) * width)
        .sum()
}

// The correlation at which two networks of one rate differ this often.
fn common(rate: f64, discordance: f64) -> f64 {
    let (mut low, mut high) = (0.0, 0.9999);
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if 2.0 * (rate - both([rate; 2], middle)) > discordance {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}
