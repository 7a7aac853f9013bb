//! Shapes of outputs, and the sizes that layers accept.
//!
//! Oracle: the layer itself and the arithmetic of its grid.

use super::given::group_conv;
use crate::common::On;
use burn::tensor::Tensor;
use fireproof::base::Error;
use fireproof::group::Group;
use fireproof::nn::*;

on_every_device![
    shape_of_every_layer,
    shape_check_agrees_with_forward,
    error_inexact_size,
    error_kernel_larger_than_image,
    value_inexact_sizes_pass_where_nothing_is_promised,
    error_forward_refuses_what_check_refuses: "sizes that work: 7×7, 9×9",
    error_features_of_another_group: "group axis of features for p4m",
];

fn shape_of_every_layer(on: &On) {
    let device = on.device();
    for &group in on.among(&Group::ALL, &[Group::P4m]) {
        let size = group.size();
        let images = Tensor::<4>::zeros([2, 3, 11, 9], &device);
        let conv = LiftingConv2dConfig::new(group, [3, 4], 3)
            .with_stride(2)
            .with_padding(1)
            .init(&device);
        let x = conv.forward(images);
        assert_eq!(x.dims(), [2, 4, size, 6, 5]);
        let conv = GroupConv2dConfig::new(group, [4, 5], 2)
            .with_dilation(2)
            .with_bias(false)
            .init(&device);
        let x = conv.forward(x);
        assert_eq!(x.dims(), [2, 5, size, 4, 3]);
        assert!(conv.bias().is_none());
        let x = GroupBatchNormConfig::new(group, 5).init(&device).forward(x);
        let x = GroupDropoutConfig::new(0.5).init().forward(x);
        assert_eq!(x.dims(), [2, 5, size, 4, 3]);
        let max = GroupMaxPool2dConfig::new(group, 2).with_stride(1).init();
        let avg = GroupAvgPool2dConfig::new(group, 2).with_stride(1).init();
        assert_eq!(max.forward(x.clone()).dims(), [2, 5, size, 3, 2]);
        assert_eq!(avg.forward(x.clone()).dims(), [2, 5, size, 3, 2]);
        let pool = GroupPoolConfig::new(GroupReduction::Mean).init();
        assert_eq!(pool.forward(x).dims(), [2, 5, 4, 3]);
    }
}

fn shape_check_agrees_with_forward(on: &On) {
    let device = on.device();
    for stride in 1..4 {
        for &[height, width] in on.among(&[[7, 7], [13, 7], [10, 16]], &[[13, 7]]) {
            let conv = LiftingConv2dConfig::new(Group::P4, [1, 1], 3)
                .with_stride(stride)
                .with_exact(false)
                .init(&device);
            let [_, _, _, rows, columns] = conv
                .forward(Tensor::zeros([1, 1, height, width], &device))
                .dims();
            assert_eq!(conv.check([height, width]).unwrap(), [rows, columns]);
        }
    }
}

type Check = Box<dyn Fn([usize; 2]) -> fireproof::base::Result<[usize; 2]>>;

/// Every layer with a footprint, with kernel 3, stride 2 and no padding.
fn strided(on: &On, group: Group, exact: bool) -> Vec<(&'static str, Check)> {
    let device = on.device();
    let lifting = LiftingConv2dConfig::new(group, [1, 1], 3)
        .with_stride(2)
        .with_exact(exact)
        .init(&device);
    let conv = GroupConv2dConfig::new(group, [1, 1], 3)
        .with_stride(2)
        .with_exact(exact)
        .init(&device);
    let max = GroupMaxPool2dConfig::new(group, 3)
        .with_stride(2)
        .with_exact(exact)
        .init();
    let avg = GroupAvgPool2dConfig::new(group, 3)
        .with_stride(2)
        .with_exact(exact)
        .init();
    vec![
        ("LiftingConv2d", Box::new(move |size| lifting.check(size))),
        ("GroupConv2d", Box::new(move |size| conv.check(size))),
        ("GroupMaxPool2d", Box::new(move |size| max.check(size))),
        ("GroupAvgPool2d", Box::new(move |size| avg.check(size))),
    ]
}

fn error_inexact_size(on: &On) {
    for group in [Group::P4, Group::P4m] {
        for (name, check) in strided(on, group, true) {
            assert_eq!(check([9, 13]).unwrap(), [4, 6]);
            for size in [[8, 8], [9, 8], [8, 9]] {
                let error = check(size).unwrap_err();
                let text = error.to_string();
                let Error::Size {
                    height,
                    width,
                    works,
                    ..
                } = error
                else {
                    panic!("{text}");
                };
                assert_eq!([height, width], size);
                assert!(
                    text.starts_with(&format!("{name} ({group}, k=3, s=2, p=0, d=1)")),
                    "{text}"
                );
                assert!(text.contains("mod s = 1"), "{text}");
                for side in works {
                    assert!(check([side, side]).is_ok(), "{text}");
                }
            }
            let Error::Size { works, .. } = check([8, 8]).unwrap_err() else {
                unreachable!()
            };
            assert_eq!(works, [7, 9]);
        }
    }
}

fn error_kernel_larger_than_image(on: &On) {
    let plain = Conv2dConfig::new([1, 1], 3).init(&on.device());
    let pool = MaxPool2dConfig::new(3).init();
    let mut layers = strided(on, Group::P4, true);
    layers.push(("MaxPool2d", Box::new(move |size| pool.check(size))));
    layers.push(("Conv2d", Box::new(move |size| plain.check(size))));
    for (name, check) in layers {
        let text = check([2, 5]).unwrap_err().to_string();
        assert!(
            text.contains(name) && text.contains("the kernel spans 3 pixels"),
            "{text}"
        );
    }
}

fn value_inexact_sizes_pass_where_nothing_is_promised(on: &On) {
    // Over p1 there is no turn to commute with; elsewhere one can opt out.
    for (name, check) in strided(on, Group::P1, true) {
        assert_eq!(check([8, 8]).unwrap(), [3, 3], "{name}");
    }
    for (name, check) in strided(on, Group::P4m, false) {
        assert_eq!(check([8, 8]).unwrap(), [3, 3], "{name}");
    }
}

fn error_forward_refuses_what_check_refuses(on: &On) {
    let conv = LiftingConv2dConfig::new(Group::P4, [1, 1], 3)
        .with_stride(2)
        .init(&on.device());
    conv.forward(Tensor::zeros([1, 1, 8, 8], &on.device()));
}

fn error_features_of_another_group(on: &On) {
    group_conv(on, Group::P4m).forward(Tensor::zeros([1, 2, 4, 5, 5], &on.device()));
}
