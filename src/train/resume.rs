//! Whether a training may go on from what another one left.

use crate::base::{Error, Result};
use crate::train::Course;
use serde_json::Value;
use std::path::Path;

// The rest of a long list helps nobody.
const MOST_NAMED: usize = 8;

/// Refuses to go on after `done` epochs unless they are what a training with the settings `now`
/// would have done: then the result is that of an uninterrupted training with these settings.
///
/// All settings must be the same, but for the curriculum, which may have other epochs to come: of
/// it, the stages of the epochs that are done. `course` knows these epochs and has the new
/// curriculum; `found` is what is written in the file `path`.
///
/// # Errors
///
/// [`Error::Setting`], naming what differs; [`Error::Training`] if the history that a changed
/// curriculum is to be compared with has gaps.
pub(super) fn check(
    path: &Path,
    found: &Value,
    now: &Value,
    course: &Course,
    done: usize,
) -> Result<()> {
    let (curriculum, mut differing) = (now.get("curriculum"), Vec::new());
    let but_curriculum = |settings: &Value| {
        let mut settings = settings.clone();
        settings.as_object_mut().map(|s| s.remove("curriculum"));
        settings
    };
    differences(
        "",
        &but_curriculum(found),
        &but_curriculum(now),
        &mut differing,
    );
    let epochs = course.epochs();
    let expected = format_args!("at least the {done} that are done");
    Error::unless(epochs >= done, "curriculum: epochs", epochs, expected)?;
    if found.get("curriculum") != curriculum {
        stages(course, done, &mut differing)?;
    }
    if differing.is_empty() {
        return Ok(());
    }
    let more = differing.len().saturating_sub(MOST_NAMED);
    differing.truncate(MOST_NAMED);
    let mut list = differing.join(", ");
    if more > 0 {
        list += &format!(" and {more} more");
    }
    Err(Error::setting(
        "resumed training",
        path.display(),
        format!("the settings of the interrupted training; these differ: {list}"),
    ))
}

/// Names each value that differs, with dots.
fn differences(name: &str, there: &Value, now: &Value, differing: &mut Vec<String>) {
    match (there, now) {
        (Value::Object(left), Value::Object(right)) => {
            let inside = |key: &str| match name {
                "" => key.to_owned(),
                name => format!("{name}.{key}"),
            };
            for (key, there) in left {
                match right.get(key) {
                    Some(now) => differences(&inside(key), there, now, differing),
                    None => differing.push(format!("{} (only there)", inside(key))),
                }
            }
            for key in right.keys().filter(|&key| !left.contains_key(key)) {
                differing.push(format!("{} (only now)", inside(key)));
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() && there != now => {
            // Short lists are clearer as a whole.
            if left.iter().chain(right).all(Value::is_number) {
                differing.push(format!("{name} ({there} there, {now} now)"));
                return;
            }
            for (at, (there, now)) in left.iter().zip(right).enumerate() {
                differences(&format!("{name}[{at}]"), there, now, differing);
            }
        }
        _ if there == now => {}
        (there, now) if is_large(there) || is_large(now) => differing.push(name.to_owned()),
        _ => differing.push(format!("{name} ({there} there, {now} now)")),
    }
}

fn is_large(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::Array(values) => values.len() > 8,
        _ => false,
    }
}

/// Names what is different in the first epoch whose stage is not what it was.
fn stages(course: &Course, done: usize, differing: &mut Vec<String>) -> Result<()> {
    let past = course.past();
    if past.iter().map(|record| record.epoch).ne(1..=done) {
        return Err(Error::Training(format!(
            "its history.json does not tell of all {done} epochs, by which a changed curriculum is \
             judged"
        )));
    }
    let changed = past
        .iter()
        .find(|record| record.stage != course.stage(record.epoch));
    if let Some(record) = changed {
        let [there, now] = [record.stage, course.stage(record.epoch)]
            .map(|stage| serde_json::to_value(stage).expect("plain values"));
        let name = format!("curriculum at epoch {}", record.epoch);
        differences(&name, &there, &now, differing);
    }
    Ok(())
}
