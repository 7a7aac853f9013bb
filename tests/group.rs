//! The groups p1, p4 and p4m: laws, tables and actions, against GrouPy and numpy's definitions.

use burn::tensor::{Tensor, TensorData};
use fireproof::group::{Element, Group};
use fireproof::kernel::Numerics;
use fireproof::nn::{GroupConv2dConfig, LiftingConv2dConfig};
use serde_json::Value;

fn fixture(text: &str) -> Value {
    serde_json::from_str(text).expect("valid JSON")
}

#[test]
fn value_group_laws() {
    // Oracle: the axioms of a group.
    for group in Group::ALL {
        let elements: Vec<Element> = group.elements().collect();
        assert_eq!(elements.len(), group.size());
        assert_eq!(elements[0], Element::IDENTITY);
        for &a in &elements {
            assert_eq!(Element::from_index(a.index()), a);
            assert_eq!(a.product(Element::IDENTITY), a);
            assert_eq!(Element::IDENTITY.product(a), a);
            assert_eq!(a.product(a.inverse()), Element::IDENTITY);
            assert_eq!(a.inverse().product(a), Element::IDENTITY);
            for &b in &elements {
                assert!(group.contains(a.product(b)));
                for &c in &elements {
                    assert_eq!(a.product(b).product(c), a.product(b.product(c)));
                }
            }
        }
    }
}

#[test]
fn value_product_is_that_of_the_matrices() {
    // Oracle: products of the 2×2 matrices Mᵐ Rʳ on centred (row, column).
    type Matrix = [[i32; 2]; 2];
    let times = |a: Matrix, b: Matrix| -> Matrix {
        [0, 1].map(|i| [0, 1].map(|j| a[i][0] * b[0][j] + a[i][1] * b[1][j]))
    };
    let matrix = |g: Element| {
        let start = if g.is_mirrored() {
            [[-1, 0], [0, 1]]
        } else {
            [[1, 0], [0, 1]]
        };
        (0..g.turns()).fold(start, |m, _| times(m, [[0, -1], [1, 0]]))
    };
    for a in Group::P4m.elements() {
        for b in Group::P4m.elements() {
            assert_eq!(
                matrix(a.product(b)),
                times(matrix(a), matrix(b)),
                "{a}, {b}"
            );
        }
    }
}

#[test]
fn value_tables_equal_groupys() {
    // Oracle: every table that GrouPy makes, from its own code.
    let tables = fixture(include_str!("fixtures/groupy_indices.json"));
    let tables = tables.as_object().expect("an object of tables");
    for (name, table) in tables {
        let (kind, side) = name.split_once("_k").expect("name with a side");
        let side: usize = side.parse().expect("a number");
        let ours = match kind {
            "c4_z2" => Group::P4.lifting_filter_indices(side),
            "c4_p4" => Group::P4.filter_indices(side),
            "d4_z2" => Group::P4m.lifting_filter_indices(side),
            "d4_p4m" => Group::P4m.filter_indices(side),
            other => panic!("unknown table {other}"),
        };
        let mut theirs = Vec::new();
        positions(table, side, &mut theirs);
        assert_eq!(ours, theirs, "{name}");
    }
    assert_eq!(tables.len(), 20);
}

/// GrouPy's triples (component, row, column) as positions in a `[component, side, side]` filter.
fn positions(table: &Value, side: usize, found: &mut Vec<usize>) {
    let entries = table.as_array().expect("an array");
    if entries[0].is_number() {
        let [h, u, v] = [0, 1, 2].map(|i| entries[i].as_u64().expect("a number") as usize);
        found.push((h * side + u) * side + v);
    } else {
        entries
            .iter()
            .for_each(|entry| positions(entry, side, found));
    }
}

/// Small multiples of 1/8 that look random, as in `fixtures/groupy_network.py`.
fn numbers<const D: usize>(shape: [usize; D], salt: i64) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count as i64)
        .map(|at| ((at * at * 7 + at * 13 + salt * 29) % 31 - 15) as f32 / 8.0)
        .collect();
    Tensor::from_data(TensorData::new(values, shape), &fireproof::device())
}

#[test]
fn value_two_layer_network_equals_groupys() {
    // Oracle: GrouPy's formula on GrouPy's tables in numpy; all values are exact, but for fast
    // numerics: there 1 of up to 92,130.
    let limit = match Numerics::current() {
        Numerics::Exact => 0.0,
        Numerics::Fast => 1.0,
    };
    let device = fireproof::device();
    let expected = fixture(include_str!("fixtures/groupy_network.json"));
    for group in [Group::P4, Group::P4m] {
        for padding in [0, 1] {
            let lifting = LiftingConv2dConfig::new(group, [2, 2], 3)
                .with_padding(padding)
                .init(&device)
                .with_weight(numbers([2, 2, 3, 3], 1))
                .with_bias(numbers([2], 3));
            let second = GroupConv2dConfig::new(group, [2, 3], 3)
                .with_padding(padding)
                .init(&device)
                .with_weight(numbers([3, 2, group.size(), 3, 3], 2))
                .with_bias(numbers([3], 4));
            let hidden = lifting.forward(numbers([2, 2, 6, 6], 5)).clamp_min(0.0);
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

fn grid(rows: &[&[f32]]) -> Tensor<4> {
    let shape = [1, 1, rows.len(), rows[0].len()];
    Tensor::from_data(TensorData::new(rows.concat(), shape), &fireproof::device())
}

#[test]
fn convention_elements_move_images_counter_clockwise_then_flip_rows() {
    // Oracle: numpy's rot90 and flipud of [[1, 2, 3], [4, 5, 6]], by hand.
    let image = grid(&[&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]]);
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
        assert_eq!(output.to_data(), grid(expected).to_data(), "{g}");
    }
}

#[test]
fn value_actions_are_actions() {
    // Oracle: moving by b and then by a is moving by their product.
    for group in Group::ALL {
        let images = numbers([2, 3, 4, 5], 1);
        let features = numbers([2, 3, group.size(), 4, 5], 2);
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

#[test]
fn convention_features_take_component_h_from_its_preimage() {
    // Oracle: the first coordinate of GrouPy's tables, two rows of each.
    let row = |group: Group, g: usize| group.permutation(Element::from_index(g));
    assert_eq!(row(Group::P4, 1), [3, 0, 1, 2]);
    assert_eq!(row(Group::P4, 3), [1, 2, 3, 0]);
    assert_eq!(row(Group::P4m, 1), [3, 0, 1, 2, 5, 6, 7, 4]);
    assert_eq!(row(Group::P4m, 5), [5, 6, 7, 4, 3, 0, 1, 2]);
}

#[test]
fn value_names_round_trip() {
    for group in Group::ALL {
        assert_eq!(group.to_string().parse::<Group>().unwrap(), group);
        let json = serde_json::to_string(&group).unwrap();
        assert_eq!(json, format!("\"{group}\""));
        assert_eq!(serde_json::from_str::<Group>(&json).unwrap(), group);
    }
    assert_eq!(" P4M ".parse::<Group>().unwrap(), Group::P4m);
}

#[test]
fn error_unknown_group() {
    let error = "p6".parse::<Group>().unwrap_err().to_string();
    assert_eq!(error, "group = p6: expected p1, p4 or p4m");
}

#[test]
#[should_panic(expected = "p4 has no element 90° mirrored")]
fn error_element_of_a_larger_group() {
    Group::P4.permutation(Element::new(true, 1));
}
