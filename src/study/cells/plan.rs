use super::cell::Cell;
use super::shard::Shard;
use super::work::Work;
use crate::attack::Cost;
use crate::base::Result;
use std::time::Duration;

/// A cell as a plan shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The cell.
    pub cell: Cell,
    /// Whether its result is there.
    pub done: bool,
    /// How long it took, or will take by what others took; nothing as long as none is done.
    pub time: Option<Duration>,
}

/// How long the cells of a study take, by those that are done.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    // Network, training, passes and seconds.
    done: Vec<(String, String, f64, f64)>,
}

impl Pace {
    pub fn add(&mut self, cell: &Cell, passes: f64, seconds: f64) {
        let names = (cell.network.clone(), cell.training.clone());
        self.done.push((names.0, names.1, passes, seconds));
    }

    /// By cells of the same network and training if there are any, else by those of the same network, else by
    /// all.
    pub fn of(&self, cell: &Cell, passes: f64) -> Option<Duration> {
        let alike = |strict: usize| {
            let alike = self.done.iter().filter(move |(network, training, ..)| {
                (strict < 1 || *network == cell.network)
                    && (strict < 2 || *training == cell.training)
            });
            let sums = alike.fold((0.0, 0.0), |(p, s), (.., passes, seconds)| {
                (p + passes, s + seconds)
            });
            (sums.0 > 0.0).then_some(sums.1 / sums.0)
        };
        let pace = alike(2).or_else(|| alike(1)).or_else(|| alike(0))?;
        Some(Duration::from_secs_f64(pace * passes))
    }
}

impl Work {
    /// All cells in their order, with what is known of their times.
    ///
    /// # Errors
    ///
    /// [`Error::Input`](crate::base::Error::Input) for a file of times that is none.
    pub fn plan(&self) -> Result<Vec<Planned>> {
        let (pace, done) = self.pace()?;
        let planned = self.cells().iter().zip(done).map(|(cell, took)| Planned {
            cell: cell.clone(),
            done: self.folder.has_cell(&cell.address),
            time: took.or_else(|| pace.of(cell, self.passes(cell))),
        });
        Ok(planned.collect())
    }

    /// The pace, and what the cells that are done took.
    pub(super) fn pace(&self) -> Result<(Pace, Vec<Option<Duration>>)> {
        let (mut pace, mut took) = (Pace::default(), Vec::new());
        for cell in self.cells() {
            // A damaged file of times is none.
            let times = self.folder.times(&cell.address).ok().flatten();
            let times = times.filter(|_| self.folder.has_cell(&cell.address));
            let seconds = times
                .map(|times| times.total())
                .filter(|seconds| *seconds > 0.0);
            if let Some(seconds) = seconds {
                pace.add(cell, self.passes(cell), seconds);
            }
            took.push(seconds.map(Duration::from_secs_f64));
        }
        Ok((pace, took))
    }

    /// About how long the cells of a share that are not done will take.
    pub(super) fn left(&self, pace: &Pace, share: Shard) -> Option<Duration> {
        let cells = self.cells().iter().enumerate();
        let open =
            cells.filter(|(at, cell)| share.has(*at) && !self.folder.has_cell(&cell.address));
        open.map(|(_, cell)| pace.of(cell, self.passes(cell))).sum()
    }

    /// Forward passes that a cell takes, about, a backward pass counted as two.
    pub(super) fn passes(&self, cell: &Cell) -> f64 {
        let (_, training) = self.study.plans(cell).expect("a cell of this study");
        let mut passes = 0.0;
        if let Some(curriculum) = &training.curriculum {
            for epoch in 1..=curriculum.epochs() {
                let stage = curriculum.stage(epoch);
                let attacked = training
                    .objective
                    .as_ref()
                    .is_some_and(|o| o.name() != "natural");
                let steps = if attacked && stage.epsilon > 0.0 {
                    stage.steps
                } else {
                    0
                };
                passes += 3.0 * (1 + steps) as f64 * self.train_images() as f64;
            }
        }
        for (at, _) in &cell.measurements {
            let axes = &self.study.measurements[*at].axes;
            let each = axes.iter().flat_map(|axis| {
                let threat = &axis.threat;
                let levels = axis.levels.iter().filter(|level| !threat.is_clean(level));
                levels.map(|level| {
                    let Cost { queries, gradients } = threat.cost(level);
                    (threat.draws() * (queries + 2 * gradients)) as f64
                })
            });
            passes += (1.0 + each.sum::<f64>()) * self.test_images(*at) as f64;
        }
        passes
    }
}
