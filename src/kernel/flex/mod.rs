//! Kernels as operations of Burn's backend Flex, inside and outside autodiff.
//!
//! A [`Kernel`] is a value with a forward and a hand-written backward pass on Flex tensors; one
//! backend extension per number of inputs runs any of them. A new one
//! implements it in the file of its operation.

// Only reached from operations that have looked at the device: `Dispatch` panics for any other.
pub(crate) mod buffer;

use std::fmt::Debug;

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, Backend, DType, Dispatch, DispatchDevice, Flex, TensorMetadata, backend_extension,
};
use burn::tensor::{Device, Tensor};
use burn_flex::FlexTensor;

/// An operation on `N` float tensors with one result, and its gradient.
pub(crate) trait Kernel<const N: usize>: Clone + Debug + Send + 'static {
    /// What the backward pass needs.
    type Saved: Clone + Debug + Send + 'static;

    /// The result; and, if a backward pass may follow, what it needs.
    fn forward(&self, inputs: [FlexTensor; N], keep: bool) -> (FlexTensor, Option<Self::Saved>);

    /// The gradients of the inputs that are wanted, from that of the result.
    fn backward(
        &self,
        saved: Self::Saved,
        gradient: FlexTensor,
        wanted: [bool; N],
    ) -> [Option<FlexTensor>; N];
}

#[backend_extension(Flex, Autodiff)]
pub(crate) trait KernelBackend: Backend {
    fn run_kernel1<K: Kernel<1>>(kernel: K, a: FloatTensor<Self>) -> FloatTensor<Self>;
    fn run_kernel2<K: Kernel<2>>(
        kernel: K,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
    fn run_kernel3<K: Kernel<3>>(
        kernel: K,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

/// Kernels of each number of inputs: on Flex, under autodiff, and on tensors of any backend.
macro_rules! runs {
    ($($run:ident, $run_kernel:ident, $count:literal: $($x:ident $rank:ident),+;)+) => {
        impl KernelBackend for Flex {
            $(
                fn $run_kernel<K: Kernel<$count>>(kernel: K, $($x: FlexTensor),+) -> FlexTensor {
                    kernel.forward([$($x),+], false).0
                }
            )+
        }

        impl<S: CheckpointStrategy> KernelBackend for Autodiff<Flex, S> {
            $(
                fn $run_kernel<K: Kernel<$count>>(
                    kernel: K,
                    $($x: FloatTensor<Self>),+
                ) -> FloatTensor<Self> {
                    track::<S, K, $count>(kernel, [$($x),+])
                }
            )+
        }

        $(
            #[doc = concat!("Runs a kernel on this many tensors: ", $count, ".")]
            pub(crate) fn $run<K: Kernel<$count>, $(const $rank: usize,)+ const D: usize>(
                kernel: K,
                $($x: Tensor<$rank>),+
            ) -> Tensor<D> {
                Tensor::from_dispatch(<Dispatch as KernelBackend>::$run_kernel(
                    kernel,
                    $($x.into_dispatch()),+
                ))
            }
        )+
    };
}

runs! {
    run1, run_kernel1, 1: a A;
    run2, run_kernel2, 2: a A, b B;
    run3, run_kernel3, 3: a A, b B, c C;
}

/// Runs the forward pass and puts the backward pass into the graph.
fn track<C: CheckpointStrategy, K: Kernel<N>, const N: usize>(
    kernel: K,
    inputs: [FloatTensor<Autodiff<Flex, C>>; N],
) -> FloatTensor<Autodiff<Flex, C>> {
    let nodes = inputs.each_ref().map(|input| input.node());
    let inputs = inputs.map(|input| input.into_primitive());
    match Step(kernel.clone())
        .prepare::<C>(nodes)
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(ops) => {
            let (output, saved) = kernel.forward(inputs, true);
            ops.finish(saved.expect("a tracked pass keeps its state"), output)
        }
        OpsKind::UnTracked(ops) => ops.finish(kernel.forward(inputs, false).0),
    }
}

#[derive(Debug)]
struct Step<K>(K);

impl<K: Kernel<N>, const N: usize> Backward<Flex, N> for Step<K> {
    type State = K::Saved;

    fn backward(self, ops: Ops<Self::State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node);
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let made = self.0.backward(ops.state, gradient, wanted);
        for (parent, made) in ops.parents.into_iter().zip(made) {
            if let (Some(parent), Some(made)) = (parent, made) {
                grads.register::<Flex>(parent.id, made);
            }
        }
    }
}

/// Whether a tensor is one that kernels work on: `f32` on Flex, with something in it.
pub(crate) fn suits<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.dtype() == DType::F32 && on_flex(&tensor.device()) && tensor.shape().num_elements() > 0
}

fn on_flex(device: &Device) -> bool {
    matches!(
        device.clone().inner().as_dispatch(),
        DispatchDevice::Flex(_)
    )
}

/// The tensor with its numbers in row order, in one piece.
pub(crate) fn contiguous(tensor: FlexTensor) -> FlexTensor {
    match tensor.as_slice::<f32>() {
        Some(_) => tensor,
        None => tensor.to_contiguous(),
    }
}

/// The numbers of a [`contiguous`] `f32` tensor.
pub(crate) fn numbers(tensor: &FlexTensor) -> &[f32] {
    tensor
        .as_slice::<f32>()
        .expect("a contiguous tensor of f32")
}

/// The shape of a tensor.
pub(crate) fn dims<const D: usize>(tensor: &FlexTensor) -> [usize; D] {
    tensor.shape().dims()
}
