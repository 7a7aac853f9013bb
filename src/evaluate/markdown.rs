use crate::base::{Result, write_atomically};
use crate::evaluate::{
    At, Comparison, Curve, Entry, Level, Pair, Paired, Point, Profile, Rate, Report, TradeOff,
    axes, hypervolume, pareto_front,
};
use std::fmt::Write as _;
use std::path::Path;

impl Profile {
    /// The profile as Markdown: a heading, a line on its making, and a table per axis.
    pub fn to_markdown(&self) -> String {
        let mut text = format!(
            "## {}\n\nClean accuracy {} on the {} images of {}.\n",
            cell(&self.name),
            self.clean,
            self.data.images,
            cell(&self.data.name)
        );
        text.push_str(&conditions(self));
        for curve in &self.curves {
            write!(
                text,
                "\n| {} | accuracy | fooling rate | of those right as they are |\n|---:|---:|---:|---:|\n",
                cell(&curve.title)
            )
            .expect(STRING);
            for point in &curve.points {
                let level = cell(&curve.label_at(&point.level));
                writeln!(
                    text,
                    "| {level} | {} | {} | {} |",
                    point.accuracy,
                    point.fooling,
                    shown(point.fooling_of_right)
                )
                .expect(STRING);
            }
        }
        text
    }
}

impl Comparison {
    /// The comparison as Markdown: a table of accuracies and one of fooling rates, one row per level.
    pub fn to_markdown(&self) -> String {
        let mut text = format!(
            "## {} against {}\n\nDifferences in points with their 95 % intervals; images that count \
             for one classifier alone; exact p, and after Holm within each axis.\n",
            cell(&self.first),
            cell(&self.second)
        );
        self.push_pairs(&mut text, "accuracy", |pair| &pair.accuracy);
        self.push_pairs(&mut text, "fooling rate", |pair| &pair.fooling);
        text
    }

    fn push_pairs(&self, text: &mut String, rate: &str, of: fn(&Pair) -> &Paired) {
        write!(
            text,
            "\n| {rate} | difference | only first | only second | p | p, adjusted |\n\
             |---|---:|---:|---:|---:|---:|\n"
        )
        .expect(STRING);
        let clean = (rate == "accuracy").then(|| ("clean".to_owned(), &self.clean));
        let levels = self.curves.iter().flat_map(|curve| {
            let label = |pair: &Pair| cell(&curve.label_at(&pair.level));
            curve.points.iter().map(move |pair| (label(pair), of(pair)))
        });
        for (level, pair) in clean.into_iter().chain(levels) {
            writeln!(
                text,
                "| {level} | {pair} | {} | {} | {} | {} |",
                pair.only_first,
                pair.only_second,
                p_value(pair.p_value),
                p_value(pair.adjusted)
            )
            .expect(STRING);
        }
    }
}

impl Report {
    /// The report as Markdown: for each section how the classifiers were trained, and for each
    /// axis a table of accuracies and one of fooling rates, classifiers down and levels across.
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
            for axis in axes(&profiles) {
                let mut push = |what, rate| push_rates(&mut text, what, &profiles, axis, rate);
                push("accuracy", |p| Some(p.accuracy));
                push("fooling rate", |p| Some(p.fooling));
                push("fooling rate of those right as they are", |p| {
                    p.fooling_of_right
                });
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

    /// The trade-off of all classifiers as a Markdown table: accuracy at a level of a spatial axis
    /// and of an adversarial one, whether the classifier is on the Pareto front, and the
    /// hypervolume of them all from (0, 0).
    ///
    /// # Errors
    ///
    /// [`Error::Setting`](crate::base::Error::Setting) if one of the levels was not measured.
    pub fn trade_off_markdown(
        &self,
        spatial: impl Into<At>,
        adversarial: impl Into<At>,
    ) -> Result<String> {
        let (spatial, adversarial) = (spatial.into(), adversarial.into());
        let profiles = self.distinct_profiles();
        let points = (profiles.iter())
            .map(|profile| profile.trade_off(spatial.clone(), adversarial.clone()))
            .collect::<Result<Vec<TradeOff>>>()?;
        let front = pareto_front(&points);
        let label = |at: &At| -> Result<String> {
            let first = profiles.first().map(|profile| profile.curve(&at.axis));
            Ok(first.transpose()?.map_or_else(
                || at.level.to_string(),
                |curve| cell(&curve.label_at(&at.level)),
            ))
        };
        let mut text = format!(
            "| classifier | {} | {} | on the front |\n|---|---:|---:|:---:|\n",
            label(&spatial)?,
            label(&adversarial)?
        );
        for (at, profile) in profiles.iter().enumerate() {
            writeln!(
                text,
                "| {} | {} | {} | {} |",
                cell(&profile.name),
                profile.at(spatial.clone())?.accuracy,
                profile.at(adversarial.clone())?.accuracy,
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

fn shown(rate: Option<Rate>) -> String {
    rate.map_or_else(|| "–".to_owned(), |rate| rate.to_string())
}

fn p_value(p: f64) -> String {
    if p < 1e-4 {
        "< 0.0001".to_owned()
    } else {
        format!("{p:.4}")
    }
}

fn conditions(profile: &Profile) -> String {
    let mut text = String::new();
    for Curve { axis, threat, .. } in &profile.curves {
        let start = if text.is_empty() { "\n" } else { "; " };
        write!(text, "{start}{}: {}", cell(axis), cell(threat)).expect(STRING);
    }
    if !text.is_empty() {
        text.push_str(" (at the largest level)");
        if let Some(seed) = profile.settings.get("seed") {
            write!(text, "; seed {seed}").expect(STRING);
        }
        text.push_str(".\n");
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
    axis: &Curve,
    rate: fn(&Point) -> Option<Rate>,
) {
    let curves: Vec<Option<&Curve>> = (profiles.iter())
        .map(|profile| profile.curve(&axis.axis).ok())
        .collect();
    let mut levels: Vec<&Level> = (curves.iter().flatten())
        .flat_map(|curve| curve.points.iter().map(|point| &point.level))
        .collect();
    levels.sort_by(|a, b| a.partial_cmp(b).expect("levels are finite"));
    levels.dedup();
    write!(text, "\n| {what}: {} |", cell(&axis.title)).expect(STRING);
    for level in &levels {
        write!(text, " {} |", cell(&axis.label_at(level))).expect(STRING);
    }
    text.push_str("\n|---|");
    text.push_str(&"---:|".repeat(levels.len()));
    text.push('\n');
    for (profile, curve) in profiles.iter().zip(curves) {
        write!(text, "| {} |", cell(&profile.name)).expect(STRING);
        for &level in &levels {
            let points = curve.map_or(&[][..], |curve| &curve.points);
            let point = points.iter().find(|point| point.level == *level);
            write!(text, " {} |", shown(point.and_then(rate))).expect(STRING);
        }
        text.push('\n');
    }
}
