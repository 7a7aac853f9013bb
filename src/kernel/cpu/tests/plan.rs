//! Every output pixel belongs to exactly one cell, every unit to one run.

use super::Noise;
use crate::kernel::cpu::plan::{Plan, Task};

#[test]
fn value_cells_cover_every_output_once() {
    for seed in 0..2000 {
        let mut noise = Noise::new(seed);
        let task = Task {
            batch: noise.pick(0, 70),
            output: [noise.pick(1, 40), noise.pick(1, 40)],
            step: [1, 2, 4][noise.pick(0, 2)],
            lines: noise.pick(2, 700),
            least: noise.pick(1, 20),
            columns: noise.pick(0, 1) == 0,
            threads: noise.pick(1, 9),
        };
        let plan = Plan::new(task);
        let [height, width] = task.output;
        let mut seen = vec![0; task.batch * height * width];
        for index in 0..plan.units() {
            let unit = plan.unit(index);
            assert!(unit.used > 0);
            assert!(
                [unit.high, unit.wide]
                    .iter()
                    .all(|len| len.is_multiple_of(task.step))
            );
            for cell in &unit.cells[..unit.used] {
                assert!(cell.top % task.step == 0 && cell.left % task.step == 0);
                assert!(task.columns || cell.left == 0 && unit.wide >= width);
                for y in cell.top..height.min(cell.top + unit.high) {
                    for x in cell.left..width.min(cell.left + unit.wide) {
                        seen[(cell.image * height + y) * width + x] += 1;
                    }
                }
            }
        }
        assert!(seen.iter().all(|&n| n == 1), "{task:?}");

        let sets = plan.sets(task.least);
        let mut next = 0;
        for set in (0..sets.len()).map(|index| sets.get(index)) {
            assert!(set.start == next && set.len() <= task.least, "{task:?}");
            let shape = plan.unit(set.start).block();
            assert!(set.clone().all(|unit| plan.unit(unit).block() == shape));
            next = set.end;
        }
        assert_eq!(next, plan.units(), "{task:?}");
    }
}
