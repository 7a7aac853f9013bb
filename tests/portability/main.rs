//! Every test of tensors once more, in its smallest size, on every backend compiled in:
//!
//! ```text
//! cargo test --release --features wgpu,ndarray --test portability
//! ```
//!
//! The name of a test ends in the backend and what it is about, so that `wgpu` or `nn::conv` in
//! this command picks some. What a suite keeps for Flex (its files of plain `#[test]`s, and those
//! with `on_this_device!`, say why) is not listed here. `agreement` and `verdicts` compare backends with
//! each other.
//!
//! Software Vulkan runs at a few GFLOP/s and compiles a shader for each kernel it meets: a smallest
//! size is a handful of images of a few pixels.
//! With Flex alone it is empty: the suites have run on it.
#![cfg(any(feature = "ndarray", feature = "wgpu"))]

/// Makes a test of each of these functions of `&On` for each backend compiled in.
macro_rules! on_every_device {
    ($($test:ident $(: $panics:literal)?),+ $(,)?) => {
        on_device!(flex "flex", $($test $(: $panics)?),+);
        on_device!(ndarray "ndarray", $($test $(: $panics)?),+);
        // Features `vulkan` is WGPU with another shader compiler, which software drivers do not
        // support fully.
        on_device!(wgpu "wgpu", $($test $(: $panics)?),+);
    };
}

macro_rules! on_device {
    ($module:ident $name:literal, $($test:ident $(: $panics:literal)?),+) => {
        #[cfg(feature = $name)]
        mod $module {
            $(
                #[test]
                $(#[should_panic(expected = $panics)])?
                fn $test() {
                    super::$test(&crate::common::On::new(Some($name)));
                }
            )+
        }
    };
}

#[path = "../common/mod.rs"]
mod common;

#[cfg(feature = "flex")]
mod agreement;
mod listed;
#[cfg(all(feature = "flex", feature = "train"))]
mod verdicts;

#[path = "../attack"]
mod attack {
    mod adversaries;
    mod apgd;
    mod bpda;
    mod effort;
    mod errors;
    mod for_training;
    mod joint;
    mod l1;
    mod led;
    mod linear;
    mod losses;
    mod moved;
    pub mod network;
    mod norms;
    mod optima;
    mod planes;
    mod poses;
    mod random;
    mod results;
    mod square;
    mod starts;
    mod torchattacks;
    mod transfer;
    mod watched;
}

#[path = "../base"]
mod base {
    mod batch;
}

#[path = "../data"]
mod data {
    mod batch;
    mod given;
}

#[path = "../equivariance"]
mod equivariance {
    mod convolutions;
    mod given;
    mod layers;
    mod network;
    mod sizes;
}

#[path = "../evaluate"]
mod evaluate {
    mod comparison;
    mod flaws;
    mod given;
    mod maps;
    mod poses;
    mod rates;
    mod settings;
    mod threats;
    mod worst;
}

#[path = "../frozen"]
mod frozen {
    mod apart;
    mod each;
    mod given;
    mod passes;
}

#[path = "../group"]
mod group {
    mod actions;
}

#[path = "../kernel"]
mod kernel {
    mod definition;
    mod far;
    mod given;
    mod operations;
}

#[path = "../model"]
mod model {
    mod given;
    mod logits;
    mod sizes;
    #[cfg(feature = "train")]
    mod weights;
}

#[path = "../nn"]
mod nn {
    mod blocks;
    mod conv;
    mod dropout;
    mod filters;
    mod followed;
    mod given;
    mod records;
    mod simple;
    mod sizes;
}

#[cfg(feature = "train")]
#[path = "../train"]
mod train {
    mod dropouts;
    mod given;
    mod loader;
    mod pipelines;
    mod steps;
}

#[path = "../transform"]
mod transform {
    mod augment;
    mod bilinear;
    mod both;
    mod exact;
    mod given;
    mod nearest;
}

#[path = "../trial"]
mod trial {
    mod attacks;
    mod errors;
    mod given;
    mod host;
    mod nearest;
    mod unsound;
}

#[path = "../types"]
mod types {
    mod attacks;
    mod given;
    mod labels;
    mod operations;
    mod table;
}
