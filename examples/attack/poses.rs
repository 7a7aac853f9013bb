//! Attacks that move images, by names and flags, and what the loss looks like over their poses.

use crate::options::Options;
use fireproof::attack::{
    AttackSpec, GridSearch, JointPgd, Orbit, PoseGradient, PoseSearch, RandomSearch,
};
use fireproof::base::{Batch, Error, Result};
use fireproof::evaluate::PoseScan;
use fireproof::prelude::*;

/// Their names, as said to who misspells one.
pub const NAMES: &str = "grid, random-search, pose-search, pose-gradient, orbit, joint";

impl Options {
    /// Rotations and shifts as asked for or by default.
    pub fn poses(&self) -> Result<PoseBudget> {
        let (angle, shift) = (self.angle.unwrap_or(30.0), self.shift.unwrap_or(3.0));
        PoseBudget::new(Degrees(angle), Pixels(shift))
    }

    /// The attack on poses of this name, if there is one.
    pub fn on_poses(&self, name: &str) -> Result<Option<AttackSpec>> {
        let poses = self.poses()?;
        let attack: AttackSpec = match name {
            "grid" | "grid_search" => GridSearch::new(poses).into(),
            "random-search" | "random_search" => RandomSearch::new(poses, 10).into(),
            "pose-search" | "pose_search" => PoseSearch::new(poses).into(),
            "pose-gradient" | "pose_gradient" => PoseGradient::new(poses).restarts(5).into(),
            "orbit" => Orbit::p4().with_shifts(self.whole_shift()?).into(),
            "joint" | "joint_pgd" => {
                let (norm, epsilon) = self.ball()?;
                return Ok(Some(JointPgd::new(poses, norm, epsilon).into()));
            }
            _ => return Ok(None),
        };
        let given = self
            .norm
            .clone()
            .or(self.epsilon.map(|radius| radius.to_string()));
        match given {
            None => Ok(Some(attack)),
            Some(found) => {
                let expected =
                    format!("none with {name}, which leaves pixels as they are; joint has both");
                Err(Error::setting("--norm, --epsilon", found, expected))
            }
        }
    }

    fn whole_shift(&self) -> Result<usize> {
        if let Some(angle) = self.angle {
            let expected = "none with orbit, which makes all quarter turns";
            return Err(Error::setting("--angle", angle, expected));
        }
        let shift = self.shift.unwrap_or(0.0);
        match shift >= 0.0 && shift.fract() == 0.0 {
            true => Ok(shift as usize),
            false => Err(Error::setting(
                "--shift",
                shift,
                "whole pixels, 0 or more, with orbit",
            )),
        }
    }

    /// Draws the loss over angle and shift of each of these images, and says where.
    pub fn draw_heatmaps(&self, victim: &Frozen, batch: &Batch) -> Result<()> {
        for map in PoseScan::new(self.poses()?).of(victim, batch)? {
            let file = self.out.join(format!("heatmap-{}.svg", map.id));
            map.plot_svg(&file)?;
            println!(
                "Loss over poses, worst at {}: {}",
                map.worst_pose(),
                file.display()
            );
        }
        Ok(())
    }
}
