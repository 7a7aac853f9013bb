use super::address::Address;
use super::result::{CELL_SCHEMA, CellResult, CellTimes, Part, TrainedRecord, is_whole};
use super::scan::Scanned;
use crate::base::{Error, Result, process_name, write_atomically};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Where the results of a study lie. Every file is written beside its place and then renamed, so that whoever
/// reads, and whoever is killed, meets whole files only.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    root: PathBuf,
}

/// The right to train and measure a network, which ends with the process.
pub(super) struct Claim {
    path: PathBuf,
    // None where the file system knows no locks.
    _lock: Option<File>,
    pub is_sure: bool,
}

impl Claim {
    /// Once its results are there, nobody needs it.
    pub fn fulfilled(self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Folder {
    /// Makes the folder, and tries to write there before hours are spent on what could not be kept.
    pub fn open(root: &Path) -> Result<Self> {
        let folder = Self {
            root: root.to_owned(),
        };
        let cells = folder.cells();
        fs::create_dir_all(&cells).map_err(|error| Error::io(&cells, error))?;
        let probe = root.join(format!(".writable.{}", process_name()));
        (fs::write(&probe, "").and_then(|()| fs::remove_file(&probe)))
            .map_err(|error| Error::io(root, error))?;
        Ok(folder)
    }

    /// A folder that is there already.
    pub fn existing(root: &Path) -> Result<Self> {
        let folder = Self {
            root: root.to_owned(),
        };
        let cells = folder.cells();
        match cells.is_dir() {
            true => Ok(folder),
            false => {
                let reason = "no such folder: expected one that a study wrote";
                let error = std::io::Error::new(ErrorKind::NotFound, reason);
                Err(Error::io(cells, error))
            }
        }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    fn cells(&self) -> PathBuf {
        self.root.join("cells")
    }

    pub fn cell_path(&self, address: &Address) -> PathBuf {
        self.cells().join(format!("{address}.json"))
    }

    fn times_path(&self, address: &Address) -> PathBuf {
        self.root.join("times").join(format!("{address}.json"))
    }

    /// Where a network is trained, with checkpoints. Nobody else's if the claim is sure.
    pub fn training(&self, trained: &Address, claim: &Claim) -> PathBuf {
        let name = match claim.is_sure {
            true => trained.to_string(),
            false => format!("{trained}.{}", process_name()),
        };
        self.root.join("trainings").join(name)
    }

    pub fn has_cell(&self, address: &Address) -> bool {
        self.cell_path(address).is_file()
    }

    /// The result in a cell's file, if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::Input`], naming the file, if it is damaged, of another version, or of another cell.
    pub fn cell(&self, address: &Address) -> Result<Option<CellResult>> {
        let path = self.cell_path(address);
        let Some(result) = read::<CellResult>(&path)? else {
            return Ok(None);
        };
        let wrong = |found: &str| {
            let what = format!("cell `{}`", path.display());
            Err(Error::input(
                what,
                found,
                "the result of the cell of this name; remove it to make it anew",
            ))
        };
        if result.schema != CELL_SCHEMA {
            return wrong("another version of the file");
        }
        if Address::of(&result.settings) != *address {
            return wrong("settings of another cell");
        }
        if Address::of(&result.settings["trained"]) != result.trained {
            return wrong("another trained network");
        }
        let settings = result.settings["measured"]
            .as_array()
            .map_or(&[][..], |all| all);
        let addresses = settings.iter().map(Address::of);
        if !addresses.eq(result.measured.iter().map(|measured| measured.of.clone())) {
            return wrong("other measurements");
        }
        if result
            .measured
            .iter()
            .any(|measured| measured.check().is_err())
        {
            return wrong("too few or too many outcomes");
        }
        if !read(&path)?.is_none_or(is_whole) {
            return wrong("changed since it was written");
        }
        Ok(Some(result))
    }

    pub fn times(&self, address: &Address) -> Result<Option<CellTimes>> {
        read(&self.times_path(address))
    }

    pub fn write_cell(
        &self,
        address: &Address,
        result: &CellResult,
        times: Option<&CellTimes>,
    ) -> Result<()> {
        // The result last: it says that the cell is done.
        if let Some(times) = times {
            write(&self.times_path(address), times)?;
        }
        write(&self.cell_path(address), result)
    }

    fn scan(&self, address: &Address) -> PathBuf {
        self.root.join("scans").join(format!("{address}.json"))
    }

    /// What was scanned, if it was.
    ///
    /// # Errors
    ///
    /// [`Error::Input`], naming the file, if it is damaged, of another version, or of something else.
    pub fn scanned(&self, address: &Address) -> Result<Option<Scanned>> {
        let path = self.scan(address);
        let Some(scanned) = read::<Scanned>(&path)? else {
            return Ok(None);
        };
        match scanned.schema == CELL_SCHEMA && Address::of(&scanned.settings) == *address {
            true => Ok(Some(scanned)),
            false => Err(Error::input(
                format!("scan `{}`", path.display()),
                "another version of the file, or another scan",
                "that of this name; remove it to make it anew",
            )),
        }
    }

    pub fn write_scanned(&self, address: &Address, scanned: &Scanned) -> Result<()> {
        write(&self.scan(address), scanned)
    }

    /// The addresses of all cells here, in their order.
    pub fn all_cells(&self) -> Result<Vec<Address>> {
        addresses(&self.cells())
    }

    /// The addresses of all scans here, in their order.
    pub fn all_scans(&self) -> Result<Vec<Address>> {
        let folder = self.root.join("scans");
        match folder.is_dir() {
            true => addresses(&folder),
            false => Ok(Vec::new()),
        }
    }

    fn model(&self, trained: &Address) -> (PathBuf, PathBuf) {
        let models = self.root.join("models");
        let [record, weights] = ["json", "bpk"].map(|end| models.join(format!("{trained}.{end}")));
        (record, weights)
    }

    /// What is known of a trained network, with its weights or without.
    pub fn record(&self, trained: &Address) -> Result<Option<TrainedRecord>> {
        read(&self.model(trained).0)
    }

    /// Keeps what is known of a network that is trained elsewhere, whose weights are not here.
    pub fn write_record(&self, trained: &Address, record: TrainedRecord) -> Result<()> {
        let record = TrainedRecord {
            digest: None,
            ..record
        };
        write(&self.model(trained).0, &record)
    }

    /// What is known of a trained network, and the file of its weights.
    ///
    /// # Errors
    ///
    /// [`Error::Input`], naming the file, if weights were changed since they were written.
    pub fn trained(&self, trained: &Address) -> Result<Option<(TrainedRecord, PathBuf)>> {
        let (_, weights) = self.model(trained);
        if !weights.is_file() {
            return Ok(None);
        }
        let Some(record) = self.record(trained)? else {
            return Ok(None);
        };
        if record.digest.is_some() && record.digest != Some(digest(&weights)?) {
            return Err(Error::input(
                format!("weights `{}`", weights.display()),
                "changed since they were written",
                "those of the training beside them; remove both to train anew",
            ));
        }
        Ok(Some((record, weights)))
    }

    /// The addresses of all networks whose training is known here, in their order.
    pub fn all_records(&self) -> Result<Vec<Address>> {
        let folder = self.root.join("models");
        match folder.is_dir() {
            true => addresses(&folder),
            false => Ok(Vec::new()),
        }
    }

    /// Keeps a trained network.
    pub fn keep(
        &self,
        trained: &Address,
        record: TrainedRecord,
        save: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<()> {
        let (path, weights) = self.model(trained);
        let unfinished = weights.with_file_name(format!(".{trained}.{}.bpk", process_name()));
        save(&unfinished)?;
        let record = TrainedRecord {
            digest: Some(digest(&unfinished)?),
            ..record
        };
        // Whoever is killed here leaves weights that nothing is known of, which count for nothing, never those that another
        // record is not of.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Error::io(&path, error));
            }
            _ => {}
        }
        fs::rename(&unfinished, &weights).map_err(|error| Error::io(&weights, error))?;
        write(&path, &record)
    }

    fn part(&self, trained: &Address, of: &Address, from: usize) -> PathBuf {
        let name = format!("{trained}.{of}.{from}.json");
        self.root.join("parts").join(name)
    }

    pub fn read_part(&self, trained: &Address, of: &Address, from: usize) -> Result<Option<Part>> {
        read(&self.part(trained, of, from))
    }

    pub fn write_part(&self, part: &Part) -> Result<()> {
        write(
            &self.part(&part.trained, &part.measured.of, part.from),
            part,
        )
    }

    pub fn remove_part(&self, trained: &Address, of: &Address, from: usize) {
        let _ = fs::remove_file(self.part(trained, of, from));
    }

    /// All parts here.
    pub fn parts(&self) -> Result<Vec<Part>> {
        let folder = self.root.join("parts");
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let mut parts = Vec::new();
        for (path, _) in files(&folder)? {
            parts.extend(read::<Part>(&path)?);
        }
        Ok(parts)
    }

    /// The right to make what belongs to a trained network; nothing if another process has it.
    pub fn claim(&self, trained: &Address) -> Result<Option<Claim>> {
        let folder = self.root.join("claims");
        fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, error))?;
        let path = folder.join(trained.to_string());
        let file = File::create(&path).map_err(|error| Error::io(&path, error))?;
        let (lock, is_sure) = match file.try_lock() {
            Ok(()) => (Some(file), true),
            Err(TryLockError::WouldBlock) => return Ok(None),
            // Not known here: then everybody works for himself, in folders of his own.
            Err(TryLockError::Error(_)) => (None, false),
        };
        Ok(Some(Claim {
            path,
            _lock: lock,
            is_sure,
        }))
    }
}

