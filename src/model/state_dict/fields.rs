use super::{Published, StateDict};
use crate::base::read;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};
use std::collections::HashSet;

/// The parameters of a network in the order of a walk over it, as files have them.
pub(super) struct Fields(pub Vec<Field>);

/// A parameter as files have it.
pub(super) struct Field {
    /// Its name there.
    pub name: String,
    /// Its shape there.
    pub shape: Vec<usize>,
    layout: Layout,
}

/// How a parameter lies in the module, as seen from a file.
#[derive(Clone, Copy, PartialEq)]
enum Layout {
    Same,
    /// The weight of a linear layer: `[in, out]` here, `[out, in]` there.
    Transposed,
    /// That of a lifting convolution: no axis for the group here.
    Lifting,
    /// That of a group convolution.
    Group,
}

impl Fields {
    /// # Panics
    ///
    /// Panics if a network gives other than one name to each parameter.
    pub fn of<M: Published>(network: &M) -> Self {
        let mut walk = Walk::default();
        network.visit(&mut walk);
        let (own, mut fields): (Vec<_>, Vec<_>) = walk
            .found
            .into_iter()
            .map(|field| (field.name.clone(), field))
            .unzip();
        let names = network.names(own);
        assert_eq!(names.len(), fields.len(), "names of a network's parameters");
        let distinct = HashSet::<&String>::from_iter(&names);
        assert_eq!(
            distinct.len(),
            names.len(),
            "one name a parameter: {names:?}"
        );
        for (field, name) in fields.iter_mut().zip(names) {
            field.name = name;
        }
        // An ordinary network has ordinary convolutions in files; GrouPy's have an axis more.
        let over_group = |field: &Field| field.layout == Layout::Group && field.shape[2] > 1;
        let is_groupy = fields.iter().any(over_group);
        for field in &mut fields {
            match field.layout {
                Layout::Transposed => field.shape.reverse(),
                Layout::Lifting if is_groupy => field.shape.insert(2, 1),
                Layout::Group if !is_groupy => _ = field.shape.remove(2),
                _ => {}
            }
        }
        Self(fields)
    }

    /// The numbers of a network with these fields.
    pub fn values(self, network: &impl Module) -> StateDict {
        let mut values = Values {
            fields: self.0.into_iter(),
            state: StateDict::new(),
        };
        network.visit(&mut values);
        values.state
    }
}

/// The network with the numbers of a state dict that has all of its fields, in their shapes but for axes of
/// length 1. In training if it was.
pub(super) fn replaced<M: Module>(network: M, fields: Fields, state: &StateDict) -> M {
    let learns = network.devices().iter().any(|device| device.is_autodiff());
    // Clones share running statistics: a copy of its own, or those of the network that this one is a clone
    // of would be replaced, too. And what the latest pass found would come on top.
    let own = network.valid().map(&mut Replace {
        fields: fields.0.into_iter(),
        state,
    });
    match learns {
        true => own.train(),
        false => own,
    }
}

impl Field {
    /// Numbers of a matrix in the other order; all others as they are.
    fn turned(&self, values: Vec<f32>, [rows, columns]: [usize; 2]) -> Vec<f32> {
        match self.layout {
            Layout::Transposed => (0..columns)
                .flat_map(|column| (0..rows).map(move |row| row * columns + column))
                .map(|at| values[at])
                .collect(),
            _ => values,
        }
    }
}

#[derive(Default)]
struct Walk {
    path: Vec<Option<String>>,
    /// The types of the modules that the walk is inside of.
    types: Vec<String>,
    found: Vec<Field>,
}

impl ModuleVisitor for Walk {
    fn enter_module(&mut self, name: &str, container: &str) {
        let inner = container == "Struct:GroupBatchNorm" && name == "norm";
        self.path.push((!inner).then(|| name.to_owned()));
        self.types.push(container.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
        self.types.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let mut parts = Vec::from_iter(self.path.iter().flatten().map(String::as_str));
        if let Some(last) = parts.last_mut() {
            *last = match *last {
                "gamma" => "weight",
                "beta" => "bias",
                other => other,
            };
        }
        let holder = self.types.last().map(String::as_str);
        let layout = match (holder, parts.last()) {
            (Some("Struct:Linear"), Some(&"weight")) => Layout::Transposed,
            (Some("Struct:LiftingConv2d"), Some(&"weight")) => Layout::Lifting,
            (Some("Struct:GroupConv2d"), Some(&"weight")) => Layout::Group,
            _ => Layout::Same,
        };
        self.found.push(Field {
            name: parts.join("."),
            shape: param.lazy_shape().to_vec(),
            layout,
        });
    }
}

struct Values {
    fields: std::vec::IntoIter<Field>,
    state: StateDict,
}

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let field = self.fields.next().expect("as many fields as parameters");
        let tensor = param.val();
        let values = read(&tensor);
        // The module has columns where the file has rows.
        let values = match field.shape[..] {
            [rows, columns] => field.turned(values, [columns, rows]),
            _ => values,
        };
        self.state.insert(field.name, &field.shape, values);
    }
}

struct Replace<'a> {
    fields: std::vec::IntoIter<Field>,
    state: &'a StateDict,
}

impl ModuleMapper for Replace<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let field = self.fields.next().expect("as many fields as parameters");
        let values = self.state.values(&field.name).expect("a field of the file");
        let values = match field.shape[..] {
            [rows, columns] => field.turned(values.to_vec(), [rows, columns]),
            _ => values.to_vec(),
        };
        param.map(|old| {
            let data = TensorData::new(values, old.dims());
            Tensor::from_data(data, (&old.device(), old.dtype()))
        })
    }
}
