use crate::base::{Result, write_atomically};
use crate::evaluate::{Entry, Profile, Rate, Report};
use std::path::Path;

// One row per classifier, axis and level; `docs/report-schema.md` describes them.
const COLUMNS: [&str; 24] = [
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
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "fooling",
    "fooling_low",
    "fooling_high",
    "fooling_of_right",
    "fooling_of_right_low",
    "fooling_of_right_high",
];

impl Profile {
    /// The profile as CSV, one row per axis and level: the columns of [`Report::to_csv`], those
    /// about section and training empty.
    pub fn to_csv(&self) -> String {
        let mut text = row(COLUMNS.map(str::to_owned));
        push_rows(&mut text, Default::default(), self);
        text
    }

    /// Writes the profile as CSV, as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::base::Error::Io), naming the path.
    pub fn write_csv(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomically(path.as_ref(), self.to_csv().as_bytes())
    }
}

impl Report {
    /// The report as CSV in long format: one row per classifier, axis and level.
    pub fn to_csv(&self) -> String {
        let mut text = row(COLUMNS.map(str::to_owned));
        for Entry {
            section,
            training,
            profile,
        } in &self.entries
        {
            let mut made: [String; 7] = Default::default();
            if let Some(training) = training {
                made = [
                    section.clone(),
                    training.model.clone(),
                    training.parameters.to_string(),
                    training.objective.clone(),
                    training.train_size.to_string(),
                    training.epochs.to_string(),
                    training.seed.to_string(),
                ];
            }
            made[0].clone_from(section);
            push_rows(&mut text, made, profile);
        }
        text
    }

    /// Writes the report as CSV, as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::base::Error::Io), naming the path.
    pub fn write_csv(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomically(path.as_ref(), self.to_csv().as_bytes())
    }
}

fn push_rows(text: &mut String, made: [String; 7], profile: &Profile) {
    let [
        section,
        model,
        parameters,
        objective,
        train_size,
        epochs,
        seed,
    ] = made;
    let mut push = |axis: &str, level: String, unit: &str, counts: [String; 2], rates: [_; 3]| {
        let [draws, queries] = counts;
        let [accuracy, fooling, of_right] = rates.map(numbers);
        let [accuracy, accuracy_low, accuracy_high] = accuracy;
        let [fooling, fooling_low, fooling_high] = fooling;
        let [of_right, of_right_low, of_right_high] = of_right;
        text.push_str(&row([
            section.clone(),
            profile.name.clone(),
            model.clone(),
            parameters.clone(),
            objective.clone(),
            train_size.clone(),
            epochs.clone(),
            seed.clone(),
            profile.data.name.clone(),
            profile.data.images.to_string(),
            axis.to_owned(),
            level,
            unit.to_owned(),
            draws,
            queries,
            accuracy,
            accuracy_low,
            accuracy_high,
            fooling,
            fooling_low,
            fooling_high,
            of_right,
            of_right_low,
            of_right_high,
        ]));
    };
    let none = String::new;
    push(
        "clean",
        "0".to_owned(),
        "",
        [none(), none()],
        [Some(profile.clean), None, None],
    );
    for curve in &profile.curves {
        for point in &curve.points {
            push(
                &curve.axis,
                point.level.to_string(),
                &curve.unit,
                [point.draws.to_string(), point.queries.to_string()],
                [
                    Some(point.accuracy),
                    Some(point.fooling),
                    point.fooling_of_right,
                ],
            );
        }
    }
}

fn numbers(rate: Option<Rate>) -> [String; 3] {
    rate.map_or_else(Default::default, |rate| {
        [rate.value, rate.interval.low, rate.interval.high].map(|number| number.to_string())
    })
}

// RFC 4180.
fn row<const N: usize>(fields: [String; N]) -> String {
    let quoted = fields.map(|field| {
        if field.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field
        }
    });
    quoted.join(",") + "\r\n"
}
