//! Actions on tensors, and layers, against numpy and GrouPy.

use crate::common::On;
use burn::tensor::Tensor;
use fireproof::group::Group;
use fireproof::kernel::Numerics;
use fireproof::nn::{GroupConv2dConfig, LiftingConv2dConfig};
use serde_json::Value;

on_every_device![
    value_two_layer_network_equals_groupys,
    convention_elements_move_images_counter_clockwise_then_flip_rows,
    value_actions_are_actions,
];

/// Small multiples of 1/8 that look random, as in `fixtures/groupy_network.py`.
fn numbers<const D: usize>(on: &On, shape: [usize; D], salt: i64) -> Tensor<D> {
    on.pattern(shape, salt) / 8.0
}

fn value_two_layer_network_equals_groupys(on: &On) {
    // Oracle: GrouPy's formula on GrouPy's tables in numpy; all values are exact, but for fast
    // numerics: there 1 of up to 92,130.
    let limit = match Numerics::current() {
        Numerics::Exact => 0.0,
        Numerics::Fast => 1.0,
    };
    let device = on.device();
    let expected =
        serde_json::from_str::<Value>(include_str!("../fixtures/groupy_network.json")).unwrap();
    for group in [Group::P4, Group::P4m] {
        for padding in [0, 1] {
            let lifting = LiftingConv2dConfig::new(group, [2, 2], 3)
                .with_padding(padding)
                .init(&device)
                .with_weight(numbers(on, [2, 2, 3, 3], 1))
                .with_bias(numbers(on, [2], 3));
            let second = GroupConv2dConfig::new(group, [2, 3], 3)
                .with_padding(padding)
                .init(&device)
                .with_weight(numbers(on, [3, 2, group.size(), 3, 3], 2))
                .with_bias(numbers(on, [3], 4));
            let hidden = lifting.forward(numbers(on, [2, 2, 6, 6], 5)).clamp_min(0.0);
            let output = second.forward(hidden);

            let expected = &expected[format!("{group}_padding{padding}")];
            let numbers = |key: &str| -> Vec<i64> {
                let array = expected[key].as_array().expect("an array");
                array.iter().map(|n| n.as_i64().expect("whole")).collect()
            };
            let shape: Vec<i64> = output.dims().iter().map(|&n| n as i64).collect();
            assert_eq!(shape, numbers("shape"), "{group}, padding {padding}");
            let expected = numbers("times_512");
            assert_eq!(output.shape().num_elements(), expected.len());
            for (found, expected) in (output * 512.0).to_data().iter::<f32>().zip(expected) {
                let off = (f64::from(found) - expected as f64).abs();
                assert!(off <= limit, "{group}, padding {padding}: off by {off}");
            }
        }
    }
}

fn grid(on: &On, rows: &[&[f32]]) -> Tensor<4> {
    let shape = [1, 1, rows.len(), rows[0].len()];
    on.tensor(rows.concat(), shape)
}

fn convention_elements_move_images_counter_clockwise_then_flip_rows(on: &On) {
    // Oracle: numpy's rot90 and flipud of [[1, 2, 3], [4, 5, 6]], by hand.
    let image = grid(on, &[&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]]);
    let moved: [&[&[f32]]; 8] = [
        &[&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]],
        &[&[3.0, 6.0], &[2.0, 5.0], &[1.0, 4.0]],
        &[&[6.0, 5.0, 4.0], &[3.0, 2.0, 1.0]],
        &[&[4.0, 1.0], &[5.0, 2.0], &[6.0, 3.0]],
        &[&[4.0, 5.0, 6.0], &[1.0, 2.0, 3.0]],
        &[&[1.0, 4.0], &[2.0, 5.0], &[3.0, 6.0]],
        &[&[3.0, 2.0, 1.0], &[6.0, 5.0, 4.0]],
        &[&[6.0, 3.0], &[5.0, 2.0], &[4.0, 1.0]],
    ];
    for (g, expected) in Group::P4m.elements().zip(moved) {
        let output = Group::P4m.act_on_planes(image.clone(), g);
        let [_, _, height, width] = output.dims();
        assert_eq!([height, width], g.moved_size([2, 3]));
        assert_eq!(output.to_data(), grid(on, expected).to_data(), "{g}");
    }
}

fn value_actions_are_actions(on: &On) {
    // Oracle: moving by b and then by a is moving by their product.
    for group in Group::ALL {
        let images = numbers(on, [2, 3, 4, 5], 1);
        let features = numbers(on, [2, 3, group.size(), 4, 5], 2);
        for a in group.elements() {
            for b in group.elements() {
                let twice = group.act_on_planes(group.act_on_planes(images.clone(), b), a);
                let once = group.act_on_planes(images.clone(), a.product(b));
                assert_eq!(twice.to_data(), once.to_data(), "{group}: {a}, {b}");
                let twice = group.act_on_features(group.act_on_features(features.clone(), b), a);
                let once = group.act_on_features(features.clone(), a.product(b));
                assert_eq!(twice.to_data(), once.to_data(), "{group}: {a}, {b}");
            }
        }
    }
}
