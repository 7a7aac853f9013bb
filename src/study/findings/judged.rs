use super::{Learned, Results};
use crate::base::Result;
use crate::study::cells::{Cell, CellResult};
use crate::study::settings::{ArmName, EndpointPlan};
use crate::study::verdicts::{
    Effect, Endpoint, Family, Finding, Pairing, Scores, Verdict, contrast, difference,
};
use serde::{Deserialize, Serialize};

/// What became of a declared endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// What is compared.
    pub name: String,
    /// The family that it shares its errors with.
    pub family: String,
    /// The verdict; none as long as not all of its trainings are there.
    pub verdict: Option<Verdict>,
    /// The seeds that all of its trainings have; of networks that have nothing in common but the images, all
    /// that any has.
    pub seeds: Vec<u64>,
    /// Its trainings, with seeds, that have not learned what they were trained for: a verdict on them says little.
    pub not_learned: Vec<String>,
    /// How many endpoints of its family are not measured yet: the verdict is adjusted for them as if nothing
    /// were to come of them.
    pub open: usize,
}

impl Judged {
    /// The verdict in a sentence.
    pub fn sentence(&self) -> String {
        let Some(verdict) = &self.verdict else {
            return format!("{}: not measured yet.", self.name);
        };
        let mut sentence = verdict.to_string();
        match &self.not_learned[..] {
            [] => {}
            [one] => sentence += &format!(" It says little, as {one} had not learned its task."),
            several => {
                let names = several.join("; ");
                sentence +=
                    &format!(" It says little, as these had not learned their tasks: {names}.");
            }
        }
        sentence
    }

    /// The conclusion in a word or two.
    pub fn word(&self) -> String {
        let word = self
            .verdict
            .as_ref()
            .map(|verdict| verdict.finding.to_string());
        word.unwrap_or_else(|| "not measured".to_owned())
    }
}

// An endpoint of one network on its way.
struct Asked {
    endpoint: Endpoint,
    family: String,
    seeds: Vec<u64>,
    not_learned: Vec<String>,
    effect: Option<Effect>,
}

/// All endpoints, in the order of the settings.
pub(super) fn all(results: &Results) -> Result<Vec<Judged>> {
    let mut asked = Vec::new();
    for plan in &results.study.endpoints {
        if plan.networks.is_empty() {
            asked.push(ask(results, plan, None)?);
        }
        for network in &plan.networks {
            asked.push(ask(results, plan, Some(network))?);
        }
    }
    let mut verdicts = vec![None; asked.len()];
    let mut open = vec![0; asked.len()];
    let unknown = unknown()?;
    for family in Vec::from_iter(asked.iter().map(|one| one.family.clone())) {
        let members = (0..asked.len()).filter(|&at| asked[at].family == family);
        let members = Vec::from_iter(members);
        if verdicts[members[0]].is_some() || open[members[0]] > 0 {
            continue;
        }
        let missing = members
            .iter()
            .filter(|&&at| asked[at].effect.is_none())
            .count();
        // An endpoint that is not measured counts for the adjustment all the same.
        let measured = members.iter().map(|&at| {
            let effect = asked[at].effect.unwrap_or(unknown);
            (asked[at].endpoint.clone(), effect)
        });
        let found = Family::new().verdicts(&Vec::from_iter(measured))?;
        for (&at, verdict) in members.iter().zip(found) {
            verdicts[at] = asked[at].effect.map(|_| verdict);
            open[at] = missing;
        }
    }
    let judged = asked
        .into_iter()
        .zip(verdicts)
        .zip(open)
        .map(|((asked, verdict), open)| Judged {
            name: asked.endpoint.name,
            family: asked.family,
            verdict,
            seeds: asked.seeds,
            not_learned: asked.not_learned,
            open,
        });
    Ok(judged.collect())
}

// What two images tell that differ either way: nothing.
fn unknown() -> Result<Effect> {
    let one = |first: f64| Scores::new(vec![vec![first, 1.0 - first]], 1);
    difference(&one(1.0)?, &one(0.0)?)
}

