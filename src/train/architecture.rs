use crate::base::keeps_path;
use burn::module::{Module, ModuleDisplay, ModuleVisitor, Param};
use burn::tensor::{Bool, Int, Tensor};
use serde_json::{Map, Value, json};

/// What a model is, whatever its weights: the shape of every parameter by its place in the model,
/// and the lines in which the model shows itself, for what has no parameters (a dropout's
/// probability, a pooling's window, the constants of a normalisation).
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SmallCnnConfig;
    use crate::nn::NormalizeConfig;

    #[test]
    fn convention_constants_without_parameters_are_told() {
        let device = crate::device();
        let of = |mean: f32, std: f32| {
            let normalize = NormalizeConfig::new(vec![mean], vec![std]);
            let config = SmallCnnConfig::new([1, 20, 20], 2).with_normalize(Some(normalize));
            architecture(&config.init(&device).expect("20×20 suits it"))
        };
        assert_eq!(of(0.5, 0.25), of(0.5, 0.25));
        for other in [of(0.25, 0.25), of(0.5, 0.5)] {
            assert_ne!(of(0.5, 0.25)["shown"], other["shown"]);
            assert_eq!(of(0.5, 0.25)["parameters"], other["parameters"]);
        }
    }
}
