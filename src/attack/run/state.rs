use super::Whole;
use crate::base::{Error, Result, write_atomically};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// What is known of a run, and the file that keeps it.
pub(super) struct State<'a> {
    path: Option<&'a Path>,
    pub whole: Whole,
}

impl<'a> State<'a> {
    /// The run as the file has it; `fresh` if there is none.
    pub fn open(path: Option<&'a Path>, fresh: Whole) -> Result<Self> {
        let state = |whole| Self { path, whole };
        let Some(path) = path else {
            return Ok(state(fresh));
        };
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let state = state(fresh);
                // Rather now than after the first batch.
                state.save()?;
                return Ok(state);
            }
            read => read.map_err(|source| Error::io(path, source))?,
        };
        let refuse = |found: String| {
            let expected = "the state of this very run; name another file to begin anew";
            Err(Error::input(
                format!("state `{}`", path.display()),
                found,
                expected,
            ))
        };
        let whole: Whole = match serde_json::from_str(&text) {
            Ok(whole) => whole,
            Err(error) => return refuse(error.to_string()),
        };
        let name = |whole: &Whole| Vec::from_iter(whole.parts.iter().map(|part| part.name.clone()));
        let differs = [
            (
                "another attack",
                whole.attack != fresh.attack || name(&whole) != name(&fresh),
            ),
            ("another budget", whole.budget != fresh.budget),
            ("another seed", whole.seed != fresh.seed),
            ("other numerics", whole.numerics != fresh.numerics),
            ("another number of draws", whole.draws != fresh.draws),
            (
                "other images",
                whole.data != fresh.data || whole.images.len() != fresh.images.len(),
            ),
            ("another shard", whole.shard != fresh.shard),
        ];
        match differs.into_iter().find(|(_, differs)| *differs) {
            Some((what, _)) => refuse(what.to_owned()),
            None => Ok(state(whole)),
        }
    }

    /// Writes what is known, as a whole or not at all.
    pub fn save(&self) -> Result<()> {
        let Some(path) = self.path else {
            return Ok(());
        };
        let text = serde_json::to_string(&self.whole).expect("plain values");
        write_atomically(path, text.as_bytes())
    }
}
