//! Image sets in memory: subsets, balanced draws, what does not fit together.

use super::given::twelve;
use crate::common::fnv1a;
use burn::data::dataset::Dataset;
use fireproof::base::{Bounds, Seed};
use fireproof::data::{DataSummary, ImageSet, embedded_mnist};

#[test]
fn convention_subsets_keep_ids_and_pixels() {
    let subset = twelve().subset(&[7, 2, 7]).subset(&[1, 0]);
    assert_eq!(subset.ids(), [2, 7]);
    assert_eq!(subset.labels(), [2, 1]);
    assert_eq!(subset.pixels(1), [7, 255, 0, 51]);
    assert_eq!(twelve().take(2).ids(), [0, 1]);
    assert_eq!(twelve().take(99).len(), 12);
}

#[test]
fn convention_balanced_draws_are_even_interleaved_nested_and_reproducible() {
    let digits = embedded_mnist().train;
    let drawn = digits.balanced(100, Seed(3)).unwrap();
    assert_eq!(drawn.class_counts(), [10; 10]);
    let labels: Vec<u8> = (0..100).map(|i| i % 10).collect();
    assert_eq!(drawn.labels(), labels);

    let ids = drawn.ids();
    assert_eq!(digits.balanced(100, Seed(3)).unwrap().ids(), ids);
    assert_ne!(digits.balanced(100, Seed(4)).unwrap().ids(), ids);
    let more = digits.balanced(250, Seed(3)).unwrap().ids();
    assert_eq!(more[..100], ids);
    let mut unique = more.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), 250);

    // 23 = 10·2 + 3: the first three classes have one more.
    let uneven = digits.balanced(23, Seed(3)).unwrap();
    assert_eq!(uneven.class_counts(), [3, 3, 3, 2, 2, 2, 2, 2, 2, 2]);
}

#[test]
fn value_held_out_images_and_the_rest_make_up_the_set() {
    let (rest, held) = twelve().hold_out(6, Seed(1)).unwrap();
    assert_eq!(held.class_counts(), [2, 2, 2]);
    assert!(rest.ids().is_sorted(), "the rest keeps its order");
    let mut ids = [rest.ids(), held.ids()].concat();
    ids.sort_unstable();
    assert_eq!(ids, (0..12).collect::<Vec<_>>());
    // No copy of an image is left where it is held out.
    let positions: Vec<usize> = (0..12).chain(0..12).collect();
    let twice = twelve().subset(&positions);
    let (rest, held) = twice.hold_out(6, Seed(1)).unwrap();
    assert!(rest.len() <= 18 && rest.ids().iter().all(|id| !held.ids().contains(id)));
}

#[test]
fn error_balanced_draw_of_more_than_a_class_has() {
    let error = twelve().balanced(13, Seed(0)).unwrap_err().to_string();
    assert!(
        error.contains("4 images of class 0") && error.contains("not for 5"),
        "{error}"
    );
    assert!(twelve().hold_out(15, Seed(0)).is_err());
    assert!(twelve().balanced(12, Seed(0)).is_ok());
}

#[test]
fn smoke_burn_dataset() {
    let set = twelve();
    let image = Dataset::get(&set, 4).unwrap();
    assert_eq!((image.label, image.id), (1, 4));
    assert_eq!(image.pixels, [4, 255, 0, 51]);
    assert_eq!(Dataset::iter(&set).count(), 12);
}

#[test]
#[should_panic(expected = "out of bounds")]
fn error_burn_dataset_index_out_of_range_panics() {
    let _ = Dataset::get(&twelve(), 12);
}

#[test]
fn convention_display_summarises() {
    assert_eq!(
        twelve().to_string(),
        "twelve: 12 images of 2×1×2, 3 classes of 4"
    );
    assert_eq!(
        format!("{:?}", twelve().take(4)),
        "ImageSet(twelve: 4 images of 2×1×2, 3 classes of 1 to 2)"
    );
}

