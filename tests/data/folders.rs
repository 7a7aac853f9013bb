//! Folders of images, and Burn's datasets.

use burn::data::dataset::{Dataset, DatasetError, InMemDataset};
use fireproof::base::Bounds;
use fireproof::base::Error;
use fireproof::data::{
    Decoded, ImageSet, image_folder, image_folder_of_numbers, image_folder_with,
};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tempfile::{TempDir, tempdir};

const PICTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/pictures");

/// What Pillow reads in each picture.
fn pixels() -> BTreeMap<String, ([usize; 3], Vec<u8>)> {
    let text = fs::read_to_string(Path::new(PICTURES).join("pixels.csv")).unwrap();
    let lines = text.lines().map(|line| {
        let fields: Vec<&str> = line.split(',').collect();
        let shape = [1, 2, 3].map(|at| fields[at].parse().unwrap());
        let byte = |at| u8::from_str_radix(&fields[4][at..at + 2], 16).unwrap();
        let bytes = (0..fields[4].len()).step_by(2).map(byte).collect();
        (fields[0].to_owned(), (shape, bytes))
    });
    lines.collect()
}

fn bytes(picture: &str) -> Vec<u8> {
    fs::read(Path::new(PICTURES).join(picture)).unwrap()
}

/// A folder of these files; a name that ends with a slash is an empty folder.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let dir = tempdir().unwrap();
    for (name, content) in files {
        let path = dir.path().join(name);
        match name.ends_with('/') {
            true => fs::create_dir_all(path).unwrap(),
            false => {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, content).unwrap();
            }
        }
    }
    dir
}

#[test]
fn value_pictures_are_what_pillow_reads() {
    // Oracle: Pillow 13.
    let expected = pixels();
    assert_eq!(expected.len(), 7);
    for (name, (shape, pixels)) in expected {
        let dir = folder(&[(&format!("only/{name}"), &bytes(&name))]);
        let read = image_folder(dir.path()).unwrap();
        assert_eq!(read.set.shape(), shape, "{name}");
        assert_eq!(read.set.pixels(0), pixels, "{name}");
    }
}

#[test]
fn convention_classes_and_images_count_in_the_order_of_their_names() {
    let [grey, pgm, bits] = ["grey.png", "grey.pgm", "bits.png"].map(bytes);
    let dir = folder(&[
        ("dog/b.png", &grey),
        ("dog/a.png", &bits),
        ("cat/10.pgm", &pgm),
        ("cat/2.png", &bits),
        ("cat/.hidden", b"anything"),
        (".cache/none.txt", b"anything"),
        ("README.md", b"about these images"),
    ]);
    let read = image_folder(dir.path()).unwrap();
    assert_eq!(read.class_names, ["cat", "dog"]);
    let set = read.set;
    assert_eq!((set.len(), set.classes()), (4, 2));
    assert_eq!(set.labels(), [0, 0, 1, 1]);
    let pixels = pixels();
    let expected = ["grey.pgm", "bits.png", "bits.png", "grey.png"];
    for (at, name) in expected.into_iter().enumerate() {
        assert_eq!(set.pixels(at), pixels[name].1, "image {at}");
        assert_eq!(set.id(at), at as u64);
    }
    assert_eq!(
        set.name(),
        dir.path().file_name().unwrap().to_str().unwrap()
    );
}

