use super::{Curriculum, Stage};
use std::fmt;
use std::ops::RangeInclusive;

const HEADER: [&str; 7] = [
    "epochs",
    "rotation",
    "shift",
    "ε",
    "steps",
    "step size",
    "learning rate",
];

/// A Markdown table with one row for each run of epochs with equal stages.
impl fmt::Display for Curriculum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<[String; 7]> = self
            .stages()
            .into_iter()
            .map(|(epochs, stage)| row(epochs, &stage))
            .collect();
        let widths: [usize; 7] = std::array::from_fn(|column| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .fold(HEADER[column].chars().count(), usize::max)
        });
        let mut line = |cells: [&str; 7]| -> fmt::Result {
            for (cell, width) in cells.into_iter().zip(widths) {
                write!(f, "| {cell:>width$} ")?;
            }
            f.write_str("|\n")
        };
        line(HEADER)?;
        let rules = widths.map(|width| "-".repeat(width - 1) + ":");
        line(std::array::from_fn(|column| rules[column].as_str()))?;
        for row in &rows {
            line(std::array::from_fn(|column| row[column].as_str()))?;
        }
        Ok(())
    }
}

fn row(epochs: RangeInclusive<usize>, stage: &Stage) -> [String; 7] {
    let attacked = |cell: String| match stage.epsilon > 0.0 {
        true => cell,
        false => "–".to_owned(),
    };
    let (first, last) = epochs.into_inner();
    [
        match first == last {
            true => first.to_string(),
            false => format!("{first}–{last}"),
        },
        format!("±{}°", rounded(stage.angle.0)),
        format!("±{} px", rounded(stage.shift.0)),
        intensity(stage.epsilon),
        attacked(stage.steps.to_string()),
        attacked(intensity(stage.step_size)),
        rounded(stage.learning_rate),
    ]
}

/// A share of the pixel range, with the number of 8-bit levels where that is whole.
fn intensity(value: f64) -> String {
    match whole_levels(value) {
        Some(levels) => format!("{} ({levels}/255)", rounded(value)),
        None => rounded(value),
    }
}

/// A share of the pixel range as 8-bit levels where that is whole and the number itself is not short.
#[cfg(feature = "report")]
pub(crate) fn levels(value: f64) -> String {
    match whole_levels(value).filter(|levels| levels % 51.0 != 0.0) {
        Some(levels) => format!("{levels}/255"),
        None => rounded(value),
    }
}

fn whole_levels(value: f64) -> Option<f64> {
    let levels = (value * 255.0).round();
    let whole = (1.0..255.0).contains(&levels) && levels / 255.0 == value;
    whole.then_some(levels)
}

/// Four significant digits, without trailing zeros.
pub(crate) fn rounded(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let decimals = (3 - value.abs().log10().floor() as i32).clamp(0, 12) as usize;
    let digits = format!("{value:.decimals$}");
    match digits.contains('.') {
        true => digits
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned(),
        false => digits,
    }
}
