//! Which pixels an output of a convolution looks at.

/// A square of taps, the same along both axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Taps along an axis.
    pub side: usize,
    /// Pixels from one output's window to the next one's.
    pub stride: usize,
    /// Pixels from one tap to the next.
    pub dilation: usize,
    /// Zeros around the image.
    pub padding: usize,
}

/// What each field may be at most.
pub const MOST: usize = 8;

impl Window {
    /// 3×3 neighbours, with this many zeros around the image.
    pub const fn three(padding: usize) -> Self {
        Self {
            side: 3,
            stride: 1,
            dilation: 1,
            padding,
        }
    }

    /// Whether the kernels know it.
    pub fn is_known(self) -> bool {
        let steps = [self.side, self.stride, self.dilation];
        steps.iter().all(|step| (1..=MOST).contains(step)) && self.padding <= MOST
    }

    /// Whether Winograd's transforms know it.
    pub fn is_three(self) -> bool {
        self == Self::three(self.padding) && self.padding <= 2
    }

    /// Number of taps.
    pub fn taps(self) -> usize {
        self.side * self.side
    }

    /// Pixels from the first tap to the last one.
    pub fn extent(self) -> usize {
        self.dilation * (self.side - 1) + 1
    }

    /// The side of the output for this side of an image, or `None` if the window does not fit.
    pub fn output(self, side: usize) -> Option<usize> {
        let room = side.checked_add(2 * self.padding)?;
        Some(room.checked_sub(self.extent())? / self.stride + 1)
    }
}
