use super::canvas::{Anchor, Canvas, GREY, INK, Look, PALE, draw_svg, text_width};
use super::frame::{Frame, rising_ticks};
use crate::base::{Result, write_atomically};
use crate::evaluate::{Tangents, short};
use std::path::Path;

// Sizes in pixels.
const LEFT: f64 = 132.0;
const TOP: f64 = 40.0;
const WIDTH: f64 = 380.0;
const ROW: f64 = 34.0;
const BELOW: f64 = 52.0;
const RIGHT: f64 = 30.0;
const HALF: f64 = 13.0;

impl Tangents {
    /// The absolute cosines as SVG: a row for each tangent with a fine line for every image, the mean as a
    /// marker with its 95 % interval, and, dashed, what a random direction would have.
    ///
    /// # Errors
    ///
    /// [`Error::Drawing`](crate::base::Error::Drawing) if drawing fails.
    pub fn to_svg(&self) -> Result<String> {
        let each = self.each();
        let tall = ROW * each.len() as f64;
        let sizes = |cosines: &[Option<f32>]| {
            let sizes = cosines
                .iter()
                .flatten()
                .map(|cosine| f64::from(cosine.abs()));
            Vec::from_iter(sizes)
        };
        let all = each.iter().flat_map(|(_, found)| sizes(&found.cosines));
        let ends = all.map(|size| (0.0, size)).chain([(0.0, self.random)]);
        let frame = Frame::new(
            (LEFT, TOP),
            (WIDTH, tall),
            rising_ticks(ends),
            vec![0.0, 1.0],
        );
        let title = format!("{}: loss gradient and tangents", self.name);
        let wide = (LEFT + WIDTH + RIGHT).max(text_width(&title, 15.0) + 28.0);
        draw_svg(wide, TOP + tall + BELOW, |canvas| {
            canvas.text(&title, (14.0, TOP / 2.0), 15.0, Anchor::Left, true)?;
            self.draw_axis(canvas, &frame)?;
            for (row, (name, found)) in each.iter().enumerate() {
                let y = TOP + ROW * (row as f64 + 0.5);
                canvas.text(name, (LEFT - 10.0, y), 12.5, Anchor::Right, false)?;
                for size in sizes(&found.cosines) {
                    let (x, _) = frame.place(size, 0.0);
                    canvas.translucent(&[(x, y - HALF), (x, y + HALF)], GREY, 1.0, 0.16)?;
                }
                if let Some(mean) = found.mean {
                    let look = Look::number(0);
                    let ends =
                        [mean.interval.low, mean.interval.high].map(|x| frame.place(x, 0.0).0);
                    canvas.line(&[(ends[0], y), (ends[1], y)], look.colour, 2.4)?;
                    let at = (frame.place(mean.value, 0.0).0, y);
                    canvas.rim(look, at, 4.0)?;
                    canvas.marker(look, at, 4.0)?;
                }
            }
            let (x, _) = frame.place(self.random, 0.0);
            canvas.dashed(&[(x, TOP - 4.0), (x, TOP + tall)], INK, 1.2)
        })
    }

    /// Writes [`to_svg`](Self::to_svg) to a file, as a whole or not at all.
    ///
    /// # Errors
    ///
    /// As [`to_svg`](Self::to_svg), and [`Error::Io`](crate::base::Error::Io), naming the path.
    pub fn plot_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomically(path.as_ref(), self.to_svg()?.as_bytes())
    }

    fn draw_axis(&self, canvas: &Canvas, frame: &Frame) -> Result<()> {
        let bottom = frame.top + frame.height;
        for &tick in &frame.x_ticks {
            let (x, _) = frame.place(tick, 0.0);
            canvas.line(&[(x, frame.top), (x, bottom)], PALE, 1.0)?;
            canvas.tick((x, bottom), &short(tick))?;
        }
        let ends = [(LEFT, bottom), (LEFT + WIDTH, bottom)];
        canvas.line(&ends, INK, 1.0)?;
        let middle = (LEFT + WIDTH / 2.0, bottom + 34.0);
        let words = "absolute cosine; dashed: a random direction";
        canvas.text(words, middle, 13.0, Anchor::Centre, false)
    }
}
