//! Curricula in a study's file: a preset or plain training, what differs from it, and the ablation wanted.

use crate::base::{Error, Result};
use crate::curriculum::{Curriculum, Preset};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

type Ablation = fn(&Curriculum) -> Curriculum;

// By the names of their functions.
const ARMS: [(&str, Ablation); 8] = [
    ("fixed", Curriculum::fixed),
    ("fixed_pose", Curriculum::fixed_pose),
    ("fixed_epsilon", Curriculum::fixed_epsilon),
    ("reversed", Curriculum::reversed),
    ("pose_only", Curriculum::pose_only),
    ("pixels_only", Curriculum::pixels_only),
    ("natural", Curriculum::natural),
    ("uncoupled", Curriculum::uncoupled),
];

/// The curriculum that these fields say: `preset` or nothing, scaled to `epochs`; in it every field of
/// [`Curriculum`] that is given; of that the ablations in `arm`, one after the other.
pub(super) fn resolve(mut fields: Map<String, Value>) -> Result<Curriculum> {
    let wrong = |error: serde_json::Error| Error::setting("curriculum", error, "its settings");
    let preset: Option<String> = taken(&mut fields, "preset")?;
    let epochs: Option<usize> = taken(&mut fields, "epochs")?;
    let arms: Option<Arms> = taken(&mut fields, "arm")?;
    let base = match (preset, epochs) {
        (Some(preset), None) => Preset::named(&preset)?.curriculum(),
        (Some(preset), Some(epochs)) => {
            // Before scaling, which takes it for granted.
            Curriculum::new(epochs).check()?;
            Preset::named(&preset)?.curriculum().scaled_to(epochs)
        }
        (None, Some(epochs)) => Curriculum::new(epochs),
        (None, None) => return Err(Error::setting("curriculum", "no `epochs`", "their number")),
    };
    let mut settings = serde_json::to_value(base).map_err(wrong)?;
    let all = settings.as_object_mut().expect("named settings");
    all.extend(fields);
    let mut curriculum: Curriculum = serde_json::from_value(settings).map_err(wrong)?;
    curriculum.check()?;
    for arm in arms.map_or_else(Vec::new, Arms::into_names) {
        let found = ARMS.iter().find(|(name, _)| *name == arm);
        let (_, of) = found.ok_or_else(|| {
            let names = ARMS.map(|(name, _)| name).join(", ");
            Error::setting("curriculum: arm", &arm, format!("one of: {names}"))
        })?;
        curriculum = of(&curriculum);
    }
    Ok(curriculum)
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Arms {
    One(String),
    Several(Vec<String>),
}

impl Arms {
    fn into_names(self) -> Vec<String> {
        match self {
            Self::One(name) => vec![name],
            Self::Several(names) => names,
        }
    }
}

fn taken<T: serde::de::DeserializeOwned>(
    fields: &mut Map<String, Value>,
    name: &str,
) -> Result<Option<T>> {
    let value = fields.remove(name).map(serde_json::from_value).transpose();
    value.map_err(|error| Error::setting(format!("curriculum: {name}"), error, "its value"))
}

/// For a field by `#[serde(deserialize_with)]`.
pub(super) fn read<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Curriculum>, D::Error> {
    let fields = Option::<Map<String, Value>>::deserialize(deserializer)?;
    fields.map(resolve).transpose().map_err(D::Error::custom)
}
