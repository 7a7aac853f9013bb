//! What the tests share: the device they run on, tensors for it, and what is read from them.
//!
//! A test that touches a tensor is a plain function of a [`On`], named in the list that its file
//! gives to `on_every_device!`. In its own suite it runs whole, on Flex; `tests/portability` runs
//! it once more in its smallest size on every backend compiled in.
//!
//! Suites take in this folder as a module, and each uses a part of it. Portability uses all of it
//! and is compiled without `allow(dead_code)`: what nobody needs is found there.

mod numbers;
mod on;

pub use numbers::{bits, fnv1a, largest, uniform, values};
pub use on::On;
