//! The channels of a batch one by one, each with its planes in all images.

use rayon::prelude::*;
use std::ops::Range;

use super::count;
use super::shared::Shared;

/// Numbers that one thread takes at a time, about.
const PIECE: usize = 1 << 15;

/// A batch, `[batch][channel][area]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Images.
    pub images: usize,
    /// Channels of an image.
    pub channels: usize,
    /// Numbers of a channel in an image.
    pub area: usize,
}

/// Where a channel's planes lie in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strand {
    batch: Batch,
    channel: usize,
}

/// The planes of one channel, to be written.
pub struct Planes<'a> {
    strand: Strand,
    to: Shared,
    _borrowed: std::marker::PhantomData<&'a mut [f32]>,
}

impl Batch {
    /// What `work` makes of every channel, which it is given with the channel's planes of `to`; on rayon's pool.
    ///
    /// What it reads of a channel again is still in the cache: that is why a channel is done with before the next.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn each<'a, const N: usize, R: Send>(
        self,
        to: [&'a mut [f32]; N],
        work: impl Fn(Strand, [Planes<'a>; N]) -> R + Sync,
    ) -> Vec<R> {
        let numbers = count([self.images, self.channels, self.area]);
        let to = to.map(|to| {
            assert_eq!(to.len(), numbers, "numbers of {self:?}");
            Shared::new(to)
        });
        let channels = (0..self.channels).into_par_iter();
        let work = channels.map(|channel| {
            let strand = Strand {
                batch: self,
                channel,
            };
            let planes = to.map(|to| Planes {
                strand,
                to,
                _borrowed: std::marker::PhantomData,
            });
            work(strand, planes)
        });
        work.collect()
    }
}

impl Strand {
    /// Which channel it is.
    pub fn channel(&self) -> usize {
        self.channel
    }

    /// Numbers of all its planes.
    pub fn len(&self) -> usize {
        count([self.batch.images, self.batch.area])
    }

    /// Its plane in an image, in the batch.
    fn plane(&self, image: usize) -> Range<usize> {
        let Batch { channels, area, .. } = self.batch;
        let start = (image * channels + self.channel) * area;
        start..start + area
    }

    /// Fills a row with planes in the order of their images: `fill` is told a plane's place in the batch, and that
    /// in the row.
    pub fn gather(&self, row: &mut [f32], fill: impl Fn(Range<usize>, Range<usize>, &mut [f32])) {
        assert_eq!(row.len(), self.len(), "one row of all planes");
        let area = self.batch.area;
        for (image, plane) in row.chunks_exact_mut(area.max(1)).enumerate() {
            fill(self.plane(image), image * area..(image + 1) * area, plane);
        }
    }
}

impl Planes<'_> {
    /// Writes the planes: `fill` is told a plane's place in the batch, and that in a row of [`Strand::gather`].
    pub fn fill(&mut self, fill: impl Fn(Range<usize>, Range<usize>, &mut [f32]) + Sync) {
        let Batch { images, area, .. } = self.strand.batch;
        let images = (0..images).into_par_iter();
        let images = images.with_min_len(PIECE.div_ceil(area.max(1)));
        images.for_each(|image| {
            let place = self.strand.plane(image);
            // SAFETY: `'a` keeps the memory borrowed; no other strand has this plane, no other value is one of this
            // strand for this memory, and no other turn of this loop has this image.
            let plane = unsafe { self.to.slice(place.start, area) };
            fill(place, image * area..(image + 1) * area, plane);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Oracle: every number is told its own place.
    #[test]
    fn value_every_plane_is_written_by_its_channel() {
        for (images, channels, area) in [
            (1, 1, 1),
            (3, 5, 4),
            (7, 2, 9),
            (2, 3, 40_000),
            (2, 0, 3),
            (3, 4, 0),
        ] {
            let batch = Batch {
                images,
                channels,
                area,
            };
            let numbers = images * channels * area;
            let (mut places, mut of) = (vec![-1.0; numbers], vec![-1.0; numbers]);
            let found = batch.each([&mut places, &mut of], |strand, [mut places, mut of]| {
                places.fill(|place, _, plane| {
                    for (at, to) in place.zip(plane) {
                        *to = at as f32;
                    }
                });
                of.fill(|_, row, plane| {
                    for (at, to) in row.zip(plane) {
                        *to = (strand.channel() * strand.len() + at) as f32;
                    }
                });
                let mut row = vec![0.0; strand.len()];
                strand.gather(&mut row, |place, in_row, plane| {
                    assert_eq!(in_row.len(), plane.len());
                    for (at, to) in place.zip(plane) {
                        *to = at as f32;
                    }
                });
                (strand.channel(), row)
            });
            for at in 0..numbers {
                assert_eq!(places[at], at as f32);
                let (image, channel) = (at / area / channels, at / area % channels);
                let in_row = image * area + at % area;
                assert_eq!(of[at], (channel * images * area + in_row) as f32);
                assert_eq!(found[channel].0, channel);
                assert_eq!(found[channel].1[in_row], at as f32);
            }
            assert_eq!(found.len(), channels);
        }
    }

    #[test]
    #[should_panic(expected = "numbers of Batch { images: 2, channels: 3, area: 4 }")]
    fn panic_lengths_differ() {
        let batch = Batch {
            images: 2,
            channels: 3,
            area: 4,
        };
        batch.each([&mut [0.0; 23]], |_, _| ());
    }
}
