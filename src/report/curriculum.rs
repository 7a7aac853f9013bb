//! Curricula as pictures.

use super::canvas::{Anchor, Look, draw_svg, text_width};
use super::timeline::{HEIGHT, Line, Scale, Ticks, Timeline, WIDTH, ticks_around};
use crate::base::{Result, write_atomically};
use crate::curriculum::{Curriculum, Stage, levels, rounded};
use std::path::Path;

// Sizes in pixels.
const SIDE: f64 = 66.0;
const ABOVE: f64 = 34.0;
const BELOW: f64 = 44.0;
const GAP: f64 = 14.0;
const TITLE: f64 = 36.0;

// So many values are told apart by their numbers; more need round ones.
const FEW: usize = 5;

/// Pictures: rotation, shift, ε and learning rate over the epochs.
///
/// ```
/// use fireproof::curriculum::Curriculum;
///
/// let svg = Curriculum::cusp_cifar10().to_svg("CuSP")?;
/// assert!(svg.contains("learning rate"));
/// # Ok::<(), fireproof::base::Error>(())
/// ```
impl Curriculum {
    /// The curriculum as SVG: four small panels over the epochs, with fine lines where stages begin.
    /// An empty title takes no room.
    ///
    /// # Errors
    ///
    /// What [`check`](Self::check) refuses, and [`Error::Drawing`](crate::base::Error::Drawing).
    pub fn to_svg(&self, title: &str) -> Result<String> {
        self.check()?;
        let panels = self.panels();
        let above = if title.is_empty() { 0.0 } else { TITLE };
        let (column, row) = (SIDE + WIDTH + GAP, ABOVE + HEIGHT + BELOW);
        let wide = (2.0 * column).max(text_width(title, 16.0) + 2.0 * GAP);
        draw_svg(wide, above + 2.0 * row, |canvas| {
            if !title.is_empty() {
                canvas.text(title, (GAP, TITLE / 2.0 + 3.0), 16.0, Anchor::Left, true)?;
            }
            for (at, panel) in panels.iter().enumerate() {
                let (x, y) = ((at % 2) as f64, (at / 2) as f64);
                panel.draw(canvas, (SIDE + x * column, above + ABOVE + y * row))?;
            }
            Ok(())
        })
    }

    /// Writes [`to_svg`](Self::to_svg), as a whole or not at all.
    ///
    /// # Errors
    ///
    /// As there, and [`Error::Io`](crate::base::Error::Io), naming the path.
    pub fn plot_svg(&self, title: &str, path: impl AsRef<Path>) -> Result<()> {
        write_atomically(path.as_ref(), self.to_svg(title)?.as_bytes())
    }

    fn panels(&self) -> [Timeline; 4] {
        let stages: Vec<Stage> = (1..=self.epochs).map(|epoch| self.stage(epoch)).collect();
        let starts = self.stages().into_iter().skip(1);
        let starts: Vec<usize> = starts.map(|(epochs, _)| *epochs.start()).collect();
        // A ramp's stages are an epoch each: no lines for them.
        let switches = if starts.len() <= 8 {
            starts
        } else {
            Vec::new()
        };
        let panel = |number, title: &str, of: fn(&Stage) -> f64, label: fn(f64) -> String| {
            let values: Vec<f64> = stages.iter().map(of).collect();
            let scale = Scale::of(&values);
            let points = (1..).zip(values.iter().map(|&value| scale.place(value)));
            Timeline {
                title: title.to_owned(),
                y_ticks: ticks(&values, scale, number == 0, label),
                lines: vec![Line {
                    look: Look::number(number),
                    points: points.collect(),
                    holds: true,
                }],
                epochs: self.epochs,
                switches: switches.clone(),
                best: None,
            }
        };
        [
            panel(0, "rotation up to ± (degrees)", |s| s.angle.0, rounded),
            panel(2, "shift up to ± (pixels)", |s| s.shift.0, rounded),
            panel(1, "ε (pixel range)", |s| s.epsilon, levels),
            panel(3, "learning rate", |s| s.learning_rate, rounded),
        ]
    }
}

/// The values themselves if they are few, with 0 where lengths are to be compared; else round numbers,
/// as people divide a turn where that is what they are.
fn ticks(values: &[f64], scale: Scale, turns: bool, label: fn(f64) -> String) -> Ticks {
    let mut distinct = values.to_vec();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    if scale == Scale::Even {
        if distinct.len() > FEW {
            let steps: &[f64] = if turns { &[15.0, 30.0] } else { &[] };
            return ticks_around(values, steps, label);
        }
        if distinct[0] > 0.0 {
            distinct.insert(0, 0.0);
        }
    } else if distinct.len() > FEW {
        let (low, high) = (distinct[0], distinct[distinct.len() - 1]);
        let powers = (low.log10().floor() as i32)..=(high.log10().ceil() as i32);
        let power = |at: i32| (f64::from(at), label(10f64.powi(at)));
        return powers.map(power).collect();
    }
    let tick = |value: f64| (scale.place(value), label(value));
    distinct.into_iter().map(tick).collect()
}
