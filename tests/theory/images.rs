//! Points as images without bounds, and the group as poses of them.

use crate::common::{On, values};
use fireproof::base::{Bounds, Keys, Pixels, Seed};
use fireproof::data::ImageSet;
use fireproof::theory::{GaussianFeature, Point, Setting};
use fireproof::transform::{Border, Pose, PoseBudget, Warp};

// What moves images is tested on every device by `tests/transform`.
on_this_device![
    value_shifts_with_a_circular_border_are_the_group,
    value_random_poses_are_uniform_over_the_group,
];

fn circular() -> Warp {
    Warp::nearest().with_border(Border::Circular)
}

fn value_shifts_with_a_circular_border_are_the_group(on: &On) {
    // Oracle: `Point::shifted`, to the bit.
    let setting = GaussianFeature::new(7, 1.5, 0.5).unwrap();
    let (numbers, labels) = setting.images(Seed(4), 7).unwrap();
    let set = ImageSet::of_numbers("points", [1, 1, 7], 2, numbers, labels, Bounds::none());
    let set = set.unwrap();
    let batch = set.batch(&[0, 1, 2, 3, 4, 5, 6], &on.device());
    let poses = Vec::from_iter((0..7).map(|by| Pose::shift(Pixels(f64::from(by)), Pixels(2.0))));
    let moved = values(circular().apply(batch.images, &poses));
    for (by, moved) in moved.chunks(7).enumerate() {
        let features = set.values(by).into_iter().map(f64::from).collect();
        let expected = Point {
            positive: true,
            features,
        }
        .shifted(by)
        .features;
        assert_eq!(
            moved.iter().map(|&x| f64::from(x)).collect::<Vec<_>>(),
            expected
        );
    }
}

fn value_random_poses_are_uniform_over_the_group(on: &On) {
    // Oracle: each of d shifts has probability 1/d if poses are drawn up to half of the width; for even
    // and odd widths; five standard errors of 4,000.
    for width in [8, 5] {
        let budget = PoseBudget {
            shift: Pixels(width as f64 / 2.0),
            ..PoseBudget::default()
        };
        let poses = budget.draw(&Keys::new(3, 0..4000));
        let row = Vec::from_iter((0..width).map(|at| at as f32));
        let images = on.tensor(row.repeat(4000), [4000, 1, 1, width]);
        let moved = values(circular().apply(images, &poses));
        let mut counts = vec![0; width];
        for moved in moved.chunks(width) {
            let by = (width - moved[0] as usize) % width;
            counts[by] += 1;
            let at = |at: usize| ((at + width - by) % width) as f32;
            assert!(
                (0..width).all(|place| moved[place] == at(place)),
                "{moved:?}"
            );
        }
        let share = 4000.0 / width as f64;
        let off = |count: &i32| (f64::from(*count) - share).abs() < 5.0 * share.sqrt();
        assert!(counts.iter().all(off), "{counts:?}");
    }
}