#[test]
fn error_whatever_cannot_be_read_is_named() {
    let [grey, colour, clear, deep, pgm] = [
        "grey.png",
        "colour.png",
        "clear.png",
        "deep.png",
        "grey.pgm",
    ]
    .map(bytes);
    let cut = &grey[..grey.len() / 2];
    let mut flipped = grey.clone();
    let at = flipped.len() / 2;
    flipped[at] ^= 1;
    let header = |text: &str| [text.as_bytes(), &[0; 35]].concat();
    for (files, parts) in [
        (vec![("a/x.png", &b""[..])], ["x.png", "no data"]),
        (
            vec![("a/x.png", b"not an image")],
            ["x.png", "expected a PNG"],
        ),
        (
            vec![("a/x.jpg", b"\xff\xd8\xff\xe0....")],
            ["x.jpg", "0xffd8ffe0"],
        ),
        (vec![("a/x.png", cut)], ["x.png", "an intact PNG"]),
        (vec![("a/x.png", &flipped)], ["x.png", "an intact PNG"]),
        (
            vec![("a/x.png", &clear)],
            ["x.png", "pixels that are not opaque"],
        ),
        (vec![("a/x.png", &deep)], ["x.png", "found 16 bits"]),
        (
            vec![("a/x.pgm", &pgm[..pgm.len() - 1])],
            ["x.pgm", "the end of the data"],
        ),
        (
            vec![("a/x.pgm", &[&pgm[..], b"!"].concat())],
            ["x.pgm", "more bytes"],
        ),
        (
            vec![("a/x.pgm", &header("P5 7 5 65535\n"))],
            ["x.pgm", "255 as the largest value, found 65535"],
        ),
        (
            vec![("a/x.pgm", &header("P5 0 5 255\n"))],
            ["x.pgm", "found 0×5"],
        ),
        (
            vec![("a/x.pgm", &header("P5 99999999 99999999 255\n"))],
            ["x.pgm", "at most 1 GiB"],
        ),
        (
            vec![("a/x.pgm", &header("P5 seven"))],
            ["x.pgm", "the number of columns"],
        ),
        // Images of several kinds: both are named.
        (
            vec![("a/x.png", &grey), ("b/y.png", &colour)],
            ["y.png: found 3×5×7, expected 1×5×7", "x.png"],
        ),
        (
            vec![("a/x.png", &grey), ("a/y.pgm", b"P5 2 1 255\n..")],
            ["y.pgm: found 1×1×2, expected 1×5×7", "x.png"],
        ),
        (
            vec![("a/x.png", &grey), ("b/", b"")],
            ["/b: a class without an image", ""],
        ),
        (
            vec![("a/x.png", &grey), ("b/.hidden", b"")],
            ["/b: a class without an image", ""],
        ),
        (
            vec![("a/x.png", &grey), ("a/more/y.png", &grey)],
            ["/more: a folder inside", ""],
        ),
        (
            vec![("a/x.png", &grey), ("lost.PNG", &grey)],
            ["lost.PNG: an image beside", ""],
        ),
        (vec![("notes.txt", b"")], ["no folder of a class", ""]),
    ] as [(Vec<(&str, &[u8])>, [&str; 2]); 20]
    {
        let dir = folder(&files);
        let error = image_folder(dir.path()).unwrap_err().to_string();
        let named = parts.iter().all(|part| error.contains(part));
        assert!(named, "{parts:?} in {error}");
    }
    let missing = image_folder("/no/such/folder").unwrap_err();
    assert!(matches!(missing, Error::Io { .. }), "{missing}");
}

#[test]
fn convention_comments_in_headers_and_decoders_of_ones_own() {
    let commented = b"P5 # made by hand\n2 # columns\n1\n255\n\x07\xff";
    let dir = folder(&[("a/x.pgm", commented)]);
    let read = image_folder(dir.path()).unwrap();
    assert_eq!(
        (read.set.shape(), read.set.pixels(0)),
        ([1, 1, 2], &[7, 255][..])
    );
    let dir = folder(&[("a/x.raw", &[1, 2, 3, 4]), ("b/y.raw", &[5, 6, 7, 8])]);
    let raw = |path: &Path| {
        Ok(Decoded {
            shape: [1, 2, 2],
            pixels: fs::read(path).unwrap(),
        })
    };
    let read = image_folder_with(dir.path(), raw).unwrap();
    assert_eq!(read.set.pixels(1), [5, 6, 7, 8]);
    // One that does not keep its word.
    let short = |path: &Path| {
        raw(path).map(|decoded| Decoded {
            shape: [1, 3, 3],
            ..decoded
        })
    };
    let error = image_folder_with(dir.path(), short)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("x.raw: found 4, expected the 9 of 1×3×3"),
        "{error}"
    );
}

type Item = (Vec<u8>, usize);

