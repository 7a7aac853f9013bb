use crate::base::{Error, Result};
use crate::evaluate::{self, At, Curve, Estimand, Point, Profile};
use crate::report::{Family, Figure, History, Trainings};
use crate::study::findings::{ArmFindings, Section};
use crate::train::EpochRecord;
use std::collections::BTreeSet;

/// A plot with what is said of it.
pub(super) struct Drawing {
    /// Its file's name without ending.
    pub file: String,
    /// What it shows.
    pub caption: String,
    pub svg: String,
    /// Whether it is one of many that few readers look at.
    pub aside: bool,
}

impl Section {
    /// Its plots, in the order of the page.
    pub(super) fn drawings(&self) -> Result<Vec<Drawing>> {
        let mut drawings = Vec::new();
        if self.arms.is_empty() {
            return Ok(drawings);
        }
        let section = file_name(&self.series.name);
        let mut add = |name: &str, caption: String, figure: Figure| {
            drawings.push(Drawing {
                file: format!("{section}-{}", file_name(name)),
                caption,
                svg: figure.to_svg()?,
                aside: false,
            });
            Ok::<_, Error>(())
        };
        let axes = self.axes();
        // Plots have axes of single numbers.
        let profiles = Vec::from_iter(self.arms.iter().map(|arm| sliced(&arm.profile, &axes)));
        let mut single: Vec<&str> = Vec::new();
        for curve in profiles.iter().flat_map(|profile| &profile.curves) {
            if !single.contains(&curve.axis.as_str()) {
                single.push(&curve.axis);
            }
        }
        for estimand in Estimand::ALL.into_iter().filter(|_| !single.is_empty()) {
            if self.series.levels.is_empty() {
                let figure = self.trainings(&profiles).figure("", estimand, &single)?;
                add(&estimand.to_string(), caption(estimand, ""), figure)?;
                continue;
            }
            for network in self.networks() {
                let family = self.family(Some(network), &Vec::from_iter(&profiles));
                let figure = family.figure(network, estimand, &single)?;
                add(
                    &format!("{estimand} {network}"),
                    caption(estimand, network),
                    figure,
                )?;
            }
        }
        if let Some(plane) = &self.series.plane {
            let (spatial, adversarial) = (At::from(&plane.spatial), At::from(&plane.adversarial));
            let placed = self.arms.iter().filter(|arm| {
                let at = |at: &At| arm.profile.at(at.clone()).is_ok();
                at(&spatial) && at(&adversarial)
            });
            let placed = Vec::from_iter(placed);
            if !placed.is_empty() {
                let caption = "Accuracy in poses and under attack, with 95 % intervals.".to_owned();
                let whole = Vec::from_iter(self.arms.iter().map(|arm| &arm.profile));
                let figure = match self.series.levels.is_empty() {
                    true => {
                        let profiles = self.arms.iter().map(|arm| arm.profile.clone());
                        let profiles = Vec::from_iter(profiles);
                        self.trainings(&profiles).plane("", spatial, adversarial)?
                    }
                    false => {
                        let family = self.family(None, &whole);
                        family.trajectories("", Estimand::Accuracy, spatial, adversarial)?
                    }
                };
                add("plane", caption, figure)?;
            }
        }
        for arm in &self.arms {
            drawings.extend(histories(arm, &section)?);
        }
        Ok(drawings)
    }

    fn networks(&self) -> Vec<&str> {
        let mut networks: Vec<&str> = Vec::new();
        for arm in &self.arms {
            if !networks.contains(&arm.network.as_str()) {
                networks.push(&arm.network);
            }
        }
        networks
    }

    /// Those that it is about and that there are, in the order of the measurements.
    pub(super) fn axes(&self) -> Vec<&str> {
        let profiles = Vec::from_iter(self.arms.iter().map(|arm| &arm.profile));
        let all = evaluate::axes(&profiles)
            .into_iter()
            .map(|curve| curve.axis.as_str());
        let wanted = self.series.axes.as_ref();
        all.filter(|axis| wanted.is_none_or(|names| names.iter().any(|name| name == axis)))
            .collect()
    }

    // With a profile of each arm.
    fn family<'a>(&self, network: Option<&str>, profiles: &[&'a Profile]) -> Family<'a> {
        let series = &self.series;
        let mut family = Family::new(&series.level_title, &series.level_label);
        for (arm, profile) in self.arms.iter().zip(profiles) {
            let wanted = network.is_none_or(|network| network == arm.network);
            if let Some(level) = self.level(&arm.training).filter(|_| wanted) {
                family = family.with(&arm.network, level.clone(), profile);
            }
        }
        family
    }

    // Of trainings that lie at no level, with a profile of each arm.
    fn trainings<'a>(&self, profiles: &'a [Profile]) -> Trainings<'a> {
        let pairs = self.arms.iter().zip(profiles);
        pairs.fold(Trainings::new(), |trainings, (arm, profile)| {
            trainings.with(&arm.network, &arm.training, profile)
        })
    }
}

// The profile along these axes; those over surfaces cut at each of their radii.
fn sliced(profile: &Profile, axes: &[&str]) -> Profile {
    let wanted = axes.iter().filter_map(|axis| profile.curve(axis).ok());
    let curves = wanted.flat_map(|curve| {
        match curve
            .points
            .iter()
            .all(|point| point.level.parts().len() == 1)
        {
            true => vec![curve.clone()],
            false => slices(curve),
        }
    });
    Profile {
        curves: curves.collect(),
        ..profile.clone()
    }
}

