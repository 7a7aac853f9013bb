//! Attacks as settings in files: nothing is computed.

use fireproof::attack::{Attack, AttackSpec, Fgsm, Keep, Margin, Pgd, Targets};

#[test]
fn smoke_specs_name_build_and_print_attacks() {
    let specs: Vec<AttackSpec> = vec![
        Pgd::linf(8.0 / 255.0).with_targets(Targets::Next).into(),
        Pgd::l2(0.5)
            .with_step_size(0.1)
            .with_keep(Keep::Last)
            .into(),
        Fgsm::linf(0.3).with_loss(Margin).into(),
    ];
    for spec in &specs {
        let json = spec.settings();
        let again: AttackSpec = serde_json::from_value(json).unwrap();
        assert_eq!(&again, spec);
    }
    assert_eq!(
        specs.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "PGD-10 L∞ ε=8/255 step=2/255, towards next class",
            "PGD-10 L2 ε=0.5 step=0.1, last iterate",
            "FGSM L∞ ε=0.3, margin loss",
        ]
    );
    let pgd = Pgd::linf(0.1);
    assert_eq!(pgd.settings(), AttackSpec::from(pgd.clone()).settings());
    assert_eq!(pgd.settings()["attack"], "pgd");
    let unknown = r#"{"attack": "pgd", "norm": "linf", "epsilon": 0.1, "step": 3}"#;
    assert!(serde_json::from_str::<AttackSpec>(unknown).is_err());
}
