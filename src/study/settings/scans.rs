use crate::attack::Attack;
use crate::base::{Error, Result};
use crate::evaluate::{BoundaryScan, ComponentScan, OrbitScan, TangentScan};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// What a study looks at in its trained networks that is no outcome of an image: each is left out if it is not
/// said.
///
/// A network is what it is whatever is looked at, so that scans may be added to a study whose cells are made:
/// they change no cell's address.
///
/// ```
/// use fireproof::study::Scans;
///
/// let scans: Scans = serde_json::from_str(r#"{
///     "images": 200,
///     "boundary": {"attack": {"attack": "fab", "norm": "linf"}, "poses": [{"angle": 0, "shift": 0}, {"angle": 90, "shift": 0}]},
///     "tangents": {},
///     "orbits": {"orbit": {"group": "p4"}}
/// }"#).unwrap();
/// assert_eq!(scans.boundary.unwrap().draws, 1);
/// assert!(scans.components.is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Setters)]
#[serde(default, deny_unknown_fields)]
#[setters(prefix = "with_", strip_option)]
pub struct Scans {
    /// On so many of the study's test images, as many of each class; all if it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<usize>,
    /// How far images are from the decision boundary, by pose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boundary: Option<BoundaryScan>,
    /// How much the loss's gradient points along rotations and shifts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tangents: Option<TangentScan>,
    /// What perturbations have in common.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub components: Option<ComponentScan>,
    /// Accuracy in every pose of an orbit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orbits: Option<OrbitScan>,
}

impl Scans {
    /// Whether there are none.
    pub fn is_none(&self) -> bool {
        let Self {
            images: _,
            boundary,
            tangents,
            components,
            orbits,
        } = self;
        boundary.is_none() && tangents.is_none() && components.is_none() && orbits.is_none()
    }

    pub(super) fn is_unsaid(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn check(&self) -> Result<()> {
        Error::unless(self.images != Some(0), "scans: images", 0, "at least one")?;
        let boundary = self.boundary.as_ref().map_or(Ok(()), BoundaryScan::check);
        let components = self
            .components
            .as_ref()
            .map_or(Ok(()), ComponentScan::check);
        let orbits = self
            .orbits
            .as_ref()
            .map_or(Ok(()), |scan| scan.orbit.check());
        (boundary.and(components).and(orbits)).map_err(|error| error.within("scans"))?;
        let sizes = [
            (
                "tangents",
                self.tangents.as_ref().map(|scan| scan.batch_size),
            ),
            ("orbits", self.orbits.as_ref().map(|scan| scan.batch_size)),
        ];
        for (what, size) in sizes {
            let of = format!("scans: {what}: batch size");
            Error::unless(size != Some(0), of, 0, "at least one")?;
        }
        Ok(())
    }
}
