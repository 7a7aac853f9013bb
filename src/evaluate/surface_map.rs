use super::markdown::{cell, table};
use super::{Curve, Difference, Estimand, Level, Outcomes, Point, Profile, Rate, short_level};
use crate::base::statistics::clustered;
use crate::base::{Error, Result, write_atomically};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A classifier measured on a grid of poses and radii, with the volume under it. With feature `report` it
/// draws itself as a heat map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SurfaceMap {
    /// The profile with the surface as its one curve, pose by pose, of each all radii.
    pub profile: Profile,
    /// The poses: levels without their last part.
    pub poses: Vec<Level>,
    /// The radii: their last part.
    pub radii: Vec<f64>,
    /// What lies under the surface.
    pub volume: Volume,
}

/// The mean over a surface, by the trapezoid rule and as a share of its base: as if poses and radii were
/// drawn evenly from it. A surface of the height 1 has the volume 1, whatever its ranges.
///
/// Intervals know that all fields were measured on the same images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Volume {
    /// Of accuracy.
    pub accuracy: Rate,
    /// Of the fooling rate.
    pub fooling: Rate,
    /// Of the fooling rate among images that the classifier gets right as they are; none if it gets none
    /// right.
    pub fooling_of_right: Option<Rate>,
    /// Clean accuracy minus that of accuracy.
    pub gap: Difference,
}

impl SurfaceMap {
    /// The map of an axis whose levels are a grid: [`Surface::axis`](super::Surface::axis),
    /// [`Axis::attacked_poses`](super::Axis::attacked_poses), [`Axis::surface`](super::Axis::surface), or
    /// one of one's own. The last part of a level is the radius.
    ///
    /// What stands before it may be a grid, too (all angles with all shifts), or else grow in its first
    /// part that is not always the same, by which distances between poses are then measured.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if there is no such axis; [`Error::Input`] if its levels are no grid, or if the
    /// profile does not keep the outcomes of single images.
    pub fn of(profile: &Profile, axis: &str) -> Result<Self> {
        let curve = profile.curve(axis)?;
        let (poses, radii, weights) = base(axis, curve.points.iter().map(|point| &point.level))?;
        let volume = volume(profile, curve, &weights)?;
        let mut profile = profile.clone();
        profile.curves.retain(|other| other.axis == axis);
        Ok(Self {
            profile,
            poses,
            radii,
            volume,
        })
    }

    /// The measured fields, pose by pose, of each all radii.
    ///
    /// # Panics
    ///
    /// Panics if a map read from a file has no curve.
    pub fn curve(&self) -> &Curve {
        &self.profile.curves[0]
    }

    /// What was measured at the pose and the radius of these numbers, from 0.
    ///
    /// # Panics
    ///
    /// Panics if there are not so many.
    pub fn field(&self, pose: usize, radius: usize) -> &Point {
        assert!(radius < self.radii.len(), "radius {radius}");
        &self.curve().points[pose * self.radii.len() + radius]
    }
}

impl SurfaceMap {
    /// Tables in Markdown of accuracy and fooling rate, poses down and radii across, under the volumes.
    pub fn to_markdown(&self) -> String {
        let Volume {
            accuracy,
            fooling,
            fooling_of_right,
            gap,
        } = &self.volume;
        let of_right = fooling_of_right.map_or_else(|| "–".to_owned(), |rate| rate.to_string());
        let profile = &self.profile;
        let mut text = format!(
            "## {}\n\nOn the {} images of {}, {}. Means over the surface: accuracy {accuracy}, fooling rate \
             {fooling}, of those right as they are {of_right}, accuracy lost {gap}.\n",
            cell(&profile.name),
            profile.data.images,
            cell(&profile.data.name),
            cell(&self.curve().threat),
        );
        for estimand in [Estimand::Accuracy, Estimand::Fooling] {
            let radii = self
                .radii
                .iter()
                .map(|radius| format!("ε = {}", short_level(*radius)));
            let header = std::iter::once(estimand.to_string()).chain(radii);
            let rows = self.poses.iter().enumerate().map(|(pose, level)| {
                let shares = (0..self.radii.len()).map(|radius| {
                    let point = self.field(pose, radius);
                    match estimand {
                        Estimand::Accuracy => point.accuracy.to_string(),
                        _ => point.fooling.to_string(),
                    }
                });
                std::iter::once(level.to_string()).chain(shares).collect()
            });
            text += &table(&format!("l{}", "r".repeat(self.radii.len())), header, rows);
        }
        text
    }

    /// The fields as CSV, one row for each: the columns of [`Profile::to_csv`].
    pub fn to_csv(&self) -> String {
        self.profile.to_csv()
    }

    /// Writes [`to_csv`](Self::to_csv) to a file, as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], naming the path.
    pub fn write_csv(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomically(path.as_ref(), self.to_csv().as_bytes())
    }
}

/// Poses and radii of an axis whose levels are a grid, and of each level its share of the base.
pub(crate) fn base<'a>(
    axis: &str,
    levels: impl Iterator<Item = &'a Level>,
) -> Result<(Vec<Level>, Vec<f64>, Vec<f64>)> {
    let (poses, radii) = grid(axis, levels)?;
    let weights = weights(&poses, &radii).ok_or_else(|| {
        let found = poses.iter().map(|pose| format!("({pose})"));
        let found = Vec::from_iter(found).join(", ");
        let expected = "a grid, or growing in their first part";
        Error::input(format!("poses of axis `{axis}`"), found, expected)
    })?;
    Ok((poses, radii, weights))
}

