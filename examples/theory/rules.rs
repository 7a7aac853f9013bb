//! The rules that are discussed, with their accuracies in closed form where there is one.

use fireproof::base::Result;
use fireproof::theory::{
    Accuracies, Detector, GaussianFeature, Linear, Rule, Setting, SignFeature,
};

/// A rule of a setting.
pub struct Known {
    pub name: &'static str,
    pub rule: Box<dyn Rule>,
    pub exact: Option<Accuracies>,
}

fn linear(setting: &dyn Setting, name: &'static str, rule: Linear, epsilon: f64) -> Result<Known> {
    Ok(Known {
        name,
        exact: Some(setting.linear(&rule, epsilon)?),
        rule: Box::new(rule),
    })
}

/// The rules of any setting.
pub fn both(setting: &dyn Setting, epsilon: f64) -> Result<Vec<Known>> {
    let d = setting.dimension();
    Ok(vec![
        linear(setting, "sign of x₀", Linear::coordinate(d, 0), epsilon)?,
        linear(setting, "sign of the mean", Linear::mean(d), epsilon)?,
    ])
}

pub fn of_signs(setting: &SignFeature, epsilon: f64) -> Result<Vec<Known>> {
    let mut known = both(setting, epsilon)?;
    let detectors = [
        ("what is exactly ±1", Detector::exact()),
        ("Bayes-optimal", setting.bayes()?),
    ];
    for (name, detector) in detectors {
        known.push(Known {
            name,
            exact: Some(setting.of_detector(&detector, epsilon)?),
            rule: Box::new(detector),
        });
    }
    Ok(known)
}

pub fn of_gaussians(setting: &GaussianFeature, epsilon: f64) -> Result<Vec<Known>> {
    let mut known = both(setting, epsilon)?;
    for (name, weight) in [("Bayes-optimal invariant", 1.0), ("highest S + R", 0.5)] {
        known.push(Known {
            name,
            exact: None,
            rule: Box::new(setting.optimal(weight, epsilon)?),
        });
    }
    Ok(known)
}