fn ask<'a>(results: &'a Results<'a>, plan: &EndpointPlan, network: Option<&str>) -> Result<Asked> {
    let measurement = results.study.measurement_of(plan)?;
    let all = &results.study.measurements;
    let at = all
        .iter()
        .position(|one| one.name == measurement.name)
        .expect("one of them");
    let arms = plan.contrast.arms();
    let of_arm = |arm: &ArmName| {
        let network = arm.network().or(network).unwrap_or_default();
        let cells = results.arm(network, arm.training()).into_iter();
        cells
            .filter(|cell| results.measured(*cell, at).is_some())
            .collect::<Vec<(&'a Cell, &'a CellResult)>>()
    };
    let cells = Vec::from_iter(arms.iter().map(|arm| of_arm(arm)));
    let in_all = |seed: &u64| {
        cells
            .iter()
            .all(|arm| arm.iter().any(|(cell, _)| cell.seed == *seed))
    };
    let fewest = cells.iter().map(Vec::len).min().unwrap_or(0);
    let chosen = match plan.pairing() {
        Pairing::Matched => {
            let shared = cells[0].iter().map(|(cell, _)| cell.seed).filter(in_all);
            let shared = Vec::from_iter(shared);
            let of = |arm: &Vec<(&'a Cell, &'a CellResult)>| {
                let find = |seed: &u64| arm.iter().copied().find(|(cell, _)| cell.seed == *seed);
                shared.iter().filter_map(find).collect()
            };
            Vec::from_iter(cells.iter().map(of))
        }
        // One network beside several cannot tell how networks vary.
        Pairing::Separate if fewest == 1 => {
            Vec::from_iter(cells.iter().map(|arm| arm[..1].to_vec()))
        }
        Pairing::Separate => cells,
    };
    let mut seeds = Vec::from_iter(chosen.iter().flatten().map(|(cell, _)| cell.seed));
    seeds.sort_unstable();
    seeds.dedup();
    let mut not_learned = Vec::new();
    for cells in &chosen {
        let failed = cells
            .iter()
            .filter(|(_, result)| Learned::failed(result, results.study.learned));
        let failed = Vec::from_iter(failed.map(|(cell, _)| cell.seed.to_string()));
        if let Some((cell, _)) = cells.first()
            && !failed.is_empty()
        {
            let of = if failed.len() == 1 { "seed" } else { "seeds" };
            let failed = failed.join(", ");
            not_learned.push(format!(
                "{}, {}, {of} {failed}",
                cell.network, cell.training
            ));
        }
    }
    let mut effect = None;
    if chosen.iter().all(|cells| !cells.is_empty()) {
        let place = (at, plan.axis.as_str(), plan.level.as_ref());
        let scores = chosen
            .iter()
            .map(|cells| results.scores(cells, place, plan.estimand));
        let scores = scores.collect::<Result<Vec<_>>>()?;
        let scores = Vec::from_iter(scores.iter());
        effect = Some(contrast(
            &plan.contrast.weights()?,
            &scores,
            plan.pairing(),
        )?);
    }
    Ok(Asked {
        endpoint: plan.of(network),
        family: plan.family.clone(),
        seeds,
        not_learned,
        effect,
    })
}

/// How many endpoints have each finding, in words.
pub(super) fn counts(judged: &[&Judged]) -> String {
    let findings = [
        (
            Some(Finding::Shows),
            ["shows what was claimed", "show what was claimed"],
        ),
        (
            Some(Finding::Opposite),
            ["shows the opposite", "show the opposite"],
        ),
        (
            Some(Finding::Absent),
            [
                "shows no effect as large as the margin",
                "show no effect as large as the margin",
            ],
        ),
        (Some(Finding::Undecided), ["is undecided", "are undecided"]),
        (None, ["is not measured yet", "are not measured yet"]),
    ];
    let counted = findings
        .into_iter()
        .filter_map(|(finding, [one, several])| {
            let found = |judged: &&&Judged| judged.verdict.as_ref().map(|v| v.finding) == finding;
            match judged.iter().filter(found).count() {
                0 => None,
                1 => Some(format!("1 {one}")),
                count => Some(format!("{count} {several}")),
            }
        });
    Vec::from_iter(counted).join(", ")
}
