use super::layout::{ABOUT, dtype_of};
use super::{About, Adversaries};
use crate::base::{Error, Precision, Result, write_atomically};
use crate::transform::Pose;
use burn::tensor::{Device, Tensor, TensorData, bf16, f16};
use safetensors::tensor::{Metadata, TensorView};
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use std::cmp::Ordering;
use std::path::Path;

impl Adversaries {
    /// Writes everything to one file, as a whole or not at all. Other libraries read it too: it is in
    /// the format SafeTensors, with a tensor for each field and, as JSON in the metadata, what holds
    /// for all images.
    ///
    /// Tensors are in row order: `images` and `originals` `[image, channel, height, width]` in their
    /// element type, and `[image]`: `ids` (U64), `labels` and `predicted` (I64), `fooled` (BOOL),
    /// `distance` (F64, NaN where there is none), `loss` (F32); where images were moved, `poses` (F64)
    /// `[image, 4]`: degrees, pixels right and down, 1 where left and right were exchanged. In Python
    /// `safetensors.torch.load_file(path)["images"]` are the attacked images.
    ///
    /// Memory for the whole file is needed besides the images.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; [`Error::Input`] for an element type that [`Precision`] does not know.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let layout = self.layout()?;
        let mut file = Vec::with_capacity(layout.len(self.len()) as usize);
        file.extend(layout.header());
        for column in layout.columns() {
            file.extend(self.bytes(column.name)?);
        }
        write_atomically(path.as_ref(), &file)
    }

    /// Reads what [`save`](Self::save) or a [`Run`](crate::attack::Run) wrote; the images are equal to
    /// the bit and of the element type that they had.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], and [`Error::Format`] if it is another file or a damaged one, or has no image.
    pub fn load(path: impl AsRef<Path>, device: &Device) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| Error::io(path, source))?;
        let file = File::open(path, &bytes)?;
        let about = file.about()?;
        let view = file.view("images")?;
        let precision = Precision::ALL
            .into_iter()
            .find(|&p| dtype_of(p) == view.dtype());
        let shape = <[usize; 4]>::try_from(view.shape()).ok();
        let shape = shape.filter(|shape| !shape.contains(&0));
        let (Some(precision), Some(shape)) = (precision, shape) else {
            let expected =
                "[image, channel, height, width], none of them 0, of F64, F32, F16 or BF16";
            let found = format!("{} {:?}", view.dtype(), view.shape());
            return Err(file.wrong("images", expected, found));
        };
        let pixels = |name| -> Result<Tensor<4>> {
            let bytes = file.column(name, view.dtype(), &shape)?;
            Ok(tensor(bytes, shape, precision, device))
        };
        let column = |name, dtype| file.column(name, dtype, &shape[..1]);
        let fooled = column("fooled", Dtype::BOOL)?;
        if let Some(byte) = fooled.iter().find(|&&byte| byte > 1) {
            return Err(file.wrong("fooled", "0 or 1 for each image", byte.to_string()));
        }
        let distance = numbers(column("distance", Dtype::F64)?, f64::from_le_bytes);
        let distance = distance.into_iter().map(|d| (!d.is_nan()).then_some(d));
        let poses = about.moved.then(|| {
            let bytes = file.column("poses", Dtype::F64, &[shape[0], 4])?;
            let values = numbers(bytes, f64::from_le_bytes);
            let (rows, _) = values.as_chunks();
            let poses = rows.iter().map(|&row| {
                let pose = Pose::from_row(row);
                pose.check().map(|()| pose)
            });
            let poses = poses.collect::<Result<Vec<Pose>>>();
            poses.map_err(|error| file.wrong("poses", "a pose for each image", error.to_string()))
        });
        Ok(Self {
            poses: poses.transpose()?,
            images: pixels("images")?,
            originals: pixels("originals")?,
            ids: numbers(column("ids", Dtype::U64)?, u64::from_le_bytes),
            labels: numbers(column("labels", Dtype::I64)?, i64::from_le_bytes),
            predicted: numbers(column("predicted", Dtype::I64)?, i64::from_le_bytes),
            fooled: fooled.iter().map(|&byte| byte == 1).collect(),
            distance: distance.collect(),
            loss: numbers(column("loss", Dtype::F32)?, f32::from_le_bytes),
            bounds: about.bounds,
            attack: about.attack,
            seed: about.seed,
            shard: about.shard,
        })
    }
}

