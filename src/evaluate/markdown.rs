use crate::base::{Result, write_atomically};
use crate::evaluate::{
    At, Comparison, Curve, Entry, Level, Pair, Paired, Point, Profile, Report, TradeOff, axes,
    hypervolume, pareto_front,
};
use std::path::Path;

impl Profile {
    /// The profile as Markdown: a heading, a line on its making, and a table per axis.
    pub fn to_markdown(&self) -> String {
        let (name, data) = (cell(&self.name), cell(&self.data.name));
        let (clean, images) = (self.clean, self.data.images);
        let mut text =
            format!("## {name}\n\nClean accuracy {clean} on the {images} images of {data}.\n");
        text += &conditions(self);
        for curve in &self.curves {
            let rows = curve.points.iter().map(|point| {
                let rates = [
                    Some(point.accuracy),
                    Some(point.fooling),
                    point.fooling_of_right,
                ];
                [
                    vec![curve.label_at(&point.level)],
                    rates.map(shown).to_vec(),
                    vec![shown(point.gap)],
                ]
                .concat()
            });
            let columns = [&*curve.title, "accuracy", "fooling rate", OF_RIGHT, LOST];
            text += &table("rrrrr", columns, rows);
            text += &doubts(&[self], curve);
        }
        text
    }
}

impl Comparison {
    /// The comparison as Markdown: a table of accuracies and one of fooling rates, one row per level.
    pub fn to_markdown(&self) -> String {
        let (first, second) = (cell(&self.first), cell(&self.second));
        let clean = vec![("clean".to_owned(), &self.clean)];
        let accuracies = self.pairs("accuracy", clean, |pair| &pair.accuracy);
        let fooling = self.pairs("fooling rate", Vec::new(), |pair| &pair.fooling);
        format!(
            "## {first} against {second}\n\nDifferences in points with their 95 % intervals; images \
             that count for one classifier alone; exact p, and after Holm within each axis.\n\
             {accuracies}{fooling}"
        )
    }

    fn pairs<'a>(
        &'a self,
        rate: &str,
        before: Vec<(String, &'a Paired)>,
        of: fn(&Pair) -> &Paired,
    ) -> String {
        let levels = self.curves.iter().flat_map(|curve| {
            let points = curve.points.iter();
            points.map(move |pair| (curve.label_at(&pair.level), of(pair)))
        });
        let rows = before.into_iter().chain(levels).map(|(level, pair)| {
            vec![
                level,
                pair.to_string(),
                pair.only_first.to_string(),
                pair.only_second.to_string(),
                p_value(pair.p_value),
                p_value(pair.adjusted),
            ]
        });
        let columns = [
            rate,
            "difference",
            "only first",
            "only second",
            "p",
            "p, adjusted",
        ];
        table("lrrrrr", columns, rows)
    }
}

