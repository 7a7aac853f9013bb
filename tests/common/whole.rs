//! Runs the tests of a suite whole.

/// Makes a test of each of these functions of `&On`, run whole on the device of this build. A text
/// behind a name is what the test must panic with.
///
/// What is left out here is dead code, and the compiler says so.
macro_rules! on_every_device {
    ($($test:ident $(: $panics:literal)?),+ $(,)?) => {
        mod whole {
            $(
                #[test]
                $(#[should_panic(expected = $panics)])?
                fn $test() {
                    super::$test(&crate::common::On::new(None));
                }
            )+
        }
    };
}

/// The same for a file that is not listed in `tests/portability` as well: the file says why.
#[allow(unused_macros)] // Few suites have such a file.
macro_rules! on_this_device {
    ($($list:tt)*) => {
        on_every_device![$($list)*];
    };
}