struct File<'a> {
    path: &'a Path,
    header: Metadata,
    // Where the tensors begin.
    begin: usize,
    tensors: SafeTensors<'a>,
}

impl<'a> File<'a> {
    fn open(path: &'a Path, bytes: &'a [u8]) -> Result<Self> {
        let read = || -> std::result::Result<_, SafeTensorError> {
            let (length, header) = SafeTensors::read_metadata(bytes)?;
            Ok(Self {
                path,
                header,
                begin: 8 + length,
                tensors: SafeTensors::deserialize(bytes)?,
            })
        };
        read().map_err(|error| Error::Format {
            file: path.to_owned(),
            offset: 0,
            expected: "a SafeTensors file".to_owned(),
            found: error.to_string(),
        })
    }

    fn about(&self) -> Result<About> {
        let text = self
            .header
            .metadata()
            .as_ref()
            .and_then(|all| all.get(ABOUT));
        let about = match text {
            None => Err("none".to_owned()),
            Some(text) => serde_json::from_str(text).map_err(|error| error.to_string()),
        };
        let about = about.and_then(checked);
        let expected = format!("metadata `{ABOUT}` of version 1");
        about.map_err(|found| self.wrong("", &expected, found))
    }

    fn view(&self, name: &str) -> Result<TensorView<'a>> {
        let view = self.tensors.tensor(name);
        view.map_err(|error| self.wrong(name, &format!("a tensor `{name}`"), error.to_string()))
    }

    // The bytes of a tensor that must be of this kind.
    fn column(&self, name: &str, dtype: Dtype, shape: &[usize]) -> Result<&'a [u8]> {
        let view = self.view(name)?;
        match (view.dtype(), view.shape()) == (dtype, shape) {
            true => Ok(view.data()),
            false => {
                let found = format!("{} {:?}", view.dtype(), view.shape());
                Err(self.wrong(name, &format!("`{name}` of {dtype} {shape:?}"), found))
            }
        }
    }

    fn wrong(&self, tensor: &str, expected: &str, found: String) -> Error {
        let info = self.header.info(tensor);
        let offset = info.map_or(8, |info| self.begin + info.data_offsets.0);
        Error::Format {
            file: self.path.to_owned(),
            offset: offset as u64,
            expected: expected.to_owned(),
            found,
        }
    }
}

fn checked(about: About) -> std::result::Result<About, String> {
    let (low, high) = (about.bounds.low(), about.bounds.high());
    let [shard, count] = about.shard;
    if about.version != 1 {
        return Err(format!("version {}", about.version));
    }
    // A NaN is in no order.
    if low.partial_cmp(&high) != Some(Ordering::Less) {
        return Err(format!("bounds [{low}, {high}]"));
    }
    if shard >= count {
        return Err(format!("shard {shard} of {count}"));
    }
    Ok(about)
}

pub(in crate::attack) fn numbers<T, const N: usize>(
    bytes: &[u8],
    number: fn([u8; N]) -> T,
) -> Vec<T> {
    let (chunks, _) = bytes.as_chunks::<N>();
    chunks.iter().map(|&chunk| number(chunk)).collect()
}

fn tensor(bytes: &[u8], shape: [usize; 4], precision: Precision, device: &Device) -> Tensor<4> {
    let data = match precision {
        Precision::F64 => TensorData::new(numbers(bytes, f64::from_le_bytes), shape),
        Precision::F32 => TensorData::new(numbers(bytes, f32::from_le_bytes), shape),
        Precision::F16 => TensorData::new(numbers(bytes, f16::from_le_bytes), shape),
        Precision::Bf16 => TensorData::new(numbers(bytes, bf16::from_le_bytes), shape),
    };
    Tensor::from_data(data, (device, precision.dtype()))
}
