use super::fields::{Field, Fields, replaced};
use super::{Entry, Published, StateDict, normalization};
use crate::base::{Error, Result};
use crate::nn::NormalizeConfig;
use std::collections::{BTreeMap, HashMap};

/// As [`StateDict::load`].
pub(super) fn load<M: Published>(state: &StateDict, mut network: M) -> Result<M> {
    let fields = Fields::of(&network);
    let names = fields.0.iter().map(|field| (&*field.name, field)).collect();
    let (state, constants) = tidied(state, &names, network.ignorable());

    let mut extra = of_all(state.tensors.iter(), |(name, entry)| {
        let is_extra = !names.contains_key(name.as_str());
        is_extra.then(|| shown(name, &entry.shape))
    });
    let has_place = network.normalize().is_some();
    if let (Some(NormalizeConfig { mean, std }), false) = (&constants, has_place) {
        let found =
            format!("a normalisation, mean {mean:?}, std {std:?}, that it has no place for");
        extra.push(found);
    }
    let missing = of_all(&fields.0, |field| {
        let is_missing = !state.tensors.contains_key(&field.name);
        is_missing.then(|| shown(&field.name, &field.shape))
    });
    let misshapen = of_all(&fields.0, |field| {
        let found = &state.tensors.get(&field.name)?.shape;
        let other = joined(found) != joined(&field.shape);
        other.then(|| format!("{}, not {:?}", shown(&field.name, found), field.shape))
    });
    let found = [
        ("missing", missing),
        ("no weights of the network", extra),
        ("of another shape", misshapen),
    ];
    let found = of_all(found, |(what, list)| {
        (!list.is_empty()).then(|| format!("{what}: {}", list.join(", ")))
    });
    if !found.is_empty() {
        return Err(Error::input(
            format!("tensors of {}", state.source),
            found.join("; "),
            "those of the network, in its shapes",
        ));
    }
    if let Some(constants) = constants {
        let constants = spread(constants, &fields.0);
        constants.check(constants.mean.len())?;
        let device = network.devices().into_iter().next();
        let device = device.unwrap_or_else(crate::base::device);
        if let Some(place) = network.normalize() {
            *place = Some(constants.init(&device));
        }
    }
    Ok(replaced(network, fields, &state))
}

/// The tensors that must be the network's, by the network's names, and the normalisation.
fn tidied(
    state: &StateDict,
    names: &HashMap<&str, &Field>,
    ignorable: &[&str],
) -> (StateDict, Option<NormalizeConfig>) {
    let is_own = |name: &str| names.contains_key(name);
    let mut tensors = BTreeMap::new();
    for (name, entry) in &state.tensors {
        // What a network on several devices puts before all names.
        let name = match name.strip_prefix("module.") {
            Some(rest) if !is_own(name) => rest,
            _ => name,
        };
        if !name.ends_with("num_batches_tracked") {
            tensors.insert(name.to_owned(), entry.clone());
        }
    }
    let constants = normalization::take(&mut tensors, is_own);
    while let Some(first) = shared(&tensors, names) {
        let inner = |(name, entry): (String, Entry)| (name[first.len()..].to_owned(), entry);
        tensors = tensors.into_iter().map(inner).collect();
    }
    tensors
        .retain(|name, _| is_own(name) || !ignorable.iter().any(|start| name.starts_with(start)));
    let source = match state.source.as_str() {
        "" => "a state dict".to_owned(),
        source => source.to_owned(),
    };
    (StateDict { tensors, source }, constants)
}

/// The first part of all names, with its dot, unless the network has it, too.
fn shared(tensors: &BTreeMap<String, Entry>, names: &HashMap<&str, &Field>) -> Option<String> {
    let (first, _) = tensors.keys().next()?.split_once('.')?;
    let first = format!("{first}.");
    let of_all = tensors.keys().all(|name| name.starts_with(&first));
    let is_own = names.keys().any(|name| name.starts_with(&first));
    (of_all && !is_own).then_some(first)
}

/// One number for all channels as one for each: as many as the first convolution takes.
fn spread(constants: NormalizeConfig, fields: &[Field]) -> NormalizeConfig {
    let conv = fields.iter().find(|field| field.shape.len() >= 4);
    let channels = conv.map_or(1, |field| field.shape[1]);
    let each = |values: Vec<f32>| match values[..] {
        [value] => vec![value; channels],
        _ => values,
    };
    NormalizeConfig::new(each(constants.mean), each(constants.std))
}

/// A convolution's shape without an axis of length 1 for the group.
fn joined(shape: &[usize]) -> Vec<usize> {
    match *shape {
        [output, input, 1, rows, columns] => vec![output, input, rows, columns],
        _ => shape.to_vec(),
    }
}

fn shown(name: &str, shape: &[usize]) -> String {
    format!("`{name}` {shape:?}")
}

fn of_all<T>(list: impl IntoIterator<Item = T>, text: impl Fn(T) -> Option<String>) -> Vec<String> {
    list.into_iter().filter_map(text).collect()
}
