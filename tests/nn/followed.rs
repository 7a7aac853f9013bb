//! What follows a convolution: folded into its filters, added in its own pass, or one after the other.

use super::given::{group_conv, lifting};
use crate::common::{On, values};
use burn::module::{Module, RunningState};
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::Tensor;
use fireproof::group::Group;
use fireproof::kernel::{self, Path};
use fireproof::nn::*;

on_every_device![
    value_and_gradient_are_those_of_the_layers,
    value_normalisations_that_learn,
    value_normalisations_are_never_out_of_date,
    convention_what_learns_is_not_folded,
    value_provided_method_is_the_same,
];

/// Burn's layer with numbers of its own, some of them negative.
fn normalise(on: &On, mut norm: BatchNorm, shift: i64) -> BatchNorm {
    let some = |norm: &BatchNorm, salt| on.pattern(norm.gamma.val().dims(), salt + shift) / 7.0;
    norm.gamma = norm.gamma.clone().map(|_| some(&norm, 3) - 0.5);
    norm.beta = norm.beta.clone().map(|_| some(&norm, 4));
    norm.running_mean = RunningState::new(some(&norm, 5));
    norm.running_var = RunningState::new(some(&norm, 6).powf_scalar(2.0) + 0.25);
    norm.valid()
}

fn over_group(on: &On, group: Group, shift: i64) -> GroupBatchNorm {
    let mut layer = GroupBatchNormConfig::new(group, 3).init(&on.device());
    layer.norm = normalise(on, layer.norm, shift);
    layer
}

/// The largest difference, in units of the largest number.
fn apart(found: &[f32], expected: &[f32]) -> f32 {
    let largest = |numbers: &mut dyn Iterator<Item = f32>| numbers.fold(0.0, f32::max);
    let difference = largest(&mut found.iter().zip(expected).map(|(a, b)| (a - b).abs()));
    assert_eq!(found.len(), expected.len());
    assert!(
        found
            .iter()
            .chain(expected)
            .all(|number| number.is_finite())
    );
    difference / largest(&mut expected.iter().map(|number| number.abs()))
}

/// What a layer makes of everything that may follow, beside the layers one after the other: results, and
/// gradients in the input and in what is added.
fn assert_same<const A: usize, const B: usize, L, N>(
    on: &On,
    layer: &L,
    norm: &N,
    x: &Tensor<A>,
    shape: [usize; B],
) where
    L: Followed<N> + Layer<Input = Tensor<A>, Output = Tensor<B>> + Sync,
    N: Layer<Input = Tensor<B>, Output = Tensor<B>> + Sync,
{
    let (beside, slope) = (on.pattern(shape, 8), on.pattern(shape, 9));
    let run = |fused: bool, normalised: bool, added: bool, relu: bool| {
        let x = Tensor::from_inner(x.clone()).require_grad();
        let beside = Tensor::from_inner(beside.clone()).require_grad();
        let y = if fused {
            let behind = Behind {
                norm: normalised.then_some(norm),
                beside: added.then(|| beside.clone()),
                relu,
            };
            layer.forward_followed(x.clone(), behind)
        } else {
            let mut y = layer.forward(x.clone());
            if normalised {
                y = norm.forward(y);
            }
            if added {
                y = y + beside.clone();
            }
            if relu { y.relu() } else { y }
        };
        let gradients = (y.clone() * Tensor::from_inner(slope.clone()))
            .sum()
            .backward();
        let mut all = vec![values(y.inner()), values(x.grad(&gradients).unwrap())];
        all.extend(beside.grad(&gradients).map(values));
        all
    };
    for case in 0..8 {
        let [normalised, added, relu] = [0, 1, 2].map(|bit| case >> bit & 1 == 1);
        let expected = run(false, normalised, added, relu);
        let (found, ran) = kernel::record(|| run(true, normalised, added, relu));
        assert_eq!(expected.len(), found.len());
        for (found, expected) in found.iter().zip(&expected) {
            match normalised {
                // Rounded elsewhere.
                true => assert!(apart(found, expected) < 2e-6, "case {case}"),
                false => on.assert_same(found, expected, "case"),
            }
        }
        let composed = kernel::composed(|| run(true, normalised, added, relu));
        for (found, expected) in found.iter().zip(&composed) {
            assert!(apart(found, expected) < 2e-6, "case {case}");
        }
        if on.is("flex") {
            let operation = if added { "conv2d_add" } else { "conv2d" };
            assert_eq!(ran.len(), 1, "{ran:?}");
            assert_eq!((ran[0].operation, ran[0].path), (operation, Path::Kernel));
        }
    }
}

