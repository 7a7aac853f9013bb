/// Which part of an image a square covers, from the first to the last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    /// The part at first.
    pub first: f64,
    /// Over how many squares the part shrinks, if other than [`SQUARES`].
    pub length: Option<usize>,
}

/// The number of squares that the published schedule is for.
const SQUARES: usize = 10_000;

/// The squares, counted from 0, after which the part is halved.
const HALVINGS: [usize; 9] = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];

impl Schedule {
    /// The part that the square of this number covers, counted from 0.
    pub fn part(&self, square: usize) -> f64 {
        let square = match self.length {
            None => square,
            Some(length) => square * SQUARES / length,
        };
        let halvings = HALVINGS.iter().filter(|&&at| square > at).count();
        self.first / f64::from(1 << halvings)
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;

    #[test]
    fn value_schedule_as_published() {
        let schedule = |length| Schedule { first: 0.8, length };
        for (square, part) in [
            (0, 0.8),
            (10, 0.8),
            (11, 0.4),
            (50, 0.4),
            (51, 0.2),
            (201, 0.1),
            (501, 0.05),
            (1001, 0.025),
            (2001, 0.0125),
            (4000, 0.0125),
            (4999, 0.00625),
            (6001, 0.003125),
            (8001, 0.0015625),
            (20_000, 0.0015625),
        ] {
            assert_eq!(schedule(None).part(square), part, "{square}");
        }
        // For 1,000 squares the first halving is after the first one.
        for (square, part) in [
            (0, 0.8),
            (1, 0.8),
            (2, 0.4),
            (5, 0.4),
            (6, 0.2),
            (999, 0.0015625),
        ] {
            assert_eq!(schedule(Some(1000)).part(square), part, "{square}");
        }
    }
}
