//! Settings in files that must not be taken.

use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt::Debug;

/// Puts each wrong value in its field of settings that are right, and asks that reading them says why
/// not.
pub fn assert_refused<T: DeserializeOwned + Debug>(
    right: &Value,
    cases: impl IntoIterator<Item = (&'static str, Value, &'static str)>,
) {
    for (field, wrong, part) in cases {
        let mut misspelt = right.clone();
        misspelt[field] = wrong;
        let error = serde_json::from_value::<T>(misspelt)
            .unwrap_err()
            .to_string();
        assert!(error.contains(part), "{error}");
    }
}