fn value_and_gradient_are_those_of_the_layers(on: &On) {
    // Oracle: the layers one after the other.
    let conv = Conv2dConfig::new([2, 3], 3)
        .with_stride(2)
        .init(&on.device());
    let conv = conv.with_weight(on.pattern([3, 2, 3, 3], 1));
    let norm = normalise(on, BatchNormConfig::new(3).init(&on.device()), 0);
    assert_same(on, &conv, &norm, &on.pattern([2, 2, 9, 9], 2), [2, 3, 4, 4]);
    for &group in on.among(&Group::ALL, &[Group::P4]) {
        let (norm, size) = (over_group(on, group, 0), group.size());
        let x = on.pattern([2, 2, 7, 7], 2);
        assert_same(on, &lifting(on, group), &norm, &x, [2, 3, size, 5, 5]);
        let x = on.pattern([2, 2, size, 5, 5], 2);
        assert_same(on, &group_conv(on, group), &norm, &x, [2, 3, size, 5, 5]);
    }
}

fn value_normalisations_that_learn(on: &On) {
    // Oracle: the layers one after the other; their running statistics.
    for &group in on.among(&Group::ALL, &[Group::P4]) {
        let shape = [2, 3, group.size(), 5, 5];
        let x = on.pattern([2, 2, group.size(), 5, 5], 2);
        let (beside, slope) = (on.pattern(shape, 8), on.pattern(shape, 9));
        let learns = |numbers: &Tensor<5>| Tensor::from_inner(numbers.clone()).require_grad();
        let run = |fused: bool, relu: bool| {
            let conv = group_conv(on, group).train();
            let norm = over_group(on, group, 0).train();
            let (x, beside) = (learns(&x), learns(&beside));
            let y = if fused {
                let behind = Behind {
                    norm: Some(&norm),
                    beside: Some(beside.clone()),
                    relu,
                };
                conv.forward_followed(x.clone(), behind)
            } else {
                let y = norm.forward(conv.forward(x.clone())) + beside.clone();
                if relu { y.relu() } else { y }
            };
            let gradients = (y.clone() * learns(&slope)).sum().backward();
            let mut all = vec![values(y.inner())];
            for input in [x, beside] {
                all.push(values(input.grad(&gradients).expect("it learns")));
            }
            all.push(values(conv.weight().grad(&gradients).expect("it learns")));
            let statistics = [&norm.norm.running_mean, &norm.norm.running_var];
            all.extend(statistics.map(|found| values(found.value_sync().inner())));
            all
        };
        for relu in [false, true] {
            let (found, expected) = (run(true, relu), run(false, relu));
            for (found, expected) in found.iter().zip(&expected) {
                on.assert_same(found, expected, "what learns");
            }
            assert_ne!(
                found[4],
                values(over_group(on, group, 0).norm.running_mean.value())
            );
        }
    }
}

