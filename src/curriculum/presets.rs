use super::{Curriculum, Milestones, ScheduleSpec};

// First epochs of the published stages. The budgets have two switches, the learning rate three.
const EPOCHS: usize = 120;
const SECOND: usize = 75;
const THIRD: usize = 90;
const LAST_RATE: usize = 100;

fn budget(values: [f64; 3]) -> Milestones {
    Milestones::new([1, SECOND, THIRD].into_iter().zip(values))
}

fn rate(values: [f64; 4]) -> Milestones {
    Milestones::new([1, SECOND, THIRD, LAST_RATE].into_iter().zip(values))
}

/// Presets: the published curriculum, and its counterparts for comparison.
impl Curriculum {
    /// CuSP as published for CIFAR-10 (Kamath et al., NeurIPS 2021; the PGD variant of its code).
    ///
    /// | epochs | rotation | ε | attack | learning rate |
    /// |---|---|---|---|---|
    /// | 1–74 | ±120° | 2/255 | 10 steps of 2/255 | 0.1 |
    /// | 75–89 | ±150° | 4/255 | 10 steps of 2/255 | 0.01 |
    /// | 90–99 | ±180° | 8/255 | 10 steps of 2/255 | 0.001 |
    /// | 100–120 | ±180° | 8/255 | 10 steps of 2/255 | 0.0001 |
    ///
    /// Published with SGD (momentum 0.9, weight decay 5e-4) in batches of 128, on randomly cropped
    /// and flipped images.
    pub fn cusp_cifar10() -> Self {
        Self::new(EPOCHS)
            .with_angle(budget([120.0, 150.0, 180.0]))
            .with_epsilon(budget([2.0 / 255.0, 4.0 / 255.0, 8.0 / 255.0]))
            .with_steps(10)
            .with_step_size(2.0 / 255.0)
            .with_learning_rate(rate([0.1, 0.01, 0.001, 0.0001]))
    }

    /// CuSP carried over to MNIST. **Ours, not published**: no MNIST schedule of the paper could
    /// be found.
    ///
    /// Rotations and epochs as in [`cusp_cifar10`](Self::cusp_cifar10); ε is 0.1, 0.2 and 0.3, by
    /// 10 steps of 2.5·ε/10; the learning rate starts at 0.01, as in the published MNIST trainings that
    /// the paper builds on, and falls tenfold at the same epochs. To be shortened with
    /// [`scaled_to`](Self::scaled_to).
    pub fn cusp_mnist() -> Self {
        Self::new(EPOCHS)
            .with_angle(budget([120.0, 150.0, 180.0]))
            .with_epsilon(budget([0.1, 0.2, 0.3]))
            .with_steps(10)
            .with_relative_step_size(2.5)
            .with_learning_rate(rate([0.01, 0.001, 0.0001, 0.00001]))
    }

    /// [`cusp_cifar10`](Self::cusp_cifar10) with shifts of ±1, ±2 and ±3 pixels in place of
    /// rotations. **Ours, not published.**
    pub fn cusp_cifar10_shifts() -> Self {
        Self::cusp_cifar10().shifts_for_rotations()
    }

    /// [`cusp_mnist`](Self::cusp_mnist) with shifts of ±1, ±2 and ±3 pixels in place of
    /// rotations. **Ours, not published.**
    pub fn cusp_mnist_shifts() -> Self {
        Self::cusp_mnist().shifts_for_rotations()
    }

    fn shifts_for_rotations(self) -> Self {
        self.with_angle(0.0).with_shift(budget([1.0, 2.0, 3.0]))
    }

    /// No curriculum: rotation, shift and attack of the last epoch from the first epoch on. The
    /// learning rate keeps its schedule, so that the curriculum is all that differs.
    pub fn fixed(&self) -> Self {
        let last = |schedule: &ScheduleSpec| schedule.at(self.epochs, self.epochs).into();
        Self {
            learning_rate: self.learning_rate.clone(),
            ..self.map(self.epochs, last)
        }
    }

    /// Only the rotations and shifts: ε is 0 throughout.
    pub fn pose_only(&self) -> Self {
        self.clone().with_epsilon(0.0)
    }

    /// Only the attack: no rotation, no shift.
    pub fn pixels_only(&self) -> Self {
        self.clone().with_angle(0.0).with_shift(0.0)
    }

    /// Neither: natural training with the same epochs and learning rates.
    pub fn natural(&self) -> Self {
        self.pose_only().pixels_only()
    }
}
