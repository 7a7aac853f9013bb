//! Student's distribution and tables of which rows and columns vary: on the host.

use fireproof::base::statistics::{Crossed, Table, holm, holm_exclusive, paired, student};

fn near(found: f64, expected: f64, error: f64) {
    let apart = (found / expected - 1.0).abs();
    assert!(apart < error, "{found} {expected}: {apart}");
}

#[test]
fn value_student_table() {
    // Oracle: mpmath 1.3.0, betainc with 30 digits.
    for (t, freedom, tail) in [
        (0.3, 2.5, 0.393_671_185_747_598_6),
        (4.303, 2.0, 0.024_996_262_492_607_25),
        (12.0, 3.7, 2.133_936_996_906_225e-4),
        (1.5, 40.0, 0.070_733_388_439_574_06),
        (3.2, 9999.0, 6.892_838_584_692_762e-4),
        (25.0, 5.0, 9.553_388_921_977_117e-7),
    ] {
        near(student::tail(t, freedom), tail, 1e-11);
        assert_eq!(student::tail(-t, freedom), 1.0 - student::tail(t, freedom));
    }
    for (p, freedom, t) in [
        (0.025, 2.0, 4.302_652_729_749_464),
        (0.025, 5.0, 2.570_581_835_636_315),
        (0.05 / 12.0, 2.0, 10.885_866_619_163_088),
        (0.05 / 24.0, 4.6, 5.273_341_659_995_701),
        (0.4, 3.0, 0.276_670_662_332_689_85),
        (1e-9, 2.2, 9_574.231_831_173_748),
        (0.025, 1e6, 1.959_966_356_814_107),
    ] {
        near(student::quantile(p, freedom), t, 1e-10);
        near(student::quantile(1.0 - p, freedom), -t, 1e-6);
    }
    assert_eq!(student::quantile(0.5, 3.0), 0.0);
}

#[test]
fn value_infinite_freedom_is_normal() {
    // Oracle: tables of the normal distribution; one degree of freedom is Cauchy's.
    near(
        student::quantile(0.025, f64::INFINITY),
        1.959_963_984_540_054,
        1e-14,
    );
    near(
        student::quantile(1e-12, f64::INFINITY),
        7.034_483_825_301_131,
        1e-12,
    );
    for t in [0.1f64, 1.0, 30.0] {
        near(
            student::tail(t, 1.0),
            (1.0 / t).atan() / std::f64::consts::PI,
            1e-13,
        );
    }
}

fn rows() -> Vec<Vec<f64>> {
    vec![
        vec![0.5, 1.0, 0.0, 1.0, 0.5],
        vec![1.0, 1.0, 0.0, 0.5, 0.5],
        vec![0.5, 0.5, 0.0, 1.0, 0.0],
    ]
}

#[test]
fn value_crossed_is_the_analysis_of_variance() {
    // Oracle: NumPy, mean squares of the two-way table.
    let rows = rows();
    let table = |weight| Table {
        rows: &rows,
        weight,
    };
    let alone = Crossed::new(&[table(1.0)], &[]);
    near(alone.mean, 8.0 / 15.0, 1e-14);
    near(alone.rows, 0.004_444_444_444_444_444, 1e-12);
    near(alone.columns, 0.016_444_444_444_444_446, 1e-12);
    assert_eq!((alone.freedom, alone.centre), (2.0, alone.mean));
    let more = Crossed::new(&[table(1.0)], &[-1.0, 1.0]);
    near(more.centre, 0.380_952_380_952_381, 1e-14);
    near(more.columns, 0.056_592_160_673_793_33, 1e-12);
    // Twice the same table apart from itself: no difference, but rows that could have been others.
    let apart = Crossed::new(&[table(1.0), table(-1.0)], &[]);
    assert!(apart.mean.abs() < 1e-15 && apart.columns == 0.0);
    near(apart.rows, 2.0 * alone.rows, 1e-12);
}

#[test]
fn value_a_single_row_is_by_columns_alone() {
    let differences = vec![1.0, 0.0, 0.0, -1.0, 1.0, 0.0, 1.0, 0.0];
    let rows = [differences.clone()];
    let crossed = Crossed::new(
        &[Table {
            rows: &rows,
            weight: 1.0,
        }],
        &[-1.0, 1.0],
    );
    // Oracle: the interval of paired differences.
    let (found, expected) = (crossed.interval(), paired(&differences));
    near(found.low, expected.low, 1e-12);
    near(found.high, expected.high, 1e-12);
    assert!(crossed.rows == 0.0 && crossed.freedom.is_infinite());
}

#[test]
fn value_p_values_are_those_of_intervals() {
    // Oracle: the half width √(t² rows + z² columns) at the p-value is the distance.
    for (rows, columns, freedom) in [
        (1.0, 0.3, 2.0),
        (0.01, 1.0, 2.0),
        (2.0, 0.0, 5.0),
        (0.0, 1.0, f64::INFINITY),
    ] {
        for centre in [0.01, 0.7, 3.0, 8.0, -30.0] {
            let crossed = Crossed {
                mean: centre,
                centre,
                rows,
                columns,
                freedom,
            };
            let p = crossed.p_value() / 2.0;
            let squares = if p == 0.0 {
                continue;
            } else {
                let z = student::quantile(p, f64::INFINITY);
                let t = if rows > 0.0 {
                    student::quantile(p, freedom)
                } else {
                    0.0
                };
                rows * t * t + columns * z * z
            };
            near(squares.sqrt(), centre.abs(), 1e-8);
            assert_eq!(crossed.p_value() < 0.05, !crossed.interval().contains(0.0));
            let within = crossed.equivalence(2.0 * centre.abs());
            near(within, p, 1e-9);
            near(crossed.equivalence(centre.abs()), 0.5, 1e-12);
        }
    }
}

#[test]
fn value_exclusive_groups_count_once() {
    let p = [0.004, 0.03, 0.2, 0.0001, 0.04, 0.9];
    // Oracle: Holm's, where every hypothesis may be true beside all others.
    assert_eq!(holm_exclusive(&p, &[0, 1, 2, 3, 4, 5]), holm(&p));
    // Oracle: by hand; sorted 0.0001 0.004 0.03 0.04 0.2 0.9 of groups 1 0 0 2 1 2: factors
    // 3 3 3 2 2 1, and never less than before.
    let expected = [
        3.0 * 0.004,
        3.0 * 0.03,
        2.0 * 0.2,
        3.0 * 0.0001,
        3.0 * 0.03,
        0.9,
    ];
    for (found, expected) in holm_exclusive(&p, &[0, 0, 1, 1, 2, 2])
        .into_iter()
        .zip(expected)
    {
        near(found, expected, 1e-12);
    }
}

#[test]
#[should_panic(expected = "one row beside several")]
fn error_one_row_beside_several() {
    let rows = rows();
    let tables = [
        Table {
            rows: &rows,
            weight: 1.0,
        },
        Table {
            rows: &rows[..1],
            weight: -1.0,
        },
    ];
    let _ = Crossed::new(&tables, &[]);
}

#[test]
#[should_panic(expected = "a table without rows or columns, or of another length")]
fn error_rows_of_other_lengths() {
    let rows = vec![vec![0.0, 1.0], vec![1.0]];
    let _ = Crossed::new(
        &[Table {
            rows: &rows,
            weight: 1.0,
        }],
        &[],
    );
}
