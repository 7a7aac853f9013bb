//! What files call by name, and how more names are added.

use crate::base::{Error, Result};
use derive_more::{Deref, Display};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// A kind of thing that settings name: norms, losses, attacks, objectives, threats.
///
/// Implemented for `dyn Trait`. In a file a thing is an object whose field [`KIND`](Kind::KIND)
/// holds its name, with its settings beside it; or, without settings, the name alone.
pub trait Kind: Send + Sync + 'static {
    /// The field that holds the name, for example `attack`.
    const KIND: &'static str;

    /// The name of what a bare value says, for instance a number, that is neither a name nor an
    /// object.
    const BARE: Option<&'static str> = None;

    /// The names that files may use.
    fn registry() -> &'static Registry<Self>;

    /// Everything that determines the thing, its name under [`KIND`](Kind::KIND); or just the name.
    fn settings(&self) -> Value;
}

/// Opens a trait to files: [`Kind`] for its trait object, with the field that holds the name (and the
/// name of what a bare value says), the built-in things that read settings and those that have none, and
/// the conversion of anything of the kind into a [`Spec`].
macro_rules! open_kind {
    (
        $kind:ident in $field:literal $(or $bare:literal)?;
        $(with settings: $($name:literal => $thing:ty),+;)?
        $(plain: $($unit_name:literal => $unit:ident),+;)?
    ) => {
        impl $crate::base::Kind for dyn $kind {
            const KIND: &'static str = $field;
            $(const BARE: Option<&'static str> = Some($bare);)?

            fn registry() -> &'static $crate::base::Registry<Self> {
                use $crate::base::Registry;
                static REGISTRY: std::sync::LazyLock<Registry<dyn $kind>> =
                    std::sync::LazyLock::new(|| {
                        Registry::<dyn $kind>::new()
                            $($(.with($name, |thing: $thing| std::sync::Arc::new(thing)))+)?
                            $($(.with($unit_name, |_: $crate::base::NoSettings| {
                                std::sync::Arc::new($unit)
                            }))+)?
                    });
                &REGISTRY
            }

            fn settings(&self) -> serde_json::Value {
                $kind::settings(self)
            }
        }

        impl<T: $kind + 'static> From<T> for $crate::base::Spec<dyn $kind> {
            fn from(thing: T) -> Self {
                Self(std::sync::Arc::new(thing))
            }
        }
    };
}
pub(crate) use open_kind;

/// The settings of a thing that has none: what to read for it in [`Registry::add`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}

type Build<K> = Arc<dyn Fn(Value) -> serde_json::Result<Arc<K>> + Send + Sync>;

/// The things of one kind by name: the built-in ones, and those that a program adds.
pub struct Registry<K: ?Sized> {
    entries: RwLock<BTreeMap<String, Build<K>>>,
}

impl<K: Kind + ?Sized> Registry<K> {
    /// A registry without names.
    pub fn new() -> Self {
        Self {
            entries: RwLock::new(BTreeMap::new()),
        }
    }

    /// With this name for things that read themselves from the settings beside the name.
    ///
    /// # Panics
    ///
    /// Panics if the name is taken.
    pub fn with<S: DeserializeOwned + 'static>(self, name: &str, make: fn(S) -> Arc<K>) -> Self {
        self.add(name, make)
            .unwrap_or_else(|error| panic!("{error}"));
        self
    }

    /// Adds a name; files and [`Spec`]s know it from then on. `S` is what is read from the
    /// settings beside the name; where it derives serde's traits, `#[serde(deny_unknown_fields)]`
    /// refuses misspelt ones.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if the name is taken.
    pub fn add<S: DeserializeOwned + 'static>(
        &self,
        name: &str,
        make: impl Fn(S) -> Arc<K> + Send + Sync + 'static,
    ) -> Result<()> {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let free = !entries.contains_key(name);
        Error::unless(free, K::KIND, name, "a name that is not taken yet")?;
        let build = move |settings| serde_json::from_value(settings).map(&make);
        entries.insert(name.to_owned(), Arc::new(build));
        Ok(())
    }

    /// All names, in alphabetical order.
    pub fn names(&self) -> Vec<String> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.keys().cloned().collect()
    }

    /// The thing that these settings say.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if the name is missing or unknown, or the settings are not the thing's.
    pub fn build(&self, settings: Value) -> Result<Arc<K>> {
        let (name, rest) = match settings {
            Value::String(name) => (name, Value::Object(Map::new())),
            Value::Object(mut fields) => match fields.remove(K::KIND) {
                Some(Value::String(name)) => (name, Value::Object(fields)),
                _ => return Err(self.unknown("no name")),
            },
            bare => match K::BARE {
                Some(name) => (name.to_owned(), bare),
                None => return Err(self.unknown(&bare.to_string())),
            },
        };
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let Some(build) = entries.get(&name).cloned() else {
            drop(entries);
            return Err(self.unknown(&name));
        };
        drop(entries);
        build(rest)
            .map_err(|error| Error::setting(format!("{} `{name}`", K::KIND), error, "its settings"))
    }

    fn unknown(&self, found: &str) -> Error {
        Error::setting(
            K::KIND,
            found,
            format!("one of: {}", self.names().join(", ")),
        )
    }
}

impl<K: Kind + ?Sized> Default for Registry<K> {
    fn default() -> Self {
        Self::new()
    }
}

/// A thing of a kind as a plain value: cheap to clone, compared by its settings, in files by name.
///
/// It dereferences to the trait object. Anything of the kind converts into it; reading it from a
/// file needs a name in the [`Registry`].
#[derive(Deref, Display)]
#[deref(forward)]
pub struct Spec<K: ?Sized>(pub Arc<K>);

impl<K: Kind + ?Sized> Spec<K> {
    /// The name that files call it by.
    ///
    /// # Panics
    ///
    /// Panics if its settings have none.
    pub fn name(&self) -> String {
        let settings = Kind::settings(&*self.0);
        let name = match &settings {
            Value::Object(fields) => fields.get(K::KIND),
            name => Some(name),
        };
        let name = name.and_then(Value::as_str).or(K::BARE);
        name.expect("settings with a name").to_owned()
    }
}

impl<K: ?Sized> Clone for Spec<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Kind + ?Sized> fmt::Debug for Spec<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spec({})", self.0.settings())
    }
}

impl<K: Kind + ?Sized> PartialEq for Spec<K> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.settings() == other.0.settings()
    }
}

impl<K: Kind + ?Sized> Serialize for Spec<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.settings().serialize(serializer)
    }
}

impl<'de, K: Kind + ?Sized> Deserialize<'de> for Spec<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let settings = Value::deserialize(deserializer)?;
        K::registry()
            .build(settings)
            .map(Self)
            .map_err(D::Error::custom)
    }
}

/// `settings` with `name` under [`KIND`](Kind::KIND): what [`Kind::settings`] returns for things
/// that derive `Serialize`.
///
/// # Panics
///
/// Panics if they do not serialise to an object.
pub fn named<K: Kind + ?Sized>(name: &str, settings: &impl Serialize) -> Value {
    let fields = serde_json::to_value(settings).expect("settings are plain values");
    let Value::Object(fields) = fields else {
        panic!("settings of `{name}` are not an object");
    };
    let mut named = Map::from_iter([(K::KIND.to_owned(), Value::from(name))]);
    named.extend(fields);
    Value::Object(named)
}