fn digest(file: &Path) -> Result<Address> {
    let bytes = fs::read(file).map_err(|error| Error::io(file, error))?;
    Ok(Address::of_bytes(&bytes))
}

// The addresses that name the JSON files of a folder, in their order.
fn addresses(folder: &Path) -> Result<Vec<Address>> {
    let address = |(_, stem)| serde_json::from_value(Value::from(stem)).expect("a text");
    let mut found = Vec::from_iter(files(folder)?.into_iter().map(address));
    found.sort();
    Ok(found)
}

// The JSON files of a folder with their names without ending.
fn files(folder: &Path) -> Result<Vec<(PathBuf, String)>> {
    let failed = |error| Error::io(folder, error);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        if let Some(stem) = name.as_deref().and_then(|name| name.strip_suffix(".json"))
            && !stem.starts_with('.')
        {
            found.push((path.clone(), stem.to_owned()));
        }
    }
    found.sort();
    Ok(found)
}

fn write(path: &Path, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string(value).expect("plain values") + "\n";
    write_atomically(path, text.as_bytes())
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|error| Error::io(path, error))?,
    };
    let value = serde_json::from_str(&text);
    value.map(Some).map_err(|error| {
        let what = format!("file `{}`", path.display());
        Error::input(
            what,
            error,
            "what a study wrote there; remove it to make it anew",
        )
    })
}
