use crate::attack::{Frozen, predicted_classes};
use crate::base::{Batch, Degrees, Error, Keys, Pixels, Result, read};
use crate::data::{DataSummary, ImageSet};
use crate::evaluate::{Evaluation, Family, Level, Outcomes, Profile, Rate, Versions};
use crate::transform::{Pose, PoseBudget};
use burn::tensor::{Device, Tensor};

impl Evaluation {
    /// Measures a classifier on an image set.
    ///
    /// # Errors
    ///
    /// What [`check`](Self::check) refuses; [`Error::Input`] for an empty set, for logits that are
    /// not numbers or fewer than the set has classes; whatever the attack refuses.
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
        if data.is_empty() {
            return Err(Error::input(
                format!("image set `{}`", data.name()),
                "no image",
                "at least one",
            ));
        }
        let mut tests = self.tests();
        let mut clean_correct = Vec::with_capacity(data.len());
        let total = data.len() * (1 + tests.iter().map(|test| self.cost(test)).sum::<usize>());
        let mut done = 0;
        let positions: Vec<usize> = (0..data.len()).collect();
        for positions in positions.chunks(self.batch_size) {
            let batch = data.batch(positions, device);
            let labels = batch.labels_to_vec();
            let logits = victim.logits(batch.images.clone());
            check_classes(&logits, data.classes())?;
            let clean = predictions(logits, &batch)?;
            clean_correct.extend(clean.iter().zip(&labels).map(|(a, b)| a == b));
            done += batch.len();
            progress(done, total);
            for test in &mut tests {
                self.measure(test, victim, &batch, &labels, &clean)?;
                done += batch.len() * self.cost(test);
                progress(done, total);
            }
        }

        let mut families: [Vec<Level>; 4] = Default::default();
        for test in tests {
            families[test.family as usize].push(self.conclude(test, data.len()));
        }
        let [angles, shifts, joint, epsilons] = families;
        let right = clean_correct.iter().filter(|&&c| c).count();
        Ok(Profile {
            name: "model".to_owned(),
            data: DataSummary::of(data),
            clean: Rate::of(right, data.len()),
            clean_correct: self.keep_outcomes.then(|| Outcomes::new(clean_correct)),
            angles,
            shifts,
            joint,
            epsilons,
            settings: self.clone(),
            numerics: victim.numerics(),
            versions: Versions::of(device),
        })
    }

    fn tests(&self) -> Vec<Test> {
        let draws = |family, level| {
            if family == Family::Epsilons || level == 0.0 {
                1
            } else {
                self.draws
            }
        };
        Family::ALL
            .into_iter()
            .flat_map(|family| {
                self.levels(family)
                    .into_iter()
                    .map(move |level| Test::new(family, level, draws(family, level)))
            })
            .collect()
    }

    // Forward passes of one image, a backward pass counted as two.
    fn cost(&self, test: &Test) -> usize {
        match test.family {
            _ if test.level == 0.0 => 0,
            Family::Epsilons => {
                let cost = self.attack.cost();
                cost.queries + 2 * cost.gradients
            }
            _ => test.draws,
        }
    }

    fn measure(
        &self,
        test: &mut Test,
        victim: &Frozen,
        batch: &Batch,
        labels: &[i64],
        clean: &[i64],
    ) -> Result<()> {
        let classify = |images| predictions(victim.logits(images), batch);
        // The classes of all images, once per draw.
        let mut predicted = Vec::with_capacity(test.draws);
        let mut robust = vec![true; batch.len()];
        if test.level == 0.0 {
            predicted.push(clean.to_vec());
        } else if test.family == Family::Epsilons {
            let attack = self.attack_at(test.level)?;
            let found = attack.attack(victim, batch, self.seed)?;
            test.queries += found.queries.iter().map(|&q| u64::from(q)).sum::<u64>();
            predicted.push(found.predicted);
            robust = clean.iter().zip(labels).map(|(a, b)| a == b).collect();
        } else {
            for draw in 0..test.draws {
                let keys = Keys::new(self.seed, batch.ids.iter().copied());
                let poses = self.poses(test, batch, &keys.with_draw(draw as u64))?;
                predicted.push(classify(self.warp.apply(batch.images.clone(), &poses))?);
            }
            test.queries += (test.draws * batch.len()) as u64;
        }
        for image in 0..batch.len() {
            for classes in &predicted {
                test.correct
                    .push(robust[image] && classes[image] == labels[image]);
                test.fooled.push(classes[image] != clean[image]);
            }
        }
        Ok(())
    }

    fn poses(&self, test: &Test, batch: &Batch, keys: &Keys) -> Result<Vec<Pose>> {
        let [_, _, height, width] = batch.images.dims();
        let level = test.level;
        let (angle, shift) = match test.family {
            Family::Angles => (level, 0.0),
            Family::Shifts => (0.0, level),
            Family::Joint => (180.0 * level, level),
            Family::Epsilons => (0.0, 0.0),
        };
        let mut poses = PoseBudget::new(Degrees(angle), Pixels(shift))?.draw(keys);
        if test.family == Family::Joint {
            for pose in &mut poses {
                pose.right = Pixels(pose.right.0 * width as f64);
                pose.down = Pixels(pose.down.0 * height as f64);
            }
        }
        Ok(poses)
    }

    fn conclude(&self, test: Test, images: usize) -> Level {
        let rate = |flags: &[bool]| Rate::of_draws(flags, test.draws, self.resamples, self.seed);
        Level {
            value: test.level,
            accuracy: rate(&test.correct),
            fooling: rate(&test.fooled),
            draws: test.draws,
            queries: test.queries as f64 / images as f64,
            correct: self.keep_outcomes.then(|| Outcomes::new(test.correct)),
            fooled: self.keep_outcomes.then(|| Outcomes::new(test.fooled)),
        }
    }
}

// One level on its way through the batches; outcomes image by image, draws side by side.
struct Test {
    family: Family,
    level: f64,
    draws: usize,
    correct: Vec<bool>,
    fooled: Vec<bool>,
    queries: u64,
}

impl Test {
    fn new(family: Family, level: f64, draws: usize) -> Self {
        Self {
            family,
            level,
            draws,
            correct: Vec::new(),
            fooled: Vec::new(),
            queries: 0,
        }
    }
}

fn check_classes(logits: &Tensor<2>, expected: usize) -> Result<()> {
    let [_, classes] = logits.dims();
    if classes < expected {
        return Err(Error::input(
            "logits of the classifier",
            format!("{classes} classes"),
            format!("{expected} or more, as the image set has"),
        ));
    }
    Ok(())
}

// The predicted class of each image.
fn predictions(logits: Tensor<2>, batch: &Batch) -> Result<Vec<i64>> {
    let wrong = logits
        .clone()
        .is_nan()
        .any_dim(1)
        .float()
        .squeeze_dim::<1>(1);
    let wrong: Vec<f32> = read(&wrong);
    if let Some(at) = wrong.iter().position(|&nan| nan > 0.0) {
        return Err(Error::input(
            format!("logits of image {}", batch.ids[at]),
            "NaN",
            "numbers (has the classifier diverged in training?)",
        ));
    }
    Ok(read(&predicted_classes(logits)))
}
