//! All networks in the plane of S and R, under the bounds.

use crate::options::Options;
use crate::rules::both;
use crate::{digits, networks};
use fireproof::base::Result;
use fireproof::evaluate::Rate;
use fireproof::report::{Figure, Panel};
use fireproof::theory::{Setting, Survey};
use rayon::prelude::*;

// Weights of S at which the best classifiers there are make up the line.
const WEIGHTS: [f64; 11] = [0.0, 0.2, 0.35, 0.44, 0.48, 0.5, 0.52, 0.56, 0.65, 0.8, 1.0];

/// Panels of a row, with its title.
pub struct Row {
    title: String,
    panels: Vec<Panel>,
}

pub fn figure(rows: Vec<Row>) -> Figure {
    let figure = Figure::new("Spatial and adversarial accuracy: trained networks under the bounds");
    (rows.into_iter()).fold(figure, |figure, row| figure.with_row(row.title, row.panels))
}

/// A row of panels for each letter.
pub fn settings(options: &Options, found: &[networks::Trained]) -> Result<Vec<Row>> {
    let settings = networks::settings()?;
    let letters = settings.chunk_by(|a, b| a.0 == b.0);
    let row = |of: &[(&str, Box<dyn Setting>)]| {
        let names = Vec::from_iter(of.iter().map(|(_, setting)| setting.to_string()));
        let panels = of
            .iter()
            .map(|(_, setting)| panel(options, &**setting, found));
        Ok(Row {
            title: format!("Setting {}: {}", of[0].0, names.join("; ")),
            panels: panels.collect::<Result<_>>()?,
        })
    };
    letters.map(row).collect()
}

fn panel(options: &Options, setting: &dyn Setting, found: &[networks::Trained]) -> Result<Panel> {
    let epsilon = 2.0 * setting.eta();
    let mut rules: Vec<(String, Rate, Rate)> = Vec::new();
    for row in found
        .iter()
        .filter(|row| row.setting == setting.to_string())
    {
        let name = format!("{}, {}", row.network, row.method);
        let (spatial, adversarial) = (row.measured.spatial, row.measured.adversarial);
        rules.push((name, networks::rate(&spatial), networks::rate(&adversarial)));
    }
    let survey = Survey::new(options.sizes().test, epsilon).with_seed(options.seed);
    for known in both(setting, epsilon)? {
        let measured = survey.of(setting, &*known.rule)?;
        let [spatial, adversarial] =
            [measured.spatial, measured.adversarial].map(|s| networks::rate(&s));
        rules.push((known.name.to_owned(), spatial, adversarial));
    }
    let best = WEIGHTS.into_par_iter().map(|weight| {
        let measured = survey.of(setting, &setting.optimal(weight, epsilon)?)?;
        Ok([measured.spatial.value(), measured.adversarial.value()])
    });
    let best: Vec<[f64; 2]> = best.collect::<Result<_>>()?;
    let rules = Vec::from_iter(rules.iter().map(|(name, s, r)| (name.as_str(), *s, *r)));
    Ok(Panel::under(setting, epsilon, &rules).with_line("the best there are", &best))
}

pub fn digits(found: &[digits::Trained]) -> Row {
    let name = |row: &digits::Trained| format!("{}, {}", row.network, row.method);
    let names = Vec::from_iter(found.iter().map(name));
    let rules = names.iter().zip(found);
    let rules = rules.map(|(name, row)| (name.as_str(), row.spatial, row.adversarial));
    let panel = Panel::plane(
        "S: accuracy over quarter turns (%)",
        "R: turned, then attacked (%)",
        &Vec::from_iter(rules),
    );
    Row {
        title: format!(
            "Handwritten digits, ε = {}, for which no bound is known",
            digits::EPSILON
        ),
        panels: vec![panel.with_line("S + R = 1", &[[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]])],
    }
}
