//! The symmetry groups of the layers: p1 (translations alone), p4 (with quarter turns) and p4m
//! (with quarter turns and mirror images).
//!
//! Translations are handled by convolution itself; what is here is each group's *stabiliser* of
//! the origin, the 1, 4 or 8 motions of a square, with the conventions of GrouPy (Cohen and
//! Welling 2016, "Group Equivariant Convolutional Networks"):
//!
//! - With points as centred (row, column), the [`Element`] with `mirrored = m` and `turns = r` is
//!   the matrix Mᵐ Rʳ, where R = [[0, −1], [1, 0]] and M = diag(−1, 1) negates the row. Its index
//!   is 4m + r.
//! - It moves an image `x` to `flipud^m(rot90(x, r))`: turned counter-clockwise as displayed
//!   first, then with its rows in reverse order.
//! - It moves a function `y` on the group and the plane likewise, and takes component `h` from
//!   component g⁻¹h.
//!
//! The groups are a closed list. A further one is a variant of [`Group`] with its size and elements;
//! the tables of indices that layers use follow from the products of elements.

mod action;
mod element;
mod indices;

pub use element::Element;

use crate::base::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A group of motions of the plane, besides translations.
///
/// p1 makes every layer of [`nn`](crate::nn) an ordinary one, so that a conventional network and
/// its equivariant counterpart are one model at two settings.
///
/// ```
/// use fireproof::group::Group;
///
/// let group: Group = "p4m".parse()?;
/// assert_eq!((group.size(), group.to_string().as_str()), (8, "p4m"));
/// for g in group.elements() {
///     assert_eq!(g.product(g.inverse()).index(), 0);
/// }
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// Translations alone.
    P1,
    /// Translations and quarter turns.
    P4,
    /// Translations, quarter turns and mirror images.
    P4m,
}

impl Group {
    /// All three groups, the smallest first.
    pub const ALL: [Self; 3] = [Self::P1, Self::P4, Self::P4m];

    /// The number of motions that keep the origin: 1, 4 or 8. It is the length of the group axis
    /// of the group's features.
    pub const fn size(self) -> usize {
        match self {
            Self::P1 => 1,
            Self::P4 => 4,
            Self::P4m => 8,
        }
    }

    /// The motions that keep the origin, in the order of their [indices](Element::index). The
    /// first is the identity.
    pub fn elements(self) -> impl ExactSizeIterator<Item = Element> + Clone {
        (0..self.size()).map(Element::from_index)
    }

    /// Whether the group has this element.
    pub fn contains(self, element: Element) -> bool {
        element.index() < self.size()
    }

    /// Where a moved feature takes its components from: entry `h` is the index of g⁻¹h for the
    /// element g.
    ///
    /// # Panics
    ///
    /// Panics if the group does not have the element.
    pub fn permutation(self, element: Element) -> Vec<usize> {
        assert!(self.contains(element), "{self} has no element {element}");
        let inverse = element.inverse();
        self.elements()
            .map(|h| inverse.product(h).index())
            .collect()
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::P1 => "p1",
            Self::P4 => "p4",
            Self::P4m => "p4m",
        })
    }
}

impl FromStr for Group {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|group| group.to_string().eq_ignore_ascii_case(name.trim()))
            .ok_or_else(|| Error::setting("group", name, "p1, p4 or p4m"))
    }
}
