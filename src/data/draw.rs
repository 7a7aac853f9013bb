use super::ImageSet;
use crate::base::{Error, Purpose, Result, Seed};
use std::collections::HashSet;

/// Random subsets.
impl ImageSet {
    /// `count` images drawn without replacement, evenly over the classes (where `count` is no
    /// multiple of their number, the first classes have one more), and interleaved by class.
    ///
    /// With one seed, smaller draws are contained in larger ones.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if a class has too few images.
    pub fn balanced(&self, count: usize, seed: impl Into<Seed>) -> Result<Self> {
        Ok(self.subset(&self.draw_balanced(count, seed.into())?))
    }

    /// The set without `count` images, and those images: a training and a validation set. The
    /// images are drawn as by [`balanced`](Self::balanced); the others keep their order. Of a set that has an
    /// image several times, none of its copies is left where one is drawn.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if a class has too few images.
    pub fn hold_out(&self, count: usize, seed: impl Into<Seed>) -> Result<(Self, Self)> {
        let drawn = self.draw_balanced(count, seed.into())?;
        let drawn = self.subset(&drawn);
        let held_out: HashSet<u64> = drawn.ids().into_iter().collect();
        let rest: Vec<usize> = (0..self.len())
            .filter(|&at| !held_out.contains(&self.id(at)))
            .collect();
        Ok((self.subset(&rest), drawn))
    }

    fn draw_balanced(&self, count: usize, seed: Seed) -> Result<Vec<usize>> {
        let mut positions = vec![Vec::new(); self.classes()];
        for (position, label) in self.labels().into_iter().enumerate() {
            positions[usize::from(label)].push(position);
        }
        let (each, more) = (count / self.classes(), count % self.classes());
        for (class, positions) in positions.iter_mut().enumerate() {
            let wanted = each + usize::from(class < more);
            if positions.len() < wanted {
                return Err(Error::setting(
                    format!("balanced draw from {}: count", self.name()),
                    count,
                    format!(
                        "a count that asks for at most the {} images of class {class}, \
                         not for {wanted}",
                        positions.len()
                    ),
                ));
            }
            // The whole class is shuffled before it is cut, which nests draws of any size.
            seed.draws(Purpose::Subset, class as u64, 0)
                .shuffle(positions);
            positions.truncate(wanted);
        }
        let rounds = each + usize::from(more > 0);
        Ok((0..rounds)
            .flat_map(|round| positions.iter().filter_map(move |p| p.get(round).copied()))
            .collect())
    }
}
