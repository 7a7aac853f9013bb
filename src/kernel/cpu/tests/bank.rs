//! Filters that a group makes of fewer weights, and what these get back.

use super::{Case, Naive, Noise, bits, count, error, isas, on_threads};
use crate::group::Group;
use crate::kernel::Numerics;
use crate::kernel::cpu::{Bank, Prepared, Window};

/// Expanded by the definition: element `g`'s copy reads where the group's table says.
fn expand(group: Group, components: usize, side: usize, w: &[f32], shape: [usize; 2]) -> Vec<f32> {
    let [output, input] = shape;
    let base = components * side * side;
    let indices = match components {
        1 => group.lifting_filter_indices(side),
        _ => group.filter_indices(side),
    };
    let mut filters = Vec::new();
    for o in 0..output {
        for indices in indices.chunks_exact(base) {
            for i in 0..input {
                let from = &w[(o * input + i) * base..][..base];
                filters.extend(indices.iter().map(|&at| from[at]));
            }
        }
    }
    filters
}

/// The adjoint of [`expand`], by the definition.
fn fold(bank: (Group, usize, usize), dw: &[f64], [output, input]: [usize; 2]) -> Vec<f64> {
    let (group, components, side) = bank;
    let base = components * side * side;
    let len = output * input * base;
    let at: Vec<f32> = (0..len).map(|at| at as f32).collect();
    let mut sums = vec![0.0; len];
    let places = expand(group, components, side, &at, [output, input]);
    for (place, dw) in places.into_iter().zip(dw) {
        sums[place as usize] += dw;
    }
    sums
}

/// A convolution over a group, with the weights that its filters are made of.
struct Over {
    case: Case,
    w: Vec<f32>,
    bank: (Group, usize, usize),
    shape: [usize; 2],
}

impl Over {
    fn new(
        bank: (Group, usize, usize),
        shape: [usize; 2],
        images: [usize; 3],
        window: Window,
        on: (Numerics, crate::kernel::cpu::Isa),
        mut number: impl FnMut() -> f32,
    ) -> Self {
        let (group, components, side) = bank;
        let channels = [shape[0] * group.size(), shape[1] * components];
        let naive = Naive {
            channels,
            images,
            window,
        };
        let mut case = Case::new(naive, on, &mut number);
        let w: Vec<f32> = (0..shape[0] * shape[1] * components * side * side)
            .map(|_| number())
            .collect();
        case.w = expand(group, components, side, &w, shape);
        Self {
            case,
            w,
            bank,
            shape,
        }
    }

    fn prepared(&self) -> Prepared {
        let (group, components, side) = self.bank;
        let Case {
            naive,
            numerics,
            isa,
            ..
        } = &self.case;
        let bank = Bank::new(group, components, side);
        Prepared::over(self.w.clone(), self.shape, bank, naive.window, *numerics).on(*isa)
    }

    /// The gradient of the weights on so many threads.
    fn learn(&self, gate: Option<&[f32]>, threads: usize) -> Vec<f32> {
        let mut dw = vec![f32::NAN; self.w.len()];
        let prepared = self.prepared();
        on_threads(threads, || {
            let (x, dy) = (&self.case.x, &self.case.dy);
            prepared.weight_gradient(x, dy, gate, self.case.naive.images, &mut dw);
        });
        dw
    }

    fn expected(&self, gate: Option<&[f32]>) -> Vec<f64> {
        let dy = self.case.masked(gate);
        let dw = self.case.naive.weight_gradient(&self.case.x, &dy);
        fold(self.bank, &dw, self.shape)
    }
}

/// One in four has so many channels that mirrors pay, on small images.
fn draw(noise: &mut Noise, products: usize) -> Over {
    if noise.pick(0, 3) == 0 {
        let shape = [noise.pick(8, 24), noise.pick(8, 24)];
        let images = [noise.pick(1, 3), noise.pick(4, 8), noise.pick(4, 8)];
        let window = Window::three(noise.pick(0, 2));
        let (seed, isa) = (noise.bits(), noise.isa());
        let mut numbers = Noise::new(seed);
        let (bank, on) = ((Group::P4m, 8, 3), (Numerics::Exact, isa));
        return Over::new(bank, shape, images, window, on, || numbers.number());
    }
    loop {
        let group = [Group::P4, Group::P4m, Group::P4m][noise.pick(0, 2)];
        let components = if noise.pick(0, 3) == 0 {
            1
        } else {
            group.size()
        };
        let most = [3, 24][noise.pick(0, 1)];
        let shape = [noise.pick(1, most), noise.pick(1, most)];
        let side = [1, 2, 3, 3, 3, 3][noise.pick(0, 5)];
        let window = Window {
            side,
            stride: [1, 1, 1, 2][noise.pick(0, 3)],
            dilation: 1,
            padding: noise.pick(0, side / 2),
        };
        let images = [noise.pick(1, 6), noise.pick(4, 14), noise.pick(4, 14)];
        let channels = [shape[0] * group.size(), shape[1] * components];
        if images.iter().chain(&channels).product::<usize>() * side * side > products {
            continue;
        }
        let numerics = [Numerics::Exact, Numerics::Fast][noise.pick(0, 1)];
        let (seed, isa) = (noise.bits(), noise.isa());
        let mut numbers = Noise::new(seed);
        let number = || numbers.number();
        return Over::new(
            (group, components, side),
            shape,
            images,
            window,
            (numerics, isa),
            number,
        );
    }
}

