//! What users may add to fireproof, one file each, by its public API alone.

#[cfg(feature = "train")]
pub mod awp;
pub mod cosine;
pub mod dlr;
#[cfg(feature = "train")]
pub mod ema;
pub mod l1;
pub mod network;
pub mod pose_space;
pub mod shrinking;
pub mod turned_attack;

use fireproof::attack::{Attack, Loss, Norm};
use fireproof::base::{Kind, NoSettings, Result};
use fireproof::curriculum::Schedule;
use fireproof::evaluate::Threat;
use std::sync::Arc;

/// Gives everything here a name in files. To be called once; the prefix keeps the names apart from
/// those that fireproof may add.
///
/// # Errors
///
/// If a name is taken.
pub fn register() -> Result<()> {
    <dyn Norm>::registry().add("own_l1", |NoSettings {}| Arc::new(l1::L1))?;
    <dyn Loss>::registry().add("own_dlr", |NoSettings {}| Arc::new(dlr::Dlr))?;
    <dyn Attack>::registry().add("own_shrinking", |a: shrinking::Shrinking| Arc::new(a))?;
    <dyn Attack>::registry().add("own_pose_ascent", |a: pose_space::PoseAscent| Arc::new(a))?;
    <dyn Threat>::registry().add("own_turned_attack", |t: turned_attack::TurnedAttack| {
        Arc::new(t)
    })?;
    <dyn Schedule>::registry().add("own_cosine", |s: cosine::Cosine| Arc::new(s))?;
    #[cfg(feature = "train")]
    {
        use fireproof::train::Objective;
        <dyn Objective>::registry().add("own_ema", |o: ema::Ema| Arc::new(o))?;
        <dyn Objective>::registry().add("own_awp", |o: awp::Awp| Arc::new(o))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fireproof::attack::{AttackSpec, Pgd};
    use fireproof::base::{Degrees, Pixels};
    use fireproof::curriculum::ScheduleSpec;
    use fireproof::transform::PoseBudget;
    use serde::{Serialize, de::DeserializeOwned};
    use std::fmt::Debug;

    fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T, name: &str) {
        let json = serde_json::to_string(&value).unwrap();
        assert!(json.contains(name), "{json}");
        assert_eq!(serde_json::from_str::<T>(&json).unwrap(), value, "{json}");
    }

    #[test]
    fn convention_names_go_to_files_and_back() {
        register().unwrap();
        assert!(register().is_err(), "the names are taken now");
        let pgd = Pgd::new(l1::L1, 3.0).with_loss(dlr::Dlr).restarts(2);
        round_trip(AttackSpec::from(pgd.clone()), "own_l1");
        round_trip(AttackSpec::from(pgd), "own_dlr");
        let shrinking = shrinking::Shrinking::new(l1::L1, 3.0);
        let budget = PoseBudget::new(Degrees(30.0), Pixels(2.0)).unwrap();
        let pose = pose_space::PoseAscent { budget, steps: 5 };
        round_trip(AttackSpec::from(pose.then(shrinking)), "own_shrinking");
        let written = r#"{"attack": "own_shrinking", "norm": "own_l1", "epsilon": 3.0}"#;
        let read: AttackSpec = serde_json::from_str(written).unwrap();
        assert_eq!(read, shrinking::Shrinking::new(l1::L1, 3.0).into());
        round_trip(
            ScheduleSpec::from(cosine::Cosine { from: 0.1, to: 0.0 }),
            "own_cosine",
        );
        round_trip(
            turned_attack::axis(&[0.0, 30.0], &[0.1]),
            "own_turned_attack",
        );
        #[cfg(feature = "train")]
        {
            use fireproof::train::{ObjectiveSpec, PgdTraining};
            let awp = awp::Awp { gamma: 0.01 };
            round_trip(ObjectiveSpec::from(ema::Ema::new(awp, 0.9)), "own_awp");
            round_trip(
                ObjectiveSpec::from(ema::Ema::new(PgdTraining::default(), 0.9)),
                "own_ema",
            );
        }
    }
}
