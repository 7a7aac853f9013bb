//! What every attack gets from its trial: passes counted, survivors, combinators, a verdict on
//! exactly what is returned, and few reads to the host.

#[macro_use]
#[path = "../common/whole.rs"]
mod whole;
#[allow(dead_code, unused_imports)] // A part of it: `tests/portability` uses the rest.
#[path = "../common/mod.rs"]
mod common;

mod attacks;
mod errors;
mod given;
mod host;
mod nearest;
mod text;
mod threats;
mod unsound;
