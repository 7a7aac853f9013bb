//! Sixteen lanes in two AVX registers.

use core::arch::x86_64::*;

use super::{LANES, Simd, Work};

/// Proof that the CPU has AVX2 and FMA; the field keeps others from making one.
#[derive(Clone, Copy)]
pub struct Avx2(());

impl Avx2 {
    #[inline]
    pub fn new() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }
}

/// Lanes 0–7 and 8–15.
#[derive(Clone, Copy)]
pub struct Pair(__m256, __m256);

/// Transposes eight rows of eight.
#[inline(always)]
fn transpose8(_proof: Avx2, r: [__m256; 8]) -> [__m256; 8] {
    // SAFETY: the proof is an argument.
    unsafe {
        let mut t = [_mm256_setzero_ps(); 8];
        for g in 0..2 {
            let [a, b, c, d] = [r[4 * g], r[4 * g + 1], r[4 * g + 2], r[4 * g + 3]];
            let ab0 = _mm256_castps_pd(_mm256_unpacklo_ps(a, b));
            let ab1 = _mm256_castps_pd(_mm256_unpackhi_ps(a, b));
            let cd0 = _mm256_castps_pd(_mm256_unpacklo_ps(c, d));
            let cd1 = _mm256_castps_pd(_mm256_unpackhi_ps(c, d));
            t[4 * g] = _mm256_castpd_ps(_mm256_unpacklo_pd(ab0, cd0));
            t[4 * g + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(ab0, cd0));
            t[4 * g + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(ab1, cd1));
            t[4 * g + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(ab1, cd1));
        }
        let mut out = [_mm256_setzero_ps(); 8];
        for i in 0..4 {
            out[i] = _mm256_permute2f128_ps::<0x20>(t[i], t[4 + i]);
            out[4 + i] = _mm256_permute2f128_ps::<0x31>(t[i], t[4 + i]);
        }
        out
    }
}

/// Operations lane by lane: an instruction on both registers.
macro_rules! on_both {
    ($($name:ident($($x:ident),+): $instruction:ident;)+) => {$(
        #[inline(always)]
        fn $name(self, $($x: Pair),+) -> Pair {
            // SAFETY: `self` proves that the CPU has the feature.
            unsafe { Pair($instruction($($x.0),+), $instruction($($x.1),+)) }
        }
    )+};
}

impl Simd for Avx2 {
    type V = Pair;
    const CORRELATE: (usize, usize) = (2, 3);
    const OUTER: (usize, usize) = (1, 4);

    #[inline(always)]
    fn vectors(rows: usize) -> usize {
        match rows {
            1 => 6,
            2 => 3,
            3 => 2,
            _ => 1,
        }
    }
    #[inline(always)]
    fn vectorize<W: Work>(self, work: W) {
        #[target_feature(enable = "avx2,fma")]
        fn inner<W: Work>(simd: Avx2, work: W) {
            work.run(simd);
        }
        // SAFETY: `self` proves that the CPU has the features.
        unsafe { inner(self, work) }
    }
    #[inline(always)]
    fn prefetch(self, soon: *const f32) {
        // SAFETY: every CPU with the features has SSE; a prefetch reads nothing that a program could
        // see, and does not fault, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(soon.cast()) }
    }
    #[inline(always)]
    fn splat(self, x: f32) -> Pair {
        // SAFETY: `self` proves that the CPU has the feature.
        let x = unsafe { _mm256_set1_ps(x) };
        Pair(x, x)
    }
    #[inline(always)]
    fn load16(self, x: &[f32; LANES]) -> Pair {
        // SAFETY: feature as above; the array has 64 bytes.
        unsafe {
            Pair(
                _mm256_loadu_ps(x.as_ptr()),
                _mm256_loadu_ps(x.as_ptr().add(8)),
            )
        }
    }
    #[inline(always)]
    fn store16(self, x: Pair, to: &mut [f32; LANES]) {
        // SAFETY: feature as above; the array has 64 bytes.
        unsafe {
            _mm256_storeu_ps(to.as_mut_ptr(), x.0);
            _mm256_storeu_ps(to.as_mut_ptr().add(8), x.1);
        }
    }
    on_both! {
        add(a, b): _mm256_add_ps;
        sub(a, b): _mm256_sub_ps;
        mul(a, b): _mm256_mul_ps;
        fma(a, b, c): _mm256_fmadd_ps;
        fnma(a, b, c): _mm256_fnmadd_ps;
    }
    #[inline(always)]
    fn relu(self, x: Pair) -> Pair {
        // `max` gives its second operand if one is NaN.
        // SAFETY: feature as above.
        unsafe {
            let zero = _mm256_setzero_ps();
            Pair(_mm256_max_ps(zero, x.0), _mm256_max_ps(zero, x.1))
        }
    }
    #[inline(always)]
    fn gate(self, x: Pair, gate: Pair) -> Pair {
        // SAFETY: feature as above.
        unsafe {
            let zero = _mm256_setzero_ps();
            Pair(
                _mm256_and_ps(x.0, _mm256_cmp_ps::<_CMP_NLE_UQ>(gate.0, zero)),
                _mm256_and_ps(x.1, _mm256_cmp_ps::<_CMP_NLE_UQ>(gate.1, zero)),
            )
        }
    }
    #[inline(always)]
    fn transpose(self, r: [Pair; LANES]) -> [Pair; LANES] {
        let zero = self.splat(0.0);
        let mut quarter = [[zero.0; 8]; 4];
        for i in 0..8 {
            quarter[0][i] = r[i].0;
            quarter[1][i] = r[i].1;
            quarter[2][i] = r[8 + i].0;
            quarter[3][i] = r[8 + i].1;
        }
        let q = [
            transpose8(self, quarter[0]),
            transpose8(self, quarter[1]),
            transpose8(self, quarter[2]),
            transpose8(self, quarter[3]),
        ];
        let mut out = [zero; LANES];
        for i in 0..8 {
            out[i] = Pair(q[0][i], q[2][i]);
            out[8 + i] = Pair(q[1][i], q[3][i]);
        }
        out
    }
}
