use crate::base::Seed;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// What a [`Diagnose`](super::Diagnose) found out about an evaluation.
///
/// Plain data: [`Extras::with`](crate::evaluate::Extras::with) puts it into a report. Shown as a list of
/// sentences.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// The attack, in words.
    pub name: String,
    /// The attack.
    pub attack: Value,
    /// The checks that were asked for, with their thresholds.
    pub checks: Vec<Value>,
    /// Seed of all draws.
    pub seed: Seed,
    /// How many images were looked at, besides those of a whole run that it was given.
    pub images: usize,
    /// The signs found.
    pub findings: Vec<Finding>,
    /// The checks that could not be made.
    pub unmade: Vec<Unmade>,
    /// Forward passes spent on all images, those with a backward pass included.
    pub queries: u64,
    /// Backward passes spent on all images.
    pub gradients: u64,
}

/// A sign that an evaluation is not to be trusted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The check's name in files.
    pub check: String,
    /// The images that show it.
    pub images: usize,
    /// Of how many that could have shown it.
    pub of: usize,
    /// What else was measured, by name.
    pub numbers: BTreeMap<String, f64>,
    /// What was found and what to do about it, in a sentence or two.
    pub message: String,
}

/// A check that could not be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unmade {
    /// The check's name in files.
    pub check: String,
    /// Why not.
    pub reason: String,
}

impl Diagnosis {
    /// Whether no check found anything. See [`unmade`](Self::unmade) for what nobody looked at.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// What the check of this name found, if it found anything.
    pub fn finding(&self, check: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.check == check)
    }

    /// The names of the checks that found something, in their order.
    pub fn flags(&self) -> Vec<&str> {
        let findings = self.findings.iter();
        findings.map(|finding| finding.check.as_str()).collect()
    }
}

impl Finding {
    /// A sign that so many images of so many show. [`Diagnose`](super::Diagnose) fills in the check.
    pub fn new(images: usize, of: usize, message: impl Into<String>) -> Self {
        Self {
            images,
            of,
            message: message.into(),
            ..Self::default()
        }
    }

    /// With this number; left out if it is not finite, which JSON cannot hold.
    pub fn with_number(mut self, name: impl Into<String>, value: f64) -> Self {
        if value.is_finite() {
            self.numbers.insert(name.into(), value);
        }
        self
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let made = self.checks.len() - self.unmade.len();
        write!(
            f,
            "{}: {made} checks on {} images, {} forward and {} backward passes.",
            self.name, self.images, self.queries, self.gradients
        )?;
        if self.is_clean() {
            f.write_str(" Nothing was found.")?;
        }
        for Finding { check, message, .. } in &self.findings {
            write!(f, "\n- {check}: {message}")?;
        }
        for Unmade { check, reason } in &self.unmade {
            write!(f, "\n- {check} was not checked: {reason}.")?;
        }
        Ok(())
    }
}
