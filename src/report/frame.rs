/// A coordinate system on the page.
pub(super) struct Frame {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
    pub x: (f64, f64),
    pub y: (f64, f64),
    pub x_ticks: Vec<f64>,
    pub y_ticks: Vec<f64>,
}

impl Frame {
    pub fn new(
        (left, top): (f64, f64),
        (width, height): (f64, f64),
        x_ticks: Vec<f64>,
        y_ticks: Vec<f64>,
    ) -> Self {
        let span = |ticks: &[f64]| match ticks {
            [] => (0.0, 1.0),
            [only] => (only - 1.0, only + 1.0),
            [low, .., high] => (*low, *high),
        };
        Self {
            left,
            top,
            width,
            height,
            x: span(&x_ticks),
            y: span(&y_ticks),
            x_ticks,
            y_ticks,
        }
    }

    pub fn place(&self, x: f64, y: f64) -> (f64, f64) {
        // Markers at the ends stay clear of the axes.
        let inset = 12.0;
        let part = |value, (low, high): (f64, f64)| (value - low) / (high - low);
        (
            self.left + inset + (self.width - 2.0 * inset) * part(x, self.x),
            self.top + self.height - self.height * part(y, self.y),
        )
    }
}

/// Round numbers from `low` to `high`: multiples of the first of these steps, growing, that leaves at most
/// seven, or of 1, 2 or 5 times a power of ten.
pub(super) fn round_ticks(low: f64, high: f64, steps: &[f64]) -> Vec<f64> {
    let few = |step: &f64| (high - low) / step <= 6.0;
    let magnitude = 10f64.powf(((high - low) / 5.0).log10().floor());
    let usual = [1.0, 2.0, 5.0, 10.0].map(|step| step * magnitude);
    let step = steps.iter().copied().chain(usual).find(few);
    let Some(step) = step.filter(|step| step.is_normal()) else {
        return vec![low];
    };
    let within = 1e-9 * step;
    let first = ((low - within) / step).ceil() as i64;
    let last = ((high + within) / step).floor() as i64;
    (first..=last).map(|k| k as f64 * step).collect()
}

/// Round numbers from the lowest of these intervals, or 0, to what none is above.
pub(super) fn rising_ticks(intervals: impl Iterator<Item = (f64, f64)>) -> Vec<f64> {
    let (low, high) = intervals.fold((0.0_f64, 0.0_f64), |(low, high), interval| {
        (low.min(interval.0), high.max(interval.1))
    });
    let mut ticks = round_ticks(low, high, &[]);
    // One more above where the intervals go on.
    let step = match ticks[..] {
        [first, second, ..] => second - first,
        _ => return vec![0.0, high.max(1.0)],
    };
    if ticks[ticks.len() - 1] < high {
        ticks.push(ticks[ticks.len() - 1] + step);
    }
    ticks
}

/// Round percentages around these intervals: at most 100, about five steps.
pub(super) fn percent_ticks(intervals: impl Iterator<Item = (f64, f64)>) -> Vec<f64> {
    let (low, high) = intervals.fold((f64::MAX, f64::MIN), |(low, high), interval| {
        (low.min(interval.0), high.max(interval.1))
    });
    if low > high {
        return vec![0.0, 100.0];
    }
    let step = [2.0, 5.0, 10.0, 20.0]
        .into_iter()
        .find(|step| (high - low) / step <= 6.0)
        .unwrap_or(20.0);
    let first = (low / step).floor().max(0.0) as u32;
    let last = ((high / step).ceil() as u32).max(first + 1);
    (first..=last).map(|k| f64::from(k) * step).collect()
}
