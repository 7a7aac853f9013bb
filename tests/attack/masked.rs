use super::autoattack::{digits, images, networks, published};
on_this_device![value_x];
fn value_x(on: &crate::common::On) {
    let _ = (digits(&published()["labels"]), images(on, 1), networks(on));
}
