use crate::base::{Kind, Registry, Result, Spec, named};
use crate::group::Group;
use crate::model::{
    CnnConfig, MadryCnnConfig, Model, ResNetConfig, SmallCnnConfig, Step, VggConfig,
    WideResNetConfig,
};
use burn::tensor::Device;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, LazyLock};

/// A network in files and on command lines, by name.
///
/// Group (p1 unless it is said), size of the images and number of classes are all that a file must say; any
/// other setting of the network's configuration takes the place of the published one.
///
/// ```
/// use fireproof::model::ModelSpec;
///
/// let json = r#"{"model": "resnet18", "group": "p4m", "image": [3, 32, 32], "classes": 10,
///     "widths": [2, 2, 4, 4], "seed": 7}"#;
/// let spec: ModelSpec = serde_json::from_str(json).unwrap();
/// assert_eq!((spec.name().as_str(), spec.image(), spec.classes()), ("resnet18", [3, 32, 32], 10));
/// let mut network = spec.init(&fireproof::device())?;
/// assert!(network.num_learned() < 20_000);
/// // Weights: `network.load("resnet.pt")?`; and what attacks work on:
/// let victim = fireproof::attack::Frozen::from_shared(network.inference());
/// # let _ = (&mut network, victim);
/// # Ok::<(), fireproof::base::Error>(())
/// ```
///
/// Configurations are ones: `ModelSpec::from(CnnConfig::new(Group::P4, [1, 28, 28], 10))`. A network of your
/// own implements [`Network`] for its configuration, and gets a name by
/// `<dyn Network>::registry().add("mine", |config: MineConfig| Arc::new(config))`.
pub type ModelSpec = Spec<dyn Network>;

/// The configuration of a network, whatever its type.
///
/// Shown, it is the file that it would be.
pub trait Network: fmt::Display + Send + Sync {
    /// The network, with weights from its seed.
    ///
    /// # Errors
    ///
    /// [`Error`](crate::base::Error) if a setting makes no sense, or if the images have a size that the
    /// network does not take.
    fn init(&self, device: &Device) -> Result<Box<dyn Model>>;

    /// Size of the images, `[channel, height, width]`.
    fn image(&self) -> [usize; 3];

    /// Number of classes.
    fn classes(&self) -> usize;

    /// Everything that determines the network, its name under `model`; or just the name.
    fn settings(&self) -> Value;

    /// The group: p1, unless a network says otherwise.
    fn group(&self) -> Group {
        Group::P1
    }

    /// Its steps in inference after the normalisation of the pixels, by the names of its weights in files:
    /// what [`Plain::fold`](super::Plain::fold) folds. None, unless a network says them.
    fn steps(&self) -> Option<Vec<Step>> {
        None
    }
}

/// The networks of this crate: their names, how they are published over a group, for images of this size
/// and so many classes, and over which group one is.
macro_rules! networks {
    ($($name:literal => $config:ident, $published:expr, $group:expr;)+) => {
        impl Kind for dyn Network {
            const KIND: &'static str = "model";

            fn registry() -> &'static Registry<Self> {
                static REGISTRY: LazyLock<Registry<dyn Network>> = LazyLock::new(|| {
                    Registry::<dyn Network>::new()
                        $(.with($name, |Sketch(config): Sketch<$config>| Arc::new(config)))+
                });
                &REGISTRY
            }

            fn settings(&self) -> Value {
                Network::settings(self)
            }
        }

        $(
            impl Network for $config {
                fn init(&self, device: &Device) -> Result<Box<dyn Model>> {
                    Ok(Box::new(self.init(device)?))
                }

                fn image(&self) -> [usize; 3] {
                    self.image
                }

                fn classes(&self) -> usize {
                    self.classes
                }

                fn settings(&self) -> Value {
                    named::<dyn Network>($name, self)
                }

                fn group(&self) -> Group {
                    let group: fn(&Self) -> Group = $group;
                    group(self)
                }

                fn steps(&self) -> Option<Vec<Step>> {
                    Some(self.plain_steps())
                }
            }

            impl Sketched for $config {
                fn published(group: Group, image: [usize; 3], classes: usize) -> Self {
                    let published: fn(Group, [usize; 3], usize) -> Self = $published;
                    published(group, image, classes)
                }
            }
        )+
    };
}

networks! {
    "cnn" => CnnConfig, CnnConfig::new, |config| config.group;
    "madry_cnn" => MadryCnnConfig, |_, image, classes| MadryCnnConfig::new(image, classes), |_| Group::P1;
    "resnet18" => ResNetConfig, ResNetConfig::resnet18, |config| config.group;
    "small_cnn" => SmallCnnConfig, |_, image, classes| SmallCnnConfig::new(image, classes), |_| Group::P1;
    "vgg16" => VggConfig, VggConfig::vgg16, |config| config.group;
    "wrn_34_10" => WideResNetConfig, WideResNetConfig::wrn_34_10, |config| config.group;
}

impl<N: Network + 'static> From<N> for ModelSpec {
    fn from(network: N) -> Self {
        Self(Arc::new(network))
    }
}

impl ModelSpec {
    /// The network with weights from a file, as [`load`](trait.Model.html#method.load) takes them.
    ///
    /// # Errors
    ///
    /// As [`init`](Network::init) and `load`.
    pub fn load(&self, file: impl AsRef<Path>, device: &Device) -> Result<Box<dyn Model>> {
        let mut network = self.init(device)?;
        network.load(file)?;
        Ok(network)
    }
}

/// A configuration that is published for every size of images.
trait Sketched: Serialize + DeserializeOwned {
    fn published(group: Group, image: [usize; 3], classes: usize) -> Self;
}

/// A configuration of which a file says the size of the images, the classes, and what is not as published.
struct Sketch<C>(C);

#[derive(Deserialize)]
struct Outline {
    #[serde(default = "p1")]
    group: Group,
    image: [usize; 3],
    classes: usize,
}

fn p1() -> Group {
    Group::P1
}

impl<'de, C: Sketched> Deserialize<'de> for Sketch<C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let given = Map::deserialize(deserializer)?;
        let outline = Outline::deserialize(&Value::Object(given.clone()));
        let outline = outline.map_err(D::Error::custom)?;
        let config = C::published(outline.group, outline.image, outline.classes);
        let mut settings = serde_json::to_value(config).map_err(D::Error::custom)?;
        // What is unknown among them is refused as in any configuration.
        settings
            .as_object_mut()
            .expect("named settings")
            .extend(given);
        serde_json::from_value(settings)
            .map(Self)
            .map_err(D::Error::custom)
    }
}
