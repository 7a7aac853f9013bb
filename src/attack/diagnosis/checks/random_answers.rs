use super::{Check, Evidence, Finding, check_number, settings, thresholds};
use crate::attack::predicted_classes;
use crate::base::{Error, Result, read};

thresholds! {
    /// Looks whether the classifier answers the same images differently from pass to pass: one that draws, or
    /// that changes as it is asked.
    pub struct RandomAnswers {
        /// How often it is asked, at least twice.
        pub passes: usize = 2,
        /// How far logits may differ, in proportion to an image's largest one: some devices do not sum in the
        /// same order each time. 0 demands the same bits.
        pub tolerance: f64 = 1e-4,
    }
}

impl Check for RandomAnswers {
    fn examine(&self, evidence: &mut Evidence) -> Result<Option<Finding>> {
        let first = evidence.clean();
        let [images, classes] = first.dims();
        let logits: Vec<f64> = read(&first);
        let predicted: Vec<i64> = read(&predicted_classes(first));
        let mut differs = vec![0.0f64; images];
        let mut changed = vec![false; images];
        for _ in 1..self.passes {
            let again = evidence.answer();
            let other: Vec<i64> = read(&predicted_classes(again.clone()));
            let again: Vec<f64> = read(&again);
            for at in 0..images {
                let row = at * classes..(at + 1) * classes;
                let difference = difference(&logits[row.clone()], &again[row]);
                differs[at] = differs[at].max(difference);
                changed[at] |= predicted[at] != other[at];
            }
        }
        let random = differs.iter().filter(|&&by| by > self.tolerance).count();
        if random == 0 {
            return Ok(None);
        }
        let changed = changed.iter().filter(|&&changed| changed).count();
        let message = format!(
            "the classifier answers {random} of {images} images differently when asked again ({changed} \
             of them with another class): one gradient and one verdict of it say little. Attack the mean \
             of its logits over many draws, and judge images by many draws.",
        );
        let finding = Finding::new(random, images, message)
            .with_number(
                "largest_difference",
                differs.into_iter().fold(0.0, f64::max),
            )
            .with_number("changed_class", changed as f64);
        Ok(Some(finding))
    }

    fn check(&self) -> Result<()> {
        Error::unless(self.passes >= 2, "passes", self.passes, "at least 2")?;
        check_number("tolerance", self.tolerance)
    }

    settings!("random_answers");
}

// The largest difference in proportion to the largest number; NaN is like NaN alone.
fn difference(row: &[f64], other: &[f64]) -> f64 {
    let largest = row
        .iter()
        .chain(other)
        .fold(0.0, |m: f64, x| m.max(x.abs()));
    let each = row
        .iter()
        .zip(other)
        .map(|(a, b)| match (a == b, a.is_nan(), b.is_nan()) {
            (true, ..) | (_, true, true) => 0.0,
            (_, false, false) => (a - b).abs() / largest,
            _ => f64::INFINITY,
        });
    each.fold(0.0, f64::max)
}
