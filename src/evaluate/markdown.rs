use super::profile::short;
use crate::base::{Result, write_atomically};
use crate::evaluate::{
    Comparison, Entry, Family, Level, Paired, Profile, Rate, Report, TradeOff, hypervolume,
    pareto_front,
};
use std::fmt::Write as _;
use std::path::Path;

impl Profile {
    /// The profile as Markdown: a heading, a line on its making, and a table per family.
    pub fn to_markdown(&self) -> String {
        let mut text = format!(
            "## {}\n\nClean accuracy {} on the {} images of {}.\n",
            cell(&self.name),
            self.clean,
            self.data.images,
            cell(&self.data.name)
        );
        text.push_str(&conditions(self));
        for family in Family::ALL {
            let levels = self.levels(family);
            if levels.is_empty() {
                continue;
            }
            write!(
                text,
                "\n| {} | accuracy | fooling rate |\n|---:|---:|---:|\n",
                family.title()
            )
            .expect(STRING);
            for level in levels {
                writeln!(
                    text,
                    "| {} | {} | {} |",
                    short(level.value),
                    level.accuracy,
                    level.fooling
                )
                .expect(STRING);
            }
        }
        text
    }
}

impl Comparison {
    /// The comparison as a Markdown table, one row per level.
    pub fn to_markdown(&self) -> String {
        let mut text = format!(
            "## {} against {}\n\nDifference of accuracies in points with its 95 % interval; images \
             that only one classifier gets right; McNemar's exact p, and after Holm within each \
             family.\n\n| level | difference | only first | only second | p | p, adjusted |\n\
             |---|---:|---:|---:|---:|---:|\n",
            cell(&self.first),
            cell(&self.second)
        );
        let mut push = |level: String, pair: &Paired| {
            writeln!(
                text,
                "| {level} | {:+.1} ({:+.1} to {:+.1}) | {} | {} | {} | {} |",
                100.0 * pair.difference,
                100.0 * pair.interval.low,
                100.0 * pair.interval.high,
                pair.only_first,
                pair.only_second,
                p_value(pair.p_value),
                p_value(pair.adjusted)
            )
            .expect(STRING);
        };
        push("clean".to_owned(), &self.clean);
        for family in Family::ALL {
            for pair in self.levels(family) {
                push(family.label(pair.value), pair);
            }
        }
        text
    }
}

impl Report {
    /// The report as Markdown: for each section how the classifiers were trained, and for each
    /// family a table of accuracies and one of fooling rates, classifiers down and levels across.
    pub fn to_markdown(&self) -> String {
        let mut text = format!(
            "# {}\n\nSeed {}; fireproof {}, Burn {}, device {}. Percentages with 95 % intervals.\n",
            cell(&self.title),
            self.seed,
            self.versions.fireproof,
            self.versions.burn,
            cell(&self.versions.device)
        );
        for section in self.sections() {
            write!(text, "\n## {}\n\n", cell(section)).expect(STRING);
            let entries = self.section(section);
            push_trainings(&mut text, &entries);
            let profiles = self.profiles(section);
            if let Some(first) = profiles.first() {
                text.push_str(&conditions(first));
            }
            for family in Family::ALL {
                let accuracy: fn(&Level) -> &Rate = |level| &level.accuracy;
                push_rates(&mut text, "accuracy", &profiles, family, accuracy);
                push_rates(&mut text, "fooling rate", &profiles, family, |l| &l.fooling);
            }
        }
        text
    }

    /// Writes the report as Markdown, as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::base::Error::Io), naming the path.
    pub fn write_markdown(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomically(path.as_ref(), self.to_markdown().as_bytes())
    }

