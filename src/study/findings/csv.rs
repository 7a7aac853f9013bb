use super::{Findings, Judged};
use std::fmt::Write as _;

const COLUMNS: &str = "endpoint,family,finding,effect,low,high,p_difference,p_equivalence,margin,unit,\
                       seeds,images,not_learned,family_size,not_measured";

impl Findings {
    /// The verdicts as CSV, a row for each endpoint; p-values are those adjusted over the family, effects and
    /// margins shares.
    pub fn verdicts_csv(&self) -> String {
        let mut text = format!("{COLUMNS}\n");
        for judged in &self.verdicts {
            let Judged {
                name,
                family,
                verdict,
                not_learned,
                open,
                ..
            } = judged;
            let measured = verdict.as_ref().map_or_else(
                || [const { String::new() }; 9].to_vec(),
                |verdict| {
                    let effect = &verdict.effect;
                    let numbers = [
                        effect.value,
                        effect.interval.low,
                        effect.interval.high,
                        verdict.difference,
                        verdict.equivalence,
                        verdict.margin,
                    ];
                    let unit = serde_json::to_value(effect.unit).expect("a plain value");
                    let mut fields = Vec::from_iter(numbers.map(|number| number.to_string()));
                    fields.push(unit.as_str().unwrap_or_default().to_owned());
                    fields.extend([effect.seeds, effect.images].map(|count| count.to_string()));
                    fields
                },
            );
            let size = verdict
                .as_ref()
                .map_or_else(String::new, |v| v.family.to_string());
            let before = [name.clone(), family.clone(), judged.word()];
            let after = [not_learned.join("; "), size, open.to_string()];
            let fields = before.into_iter().chain(measured).chain(after);
            let fields = Vec::from_iter(fields.map(|field| quoted(&field)));
            let _ = writeln!(text, "{}", fields.join(","));
        }
        text
    }
}

pub(super) fn quoted(field: &str) -> String {
    match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.to_owned(),
    }
}