fn value_normalisations_are_never_out_of_date(on: &On) {
    // Oracle: a block made of the same layers anew.
    let group = Group::P4;
    let x = on.pattern([1, 2, 4, 5, 5], 1);
    let respond = |block: &GroupBlock| values(block.forward(x.clone()));
    let fresh = |norm: &GroupBatchNorm| {
        let (conv, norm) = (group_conv(on, group), Some(norm.clone()));
        let pool = None;
        respond(&Block { conv, norm, pool })
    };
    let mut block: GroupBlock = Block {
        conv: group_conv(on, group),
        norm: Some(over_group(on, group, 0)),
        pool: None,
    };
    let mut before = respond(&block);
    assert_eq!(before, respond(&block));
    let mut change = |block: &GroupBlock| {
        let after = respond(block);
        assert_ne!(before, after);
        assert_eq!(after, fresh(block.norm.as_ref().unwrap()));
        before = after;
    };
    // Another one in its place.
    block.norm = Some(over_group(on, group, 10));
    change(&block);
    // Each of its numbers.
    let inner = |block: &mut GroupBlock, change: &dyn Fn(&mut BatchNorm)| {
        change(&mut block.norm.as_mut().unwrap().norm);
    };
    let state = |salt| RunningState::new(on.pattern::<1>([3], salt).abs() + 0.5);
    inner(&mut block, &|norm| norm.running_mean = state(20));
    change(&block);
    inner(&mut block, &|norm| norm.running_var = state(21));
    change(&block);
    inner(&mut block, &|norm| {
        norm.gamma = norm.gamma.clone().map(|gamma| gamma * 2.0)
    });
    change(&block);
    inner(&mut block, &|norm| {
        norm.beta = norm.beta.clone().map(|beta| beta + 1.0)
    });
    change(&block);
    inner(&mut block, &|norm| norm.epsilon = 1.0);
    change(&block);
}

fn convention_what_learns_is_not_folded(on: &On) {
    let group = Group::P4;
    let block: GroupBlock = Block {
        conv: group_conv(on, group),
        norm: Some(over_group(on, group, 0)),
        pool: None,
    };
    let x = on.pattern([2, 2, 4, 5, 5], 1);
    let inference = values(block.forward(x.clone()));
    // The batch's own statistics while training, and gradients for all that learns.
    let learning = block.clone().train();
    let y = learning.forward(Tensor::from_inner(x.clone()));
    assert!(apart(&values(y.clone().inner()), &inference) > 1e-2);
    let gradients = y.sum().backward();
    let norm = &learning.norm.as_ref().unwrap().norm;
    assert!(norm.gamma.val().grad(&gradients).is_some());
    assert!(learning.conv.weight().grad(&gradients).is_some());
    // Back in inference mode by the statistics that have moved.
    let after = learning.valid();
    let expected = after.norm.forward(after.conv.forward(x.clone())).relu();
    let found = values(after.forward(x));
    assert!(apart(&found, &values(expected)) < 2e-6);
    assert!(apart(&found, &inference) > 1e-3);
}

/// A convolution as one would write it outside of this crate.
struct Own(GroupConv2d);

impl Layer for Own {
    type Input = Tensor<5>;
    type Output = Tensor<5>;

    fn forward(&self, input: Tensor<5>) -> Tensor<5> {
        self.0.forward(input)
    }
}

impl Followed<GroupBatchNorm> for Own {}

fn value_provided_method_is_the_same(on: &On) {
    // Oracle: this crate's layer, kernels forbidden.
    let group = Group::P4;
    let (own, norm) = (Own(group_conv(on, group)), over_group(on, group, 0));
    let x = on.pattern([2, 2, 4, 5, 5], 2);
    for case in 0..8 {
        let [normalised, added, relu] = [0, 1, 2].map(|bit| case >> bit & 1 == 1);
        let behind = || Behind {
            norm: normalised.then_some(&norm),
            beside: added.then(|| on.pattern([2, 3, 4, 5, 5], 8)),
            relu,
        };
        kernel::composed(|| {
            let found = values(own.forward_followed(x.clone(), behind()));
            let expected = values(own.0.forward_followed(x.clone(), behind()));
            on.assert_same(&found, &expected, "case");
        });
    }
}
