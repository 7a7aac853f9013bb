use crate::group::Group;
use crate::kernel::Filters;
use crate::nn::convolution::convolution;
use burn::tensor::Tensor;

convolution! {
    /// An ordinary convolution: the p1 case, on images and features without a group axis.
    ///
    /// Its records are those of [`burn::nn::conv::Conv2d`], and so are its results; it runs on this
    /// crate's convolution, which transforms the filters of a model that no longer learns only once.
    Conv2d, Conv2dConfig {}
    4 => 4: "[batch, in, height, width]" => "[batch, out, height_out, width_out]",
    weight 4: "[out, in, side, side]"
}

impl Conv2dConfig {
    fn shape(&self) -> [usize; 4] {
        let ([input, output], side) = (self.channels, self.kernel_size);
        [output, input, side, side]
    }
}

impl Conv2d {
    fn respond(&self, input: Tensor<4>, relu: bool) -> Tensor<4> {
        self.convolve(input, relu)
    }

    fn expand(weight: Tensor<4>, bias: Option<Tensor<1>>, _: Group) -> Filters {
        Filters::new(weight, bias)
    }
}
