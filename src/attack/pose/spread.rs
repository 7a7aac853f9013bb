use crate::transform::{Pose, PoseBudget};

// As many begin with the pose that is the farthest from all before.
const SPREAD: usize = 127;

/// The poses of a grid in an order that is coarse at first and far from the identity: poses that fool
/// tend to be there, and their neighbours are much like them. The identity itself is left out.
pub(super) fn spread(poses: Vec<Pose>, budget: PoseBudget) -> Vec<Pose> {
    let mut rest = poses;
    rest.retain(|pose| *pose != Pose::IDENTITY);
    let mut ordered = Vec::with_capacity(rest.len());
    let mut gaps = Vec::from_iter(rest.iter().map(|&pose| gap(pose, Pose::IDENTITY, budget)));
    while ordered.len() < SPREAD && !rest.is_empty() {
        let farther = |best: usize, at: usize| if gaps[at] > gaps[best] { at } else { best };
        let next = (1..rest.len()).fold(0, farther);
        let pose = rest.remove(next);
        gaps.remove(next);
        let nearer = rest.iter().map(|&other| gap(other, pose, budget));
        gaps.iter_mut()
            .zip(nearer)
            .for_each(|(gap, now)| *gap = gap.min(now));
        ordered.push(pose);
    }
    // From here on steps through all that are left, none of them small.
    let count = rest.len();
    let step = (1..=count)
        .rev()
        .find(|&step| step * 1000 <= count * 618 && gcd(step, count) == 1);
    let step = step.unwrap_or(1);
    ordered.extend((0..count).map(|index| rest[index * step % count]));
    ordered
}

// The square of the distance in units of the budget.
fn gap(a: Pose, b: Pose, budget: PoseBudget) -> f64 {
    let apart = |a: f64, b: f64, limit: f64| match limit == 0.0 {
        true => 0.0,
        false => ((a - b) / limit).powi(2),
    };
    apart(a.angle.0, b.angle.0, budget.angle.0)
        + apart(a.right.0, b.right.0, budget.shift.0)
        + apart(a.down.0, b.down.0, budget.shift.0)
}

fn gcd(a: usize, b: usize) -> usize {
    match b {
        0 => a,
        _ => gcd(b, a % b),
    }
}
