//! The Rust side of the comparison with PyTorch. `compare.py` beside this file builds it, starts it
//! and reads its answers; `torch_worker.py` is the other side.
//!
//! One JSON request per line on standard input, one JSON answer per line on standard output. What a
//! case is called, and with which numbers it runs, is said by `cases.py` alone.

mod attack;
mod autoattack;
mod conv;
mod data;
mod poses;
#[path = "../../tests/attack/stored.rs"]
mod stored;
mod warp;

use burn::tensor::Tensor;
use fireproof::kernel::Numerics;
use serde::Deserialize;
use std::io::{BufRead, Write};
use std::time::Instant;

/// A request. Fields that its kind of case does not have are 0 or empty.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Case {
    case: String,
    kind: String,
    numerics: Numerics,
    repeats: usize,
    batch: usize,
    channels: [usize; 2],
    side: usize,
    padding: usize,
    pass: String,
    group: String,
    layer: String,
    network: String,
    steps: usize,
    angles: usize,
    images: usize,
    epsilon: f64,
    angle: f64,
    shift: f64,
    // Of weights.
    file: String,
    // Whether all values are told, not a sample of them.
    all: bool,
}

/// One run of a case.
pub struct Outcome {
    /// How long it took.
    pub seconds: f64,
    /// What it gave.
    pub value: Tensor<1>,
}

/// Runs a case once. The first run, which is not timed, gets `true` and gives the values compared.
pub type Run = Box<dyn FnMut(bool) -> Outcome + Send>;

/// How long `work` took, and what it gave. Flex computes at once: there is nothing to wait for.
pub fn timed<R>(work: impl FnOnce() -> R) -> (f64, R) {
    let start = Instant::now();
    let result = work();
    (start.elapsed().as_secs_f64(), result)
}

fn prepare(case: &Case) -> Run {
    match case.kind.as_str() {
        "matmul" => conv::matmul(case),
        "conv" => conv::conv(case),
        "group_conv" => conv::group_conv(case),
        "warp" => warp::warp(case),
        "search" => warp::search(case),
        "pgd" => attack::pgd(case),
        "autoattack" => autoattack::standard(case),
        "grid" => poses::search(case),
        "same_poses" => poses::same_poses(case),
        "nobody" => poses::nobody(case),
        "trained" => poses::trained(case),
        "composite" => poses::composite(case),
        "train" => attack::train(case),
        "trades" => attack::trades(case),
        other => panic!("unknown kind of case: {other}"),
    }
}

/// Page faults so far that read nothing from a disk.
fn faults() -> i64 {
    // SAFETY: all-zero bytes are an `rusage`, and `getrusage` writes to nothing else.
    unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert_eq!(libc::getrusage(libc::RUSAGE_SELF, &mut usage), 0);
        usage.ru_minflt
    }
}

/// The most memory this process ever had, in KiB. (`ru_maxrss` would count its parent's as well.)
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// Mean of the absolute values, and sixteen values from places spread evenly, or all of them.
fn summary(value: Tensor<1>, all: bool) -> (f64, Vec<f32>) {
    let data = value.into_data().convert::<f32>();
    let values = data.as_slice::<f32>().expect("f32");
    let sum: f64 = values.iter().map(|v| f64::from(v.abs())).sum();
    if all {
        return (sum / values.len() as f64, values.to_vec());
    }
    let sample = (0..16).map(|at| values[at * (values.len() - 1) / 15]);
    (sum / values.len() as f64, sample.collect())
}

fn main() {
    if !std::env::args().any(|argument| argument == "--worker") {
        eprintln!("This is one half of a comparison: run python3 benches/peer/compare.py");
        return;
    }
    let mut output = std::io::stdout();
    let mut answer = |value: serde_json::Value| {
        writeln!(output, "{value}").expect("the parent reads");
        output.flush().expect("the parent reads");
    };
    answer(serde_json::json!({ "ready": true, "threads": rayon::current_num_threads() }));

    let mut prepared: Vec<(Case, Run)> = Vec::new();
    for line in std::io::stdin().lock().lines() {
        let case: Case = serde_json::from_str(&line.expect("a line")).expect("a request");
        // The same case with other numerics is measured in turns with this one.
        prepared.retain(|(kept, _)| kept.case == case.case);
        let at = prepared
            .iter()
            .position(|(kept, _)| kept.numerics == case.numerics);
        let mut fields = serde_json::Map::new();
        case.numerics.run(|| {
            let at = at.unwrap_or_else(|| {
                let mut run = prepare(&case);
                let before = peak();
                let (seconds, outcome) = timed(|| run(true));
                fields.insert("peak_kib".into(), vec![before, peak()].into());
                let (checksum, sample) = summary(outcome.value, case.all);
                fields.insert("first".into(), seconds.into());
                fields.insert("checksum".into(), checksum.into());
                fields.insert("sample".into(), sample.into());
                prepared.push((case.clone(), run));
                prepared.len() - 1
            });
            let run = &mut prepared[at].1;
            let (mut seconds, mut faulted) = (Vec::new(), Vec::new());
            for _ in 0..case.repeats {
                let before = faults();
                seconds.push(run(false).seconds);
                faulted.push(faults() - before);
            }
            fields.insert("seconds".into(), seconds.into());
            fields.insert("faults".into(), faulted.into());
        });
        fields.insert("case".into(), case.case.into());
        answer(fields.into());
    }
}