// Where one part of the poses grows, a curve over it, for each radius if there are radii; else nothing that could
// be drawn so.
fn slices(curve: &Curve) -> Vec<Curve> {
    let Some(first) = curve.points.first().map(|point| &point.level) else {
        return Vec::new();
    };
    // Two parts are a pose without a radius.
    let Some(last) = first.parts().len().checked_sub(1) else {
        return Vec::new();
    };
    let mut radius = (last > 1).then_some(last);
    let differs = |part: &usize| {
        let mut points = curve.points.iter();
        points.any(|point| point.level.parts()[*part] != first.parts()[*part])
    };
    let poses = 0..radius.unwrap_or(last + 1);
    let moving = match Vec::from_iter(poses.filter(differs))[..] {
        // One pose: over its radii.
        [] => radius.take().unwrap_or(0),
        [moving] => moving,
        _ => return Vec::new(),
    };
    let radii = curve.points.iter();
    let radii = radii.map(|point| radius.map_or(0.0, |radius| point.level.parts()[radius]));
    let mut radii = Vec::from_iter(radii);
    radii.sort_by(f64::total_cmp);
    radii.dedup();
    let slice = |value: f64| {
        let here = |point: &&Point| radius.is_none_or(|at| point.level.parts()[at] == value);
        let points = Vec::from_iter(curve.points.iter().filter(here).map(|point| Point {
            level: point.level.parts()[moving].into(),
            ..point.clone()
        }));
        // The level's text with a place for what moves.
        let mut pieces = curve.label.split("{}");
        let mut label = pieces.next().unwrap_or_default().to_owned();
        for (part, piece) in pieces.enumerate() {
            let fixed = match radius {
                Some(at) if at == part => value,
                _ => first.parts().get(part).copied().unwrap_or(0.0),
            };
            label += &match part == moving {
                true => "{}".to_owned(),
                false => evaluate::short_level(fixed),
            };
            label += piece;
        }
        Curve {
            axis: match radius {
                Some(_) => format!("{} {value}", curve.axis),
                None => curve.axis.clone(),
            },
            title: label.replace("{}", "…"),
            label,
            points,
            ..curve.clone()
        }
    };
    radii.into_iter().map(slice).collect()
}

fn caption(estimand: Estimand, network: &str) -> String {
    let of = if network.is_empty() {
        String::new()
    } else {
        format!("{network}: ")
    };
    let what = match estimand {
        Estimand::Accuracy => "accuracy",
        Estimand::Fooling => "fooling rate, against the network's own clean predictions",
        Estimand::Gap => "clean accuracy minus accuracy",
        Estimand::FoolingOfRight => "fooling rate of the images that are right when clean",
    };
    format!("{of}{what}, means over seeds with 95 % intervals.")
}

// Of the first seed, and of those whose networks have not learned.
fn histories(arm: &ArmFindings, section: &str) -> Result<Vec<Drawing>> {
    let (extras, name) = (&arm.record.extras, &arm.profile.name);
    let first: Vec<EpochRecord> = extras.get("history")?.unwrap_or_default();
    let failed: Vec<(u64, Vec<EpochRecord>)> = extras.get("not learned")?.unwrap_or_default();
    let all = std::iter::once((arm.record.seed.0, first));
    let others = failed
        .into_iter()
        .filter(|(seed, _)| *seed != arm.record.seed.0);
    let all = all.chain(others).filter(|(_, records)| !records.is_empty());
    let draw = |(at, (seed, records)): (usize, (u64, Vec<EpochRecord>))| {
        let what = format!("{name}, seed {seed}");
        let end = if at == 0 {
            String::new()
        } else {
            format!("-seed-{seed}")
        };
        Ok(Drawing {
            file: format!("{section}-history-{}{end}", file_name(name)),
            svg: History::new(&what, &records).to_svg()?,
            caption: format!("Training of {what}."),
            aside: true,
        })
    };
    all.enumerate().map(draw).collect()
}

/// Gives files of the same name, as of names that are spelt with letters of other alphabets, numbers.
pub(super) fn tell_apart<'a>(drawings: impl Iterator<Item = &'a mut Drawing>) {
    let mut known = BTreeSet::new();
    for drawing in drawings {
        let name = std::mem::take(&mut drawing.file);
        let free = |name: &String| !name.is_empty() && !known.contains(name);
        let mut numbered = (2..).map(|at| format!("{name}-{at}"));
        let name = match free(&name) {
            true => name,
            false => numbered.find(free).expect("a number that is free"),
        };
        known.insert(name.clone());
        drawing.file = name;
    }
}

/// A name as ASCII letters, digits, points and hyphens: `GCNN p4, ±45°` is `gcnn-p4-45-degrees`.
pub(super) fn file_name(name: &str) -> String {
    let spelt = name.replace('°', " degrees").replace('ε', "epsilon");
    let mut text = String::new();
    for c in spelt.chars() {
        match c {
            '.' => text.push('.'),
            c if c.is_ascii_alphanumeric() => text.push(c.to_ascii_lowercase()),
            _ if !text.ends_with('-') => text.push('-'),
            _ => {}
        }
    }
    text.trim_matches(['-', '.']).to_owned()
}
