//! Filters over a group: what their copies give, and what the weight learns of it.
//!
//! On Flex alone, which has the kernel: elsewhere the copies would be compared with themselves.

use super::given::{apart, between, draws, noise, options};
use crate::common::{bits, values};
use burn::tensor::{Device, Tensor};
use fireproof::group::Group;
use fireproof::kernel::{self, Affine, Filters, Statistics, conv2d};

/// Of a random group convolution the output and the gradients of input, bias and weight; and whether the
/// weight may learn by the mirrors of p4m. Filters as they are, or made by Burn's operations before.
fn run(seed: u64, before: bool) -> (Vec<Tensor<1>>, bool) {
    let device = Device::flex().autodiff();
    let draws = &mut draws(seed);
    let group = [Group::P4, Group::P4m][between(draws, 0, 1)];
    let components = [1, group.size(), group.size()][between(draws, 0, 2)];
    let [least, most] = [[1, 5], [11, 20]][between(draws, 0, 1)];
    let [output, input] = [(); 2].map(|()| between(draws, least, most));
    let side = [1, 2, 3, 3, 3][between(draws, 0, 4)];
    let [batch, height, width] = [
        between(draws, 1, 4),
        between(draws, 3, 9),
        between(draws, 3, 9),
    ];
    let (relu, with_bias) = (between(draws, 0, 1) == 1, between(draws, 0, 1) == 1);
    let options = options(between(draws, 0, side / 2));

    let shape = [batch, input * components, height, width];
    let x: Tensor<4> = noise(shape, draws, &device).require_grad();
    let shape = [output, input, components, side, side];
    let w: Tensor<5> = noise(shape, draws, &device).require_grad();
    let b: Tensor<1> = noise([output], draws, &device).require_grad();
    let mut filters = Filters::over(group, w.clone(), with_bias.then(|| b.clone()));
    if before {
        let whole = Filters::new(filters.weight(), filters.bias());
        filters = match components {
            1 => whole,
            _ => whole.with_group(group),
        };
    }
    assert!(filters.is_tracked());
    let y = conv2d(x.clone(), &filters, options, relu);
    let slope = noise(y.dims(), draws, &device);
    let gradients = (y.clone() * slope).sum().backward();
    let flat = |made: Tensor<4>| made.flatten::<1>(0, 3);
    let mut made = vec![flat(y.inner()), flat(x.grad(&gradients).expect("x learns"))];
    made.extend(with_bias.then(|| b.grad(&gradients).expect("the bias learns")));
    made.push(w.grad(&gradients).expect("the weight learns").flatten(0, 4));
    let split = group == Group::P4m && components == 8 && side == 3;
    (made, split)
}

// Oracle: the same kernels with filters copied by Burn's operations, and gradients brought back by them.
#[test]
fn value_and_gradient_are_those_of_the_copies() {
    let mut split = 0;
    for seed in 0..150 {
        let (found, may_split) = run(seed, false);
        let (expected, _) = run(seed, true);
        let last = found.len() - 1;
        for (at, (found, expected)) in found.into_iter().zip(expected).enumerate() {
            if at == last && may_split {
                let [found, expected] = [values(found), values(expected)];
                split += usize::from(found != expected);
                assert!(apart(&found, &expected) < 1e-5, "case {seed}");
            } else {
                assert_eq!(bits(found), bits(expected), "case {seed}, number {at}");
            }
        }
    }
    assert!(split > 3, "mirrors were used {split} times");
}

// Oracle: the definition, on the copies.
#[test]
fn value_filters_that_are_normalised() {
    let device = Device::flex();
    let draws = &mut draws(5);
    for (group, components) in [(Group::P4, 4), (Group::P4m, 8), (Group::P4m, 1)] {
        let size = group.size();
        let w: Tensor<5> = noise([3, 2, components, 3, 3], draws, &device);
        let b: Tensor<1> = noise([3], draws, &device);
        let filters = Filters::over(group, w, Some(b));
        // A number for each output, or for each of its components.
        for count in [3, 3 * size] {
            let mut of = || noise::<1>([count], draws, &device);
            let [scale, shift, mean, spread] = std::array::from_fn(|_| of());
            let statistics = Statistics {
                mean,
                variance: spread.clone() * spread,
            };
            let affine = Affine { scale, shift };
            let folded = filters.normalised(affine.clone(), statistics.clone(), 1e-3);
            let x: Tensor<4> = noise([2, 2 * components, 6, 5], draws, &device);
            let y = conv2d(x.clone(), &filters, options(1), false);
            let by_channel = y.reshape([2, count, 3 * size / count * 6, 5]);
            let expected = kernel::batch_norm(by_channel, affine, statistics, 1e-3, true);
            let found = conv2d(x, &folded, options(1), true);
            assert!(apart(&values(found), &values(expected)) < 1e-5);
        }
    }
}

// Oracle: the copies. Whatever learns, by Burn's operations too, and as often as one likes.
#[test]
fn value_whatever_learns() {
    let device = Device::flex().autodiff();
    let draws = &mut draws(6);
    for group in Group::ALL {
        let shape = [2, 3, group.size(), 3, 3];
        let w: Tensor<5> = noise(shape, draws, &device);
        let b: Tensor<1> = noise([2], draws, &device);
        let x: Tensor<4> = noise([2, 3 * group.size(), 6, 6], draws, &device);
        for (learns_weight, learns_bias) in [(true, false), (false, true), (true, true)] {
            let (mut w, mut b) = (w.clone(), b.clone());
            if learns_weight {
                w = w.require_grad();
            }
            if learns_bias {
                b = b.require_grad();
            }
            let filters = Filters::over(group, w.clone(), Some(b.clone()));
            assert!(filters.is_tracked());
            let run = || {
                let y = conv2d(x.clone(), &filters, options(1), true);
                let gradients = y.clone().powf_scalar(2.0).sum().backward();
                let of_weight = w.grad(&gradients).map(|w| values(w.flatten::<1>(0, 4)));
                let of_bias = b.grad(&gradients).map(values);
                assert_eq!(of_weight.is_some(), learns_weight);
                assert_eq!(of_bias.is_some(), learns_bias);
                let made = [
                    Some(values(y.inner().flatten::<1>(0, 3))),
                    of_weight,
                    of_bias,
                ];
                made.into_iter().flatten().collect::<Vec<_>>()
            };
            let found = run();
            assert_eq!(found, run(), "the second time");
            for composed in [kernel::composed(run), kernel::composed(run)] {
                for (found, composed) in found.iter().zip(&composed) {
                    assert!(apart(found, composed) < 1e-5, "{group:?}");
                }
            }
        }
        // Said to be copies, as those are that were made before.
        let filters = Filters::over(group, w.inner(), Some(b.inner())).with_group(group);
        assert_eq!(filters.weight().dims()[0], 2 * group.size());
        assert_eq!(
            filters.bias().map(|bias| bias.dims()),
            Some([2 * group.size()])
        );
    }
}

#[test]
#[should_panic(expected = "1 or 4 components")]
fn error_components() {
    let device = Device::flex();
    Filters::over(Group::P4, Tensor::ones([1, 1, 3, 3, 3], &device), None);
}

#[test]
#[should_panic(expected = "one bias per output")]
fn error_bias() {
    let device = Device::flex();
    let bias = Tensor::ones([4], &device);
    Filters::over(
        Group::P4,
        Tensor::ones([1, 1, 1, 3, 3], &device),
        Some(bias),
    );
}
