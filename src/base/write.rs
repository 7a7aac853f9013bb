use crate::base::{Error, Result};
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;
use std::sync::OnceLock;

/// A name for this process alone, also among those of other machines and containers, whose numbers may be the
/// same, at work in one folder.
pub(crate) fn process_name() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let random = RandomState::new().build_hasher().finish();
        format!("{}-{random:016x}", std::process::id())
    })
}

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
    neighbour.push(format!(".{}.tmp", process_name()));
    let neighbour = path.with_file_name(neighbour);
    fs::write(&neighbour, contents)
        .and_then(|()| fs::rename(&neighbour, path))
        .map_err(|source| {
            // The first failure is the one to tell; a leftover file is only untidy.
            let _ = fs::remove_file(&neighbour);
            failed(source)
        })
}
