//! Which networks are trained how, and what they are measured by.

use crate::Options;
use fireproof::attack::{AutoAttack, Ball, JointPgd, Keep, L1, L2, Linf, PoseSearch, RandomSearch};
use fireproof::base::{Error, Result};
use fireproof::prelude::*;
use fireproof::train::{
    AverageOver, Awp, Ema, FastFgsm, Fat, Mart, MaxOver, MsdTraining, ObjectiveSpec, PoseKl, Swa,
    Trades, WorstPose,
};

/// One training of one network.
pub struct Cell {
    pub group: Group,
    pub name: &'static str,
    pub curriculum: Curriculum,
    pub objective: ObjectiveSpec,
}

/// Every objective on StdCNN and GCNN, or those that are asked for.
///
/// They differ in objective and budgets alone: epochs, learning rate, order of the images and initial weights are
/// the same for all. Those against pixels have ε, those against poses angle and shift, those against both all three.
pub fn cells(options: &Options) -> Result<Vec<Cell>> {
    let rate = Milestones::new([(0.0, 0.05), (0.6, 0.02), (0.8, 0.005)]);
    let base = Curriculum::new(options.epochs)
        .with_steps(options.steps as f64)
        .with_relative_step_size(2.5)
        .with_learning_rate(rate);
    // Networks this small learn nothing where they meet the whole radius at once.
    let epsilon = options.epsilon;
    let warmed = Linear::new(epsilon / 4.0, epsilon).between(1, options.epochs.div_ceil(4));
    let pixels = base.clone().with_epsilon(warmed);
    let posed = |curriculum: &Curriculum| {
        let turned = curriculum.clone().with_angle(options.angle);
        turned.with_shift(options.shift)
    };
    let (poses, both) = (posed(&base), posed(&pixels));
    let pgd = PgdTraining::default;
    let types = || {
        let pixels = Pgd::linf(0.0).with_keep(Keep::Last);
        let poses = RandomSearch::new(PoseBudget::default(), 10);
        [AttackSpec::from(pixels), poses.into()]
    };
    // Published for MNIST: 0.3, 2 and 10.
    let balls = [
        Ball::new(Linf, 0.3),
        Ball::new(L2, 2.0),
        Ball::new(L1, 10.0),
    ];
    let late = 2 * options.epochs / 3 + 1;
    let trainings: [(&str, &Curriculum, ObjectiveSpec); 17] = [
        ("natural", &base, Natural.into()),
        ("pgd", &pixels, pgd().into()),
        ("trades", &pixels, Trades::new(options.beta).into()),
        ("mart", &pixels, Mart::default().into()),
        ("fat", &pixels, Fat::new(2).into()),
        ("fast_fgsm", &pixels, FastFgsm::default().into()),
        ("awp_pgd", &pixels, Awp::new(pgd()).into()),
        ("awp_trades", &pixels, awp_trades(options)),
        ("ema_pgd", &pixels, Ema::new(pgd()).into()),
        ("swa_pgd", &pixels, Swa::new(pgd(), late).into()),
        ("msd", &pixels, MsdTraining::new(balls).into()),
        ("random_poses", &poses, Natural.into()),
        ("worst_pose", &poses, WorstPose::default().into()),
        ("pose_kl", &poses, PoseKl::new(1.0).into()),
        ("pgd_random_poses", &both, pgd().into()),
        ("max_over", &both, MaxOver::new(types()).into()),
        ("average_over", &both, AverageOver::new(types()).into()),
    ];
    let names = trainings.each_ref().map(|(name, ..)| *name);
    if let Some(unknown) = options
        .only
        .iter()
        .find(|only| !names.contains(&only.as_str()))
    {
        let expected = format!("one of {}", names.join(", "));
        return Err(Error::setting("--only", unknown, expected));
    }
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|o| o == name);
    let each = trainings.into_iter().filter(|(name, ..)| wanted(name));
    let cells = each.flat_map(|(name, curriculum, objective)| {
        [Group::P1, Group::P4].map(|group| Cell {
            group,
            name,
            curriculum: curriculum.clone(),
            objective: objective.clone(),
        })
    });
    Ok(cells.collect())
}

// Published with a warm-up of 10 epochs of 120.
fn awp_trades(options: &Options) -> ObjectiveSpec {
    let awp = Awp::trades(options.beta);
    awp.with_warmup(options.epochs / 12).into()
}

/// What the networks are measured by, each with the name of its column.
pub fn attacks(options: &Options) -> Result<Vec<(String, AttackSpec)>> {
    let (angle, shift) = (options.angle, options.shift);
    let budget = PoseBudget::new(Degrees(angle), Pixels(shift))?;
    let radii = options.radii.iter().map(|&radius| {
        let attack = AutoAttack::fast(Linf, radius);
        (format!("AutoAttack fast, ε = {radius}"), attack.into())
    });
    let mut attacks: Vec<(String, AttackSpec)> = radii.collect();
    let worst = PoseSearch::new(budget);
    attacks.push((format!("worst pose ±{angle}°, ±{shift} px"), worst.into()));
    let epsilon = options.joint_epsilon;
    let joint = JointPgd::linf(budget, epsilon).with_steps(20);
    attacks.push((format!("pose and ε = {epsilon}"), joint.into()));
    Ok(attacks)
}
