/// Makes a classifier of a model with a method `respond(&self, images, keys)`, its logits with
/// dropout by these keys or by its own count, and a linear layer of this name, whose weights are of the
/// model's element type; for one that has [`Stages`](crate::base::Stages) also the method that says whether they
/// can be used.
macro_rules! classifier {
    ($model:ident, $linear:ident $(, $suits:ident)?) => {
        impl $model {
            /// Logits of images. In training, dropout counts its own passes; see
            /// [`GroupDropout::forward`](crate::nn::GroupDropout::forward).
            ///
            /// # Shapes
            ///
            /// - images: `[batch, channel, height, width]`
            /// - output: `[batch, classes]`
            ///
            /// # Panics
            ///
            /// Panics if the images have not the size the network was made for, or another element
            /// type than its weights.
            pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
                self.respond(images, None)
            }

            /// Logits of images, with dropout, if active, a function of the images' keys alone.
            ///
            /// # Shapes
            ///
            /// - images: `[batch, channel, height, width]`
            /// - output: `[batch, classes]`
            ///
            /// # Panics
            ///
            /// As [`forward`](Self::forward), and unless there are as many keys as images.
            pub fn forward_with(&self, images: Tensor<4>, keys: &Keys) -> Tensor<2> {
                // A pass of its own, whatever was drawn by these keys before.
                self.respond(images, Some(&keys.clone()))
            }
        }

        impl $crate::base::Classifier for $model {
            fn logits(&self, images: Tensor<4>) -> Tensor<2> {
                self.forward(images)
            }

            fn training_logits(&self, images: Tensor<4>, keys: &Keys) -> Tensor<2> {
                self.forward_with(images, keys)
            }

            fn precision(&self) -> Option<$crate::base::Precision> {
                $crate::base::Precision::of_type(self.$linear.weight.val().dtype())
            }

            $(
                fn stages(&self) -> Option<&dyn $crate::base::Stages> {
                    self.$suits().then_some(self as &dyn $crate::base::Stages)
                }
            )?
        }
    };
}
pub(crate) use classifier;
