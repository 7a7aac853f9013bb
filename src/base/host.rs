//! The one way by which numbers come from a device to the host, and indices back.

use super::scope::Setting;
use burn::tensor::kind::Basic;
use burn::tensor::{Device, Element, Int, Tensor, TensorData};

/// Reads of tensors to the host: what [`count_reads`] counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// How often something was read: each read waits for the device.
    pub count: usize,
    /// How many numbers came over in all.
    pub values: usize,
}

thread_local! {
    static READS: Setting<Reads> = const { Setting::new() };
}

/// The values of a tensor in row order, on the host.
pub fn read<E: Element, const D: usize, K: Basic>(tensor: &Tensor<D, K>) -> Vec<E> {
    let data = read_data(tensor);
    match data.dtype() == E::dtype() {
        true => data.try_into_vec().expect("numbers of their own type"),
        false => data.iter::<E>().collect(),
    }
}

/// A tensor on the host, its numbers as they are stored.
pub(crate) fn read_data<const D: usize, K: Basic>(tensor: &Tensor<D, K>) -> TensorData {
    let data = tensor.to_data();
    Setting::with(&READS, |reads| {
        reads.count += 1;
        reads.values += data.num_elements();
    });
    data
}

/// Indices from the host on a device, to select by.
pub(crate) fn indices(indices: impl IntoIterator<Item = usize>, device: &Device) -> Tensor<1, Int> {
    let indices = Vec::from_iter(indices.into_iter().map(|at| at as i64));
    let shape = [indices.len()];
    Tensor::from_data(TensorData::new(indices, shape), device)
}

/// Whole numbers of any type, such as labels, in the one that the device has for indices.
pub(crate) fn as_indices<const D: usize>(numbers: Tensor<D, Int>) -> Tensor<D, Int> {
    let dtype = numbers.device().settings().int_dtype;
    numbers.cast(dtype)
}

/// Runs `work` and tells how much it [`read`] to the host. Kept apart from other tasks of a pool
/// as [`Numerics::run`](crate::kernel::Numerics::run) says.
///
/// ```
/// use burn::tensor::Tensor;
/// use fireproof::base::{count_reads, read};
///
/// let ones = Tensor::<2>::ones([2, 3], &fireproof::device());
/// let (values, reads) = count_reads(|| read::<f32, _, _>(&ones));
/// assert_eq!((values.len(), reads.count, reads.values), (6, 1, 6));
/// ```
pub fn count_reads<R: Send>(work: impl FnOnce() -> R + Send) -> (R, Reads) {
    let (result, reads) = Setting::during(&READS, Reads::default(), work);
    // Whoever counts around this counts it too.
    Setting::with(&READS, |outer| {
        outer.count += reads.count;
        outer.values += reads.values;
    });
    (result, reads)
}
