//! A steady state allocates nothing.

use super::Noise;
use super::tied::expand;
use crate::group::Group;
use crate::kernel::Numerics;
use crate::kernel::cpu::conv::Prepared;
use crate::kernel::cpu::{After, Window};

/// After a first round, passes take no fresh memory: page faults do not grow with rounds.
#[test]
fn value_steady_state_takes_no_pages() {
    fn faults() -> i64 {
        // SAFETY: a zeroed `rusage` is valid, and a valid place for the answer.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: as above.
        let failed = unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
        assert_eq!(failed, 0, "the process has a usage");
        usage.ru_minflt
    }
    // Alone in its own process, so that other tests' faults do not count.
    if std::env::var_os("KERNEL_FAULTS").is_none() {
        let test = std::env::current_exe().expect("this test's path");
        let mut child = std::process::Command::new(test);
        child
            .args(["value_steady_state_takes_no_pages", "--nocapture"])
            .env("KERNEL_FAULTS", "1");
        assert!(
            child.status().expect("a process").success(),
            "too many faults"
        );
        return;
    }
    let images = [40, 26, 26];
    let mut noise = Noise::new(1);
    let mut layers: Vec<Prepared> = [(1, 20, 0), (20, 20, 0), (20, 40, 1), (40, 20, 1)]
        .map(|(ci, co, padding)| {
            let w = noise.numbers(co * ci * 9);
            Prepared::new(w, [co, ci], Window::three(padding), Numerics::Fast)
        })
        .into();
    for padding in [0, 1] {
        let w = expand(&noise.numbers(5 * 5 * 72), [5, 5]);
        let layer = Prepared::new(w, [40, 40], Window::three(padding), Numerics::Exact);
        layers.push(layer.with_group(Group::P4m));
    }
    let x = noise.numbers(40 * 40 * 26 * 26);
    let (mut y, mut dx) = (x.clone(), x.clone());
    let mut round = || {
        for layer in &layers {
            let [co, ci] = layer.channels();
            let area: usize = layer.output(images).expect("it fits").iter().product();
            let (xs, ys) = (40 * ci * 26 * 26, 40 * co * area);
            let after = After {
                relu: true,
                ..After::default()
            };
            layer.forward(&x[..xs], images, after, &mut y[..ys]);
            layer.input_gradient(&x[..ys], Some(&y[..ys]), images, &mut dx[..xs]);
        }
    };
    (0..20).for_each(|_| round());
    let before = faults();
    (0..50).for_each(|_| round());
    let grown = faults() - before;
    println!("{grown} page faults in 50 rounds");
    assert!(grown < 500, "{grown} page faults in 50 rounds");
}
