use super::{Cosine, Curriculum, Reversed, ScheduleSpec};

/// Ablations: what a curriculum is compared with. Each changes what it says and nothing else.
///
/// The learning rate stays what it is in each, so that the budgets are all that differs;
/// [`uncoupled`](Self::uncoupled), of the curriculum and of each ablation, is the other half of the
/// comparison, in which it does not fall where the budgets rise.
impl Curriculum {
    /// No curriculum: rotation, shift and attack of the last epoch from the first epoch on.
    pub fn fixed(&self) -> Self {
        self.fixed_pose().fixed_epsilon()
    }

    /// ε-curriculum at fixed pose: rotation and shift of the last epoch from the first epoch on, the
    /// attack as it was.
    pub fn fixed_pose(&self) -> Self {
        Self {
            angle: self.last(&self.angle),
            shift: self.last(&self.shift),
            ..self.clone()
        }
    }

    /// Pose-curriculum at fixed ε: the attack of the last epoch from the first epoch on, rotation and
    /// shift as they were.
    pub fn fixed_epsilon(&self) -> Self {
        Self {
            epsilon: self.last(&self.epsilon),
            steps: self.last(&self.steps),
            step_size: self.step_size.map(|schedule| self.last(schedule)),
            ..self.clone()
        }
    }

    /// The hardest first: rotation, shift and attack from their end to their beginning, each for as
    /// many epochs.
    pub fn reversed(&self) -> Self {
        let backwards = |schedule: &ScheduleSpec| match schedule.name().as_str() {
            "constant" => schedule.clone(),
            _ => Reversed::new(schedule.clone()).into(),
        };
        Self {
            learning_rate: self.learning_rate.clone(),
            ..self.map(self.epochs, backwards)
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

    /// Without the coupled learning rate: along a [`Cosine`] from its first to its last value, in place
    /// of steps at the epochs at which the budgets rise.
    pub fn uncoupled(&self) -> Self {
        let at = |epoch| self.learning_rate.at(epoch, self.epochs);
        self.clone()
            .with_learning_rate(Cosine::new(at(1), at(self.epochs)))
    }

    /// The curriculum and its ablations, by name.
    ///
    /// ```
    /// use fireproof::curriculum::Curriculum;
    ///
    /// for (name, curriculum) in Curriculum::cusp_mnist().ablations() {
    ///     println!("{name}\n\n{curriculum}");
    ///     curriculum.uncoupled().check()?;
    /// }
    /// # Ok::<(), fireproof::base::Error>(())
    /// ```
    pub fn ablations(&self) -> Vec<(&'static str, Self)> {
        vec![
            ("curriculum", self.clone()),
            ("no curriculum", self.fixed()),
            ("pose only", self.pose_only()),
            ("pixels only", self.pixels_only()),
            ("reversed", self.reversed()),
            ("ε-curriculum at fixed pose", self.fixed_pose()),
            ("pose-curriculum at fixed ε", self.fixed_epsilon()),
            ("neither", self.natural()),
        ]
    }

    // A schedule's last value.
    fn last(&self, schedule: &ScheduleSpec) -> ScheduleSpec {
        schedule.at(self.epochs, self.epochs).into()
    }
}