#[test]
fn error_set_that_does_not_fit_together() {
    let new = |shape, classes, pixels: usize, labels: Vec<u8>| {
        ImageSet::new("bad", shape, classes, vec![0; pixels], labels)
            .unwrap_err()
            .to_string()
    };
    for (error, part) in [
        (
            new([1, 0, 2], 2, 0, vec![]),
            "shape of the images: found 1×0×2",
        ),
        (
            new([usize::MAX, 2, 2], 2, 4, vec![0]),
            "shape of the images",
        ),
        (new([1, 2, 2], 0, 4, vec![0]), "number of classes: found 0"),
        (
            new([1, 2, 2], 257, 4, vec![0]),
            "number of classes: found 257",
        ),
        (
            new([1, 2, 2], 2, 7, vec![0, 1]),
            "found 7 bytes, expected 4 bytes for every label",
        ),
        (new([1, usize::MAX, 1], 2, 7, vec![0, 1]), "found 7 bytes"),
        (
            new([1, 2, 2], 2, 12, vec![0, 1, 2]),
            "label of image 2: found 2, expected 0 to 1",
        ),
    ] {
        assert!(error.contains(part), "{error}");
    }
}

// Two images of numbers, one of them far outside of what bytes hold.
fn numbers(bounds: Bounds) -> fireproof::base::Result<ImageSet> {
    let numbers = vec![-2.5, 0.1, 1e3, 0.0];
    ImageSet::of_numbers("points", [1, 1, 2], 2, numbers, vec![0, 1], bounds)
}

#[test]
fn value_numbers_are_kept_as_they_are() {
    let set = numbers(Bounds::none()).unwrap();
    assert_eq!(set.values(0), [-2.5, 0.1]);
    assert_eq!(set.subset(&[1]).values(0), [1e3, 0.0]);
    assert_eq!((set.subset(&[1]).id(0), set.bounds()), (1, Bounds::none()));
    // Of bytes: byte / 255.
    assert_eq!(twelve().values(1), [1.0 / 255.0, 1.0, 0.0, 51.0 / 255.0]);
    assert_eq!(twelve().bounds(), Bounds::default());
}

#[test]
fn value_summary_tells_numbers_apart() {
    let set = numbers(Bounds::none()).unwrap();
    let digest = |set: &ImageSet| DataSummary::of(set).digest;
    let other = vec![-2.5, 0.1f32.next_up(), 1e3, 0.0];
    let other = ImageSet::of_numbers("points", [1, 1, 2], 2, other, vec![0, 1], Bounds::none());
    assert_ne!(digest(&set), digest(&other.unwrap()));
    // Oracle: FNV-1a of ids, labels and the numbers' bytes, little-endian.
    let image = |id: u64, label: u8, numbers: [f32; 2]| {
        let numbers = numbers.into_iter().flat_map(f32::to_le_bytes);
        Vec::from_iter(id.to_le_bytes().into_iter().chain([label]).chain(numbers))
    };
    let bytes = [image(0, 0, [-2.5, 0.1]), image(1, 1, [1e3, 0.0])].concat();
    assert_eq!(digest(&set), format!("{:016x}", fnv1a(bytes)));
}

#[test]
fn error_numbers_outside_their_bounds() {
    let of = |numbers: Vec<f32>, bounds| {
        ImageSet::of_numbers("points", [1, 1, 2], 2, numbers, vec![0, 1], bounds)
            .unwrap_err()
            .to_string()
    };
    let unit = Bounds::default();
    for (error, part) in [
        (
            of(vec![0.0, 1.0, 0.5, 1.5], unit),
            "points: pixel 1 of image 1: found 1.5, expected a finite number in [0, 1]",
        ),
        (
            of(vec![0.0, f32::NAN, 0.5, 1.0], Bounds::none()),
            "points: pixel 1 of image 0: found NaN",
        ),
        (
            of(vec![0.0, 1.0, f32::INFINITY, 1.0], Bounds::none()),
            "points: pixel 0 of image 1: found inf",
        ),
        (
            of(vec![0.0; 3], unit),
            "found 3 numbers, expected 2 numbers for every label",
        ),
    ] {
        assert!(error.contains(part), "{error}");
    }
    let set = numbers(Bounds::none()).unwrap();
    let error = Dataset::get(&set, 0).unwrap_err().to_string();
    assert!(
        error.contains("points: found numbers, expected bytes"),
        "{error}"
    );
}

#[test]
#[should_panic(expected = "points: numbers, not bytes")]
fn error_bytes_of_numbers_panic() {
    let set = numbers(Bounds::none()).unwrap();
    let _ = set.pixels(0);
}
