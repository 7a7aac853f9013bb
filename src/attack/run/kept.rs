use super::{Run, Whole};
use crate::attack::adversaries::{About, Layout, numbers};
use crate::attack::{Adversaries, Attack, Found};
use crate::base::{Batch, Error, Precision, Result};
use crate::data::ImageSet;
use burn::tensor::Device;
use serde_json::json;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The adversaries of a run, in a file with a row for each image that is written as they are found.
///
/// Rows and the state of the run cannot change at one moment. So each batch's rows go into a file of
/// their own first, with the passes of the state that they belong to; then the state is saved; then
/// they are written to their places. Whoever goes on from a state does the last step again.
pub(super) struct Kept<'a> {
    path: &'a Path,
    about: About,
    layout: Layout,
    // None once the run was finished before.
    rows: Option<File>,
    // What is known of the best adversary of each image, once there is one.
    best: Vec<Option<Known>>,
    // Positions of the rows that are found and not written yet.
    ready: Option<(Vec<usize>, Adversaries)>,
    goes_on_from_files: bool,
}

#[derive(Clone, Copy)]
struct Known {
    fooled: bool,
    distance: Option<f64>,
    loss: f32,
}

impl Known {
    fn all(
        fooled: impl IntoIterator<Item = bool>,
        distance: impl IntoIterator<Item = Option<f64>>,
        loss: impl IntoIterator<Item = f32>,
    ) -> Vec<Self> {
        let each = fooled.into_iter().zip(distance).zip(loss);
        let known = each.map(|((fooled, distance), loss)| Self {
            fooled,
            distance,
            loss,
        });
        known.collect()
    }

    // Fooling before not, then the nearer one as the run itself has it, or the higher loss.
    fn before(&self, other: Option<&Self>) -> bool {
        let Some(other) = other else {
            return true;
        };
        match (self.fooled, other.fooled) {
            (true, true) => match (other.distance, self.distance) {
                (Some(other), Some(this)) => this < other,
                _ => true,
            },
            (false, false) => self.loss >= other.loss,
            (this, _) => this,
        }
    }
}

impl<'a> Kept<'a> {
    /// The file of a run on this set, begun or gone on with.
    pub fn open(
        path: &'a Path,
        run: &Run,
        attack: &(impl Attack + ?Sized),
        set: &ImageSet,
        precision: Option<Precision>,
        device: &Device,
        whole: &Whole,
    ) -> Result<Self> {
        let like = set.batch(&[0], device);
        let about = About::new(attack.settings(), run.seed, like.bounds, run.shard);
        let about = about.with_moved(attack.moves_images());
        let precision = match precision {
            Some(precision) => precision,
            None => Precision::of("images", &like.images)?,
        };
        let mut kept = Self {
            path,
            layout: Layout::new(&about, set.len(), set.shape(), precision),
            about,
            rows: None,
            best: vec![None; set.len()],
            ready: None,
            goes_on_from_files: run.state.is_some(),
        };
        match met(whole) {
            0 => kept.begin(set.len())?,
            met => kept.go_on(met, whole, device)?,
        }
        Ok(kept)
    }

