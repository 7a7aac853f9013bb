use super::pixels::{bytes, png, scaled, to_bytes};
use crate::base::{Bounds, Error, Result, write_atomically};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use burn::tensor::Tensor;
use std::fmt::Write as _;
use std::path::Path;

/// A grid of images: a row per image, a column per variant of it, such as clean, attacked,
/// rotated and their difference.
///
/// ```
/// use burn::tensor::Tensor;
/// use fireproof::base::Bounds;
/// use fireproof::report::ContactSheet;
///
/// let images = Tensor::<4>::zeros([3, 1, 28, 28], &fireproof::device());
/// let attacked = images.clone() + 0.1;
/// let png = ContactSheet::new(Bounds::default())
///     .with_scale(4)
///     .with_column("clean", images.clone())?
///     .with_column("attacked", attacked.clone())?
///     .with_difference("difference × 5", attacked, images, 5.0)?
///     .to_png()?;
/// assert!(png.starts_with(b"\x89PNG"));
/// # Ok::<(), fireproof::base::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ContactSheet {
    bounds: Bounds,
    scale: usize,
    // `[row, channel, height, width]` of every column, once there is one.
    shape: Option<[usize; 4]>,
    columns: Vec<Column>,
    rows: Vec<String>,
}

#[derive(Clone, Debug)]
struct Column {
    caption: String,
    bytes: Vec<u8>,
    // A text of a line or more under each image, if there are any.
    labels: Vec<String>,
}

// Between images, in pixels of the sheet, and its grey.
const GAP: usize = 2;
const PAPER: u8 = 255;
// A line of a text under an image.
const LINE: usize = 12;

impl ContactSheet {
    /// An empty sheet for images whose pixels lie within `bounds`; it enlarges images three times.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            scale: 3,
            shape: None,
            columns: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// With every pixel drawn as a square of `scale` × `scale`; 0 counts as 1.
    pub fn with_scale(mut self, scale: usize) -> Self {
        self.scale = scale.max(1);
        self
    }

    /// With a text before each row, shown in the SVG.
    pub fn with_row_labels<S: Into<String>>(mut self, labels: impl IntoIterator<Item = S>) -> Self {
        self.rows = labels.into_iter().map(Into::into).collect();
        self
    }

    /// With a column of images, grey or colour, and a caption, shown in the SVG.
    ///
    /// # Shapes
    ///
    /// - images: `[row, 1 or 3, height, width]`, the same in every column
    ///
    /// # Errors
    ///
    /// [`Error::Input`] for another shape, or a pixel that is NaN.
    pub fn with_column(self, caption: impl Into<String>, images: Tensor<4>) -> Result<Self> {
        self.with_labelled_column(caption, images, [""; 0])
    }

    /// With a column of images as [`with_column`](Self::with_column) takes them, and a text under each,
    /// shown in the SVG; it may have several lines.
    ///
    /// # Errors
    ///
    /// As [`with_column`](Self::with_column).
    pub fn with_labelled_column<S: Into<String>>(
        self,
        caption: impl Into<String>,
        images: Tensor<4>,
        labels: impl IntoIterator<Item = S>,
    ) -> Result<Self> {
        let bounds = self.bounds;
        let mut sheet = self.push(caption.into(), scaled(images, bounds))?;
        if let Some(column) = sheet.columns.last_mut() {
            column.labels = labels.into_iter().map(Into::into).collect();
        }
        Ok(sheet)
    }

    /// With a column of `first - second`, multiplied by `gain`, around middle grey.
    ///
    /// # Shapes
    ///
    /// - first, second: `[row, 1 or 3, height, width]`, the same in every column
    ///
    /// # Errors
    ///
    /// As [`with_column`](Self::with_column).
    pub fn with_difference(
        self,
        caption: impl Into<String>,
        first: Tensor<4>,
        second: Tensor<4>,
        gain: f32,
    ) -> Result<Self> {
        let range = self.bounds.high() - self.bounds.low();
        let range = if range.is_finite() { range } else { 1.0 };
        self.push(
            caption.into(),
            (first - second) * (gain / range / 2.0) + 0.5,
        )
    }

    fn push(self, caption: String, images: Tensor<4>) -> Result<Self> {
        self.push_with(caption, images.dims(), |what| bytes(what, &images))
    }

    // A column of numbers from 0 to 1 on the host.
    pub(super) fn with_numbers(
        self,
        caption: String,
        shape: [usize; 4],
        numbers: &[f32],
    ) -> Result<Self> {
        self.push_with(caption, shape, |what| to_bytes(what, numbers))
    }

    fn push_with(
        mut self,
        caption: String,
        shape: [usize; 4],
        bytes: impl FnOnce(&str) -> Result<Vec<u8>>,
    ) -> Result<Self> {
        let expected = self.shape.unwrap_or(shape);
        if shape != expected || !matches!(shape[1], 1 | 3) || shape.contains(&0) {
            let expected = match self.shape {
                Some(shape) => format!("{shape:?}, as the columns before"),
                None => "[row, 1 or 3, height, width], none of them 0".to_owned(),
            };
            return Err(Error::input(
                format!("shape of the column `{caption}`"),
                format!("{shape:?}"),
                expected,
            ));
        }
        let bytes = bytes(&format!("the column `{caption}`"))?;
        self.columns.push(Column {
            caption,
            bytes,
            labels: Vec::new(),
        });
        self.shape = Some(shape);
        Ok(self)
    }

