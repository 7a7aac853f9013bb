//! The groups as plain mathematics: laws, tables and names. Nothing is computed on a device.

use fireproof::group::{Element, Group};
use serde_json::Value;

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
    let tables =
        serde_json::from_str::<Value>(include_str!("../fixtures/groupy_indices.json")).unwrap();
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
