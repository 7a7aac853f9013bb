//! Filters that a group makes of fewer weights: copies with their taps, and their components, in another order.

use rayon::prelude::*;

use super::memory::Buffer;
use crate::group::Group;

/// How filters `[out · |G|][in · components][taps]` are made of weights `[out][in][components][taps]`.
#[derive(Clone, Debug)]
pub struct Bank {
    group: Group,
    /// Components of an input: 1, or as many as the group has elements.
    components: usize,
    taps: usize,
    /// Where each element's copies read their numbers: `[element][component][tap]`.
    indices: Vec<usize>,
    /// Where each element's copies have put them.
    places: Vec<usize>,
}

impl Bank {
    /// Filters with this side, of inputs with one component or those of the group.
    ///
    /// # Panics
    /// If there are other than 1 or `group.size()` components.
    pub fn new(group: Group, components: usize, side: usize) -> Self {
        let indices = group.copies(components, side);
        let taps = side * side;
        let mut places = vec![0; indices.len()];
        let each = places.chunks_exact_mut(components * taps);
        for (places, indices) in each.zip(indices.chunks_exact(components * taps)) {
            for (place, &index) in indices.iter().enumerate() {
                places[index] = place;
            }
        }
        Self {
            group,
            components,
            taps,
            indices,
            places,
        }
    }

    /// The group.
    pub fn group(&self) -> Group {
        self.group
    }

    /// Whether inputs are features over the group, not images.
    pub fn is_over_group(&self) -> bool {
        self.components == self.group.size()
    }

    /// Weights of a filter.
    pub fn taps(&self) -> usize {
        self.taps
    }

    /// Numbers of a pair of output and input.
    fn base(&self) -> usize {
        self.components * self.taps
    }

    /// Channels of the filters, from outputs and inputs of the weights.
    pub fn channels(&self, [out, input]: [usize; 2]) -> [usize; 2] {
        [out * self.group.size(), input * self.components]
    }

    /// The filters.
    ///
    /// # Panics
    /// If `weights` has another length.
    pub fn expand(&self, weights: &[f32], [out, input]: [usize; 2]) -> Buffer {
        let (base, row) = (self.base(), input * self.base());
        assert_eq!(weights.len(), out * row, "weights are [out, in, taps]");
        let size = self.group.size();
        let mut filters = Buffer::new(out * size * row);
        let rows = filters.as_floats_mut().par_chunks_exact_mut(row);
        rows.enumerate().for_each(|(at, to)| {
            let from = &weights[at / size * row..][..row];
            let indices = &self.indices[at % size * base..][..base];
            for (to, from) in to.chunks_exact_mut(base).zip(from.chunks_exact(base)) {
                for (to, &index) in to.iter_mut().zip(indices) {
                    *to = from[index];
                }
            }
        });
        filters
    }

    /// The gradient of the weights from that of the filters: each is the sum over its copies, in the order of
    /// the group's elements.
    ///
    /// # Panics
    /// If lengths do not fit.
    pub fn fold(&self, filters: &[f32], [out, input]: [usize; 2], weights: &mut [f32]) {
        let (base, row) = (self.base(), input * self.base());
        let size = self.group.size();
        assert_eq!(weights.len(), out * row, "weights are [out, in, taps]");
        assert_eq!(
            filters.len(),
            size * out * row,
            "there is a filter for each element"
        );
        let rows = weights.par_chunks_exact_mut(row).enumerate();
        rows.for_each(|(at, to)| {
            let from = &filters[at * size * row..][..size * row];
            for (i, to) in to.chunks_exact_mut(base).enumerate() {
                to.fill(0.0);
                for (g, places) in self.places.chunks_exact(base).enumerate() {
                    let from = &from[g * row + i * base..][..base];
                    for (to, &place) in to.iter_mut().zip(places) {
                        *to += from[place];
                    }
                }
            }
        });
    }
}
