use super::canvas::Look;
use super::key::Key;
use super::{Figure, Panel};
use crate::base::Result;
use crate::evaluate::{At, Estimand, Profile};

// More curves than this share no panel with those of another network.
const FEW: usize = 8;
// How near to the best, in points, the second plane begins.
const NEAR: f64 = 10.0;

/// Networks by trainings that have names and no order: the colour of a curve is the training, its line and
/// marker the network. [`Family`](super::Family) is for trainings at growing levels.
///
/// From the eighth training on markers are hollow and colours begin anew, so that fourteen differ.
///
/// ```
/// use fireproof::evaluate::{Estimand, Profile};
/// use fireproof::report::Trainings;
///
/// /// Accuracy in poses and under attack, and both in the plane.
/// fn plots(measured: &[(&str, &str, Profile)]) -> fireproof::base::Result<[String; 2]> {
///     let mut trainings = Trainings::new();
///     for (network, training, profile) in measured {
///         trainings = trainings.with(*network, *training, profile);
///     }
///     let curves = trainings.figure("MNIST", Estimand::Accuracy, &["angles", "epsilons"])?;
///     let plane = trainings.plane("MNIST", ("angles", 90.0), ("epsilons", 0.1))?;
///     Ok([curves.to_svg()?, plane.to_svg()?])
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Trainings<'a> {
    members: Vec<Member<'a>>,
}

#[derive(Clone, Debug)]
struct Member<'a> {
    network: String,
    training: String,
    profile: &'a Profile,
}

impl Member<'_> {
    fn name(&self) -> String {
        format!("{}, {}", self.network, self.training)
    }
}

impl<'a> Trainings<'a> {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a network, how it was trained, and what was measured of it.
    pub fn with(
        mut self,
        network: impl Into<String>,
        training: impl Into<String>,
        profile: &'a Profile,
    ) -> Self {
        self.members.push(Member {
            network: network.into(),
            training: training.into(),
            profile,
        });
        self
    }

    /// A panel for each of these axes, a curve for each network and training; where these are many, a row
    /// of panels for each network.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`](crate::base::Error::Setting) for an axis that none was measured along, or whose
    /// levels have several parts.
    pub fn figure(
        &self,
        title: impl Into<String>,
        estimand: Estimand,
        axes: &[&str],
    ) -> Result<Figure> {
        let networks = self.networks();
        let everyone = Vec::from_iter((self.members.iter()).map(|m| (m.name(), m.profile)));
        for axis in axes {
            Panel::of_estimand(estimand, axis, &everyone)?;
        }
        let rows = match self.members.len() <= FEW {
            true => vec![None],
            false => networks.iter().copied().map(Some).collect(),
        };
        let mut figure = Figure::new(title);
        for row in rows {
            let inside = |member: &&Member| row.is_none_or(|network| network == member.network);
            let members = Vec::from_iter(self.members.iter().filter(inside));
            let named = members.iter().map(|member| (member.name(), member.profile));
            let named = Vec::from_iter(named);
            // A network may lack an axis that another one has.
            let measured = |axis: &&&str| {
                row.is_none() || named.iter().any(|(_, profile)| profile.curve(axis).is_ok())
            };
            let panels = axes.iter().filter(measured);
            let panels = panels.map(|axis| Panel::of_estimand(estimand, axis, &named));
            let panels = panels.collect::<Result<Vec<_>>>()?;
            if panels.is_empty() {
                continue;
            }
            let title = row.unwrap_or_default();
            figure = figure.with_row_by_key(title, panels, self.looks(), self.key(row));
        }
        Ok(figure)
    }

