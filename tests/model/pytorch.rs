//! The deep networks against PyTorch: logits, training-mode batch norm, gradients of all parameters.
//!
//! Oracle: `tests/fixtures/make_deep.py`, with PyTorch in float64 on weights of a formula.

use crate::common::{On, values};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor, TensorData};
use fireproof::base::Classifier;
use fireproof::group::Group;
use fireproof::model::{
    CnnConfig, MadryCnnConfig, ResNetConfig, SmallCnnConfig, VggConfig, WideResNetConfig,
};
use serde_json::Value;

// Networks of millions of weights, and what is new in them is made of layers that every device is tested
// with: on the CPU alone.
on_this_device![value_logits_of_pytorch, value_training_pass_of_pytorch];

pub const IMAGES: u32 = 1_000_000;
const SUMMED: u32 = 1_000_001;
const SIGNS: u32 = 1_000_002;

/// As the function of this name in the script.
pub fn numbers(count: usize, salt: u32, low: f64, high: f64) -> Vec<f32> {
    let number = |at: u32| {
        let mut x = at.wrapping_add(salt.wrapping_mul(0x9e37_79b9));
        x = (x ^ (x >> 16)).wrapping_mul(0x85eb_ca6b);
        x = (x ^ (x >> 13)).wrapping_mul(0xc2b2_ae35);
        let unit = f64::from((x ^ (x >> 16)) >> 8) / f64::from(1 << 24);
        (low + (high - low) * unit) as f32
    };
    (0..count as u32).map(number).collect()
}

fn fixture() -> Value {
    serde_json::from_str(include_str!("../fixtures/deep.json")).unwrap()
}

fn of(value: &Value) -> Vec<f64> {
    let numbers = value.as_array().unwrap().iter();
    numbers.map(|number| number.as_f64().unwrap()).collect()
}

/// Gives the n-th parameter the numbers of salt n.
#[derive(Default)]
struct Formula {
    path: Vec<String>,
    count: u32,
}

impl ModuleMapper for Formula {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let dims = param.val().dims();
        let (low, high) = match (self.path.last().unwrap().as_str(), &dims[..]) {
            ("weight", &[input, _]) => {
                let bound = (input as f64).powf(-0.5);
                (-bound, bound)
            }
            ("weight", shape) => {
                let bound = (6.0 / shape[1..].iter().product::<usize>() as f64).sqrt();
                (-bound, bound)
            }
            ("bias", _) => (-0.1, 0.1),
            ("gamma" | "running_var", _) => (0.5, 1.5),
            ("beta" | "running_mean", _) => (-0.2, 0.2),
            (other, _) => panic!("a parameter {other}"),
        };
        let values = numbers(dims.iter().product(), self.count, low, high);
        self.count += 1;
        param.map(|tensor| Tensor::from_data(TensorData::new(values, dims), &tensor.device()))
    }
}

fn filled<M: Module>(model: M) -> M {
    model.map(&mut Formula::default())
}

/// Whether finite numbers are no farther than this from what is expected, in units of its largest one.
pub fn assert_near(found: &[f32], expected: &[f64], most: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    assert!(found.iter().all(|number| number.is_finite()), "{what}");
    let largest = expected.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
    let apart = found
        .iter()
        .zip(expected)
        .map(|(a, b)| (f64::from(*a) - b).abs());
    let error = apart.fold(0.0, f64::max) / largest;
    println!("{what}: relative error {error:.1e}");
    assert!(error <= most, "{what}: {error}");
}

fn value_logits_of_pytorch(on: &On) {
    let fixture = fixture();
    let device = on.device();
    let compare = |name: &str, model: &dyn Classifier, [channels, side]: [usize; 2]| {
        let shape = [2, channels, side, side];
        let images = numbers(shape.iter().product(), IMAGES, 0.0, 1.0);
        let ours = values(model.logits(on.tensor(images, shape)));
        let theirs = of(&fixture["logits"][name]);
        assert_near(&ours, &theirs, 1e-4, name);
    };
    let image = [3, 32, 32];
    let digit = [1, 28, 28];
    macro_rules! same {
        ($name:literal, $config:expr) => {{
            let config = $config;
            let [channels, side, _] = config.image;
            compare(
                $name,
                &filled(config.init(&device).unwrap()),
                [channels, side],
            );
        }};
    }
    same!("vgg16 p1", VggConfig::vgg16(Group::P1, image, 10));
    same!("resnet18 p1", ResNetConfig::resnet18(Group::P1, image, 10));
    let p4m = ResNetConfig::resnet18(Group::P4m, image, 10);
    same!("resnet18 p4m", p4m.clone());
    same!("resnet18 p4m equivariant", p4m.equivariant());
    let p4 = ResNetConfig::resnet18(Group::P4, image, 10);
    same!("resnet18 p4 equivariant", p4.equivariant());
    same!(
        "wrn-34-10 p1",
        WideResNetConfig::wrn_34_10(Group::P1, image, 10)
    );
    same!("cnn p1", CnnConfig::new(Group::P1, digit, 10));
    same!("cnn p4", CnnConfig::new(Group::P4, digit, 10));
    same!("small_cnn", SmallCnnConfig::new(digit, 10));
    same!("madry_cnn", MadryCnnConfig::new(digit, 10));
}

