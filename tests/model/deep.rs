//! The deep networks: parameters, sizes, exactness, initial weights. Their layers are tested on every device
//! elsewhere; all of these here would take WGPU many minutes to compile.

use super::given::images;
use crate::common::{On, values};
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};
use fireproof::base::{Classifier, Purpose, Seed};
use fireproof::group::{Element, Group};
use fireproof::kernel::Numerics;
use fireproof::model::{MadryCnnConfig, ResNetConfig, VggConfig, WideResNetConfig, num_learned};
use fireproof::nn::{
    BasicBlockConfig, Downsampling, GroupBatchNormConfig, LayerConfig, PreActivationBlockConfig,
    ResidualPath,
};

on_this_device![
    value_published_counts_of_deep_networks,
    value_sizes_and_counts_come_from_the_list_of_layers,
    equivariance_resnet_bit_equal,
    equivariance_deep_networks_with_random_weights,
    value_strides_break_equivariance,
    value_initial_weights_as_published,
    error_deep_networks_that_make_no_sense,
];

const IMAGE: [usize; 3] = [3, 32, 32];

fn resnet(group: Group) -> ResNetConfig {
    ResNetConfig::resnet18(group, IMAGE, 10)
}

/// The same depth, and hardly a channel.
fn narrow(group: Group) -> ResNetConfig {
    ResNetConfig {
        widths: [2, 2, 3, 3],
        ..resnet(group)
    }
}

fn value_published_counts_of_deep_networks(on: &On) {
    // Oracle: the counts of the published networks, running statistics not among them.
    let device = on.device();
    let count = |config: ResNetConfig| num_learned(&config.init(&device).unwrap());
    assert_eq!(count(resnet(Group::P1)), 11_173_962);
    assert_eq!(count(resnet(Group::P4m)), 11_201_415);
    let vgg = VggConfig::vgg16(Group::P1, IMAGE, 10);
    assert_eq!(num_learned(&vgg.init(&device).unwrap()), 14_728_266);
    for (classes, expected) in [(10, 46_160_474), (100, 46_218_164)] {
        let wide = WideResNetConfig::wrn_34_10(Group::P1, IMAGE, classes);
        assert_eq!(num_learned(&wide.init(&device).unwrap()), expected);
    }
    let madry = MadryCnnConfig::new([1, 28, 28], 10);
    let madry = madry.init(&device).unwrap();
    assert_eq!(num_learned(&madry), 3_274_634);
    // No head has as many over a group as its features have components.
    let published = count(resnet(Group::P4m));
    let exact = count(resnet(Group::P4m).equivariant());
    assert_eq!(published - exact, 7 * 181 * 10);
}

fn value_sizes_and_counts_come_from_the_list_of_layers(on: &On) {
    // Oracle: the layers themselves.
    for group in Group::ALL {
        for (stride, channels) in [(1, [3, 3]), (1, [3, 4]), (2, [3, 4]), (2, [3, 3])] {
            for downsampling in [Downsampling::Strided, Downsampling::Pooled] {
                let path = ResidualPath {
                    group,
                    channels,
                    stride,
                    downsampling,
                };
                let side = 8 / stride;
                let shape = [1, channels[1], group.size(), side, side];
                let input =
                    || Tensor::<5>::ones([1, channels[0], group.size(), 8, 8], &on.device());
                macro_rules! same {
                    ($config:expr) => {{
                        use fireproof::nn::Layer;
                        let config = $config;
                        let layer = config.init(&on.device());
                        assert_eq!(config.num_params(), layer.num_params(), "{config:?}");
                        assert_eq!(config.check([8, 8]).unwrap(), [side; 2], "{config:?}");
                        assert_eq!(layer.forward(input()).dims(), shape, "{config:?}");
                    }};
                }
                same!(BasicBlockConfig(path));
                same!(PreActivationBlockConfig(path));
            }
        }
    }
    for (group, image) in [(Group::P4, [1, 16, 24]), (Group::P1, [2, 17, 19])] {
        let config = ResNetConfig {
            image,
            ..narrow(group)
        };
        let [channels, height, width] = image;
        let logits = |config: ResNetConfig| {
            let model = config.init(&on.device()).unwrap();
            model
                .logits(images(on, [2, channels, height, width]))
                .dims()
        };
        assert_eq!(logits(config.clone()), [2, 10]);
        if group != Group::P1 {
            assert_eq!(logits(config.equivariant()), [2, 10]);
        }
    }
}

