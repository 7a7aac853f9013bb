//! Rules in closed form beside what is measured, with the bound.

use crate::options::Options;
use crate::rules::{Known, of_gaussians, of_signs};
use crate::{bar, percent};
use fireproof::base::Result;
use fireproof::theory::{Accuracies, GaussianFeature, Measured, Setting, SignFeature, Survey};
use rayon::prelude::*;
use serde::Serialize;
use std::sync::Arc;

// The weak features together tell the class with about 98 %: η = 2/√d.
const TOGETHER: f64 = 2.0;

#[derive(Serialize)]
pub struct Row {
    setting: String,
    rule: &'static str,
    epsilon: f64,
    exact: Option<Accuracies>,
    measured: Measured,
    /// What no classifier of this spatial accuracy exceeds, at the closed one where there is one.
    bound: f64,
}

struct Case {
    name: String,
    setting: Arc<dyn Setting>,
    known: Known,
}

fn cases() -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    let mut add = |name: String, setting: Arc<dyn Setting>, known: Vec<Known>| {
        cases.extend(known.into_iter().map(|known| Case {
            name: name.clone(),
            setting: setting.clone(),
            known,
        }));
    };
    let eta = |d: usize| TOGETHER / (d as f64).sqrt();
    for d in [100, 1000] {
        let setting = SignFeature::new(d, 0.95, eta(d))?;
        let known = of_signs(&setting, 2.0 * setting.eta)?;
        add(format!("A, d = {d}, p = 0.95"), Arc::new(setting), known);
    }
    for kappa in [1.0, 2.0] {
        let setting = GaussianFeature::new(1000, kappa, eta(1000))?;
        let known = of_gaussians(&setting, 2.0 * setting.eta)?;
        add(
            format!("B, d = 1000, κ = {kappa}"),
            Arc::new(setting),
            known,
        );
    }
    Ok(cases)
}

pub fn rows(options: &Options) -> Result<Vec<Row>> {
    let cases = cases()?;
    let bar = bar("rules", cases.len());
    let row = |case: Case| {
        let Case {
            name,
            setting,
            known,
        } = case;
        let epsilon = 2.0 * setting.eta();
        let survey = Survey::new(options.sizes().points, epsilon).with_seed(options.seed);
        let measured = survey.of(&*setting, &*known.rule)?;
        bar.inc(1);
        let spatial = known
            .exact
            .map_or(measured.spatial.value(), |exact| exact.spatial);
        Ok(Row {
            setting: name,
            rule: known.name,
            epsilon,
            exact: known.exact,
            measured,
            bound: setting.bound(spatial, epsilon),
        })
    };
    let rows = cases.into_par_iter().map(row).collect();
    bar.finish_and_clear();
    rows
}

pub fn text(rows: &[Row]) -> String {
    let mut text = "## Rules in closed form and measured\n\n\
                    Of each accuracy the closed form, and in brackets what was measured. R ≤ is what no \
                    classifier of this S exceeds.\n\n\
                    | setting | ε | rule | natural | S | attacked in place | R | R ≤ |\n\
                    |---|---:|---|---:|---:|---:|---:|---:|"
        .to_owned();
    for row in rows {
        let (exact, found) = (row.exact, row.measured.accuracies());
        let cell = |of: fn(&Accuracies) -> f64| match &exact {
            Some(exact) => format!("{} ({})", percent(of(exact)), percent(of(&found))),
            None => format!("({})", percent(of(&found))),
        };
        text += &format!(
            "\n| {} | {:.3} | {} | {} | {} | {} | {} | {} |",
            row.setting,
            row.epsilon,
            row.rule,
            cell(|a| a.natural),
            cell(|a| a.spatial),
            cell(|a| a.in_place),
            cell(|a| a.adversarial),
            percent(row.bound),
        );
    }
    text
}
