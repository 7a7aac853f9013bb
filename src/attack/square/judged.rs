use crate::base::read_data;
use burn::tensor::Tensor;
use std::collections::HashSet;

/// Which candidates of each image have been judged since its best one came, that one included.
///
/// Late in a search most squares are small and change nothing, or what was tried before: an image that
/// is the same as one that was not taken is not taken, without a pass.
#[derive(Clone, Debug)]
pub(super) struct Judged(Vec<Row>);

// By hashes: two images with one hash would cost a search a candidate, nothing else.
#[derive(Clone, Debug, Default)]
struct Row {
    known: HashSet<u64>,
    newest: u64,
}

impl Judged {
    /// Nothing, of so many images.
    pub fn nothing(count: usize) -> Self {
        Self(vec![Row::default(); count])
    }

    /// The rows of candidates that are not known.
    pub fn unknown(&mut self, images: &Tensor<4>) -> Vec<usize> {
        let data = read_data(images);
        let pixels = data.as_bytes();
        let rows = pixels.chunks(pixels.len() / self.0.len()).map(hash);
        let rows = self.0.iter_mut().zip(rows).enumerate();
        rows.filter_map(|(at, (row, hash))| {
            row.newest = hash;
            (!row.known.contains(&hash)).then_some(at)
        })
        .collect()
    }

    /// The newest candidate of a row has been judged, and taken or not.
    pub fn meet(&mut self, row: usize, taken: bool) {
        let row = &mut self.0[row];
        if taken {
            row.known.clear();
        }
        row.known.insert(row.newest);
    }

    /// Of these rows.
    pub fn part(&self, rows: &[usize]) -> Self {
        Self(rows.iter().map(|&row| self.0[row].clone()).collect())
    }
}

// Four words at a time, which do not wait for each other.
fn hash(row: &[u8]) -> u64 {
    let mut hashes = [0, 1, 2, 3];
    for words in row.chunks(32) {
        let mut padded = [0; 32];
        padded[..words.len()].copy_from_slice(words);
        for (hash, word) in hashes.iter_mut().zip(padded.as_chunks().0) {
            *hash = mixed(*hash, u64::from_ne_bytes(*word));
        }
    }
    hashes.into_iter().fold(0, mixed)
}

fn mixed(hash: u64, word: u64) -> u64 {
    let mixed = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 32)
}
