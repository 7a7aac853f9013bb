use super::folder::Folder;
use crate::base::{Error, Result};
use std::fs;
use std::path::Path;

/// What joining folders brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// Cells that were not there before.
    pub cells: usize,
    /// Cells that were there already, with the same result.
    pub same: usize,
    /// Parts of measurements that were not there before.
    pub parts: usize,
    /// Scans that were not there before.
    pub scans: usize,
}

/// Brings the cells of other folders into a folder, which is made if there is none: those of a job array's
/// machines into one, for a report. Parts of measurements, records of trainings and scans come along (of two of one
/// network the one that is there stays: they say on what device they were made), weights do not.
///
/// # Errors
///
/// [`Error::Input`] if a cell is in two folders with different results, as cells that were made on different
/// backends may be, or if a file is damaged; [`Error::Io`]. What was joined before stays.
pub fn join(into: impl AsRef<Path>, from: &[impl AsRef<Path>]) -> Result<Joined> {
    let into = Folder::open(into.as_ref())?;
    let mut joined = Joined::default();
    for from in from {
        let from = Folder::existing(from.as_ref())?;
        if is_one(&into, &from)? {
            continue;
        }
        for address in from.all_cells()? {
            let Some(result) = from.cell(&address)? else {
                continue;
            };
            match into.cell(&address)? {
                Some(there) if there.says_as(&result) => joined.same += 1,
                Some(_) => {
                    return Err(Error::input(
                        format!("cell {address} in {}", from.root().display()),
                        "another result",
                        format!("the one in {}", into.root().display()),
                    ));
                }
                None => {
                    into.write_cell(
                        &address,
                        &result,
                        from.times(&address).ok().flatten().as_ref(),
                    )?;
                    joined.cells += 1;
                }
            }
        }
        for part in from.parts()? {
            let (of, at) = (&part.measured.of, part.from);
            match into.read_part(&part.trained, of, at)? {
                Some(there) if there.measured == part.measured => {}
                Some(_) => {
                    return Err(Error::input(
                        format!(
                            "images {at} and on of {} in {}",
                            part.trained,
                            from.root().display()
                        ),
                        "another result",
                        format!("the one in {}", into.root().display()),
                    ));
                }
                None => {
                    into.write_part(&part)?;
                    joined.parts += 1;
                }
            }
        }
        for trained in from.all_records()? {
            if let (Some(record), None) = (from.record(&trained)?, into.record(&trained)?) {
                into.write_record(&trained, record)?;
            }
        }
        for address in from.all_scans()? {
            if let (Some(scanned), None) = (from.scanned(&address)?, into.scanned(&address)?) {
                into.write_scanned(&address, &scanned)?;
                joined.scans += 1;
            }
        }
    }
    Ok(joined)
}

fn is_one(one: &Folder, other: &Folder) -> Result<bool> {
    let real = |folder: &Folder| {
        let path = folder.root();
        fs::canonicalize(path).map_err(|error| Error::io(path, error))
    };
    Ok(real(one)? == real(other)?)
}
