use super::{Dominates, Findings, Judged, PlaneFindings, Section, judged};
use crate::evaluate::{Entry, Report};
use std::fmt::Write as _;

impl Findings {
    /// The means over seeds as a report of [`evaluate`](crate::evaluate): an entry for each network and training
    /// of each section, named by both; with the findings under `extras.study`.
    pub fn report(&self) -> Report {
        let seed = self.study.evaluation_seed;
        let mut report = Report::new(&self.study.title, seed, self.versions.clone())
            .with_settings(serde_json::to_value(&self.study).expect("plain values"));
        for section in &self.sections {
            let entries = section.arms.iter().map(|arm| {
                let mut profile = arm.profile.clone();
                if !arm.surfaces.is_empty() {
                    profile.extras = profile.extras.with("surfaces", &arm.surfaces);
                }
                Entry {
                    section: section.series.name.clone(),
                    training: Some(arm.record.clone()),
                    profile,
                }
            });
            report.entries.extend(entries);
        }
        let planes = self.sections.iter().filter_map(|section| {
            let plane = section.plane.as_ref()?;
            Some((section.series.name.clone(), plane))
        });
        report.extras = (report.extras.clone())
            .with("verdicts", &self.verdicts)
            .with("planes", &Vec::from_iter(planes))
            .with("missing cells", &self.missing);
        if let Some(scans) = &self.scans {
            report.extras = report.extras.with("scans", scans);
        }
        report
    }

    /// What the verdicts say: for each family how many endpoints have which finding, and then a sentence for
    /// each endpoint.
    pub fn families(&self) -> Vec<(String, Vec<String>)> {
        let mut families: Vec<&str> = Vec::new();
        for judged in &self.verdicts {
            if !families.contains(&judged.family.as_str()) {
                families.push(&judged.family);
            }
        }
        let said = |family: &str| {
            let of = Vec::from_iter(self.verdicts.iter().filter(|one| one.family == family));
            let (count, counts) = (of.len(), judged::counts(&of));
            let endpoints = if count == 1 { "endpoint" } else { "endpoints" };
            let summary =
                format!("Of the {count} {endpoints} declared in the family `{family}`, {counts}.");
            (summary, of.iter().map(|one| one.sentence()).collect())
        };
        families.into_iter().map(said).collect()
    }

    /// The same as a paragraph to quote for each family.
    pub fn paragraphs(&self) -> Vec<String> {
        let whole = |(summary, sentences): (String, Vec<String>)| {
            format!("{summary} {}", sentences.join(" "))
        };
        self.families().into_iter().map(whole).collect()
    }

    /// The cells that are missing, in a sentence; empty if none is.
    pub fn provisional(&self) -> String {
        match self.missing.len() {
            0 => String::new(),
            missing => format!(
                "Provisional: {missing} of {} cells are not there yet. What follows is of those that are.",
                self.cells
            ),
        }
    }

    /// The findings as Markdown: verdicts in words and as a table, then for each section its trainings, its
    /// rates and its place in the plane.
    pub fn to_markdown(&self) -> String {
        let (study, versions) = (&self.study, &self.versions);
        let mut text = format!("# {}\n", line(&study.title));
        for paragraph in [&study.about, &self.provisional()] {
            if !paragraph.is_empty() {
                let _ = write!(text, "\n{paragraph}\n");
            }
        }
        if !self.verdicts.is_empty() {
            text += "\n## Verdicts\n";
            for paragraph in self.paragraphs() {
                let _ = write!(text, "\n{paragraph}\n");
            }
            text += &self.table();
        }
        for section in &self.sections {
            text += &section.learned();
            text += &section.over_surfaces();
            text += &section.places();
        }
        if let Some(scans) = &self.scans {
            let table = scans.to_markdown();
            let _ = write!(text, "\n## Scans\n\n{}\n\n{table}", scans.about());
        }
        // Below a title of its own, which this text has already.
        let rates = self.report().to_markdown();
        let rates = rates.split_once("\n\n").map_or(&*rates, |(_, rest)| rest);
        let _ = write!(
            text,
            "\n# Rates\n\nMeans over seeds and images, with 95 % intervals over both (over images alone \
             where there is one seed). {rates}"
        );
        let _ = write!(
            text,
            "\nfireproof {}, Burn {}, {}.\n",
            versions.fireproof,
            versions.burn,
            line(&versions.device)
        );
        text
    }

    fn table(&self) -> String {
        let mut text = "\n| endpoint | family | finding | effect | 95 % interval | p, no effect | p, as \
                        large as the margin | margin | seeds | images |\n|---|---|---|---:|---:|---:|---:|\
                        ---:|---:|---:|\n"
            .to_owned();
        for judged in &self.verdicts {
            let fields = Vec::from_iter(row(judged).iter().map(|field| cell(field))).join(" | ");
            let _ = writeln!(text, "| {fields} |");
        }
        text
    }
}

