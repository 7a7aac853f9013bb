//! Every operation from images to numbers, by name.

use super::given::{Coarse, SIDE, coarse, model, numbers, tensor};
use crate::common::On;
use burn::module::Module;
use burn::nn::BatchNormConfig;
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor};
use fireproof::attack::{CrossEntropy, L1, L2, Limits, Linf, Loss, Margin, Norm, Reference};
use fireproof::base::{Bounds, Degrees, Keys, Pixels, Precision, Purpose, Seed};
use fireproof::group::{Element, Group};
use fireproof::kernel::{self, Filters, LinfStep, linf_step};
use fireproof::model::SmallCnnConfig;
use fireproof::nn::{
    BlockConfig, CastWeights, Conv2dConfig, GroupAvgPool2dConfig, GroupBatchNormConfig,
    GroupConv2dConfig, GroupDropoutConfig, GroupMaxPool2dConfig, GroupPoolConfig, GroupReduction,
    InitialWeights, Layer, LayerConfig, LiftingConv2dConfig, LinearConfig, MaxPool2dConfig,
    NormalizeConfig,
};
use fireproof::transform::{
    Border, Pose, PoseBudget, RandomCrop, RandomFlip, TwoStep, Warp, flip_horizontal,
    flip_vertical, rot90, shift,
};

/// What is done to images `[2, 2, SIDE, SIDE]`, here of one element type.
type Run = fn(&Given, Tensor<4>) -> Tensor<1>;

/// Where and in which element type.
pub struct Given<'a> {
    pub on: &'a On,
    pub precision: Precision,
}

pub struct Operation {
    pub name: &'static str,
    /// Whether it has a gradient in the images.
    pub smooth: bool,
    pub run: Run,
}