/// Gives convolutions one or two weights of ±1 for each output, and normalisations a scale of 1.
struct Sparse {
    path: Vec<String>,
    count: u64,
    gamma: f32,
}

impl Sparse {
    fn weights<const D: usize>(&mut self, shape: [usize; D]) -> Vec<f32> {
        let mut draws = Seed(5).draws(Purpose::Weights, self.count, 0);
        self.count += 1;
        // The first convolution of a block has two, each other one.
        let taps = if self.path.iter().any(|name| name == "conv1") {
            2
        } else {
            1
        };
        let seen: usize = shape[1..].iter().product();
        let mut weights = vec![0.0; shape[0] * seen];
        for row in weights.chunks_mut(seen) {
            for _ in 0..taps {
                let at = draws.below(seen as u64) as usize;
                row[at] = if draws.chance(0.75) { 1.0 } else { -1.0 };
            }
        }
        weights
    }
}

impl ModuleMapper for Sparse {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.last().cloned().unwrap_or_default();
        let dims = param.val().dims();
        let values = match name.as_str() {
            "weight" if D > 2 => self.weights(dims),
            "gamma" => vec![self.gamma; dims[0]],
            _ => return param,
        };
        param.map(|tensor| Tensor::from_data(TensorData::new(values, dims), &tensor.device()))
    }
}

/// The scale with which a normalisation in inference mode changes no whole number: 1 but for the ε
/// under its root.
fn neutral(on: &On) -> f32 {
    let numbers = Vec::from_iter((0..24).flat_map(|bit| [1u32 << bit, (1u32 << bit) - 1]));
    let numbers = Vec::from_iter(numbers.into_iter().map(|number| number as f32));
    let shape = [1, 1, 1, 1, numbers.len()];
    let x: Tensor<5> = on.tensor(numbers.clone(), shape);
    let about = (1.0f64 + 1e-5).sqrt() as f32;
    let near = (-8i32..=8).map(|step| f32::from_bits((about.to_bits() as i32 + step) as u32));
    let found = near.into_iter().find(|&gamma| {
        let mut layer = GroupBatchNormConfig::new(Group::P1, 1).init(&on.device());
        layer.norm.gamma = layer.norm.gamma.map(|old| old.full_like(gamma));
        values(layer.forward(x.clone())) == numbers
    });
    found.expect("a scale that rounds to 1")
}

fn equivariance_resnet_bit_equal(on: &On) {
    // Oracle: the definition, where every sum is exact. Images have three bits; a block makes no number
    // larger than three times the largest before it (two taps, then one, beside one), and each of the
    // three means of four splits the unit by four.
    let largest = 4.0 * 3f64.powi(8) * 64.0;
    assert!(largest < f64::from(1 << 24));
    let gamma = neutral(on);
    for group in [Group::P4, Group::P4m] {
        let model = narrow(group).equivariant().init(&on.device()).unwrap();
        let mut sparse = Sparse {
            path: Vec::new(),
            count: 0,
            gamma,
        };
        let model = model.map(&mut sparse).valid();
        let mut draws = Seed(9).draws(Purpose::Subset, 0, 0);
        let pixels = (0..2 * 3 * 32 * 32).map(|_| draws.below(9) as f32 - 4.0);
        let x: Tensor<4> = on.tensor(pixels.collect(), [2, 3, 32, 32]);
        let upright = model.features(x.clone());
        let shown = values(upright.clone());
        let nonzero = shown.iter().filter(|&&value| value != 0.0).count();
        assert!(nonzero * 20 > shown.len(), "{nonzero} of {}", shown.len());
        for g in group.elements() {
            let of_moved = values(model.features(group.act_on_planes(x.clone(), g)));
            let moved = values(group.act_on_features(upright.clone(), g));
            match Numerics::current() {
                Numerics::Exact => assert!(of_moved == moved, "{group}, {g}: not bit-equal"),
                // Filters are transformed with fractions.
                Numerics::Fast => assert!(apart(&of_moved, &moved) < 1e-4, "{group}, {g}"),
            }
        }
    }
}

