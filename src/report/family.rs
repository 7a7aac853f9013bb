use super::canvas::Look;
use super::course::Course;
use super::curve::{Curve, Point};
use super::key::Key;
use super::panel::said;
use super::trainings::distinct;
use super::{Figure, Panel};
use crate::base::{Error, Result};
use crate::evaluate::{At, Entry, Estimand, Level, Profile};

/// Networks trained at growing levels, as the paper's figures show them: the colour of a curve is the level
/// that was trained at, on a scale from dark to light, its line and marker the network.
///
/// ```
/// use fireproof::evaluate::{Estimand, Profile};
/// use fireproof::report::Family;
///
/// /// Fooling rates against the test angle and against ε, a curve for each training angle.
/// fn type_a(trained: &[(&str, f64, Profile)]) -> fireproof::base::Result<String> {
///     let mut family = Family::new("trained with rotations up to", "±{}°");
///     for (network, angle, profile) in trained {
///         family = family.with(*network, *angle, profile);
///     }
///     let figure = family.figure("MNIST", Estimand::Fooling, &["angles", "epsilons"])?;
///     figure.to_svg()
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Family<'a> {
    training: String,
    label: String,
    members: Vec<Member<'a>>,
}

#[derive(Clone, Debug)]
struct Member<'a> {
    network: String,
    level: Level,
    profile: &'a Profile,
}

