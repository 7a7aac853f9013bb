use super::{Curriculum, Milestone, Schedule, When};

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
        let scale = Scale {
            old: self.epochs,
            new: epochs,
            starts: fit(&self.milestone_starts(), self.epochs, epochs),
        };
        Self {
            epochs,
            angle: scale.apply(&self.angle),
            shift: scale.apply(&self.shift),
            epsilon: scale.apply(&self.epsilon),
            steps: scale.apply(&self.steps),
            step_size: self.step_size.map(|schedule| scale.apply(schedule)),
            learning_rate: scale.apply(&self.learning_rate),
        }
    }

    /// Epochs at which a milestone changes something, and the first one.
    fn milestone_starts(&self) -> Vec<usize> {
        let mut starts = vec![1];
        for schedule in [
            &self.angle,
            &self.shift,
            &self.epsilon,
            &self.steps,
            self.step_size.value(),
            &self.learning_rate,
        ] {
            if let Schedule::Milestones(milestones) = schedule {
                let value = |epoch| schedule.at(epoch, self.epochs);
                starts.extend(
                    milestones
                        .iter()
                        .map(|milestone| milestone.from.start(self.epochs))
                        .filter(|&at| {
                            (2..=self.epochs).contains(&at) && value(at) != value(at - 1)
                        }),
                );
            }
        }
        starts.sort_unstable();
        starts.dedup();
        starts
    }
}

struct Scale {
    old: usize,
    new: usize,
    /// Old and new first epoch of every stage that remains.
    starts: Vec<(usize, usize)>,
}

impl Scale {
    fn apply(&self, schedule: &Schedule) -> Schedule {
        match schedule {
            Schedule::Constant(_) => schedule.clone(),
            Schedule::Milestones(milestones) if self.starts.is_empty() || milestones.is_empty() => {
                schedule.clone()
            }
            Schedule::Milestones(_) => {
                let mut scaled: Vec<Milestone> = Vec::new();
                for &(old, new) in &self.starts {
                    let value = schedule.at(old, self.old);
                    if scaled.last().is_none_or(|last| last.value != value) {
                        let from = When::Epoch(new);
                        scaled.push(Milestone { from, value });
                    }
                }
                Schedule::Milestones(scaled)
            }
            Schedule::Linear {
                from,
                to,
                first,
                last,
            } => {
                let (first, last) = self.ramp(*first, *last);
                Schedule::Linear {
                    from: *from,
                    to: *to,
                    first,
                    last,
                }
            }
        }
    }

    // Fractions scale by themselves.
    fn ramp(&self, first: When, last: When) -> (When, When) {
        let begin = match first {
            When::Epoch(epoch) => {
                let before = nearest(epoch.saturating_sub(1), self.old, self.new);
                When::Epoch((before + 1).min(self.new))
            }
            fraction => fraction,
        };
        let end = match last {
            When::Epoch(epoch) => {
                let end = nearest(epoch, self.old, self.new);
                When::Epoch(end.max(begin.start(self.new)).min(self.new))
            }
            fraction => fraction,
        };
        (begin, end)
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