fn grey(item: Item) -> fireproof::base::Result<(Decoded, usize)> {
    let (pixels, label) = item;
    let shape = [1, 1, pixels.len()];
    Ok((Decoded { shape, pixels }, label))
}

#[test]
fn value_a_dataset_of_burn_s_becomes_a_set() {
    let items = InMemDataset::new(vec![(vec![1, 2], 0), (vec![3, 4], 2), (vec![5, 6], 1)]);
    let set = ImageSet::from_dataset("items", &items, 3, grey).unwrap();
    assert_eq!((set.len(), set.shape(), set.classes()), (3, [1, 1, 2], 3));
    assert_eq!((set.labels(), set.pixels(2)), (vec![0, 2, 1], &[5, 6][..]));
    // An image set is one itself, and comes back as it was.
    let again = ImageSet::from_dataset("again", &set, 3, |image: fireproof::data::Image| {
        let (shape, pixels) = ([1, 1, 2], image.pixels);
        Ok((Decoded { shape, pixels }, usize::from(image.label)))
    });
    let again = again.unwrap();
    assert_eq!(
        (again.labels(), again.pixels(1)),
        (set.labels(), set.pixels(1))
    );
}

#[test]
fn error_items_of_a_dataset_are_named_by_number() {
    /// Gives its first item only.
    struct Broken;
    impl Dataset<Item> for Broken {
        fn get(&self, index: usize) -> Result<Item, DatasetError> {
            match index {
                0 => Ok((vec![1], 0)),
                _ => Err(DatasetError::new(std::io::Error::other("gone"))),
            }
        }
        fn len(&self) -> usize {
            2
        }
    }
    let items = |items: &[Item]| InMemDataset::new(items.to_vec());
    let of = |items: &dyn Fn() -> InMemDataset<Item>| {
        ImageSet::from_dataset("items", &items(), 2, grey)
            .unwrap_err()
            .to_string()
    };
    for (error, part) in [
        (
            of(&|| items(&[])),
            "items: images: found none, expected at least one",
        ),
        (
            of(&|| items(&[(vec![1], 0), (vec![1, 2], 0)])),
            "shape of items: item 1: found 1×1×2, expected 1×1×1, as items: item 0 has",
        ),
        (
            of(&|| items(&[(vec![1], 2)])),
            "class of items: item 0: found 2, expected below the 2 classes",
        ),
        (
            ImageSet::from_dataset("items", &Broken, 2, grey)
                .unwrap_err()
                .to_string(),
            "items: item 1: found gone, expected an item",
        ),
    ] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn value_numbers_come_by_the_same_adapters() {
    let points = InMemDataset::new(vec![([2.5f32, -1e3], 1), ([0.25, 7.0], 0)]);
    let convert = |(point, label): ([f32; 2], usize)| {
        let (shape, pixels) = ([2, 1, 1], point.to_vec());
        Ok((Decoded { shape, pixels }, label))
    };
    let of = |bounds| ImageSet::from_dataset_of_numbers("points", &points, 2, bounds, convert);
    let set = of(Bounds::none()).unwrap();
    assert_eq!((set.labels(), set.values(1)), (vec![1, 0], vec![0.25, 7.0]));
    let batch = set.batch(&[0], &fireproof::device());
    assert_eq!(batch.bounds, Bounds::none());
    let error = of(Bounds::default()).unwrap_err().to_string();
    assert!(error.contains("points") && error.contains("2.5"), "{error}");

    let dir = folder(&[("a/x.raw", &[1, 2]), ("b/y.raw", &[0, 255])]);
    let halves = |path: &Path| {
        let bytes = fs::read(path).unwrap();
        let pixels = bytes.into_iter().map(|byte| f32::from(byte) / 2.0);
        Ok(Decoded {
            shape: [1, 1, 2],
            pixels: pixels.collect(),
        })
    };
    let read = image_folder_of_numbers(dir.path(), Bounds::none(), halves).unwrap();
    assert_eq!(read.class_names, ["a", "b"]);
    assert_eq!(read.set.values(1), [0.0, 127.5]);
    assert!(image_folder_of_numbers(dir.path(), Bounds::default(), halves).is_err());
}