/// All of them: a new operation of the crate is a line here and one in the document.
pub fn operations() -> Vec<Operation> {
    let smooth = |name, run| Operation {
        name,
        smooth: true,
        run,
    };
    let stepped = |name, run| Operation {
        name,
        smooth: false,
        run,
    };
    vec![
        smooth("`rot90`, flips, `shift`", |_, x| {
            flat(shift(
                flip_vertical(flip_horizontal(rot90(x, 1))),
                2,
                -1,
                Border::Reflect,
            ))
        }),
        smooth("`act_on_planes`, `act_on_features`", |_, x| {
            let element = Element::new(false, 3);
            let planes = Group::P4.act_on_planes(x, element);
            flat(Group::P4.act_on_features(features(planes), element))
        }),
        smooth("`Warp::nearest`", |_, x| {
            flat(Warp::nearest().apply(x, &poses()))
        }),
        smooth("`Warp::bilinear`", |_, x| {
            flat(Warp::bilinear().apply(x, &poses()))
        }),
        smooth("`Warp::apply_tensor`", |given, x| {
            let warp = Warp::bilinear().with_border(Border::Edge);
            let poses = given.tensor(&[30.5, 1.25, -2.5, -75.0, 0.5, 3.0], [2, 3]);
            flat(warp.apply_tensor(x, poses))
        }),
        smooth("`RandomCrop`, `RandomFlip`, `TwoStep`", |_, x| {
            let x = RandomCrop::new(2).apply(x, &keys());
            let x = RandomFlip::new(0.5).unwrap().apply(x, &keys());
            let moved = TwoStep::new(Degrees(30.0), Pixels(2.0)).unwrap();
            flat(moved.apply(x, &keys()))
        }),
        smooth("`Normalize`", |given, x| {
            let constants = NormalizeConfig::new(vec![0.5, 0.25], vec![0.5, 0.25]);
            flat(constants.init(&given.device()).forward(x))
        }),
        smooth("`Conv2d`", |given, x| {
            given.layer(Conv2dConfig::new([2, 3], 3).with_padding(1), x)
        }),
        smooth("`LiftingConv2d`, `GroupConv2d`", |given, x| {
            let lift = LiftingConv2dConfig::new(Group::P4, [2, 2], 3);
            given.layer((lift, GroupConv2dConfig::new(Group::P4, [2, 2], 5)), x)
        }),
        smooth("`Linear`", |given, x| {
            given.layer(LinearConfig::new([SIDE, 3]), rows(x))
        }),
        smooth("`kernel::conv2d`, `relu`", |given, x| {
            let weight = given.numbers(2, 3 * 2 * 9, -0.5, 0.5);
            let filters = Filters::new(given.tensor(&weight, [3, 2, 3, 3]), None);
            let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
            flat(kernel::relu(kernel::conv2d(x, &filters, options, false)))
        }),
        smooth("`kernel::linear`", |given, x| {
            let weight = given.numbers(3, SIDE * 4, -0.5, 0.5);
            let weight = given.tensor(&weight, [SIDE, 4]);
            let bias = given.tensor(&[0.25, -0.5, 0.0, 1.0], [4]);
            flat(kernel::linear(rows(x), weight, Some(bias), true))
        }),
        smooth("`kernel::max_pool2d`, `avg_pool2d`", |_, x| {
            let pooled = kernel::max_pool2d(x, MaxPoolOptions::new([3, 3]), true);
            flat(kernel::avg_pool2d(pooled, AvgPoolOptions::new([2, 2])))
        }),
        smooth("`kernel::group_max`", |_, x| {
            flat(kernel::group_max(features(x)))
        }),
        smooth("`MaxPool2d`", |given, x| {
            given.layer(MaxPool2dConfig::new(2), x)
        }),
        smooth("`GroupMaxPool2d`, `GroupAvgPool2d`", |given, x| {
            let max = GroupMaxPool2dConfig::new(Group::P4, 2);
            given.layer((max, GroupAvgPool2dConfig::new(Group::P4, 2)), features(x))
        }),
        smooth("`GroupPool`", |given, x| {
            let [max, mean] = [GroupReduction::Max, GroupReduction::Mean];
            let max = given.layer(GroupPoolConfig::new(max), features(x.clone()));
            let mean = GroupPoolConfig::new(mean)
                .init()
                .forward_global(features(x));
            Tensor::cat(vec![max, flat(mean)], 0)
        }),
        smooth("`GroupBatchNorm`, running statistics", |given, x| {
            given.layer(GroupBatchNormConfig::new(Group::P4, 2), features(x))
        }),
        smooth("`GroupBatchNorm`, statistics of the batch", |given, x| {
            given.training_layer(GroupBatchNormConfig::new(Group::P4, 2), features(x))
        }),
        smooth("`BatchNorm` of Burn", |given, x| {
            given.training_layer(BatchNormConfig::new(2), x)
        }),
        smooth("`GroupDropout`", |_, x| {
            let dropout = GroupDropoutConfig::new(0.25).init();
            let x = if x.is_autodiff() { x } else { x.autodiff() };
            flat(dropout.forward_with(x, &keys()))
        }),
        smooth("`Block`", |given, x| {
            let block = BlockConfig::new(LiftingConv2dConfig::new(Group::P4m, [2, 2], 3))
                .with_batch_norm(true)
                .with_max_pool(2);
            given.layer(block, x)
        }),
        smooth("`Cnn`", |given, x| {
            let model = model(&given.device(), given.precision).valid();
            flat(model.forward(x))
        }),
        smooth("`SmallCnn`", |given, x| {
            let model = SmallCnnConfig::new([2, SIDE, SIDE], 3).with_seed(3);
            let model = model.init(&given.device()).unwrap();
            // The last layer starts at zero.
            let mut weights = InitialWeights::uniform(5);
            flat(given.cast(model.map(&mut weights)).valid().forward(x))
        }),
        smooth("`CrossEntropy`, `Margin`", |given, x| {
            let logits = rows(x).narrow(1, 0, 4) * 4.0;
            let labels = given.on.labels(&[0, 1, 2, 3]).repeat_dim(0, SIDE);
            let reference = Reference::new(labels);
            let losses = [&CrossEntropy as &dyn Loss, &Margin];
            let losses = losses.map(|loss| loss.per_image(logits.clone(), &reference));
            Tensor::cat(losses.to_vec(), 0)
        }),
        stepped("`Linf`", |given, x| norm(&Linf, 0.125, given, x)),
        stepped("`L2`", |given, x| norm(&L2, 2.0, given, x)),
        stepped("`L1`", |given, x| norm(&L1, 20.0, given, x)),
        stepped("`kernel::linf_step`", |given, x| {
            let step = LinfStep {
                length: 0.25,
                epsilon: 0.375,
                bounds: [0.0, 1.0],
            };
            flat(linf_step(x.clone(), given.change(&x), &x, step))
        }),
    ]
}

