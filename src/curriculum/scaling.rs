use super::{Curriculum, ScheduleSpec};

impl Curriculum {
    /// The same curriculum in `epochs` epochs.
    ///
    /// Milestones move in proportion, to the nearest epoch, all schedules together: what switched
    /// in one epoch still does. Every stage between milestones keeps at least one epoch; where
    /// there are more stages than epochs, the longest stages remain, with one epoch each. Ramps
    /// are stretched in proportion. Milestones at fractions become milestones at epochs. With as
    /// many epochs as before nothing changes at all.
    ///
    /// No epoch at all is refused by [`check`](Self::check).
    ///
    /// ```
    /// use fireproof::curriculum::Curriculum;
    ///
    /// let cusp = Curriculum::cusp_cifar10(); // stages begin at epochs 1, 75, 90 and 100 of 120
    /// let epochs: Vec<_> = cusp.scaled_to(12).stages().into_iter().map(|s| s.0).collect();
    /// assert_eq!(epochs, [1..=7, 8..=9, 10..=10, 11..=12]);
    /// ```
    pub fn scaled_to(&self, epochs: usize) -> Self {
        if epochs == self.epochs {
            return self.clone();
        }
        let scaling = Scaling {
            old: self.epochs,
            new: epochs,
            starts: fit(&self.starts(), self.epochs, epochs),
        };
        self.map(epochs, |schedule| {
            schedule
                .scaled(&scaling)
                .unwrap_or_else(|| schedule.clone())
        })
    }

    /// The first epoch, and those at which a schedule switches.
    fn starts(&self) -> Vec<usize> {
        let switches = |(_, schedule): (_, &ScheduleSpec)| schedule.switches(self.epochs);
        let mut starts = vec![1];
        starts.extend(self.schedules().into_iter().flat_map(switches));
        starts.sort_unstable();
        starts.dedup();
        starts
    }
}

/// How a curriculum is carried over to another number of epochs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scaling {
    /// The number of epochs before.
    pub old: usize,
    /// The number of epochs wanted.
    pub new: usize,
    /// The old and new first epoch of every stage that remains, in order.
    pub starts: Vec<(usize, usize)>,
}

impl Scaling {
    /// This many of the old epochs as a number of new ones, to the nearest whole one.
    pub fn epochs(&self, count: usize) -> usize {
        nearest(count, self.old, self.new)
    }

    /// The same for a schedule that is seen from the end: of each stage an epoch that was in it, and the
    /// first one that will be.
    pub(super) fn mirrored(&self) -> Self {
        let ends = self.starts.iter().skip(1).map(|&(_, next)| next - 1);
        let stages = self.starts.iter().zip(ends.chain([self.new]));
        let starts = stages.map(|(&(old, _), end)| (self.old + 1 - old, self.new + 1 - end));
        let mut starts: Vec<_> = starts.collect();
        starts.reverse();
        Self { starts, ..*self }
    }
}

/// `count` of `old` epochs as a number of `new` epochs, to the nearest whole one.
fn nearest(count: usize, old: usize, new: usize) -> usize {
    ((2 * count as u128 * new as u128 + old as u128) / (2 * old.max(1) as u128)) as usize
}

/// Old and new first epochs of the stages that remain.
fn fit(starts: &[usize], old: usize, new: usize) -> Vec<(usize, usize)> {
    let stages = starts.len();
    if stages > new {
        let length = |i: usize| starts.get(i + 1).map_or(old + 1, |&next| next) - starts[i];
        let mut longest: Vec<usize> = (0..stages).collect();
        longest.sort_by_key(|&i| std::cmp::Reverse(length(i)));
        longest.truncate(new);
        longest.sort_unstable();
        return longest.into_iter().map(|i| starts[i]).zip(1..).collect();
    }
    let mut fitted: Vec<(usize, usize)> = Vec::with_capacity(stages);
    for (index, &start) in starts.iter().enumerate() {
        let after_previous = fitted.last().map_or(1, |&(_, previous)| previous + 1);
        let room_for_the_rest = new + 1 - (stages - index);
        let at = (nearest(start - 1, old, new) + 1).max(after_previous);
        fitted.push((start, at.min(room_for_the_rest)));
    }
    fitted
}
