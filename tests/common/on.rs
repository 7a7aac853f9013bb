use burn::tensor::{Device, Int, Tensor, TensorData};
use fireproof::base::device_named;
use proptest::prelude::ProptestConfig;
use std::sync::OnceLock;

/// Where a test runs, and in which size.
pub struct On {
    device: Device,
    smallest: bool,
}

impl On {
    /// The whole test on the device of this build, which is Flex by default; or its smallest size
    /// on the device of a name.
    pub fn new(name: Option<&str>) -> Self {
        Self {
            device: match name {
                None => fireproof::device(),
                Some(name) => device_named(name).expect("compiled in"),
            },
            smallest: name.is_some(),
        }
    }

    pub fn device(&self) -> Device {
        self.device.clone()
    }

    /// One of the two, by the size of the test.
    pub fn pick<T>(&self, whole: T, smallest: T) -> T {
        match self.smallest {
            true => smallest,
            false => whole,
        }
    }

    /// As `pick`, of lists.
    pub fn among<'a, T>(&self, whole: &'a [T], smallest: &'a [T]) -> &'a [T] {
        self.pick(whole, smallest)
    }

    /// Whether this is the device of a name.
    pub fn is(&self, name: &str) -> bool {
        device_named(name).is_ok_and(|device| device == self.device)
    }

    /// Asserts that two computations of the same numbers gave the same bits. On a real GPU they may be
    /// other kernels, chosen by what they took when first met and by what is fused into them, and round
    /// differently: the same within a few units of the largest number there.
    pub fn assert_same(&self, found: &[f32], expected: &[f32], what: &str) {
        assert_eq!(found.len(), expected.len(), "{what}");
        let is_gpu = self.is("wgpu") && !is_software();
        let largest = expected.iter().fold(0.0_f32, |most, b| most.max(b.abs()));
        for (at, (a, b)) in found.iter().zip(expected).enumerate() {
            let same = match is_gpu {
                true => (a - b).abs() <= 2e-6 * largest,
                false => a.to_bits() == b.to_bits(),
            };
            assert!(same, "{what}: {a} and {b} at {at}");
        }
    }

    /// Cases of a property test.
    pub fn cases(&self, whole: u32, smallest: u32) -> ProptestConfig {
        ProptestConfig {
            cases: self.pick(whole, smallest),
            failure_persistence: None,
            ..ProptestConfig::default()
        }
    }

    pub fn tensor<const D: usize>(&self, values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(values, shape), &self.device)
    }

    pub fn labels(&self, labels: &[i64]) -> Tensor<1, Int> {
        Tensor::from_data(labels, &self.device)
    }

    /// Whole numbers from −15 to 15 that look random.
    pub fn pattern<const D: usize>(&self, shape: [usize; D], salt: i64) -> Tensor<D> {
        let count: usize = shape.iter().product();
        let values = (0..count as i64)
            .map(|at| ((at * at * 7 + at * 13 + salt * 29) % 31 - 15) as f32)
            .collect();
        self.tensor(values, shape)
    }
}

// Whether no GPU but a software renderer answers: the automatic choice is the CPU then.
fn is_software() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| device_named("wgpu").is_ok_and(|wgpu| fireproof::device() != wgpu))
}
