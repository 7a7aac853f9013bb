use crate::base::{Error, Result};
use crate::model::settings::check_each;
use serde::{Deserialize, Serialize};

/// How many channels the four convolutions of a [`Cnn`](crate::model::Cnn) have.
///
/// A group convolution has |G| times the weights of an ordinary one of the same width. To compare
/// groups at the same number of parameters, match them to one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Widths {
    /// These numbers of channels.
    Given([usize; 4]),
    /// Widths `[a, a, b, b]` whose network has this number of parameters, as
    /// [`num_params`](burn::module::Module::num_params) counts them, within 5 %: of those, the ones with b nearest to 2a, and of these, the ones
    /// that come nearest.
    Matched(usize),
}

impl Widths {
    /// The widths of the published networks, p4 and plain.
    pub const PUBLISHED: Self = Self::Given([10, 10, 20, 20]);

    /// The channels, given the number of parameters that channels lead to.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for no channels, or if no network comes within 5 % of a number to match.
    pub(crate) fn resolve(self, parameters: impl Fn([usize; 4]) -> usize) -> Result<[usize; 4]> {
        let target = match self {
            Self::Given(widths) => {
                check_each("widths", &widths, "channel")?;
                return Ok(widths);
            }
            Self::Matched(target) => target,
        };
        let distance = |widths| parameters(widths).abs_diff(target);
        (1..)
            .take_while(|&a| parameters([a, a, 1, 1]) <= 2 * target)
            .flat_map(|a| (a.div_ceil(2)..=4 * a).map(move |b| [a, a, b, b]))
            .filter(|&widths| 20 * distance(widths) <= target)
            .min_by_key(|&widths| ((2 * widths[0]).abs_diff(widths[2]), distance(widths)))
            .ok_or_else(|| {
                let expected = format!(
                    "a number that some widths come within 5 % of (the narrowest network has {})",
                    parameters([1; 4])
                );
                Error::setting("widths, parameters to match", target, expected)
            })
    }
}