    fn begin(&mut self, count: usize) -> Result<()> {
        let path = self.beside("partial");
        let failed = |source| Error::io(&path, source);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|source| Error::io(folder, source))?;
        }
        let mut rows = File::create(&path).map_err(failed)?;
        rows.write_all(self.layout.header()).map_err(failed)?;
        rows.set_len(self.layout.len(count)).map_err(failed)?;
        self.rows = Some(open(&path).map_err(failed)?);
        Ok(())
    }

    fn go_on(&mut self, met: usize, whole: &Whole, device: &Device) -> Result<()> {
        let path = self.beside("partial");
        let (path, finished) = match path.exists() {
            true => (path, false),
            false => (self.path.to_owned(), true),
        };
        let mut begun = vec![0; self.layout.header().len()];
        let read = open(&path).and_then(|mut rows| {
            rows.read_exact(&mut begun)?;
            Ok((rows.metadata()?.len(), rows))
        });
        let right = match read {
            Ok((len, rows)) if len == self.layout.len(whole.images.len()) => Some(rows),
            _ => None,
        };
        let Some(rows) = right.filter(|_| begun == self.layout.header()) else {
            let what = format!("adversaries `{}`", path.display());
            let expected = "those of this very run so far; name another state to begin anew";
            return Err(Error::input(what, "none or others", expected));
        };
        if finished {
            return Ok(());
        }
        self.rows = Some(rows);
        if let Ok(ready) = Adversaries::load(self.beside("ready"), device)
            && ready.attack["met"] == met
            && let Ok(positions) = serde_json::from_value(ready.attack["at"].clone())
        {
            self.ready = Some((positions, ready));
            self.write()?;
        }
        let fooled = self.column("fooled")?.into_iter().map(|byte| byte == 1);
        let distance = numbers(&self.column("distance")?, f64::from_le_bytes);
        let distance = distance.into_iter().map(|d| (!d.is_nan()).then_some(d));
        let loss = numbers(&self.column("loss")?, f32::from_le_bytes);
        let known = Known::all(fooled, distance, loss);
        self.best = (known.into_iter().zip(&whole.images))
            .map(|(known, image)| (image.parts > 0).then_some(known))
            .collect();
        Ok(())
    }

    /// Before the state is saved: makes ready what is better than what the rows have.
    pub fn prepare(
        &mut self,
        whole: &Whole,
        positions: &[usize],
        batch: &Batch,
        found: &Found,
    ) -> Result<()> {
        let known = Known::all(
            found.fooled.iter().copied(),
            found.distance.iter().copied(),
            found.loss.iter().copied(),
        );
        let better = |&index: &usize| known[index].before(self.best[positions[index]].as_ref());
        let better = Vec::from_iter((0..positions.len()).filter(better));
        let at = Vec::from_iter(better.iter().map(|&index| positions[index]));
        for (&index, &at) in better.iter().zip(&at) {
            self.best[at] = Some(known[index]);
        }
        self.ready = None;
        if better.is_empty() {
            return Ok(());
        }
        let rows = Adversaries::with(&found.select(&better), &batch.select(&better), &self.about);
        if self.goes_on_from_files {
            let mut ready = rows.clone();
            ready.attack = json!({"met": met(whole), "at": at});
            ready.save(self.beside("ready"))?;
        }
        self.ready = Some((at, rows));
        Ok(())
    }

    /// Once the state is saved: writes what was made ready to its places.
    pub fn write(&mut self) -> Result<()> {
        let Some((positions, adversaries)) = self.ready.take() else {
            return Ok(());
        };
        let path = self.beside("partial");
        let failed = |source| Error::io(&path, source);
        let Some(rows) = &mut self.rows else {
            let expected = "an unfinished run's";
            return Err(Error::input("adversaries", "a finished run's", expected));
        };
        for column in self.layout.columns() {
            let bytes = adversaries.bytes(column.name)?;
            for (row, &at) in bytes.chunks(column.size).zip(&positions) {
                let start = column.start + (at * column.size) as u64;
                rows.seek(SeekFrom::Start(start)).map_err(failed)?;
                rows.write_all(row).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Gives the file of a finished run its name.
    pub fn finish(self) -> Result<()> {
        if self.rows.is_some() {
            let partial = self.beside("partial");
            fs::rename(&partial, self.path).map_err(|source| Error::io(self.path, source))?;
            // Rows without a run: untidy, no more.
            let _ = fs::remove_file(self.beside("ready"));
        }
        Ok(())
    }

    fn column(&mut self, name: &str) -> Result<Vec<u8>> {
        let column = self.layout.column(name);
        let mut bytes = vec![0; column.size * self.best.len()];
        let rows = self.rows.as_mut().expect("a file of rows");
        rows.seek(SeekFrom::Start(column.start))
            .and_then(|_| rows.read_exact(&mut bytes))
            .map_err(|source| Error::io(self.path, source))?;
        Ok(bytes)
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = OsString::from(self.path);
        name.push(format!(".{ending}"));
        name.into()
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

// How often an image has met a part: tells two states of a run apart.
fn met(whole: &Whole) -> usize {
    whole.images.iter().map(|image| image.parts).sum()
}
