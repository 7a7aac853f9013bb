use derive_more::Display;

/// A motion of the plane that keeps the origin: quarter turns, then perhaps a mirror.
#[derive(Clone, Copy, Debug, Default, Display, PartialEq, Eq, Hash)]
#[display("{}°{}", 90 * turns, if *mirrored { " mirrored" } else { "" })]
pub struct Element {
    mirrored: bool,
    turns: usize,
}

impl Element {
    /// The element that changes nothing.
    pub const IDENTITY: Self = Self {
        mirrored: false,
        turns: 0,
    };

    /// The element that turns by `turns` quarter turns counter-clockwise as displayed, and then,
    /// if `mirrored`, reverses the order of the rows.
    pub fn new(mirrored: bool, turns: usize) -> Self {
        Self {
            mirrored,
            turns: turns % 4,
        }
    }

    /// The element of this index.
    ///
    /// # Panics
    ///
    /// Panics unless the index is below 8.
    pub fn from_index(index: usize) -> Self {
        assert!(index < 8, "element {index}: p4m has only 8");
        Self::new(index >= 4, index)
    }

    /// 4m + r: its place on the group axis of features and weights.
    pub fn index(self) -> usize {
        4 * usize::from(self.mirrored) + self.turns
    }

    /// Whether the order of the rows is reversed after turning.
    pub fn is_mirrored(self) -> bool {
        self.mirrored
    }

    /// Quarter turns, 0 to 3, counter-clockwise as displayed.
    pub fn turns(self) -> usize {
        self.turns
    }

    /// The motion `other` followed by this one.
    pub fn product(self, other: Self) -> Self {
        // R M = M R⁻¹: moving a turn past a mirror reverses it.
        let turns = if other.mirrored {
            4 - self.turns
        } else {
            self.turns
        };
        Self::new(self.mirrored != other.mirrored, turns + other.turns)
    }

    /// The motion that undoes this one.
    pub fn inverse(self) -> Self {
        if self.mirrored {
            self
        } else {
            Self::new(false, 4 - self.turns)
        }
    }

    /// The size of a moved image, `[height, width]`.
    pub fn moved_size(self, [height, width]: [usize; 2]) -> [usize; 2] {
        if self.turns.is_multiple_of(2) {
            [height, width]
        } else {
            [width, height]
        }
    }

    /// The `[row, column]` of the original `side`×`side` image that `[row, column]` of the moved
    /// one shows.
    pub fn source(self, side: usize, [row, column]: [usize; 2]) -> [usize; 2] {
        let last = side - 1;
        let row = if self.mirrored { last - row } else { row };
        match self.turns {
            0 => [row, column],
            1 => [column, last - row],
            2 => [last - row, last - column],
            _ => [last - column, row],
        }
    }
}