/// A verdict as the fields of a table.
pub(crate) fn row(judged: &Judged) -> [String; 10] {
    let mut fields = [const { String::new() }; 10];
    [fields[0], fields[1], fields[2]] = [judged.name.clone(), judged.family.clone(), judged.word()];
    if let Some(verdict) = &judged.verdict {
        let effect = &verdict.effect;
        let points = |share: f64| format!("{:+.1}", 100.0 * share);
        fields[3] = points(effect.value);
        fields[4] = format!(
            "{} to {}",
            points(effect.interval.low),
            points(effect.interval.high)
        );
        fields[5] = p_value(verdict.difference);
        fields[6] = p_value(verdict.equivalence);
        fields[7] = format!("{:.1}", 100.0 * verdict.margin);
        fields[8] = effect.seeds.to_string();
        fields[9] = effect.images.to_string();
        if !judged.not_learned.is_empty() {
            fields[2] += " (not learned)";
        }
    }
    fields
}

fn p_value(p: f64) -> String {
    match p {
        p if p < 1e-4 => "< 0.0001".to_owned(),
        p => format!("{p:.4}"),
    }
}

impl Section {
    /// Whether its networks have learned, as a table.
    fn learned(&self) -> String {
        let name = line(&self.series.name);
        let mut text = format!(
            "\n## {name}\n\n| classifier | seeds | training images right in the last epoch, and what it \
             added |\n|---|---|---|\n"
        );
        for arm in &self.arms {
            let seeds = Vec::from_iter(arm.seeds.iter().map(u64::to_string)).join(", ");
            let learned = arm
                .learned
                .map_or_else(|| "not trained".to_owned(), |l| l.to_string());
            let _ = writeln!(
                text,
                "| {} | {seeds} | {learned} |",
                cell(&arm.profile.name)
            );
        }
        text
    }

    /// Means over the surfaces of poses and radii, as a table.
    fn over_surfaces(&self) -> String {
        let mut text = String::new();
        for arm in &self.arms {
            for over in &arm.surfaces {
                let (name, axis) = (cell(&arm.profile.name), cell(&over.axis));
                let _ = writeln!(
                    text,
                    "| {name} | {axis} | {} | {} |",
                    over.accuracy, over.fooling
                );
            }
        }
        if text.is_empty() {
            return text;
        }
        format!(
            "\n| classifier | mean over the surface of | accuracy | fooling rate |\n|---|---|---:|---:|\n{text}"
        )
    }

    /// Where its networks are in the plane, as a table.
    fn places(&self) -> String {
        let Some(plane) = &self.plane else {
            return String::new();
        };
        let [x, y] = [&plane.plane.spatial, &plane.plane.adversarial].map(|at| self.said(at));
        let mut text = format!(
            "\n| classifier | accuracy at {} | accuracy at {} | on the front | in repetitions |\n|---|---:|---:|:---:|---:|\n",
            cell(&x),
            cell(&y)
        );
        for place in &plane.front.places {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {:.0} % |",
                cell(&place.name),
                place.spatial,
                place.adversarial,
                if place.on_front { "yes" } else { "" },
                100.0 * place.share
            );
        }
        for sentence in plane.sentences() {
            let _ = write!(text, "\n{sentence}\n");
        }
        text
    }
}

impl PlaneFindings {
    /// The area below the front and the slopes, in sentences.
    pub fn sentences(&self) -> Vec<String> {
        let area = &self.front.hypervolume;
        let pairs =
            |one: &Dominates| format!("{} over {} (p = {:.4})", one.better, one.worse, one.p_value);
        let dominance = match &self.dominance[..] {
            [] => "No training dominates another one of its network in both".to_owned(),
            all => Vec::from_iter(all.iter().map(pairs)).join("; "),
        };
        let tested = self.pairs;
        let mut sentences = vec![
            format!(
                "Better in both on the same images, adjusted over {tested} ordered pairs of trainings of one \
                 network: {dominance}."
            ),
            format!(
                "Area below the front from (0, 0): {:.4} (95 % interval {:.4} to {:.4}).",
                area.value, area.interval.low, area.interval.high
            ),
        ];
        for (network, slope) in &self.slopes {
            sentences.push(match slope {
                Ok(slope) => format!(
                    "{network}: at equal clean accuracy {:+.2} points of accuracy in poses for each point \
                     under attack (95 % interval {:+.2} to {:+.2}; p = {:.4}).",
                    slope.value, slope.interval.low, slope.interval.high, slope.p_value
                ),
                Err(reason) => format!("{network}: no slope ({reason})."),
            });
        }
        sentences
    }
}

// Text that stays within one cell or line.
pub(super) fn cell(text: &str) -> String {
    line(text).replace('|', "\\|")
}

fn line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
