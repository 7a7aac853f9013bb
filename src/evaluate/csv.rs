use crate::base::{Result, write_atomically};
use crate::evaluate::{Difference, Entry, Profile, Rate, Report};
use std::path::Path;

// One row per classifier, axis and level; `docs/report-schema.md` describes them.
const COLUMNS: [&str; 30] = [
    "section",
    "name",
    "model",
    "parameters",
    "objective",
    "train_size",
    "epochs",
    "train_seed",
    "data",
    "images",
    "axis",
    "level",
    "unit",
    "draws",
    "queries",
    "vanished",
    "undefined",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "fooling",
    "fooling_low",
    "fooling_high",
    "fooling_of_right",
    "fooling_of_right_low",
    "fooling_of_right_high",
    "gap",
    "gap_low",
    "gap_high",
    "seeds",
];

impl Profile {
    /// The profile as CSV, one row per axis and level: the columns of [`Report::to_csv`], those
    /// about section and training empty.
    pub fn to_csv(&self) -> String {
        let mut text = row(COLUMNS);
        push_rows(&mut text, "", Default::default(), self);
        text
    }
}

impl Report {
    /// The report as CSV in long format: one row per classifier, axis and level.
    pub fn to_csv(&self) -> String {
        let mut text = row(COLUMNS);
        for Entry {
            section,
            training,
            profile,
        } in &self.entries
        {
            let made = training.as_ref().map_or_else(Default::default, |training| {
                [
                    training.model.clone(),
                    training.parameters.to_string(),
                    training.objective.clone(),
                    training.train_size.to_string(),
                    training.epochs.to_string(),
                    training.seed.to_string(),
                ]
            });
            push_rows(&mut text, section, made, profile);
        }
        text
    }
}

macro_rules! write_csv {
    ($($what:ty: $name:literal),*) => {$(
        impl $what {
            #[doc = concat!("Writes the ", $name, " as CSV, as a whole or not at all.")]
            ///
            /// # Errors
            ///
            /// [`Error::Io`](crate::base::Error::Io), naming the path.
            pub fn write_csv(&self, path: impl AsRef<Path>) -> Result<()> {
                write_atomically(path.as_ref(), self.to_csv().as_bytes())
            }
        }
    )*};
}

write_csv!(Profile: "profile", Report: "report");

fn push_rows(text: &mut String, section: &str, made: [String; 6], profile: &Profile) {
    let about = [section, &profile.name].map(str::to_owned);
    let mut push =
        |images: usize, measured: [String; 7], rates: [[String; 3]; 4], seeds: &[u64]| {
            let data = [profile.data.name.clone(), images.to_string()];
            let seeds = [Vec::from_iter(seeds.iter().map(u64::to_string)).join(" ")];
            let rates = rates.as_flattened();
            text.push_str(&row(
                [&about[..], &made, &data, &measured, rates, &seeds].concat()
            ));
        };
    let clean = ["clean", "0", "", "", "", "", ""].map(str::to_owned);
    let none = Default::default;
    let rates = [numbers(profile.clean), none(), none(), none()];
    let seeds = profile.extras.get::<Vec<u64>>("seeds");
    let seeds = seeds.ok().flatten().unwrap_or_default();
    push(profile.clean.count, clean, rates, &seeds);
    for curve in &profile.curves {
        for point in &curve.points {
            let per_image = [point.queries, point.vanished, point.undefined];
            let [queries, vanished, undefined] = per_image.map(|number| number.to_string());
            let measured = [
                curve.axis.clone(),
                point.level.to_string(),
                curve.unit.clone(),
                point.draws.to_string(),
                queries,
                vanished,
                undefined,
            ];
            let of_right = point.fooling_of_right.map_or_else(none, numbers);
            let [accuracy, fooling] = [point.accuracy, point.fooling].map(numbers);
            let gap = point.gap.map_or_else(none, difference);
            let rates = [accuracy, fooling, of_right, gap];
            push(point.accuracy.count, measured, rates, &curve.seeds);
        }
    }
}

fn numbers(rate: Rate) -> [String; 3] {
    [rate.value, rate.interval.low, rate.interval.high].map(|number| number.to_string())
}

fn difference(gap: Difference) -> [String; 3] {
    [gap.value, gap.interval.low, gap.interval.high].map(|number| number.to_string())
}

// RFC 4180.
pub(super) fn row(fields: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let quoted = fields.into_iter().map(|field| {
        let field = field.as_ref();
        if field.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field.to_owned()
        }
    });
    quoted.collect::<Vec<_>>().join(",") + "\r\n"
}