    /// The trade-off plane: accuracy at a level of a spatial axis against accuracy at a level of an
    /// adversarial one, with the Pareto front. Where three or more but not all are within 10 points of the best in
    /// both, a second plane shows them alone. Trainings that lack one of the levels are not in it.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`](crate::base::Error::Setting) if all lack one of the two levels.
    pub fn plane(
        &self,
        title: impl Into<String>,
        spatial: impl Into<At>,
        adversarial: impl Into<At>,
    ) -> Result<Figure> {
        let (spatial, adversarial) = (spatial.into(), adversarial.into());
        let mut named = Vec::from_iter((self.members.iter()).map(|m| (m.name(), m.profile)));
        let lacks =
            |profile: &Profile| [&spatial, &adversarial].map(|at| profile.at(at.clone()).is_err());
        if named
            .iter()
            .any(|(_, profile)| lacks(profile) == [false; 2])
        {
            named.retain(|(_, profile)| lacks(profile) == [false; 2]);
        }
        let all = Panel::named_trade_off(&named, spatial, adversarial)?;
        let near = all.near_the_best(NEAR);
        let panels = Vec::from_iter(std::iter::once(all).chain(near));
        Ok(Figure::new(title).with_row_by_key("", panels, self.looks(), self.key(None)))
    }

    fn networks(&self) -> Vec<&str> {
        distinct(self.members.iter().map(|member| member.network.as_str()))
    }

    fn trainings(&self) -> Vec<&str> {
        distinct(self.members.iter().map(|member| member.training.as_str()))
    }

    fn looks(&self) -> Vec<(String, Look)> {
        let (networks, trainings) = (self.networks(), self.trainings());
        let place = |of: &[&str], name: &str| of.iter().position(|other| *other == name);
        let looks = self.members.iter().map(|member| {
            let kind = place(&networks, &member.network).unwrap_or(0);
            let training = place(&trainings, &member.training).unwrap_or(0);
            // Of one training colours are free for the networks.
            let colour = if trainings.len() == 1 { kind } else { training };
            (member.name(), Look::named(kind, colour))
        });
        looks.collect()
    }

    // Of all networks or of one.
    fn key(&self, only: Option<&str>) -> Key {
        let trainings = self.trainings();
        let one = trainings.len() == 1;
        let networks = self.networks().into_iter().enumerate();
        let networks = networks
            .filter(|(_, name)| only.is_none_or(|only| only == *name))
            .map(|(kind, name)| {
                let look = match one {
                    true => Look::named(kind, kind),
                    false => Look::named(kind, 0).in_ink(),
                };
                (name.to_owned(), look)
            });
        // A row's samples look as its curves do, and are of the trainings that it has.
        let kind = only.map_or(0, |only| {
            let networks = self.networks();
            networks.iter().position(|name| *name == only).unwrap_or(0)
        });
        let has = |training: &str| {
            let mut members = self.members.iter();
            members.any(|member| {
                member.training == training && only.is_none_or(|only| only == member.network)
            })
        };
        let levels = trainings.iter().enumerate();
        let levels = levels.filter(|(_, name)| !one && has(name));
        Key {
            networks: networks.collect(),
            training: if one { trainings[0] } else { "trained by" }.to_owned(),
            levels: levels
                .map(|(rank, name)| ((*name).to_owned(), Look::named(kind, rank)))
                .collect(),
            ordered: false,
        }
    }
}

/// In the order of their first appearance.
pub(super) fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut all = Vec::new();
    for name in names {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::curve::{Curve, Point};
    use super::*;

    #[test]
    fn value_near_the_best() {
        let curve = |label: &str, x: f64, y: f64| Curve {
            label: label.to_owned(),
            points: vec![Point {
                x,
                y,
                x_ends: (x, x),
                y_ends: (y, y),
            }],
        };
        let curves = [
            curve("a", 97.0, 88.0),
            curve("b", 90.0, 96.0),
            curve("c", 97.5, 85.0),
            curve("d", 86.0, 95.0),
            curve("e", 92.0, 91.0),
        ];
        let near = |curves: &[Curve]| {
            let panel = Panel::front("x", "y", curves.to_vec()).near_the_best(10.0)?;
            let labels = panel.curves.iter().map(|curve| curve.label.clone());
            Some(labels.collect::<String>())
        };
        // The best are 97.5 and 96.
        assert_eq!(near(&curves).as_deref(), Some("abe"));
        assert_eq!(near(&curves[..4]), None, "two are no group");
        let all = [curves[0].clone(), curves[1].clone(), curves[4].clone()];
        assert_eq!(near(&all), None, "all of them are in the first plane");
    }
}
