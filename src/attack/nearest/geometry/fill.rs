use super::{Ways, one_where_zero};
use crate::base::read;
use burn::tensor::Tensor;

// Rounds between two looks at whether anything still changes: on images a handful is enough.
const ROUNDS: usize = 6;

/// The moves `min(t·speed, room)` of all coordinates at the time `t` when together they close the
/// gap; all the room there is if they cannot.
///
/// By Newton's method: coordinates that have come to their end stay there, and the others, going on
/// as if they had no end, come too early at the latest. What they close rises in `t` and bends down,
/// so `t` rises to the solution and is there, up to rounding, as soon as no further coordinate ends.
/// A row's result does not depend on how many rounds the others take.
pub(super) fn fill(ways: Ways, speed: Tensor<2>) -> Tensor<2> {
    let Ways {
        sign,
        worth,
        room,
        gap,
    } = ways;
    let rate = worth.clone() * speed.clone();
    let mut time = gap.clone() / one_where_zero(rate.clone().sum_dim(1));
    let Some(room) = room else {
        return sign * speed * time;
    };
    let value = worth * room.clone();
    loop {
        let before = time.clone();
        for _ in 0..ROUNDS {
            let ended = (speed.clone() * time.clone()).greater_equal(room.clone());
            let going = rate.clone().mask_fill(ended.clone(), 0.0).sum_dim(1);
            let closed = value.clone().mask_fill(ended.bool_not(), 0.0).sum_dim(1);
            let left = gap.clone() - closed;
            // With none left to go there is nowhere to go on to.
            let stuck = going.clone().equal_elem(0.0);
            let next = (left / one_where_zero(going)).mask_where(stuck, time.clone());
            time = next.max_pair(time);
        }
        let changed = time.clone().greater(before).float().sum();
        if read::<f32, _, _>(&changed)[0] == 0.0 {
            return sign * (speed * time).min_pair(room);
        }
    }
}
