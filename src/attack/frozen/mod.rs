mod approximated;
mod behind;
mod near;
mod pass;
mod patch;
mod random;
mod surrogate;
mod watched;

pub(super) use self::near::{Changes, Known};
use self::random::{Lot, Random};
use self::watched::Watch;
use super::{Pass, predicted_classes};
use crate::base::{Classifier, Error, Keys, Precision, Result, Seed, read};
use crate::kernel::Numerics;
use burn::module::Module;
use burn::tensor::Tensor;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A classifier in inference mode that nothing can change any more: what attacks and evaluations
/// work on.
///
/// Made from a model by [`Frozen::new`], it holds a copy of its own. Batch norm uses its running
/// statistics, dropout is off, and parameters take no gradients, which halves the cost of an
/// attack. Training, moving, or loading weights into the original afterwards changes no logit of
/// the frozen one, and nothing done to the frozen one reaches the original.
///
/// Cloning is cheap: clones share the same unchangeable classifier.
///
/// ```
/// use burn::tensor::Tensor;
/// use fireproof::attack::Frozen;
///
/// // Two classes: the image is brighter or darker than 1/2 on average.
/// let victim = Frozen::from_fn(|images: Tensor<4>| {
///     let mean = images.mean_dims(&[1, 2, 3]).flatten::<2>(1, 3);
///     Tensor::cat(vec![mean.clone(), -mean + 1.0], 1)
/// });
/// let images = Tensor::<4>::zeros([3, 1, 8, 8], &fireproof::device());
/// assert_eq!(victim.predict(images.clone()), [1, 1, 1]);
/// assert_eq!(victim.classes(&images), 2);
/// ```
#[derive(Clone)]
pub struct Frozen {
    classifier: Arc<dyn Classifier>,
    // Found out by the first forward pass, whoever makes it.
    classes: Arc<OnceLock<usize>>,
    numerics: Numerics,
    ids: Option<Arc<[u64]>>,
    random: Option<Random>,
    // Whose gradients attacks climb, if not its own.
    surrogate: Option<Arc<Frozen>>,
    // Which gradient passes come next.
    stage: Option<Stage>,
    // Who is shown every pass.
    watch: Option<Arc<Watch>>,
}

/// The gradient passes that come next in an attack: its seed, and how many each image has behind it.
#[derive(Clone, Debug)]
struct Stage {
    seed: Seed,
    numbers: Arc<[u64]>,
}

/// What one forward and one backward pass tell about a batch, all outside autodiff.
pub type LossGradient = Pass<4>;