impl Report {
    /// The report as Markdown: for each section how the classifiers were trained, and for each
    /// axis a table of accuracies, two of fooling rates and one of the accuracy lost, classifiers down and
    /// levels across.
    pub fn to_markdown(&self) -> String {
        let versions = &self.versions;
        let mut text = format!(
            "# {}\n\nSeed {}; fireproof {}, Burn {}, device {}. Percentages with 95 % intervals.\n",
            cell(&self.title),
            self.seed,
            versions.fireproof,
            versions.burn,
            cell(&versions.device)
        );
        for section in self.sections() {
            let profiles = self.profiles(section);
            text += &format!("\n## {}\n", cell(section));
            text += &trainings(&self.section(section));
            text += &profiles.first().map_or_else(String::new, |p| conditions(p));
            for axis in axes(&profiles) {
                let mut push = |what, cell: fn(&Point) -> String| {
                    text += &rates(what, &profiles, axis, cell);
                };
                push("accuracy", |point| point.accuracy.to_string());
                push("fooling rate", |point| point.fooling.to_string());
                push(OF_RIGHT, |point| shown(point.fooling_of_right));
                push(LOST, |point| shown(point.gap));
                text += &samples(&profiles, axis);
                text += &doubts(&profiles, axis);
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
        let rows = (profiles.iter().enumerate())
            .map(|(at, profile)| {
                let on_front = if front.contains(&at) { "yes" } else { "" };
                Ok(vec![
                    profile.name.clone(),
                    profile.at(spatial.clone())?.accuracy.to_string(),
                    profile.at(adversarial.clone())?.accuracy.to_string(),
                    on_front.to_owned(),
                ])
            })
            .collect::<Result<Vec<_>>>()?;
        let axes = axes(&profiles);
        let label = |at: &At| {
            let curve = axes.iter().find(|curve| curve.axis == at.axis);
            curve.map_or_else(|| at.axis.clone(), |curve| curve.label_at(&at.level))
        };
        let (x, y) = (label(&spatial), label(&adversarial));
        let table = table("lrrc", ["classifier", &x, &y, "on the front"], rows);
        let area = hypervolume(&points);
        Ok(format!(
            "{}\nHypervolume from (0, 0): {area:.4}\n",
            table.trim_start()
        ))
    }
}

const OF_RIGHT: &str = "fooling rate of those right as they are";
const LOST: &str = "accuracy lost (points)";

// A table after an empty line; a letter says for each column whether it stands left, right or in
// the centre.
pub(super) fn table(
    columns: &str,
    header: impl IntoIterator<Item = impl AsRef<str>>,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> String {
    let rules = columns.chars().map(|column| match column {
        'r' => "---:",
        'c' => ":---:",
        _ => "---",
    });
    let mut text = format!(
        "\n{}|{}|\n",
        row(header),
        rules.collect::<Vec<_>>().join("|")
    );
    text.extend(rows.into_iter().map(row));
    text
}

fn row(cells: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let cells = cells.into_iter().map(|text| cell(text.as_ref()));
    format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

// Text that stays within one Markdown table cell or line.
pub(super) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

pub(super) fn shown(number: Option<impl ToString>) -> String {
    number.map_or_else(|| "–".to_owned(), |number| number.to_string())
}

// The images and seeds of means over several networks.
fn samples(profiles: &[&Profile], axis: &Curve) -> String {
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    for profile in profiles {
        let curve = profile.curve(&axis.axis).ok();
        let Some(sample) = curve.and_then(Curve::sample) else {
            continue;
        };
        let name = cell(&profile.name);
        match all.iter_mut().find(|(known, _)| *known == sample) {
            Some((_, names)) => names.push(name),
            None => all.push((sample, vec![name])),
        }
    }
    let each = |(sample, names): &(String, Vec<String>)| format!("{sample}: {}", names.join("; "));
    match &all[..] {
        [] => String::new(),
        [(sample, _)] => format!("\n{sample}.\n"),
        all => format!("\n{}.\n", Vec::from_iter(all.iter().map(each)).join(". ")),
    }
}

// What makes the accuracies on an axis look better than they may be.
fn doubts(profiles: &[&Profile], axis: &Curve) -> String {
    let vanished = doubt(profiles, axis, "zero everywhere", |point| point.vanished);
    vanished + &doubt(profiles, axis, "NaN or infinite in places", |p| p.undefined)
}

fn doubt(profiles: &[&Profile], axis: &Curve, flaw: &str, share: fn(&Point) -> f64) -> String {
    let mut met = Vec::new();
    for profile in profiles {
        let points = profile.curve(&axis.axis).map_or(&[][..], |c| &c.points);
        for point in points.iter().filter(|point| share(point) > 0.0) {
            let (name, level) = (cell(&profile.name), axis.label_at(&point.level));
            met.push(format!("{name} at {level} {:.1} %", 100.0 * share(point)));
        }
    }
    if met.is_empty() {
        return String::new();
    }
    let met = met.join("; ");
    format!("\nNot fooled, but with gradients {flaw}, so that accuracies may be too high: {met}.\n")
}

fn p_value(p: f64) -> String {
    if p < 1e-4 {
        "< 0.0001".to_owned()
    } else {
        format!("{p:.4}")
    }
}

fn conditions(profile: &Profile) -> String {
    let of_axis = |curve: &Curve| format!("{}: {}", cell(&curve.axis), cell(&curve.threat));
    let axes: Vec<String> = profile.curves.iter().map(of_axis).collect();
    if axes.is_empty() {
        return String::new();
    }
    let seed = (profile.settings.get("seed")).map_or_else(String::new, |s| format!("; seed {s}"));
    format!("\n{} (at the largest level){seed}.\n", axes.join("; "))
}

fn trainings(entries: &[&Entry]) -> String {
    let columns = [
        "classifier",
        "network",
        "parameters",
        "objective",
        "training images",
        "epochs",
        "seconds",
        "clean accuracy",
    ];
    let rows = entries.iter().map(
        |Entry {
             training, profile, ..
         }| {
            let training = training.as_ref().map_or_else(
                || vec!["–".to_owned(); 6],
                |training| {
                    vec![
                        training.model.clone(),
                        training.parameters.to_string(),
                        training.objective.clone(),
                        training.train_size.to_string(),
                        training.epochs.to_string(),
                        match training.seconds {
                            0.0 => "–".to_owned(),
                            seconds => format!("{seconds:.0}"),
                        },
                    ]
                },
            );
            let (name, clean) = (profile.name.clone(), profile.clean.to_string());
            [vec![name], training, vec![clean]].concat()
        },
    );
    table("llrlrrrr", columns, rows)
}

fn rates(what: &str, profiles: &[&Profile], axis: &Curve, cell: fn(&Point) -> String) -> String {
    let curves: Vec<Option<&Curve>> = (profiles.iter())
        .map(|profile| profile.curve(&axis.axis).ok())
        .collect();
    let mut levels: Vec<&Level> = (curves.iter().flatten())
        .flat_map(|curve| curve.points.iter().map(|point| &point.level))
        .collect();
    levels.sort_by(|a, b| a.partial_cmp(b).expect("levels are finite"));
    levels.dedup();
    let mut header = vec![format!("{what}: {}", axis.title)];
    header.extend(levels.iter().map(|level| axis.label_at(level)));
    let rows = profiles.iter().zip(curves).map(|(profile, curve)| {
        let points = curve.map_or(&[][..], |curve| &curve.points);
        let rate_at = |level: &&Level| {
            let point = points.iter().find(|point| point.level == **level);
            shown(point.map(cell))
        };
        let rates = levels.iter().map(rate_at);
        [profile.name.clone()].into_iter().chain(rates).collect()
    });
    table(&format!("l{}", "r".repeat(levels.len())), header, rows)
}
