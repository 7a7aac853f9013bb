//! The loader of staged batches.

use super::given::{CALM, HARD, epoch, ids, loader};
use crate::common::{On, bits};
use burn::data::dataloader::DataLoader;
use fireproof::base::{Precision, Seed};
use fireproof::train::{Augmentation, StagedBatch, StagedLoader};
use std::collections::BTreeSet;

on_every_device![
    convention_each_pass_over_the_loader_is_an_epoch,
    convention_order_is_a_function_of_seed_and_epoch,
    convention_slices_cut_the_order_of_the_epoch,
    convention_validation_keeps_the_order,
    convention_batches_made_ahead_are_those_made_here,
    convention_an_epoch_may_be_left_at_any_batch,
];

fn convention_each_pass_over_the_loader_is_an_epoch(on: &On) {
    let loader = loader(&on.device(), 40, &[CALM, HARD], 3);
    assert_eq!((loader.num_items(), loader.batches()), (40, 3));
    for (number, stage) in [(1, CALM), (2, HARD)] {
        let batches = epoch(&loader);
        let sizes: Vec<usize> = batches.iter().map(|b| b.batch.len()).collect();
        assert_eq!(sizes, [16, 16, 8]);
        for batch in &batches {
            assert_eq!(
                (batch.epoch, batch.stage, batch.seed),
                (number, stage, Seed(3))
            );
        }
        let all: BTreeSet<u64> = ids(&batches).into_iter().collect();
        assert_eq!(all, (0..40).collect());
    }
}

fn convention_order_is_a_function_of_seed_and_epoch(on: &On) {
    let first = loader(&on.device(), 40, &[CALM; 3], 3);
    let orders: Vec<_> = (0..3).map(|_| ids(&epoch(&first))).collect();
    assert!(orders[0] != orders[1] && orders[1] != orders[2]);
    // Resumed after two epochs, and copied after one, the third epoch is the third epoch.
    let resumed = loader(&on.device(), 40, &[CALM; 3], 3).with_epochs_begun(2);
    assert_eq!(ids(&epoch(&resumed)), orders[2]);
    let other = loader(&on.device(), 40, &[CALM; 3], 3);
    epoch(&other);
    let copy = other.to_device(&on.device());
    epoch(&other);
    assert_eq!(ids(&epoch(&*copy)), orders[1]);
    assert_eq!(ids(&epoch(&*copy)), orders[2]);
    assert_ne!(
        ids(&epoch(&loader(&on.device(), 40, &[CALM; 3], 4))),
        orders[0]
    );
}

fn convention_slices_cut_the_order_of_the_epoch(on: &On) {
    let whole = loader(&on.device(), 40, &[CALM; 2], 3);
    let slices = [whole.slice(0, 13), whole.slice(13, 27), whole.slice(27, 99)];
    let nested = slices[1].slice(4, 10);
    for _ in 0..2 {
        let order = ids(&epoch(&whole));
        let parts: Vec<Vec<u64>> = slices.iter().map(|s| ids(&epoch(&**s))).collect();
        assert_eq!(parts.concat(), order);
        assert_eq!(ids(&epoch(&*nested)), order[17..23]);
    }
    assert_eq!(slices.map(|s| s.num_items()), [13, 14, 13]);
}

fn convention_validation_keeps_the_order(on: &On) {
    let loader = loader(&on.device(), 20, &[CALM], 3).in_order();
    let mut iterator = loader.iter();
    let first = iterator.next().unwrap().unwrap();
    assert_eq!(first.batch.ids, (0..16).collect::<Vec<u64>>());
    let progress = iterator.progress();
    assert_eq!((progress.items_processed, progress.items_total), (16, 20));
}

/// All that an epoch's batches hold.
fn held(batches: &[StagedBatch]) -> Vec<(Vec<u64>, Vec<i64>, Vec<u32>)> {
    let each = |staged: &StagedBatch| {
        let batch = &staged.batch;
        let labels = batch.labels_to_vec();
        (batch.ids.clone(), labels, bits(batch.images.clone()))
    };
    batches.iter().map(each).collect()
}

fn convention_batches_made_ahead_are_those_made_here(on: &On) {
    // Oracle: batches made where they are asked for, and moved by hand.
    let loader = |ahead| loader(&on.device(), 40, &[CALM, HARD], 3).with_ahead(ahead);
    let moving = |ahead| loader(ahead).with_augmentation(Augmentation::cifar_cusp());
    let two = |loader: &StagedLoader| [epoch(loader), epoch(loader)].map(|of| held(&of));
    let (plain, moved) = (two(&loader(0)), two(&moving(0)));
    for most in [1, 2, 100] {
        assert!(two(&loader(most)) == plain, "{most} ahead");
        assert!(two(&moving(most)) == moved, "{most} ahead, moved");
        // Copies move images as well.
        let copy = moving(most).to_device(&on.device());
        assert!(held(&epoch(&*copy)) == moved[0]);
    }
    let by_hand = |mut staged: StagedBatch| {
        staged.batch.images = Augmentation::cifar_cusp().apply(&staged);
        staged
    };
    let batches = epoch(&loader(0)).into_iter().map(by_hand);
    assert!(held(&Vec::from_iter(batches)) == moved[0]);
    assert!(moved[0] != plain[0]);
    if !on.is("flex") {
        return; // Other backends may lack the type.
    }
    let cast = loader(2).with_precision(Some(Precision::F16));
    let images = &epoch(&cast)[0].batch.images;
    assert_eq!(Precision::of("images", images).unwrap(), Precision::F16);
}

fn convention_an_epoch_may_be_left_at_any_batch(on: &On) {
    let whole = ids(&epoch(&loader(&on.device(), 40, &[CALM; 9], 3)));
    for taken in 0..=3 {
        let loader = loader(&on.device(), 40, &[CALM; 9], 3);
        let mut left = loader.iter();
        for _ in 0..taken {
            left.next().unwrap().unwrap();
        }
        let progress = left.progress().items_processed;
        assert_eq!(progress, (16 * taken).min(40));
        drop(left);
        // The next one is the next epoch.
        assert_ne!(ids(&epoch(&loader)), whole);
    }
}