impl Frozen {
    /// Freezes a copy of a model.
    ///
    /// Works on any Burn module, in training or inference mode, on a device with or without
    /// autodiff, whether or not its parameters have been used yet.
    pub fn new<M: Module + Classifier + 'static>(model: &M) -> Self {
        // `valid` forces lazy parameters, copies running statistics and leaves autodiff; `freeze`
        // on a clone would do none of these and freeze the original's lazy parameters with it.
        Self::from_shared(Arc::new(model.valid()))
    }

    /// Wraps a function from images to logits that is already in inference mode.
    ///
    /// What the function captures is taken as it is: a model captured by clone shares Burn's
    /// running statistics with its original, so freeze models with [`Frozen::new`].
    pub fn from_fn(function: impl Fn(Tensor<4>) -> Tensor<2> + Send + Sync + 'static) -> Self {
        Self::from_shared(Arc::new(function))
    }

    /// Wraps a shared classifier that is already in inference mode.
    pub fn from_shared(classifier: Arc<dyn Classifier>) -> Self {
        Self {
            classifier,
            classes: Arc::default(),
            numerics: Numerics::current(),
            ids: None,
            random: None,
            surrogate: None,
            stage: None,
            watch: None,
        }
    }

    /// The same classifier for images with these ids, one for each of a batch: those that
    /// [`through_each`](Self::through_each)'s map is told. Without them ids count from 0.
    ///
    /// Attacks and evaluations say so themselves, by [`Batch::ids`](crate::base::Batch::ids).
    pub fn for_ids(&self, ids: &[u64]) -> Self {
        Self {
            ids: Some(ids.into()),
            ..self.clone()
        }
    }

    /// The same classifier with these numerics in [`loss_gradient`](Self::loss_gradient), and so in
    /// the gradients of attacks, and in the queries of [`Square`](super::Square). Default:
    /// [`Numerics::current`] when it is made, usually exact.
    ///
    /// Everything else, such as clean predictions and an attack's verdict on the images it returns,
    /// is computed by [`Numerics::Exact`] always: with [`Numerics::Fast`] an attack takes other
    /// paths, but no image counts as fooling that does not fool. Candidates are compared by the fast
    /// passes, so that one on the very edge may win and then not fool.
    ///
    /// ```
    /// use fireproof::attack::Frozen;
    /// use fireproof::kernel::Numerics;
    /// use fireproof::model::SmallCnnConfig;
    ///
    /// let model = SmallCnnConfig::new([1, 28, 28], 10).init(&fireproof::device())?;
    /// let victim = Frozen::new(&model).with_numerics(Numerics::Fast);
    /// assert_eq!(victim.numerics(), Numerics::Fast);
    /// # Ok::<(), fireproof::base::Error>(())
    /// ```
    pub fn with_numerics(mut self, numerics: Numerics) -> Self {
        self.numerics = numerics;
        self
    }

    /// The numerics of [`loss_gradient`](Self::loss_gradient).
    pub fn numerics(&self) -> Numerics {
        self.numerics
    }

    /// The element type that images must have, if the classifier, or the one whose
    /// [gradients](Self::with_gradients_of) it has, takes only one: see [`Classifier::precision`].
    pub fn precision(&self) -> Option<Precision> {
        let surrogate = || self.surrogate.as_ref().and_then(|other| other.precision());
        self.classifier.precision().or_else(surrogate)
    }

    /// Refuses images of an element type that the classifier does not take.
    pub(super) fn accept(&self, images: &Tensor<4>) -> Result<()> {
        let found = Precision::of("images", images)?;
        match self.precision() {
            Some(expected) if expected != found => Err(Error::input(
                "element type of images",
                found,
                format!("{expected}, as the classifier's weights (see `Batch::with_precision`)"),
            )),
            _ => self.agree(images),
        }
    }

    /// Logits `[batch, classes]`, outside autodiff; of a [random](Self::random) classifier the mean
    /// over its draws, the same ones each time.
    ///
    /// # Panics
    ///
    /// Panics if the classifier does not give one row of logits per image, or if it refuses the
    /// images' element type, as models do that is not [theirs](Self::precision).
    pub fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        self.logits_by(Numerics::Exact, images)
    }

    /// The same in the classifier's own [numerics](Self::numerics): no verdict.
    pub(super) fn draft(&self, images: Tensor<4>) -> Tensor<2> {
        self.logits_by(self.numerics, images)
    }

    fn logits_by(&self, numerics: Numerics, images: Tensor<4>) -> Tensor<2> {
        let (lot, images) = (self.verdicts(images.dims()[0]), images.inner());
        let logits = numerics.run(|| self.forward(images.clone(), &lot).inner());
        self.show(&images, &logits);
        logits
    }

    /// Predicted classes; the first one where several logits are largest,
    /// [`NO_CLASS`](super::NO_CLASS) where one is NaN.
    pub fn predict(&self, images: Tensor<4>) -> Vec<i64> {
        read(&predicted_classes(self.logits(images)))
    }

    /// The number of classes, counted in the logits of the first of these images the first time
    /// it is asked for.
    ///
    /// # Panics
    ///
    /// Panics if there is no image.
    pub fn classes(&self, images: &Tensor<4>) -> usize {
        match self.classes.get() {
            Some(classes) => *classes,
            None => {
                let first = self.ids.as_ref().map_or(0, |ids| ids[0]);
                let victim = self.for_ids(&[first]);
                victim.logits(images.clone().narrow(0, 0, 1)).dims()[1]
            }
        }
    }

    /// Loss of each image and its gradient in that image.
    ///
    /// `loss` maps logits `[batch, classes]` to one loss per image `[batch]`. The losses are
    /// summed, never averaged, before the backward pass: an image's gradient does not depend on
    /// the number of its batch mates. It may be called several times, with other images' logits in
    /// the place of some. A [random](Self::random) classifier draws as in the first gradient pass of an
    /// attack with seed 0.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] if the classifier cannot be differentiated in its images, or if their
    /// element type is not [the classifier's](Self::precision).
    ///
    /// # Panics
    ///
    /// Panics if there is not one row of logits, or not one loss, per image.
    pub fn loss_gradient(
        &self,
        images: Tensor<4>,
        loss: impl Fn(Tensor<2>) -> Tensor<1>,
    ) -> Result<LossGradient> {
        self.accept(&images)?;
        self.pass(images, |images| images, &loss)
    }

    // Logits, of a random classifier the mean over the draws of a lot.
    fn forward(&self, images: Tensor<4>, lot: &Lot) -> Tensor<2> {
        match self.random {
            None => self.rows(images, &lot.keys(None, 1)),
            Some(random) => random.forward(images, lot, &|images, keys| self.rows(images, keys)),
        }
    }

    // Logits of images with these keys, one row for each.
    fn rows(&self, images: Tensor<4>, keys: &Keys) -> Tensor<2> {
        let count = images.dims()[0];
        assert_eq!(keys.len(), count, "one id for each image");
        let logits = self.classifier.keyed_logits(images, keys);
        self.check(&logits, count);
        logits
    }

    // Refuses logits that no classifier gives for so many images.
    fn check(&self, logits: &Tensor<2>, count: usize) {
        let [rows, classes] = logits.dims();
        assert_eq!(
            rows, count,
            "a classifier gives one row of logits per image"
        );
        let first = *self.classes.get_or_init(|| classes);
        assert_eq!(classes, first, "a classifier always has the same classes");
    }
}

impl fmt::Debug for Frozen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frozen")
            .field("classes", &self.classes.get())
            .finish_non_exhaustive()
    }
}
