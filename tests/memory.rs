//! In the steady state an attack takes no fresh pages.
//!
//! Oracle: the system's count of page faults of this process, before and after. A test binary of its
//! own, with a single test, as the count is of the whole process.
#![cfg(all(feature = "flex", target_os = "linux"))]

use fireproof::attack::Keep;
use fireproof::kernel::Numerics;
use fireproof::model::SmallCnnConfig;
use fireproof::prelude::*;

fn page_faults() -> i64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: `getrusage` fills in the structure it is given.
    let usage = unsafe {
        assert_eq!(libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()), 0);
        usage.assume_init()
    };
    usage.ru_minflt
}

#[test]
fn value_page_faults_of_a_steady_attack() {
    const STEPS: usize = 100;
    let device = burn::tensor::Device::flex();
    let p4 = CnnConfig::new(Group::P4, [1, 28, 28], 10)
        .init(&device)
        .unwrap();
    let small = SmallCnnConfig::new([1, 28, 28], 10).init(&device).unwrap();
    let digits = embedded_mnist().test;
    let places: Vec<usize> = (0..128).collect();
    let batch = digits.batch(&places, &device);
    let pgd = Pgd::linf(0.1).with_keep(Keep::Last);
    for (name, victim) in [
        ("p4-CNN", Frozen::new(&p4)),
        ("SmallCnn", Frozen::new(&small)),
    ] {
        for numerics in [Numerics::Exact, Numerics::Fast] {
            let victim = victim.clone().with_numerics(numerics);
            let attack = |steps| {
                let attack = pgd.clone().with_steps(steps).with_step_size(0.01);
                attack.perturb(&victim, &batch, Seed(1)).unwrap();
            };
            attack(3);
            let before = page_faults();
            attack(STEPS);
            let faults = (page_faults() - before) as f64 / STEPS as f64;
            println!("{name}, {numerics}: {faults:.1} page faults per step");
            assert!(faults < 1000.0);
        }
    }
    // What was kept is given back when asked for.
    fireproof::kernel::release_memory();
}
