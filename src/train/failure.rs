use crate::base::Error;
use std::any::Any;
use std::sync::{Arc, Mutex};

/// What went wrong in a step or in writing an epoch down, first of all.
pub(super) type Failure = Arc<Mutex<Option<Error>>>;

/// The error that a panic was, or one that says what it said.
pub(super) fn explain(panic: Box<dyn Any + Send>) -> Error {
    match panic.downcast::<Error>() {
        Ok(error) => *error,
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied());
            Error::Training(text.unwrap_or("a panic without a message").to_owned())
        }
    }
}
