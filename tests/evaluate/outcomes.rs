//! Outcomes packed into bits: on the host.

use fireproof::evaluate::Outcomes;

#[test]
fn value_packing_and_unpacking_agree() {
    for count in [0, 1, 7, 8, 9, 64, 100] {
        let flags: Vec<bool> = (0..count).map(|k| k % 3 == 0 || k % 7 == 2).collect();
        let packed = Outcomes::new(flags.iter().copied());
        assert_eq!(packed.len(), count);
        assert_eq!(packed.iter().collect::<Vec<_>>(), flags);
        let text = serde_json::to_string(&packed).unwrap();
        assert_eq!(serde_json::from_str::<Outcomes>(&text).unwrap(), packed);
    }
}

#[test]
fn error_corrupt_bits() {
    for text in [
        r#"{"count":9,"bits":"05"}"#,
        r#"{"count":3,"bits":"0g"}"#,
        r#"{"count":3,"bits":"+5"}"#,
        r#"{"count":3,"bits":"ff"}"#,
        r#"{"count":18446744073709551615,"bits":""}"#,
    ] {
        assert!(serde_json::from_str::<Outcomes>(text).is_err(), "{text}");
    }
}