    /// The trade-off of all classifiers as a Markdown table: accuracy at a level of a spatial
    /// family, accuracy at a radius, whether the classifier is on the Pareto front, and the
    /// hypervolume of them all from (0, 0).
    ///
    /// # Errors
    ///
    /// [`Error::Setting`](crate::base::Error::Setting) if one of the levels was not measured.
    pub fn trade_off_markdown(&self, spatial: (Family, f64), epsilon: f64) -> Result<String> {
        let profiles = self.distinct_profiles();
        let points = (profiles.iter())
            .map(|profile| profile.trade_off(spatial, epsilon))
            .collect::<Result<Vec<TradeOff>>>()?;
        let front = pareto_front(&points);
        let mut text = format!(
            "| classifier | {} | {} | on the front |\n|---|---:|---:|:---:|\n",
            spatial.0.label(spatial.1),
            Family::Epsilons.label(epsilon)
        );
        for (at, profile) in profiles.into_iter().enumerate() {
            writeln!(
                text,
                "| {} | {} | {} | {} |",
                cell(&profile.name),
                profile.level(spatial.0, spatial.1)?.accuracy,
                profile.level(Family::Epsilons, epsilon)?.accuracy,
                if front.contains(&at) { "yes" } else { "" }
            )
            .expect(STRING);
        }
        writeln!(
            text,
            "\nHypervolume from (0, 0): {:.4}",
            hypervolume(&points)
        )
        .expect(STRING);
        Ok(text)
    }
}

const STRING: &str = "writing to a string";

// Text that stays within one Markdown table cell or line.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

fn p_value(p: f64) -> String {
    if p < 1e-4 {
        "< 0.0001".to_owned()
    } else {
        format!("{p:.4}")
    }
}

fn conditions(profile: &Profile) -> String {
    let settings = &profile.settings;
    let spatial = [Family::Angles, Family::Shifts, Family::Joint];
    let mut text = String::new();
    if spatial.iter().any(|&f| !profile.levels(f).is_empty()) {
        let draws = match settings.draws {
            1 => "one random pose per image".to_owned(),
            draws => format!("{draws} random poses per image"),
        };
        write!(text, "\nPoses: {draws}, seed {}.", settings.seed).expect(STRING);
    }
    if let Some(level) = profile.epsilons.iter().rfind(|level| level.value > 0.0) {
        let start = if text.is_empty() { "\n" } else { " " };
        if let Ok(attack) = settings.attack_at(level.value) {
            write!(text, "{start}Attack at the largest radius: {attack}.").expect(STRING);
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn push_trainings(text: &mut String, entries: &[&Entry]) {
    text.push_str(
        "| classifier | network | parameters | objective | training images | epochs | seconds | \
         clean accuracy |\n|---|---|---:|---|---:|---:|---:|---:|\n",
    );
    for entry in entries {
        let training = entry.training.as_ref().map_or_else(
            || "– | – | – | – | – | –".to_owned(),
            |t| {
                format!(
                    "{} | {} | {} | {} | {} | {:.0}",
                    cell(&t.model),
                    t.parameters,
                    cell(&t.objective),
                    t.train_size,
                    t.epochs,
                    t.seconds
                )
            },
        );
        let (name, clean) = (cell(&entry.profile.name), entry.profile.clean);
        writeln!(text, "| {name} | {training} | {clean} |").expect(STRING);
    }
}

fn push_rates(
    text: &mut String,
    what: &str,
    profiles: &[&Profile],
    family: Family,
    rate: fn(&Level) -> &Rate,
) {
    let mut values: Vec<f64> = (profiles.iter())
        .flat_map(|profile| profile.levels(family).iter().map(|level| level.value))
        .collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    if values.is_empty() {
        return;
    }
    write!(text, "\n| {what}: {} |", family.title()).expect(STRING);
    for &value in &values {
        write!(text, " {} |", family.label(value)).expect(STRING);
    }
    text.push_str("\n|---|");
    text.push_str(&"---:|".repeat(values.len()));
    text.push('\n');
    for profile in profiles {
        write!(text, "| {} |", cell(&profile.name)).expect(STRING);
        for &value in &values {
            match profile.levels(family).iter().find(|l| l.value == value) {
                Some(level) => write!(text, " {} |", rate(level)),
                None => write!(text, " – |"),
            }
            .expect(STRING);
        }
        text.push('\n');
    }
}
