use super::cell::Cell;
use super::make::{Made, Step};
use super::result::{CellResult, CellTimes};
use super::shard::Shard;
use super::work::Work;
use crate::base::{Error, Result};
use std::time::Duration;

/// What happens while a study goes through its cells.
#[derive(Debug)]
pub enum Event<'a> {
    /// It is at a cell.
    At(&'a Cell, Step<'a>),
    /// It has made one.
    Done {
        /// The cell.
        cell: &'a Cell,
        /// Its result.
        result: &'a CellResult,
        /// How long it took.
        times: &'a CellTimes,
        /// About how long those will take that are left.
        left: Option<Duration>,
    },
    /// Another process is at it.
    Elsewhere(&'a Cell),
    /// It failed; the others go on.
    Failed(&'a Cell, &'a Error),
}

/// What became of a study's cells.
#[derive(Debug, Default)]
pub struct Tally {
    /// How many were made now.
    pub now: usize,
    /// How many were there already.
    pub before: usize,
    /// How many another process was still at.
    pub elsewhere: usize,
    /// Those that failed, by name and reason.
    pub failed: Vec<(String, Error)>,
}

impl Work {
    /// Goes through the cells of a share in their order and makes those that are not there. What another process
    /// is at is passed over, and looked at again in the end: it may have been killed.
    ///
    /// A cell that fails, for instance because its training diverges, does not stop the others.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] and [`Error::Input`] for files of times that cannot be read.
    pub fn run(&self, share: Shard, mut tell: impl FnMut(Event)) -> Result<Tally> {
        let (mut pace, _) = self.pace()?;
        let mut tally = Tally::default();
        let all = self
            .cells()
            .iter()
            .enumerate()
            .filter(|(at, _)| share.has(*at));
        let mut open = Vec::from_iter(all.map(|(_, cell)| cell));
        loop {
            let mut passed_over = Vec::new();
            let mut made = 0;
            for cell in open {
                match self.run_cell(cell, |step| tell(Event::At(cell, step))) {
                    Ok(Made::Now(result, times)) => {
                        pace.add(cell, self.passes(cell), times.total());
                        made += 1;
                        let left = self.left(&pace, share);
                        let (result, times) = (&result, &times);
                        tell(Event::Done {
                            cell,
                            result,
                            times,
                            left,
                        });
                    }
                    Ok(Made::Before(_)) => tally.before += 1,
                    Ok(Made::Elsewhere) => {
                        tell(Event::Elsewhere(cell));
                        passed_over.push(cell);
                    }
                    Err(error) => {
                        tell(Event::Failed(cell, &error));
                        tally.failed.push((cell.to_string(), error));
                    }
                }
            }
            tally.now += made;
            if passed_over.is_empty() || made == 0 {
                tally.elsewhere = passed_over.len();
                return Ok(tally);
            }
            open = passed_over;
        }
    }
}
