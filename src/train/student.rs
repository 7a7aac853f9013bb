use crate::attack::Frozen;
use crate::base::errand::on_pool;
use crate::base::{Classifier, Keys, Purpose, keeps_path};
use crate::kernel::Numerics;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use std::sync::{Mutex, PoisonError};

/// A model in training, whatever its type: what an [`Objective`](crate::train::Objective) works on.
///
/// Every Burn module that is a [`Classifier`] is one.
pub trait Student {
    /// Logits in training: in exact arithmetic, with every random draw inside the model a function
    /// of the keys.
    fn pass(&self, images: Tensor<4>, keys: &Keys) -> Tensor<2>;

    /// Logits of the model as it stands, in exact arithmetic: during validation, in inference mode.
    fn exact_logits(&self, images: Tensor<4>) -> Tensor<2>;

    /// A copy in inference mode, to be attacked.
    fn frozen(&self) -> Frozen;

    /// The gradients of a loss `[1]` in all weights, for the optimiser.
    fn gradients(&self, loss: Tensor<1>) -> GradientsParams;

    /// The gradient in each of [`weights`](Student::weights), where there is one.
    fn flat_gradients(&self, gradients: &GradientsParams) -> Vec<Option<Tensor<1>>>;

    /// All weights and running statistics, in the model's order.
    fn weights(&self) -> Vec<Weight>;

    /// The same model at other weights, in the order of [`weights`](Student::weights). Its
    /// gradients suit the optimiser of this one, and it shares all that is not
    /// [learnt](Weight::learnt): its training passes update the running statistics of this one.
    fn moved(&self, weights: Vec<Tensor<1>>) -> Box<dyn Student>;

    /// The same model, sharing nothing: its training passes leave the running statistics of this one as
    /// they are. Its gradients suit the optimiser of this one.
    fn apart(&self) -> Box<dyn Student>;

    /// Replaces all weights and running statistics, in the order of [`weights`](Student::weights).
    fn replace(&mut self, weights: Vec<Tensor<1>>);
}

/// A weight tensor or running statistic of a model.
#[derive(Clone, Debug)]
pub struct Weight {
    /// Where it is in the model, with dots.
    pub name: String,
    /// Its shape there.
    pub shape: Vec<usize>,
    /// Its numbers in row order, outside autodiff.
    pub values: Tensor<1>,
    /// Whether it takes gradients. Running statistics and frozen weights do not.
    pub learnt: bool,
}

impl<M: Module + Classifier + 'static> Student for M {
    fn pass(&self, images: Tensor<4>, keys: &Keys) -> Tensor<2> {
        // On autodiff, or batch norm and dropout would not know that this is training.
        let images = Tensor::from_inner(images.without_autodiff());
        let seed = keys.draws(Purpose::Dropout, 0).next();
        // A copy: every pass counts its layers from the first.
        let keys = keys.clone();
        let logits = seeded(&images.device(), seed, || {
            keys.during(|| Numerics::Exact.run(|| self.training_logits(images, &keys)))
        });
        if on_pool() {
            // Burn keeps the statistics of the last pass by thread, and the next pass of this
            // training may run on another one.
            let _ = self.valid();
        }
        logits
    }

    fn exact_logits(&self, images: Tensor<4>) -> Tensor<2> {
        Numerics::Exact.run(|| self.logits(images))
    }

    fn frozen(&self) -> Frozen {
        Frozen::new(self)
    }

    fn gradients(&self, loss: Tensor<1>) -> GradientsParams {
        GradientsParams::from_grads(loss.backward(), self)
    }

    fn flat_gradients(&self, gradients: &GradientsParams) -> Vec<Option<Tensor<1>>> {
        let mut flat = FlatGradients {
            gradients,
            found: Vec::new(),
        };
        self.visit(&mut flat);
        flat.found
    }

    fn weights(&self) -> Vec<Weight> {
        // Burn takes the statistics of the last pass down only here.
        let _ = self.valid();
        let mut list = List::default();
        self.visit(&mut list);
        list.weights
    }

    fn moved(&self, weights: Vec<Tensor<1>>) -> Box<dyn Student> {
        Box::new(self.clone().map(&mut Replace::new(weights, true)))
    }

    fn apart(&self) -> Box<dyn Student> {
        // `valid` makes the copy.
        Box::new(self.valid().train())
    }

    fn replace(&mut self, weights: Vec<Tensor<1>>) {
        // Else those of the last pass would come on top.
        let _ = self.valid();
        *self = self.clone().map(&mut Replace::new(weights, false));
    }
}

/// Runs what may draw from Burn's generator, which is one for the whole process on some backends:
/// seeded, and with no other training in between, unless it is the task of a pool.
///
/// A thread of a pool that waits inside of `run` may take up another training, which would wait for
/// the lock for ever; and it must not wait for one that is itself waiting for the pool.
pub(super) fn seeded<T>(device: &Device, seed: u64, run: impl FnOnce() -> T) -> T {
    static GENERATOR: Mutex<()> = Mutex::new(());
    // A panic of another training leaves nothing behind that seeding would not mend.
    let lock = || GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
    let _alone = (!on_pool()).then(lock);
    device.seed(seed);
    run()
}

#[derive(Default)]
struct List {
    path: Vec<String>,
    weights: Vec<Weight>,
}

impl ModuleVisitor for List {
    keeps_path!();

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.base();
        self.weights.push(Weight {
            name: self.path.join("."),
            shape: value.dims().to_vec(),
            learnt: value.is_require_grad(),
            values: value.without_autodiff().flatten(0, D - 1),
        });
    }
}

struct FlatGradients<'a> {
    gradients: &'a GradientsParams,
    found: Vec<Option<Tensor<1>>>,
}

impl ModuleVisitor for FlatGradients<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = self.gradients.get::<D>(param.id);
        self.found
            .push(gradient.map(|g| g.without_autodiff().flatten(0, D - 1)));
    }
}

struct Replace {
    weights: std::vec::IntoIter<Tensor<1>>,
    learnt_only: bool,
}

impl Replace {
    fn new(weights: Vec<Tensor<1>>, learnt_only: bool) -> Self {
        Self {
            weights: weights.into_iter(),
            learnt_only,
        }
    }
}

impl ModuleMapper for Replace {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let values = self.weights.next().expect("as many tensors as weights");
        param.map(|old| {
            let learnt = old.is_require_grad();
            if self.learnt_only && !learnt {
                return old;
            }
            let new = values.without_autodiff().reshape(old.dims());
            match old.is_autodiff() {
                true => Tensor::from_inner(new).set_require_grad(learnt),
                false => new,
            }
        })
    }
}
