//! Instruction sets, chosen at run time.
//!
//! Every kernel is written once, generic over `Simd`, a token whose existence proves that the
//! CPU has the instructions. A vector `Simd::V` always has sixteen lanes, whatever the width
//! of the registers: one AVX-512 register, two AVX2 registers, or a plain array.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

use std::sync::OnceLock;

#[cfg(target_arch = "x86_64")]
use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
use avx512::Avx512;
use portable::Portable;

/// Lanes of a vector, and images that are processed together.
pub const LANES: usize = 16;

/// Sixteen `f32` on one cache line.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct Line(pub [f32; LANES]);

impl Line {
    /// All lanes zero.
    pub const ZERO: Self = Self([0.0; LANES]);
}

/// Instruction set of the kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Isa {
    /// AVX-512 (F, BW, DQ, VL).
    Avx512,
    /// AVX2 with FMA.
    Avx2,
    /// No instructions beyond the target's baseline, of which the compiler makes vectors; multiplication
    /// and addition round apart, unless that has both in one.
    Portable,
}

impl Isa {
    /// Every instruction set, fastest first.
    pub const ALL: [Self; 3] = [Self::Avx512, Self::Avx2, Self::Portable];

    /// The fastest instruction set this CPU has, of those that [`ISA_VARIABLE`] allows.
    pub fn detect() -> Self {
        static FASTEST: OnceLock<Isa> = OnceLock::new();
        *FASTEST.get_or_init(|| {
            let wanted = std::env::var(ISA_VARIABLE).unwrap_or_default();
            let mut here = allowed(&wanted).iter().filter(|isa| isa.available());
            *here.next().unwrap_or(&Self::Portable)
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Portable => "portable",
        }
    }

    /// Whether this CPU has the instructions.
    pub fn available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Avx512::new().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Avx2::new().is_some(),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx512 | Self::Avx2 => false,
            Self::Portable => true,
        }
    }

    /// Runs `work` compiled for this instruction set.
    ///
    /// # Panics
    /// If the CPU does not have it.
    #[inline]
    pub(crate) fn run<W: Work>(self, work: W) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Avx512::new().expect("CPU has AVX-512").vectorize(work),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Avx2::new().expect("CPU has AVX2 and FMA").vectorize(work),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx512 | Self::Avx2 => panic!("{self:?} is not available on this CPU"),
            Self::Portable => Portable.vectorize(work),
        }
    }

    /// Columns of a micro-kernel with the given filter rows.
    pub(crate) fn columns(self, rows: usize) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Avx512::vectors(rows),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Avx2::vectors(rows),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx512 | Self::Avx2 => 1,
            Self::Portable => Portable::vectors(rows),
        }
    }

    /// Most filter rows of a micro-kernel: as many as leave room for its other operands.
    pub(crate) fn max_rows(self) -> usize {
        match self {
            Self::Avx512 => 8,
            Self::Avx2 => 6,
            Self::Portable => 3,
        }
    }
}

/// The environment variable that says which vectors the kernels on the CPU use at most: `avx512`, `avx2`, or
/// those that every processor of the target has, `portable`. Without it the widest that the processor has.
pub const ISA_VARIABLE: &str = "FIREPROOF_ISA";

// The instruction sets of this name and below; all of them for none.
fn allowed(wanted: &str) -> &'static [Isa] {
    let at = Isa::ALL.iter().position(|isa| isa.name() == wanted);
    if at.is_none() && !wanted.is_empty() {
        log::warn!("{ISA_VARIABLE} is none of avx512, avx2, portable; taking the widest");
    }
    &Isa::ALL[at.unwrap_or(0)..]
}

/// A piece of work to be compiled for an instruction set: implement `run` with
/// `#[inline(always)]`, so that its body is compiled inside [`Simd::vectorize`].
pub(crate) trait Work {
    /// Does the work with the instructions of `simd`.
    fn run<S: Simd>(self, simd: S);
}

/// Operations on sixteen lanes. A value is a proof that the CPU has the instructions.
pub(crate) trait Simd: Copy + Send + Sync + 'static {
    /// Sixteen `f32`.
    type V: Copy;

    /// Register tile of the weight gradient: vectors of output channels (at most 3, 2 or 1), and weights
    /// of a filter (9 or 3).
    const CORRELATE: (usize, usize);

    /// Register tile of the same in Winograd's space: vectors of output channels at most, and input
    /// channels (8, 4 or 2).
    const OUTER: (usize, usize);

    /// Registers of the accumulator tile: vectors across for `rows` filter rows.
    fn vectors(rows: usize) -> usize;

    /// Runs `work` in a function that may use the instructions.
    fn vectorize<W: Work>(self, work: W);

    /// All lanes `x`.
    fn splat(self, x: f32) -> Self::V;
    /// Loads a line.
    #[inline(always)]
    fn load(self, x: &Line) -> Self::V {
        self.load16(&x.0)
    }
    /// Stores a line.
    #[inline(always)]
    fn store(self, x: Self::V, to: &mut Line) {
        self.store16(x, &mut to.0);
    }
    /// Loads sixteen neighbours.
    fn load16(self, x: &[f32; LANES]) -> Self::V;
    /// Stores sixteen neighbours.
    fn store16(self, x: Self::V, to: &mut [f32; LANES]);
    /// Loads fewer than sixteen neighbours; the other lanes are zero.
    #[inline(always)]
    fn load_part(self, x: &[f32]) -> Self::V {
        self.load_from(x, 0)
    }
    /// Loads at most sixteen neighbours to the lanes from `first`; the other lanes are zero.
    #[inline(always)]
    fn load_from(self, x: &[f32], first: usize) -> Self::V {
        let mut lanes = [0.0; LANES];
        lanes[first..first + x.len()].copy_from_slice(x);
        self.load16(&lanes)
    }
    /// Stores the first lanes, fewer than sixteen.
    #[inline(always)]
    fn store_part(self, x: Self::V, to: &mut [f32]) {
        let mut lanes = [0.0; LANES];
        self.store16(x, &mut lanes);
        to.copy_from_slice(&lanes[..to.len()]);
    }
    /// Says that the number there will be read soon: a hint, whatever the address.
    #[inline(always)]
    fn prefetch(self, soon: *const f32) {
        let _ = soon;
    }
    /// `a + b`.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a - b`.
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a · b`.
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a · b + c`, with one rounding where the CPU has it.
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `c - a · b`, with one rounding where the CPU has it.
    fn fnma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `max(x, 0)`, NaN kept.
    fn relu(self, x: Self::V) -> Self::V;
    /// Zero where `gate <= 0`, else `x`, also where `gate` is a NaN.
    fn gate(self, x: Self::V, gate: Self::V) -> Self::V;
    /// Lane `j` of result `i` is lane `i` of argument `j`.
    fn transpose(self, rows: [Self::V; LANES]) -> [Self::V; LANES];
}

#[cfg(test)]
mod tests {
    use super::{Isa, allowed};

    #[test]
    fn convention_instruction_sets_by_name() {
        assert_eq!(allowed(""), Isa::ALL);
        assert_eq!(allowed("avx512"), Isa::ALL);
        assert_eq!(allowed("avx2"), [Isa::Avx2, Isa::Portable]);
        assert_eq!(allowed("portable"), [Isa::Portable]);
        // A name that there is not changes nothing, and is warned of.
        assert_eq!(allowed("sse"), Isa::ALL);
        assert!(Isa::detect().available());
    }
}
