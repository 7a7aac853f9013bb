use super::address::Address;
use super::cell::{Cell, content};
use super::work::Work;
use crate::attack::Frozen;
use crate::base::Result;
use crate::data::ImageSet;
use crate::evaluate::{Boundary, Components, OrbitAccuracy, Tangents};
use crate::kernel::Numerics;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What [`Scans`](crate::study::Scans) found in a trained network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scanned {
    /// The version of the file, [`CELL_SCHEMA`](super::CELL_SCHEMA).
    pub schema: u32,
    /// What determines it: the trained network's address, the scans and the images. Its address names the
    /// file.
    pub settings: Value,
    /// Distances to the decision boundary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<Boundary>,
    /// Cosines between the loss's gradient and the tangents of rotation and shifts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tangents: Option<Tangents>,
    /// Principal components of perturbations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub components: Option<Components>,
    /// Accuracy over an orbit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orbits: Option<OrbitAccuracy>,
}

impl Work {
    /// The images that scans look at.
    pub fn scanned_images(&self) -> &ImageSet {
        &self.images.scanned
    }

    fn scan_settings(&self, cell: &Cell) -> Value {
        json!({
            "trained": cell.trained,
            "scans": self.study.scans,
            "images": content(&self.images.scanned),
        })
    }

    /// What was scanned before of a cell's trained network.
    ///
    /// # Errors
    ///
    /// As [`result`](Self::result).
    pub fn scanned(&self, cell: &Cell) -> Result<Option<Scanned>> {
        if self.study.scans.is_none() {
            return Ok(None);
        }
        self.folder.scanned(&Address::of(&self.scan_settings(cell)))
    }

    /// Scans a cell's trained network as the study says, or reads what was scanned before in
    /// `scans/<address>.json`; nothing if the network is not trained yet.
    ///
    /// # Errors
    ///
    /// What the scans fail with, and as [`run_cell`](Self::run_cell) for files.
    pub fn scan(&self, cell: &Cell) -> Result<Option<Scanned>> {
        let (scans, set) = (&self.study.scans, &self.images.scanned);
        let settings = self.scan_settings(cell);
        let address = Address::of(&settings);
        if let Some(scanned) = self.folder.scanned(&address)? {
            return Ok(Some(scanned));
        }
        let Some((_, weights)) = self.folder.trained(&cell.trained)? else {
            return Ok(None);
        };
        let network = self.spec(cell)?.load(weights, &self.device)?;
        // Exact whatever holds around it: the address says nothing of numerics.
        let victim = Frozen::from_shared(network.inference()).with_numerics(Numerics::Exact);
        macro_rules! scanned {
            ($($scan:ident),+) => {
                Scanned {
                    schema: super::CELL_SCHEMA,
                    settings,
                    $($scan: (scans.$scan.as_ref())
                        .map(|scan| scan.run(&victim, set, &self.device))
                        .transpose()?,)+
                }
            };
        }
        let scanned = scanned!(boundary, tangents, components, orbits);
        self.folder.write_scanned(&address, &scanned)?;
        Ok(Some(scanned))
    }
}