/// The largest difference, in units of the largest number.
fn apart(of_moved: &[f32], moved: &[f32]) -> f32 {
    assert!(of_moved.iter().chain(moved).all(|value| value.is_finite()));
    let largest =
        |numbers: &mut dyn Iterator<Item = f32>| numbers.fold(0.0, |a: f32, b| a.max(b.abs()));
    let difference = largest(&mut of_moved.iter().zip(moved).map(|(a, b)| a - b));
    difference / largest(&mut moved.iter().copied())
}

fn equivariance_deep_networks_with_random_weights(on: &On) {
    // Oracle: the definition; logits do not change at all.
    for group in [Group::P4, Group::P4m] {
        let x = images(on, [2, 3, 32, 32]);
        let wide = WideResNetConfig {
            widths: [2, 2, 3, 4],
            blocks: 2,
            ..WideResNetConfig::wrn_34_10(group, IMAGE, 10)
        };
        let vgg = VggConfig {
            widths: [2, 2, 3, 3, 4],
            ..VggConfig::vgg16(group, IMAGE, 10)
        };
        let (resnet, wide) = (narrow(group).equivariant(), wide.equivariant());
        let resnet = resnet.init(&on.device()).unwrap();
        let wide = wide.init(&on.device()).unwrap();
        let vgg = vgg.with_head(fireproof::model::Head::Pooled);
        let vgg = vgg.init(&on.device()).unwrap();
        let [a, b, c] = [
            resnet.features(x.clone()),
            wide.features(x.clone()),
            vgg.features(x.clone()),
        ];
        let logits = |x: Tensor<4>| {
            let all = vec![
                resnet.forward(x.clone()),
                wide.forward(x.clone()),
                vgg.forward(x),
            ];
            Vec::from_iter(all.into_iter().map(values))
        };
        let upright = logits(x.clone());
        for g in group.elements() {
            let moved = group.act_on_planes(x.clone(), g);
            for (name, of_moved, features) in [
                ("ResNet", resnet.features(moved.clone()), &a),
                ("WideResNet", wide.features(moved.clone()), &b),
                ("Vgg", vgg.features(moved.clone()), &c),
            ] {
                let features = group.act_on_features(features.clone(), g);
                let error = apart(&values(of_moved), &values(features));
                assert!(error <= 1e-5, "{name}, {group}, {g}: {error}");
            }
            for (now, before) in logits(moved).iter().zip(&upright) {
                let error = apart(now, before);
                assert!(error <= 1e-5, "logits, {group}, {g}: {error}");
            }
        }
    }
}

fn value_strides_break_equivariance(on: &On) {
    // The published variant, on the same images: how inexact it is, is printed.
    for group in [Group::P4, Group::P4m] {
        let x = images(on, [4, 3, 32, 32]);
        let model = narrow(group).init(&on.device()).unwrap();
        let turn = Element::new(false, 1);
        let of_moved = model.features(group.act_on_planes(x.clone(), turn));
        let moved = group.act_on_features(model.features(x), turn);
        let error = apart(&values(of_moved), &values(moved));
        println!(
            "{group}: strides on 32×32 leave a relative error of {error:.2} by a quarter turn"
        );
        assert!(error > 0.1, "{group}: {error}");
    }
    // On 33 rows strides lose nothing: 33 → 17 → 9 → 5.
    let odd = ResNetConfig {
        image: [3, 33, 33],
        ..narrow(Group::P4)
    };
    let model = odd.init(&on.device()).unwrap();
    let x = images(on, [2, 3, 33, 33]);
    let turn = Element::new(false, 1);
    let of_moved = model.features(Group::P4.act_on_planes(x.clone(), turn));
    let moved = Group::P4.act_on_features(model.features(x), turn);
    let error = apart(&values(of_moved), &values(moved));
    assert!(error <= 1e-5, "{error}");
}

