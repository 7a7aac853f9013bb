//! Budgets and warps as people write them.

use crate::attack::label::Short;
use crate::transform::{Border, Interpolation, PoseBudget, Warp};
use std::fmt;

/// "±30° ±3 px".
pub(super) struct Within(pub PoseBudget);

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PoseBudget { angle, shift } = self.0;
        write!(f, "±{}° ±{} px", Short(angle.0), Short(shift.0))
    }
}

/// What differs from bilinear sampling with zeros outside, as text to append.
pub(super) struct By(pub Warp);

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.interpolation == Interpolation::Nearest {
            f.write_str(", nearest pixels")?;
        }
        f.write_str(match self.0.border {
            Border::Zeros => "",
            Border::Edge => ", edge border",
            Border::Reflect => ", reflected border",
            Border::Circular => ", circular border",
        })
    }
}
