use crate::base::indices;
use crate::group::{Element, Group};
use burn::tensor::Tensor;

impl Element {
    /// The images, moved: `flipud^m(rot90(x, r))`. Pixels are only rearranged.
    ///
    /// # Shapes
    ///
    /// - images: `[.., height, width]`
    /// - output: `[.., height, width]`, or `[.., width, height]` for an odd number of turns
    pub fn act_on_planes<const D: usize>(self, images: Tensor<D>) -> Tensor<D> {
        let (rows, columns) = (D - 2, D - 1);
        let turned = match self.turns() {
            0 => images,
            1 => images.swap_dims(rows, columns).flip([rows]),
            2 => images.flip([rows, columns]),
            _ => images.swap_dims(rows, columns).flip([columns]),
        };
        if self.is_mirrored() {
            turned.flip([rows])
        } else {
            turned
        }
    }
}

impl Group {
    /// The images, moved by the element; see [`Element::act_on_planes`].
    ///
    /// # Shapes
    ///
    /// - images: `[batch, channel, height, width]`
    /// - output: the same, with height and width exchanged for an odd number of turns
    ///
    /// # Panics
    ///
    /// Panics if the group does not have the element.
    pub fn act_on_planes(self, images: Tensor<4>, element: Element) -> Tensor<4> {
        assert!(self.contains(element), "{self} has no element {element}");
        element.act_on_planes(images)
    }

    /// The group's features, moved by the element: every component is moved as an image is, and
    /// component h is taken from component g⁻¹h. An equivariant layer turns a moved input into
    /// exactly the moved output.
    ///
    /// # Shapes
    ///
    /// - features: `[batch, channel, group, height, width]`
    /// - output: the same, with height and width exchanged for an odd number of turns
    ///
    /// # Panics
    ///
    /// Panics if the group does not have the element, or the group axis has another length.
    pub fn act_on_features(self, features: Tensor<5>, element: Element) -> Tensor<5> {
        assert_eq!(
            features.dims()[2],
            self.size(),
            "{self} features have {} components",
            self.size()
        );
        let components = indices(self.permutation(element), &features.device());
        element.act_on_planes(features.select(2, components))
    }
}