fn value_initial_weights_as_published(on: &On) {
    // Oracle: the published formulas. Deviations of some thousand draws, within five of their errors.
    let deviation = |weights: &[f32]| {
        let squares: f64 = weights.iter().map(|&w| f64::from(w) * f64::from(w)).sum();
        (squares / weights.len() as f64).sqrt()
    };
    let near = |found: f64, expected: f64, count: usize| {
        let error = 5.0 / (count as f64).sqrt();
        assert!((found / expected - 1.0).abs() < error, "{found} {expected}");
    };
    let mut all = Collected::default();
    let model = ResNetConfig {
        widths: [16, 16, 16, 16],
        ..resnet(Group::P4m)
    };
    model.init(&on.device()).unwrap().visit(&mut all);
    // Uniform in ±1/√(in · side²), the group not counted. Two for each of eight blocks, three beside.
    assert_eq!(all.of("weight", 5).count(), 16 + 3);
    for (shape, weights) in all.of("weight", 5) {
        let bound = 1.0 / ((shape[1] * shape[3] * shape[4]) as f64).sqrt();
        near(deviation(weights), bound / 3f64.sqrt(), weights.len());
        assert!(
            weights
                .iter()
                .all(|&w| f64::from(w).abs() <= bound * 1.000_001)
        );
    }
    let mut all = Collected::default();
    let wide = WideResNetConfig {
        widths: [16, 16, 24, 32],
        blocks: 1,
        ..WideResNetConfig::wrn_34_10(Group::P1, IMAGE, 10)
    };
    wide.init(&on.device()).unwrap().visit(&mut all);
    // Two for each of three blocks, two beside them.
    assert_eq!(all.of("weight", 5).count(), 6 + 2);
    for (shape, weights) in all.of("weight", 5) {
        let expected = (2.0 / (shape[0] * shape[3] * shape[4]) as f64).sqrt();
        near(deviation(weights), expected, weights.len());
    }
    assert_eq!(all.of("bias", 1).count(), 1);
    assert!(
        all.of("bias", 1)
            .all(|(_, bias)| bias.iter().all(|&b| b == 0.0))
    );
    let mut all = Collected::default();
    let madry = MadryCnnConfig::new([1, 28, 28], 10);
    madry.init(&on.device()).unwrap().visit(&mut all);
    for (_, weights) in all.of("weight", 4).chain(all.of("weight", 2)) {
        // Of a normal number that is at most two deviations from 0 the deviation is 0.8796.
        near(deviation(weights), 0.087_96, weights.len());
        assert!(weights.iter().all(|w| w.abs() <= 0.2));
    }
    assert_eq!(all.of("bias", 1).count(), 4);
    assert!(
        all.of("bias", 1)
            .all(|(_, bias)| bias.iter().all(|&b| b == 0.1))
    );
}

/// All parameters of a module: name, shape, values.
#[derive(Default)]
struct Collected {
    path: Vec<String>,
    found: Vec<(String, Vec<usize>, Vec<f32>)>,
}

impl Collected {
    fn of(&self, name: &str, rank: usize) -> impl Iterator<Item = (&[usize], &[f32])> {
        let wanted = move |(found, shape, _): &&(String, Vec<usize>, Vec<f32>)| {
            found == name && shape.len() == rank
        };
        let found = self.found.iter().filter(wanted);
        found.map(|(_, shape, values)| (&shape[..], &values[..]))
    }
}

impl burn::module::ModuleVisitor for Collected {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let name = self.path.last().cloned().unwrap_or_default();
        let tensor = param.val();
        self.found
            .push((name, tensor.dims().to_vec(), values(tensor)));
    }
}

fn error_deep_networks_that_make_no_sense(on: &On) {
    let device = on.device();
    macro_rules! refused {
        ($config:expr, $($said:literal),+) => {{
            let error = $config.init(&device).unwrap_err().to_string();
            let parts = [$($said),+];
            assert!(error.starts_with(parts[0]), "{error}");
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        }};
    }
    let resnet = narrow(Group::P4);
    let vgg = VggConfig::vgg16(Group::P1, IMAGE, 10);
    let wide = WideResNetConfig::wrn_34_10(Group::P1, IMAGE, 10);
    // 30 → 15, which a mean of 2×2 cannot halve.
    let odd = resnet.clone().with_image([3, 30, 32]).equivariant();
    refused!(odd, "ResNet over p4 on 30×32 images: ", "would see 15×16");
    let small = vgg.clone().with_image([3, 16, 32]);
    refused!(small, "Vgg over p1 on 16×32 images: ");
    refused!(
        resnet.clone().with_widths([2, 0, 3, 3]),
        "widths = [2, 0, 3, 3]: "
    );
    refused!(
        vgg.with_depths([1, 1, 0, 1, 1]),
        "depths = [1, 1, 0, 1, 1]: "
    );
    refused!(resnet.with_depths([2, 2, 2, 0]), "depths = [2, 2, 2, 0]: ");
    refused!(wide.clone().with_blocks(0), "blocks = 0: ");
    refused!(wide.with_classes(1), "classes = 1: ");
}
