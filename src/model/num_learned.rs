use crate::base::keeps_path;
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

/// How many parameters a module has without the running statistics of batch norm, which
/// [`Module::num_params`] counts too: the number that papers give.
///
/// ```
/// use burn::module::Module;
/// use fireproof::model::num_learned;
/// use fireproof::nn::{GroupBatchNormConfig, LayerConfig};
/// use fireproof::group::Group;
///
/// let norm = GroupBatchNormConfig::new(Group::P4, 3).init(&fireproof::device());
/// assert_eq!((norm.num_params(), num_learned(&norm)), (12, 6));
/// ```
pub fn num_learned(module: &impl Module) -> usize {
    let mut learned = Learned::default();
    module.visit(&mut learned);
    learned.count
}

#[derive(Default)]
struct Learned {
    path: Vec<String>,
    count: usize,
}

impl ModuleVisitor for Learned {
    keeps_path!();

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let name = self.path.last().map_or("", String::as_str);
        if !["running_mean", "running_var"].contains(&name) {
            self.count += param.lazy_shape().num_elements();
        }
    }
}
