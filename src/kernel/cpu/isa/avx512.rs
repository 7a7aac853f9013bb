//! Sixteen lanes in one AVX-512 register.

use core::arch::x86_64::*;

use super::{LANES, Line, Simd, Work};

/// Proof that the CPU has AVX-512 F, BW, DQ and VL; the field keeps others from making one.
#[derive(Clone, Copy)]
pub struct Avx512(());

impl Avx512 {
    #[inline]
    pub fn new() -> Option<Self> {
        (is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("fma"))
        .then_some(Self(()))
    }
}

/// Mask of the first `n` lanes.
#[inline(always)]
fn first(n: usize) -> __mmask16 {
    assert!(n <= LANES);
    ((1u32 << n) - 1) as __mmask16
}

/// Operations lane by lane: one instruction.
macro_rules! by_one {
    ($($name:ident($($x:ident),+): $instruction:ident;)+) => {$(
        #[inline(always)]
        fn $name(self, $($x: __m512),+) -> __m512 {
            // SAFETY: `self` proves that the CPU has the feature.
            unsafe { $instruction($($x),+) }
        }
    )+};
}

impl Simd for Avx512 {
    type V = __m512;
    const CORRELATE: (usize, usize) = (3, 9);
    const OUTER: (usize, usize) = (3, 8);

    #[inline(always)]
    fn vectors(rows: usize) -> usize {
        match rows {
            7 | 8 => 3,
            6 => 4,
            5 => 5,
            4 => 6,
            _ => 8,
        }
    }
    #[inline(always)]
    fn vectorize<W: Work>(self, work: W) {
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
        fn inner<W: Work>(simd: Avx512, work: W) {
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
    fn splat(self, x: f32) -> __m512 {
        // SAFETY: `self` proves that the CPU has the feature.
        unsafe { _mm512_set1_ps(x) }
    }
    #[inline(always)]
    fn load(self, x: &Line) -> __m512 {
        // SAFETY: feature as above; a line is 64 bytes, aligned to 64.
        unsafe { _mm512_load_ps(x.0.as_ptr()) }
    }
    #[inline(always)]
    fn store(self, x: __m512, to: &mut Line) {
        // SAFETY: feature as above; a line is 64 bytes, aligned to 64.
        unsafe { _mm512_store_ps(to.0.as_mut_ptr(), x) }
    }
    #[inline(always)]
    fn load16(self, x: &[f32; LANES]) -> __m512 {
        // SAFETY: feature as above; the array has 64 bytes.
        unsafe { _mm512_loadu_ps(x.as_ptr()) }
    }
    #[inline(always)]
    fn store16(self, x: __m512, to: &mut [f32; LANES]) {
        // SAFETY: feature as above; the array has 64 bytes.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), x) }
    }
    #[inline(always)]
    fn load_from(self, x: &[f32], at: usize) -> __m512 {
        assert!(at + x.len() <= LANES);
        let lanes = first(x.len()) << at;
        // SAFETY: feature as above; lanes outside the slice are masked and not read.
        unsafe { _mm512_maskz_loadu_ps(lanes, x.as_ptr().wrapping_sub(at)) }
    }
    #[inline(always)]
    fn store_part(self, x: __m512, to: &mut [f32]) {
        // SAFETY: feature as above; lanes outside the slice are masked and not written.
        unsafe { _mm512_mask_storeu_ps(to.as_mut_ptr(), first(to.len()), x) }
    }
    by_one! {
        add(a, b): _mm512_add_ps;
        sub(a, b): _mm512_sub_ps;
        mul(a, b): _mm512_mul_ps;
        fma(a, b, c): _mm512_fmadd_ps;
        fnma(a, b, c): _mm512_fnmadd_ps;
    }
    #[inline(always)]
    fn relu(self, x: __m512) -> __m512 {
        // `max` gives its second operand if one is NaN.
        // SAFETY: feature as above.
        unsafe { _mm512_max_ps(_mm512_setzero_ps(), x) }
    }
    #[inline(always)]
    fn gate(self, x: __m512, gate: __m512) -> __m512 {
        // SAFETY: feature as above.
        unsafe {
            let open = _mm512_cmp_ps_mask::<_CMP_NLE_UQ>(gate, _mm512_setzero_ps());
            _mm512_maskz_mov_ps(open, x)
        }
    }
    #[inline(always)]
    fn transpose(self, r: [__m512; LANES]) -> [__m512; LANES] {
        // SAFETY: feature as above.
        unsafe {
            let zero = _mm512_setzero_ps();
            // 4 × 4 blocks inside the 128-bit quarters: after this, quarter q of t[4g + i] holds
            // column 4q + i of rows 4g … 4g + 3.
            let mut t = [zero; LANES];
            for g in 0..4 {
                let [a, b, c, d] = [r[4 * g], r[4 * g + 1], r[4 * g + 2], r[4 * g + 3]];
                let ab0 = _mm512_castps_pd(_mm512_unpacklo_ps(a, b));
                let ab1 = _mm512_castps_pd(_mm512_unpackhi_ps(a, b));
                let cd0 = _mm512_castps_pd(_mm512_unpacklo_ps(c, d));
                let cd1 = _mm512_castps_pd(_mm512_unpackhi_ps(c, d));
                t[4 * g] = _mm512_castpd_ps(_mm512_unpacklo_pd(ab0, cd0));
                t[4 * g + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(ab0, cd0));
                t[4 * g + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(ab1, cd1));
                t[4 * g + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(ab1, cd1));
            }
            // A 4 × 4 transposition of quarters for each i.
            let mut out = [zero; LANES];
            for i in 0..4 {
                let lo = _mm512_shuffle_f32x4::<0x88>(t[i], t[4 + i]);
                let hi = _mm512_shuffle_f32x4::<0x88>(t[8 + i], t[12 + i]);
                out[i] = _mm512_shuffle_f32x4::<0x88>(lo, hi);
                out[8 + i] = _mm512_shuffle_f32x4::<0xdd>(lo, hi);
                let lo = _mm512_shuffle_f32x4::<0xdd>(t[i], t[4 + i]);
                let hi = _mm512_shuffle_f32x4::<0xdd>(t[8 + i], t[12 + i]);
                out[4 + i] = _mm512_shuffle_f32x4::<0x88>(lo, hi);
                out[12 + i] = _mm512_shuffle_f32x4::<0xdd>(lo, hi);
            }
            out
        }
    }
}
