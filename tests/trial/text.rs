//! The text of the module: nothing is computed.

// Oracle: the text of the module itself.
#[test]
fn convention_attacks_read_by_one_function() {
    fn files(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => files(&path, found),
                false => found.push(path),
            }
        }
    }
    let mut found = Vec::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/attack");
    files(folder.as_ref(), &mut found);
    assert!(found.len() > 20);
    for path in found {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for read in ["to_data(", "into_data(", "into_scalar(", "to_data_async("] {
            assert!(!code.contains(read), "{} reads by {read}", path.display());
        }
    }
}
