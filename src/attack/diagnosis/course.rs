use super::trace::{Recorder, Trace};
use crate::attack::rows::select;
use crate::attack::{Attack, Found, Frozen, Outcome, Part, PartOutcome, Reference, Trial};
use crate::base::{Batch, Result, Seed};
use burn::tensor::Tensor;
use std::sync::Arc;

/// What an attack does on a batch, part by part, as on a whole set: each image meets the parts until one
/// fools it, even where the attack would go on for something nearer. Every pass is taken down.
#[derive(Clone, Debug)]
pub struct Course {
    parts: Vec<PartOutcome>,
    images: Vec<Outcome>,
    reference: Reference,
    traces: Vec<Trace>,
    // Images that fool although the classifier gets them right as they are.
    fooling: Vec<(usize, Tensor<4>)>,
}

impl Course {
    pub(super) fn of(
        attack: &dyn Attack,
        victim: &Frozen,
        batch: &Batch,
        seed: Seed,
    ) -> Result<Self> {
        let (goal, ball) = (attack.goal(), attack.ball());
        let mut clean = Trial::new(victim, batch, &goal, seed)?;
        let mut course = Self {
            parts: Vec::new(),
            images: vec![Outcome::default(); batch.len()],
            reference: clean.reference().clone(),
            traces: Vec::new(),
            fooling: Vec::new(),
        };
        for (image, (id, label)) in
            (course.images.iter_mut()).zip(batch.ids.iter().zip(batch.labels_to_vec()))
        {
            image.id = *id;
            image.label = u8::try_from(label).unwrap_or(u8::MAX);
        }
        clean.offer_originals();
        let every = Vec::from_iter(0..batch.len());
        course.take("clean", &every, Some(clean.conclude(ball.as_ref())?));
        let recorder = Recorder::new(
            batch,
            course.reference.clone(),
            goal.loss.clone(),
            ball.clone(),
        );
        let recorder = Arc::new(recorder);
        let record = recorder.clone();
        let victim = victim.watched(move |images, ids, logits| record.record(images, ids, logits));
        for part in attack.parts() {
            let standing = course.standing();
            let found = match standing.is_empty() {
                true => None,
                false => {
                    let mut trial = Trial::new(&victim, &batch.select(&standing), &goal, seed)?;
                    search(&part, &mut trial)?
                        .then(|| trial.conclude(ball.as_ref()))
                        .transpose()?
                }
            };
            course.take(part.name(), &standing, found);
            course.traces.push(recorder.take());
        }
        Ok(course)
    }

    fn take(&mut self, name: &str, positions: &[usize], found: Option<Found>) {
        let number = self.parts.len();
        let mut part = PartOutcome {
            name: name.to_owned(),
            met: positions.len(),
            ..PartOutcome::default()
        };
        for (index, &at) in positions.iter().enumerate() {
            let image = &mut self.images[at];
            image.parts = number + 1;
            let Some(found) = &found else {
                continue;
            };
            let [queries, gradients] =
                [&found.queries, &found.gradients].map(|counts| u64::from(counts[index]));
            part.queries += queries;
            part.gradients += gradients;
            image.queries += queries;
            image.gradients += gradients;
            image.vanished += u64::from(found.vanished[index]);
            image.undefined += u64::from(found.undefined[index]);
            if found.fooled[index] {
                part.fooled += 1;
                image.fooled_by = Some(number);
                image.predicted = Some(found.predicted[index]);
                image.distance = found.distance[index];
                if number > 0 {
                    self.fooling.push((at, select(&found.images, &[index])));
                }
            }
        }
        self.parts.push(part);
    }

    /// The parts in their order, the clean pass first.
    pub fn parts(&self) -> &[PartOutcome] {
        &self.parts
    }

    /// What came of each image.
    pub fn images(&self) -> &[Outcome] {
        &self.images
    }

    /// Labels, targets and clean logits of the batch, for losses.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// The positions of the images that nothing has fooled.
    pub fn standing(&self) -> Vec<usize> {
        let images = self.images.iter().enumerate();
        let standing = images.filter(|(_, image)| image.fooled_by.is_none());
        standing.map(|(at, _)| at).collect()
    }

    /// The positions of the images that the attack has fooled, and what has fooled them; without those
    /// that are wrong as they are.
    pub fn fooling(&self) -> Option<(Vec<usize>, Tensor<4>)> {
        let positions = self.fooling.iter().map(|(at, _)| *at).collect();
        let images = Vec::from_iter(self.fooling.iter().map(|(_, image)| image.clone()));
        (!images.is_empty()).then(|| (positions, Tensor::cat(images, 0)))
    }

    /// The attack's [unsaturated](crate::attack::Loss::unsaturated) loss of the image at this position at
    /// the points in the ball that each part passed through the classifier, in their order. Points that
    /// were passed twice count twice.
    pub fn losses(&self, position: usize) -> impl Iterator<Item = &[f32]> {
        self.traces
            .iter()
            .map(move |trace| &trace.losses[position][..])
    }

    /// Whether some pass was at a point in the ball that fools.
    pub fn met_fooling(&self, position: usize) -> bool {
        self.traces.iter().any(|trace| trace.met_fooling[position])
    }
}

// Whether there was anything to do.
fn search(part: &Part, trial: &mut Trial) -> Result<bool> {
    let idle = trial.classes() < part.least_classes();
    part.search(trial)?;
    Ok(!idle)
}
