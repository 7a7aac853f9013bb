use crate::base::keeps_path;
use burn::module::{Module, ModuleDisplay, ModuleVisitor, Param};
use burn::tensor::{Bool, Int, Tensor};
use serde_json::{Map, Value, json};

/// What a model is, whatever its weights: the shape of every parameter by its place in the model,
/// and the lines in which the model shows itself, for what has no parameters (a dropout's
/// probability, a pooling's window).
pub(super) fn architecture(model: &(impl Module + ModuleDisplay)) -> Value {
    let mut shapes = Shapes::default();
    model.visit(&mut shapes);
    let shown = model.format(Default::default());
    json!({
        "parameters": shapes.found,
        "shown": shown.lines().collect::<Vec<_>>(),
    })
}

#[derive(Default)]
struct Shapes {
    path: Vec<String>,
    found: Map<String, Value>,
}

impl Shapes {
    fn add(&mut self, dims: &[usize]) {
        self.found.insert(self.path.join("."), json!(dims));
    }
}

impl ModuleVisitor for Shapes {
    keeps_path!();

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.add(&param.dims());
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        self.add(&param.dims());
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        self.add(&param.dims());
    }
}