// Oracle: the convolution with the expanded filters, and the definition in f64.
#[test]
fn value_copies_are_as_if_they_were_given() {
    let (mut worst, mut split) = (0.0f64, 0);
    for seed in 0..count(2000) {
        let mut noise = Noise::new(seed + 8_000_000);
        let over = draw(&mut noise, 4_000_000);
        let name = format!(
            "{:?} {:?} {}, seed {seed}",
            over.bank,
            over.shape,
            over.case.name()
        );
        let (group, components, _) = over.bank;
        let whole = match components {
            1 => over.case.prepared(),
            _ => over.case.prepared().with_group(group),
        };
        let found = over.case.run(&over.prepared()).map(|x| bits(&x));
        assert!(found == over.case.run(&whole).map(|x| bits(&x)), "{name}");

        let gate = noise.numbers(over.case.dy.len());
        let gate = noise.coin().then_some(&gate[..]);
        let dw = over.learn(gate, 2);
        assert_eq!(
            bits(&dw),
            bits(&over.learn(gate, noise.pick(1, 7))),
            "{name}"
        );
        let expected = over.expected(gate);
        if expected.iter().any(|&e| e != 0.0) {
            let found = error(&dw, &expected);
            worst = worst.max(found);
            assert!(found < 1e-5, "{name}: {found:e}");
        }

        // Copies' gradients summed in the order of the group's elements, unless mirrors split them.
        let mut copies = vec![f32::NAN; over.case.w.len()];
        let Case { x, dy, naive, .. } = &over.case;
        whole.weight_gradient(x, dy, gate, naive.images, &mut copies);
        let mut sums = vec![f32::NAN; over.w.len()];
        let (group, components, side) = over.bank;
        Bank::new(group, components, side).fold(&copies, over.shape, &mut sums);
        if bits(&sums) != bits(&dw) {
            assert!(
                group == Group::P4m && components == 8 && side == 3,
                "{name}"
            );
            split += 1;
        }
    }
    println!("worst error / rms: {worst:e}; split by mirrors {split} times");
    assert!(cfg!(debug_assertions) || split > 50, "{split}");
}

/// Small whole numbers: every sum is exact, so the gradient is.
#[test]
fn value_gradients_split_by_mirrors_are_exact_in_whole_numbers() {
    for isa in isas() {
        // A block in parts; vectors of channels that are not full; several blocks; odd sides.
        for (shape, images) in [
            ([16, 8], [9, 8, 8]),
            ([13, 21], [3, 6, 10]),
            ([48, 40], [2, 4, 4]),
            ([12, 16], [5, 7, 9]),
        ] {
            for padding in [0, 1] {
                let window = Window::three(padding);
                let mut noise = Noise::new(5);
                let bank = (Group::P4m, 8, 3);
                let over = Over::new(bank, shape, images, window, (Numerics::Exact, isa), || {
                    noise.pick(0, 4) as f32 - 2.0
                });
                let expected: Vec<f32> = over.expected(None).iter().map(|&x| x as f32).collect();
                assert_eq!(over.learn(None, 2), expected, "{}", over.case.name());
            }
        }
    }
}

// Oracle: the group's tables; the definition of an adjoint.
#[test]
fn value_banks() {
    for (group, components, side) in [
        (Group::P4, 1, 3),
        (Group::P4, 4, 2),
        (Group::P4m, 1, 5),
        (Group::P4m, 8, 3),
    ] {
        let (shape, mut noise) = ([3, 2], Noise::new(9));
        let w = noise.numbers(6 * components * side * side);
        let bank = Bank::new(group, components, side);
        let filters = bank.expand(&w, shape);
        assert_eq!(
            filters.as_floats(),
            expand(group, components, side, &w, shape)
        );
        assert_eq!(bank.channels(shape), [3 * group.size(), 2 * components]);
        let dw = noise.numbers(filters.as_floats().len());
        let mut folded = vec![f32::NAN; w.len()];
        bank.fold(&dw, shape, &mut folded);
        let wide: Vec<f64> = dw.iter().map(|&x| f64::from(x)).collect();
        let expected = fold((group, components, side), &wide, shape);
        assert!(super::close(&folded, &expected, 1e-5));
    }
}

#[test]
#[should_panic(expected = "1 or 4 components")]
fn error_components() {
    Bank::new(Group::P4, 3, 3);
}