/// Of each learned parameter what the script says of its gradient, of each running statistic what it
/// says of its value.
struct Digests<'a> {
    path: Vec<String>,
    gradients: Option<&'a Gradients>,
    learned: Vec<[f64; 3]>,
    statistics: Vec<[f64; 3]>,
}

impl ModuleVisitor for Digests<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        if self.path.last().unwrap().starts_with("running_") {
            self.statistics.push(digest(values(tensor)));
        } else if let Some(gradients) = self.gradients {
            let gradient = tensor.grad(gradients).expect("a gradient");
            self.learned.push(digest(values(gradient)));
        }
    }
}

fn digest(values: Vec<f32>) -> [f64; 3] {
    let signs = |at| numbers(values.len(), SIGNS + at, -1.0, 1.0);
    let sum = |with: Vec<f32>| {
        let terms = values.iter().zip(with);
        terms
            .map(|(&v, sign)| {
                f64::from(v) * f64::from(if sign == 0.0 { 0.0 } else { sign.signum() })
            })
            .sum()
    };
    let squares: f64 = values.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
    [squares.sqrt(), sum(signs(0)), sum(signs(1))]
}

fn value_training_pass_of_pytorch(on: &On) {
    let fixture = fixture();
    macro_rules! same {
        ($name:literal, $config:expr) => {{
            let expected = &fixture["training"][$name];
            let model = filled($config.init(&on.device()).unwrap()).train();
            let shape = [8, 3, 32, 32];
            let images = numbers(shape.iter().product(), IMAGES, 0.0, 1.0);
            let logits = model.forward(Tensor::from_inner(on.tensor(images, shape)));
            let summed = Tensor::from_inner(on.tensor(numbers(80, SUMMED, -1.0, 1.0), [8, 10]));
            let total = (logits * summed).sum();
            let theirs = expected["sum"].as_f64().unwrap();
            let ours = f64::from(values(total.clone().inner())[0]);
            assert!(
                (ours - theirs).abs() <= 1e-4 * theirs.abs(),
                "{}: {ours} {theirs}",
                $name
            );
            let gradients = total.backward();
            let digests = |gradients| Digests {
                path: Vec::new(),
                gradients,
                learned: Vec::new(),
                statistics: Vec::new(),
            };
            let mut found = digests(Some(&gradients));
            model.visit(&mut found);
            // A model in training keeps its latest statistics for the next pass.
            let mut after = digests(None);
            model.valid().visit(&mut after);
            found.statistics = after.statistics;
            for (what, found) in [
                ("gradients", found.learned),
                ("statistics", found.statistics),
            ] {
                let expected = expected[what].as_array().unwrap();
                assert_eq!(found.len(), expected.len(), "{}", $name);
                let (mut largest, mut length) = (0.0f64, 0.0);
                for (at, (ours, theirs)) in found.iter().zip(expected).enumerate() {
                    let theirs = of(theirs);
                    // A bias before a normalisation changes nothing: measured by its weight's.
                    length = if theirs[0] < 1e-9 { length } else { theirs[0] };
                    for (a, b) in ours.iter().zip(&theirs) {
                        let error = (a - b).abs() / length;
                        largest = largest.max(error);
                        assert!(error <= 1e-4, "{}, {what} {at}: {ours:?} {theirs:?}", $name);
                    }
                }
                println!("{}, {what}: relative error {largest:.1e}", $name);
            }
        }};
    }
    let image = [3, 32, 32];
    let resnet = |group, widths| ResNetConfig {
        widths,
        depths: [1; 4],
        ..ResNetConfig::resnet18(group, image, 10)
    };
    let wide = |group, widths| WideResNetConfig {
        widths,
        blocks: 1,
        ..WideResNetConfig::wrn_34_10(group, image, 10)
    };
    same!("resnet p1", resnet(Group::P1, [4, 6, 8, 10]));
    same!("resnet p4m", resnet(Group::P4m, [2, 3, 3, 4]));
    same!(
        "resnet p4 equivariant",
        resnet(Group::P4, [3, 4, 5, 6]).equivariant()
    );
    same!("wide_resnet p1", wide(Group::P1, [4, 6, 8, 10]));
    same!(
        "wide_resnet p4m equivariant",
        wide(Group::P4m, [2, 3, 3, 4]).equivariant()
    );
    let vgg = VggConfig {
        widths: [3, 4, 4, 5, 6],
        depths: [1, 1, 1, 2, 1],
        ..VggConfig::vgg16(Group::P4, image, 10)
    };
    same!("vgg p4", vgg);
}
