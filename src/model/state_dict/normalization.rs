use super::Entry;
use crate::nn::NormalizeConfig;
use std::collections::BTreeMap;

/// What a mean and a deviation of the pixels are called, each pair by one project or another.
const PAIRS: [[&str; 2]; 5] = [
    ["mu", "sigma"],
    ["mean", "std"],
    ["means", "stds"],
    ["_mean", "_std"],
    ["new_mean", "new_std"],
];

/// Whether a tensor is called as a constant of a normalisation.
pub(super) fn is_constant(name: &str) -> bool {
    PAIRS.as_flattened().contains(&split(name).1)
}

/// Takes the constants of a normalisation out of tensors: of the last parts of [`PAIRS`], in one module, one
/// number each or one for each channel. The same ones twice, as where a file holds the network in an
/// attack, too, count once; others stay where they are.
pub(super) fn take(
    tensors: &mut BTreeMap<String, Entry>,
    is_own: impl Fn(&str) -> bool,
) -> Option<NormalizeConfig> {
    let mut found: Option<NormalizeConfig> = None;
    let names = Vec::from_iter(tensors.keys().cloned());
    for name in names.iter().filter(|name| !is_own(name)) {
        let (module, last) = split(name);
        let Some([_, deviation]) = PAIRS.iter().find(|[mean, _]| *mean == last) else {
            continue;
        };
        let other = format!("{module}{deviation}");
        let constants = |name: &str| tensors.get(name).and_then(constants);
        let (Some(mean), Some(std)) = (constants(name), constants(&other)) else {
            continue;
        };
        let pair = NormalizeConfig::new(mean, std);
        if found.as_ref().is_none_or(|before| *before == pair) {
            tensors.remove(name);
            tensors.remove(&other);
            found = Some(pair);
        }
    }
    found
}

/// The module, with its dot, and what it calls a tensor.
fn split(name: &str) -> (&str, &str) {
    name.split_at(name.rfind('.').map_or(0, |dot| dot + 1))
}

/// The numbers of a tensor `[]`, `[c]`, `[c, 1, 1]` or `[1, c, 1, 1]`.
fn constants(entry: &Entry) -> Option<Vec<f32>> {
    let fits = matches!(entry.shape[..], [] | [_] | [_, 1, 1] | [1, _, 1, 1]);
    fits.then(|| entry.values.clone())
}