impl<'a> Family<'a> {
    /// A family without members. What the levels of training are, as above a legend, and one of them as
    /// short text with `{}` for each of its parts.
    pub fn new(training: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            training: training.into(),
            label: label.into(),
            members: Vec::new(),
        }
    }

    /// With a network trained at this level, and what was measured of it. Several of one network and level
    /// are trainings of different seeds.
    pub fn with(
        mut self,
        network: impl Into<String>,
        level: impl Into<Level>,
        profile: &'a Profile,
    ) -> Self {
        self.members.push(Member {
            network: network.into(),
            level: level.into(),
            profile,
        });
        self
    }

    /// With classifiers of a report: of each that has one by this function, its network and its level.
    ///
    /// ```
    /// use fireproof::evaluate::{Entry, Level, Report};
    /// use fireproof::report::Family;
    ///
    /// // By what the program that trained them wrote into the record.
    /// fn place(entry: &Entry) -> Option<(String, Level)> {
    ///     let training = entry.training.as_ref()?;
    ///     let angle = training.settings.get("angle")?.as_f64()?;
    ///     Some((training.model.clone(), angle.into()))
    /// }
    ///
    /// fn family(report: &Report) -> Family<'_> {
    ///     let entries = report.section("(a)");
    ///     Family::new("trained with rotations up to", "±{}°").with_entries(entries, place)
    /// }
    /// ```
    pub fn with_entries(
        self,
        entries: impl IntoIterator<Item = &'a Entry>,
        place: impl Fn(&Entry) -> Option<(String, Level)>,
    ) -> Self {
        (entries.into_iter()).fold(self, |family, entry| match place(entry) {
            Some((network, level)) => family.with(network, level, &entry.profile),
            None => family,
        })
    }

    /// A panel for each of these axes, a curve for each member. With [`Estimand::Fooling`] over a spatial
    /// axis and an adversarial one these are the paper's profiles: of type A if the levels of training are
    /// rotations, of type B if they are radii.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for an axis that no member was measured along, or whose levels have several parts.
    pub fn figure(
        &self,
        title: impl Into<String>,
        estimand: Estimand,
        axes: &[&str],
    ) -> Result<Figure> {
        let named = (self.members.iter())
            .map(|member| (self.name(&member.network, &member.level), member.profile));
        let named = Vec::from_iter(named);
        let of = |axis: &&str| Panel::of_estimand(estimand, axis, &named);
        let panels = axes.iter().map(of);
        let panels = panels.collect::<Result<Vec<_>>>()?;
        let figure = Figure::new(title);
        Ok(figure.with_row_by_key("", panels, self.looks(), self.key()))
    }

    /// The members in the plane of the two robustnesses: an estimand at a level of a spatial axis against
    /// the same at a level of an adversarial one, with arrows from each level of training to the next.
    ///
    /// Bars are 95 % intervals; where there are several seeds, the arrows lead over their means, the bars
    /// reach from the lowest to the highest, and a small marker is a seed.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if a member lacks one of the two, or has no such estimand there.
    pub fn trajectories(
        &self,
        title: impl Into<String>,
        estimand: Estimand,
        spatial: impl Into<At>,
        adversarial: impl Into<At>,
    ) -> Result<Figure> {
        let (spatial, adversarial) = (spatial.into(), adversarial.into());
        let (mut curves, mut arrows, mut seeds) = (Vec::new(), Vec::new(), Vec::new());
        for network in self.networks() {
            let mut before = None;
            for level in self.levels() {
                let members = (self.members.iter())
                    .filter(|member| member.network == network && member.level.is_near(&level));
                let points = members
                    .map(|member| member.place(estimand, &spatial, &adversarial))
                    .collect::<Result<Vec<_>>>()?;
                if points.is_empty() {
                    continue;
                }
                let label = self.name(network, &level);
                if points.len() > 1 {
                    seeds.push(Curve {
                        label: label.clone(),
                        points: points.clone(),
                    });
                }
                let here = curves.len();
                curves.push(Curve {
                    label,
                    points: vec![middle(&points)],
                });
                arrows.extend(before.map(|before: usize| [before, here]));
                before = Some(here);
            }
        }
        let profiles = Vec::from_iter(self.members.iter().map(|member| member.profile));
        let x = format!("{estimand} at {} (%)", said(&spatial, &profiles));
        let y = format!("{estimand} at {} (%)", said(&adversarial, &profiles));
        let panel = Panel::course(
            &x,
            &y,
            curves,
            Course {
                arrows,
                small: seeds,
            },
        );
        let figure = Figure::new(title);
        Ok(figure.with_row_by_key("", [panel], self.looks(), self.key()))
    }

    fn name(&self, network: &str, level: &Level) -> String {
        format!("{network}, {}", level.within(&self.label))
    }

    fn networks(&self) -> Vec<&str> {
        distinct(self.members.iter().map(|member| member.network.as_str()))
    }

    // Growing.
    fn levels(&self) -> Vec<Level> {
        let mut levels = Vec::from_iter(self.members.iter().map(|member| member.level.clone()));
        levels.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        levels.dedup_by(|a, b| a.is_near(b));
        levels
    }

    fn looks(&self) -> Vec<(String, Look)> {
        let levels = self.levels();
        let look = |kind, network, rank: usize| {
            let name = self.name(network, &levels[rank]);
            (name, Look::ordered(kind, rank, levels.len()))
        };
        let networks = self.networks().into_iter().enumerate();
        networks
            .flat_map(|(kind, network)| {
                let ranks = 0..levels.len();
                Vec::from_iter(ranks.map(|rank| look(kind, network, rank)))
            })
            .collect()
    }

    fn key(&self) -> Key {
        let levels = self.levels();
        let networks = self.networks().into_iter().enumerate();
        let networks =
            networks.map(|(kind, name)| (name.to_owned(), Look::ordered(kind, 0, 1).in_ink()));
        Key {
            networks: networks.collect(),
            training: self.training.clone(),
            levels: (levels.iter().enumerate())
                .map(|(rank, level)| {
                    let look = Look::ordered(0, rank, levels.len());
                    (level.within(&self.label), look)
                })
                .collect(),
            ordered: true,
        }
    }
}

impl Member<'_> {
    fn place(&self, estimand: Estimand, spatial: &At, adversarial: &At) -> Result<Point> {
        let number = |at: &At| {
            estimand.of(self.profile.at(at.clone())?).ok_or_else(|| {
                let name = &self.profile.name;
                let expected = format!("one of which the {estimand} was measured");
                Error::setting(format!("profile at {}", at.axis), name, expected)
            })
        };
        Ok(Point::of(number(spatial)?, number(adversarial)?))
    }
}

// Of several seeds the mean, with their range for an interval.
fn middle(points: &[Point]) -> Point {
    if let [point] = points {
        return *point;
    }
    let mean = |of: fn(&Point) -> f64| points.iter().map(of).sum::<f64>() / points.len() as f64;
    let ends = |of: fn(&Point) -> f64| {
        let ends = (f64::INFINITY, f64::NEG_INFINITY);
        points
            .iter()
            .map(of)
            .fold(ends, |(low, high), x| (low.min(x), high.max(x)))
    };
    Point {
        x: mean(|point| point.x),
        y: mean(|point| point.y),
        x_ends: ends(|point| point.x),
        y_ends: ends(|point| point.y),
    }
}
