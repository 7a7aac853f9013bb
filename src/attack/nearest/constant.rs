/// An image's c, and between which it is looked for.
#[derive(Clone, Copy)]
pub(super) struct Constant {
    pub value: f64,
    low: f64,
    high: Option<f64>,
}

impl Constant {
    pub fn first(value: f64) -> Self {
        let (low, high) = (0.0, None);
        Self { value, low, high }
    }

    pub fn go_on(&mut self, fooled: bool) {
        match fooled {
            true => self.high = Some(self.value),
            false => self.low = self.value,
        }
        self.value = match self.high {
            Some(high) => (self.low + high) / 2.0,
            // No number is larger in f32 with certainty.
            None => (self.value * 10.0).min(1e30),
        };
    }
}
