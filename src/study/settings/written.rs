//! How a study stands in a file: trainings say only what the others do not.

use super::{DataPlan, EndpointPlan, Measurement, NetworkPlan, Scans, SeriesPlan, Study, usual};
use crate::base::Seed;
use serde::Deserialize;
use serde_json::{Map, Value};

/// A study as it stands in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    title: String,
    #[serde(default)]
    about: String,
    data: DataPlan,
    #[serde(default)]
    evaluation_seed: Seed,
    networks: Vec<NetworkPlan>,
    #[serde(default)]
    common: Map<String, Value>,
    trainings: Vec<Map<String, Value>>,
    #[serde(default = "usual")]
    learned: f64,
    measurements: Vec<Measurement>,
    #[serde(default)]
    endpoints: Vec<EndpointPlan>,
    #[serde(default)]
    series: Vec<SeriesPlan>,
    #[serde(default)]
    scans: Scans,
}

impl TryFrom<Written> for Study {
    type Error = String;

    fn try_from(written: Written) -> std::result::Result<Self, String> {
        let common = written.common;
        let training = |fields: Map<String, Value>| {
            let name = fields
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or("")
                .to_owned();
            let merged = Value::Object(merged(&common, fields));
            serde_json::from_value(merged).map_err(|error| format!("training `{name}`: {error}"))
        };
        Ok(Self {
            title: written.title,
            about: written.about,
            data: written.data,
            evaluation_seed: written.evaluation_seed,
            networks: written.networks,
            trainings: (written.trainings.into_iter().map(training))
                .collect::<std::result::Result<_, _>>()?,
            learned: written.learned,
            measurements: written.measurements,
            endpoints: written.endpoints,
            series: written.series,
            scans: written.scans,
        })
    }
}

// The fields of `common` and over them those of `own`, without what is null there. Of the curriculum field by
// field; an objective is a whole.
fn merged(common: &Map<String, Value>, own: Map<String, Value>) -> Map<String, Value> {
    let mut all = common.clone();
    for (name, value) in own {
        let value = match (all.get(&name), value) {
            (Some(Value::Object(there)), Value::Object(own)) if name == "curriculum" => {
                Value::Object(merged(there, own))
            }
            (_, value) => value,
        };
        match value {
            Value::Null => all.remove(&name),
            value => all.insert(name, value),
        };
    }
    all
}
