//! Pictures: plots of profiles and reports as SVG, contact sheets of images as PNG or SVG.
//!
//! JSON, CSV and Markdown need no feature and are methods of the values in
//! [`evaluate`](crate::evaluate); this module (feature `report`) adds `plot_svg` to them and to
//! the [`Whole`](crate::attack::Whole) of an attack, and to a
//! [`PoseMap`](crate::evaluate::PoseMap), [`SurfaceMap`](crate::evaluate::SurfaceMap),
//! [`Boundary`](crate::evaluate::Boundary), [`Components`](crate::evaluate::Components) and
//! [`Tangents`](crate::evaluate::Tangents), the [`Figure`] that plots are made of, the [`Family`] of networks
//! trained at growing levels, as the paper's figures show it, and the [`Trainings`] that have names and no
//! order, the [`PolarPlot`] of
//! accuracy by angle, and the [`ContactSheet`]. A [`Curriculum`](crate::curriculum::Curriculum) draws itself as
//! well. No fonts are needed to write a plot:
//! text stays text, in the reader's sans-serif.
//!
//! Colours are those of M. Okabe and K. Ito ("Color Universal Design", 2008), which readers with
//! any colour vision can tell apart; every curve has a marker shape of its own besides.
//!
//! To add a plot of measured values, write a method in `plots.rs` that fills a [`Figure`] with
//! [`Panel`]s; another kind of picture is a file of its own.

mod adversaries;
mod boundary;
mod canvas;
mod components;
mod contact_sheet;
mod course;
mod curriculum;
mod curve;
mod family;
mod figure;
mod frame;
mod heatmap;
#[cfg(feature = "train")]
mod history;
mod key;
mod labels;
mod names;
mod panel;
mod pixels;
mod plane;
mod plots;
mod polar;
mod regions;
mod robustness;
mod stairs;
mod surface;
mod tangents;
mod timeline;
mod trainings;

pub use contact_sheet::ContactSheet;
pub use family::Family;
pub use figure::Figure;
#[cfg(feature = "train")]
pub use history::History;
pub use panel::Panel;
pub use polar::PolarPlot;
pub use trainings::Trainings;
