use crate::base::{Error, Result, write_atomically};
use crate::evaluate::{
    Boundary, Comparison, Components, OrbitAccuracy, Profile, Report, SCHEMA, SurfaceMap, Tangents,
};
use serde::de::DeserializeOwned;
use std::fs;
use std::path::Path;

macro_rules! as_json {
    ($($what:ty: $name:literal),*) => {$(
        impl $what {
            #[doc = concat!("The ", $name, " as JSON; `docs/report-schema.md` describes every field.")]
            pub fn to_json(&self) -> String {
                let text = serde_json::to_string_pretty(self);
                text.expect("plain data without foreign keys") + "\n"
            }

            #[doc = concat!("Writes the ", $name, " as JSON, as a whole or not at all.")]
            ///
            /// # Errors
            ///
            /// [`Error::Io`], naming the path.
            pub fn write_json(&self, path: impl AsRef<Path>) -> Result<()> {
                write_atomically(path.as_ref(), self.to_json().as_bytes())
            }
        }
    )*};
}

as_json!(
    Profile: "profile", Comparison: "comparison", Report: "report", SurfaceMap: "map",
    Boundary: "distances", Components: "components", Tangents: "cosines", OrbitAccuracy: "shares"
);

macro_rules! from_json {
    ($($what:ident: $name:literal),*) => {$(
        impl $what {
            #[doc = concat!("Reads ", $name, " that [`write_json`](Self::write_json) wrote.")]
            ///
            /// # Errors
            ///
            /// [`Error::Io`] or [`Error::Format`], naming the path.
            pub fn read_json(path: impl AsRef<Path>) -> Result<Self> {
                read_json(path.as_ref(), stringify!($what))
            }
        }
    )*};
}

from_json!(
    Profile: "a profile", SurfaceMap: "a map", Boundary: "distances", Components: "components",
    Tangents: "cosines", OrbitAccuracy: "shares"
);

impl Report {
    /// Reads a report that [`write_json`](Self::write_json) wrote.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] or [`Error::Format`], naming the path; a report of another schema version
    /// is refused.
    pub fn read_json(path: impl AsRef<Path>) -> Result<Self> {
        #[derive(serde::Deserialize)]
        struct Header {
            schema: u32,
        }
        // The version first: the fields of another one need not be these.
        let Header { schema } = read_json(path.as_ref(), "Report")?;
        if schema != SCHEMA {
            return Err(Error::Format {
                file: path.as_ref().to_owned(),
                offset: 0,
                expected: format!("schema {SCHEMA}"),
                found: format!("schema {schema}"),
            });
        }
        read_json(path.as_ref(), "Report")
    }
}

fn read_json<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T> {
    let text = fs::read_to_string(path).map_err(|source| Error::io(path, source))?;
    serde_json::from_str(&text).map_err(|error| {
        // serde_json counts lines and columns from 1, columns in bytes.
        let before: usize = (text.split_inclusive('\n'))
            .take(error.line().saturating_sub(1))
            .map(str::len)
            .sum();
        Error::Format {
            file: path.to_owned(),
            offset: (before + error.column().saturating_sub(1)) as u64,
            expected: format!("JSON of a {what}"),
            found: error.to_string(),
        }
    })
}
