use super::batches::{batches, classes};
use crate::attack::{Cost, Frozen};
use crate::base::Result;
use crate::data::{DataSummary, ImageSet};
use crate::evaluate::{
    Axis, Curve, Evaluation, Extras, Level, Outcomes, Point, Profile, Rate, Scene, Threat, Versions,
};
use burn::tensor::Device;

impl Evaluation {
    /// Measures a classifier on an image set.
    ///
    /// # Errors
    ///
    /// What [`check`](Self::check) refuses; [`Error::Input`](crate::base::Error::Input) for an empty set,
    /// for logits that are not numbers or fewer than the set has classes; whatever the attack refuses.
    pub fn run(&self, victim: &Frozen, data: &ImageSet, device: &Device) -> Result<Profile> {
        self.run_with_progress(victim, data, device, |_, _| {})
    }

    /// Measures as [`run`](Self::run) does, and calls `progress(done, total)` on the way, in
    /// units of about one forward pass of one image.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_with_progress(
        &self,
        victim: &Frozen,
        data: &ImageSet,
        device: &Device,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Profile> {
        self.check()?;
        let mut tests: Vec<Test> = (self.axes.iter())
            .flat_map(|axis| axis.levels.iter().map(|level| Test::new(axis, level)))
            .collect();
        let mut clean_correct = Vec::with_capacity(data.len());
        let total = data.len() * (1 + tests.iter().map(|test| test.cost).sum::<usize>());
        let mut done = 0;
        for (victim, batch) in batches(victim, data, self.batch_size, device)? {
            let labels = batch.labels_to_vec();
            let clean = classes(&victim, &batch, batch.images.clone(), data)?;
            clean_correct.extend(clean.iter().zip(&labels).map(|(a, b)| a == b));
            done += batch.len();
            progress(done, total);
            for test in &mut tests {
                let mut scene = Scene::new(&victim, &batch, &clean, self.seed);
                test.measure(&mut scene, &labels)?;
                done += batch.len() * test.cost;
                progress(done, total);
            }
        }

        let mut points = tests
            .into_iter()
            .map(|test| self.conclude(test, &clean_correct));
        let curves = (self.axes.iter())
            .map(|axis| Curve::of(axis, points.by_ref().take(axis.levels.len()).collect()))
            .collect();
        let right = clean_correct.iter().filter(|&&c| c).count();
        Ok(Profile {
            name: "model".to_owned(),
            data: DataSummary::of(data),
            clean: Rate::of(right, data.len()),
            clean_correct: self.keep_outcomes.then(|| Outcomes::new(clean_correct)),
            curves,
            settings: serde_json::to_value(self).expect("settings are plain values"),
            numerics: victim.numerics(),
            versions: Versions::of(device),
            extras: Extras::default(),
        })
    }

    fn conclude(&self, test: Test, right: &[bool]) -> Point {
        let outcomes = [&test.correct[..], &test.fooled];
        let point = Point::of_outcomes(
            test.level.clone(),
            test.draws,
            right,
            outcomes,
            test.is_clean,
        );
        Point {
            queries: test.queries as f64 / right.len() as f64,
            vanished: share(test.vanished, &test.fooled),
            undefined: share(test.undefined, &test.fooled),
            correct: self.keep_outcomes.then(|| Outcomes::new(test.correct)),
            fooled: self.keep_outcomes.then(|| Outcomes::new(test.fooled)),
            ..point
        }
    }
}

fn share(count: usize, of: &[bool]) -> f64 {
    count as f64 / of.len() as f64
}

// One level on its way through the batches; outcomes image by image, draws side by side.
struct Test<'a> {
    threat: &'a dyn Threat,
    level: &'a Level,
    is_clean: bool,
    draws: usize,
    // Forward passes of one image, a backward pass counted as two.
    cost: usize,
    correct: Vec<bool>,
    fooled: Vec<bool>,
    queries: u64,
    // Images (and draws) that stand by gradients that vanished, or that were not finite.
    vanished: usize,
    undefined: usize,
}

impl<'a> Test<'a> {
    fn new(axis: &'a Axis, level: &'a Level) -> Self {
        let threat = &*axis.threat;
        let is_clean = threat.is_clean(level);
        let draws = if is_clean { 1 } else { threat.draws() };
        let Cost { queries, gradients } = threat.cost(level);
        Self {
            threat,
            level,
            is_clean,
            draws,
            cost: if is_clean {
                0
            } else {
                draws * (queries + 2 * gradients)
            },
            correct: Vec::new(),
            fooled: Vec::new(),
            queries: 0,
            vanished: 0,
            undefined: 0,
        }
    }

    fn measure(&mut self, scene: &mut Scene, labels: &[i64]) -> Result<()> {
        let clean = scene.clean();
        // The classes of all images, away from their labels and from clean predictions, once per draw.
        let mut met = Vec::with_capacity(self.draws);
        if self.is_clean {
            met.push([clean.to_vec(), clean.to_vec()]);
        } else {
            for draw in 0..self.draws {
                let classes = self.threat.classes(self.level, scene.in_draw(draw))?;
                let stands = |at: usize| classes[at] == clean[at];
                let count = |flags: &[bool]| {
                    let at = 0..flags.len();
                    at.filter(|&at| flags[at] && stands(at)).count()
                };
                let [vanished, undefined] = scene.flaws();
                self.vanished += count(vanished);
                self.undefined += count(undefined);
                let misled = self.threat.misled(self.level, scene, &classes)?;
                met.push([classes, misled]);
            }
        }
        self.queries += scene.queries();
        for image in 0..clean.len() {
            let is_right = !self.threat.includes_clean() || clean[image] == labels[image];
            for [classes, misled] in &met {
                self.correct
                    .push(is_right && classes[image] == labels[image]);
                self.fooled.push(misled[image] != clean[image]);
            }
        }
        Ok(())
    }
}
