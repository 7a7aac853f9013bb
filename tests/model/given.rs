//! The network of these tests, and images for it.

use crate::common::{On, uniform};
use burn::tensor::Tensor;
use fireproof::base::{Purpose, Seed};
use fireproof::group::Group;
use fireproof::model::{Cnn, CnnConfig};

pub fn cnn(group: Group) -> CnnConfig {
    CnnConfig::new(group, [1, 28, 28], 10).with_seed(7)
}

pub fn init(on: &On, config: &CnnConfig) -> Cnn {
    config.init(&on.device()).expect("a sound configuration")
}

pub fn images(on: &On, shape: [usize; 4]) -> Tensor<4> {
    let mut draws = Seed(1).draws(Purpose::Subset, 0, 0);
    let count = shape.iter().product();
    on.tensor(uniform(&mut draws, count, 0.0, 1.0), shape)
}
