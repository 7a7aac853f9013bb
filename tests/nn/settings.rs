//! Settings that are refused: nothing is computed.

use fireproof::group::Group;
use fireproof::nn::*;

#[test]
fn error_asymmetric_padding() {
    // Padding is one number: settings that ask for more are refused.
    let json = serde_json::to_value(GroupConv2dConfig::new(Group::P4, [1, 1], 3)).unwrap();
    assert!(serde_json::from_value::<GroupConv2dConfig>(json.clone()).is_ok());
    for padding in [serde_json::json!([1, 2]), serde_json::json!("Same")] {
        let mut asymmetric = json.clone();
        asymmetric["padding"] = padding;
        assert!(serde_json::from_value::<GroupConv2dConfig>(asymmetric).is_err());
    }
}

#[test]
#[should_panic(expected = "a window of 2 pixels could lie in the padding of 2 alone")]
fn error_pool_padding() {
    GroupMaxPool2dConfig::new(Group::P4, 2)
        .with_padding(2)
        .init();
}