// Projections of images moved far, steps, lengths.
fn norm(norm: &dyn Norm, epsilon: f64, given: &Given, x: Tensor<4>) -> Tensor<1> {
    let limits = Limits {
        originals: &x,
        epsilon,
        bounds: Bounds::default(),
    };
    let change = given.change(&x);
    let moved = x.clone() + change.clone();
    let images = [
        norm.project(moved.clone(), limits),
        norm.steepest(change.clone(), 0.5),
        norm.step(moved, change.clone(), 0.5, limits),
    ];
    let mut all = images.map(flat).to_vec();
    all.push(norm.lengths(change));
    Tensor::cat(all, 0)
}

impl Given<'_> {
    pub fn device(&self) -> Device {
        self.on.device()
    }

    pub fn tensor<const D: usize>(&self, values: &[f64], shape: [usize; D]) -> Tensor<D> {
        tensor(self.on, self.precision, values, shape)
    }

    fn numbers(&self, stream: u64, count: usize, low: f64, high: f64) -> Vec<f64> {
        let mut draws = Seed(6).draws(Purpose::Subset, stream, 0);
        coarse(&mut draws, count, low, high)
    }

    // A perturbation, or a gradient.
    fn change(&self, x: &Tensor<4>) -> Tensor<4> {
        let shape = x.dims();
        let values = self.numbers(1, shape.iter().product(), -1.0, 1.0);
        self.tensor(&values, shape)
    }

    // With weights that are the same numbers in every element type.
    fn cast<M: Module>(&self, module: M) -> M {
        let weights = module.map(&mut InitialWeights::uniform(3));
        let coarse = weights.map(&mut Coarse);
        coarse.map(&mut CastWeights(self.precision))
    }

    fn layer<C: LayerConfig>(&self, config: C, x: <C::Layer as Layer>::Input) -> Tensor<1>
    where
        <C::Layer as Layer>::Output: Flat,
    {
        // In inference mode, whatever the images are on.
        let layer = self.cast(config.init(&self.device())).valid();
        layer.forward(x).numbers()
    }

    // On an autodiff device, as in training.
    fn training_layer<const D: usize, C: LayerConfig>(&self, config: C, x: Tensor<D>) -> Tensor<1>
    where
        C::Layer: Layer<Input = Tensor<D>>,
        <C::Layer as Layer>::Output: Flat,
    {
        let layer = self.cast(config.init(&self.device().autodiff()));
        let x = if x.is_autodiff() { x } else { x.autodiff() };
        layer.forward(x).numbers()
    }
}

pub trait Flat {
    fn numbers(self) -> Tensor<1>;
}

impl<const D: usize> Flat for Tensor<D> {
    fn numbers(self) -> Tensor<1> {
        flat(self)
    }
}

fn flat<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    let count = x.shape().num_elements();
    x.reshape([count])
}

fn rows(x: Tensor<4>) -> Tensor<2> {
    x.reshape([4 * SIDE, SIDE])
}

// Over p4, from the quarters of the images.
fn features(x: Tensor<4>) -> Tensor<5> {
    x.reshape([2, 2, 4, SIDE / 2, SIDE / 2])
}

fn poses() -> Vec<Pose> {
    let budget = PoseBudget::new(Degrees(60.0), Pixels(3.0)).unwrap();
    budget.draw(&keys())
}

fn keys() -> Keys {
    Keys::new(3, [10, 20])
}

/// How far numbers are from others, in units of the largest of these; infinite if any is NaN.
pub fn distance(found: &Tensor<1>, expected: &[f64]) -> f64 {
    let found = numbers(found);
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
    let each = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    each.fold(0.0, |most: f64, error| match error.is_nan() {
        true => f64::INFINITY,
        false => most.max(error / largest),
    })
}
