//! No file of tests over a device is missing here.

use std::fs::{read_dir, read_to_string};

// Oracle: the files themselves.
#[test]
fn convention_every_file_of_tests_over_a_device_is_listed() {
    let here = include_str!("main.rs");
    let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    let mut listed = 0;
    for suite in read_dir(tests).unwrap().map(|entry| entry.unwrap().path()) {
        let name = suite.file_name().unwrap().to_str().unwrap();
        if !suite.join("main.rs").exists() || name == "portability" {
            continue;
        }
        let part = here.split_once(&format!("mod {name} {{"));
        let part = part.map_or("", |(_, after)| after.split('}').next().unwrap());
        for file in read_dir(&suite).unwrap().map(|entry| entry.unwrap().path()) {
            let stem = file.file_stem().unwrap().to_str().unwrap();
            if read_to_string(&file)
                .unwrap()
                .contains("\non_every_device![")
            {
                assert!(part.contains(&format!("mod {stem};")), "{name}/{stem}");
                listed += 1;
            }
        }
    }
    assert!(listed > 20, "{listed}");
}
