//! The networks and images of tests/fixtures/make_autoattack.py, for the tests beside this file and for
//! `benches/peer`.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData, f16};
use fireproof::attack::Frozen;
use fireproof::base::Classifier;
use fireproof::data::ImageSet;
use fireproof::group::Group;
use fireproof::model::{CnnConfig, SmallCnn, SmallCnnConfig};
use fireproof::train::Student;
use flate2::read::GzDecoder;
use serde_json::Value;
use std::io::Read;

/// What the script found.
pub fn published() -> Value {
    serde_json::from_str(include_str!("../fixtures/autoattack.json")).unwrap()
}

/// A digit for each image.
pub fn digits(value: &Value) -> Vec<i64> {
    let digits = value.as_str().unwrap().bytes();
    digits.map(|digit| i64::from(digit - b'0')).collect()
}

/// The images, with their labels.
pub fn set() -> ImageSet {
    let packed: &[u8] = include_bytes!("../fixtures/autoattack_images.bin.gz");
    let mut bytes = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
    let labels = digits(&published()["labels"]);
    let labels = labels.into_iter().map(|label| label as u8).collect();
    ImageSet::new("MNIST test", [1, 28, 28], 10, bytes, labels).unwrap()
}

fn small(device: &Device) -> SmallCnn {
    let config = SmallCnnConfig::new([1, 28, 28], 10).with_dropout(0.0);
    config.init(device).unwrap()
}

/// The network that was trained on clean digits.
pub fn natural(device: &Device) -> SmallCnn {
    let file = include_bytes!("../fixtures/autoattack_small_cnn_natural.f16");
    weighed(small(device), file)
}

/// The network of this name.
pub fn network(name: &str, device: &Device) -> Frozen {
    let trades = include_bytes!("../fixtures/autoattack_small_cnn_trades.f16");
    let pgd = include_bytes!("../fixtures/autoattack_p4_cnn_pgd.f16");
    let cnn = CnnConfig::new(Group::P4, [1, 28, 28], 10).with_dropout(Some(0.0));
    match name {
        "small_cnn_natural" => Frozen::new(&natural(device)),
        "small_cnn_trades" => Frozen::new(&weighed(small(device), trades)),
        "p4_cnn_pgd" => Frozen::new(&weighed(cnn.init(device).unwrap(), pgd)),
        other => panic!("no weights of {other}"),
    }
}

// A model with the weights of a file, in its own order.
fn weighed<M: Student + Classifier + Module + 'static>(mut model: M, file: &[u8]) -> M {
    let (halves, _) = file.as_chunks();
    let mut halves = halves
        .iter()
        .map(|&bytes| f16::from_le_bytes(bytes).to_f32());
    let weights = model.weights().into_iter().map(|weight| {
        let count = weight.shape.iter().product();
        let values = Vec::from_iter(halves.by_ref().take(count));
        Tensor::from_data(TensorData::new(values, [count]), &weight.values.device())
    });
    let weights: Vec<Tensor<1>> = weights.collect();
    assert!(halves.next().is_none(), "as many weights as the file has");
    model.replace(weights);
    model
}
