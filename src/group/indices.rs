use crate::group::Group;

impl Group {
    /// Where the filters of a lifting convolution take their values from.
    ///
    /// Entry `[g, a, b]` of the result, read as `[|G|, side, side]`, is the position in a
    /// `[side, side]` filter of the value that the filter moved by g has in row a, column b.
    ///
    /// GrouPy has these tables for odd sides only under p4m; an even one works as well, since
    /// turning and reversing an array is exact whatever its side.
    pub fn lifting_filter_indices(self, side: usize) -> Vec<usize> {
        let mut indices = Vec::with_capacity(self.size() * side * side);
        for g in self.elements() {
            for a in 0..side {
                for b in 0..side {
                    let [u, v] = g.source(side, [a, b]);
                    indices.push(u * side + v);
                }
            }
        }
        indices
    }

    /// Where the copies of a filter with this many components take their values from: 1 for a lifting
    /// convolution, as many as there are elements for a group convolution.
    pub(crate) fn copies(self, components: usize, side: usize) -> Vec<usize> {
        let size = self.size();
        assert!(
            components == 1 || components == size,
            "1 or {size} components"
        );
        match components {
            1 => self.lifting_filter_indices(side),
            _ => self.filter_indices(side),
        }
    }

    /// Where the filters of a group convolution take their values from.
    ///
    /// Entry `[g, h, a, b]` of the result, read as `[|G|, |G|, side, side]`, is the position in a
    /// `[|G|, side, side]` filter of the value that the filter moved by g has in component h,
    /// row a, column b.
    pub fn filter_indices(self, side: usize) -> Vec<usize> {
        let plane = side * side;
        let spatial = self.lifting_filter_indices(side);
        let mut indices = Vec::with_capacity(self.size() * self.size() * plane);
        for g in self.elements() {
            let moved = &spatial[g.index() * plane..][..plane];
            for component in self.permutation(g) {
                indices.extend(moved.iter().map(|position| component * plane + position));
            }
        }
        indices
    }
}
