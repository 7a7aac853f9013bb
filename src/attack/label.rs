use std::fmt;

/// A length as people write it: a multiple of 1/255 as such, anything else to six digits.
pub(super) struct Short(pub f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let levels = self.0 * 255.0;
        let is_level = (levels - levels.round()).abs() < 1e-9 && (1.0..255.0).contains(&levels);
        if is_level && levels.round() % 51.0 != 0.0 {
            return write!(f, "{}/255", levels.round());
        }
        let digits = format!("{:.5e}", self.0);
        let rounded: f64 = digits.parse().map_err(|_| fmt::Error)?;
        rounded.fmt(f)
    }
}