// Poses and radii of which the levels are all pairs, in order.
fn grid<'a>(axis: &str, levels: impl Iterator<Item = &'a Level>) -> Result<(Vec<Level>, Vec<f64>)> {
    let split = |level: &Level| {
        let (last, before) = level.parts().split_last().unwrap_or((&0.0, &[]));
        (before.to_vec(), *last)
    };
    let levels = Vec::from_iter(levels.map(split));
    let rows = Vec::from_iter(levels.chunk_by(|(a, _), (b, _)| a == b));
    let radii = |row: &[(Vec<f64>, f64)]| Vec::from_iter(row.iter().map(|(_, radius)| *radius));
    let first = rows.first().map_or_else(Vec::new, |row| radii(row));
    let whole = rows
        .iter()
        .all(|row| radii(row) == first && !row[0].0.is_empty());
    if first.is_empty() || !whole {
        return Err(Error::input(
            format!("levels of axis `{axis}`"),
            format!("{} levels that are no grid", levels.len()),
            "every pose with every radius",
        ));
    }
    let poses = rows.iter().map(|row| Level::of_parts(&row[0].0));
    Ok((poses.collect(), first))
}

// Of each field its share of the base, pose by pose.
fn weights(poses: &[Level], radii: &[f64]) -> Option<Vec<f64>> {
    let parts = poses[0].parts().len();
    let values = |part: usize| {
        let mut values = Vec::from_iter(poses.iter().map(|pose| pose.parts()[part]));
        values.sort_by(f64::total_cmp);
        values.dedup();
        values
    };
    let axes = Vec::from_iter((0..parts).map(values));
    let of_poses: Vec<f64> = if axes.iter().map(Vec::len).product::<usize>() == poses.len() {
        // Lexicographic order is that of the product.
        axes.iter()
            .fold(vec![1.0], |before, axis| product(&before, &trapezoid(axis)))
    } else {
        let moving = (0..parts).find(|&part| axes[part].len() > 1)?;
        let along = Vec::from_iter(poses.iter().map(|pose| pose.parts()[moving]));
        if !along.array_windows().all(|[a, b]| a < b) {
            return None;
        }
        trapezoid(&along)
    };
    Some(product(&of_poses, &trapezoid(radii)))
}

fn product(first: &[f64], second: &[f64]) -> Vec<f64> {
    let row = |a: &f64| Vec::from_iter(second.iter().map(|b| a * b));
    first.iter().flat_map(row).collect()
}

// The weights of the trapezoid rule at growing places; they add up to 1.
fn trapezoid(places: &[f64]) -> Vec<f64> {
    let [first, .., last] = places else {
        return vec![1.0; places.len()];
    };
    let mut weights = vec![0.0; places.len()];
    for (at, [a, b]) in places.array_windows().enumerate() {
        let half = (b - a) / (last - first) / 2.0;
        weights[at] += half;
        weights[at + 1] += half;
    }
    weights
}

fn volume(profile: &Profile, curve: &Curve, weights: &[f64]) -> Result<Volume> {
    let images = profile.data.images;
    let kept = |outcomes: &Option<Outcomes>, draws: usize| {
        match outcomes {
            Some(outcomes) if outcomes.len() == images * draws => Ok(outcomes.iter()),
            _ => Err(Error::input(
                format!("profile `{}`", profile.name),
                "no outcomes of single images",
                "those of an `Evaluation` that keeps outcomes",
            )),
        }
        .map(Vec::from_iter)
    };
    let right = kept(&profile.clean_correct, 1)?;
    let mut sums = [vec![0.0; images], vec![0.0; images]];
    let mut draws = 0;
    for (point, weight) in curve.points.iter().zip(weights) {
        draws += point.draws;
        for (sums, outcomes) in sums.iter_mut().zip([&point.correct, &point.fooled]) {
            let flags = kept(outcomes, point.draws)?;
            for (sum, flags) in sums.iter_mut().zip(flags.chunks(point.draws)) {
                let count = flags.iter().filter(|&&flag| flag).count();
                *sum += weight * count as f64 / point.draws as f64;
            }
        }
    }
    // The weights add up to 1 but for rounding.
    let [accuracy, fooling] =
        sums.map(|sums| Vec::from_iter(sums.into_iter().map(|sum: f64| sum.clamp(0.0, 1.0))));
    let rate = |per_image: &[f64]| Rate {
        value: per_image.iter().sum::<f64>() / per_image.len() as f64,
        // An image's mean is worth one outcome at least, and no more than there are.
        interval: clustered(per_image, draws),
        count: per_image.len(),
    };
    let of_right = fooling.iter().zip(&right).filter(|(_, right)| **right);
    let of_right = Vec::from_iter(of_right.map(|(share, _)| *share));
    let lost = right.iter().zip(&accuracy);
    let lost = lost.map(|(&right, correct)| f64::from(u8::from(right)) - correct);
    Ok(Volume {
        accuracy: rate(&accuracy),
        fooling: rate(&fooling),
        fooling_of_right: (!of_right.is_empty()).then(|| rate(&of_right)),
        gap: Difference::of(&Vec::from_iter(lost)),
    })
}
