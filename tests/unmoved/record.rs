//! What is written down.

use super::*;

#[derive(Serialize, Deserialize)]
pub struct Record {
    pub arithmetic: Arithmetic,
    pub attacks: BTreeMap<String, Attacked>,
    pub trainings: BTreeMap<String, Learnt>,
    pub evaluations: BTreeMap<String, Vec<Measured>>,
    /// Pixels of the images of L2 attacks, in a file of their own.
    #[serde(skip)]
    pub sampled: Vec<f32>,
}

/// What bits depend on besides this crate.
#[derive(PartialEq, Debug, Serialize, Deserialize)]
pub struct Arithmetic {
    /// The instructions of this crate's kernels.
    pub instructions: String,
    /// A digest of what Burn and the mathematical library compute.
    pub probe: String,
}

/// One number per image, apart by spaces; yes and no as 1 and 0.
#[derive(Serialize, Deserialize)]
pub struct Attacked {
    pub images: String,
    pub fooled: String,
    pub loss: String,
    pub queries: String,
    pub gradients: String,
    /// Where its pixels begin among those sampled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<usize>,
}

#[derive(PartialEq, Debug, Serialize, Deserialize)]
pub struct Learnt {
    /// Digests of all parameters and running statistics, in order of the digests: neither names
    /// nor the order of fields matter.
    pub weights: String,
    pub train_loss: f64,
    pub valid_loss: f64,
    pub valid_accuracy: f64,
}

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Measured {
    pub level: String,
    /// Rate and interval.
    pub accuracy: [f64; 3],
    pub fooling: [f64; 3],
    pub draws: usize,
    pub queries: f64,
    pub correct: String,
    pub fooled: String,
}

impl Arithmetic {
    pub fn here(device: &Device) -> Self {
        let wave = |count: usize| (0..count).map(|i| (0.37 * i as f32).sin());
        let tensor =
            |count| Tensor::<1>::from_data(TensorData::new(wave(count).collect(), [count]), device);
        let images = tensor(4 * 10 * 196).reshape([4, 10, 14, 14]);
        let filters = tensor(20 * 10 * 9).reshape([20, 10, 3, 3]);
        let options = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
        let features = conv2d(images, filters, None, options).reshape([4, 2880]);
        let logits = features.matmul(tensor(2880 * 50).reshape([2880, 50]));
        let mut numbers = floats(&log_softmax(logits.clone() / 50.0, 1));
        numbers.extend(floats(&logits.square().sum_dim(1).sqrt()));
        numbers.extend((1..500).map(|i| {
            let x = 0.731 * f64::from(i);
            (x.ln() + x.cos() + (-x).exp() + x.powf(1.0 / 784.0)) as f32
        }));
        Self {
            instructions: instructions().to_owned(),
            probe: format!("{:016x}", digest(&numbers)),
        }
    }
}

pub fn instructions() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            let wide = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl");
            return if wide { "avx512" } else { "avx2" };
        }
    }
    "portable"
}

pub fn weights(model: &impl Module) -> String {
    struct All(Vec<String>);
    impl ModuleVisitor for All {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0
                .push(format!("{:016x}", digest(&floats(&param.val()))));
        }
    }
    let mut all = All(Vec::new());
    model.visit(&mut all);
    all.0.sort();
    words(all.0)
}

pub fn floats<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().iter::<f32>().collect()
}

/// FNV-1a, 64 bits.
pub fn digest(values: &[f32]) -> u64 {
    let bytes = values
        .iter()
        .flat_map(|value| value.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |digest, byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

pub fn words(values: impl IntoIterator<Item = impl ToString>) -> String {
    let words: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    words.join(" ")
}

pub fn bits(flags: impl IntoIterator<Item = bool>) -> String {
    let digits = flags.into_iter().map(|flag| if flag { '1' } else { '0' });
    digits.collect()
}

pub fn fixture(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "fixtures", name]
        .iter()
        .collect()
}

impl Record {
    pub fn read() -> Self {
        let text = std::fs::read_to_string(fixture("unmoved.json")).unwrap();
        let mut record: Self = serde_json::from_str(&text).unwrap();
        let mut bytes = Vec::new();
        let packed = std::fs::File::open(fixture("unmoved_l2.bin.gz")).unwrap();
        GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
        let (values, rest) = bytes.as_chunks();
        assert!(rest.is_empty());
        record.sampled = values
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect();
        record
    }

    /// JSON with one case a line.
    pub fn write(&self) {
        fn json(value: &impl Serialize) -> String {
            serde_json::to_string(value).unwrap()
        }
        fn section(text: &mut String, name: &str, cases: &BTreeMap<String, impl Serialize>) {
            let cases = cases
                .iter()
                .map(|(name, case)| format!("{}: {}", json(name), json(case)));
            let cases = cases.collect::<Vec<_>>().join(",\n");
            write!(text, ",\n\"{name}\": {{\n{cases}\n}}").unwrap();
        }
        let mut text = format!("{{\"arithmetic\": {}", json(&self.arithmetic));
        section(&mut text, "attacks", &self.attacks);
        section(&mut text, "trainings", &self.trainings);
        section(&mut text, "evaluations", &self.evaluations);
        text.push_str("}\n");
        std::fs::write(fixture("unmoved.json"), text).unwrap();

        let bytes = self.sampled.iter().flat_map(|value| value.to_le_bytes());
        let packed = std::fs::File::create(fixture("unmoved_l2.bin.gz")).unwrap();
        let mut packer = GzEncoder::new(packed, Compression::best());
        packer.write_all(&bytes.collect::<Vec<_>>()).unwrap();
        packer.finish().unwrap();
    }

    pub fn sample(&self, attacked: &Attacked) -> Option<&[f32]> {
        let count = (IMAGES * 784).div_ceil(STRIDE);
        attacked
            .sample
            .map(|from| &self.sampled[from..from + count])
    }
}
