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

impl KernelBackend for Flex {
    fn run_kernel1<K: Kernel<1>>(kernel: K, a: FlexTensor) -> FlexTensor {
        kernel.forward([a], false).0
    }

    fn run_kernel2<K: Kernel<2>>(kernel: K, a: FlexTensor, b: FlexTensor) -> FlexTensor {
        kernel.forward([a, b], false).0
    }

    fn run_kernel3<K: Kernel<3>>(
        kernel: K,
        a: FlexTensor,
        b: FlexTensor,
        c: FlexTensor,
    ) -> FlexTensor {
        kernel.forward([a, b, c], false).0
    }
}

impl<C: CheckpointStrategy> KernelBackend for Autodiff<Flex, C> {
    fn run_kernel1<K: Kernel<1>>(kernel: K, a: FloatTensor<Self>) -> FloatTensor<Self> {
        track::<C, K, 1>(kernel, [a])
    }

    fn run_kernel2<K: Kernel<2>>(
        kernel: K,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        track::<C, K, 2>(kernel, [a, b])
    }

    fn run_kernel3<K: Kernel<3>>(
        kernel: K,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        track::<C, K, 3>(kernel, [a, b, c])
    }
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

/// Runs a kernel on one tensor.
pub(crate) fn run1<K: Kernel<1>, const A: usize, const D: usize>(
    kernel: K,
    a: Tensor<A>,
) -> Tensor<D> {
    Tensor::from_dispatch(<Dispatch as KernelBackend>::run_kernel1(
        kernel,
        a.into_dispatch(),
    ))
}

/// Runs a kernel on two tensors.
pub(crate) fn run2<K: Kernel<2>, const A: usize, const B: usize, const D: usize>(
    kernel: K,
    a: Tensor<A>,
    b: Tensor<B>,
) -> Tensor<D> {
    Tensor::from_dispatch(<Dispatch as KernelBackend>::run_kernel2(
        kernel,
        a.into_dispatch(),
        b.into_dispatch(),
    ))
}

/// Runs a kernel on three tensors.
pub(crate) fn run3<K: Kernel<3>, const A: usize, const B: usize, const C: usize, const D: usize>(
    kernel: K,
    a: Tensor<A>,
    b: Tensor<B>,
    c: Tensor<C>,
) -> Tensor<D> {
    Tensor::from_dispatch(<Dispatch as KernelBackend>::run_kernel3(
        kernel,
        a.into_dispatch(),
        b.into_dispatch(),
        c.into_dispatch(),
    ))
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
