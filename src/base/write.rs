use crate::base::{Error, Result};
use std::fs;
use std::path::Path;

/// Writes a whole file or none of it: into a neighbour first, which is then renamed, so that a
/// reader never sees half a file. Missing folders are made.
///
/// # Errors
///
/// [`Error::Io`].
pub fn write_atomically(path: &Path, contents: &[u8]) -> Result<()> {
    let failed = |source| Error::io(path, source);
    let name = path.file_name().ok_or_else(|| {
        failed(std::io::Error::new(
            std::io::ErrorKind::InvalidInput,
            "not the name of a file",
        ))
    })?;
    if let Some(folder) = path.parent().filter(|folder| *folder != Path::new("")) {
        fs::create_dir_all(folder).map_err(|source| Error::io(folder, source))?;
    }
    let mut neighbour = std::ffi::OsString::from(".");
    neighbour.push(name);
    neighbour.push(format!(".{}.tmp", std::process::id()));
    let neighbour = path.with_file_name(neighbour);
    fs::write(&neighbour, contents)
        .and_then(|()| fs::rename(&neighbour, path))
        .map_err(|source| {
            // The first failure is the one to tell; a leftover file is only untidy.
            let _ = fs::remove_file(&neighbour);
            failed(source)
        })
}