    /// The grid as a PNG, grey or RGB, without captions.
    ///
    /// # Errors
    ///
    /// [`Error::Drawing`] if there is no column.
    pub fn to_png(&self) -> Result<Vec<u8>> {
        self.png(0)
    }

    // With so much room under each row.
    fn png(&self, room: usize) -> Result<Vec<u8>> {
        let ([_, channels, ..], [wide, tall]) = self.sizes(room)?;
        let pixels = self.pixels(room)?;
        png("a contact sheet", &pixels, [channels, tall, wide])
    }

    /// The grid as an SVG with its captions above and row labels on the left; the images are
    /// embedded as a PNG.
    ///
    /// # Errors
    ///
    /// [`Error::Drawing`] if there is no column.
    pub fn to_svg(&self) -> Result<String> {
        let ([rows, _, height, width], _) = self.sizes(0)?;
        let labels = || self.columns.iter().flat_map(|column| &column.labels);
        let lines = labels().map(|label| label.lines().count()).max();
        let room = lines.unwrap_or(0) * LINE;
        let (_, [wide, tall]) = self.sizes(room)?;
        let (cell_wide, cell_tall) = (width * self.scale + GAP, height * self.scale + GAP + room);
        // Letters as large as the longest caption leaves room for in its column.
        let letters = |texts: &mut dyn Iterator<Item = &String>| {
            texts.map(|text| text.chars().count()).max().unwrap_or(0)
        };
        let captions = letters(&mut self.columns.iter().map(|column| &column.caption)).max(1);
        let size = (cell_wide * 5 / 3 / captions).clamp(6, 13);
        let longest = labels().flat_map(|label| label.lines());
        let longest = longest.map(|line| line.chars().count()).max();
        let small = (cell_wide * 9 / 5 / longest.unwrap_or(1).max(1)).clamp(5, LINE - 1);
        let above = 24;
        let left = match letters(&mut self.rows.iter()) {
            0 => 0,
            letters => letters * size * 3 / 5 + 8,
        };
        let (full_wide, full_tall) = (left + wide, above + tall);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{full_wide}\" height=\"{full_tall}\" \
             viewBox=\"0 0 {full_wide} {full_tall}\" font-family=\"sans-serif\" \
             fill=\"#222\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
        );
        let mut texts = String::new();
        let mut text = |x: usize, y: usize, size: usize, text: &str| {
            let text = escape(text);
            let size = format!("font-size=\"{size}\"");
            writeln!(texts, "<text x=\"{x}\" y=\"{y}\" {size}>{text}</text>")
                .expect("writing to a string");
        };
        for (at, column) in self.columns.iter().enumerate() {
            let x = left + GAP + at * cell_wide;
            text(x, above - 7, size, &column.caption);
            for (row, label) in column.labels.iter().take(rows).enumerate() {
                let under = above + (row + 1) * cell_tall - room;
                for (line, words) in label.lines().enumerate() {
                    text(x, under + (line + 1) * LINE - 2, small, words);
                }
            }
        }
        for (row, label) in self.rows.iter().take(rows).enumerate() {
            let middle = above + row * cell_tall + (cell_tall - room + size) / 2;
            text(4, middle, size, label);
        }
        writeln!(
            svg,
            "<image x=\"{left}\" y=\"{above}\" width=\"{wide}\" height=\"{tall}\" \
             style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{}\"/>\n{texts}</svg>",
            BASE64_STANDARD.encode(&self.png(room)?)
        )
        .expect("writing to a string");
        Ok(svg)
    }

    /// Writes [`to_png`](Self::to_png) to a file, as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::Drawing`] if there is no column; [`Error::Io`], naming the path.
    pub fn write_png(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomically(path.as_ref(), &self.to_png()?)
    }

    /// Writes [`to_svg`](Self::to_svg) to a file, as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::Drawing`] if there is no column; [`Error::Io`], naming the path.
    pub fn write_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        write_atomically(path.as_ref(), self.to_svg()?.as_bytes())
    }

    // The shape of a column, and the width and height of the sheet in pixels, with so much room under
    // each row.
    fn sizes(&self, room: usize) -> Result<([usize; 4], [usize; 2])> {
        let shape = self.shape.ok_or_else(|| Error::Drawing {
            what: "a contact sheet".to_owned(),
            reason: "it has no column".to_owned(),
        })?;
        let [rows, _, height, width] = shape;
        let along = |count: usize, size: usize| count * (size + GAP) + GAP;
        let wide = along(self.columns.len(), width * self.scale);
        Ok((shape, [wide, along(rows, height * self.scale + room)]))
    }

    fn pixels(&self, room: usize) -> Result<Vec<u8>> {
        let ([rows, channels, height, width], [wide, tall]) = self.sizes(room)?;
        let mut sheet = vec![PAPER; wide * tall * channels];
        for (column, Column { bytes, .. }) in self.columns.iter().enumerate() {
            let left = GAP + column * (width * self.scale + GAP);
            for row in 0..rows {
                let top = GAP + row * (height * self.scale + GAP + room);
                for y in 0..height * self.scale {
                    for x in 0..width * self.scale {
                        for channel in 0..channels {
                            let from = ((row * channels + channel) * height + y / self.scale)
                                * width
                                + x / self.scale;
                            let to = ((top + y) * wide + left + x) * channels + channel;
                            sheet[to] = bytes[from];
                        }
                    }
                }
            }
        }
        Ok(sheet)
    }
}

fn escape(text: &str) -> String {
    (text.replace('&', "&amp;").replace('<', "&lt;")).replace('>', "&gt;")
}
