//! Exact equivariance, and what an image of the wrong size does to it.
//!
//! `cargo run --release --example equivariance`

use burn::tensor::{Distribution, Tensor};
use fireproof::group::Group;
use fireproof::model::{CnnConfig, Head};
use fireproof::nn::{GroupConv2d, GroupConv2dConfig};

fn largest<const D: usize>(tensor: Tensor<D>) -> f32 {
    tensor.abs().max().into_scalar::<f32>()
}

/// A group convolution with stride 2 and whole-numbered weights, whose sums are exact.
fn layer(group: Group, exact: bool) -> GroupConv2d {
    let conv = GroupConv2dConfig::new(group, [2, 4], 3)
        .with_stride(2)
        .with_bias(false)
        .with_exact(exact)
        .init(&fireproof::device());
    let whole = Distribution::Uniform(-4.0, 4.0);
    let weight = conv.weight().random_like(whole).round();
    conv.with_weight(weight)
}

/// For every element, how far the response to moved features is from the moved response.
fn compare(group: Group, side: usize) {
    let conv = layer(group, false);
    let (shape, pixels) = (
        [1, 2, group.size(), side, side],
        Distribution::Uniform(0.0, 255.0),
    );
    let features = Tensor::<5>::random(shape, pixels, &fireproof::device()).round();
    let response = conv.forward(features.clone());
    for g in group.elements() {
        let of_moved = conv.forward(group.act_on_features(features.clone(), g));
        let moved = group.act_on_features(response.clone(), g);
        let difference = largest(of_moved - moved) / largest(response.clone());
        println!("  {:>13}: relative difference {difference}", g.to_string());
    }
}

fn main() -> fireproof::base::Result<()> {
    for group in [Group::P4, Group::P4m] {
        println!("{group}, a 3×3 convolution with stride 2 on 29×29 features:");
        compare(group, 29);
    }

    println!("\nThe same on 28×28 features, with `exact` switched off:");
    compare(Group::P4, 28);
    println!("Switched on, the layer refuses the size instead:");
    if let Err(error) = layer(Group::P4, true).check([28, 28]) {
        println!("  {error}");
    }
    println!("and a model does so when it is built:");
    let device = fireproof::device();
    if let Err(error) = CnnConfig::new(Group::P4, [1, 30, 30], 10).init(&device) {
        println!("  {error}");
    }

    println!("\nLogits of a random p4m network, pooled over group and space:");
    let config = CnnConfig::new(Group::P4m, [1, 28, 28], 10).with_head(Head::Pooled);
    let model = config.init(&device)?;
    let image = Tensor::random([1, 1, 28, 28], Distribution::Default, &device);
    let upright = model.forward(image.clone());
    let unit = largest(upright.clone()) * f32::EPSILON;
    for g in model.group().elements() {
        let moved = model.forward(g.act_on_planes(image.clone()));
        let ulps = largest(moved - upright.clone()) / unit;
        let g = g.to_string();
        println!("  {g:>13}: change by {ulps:.1} units in the last place of the largest");
    }
    Ok(())
}
