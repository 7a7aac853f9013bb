//! Training of networks whose type a program does not know: those that files name.

use crate::base::{Classifier, Error, Result};
use crate::data::ImageSet;
use crate::model::{Cnn, MadryCnn, Model, ModelSpec, Published, ResNet, SmallCnn, Vgg, WideResNet};
use crate::train::{Best, Trained, Training};
use burn::module::{Module, ModuleDisplay};
use burn::tensor::Device;
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{LazyLock, PoisonError, RwLock};

type Fit =
    fn(&Training, Box<dyn Any>, &ImageSet, &ImageSet, &Device) -> Result<Trained<Box<dyn Model>>>;

static KNOWN: LazyLock<RwLock<HashMap<TypeId, Fit>>> = LazyLock::new(|| {
    let mut known = HashMap::new();
    add::<Cnn>(&mut known);
    add::<MadryCnn>(&mut known);
    add::<ResNet>(&mut known);
    add::<SmallCnn>(&mut known);
    add::<Vgg>(&mut known);
    add::<WideResNet>(&mut known);
    RwLock::new(known)
});

fn add<M>(known: &mut HashMap<TypeId, Fit>)
where
    M: Module + ModuleDisplay + Classifier + Published + 'static,
{
    known.insert(TypeId::of::<M>(), fit::<M>);
}

/// Lets [`Training::fit_any`] train networks of this type: a line for each network of one's own that files
/// name. The crate's own are known.
pub fn trainable<M: Module + ModuleDisplay + Classifier + Published + 'static>() {
    add::<M>(&mut KNOWN.write().unwrap_or_else(PoisonError::into_inner));
}

fn fit<M: Module + ModuleDisplay + Classifier + Published + 'static>(
    training: &Training,
    model: Box<dyn Any>,
    train: &ImageSet,
    valid: &ImageSet,
    device: &Device,
) -> Result<Trained<Box<dyn Model>>> {
    let model = model.downcast::<M>().expect("looked up by its type");
    let trained = training.fit(*model, train, valid, device)?;
    Ok(Trained {
        model: Box::new(trained.model),
        best: trained.best.map(|best| Best {
            model: Box::new(best.model) as Box<dyn Model>,
            epoch: best.epoch,
            robust: best.robust,
        }),
        history: trained.history,
    })
}

impl Training {
    /// [`fit`](Self::fit) for a network that a [`ModelSpec`] made: the same weights, bit for bit.
    ///
    /// `spec` is only named where the network's type is not known.
    ///
    /// ```
    /// use fireproof::curriculum::Curriculum;
    /// use fireproof::model::{ModelSpec, SmallCnnConfig};
    /// use fireproof::train::{Natural, Progress, Training};
    ///
    /// let (device, digits) = (fireproof::device(), fireproof::data::embedded_mnist());
    /// let spec = ModelSpec::from(SmallCnnConfig::new([1, 28, 28], 10));
    /// let training = Training::new(Curriculum::new(1).with_learning_rate(0.01), Natural)
    ///     .with_progress(Progress::Quiet);
    /// let (train, valid) = (digits.train.take(20), digits.test.take(10));
    /// let trained = training.fit_any(&spec, spec.init(&device)?, &train, &valid, &device)?;
    /// assert_eq!(trained.model.num_learned(), 312_202);
    /// # Ok::<(), fireproof::base::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`fit`](Self::fit); [`Error::Setting`] for a network of a type that no one has made
    /// [`trainable`].
    pub fn fit_any(
        &self,
        spec: &ModelSpec,
        model: Box<dyn Model>,
        train: &ImageSet,
        valid: &ImageSet,
        device: &Device,
    ) -> Result<Trained<Box<dyn Model>>> {
        let model = model.into_any();
        let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
        let fit = known.get(&(*model).type_id()).copied();
        drop(known);
        let fit = fit.ok_or_else(|| {
            let expected = "a network whose type is known: call `train::trainable` for it once";
            Error::setting("model", spec.name(), expected)
        })?;
        fit(self, model, train, valid, device)
    }
}
