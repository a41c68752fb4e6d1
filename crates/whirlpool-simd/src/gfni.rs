//! Whirlpool with AVX2 and GFNI, by columns: see [`columns`].
//!
//! `GF2P8AFFINEQB` multiplies bytes by a matrix of 8×8 bits, so one instruction does a multiplication by any
//! constant, and one extracts the upper nibble.

use core::arch::x86_64::_mm256_gf2p8affine_epi64_epi8;

use crate::{
    columns::{self, Instructions, Register, States, TABLES, Tables, Vector},
    constants::{EXPONENTIAL, Matrix, product},
    implementation::Lane,
};

/// Tables and constants of this implementation.
pub(crate) struct Constants {
    tables: Tables,
    upper: Register,
    upper_nibble: Register,
    times_2: Register,
    times_4: Register,
    times_8: Register,
}

static CONSTANTS: Constants = Constants {
    tables: TABLES,
    upper: Register::mini_box(EXPONENTIAL, 0x10, 0),
    // Bits 4 to 7 for bits 0 to 3.
    upper_nibble: Register::repeated([0, 0, 0, 0, 1 << 7, 1 << 6, 1 << 5, 1 << 4]),
    times_2: multiplication(2),
    times_4: multiplication(4),
    times_8: multiplication(8),
};

/// Returns the multiplication by a constant as a matrix of bits: byte `7 - i` holds which bits of a byte make bit `i`
/// of the product.
const fn multiplication(factor: u8) -> Register {
    let mut matrix = [0; 8];
    let mut bit = 0;
    while bit < 8 {
        let mut from = 0;
        while from < 8 {
            if product(factor, 1 << from) >> bit & 1 != 0 {
                matrix[7 - bit] |= 1 << from;
            }
            from += 1;
        }
        bit += 1;
    }
    Register::repeated(matrix)
}

/// Proof that the machine has AVX2 and GFNI: a value exists only there.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Gfni(());

impl Gfni {
    /// Returns a value, if this machine has the instructions.
    pub(crate) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("gfni")).then_some(Self(()))
    }

    /// Compresses blocks into the state, in their order.
    pub(crate) fn compress(self, state: &mut Matrix, blocks: &[Matrix]) {
        #[target_feature(enable = "avx2,gfni")]
        fn compress(i: Gfni, state: &mut Matrix, blocks: &[Matrix]) {
            columns::compress(i, state, blocks);
        }
        // SAFETY: a value of `Self` exists only where the machine has the instructions.
        unsafe { compress(self, state, blocks) }
    }

    /// Compresses from each lane as many blocks as the shorter one has into the lane's state.
    pub(crate) fn compress_two(self, lanes: [&mut Lane<'_>; 2]) {
        #[target_feature(enable = "avx2,gfni")]
        fn compress_two(i: Gfni, lanes: [&mut Lane<'_>; 2]) {
            columns::compress_two(i, lanes);
        }
        // SAFETY: a value of `Self` exists only where the machine has the instructions.
        unsafe { compress_two(self, lanes) }
    }

    #[inline(always)]
    fn transformed<const N: usize>(self, mut bytes: [Vector; N], matrix: &Register) -> [Vector; N] {
        for bytes in &mut bytes {
            // SAFETY: a value of `Self` exists only where the machine has the instructions.
            *bytes = unsafe { _mm256_gf2p8affine_epi64_epi8::<0>(*bytes, self.load(matrix)) };
        }
        bytes
    }
}

impl Instructions for Gfni {
    type Constants = Constants;

    type Substituted = Vector;

    #[inline(always)]
    fn constants(self) -> &'static Constants {
        &CONSTANTS
    }

    #[inline(always)]
    fn substitute<const N: usize>(
        self,
        registers: [Vector; N],
        numbers: [usize; N],
        constants: &Constants,
    ) -> [Vector; N] {
        let tables = &constants.tables;
        let bytes = self.shift_columns(registers, numbers, tables);
        let upper = self.transformed(bytes, &constants.upper_nibble);
        let lower = self.lower_nibbles(bytes, tables);
        let (upper, lower) = self.halfway(upper, lower, tables);
        self.sums(self.lookups(&constants.upper, upper), self.lookups(&tables.logarithm, lower))
    }

    #[inline(always)]
    fn mix(self, [r0, r1, r2, r3]: States, constants: &Constants) -> States {
        let r =
            [r0, r1, r2, r3, self.exchanged(r0), self.exchanged(r1), self.exchanged(r2), self.exchanged(r3)];
        let even = self.sum(self.sum(r[0], r[4]), self.sum(r[2], r[6]));
        let odd = self.sum(self.sum(r[1], r[5]), self.sum(r[3], r[7]));
        let mut product = [r0; 4];
        for j in [0, 2] {
            let once = [self.settled(self.sum(r[j], odd)), self.settled(self.sum(r[j + 1], even))];
            let times_8 = [self.sum(r[j + 1], r[j + 4]), self.sum(r[j + 2], r[j + 5])];
            let times_8 = self.transformed(times_8, &constants.times_8);
            let times_4 = [self.sum(r[j + 3], r[(j + 6) % 8]), self.sum(r[j + 4], r[(j + 7) % 8])];
            let times_4 = self.transformed(times_4, &constants.times_4);
            let times_2 = self.transformed([r[j + 2], r[j + 3]], &constants.times_2);
            let [first, second] = self.sums(times_4, times_8);
            let large = [self.settled(first), self.settled(second)];
            let small = self.sums(times_2, once);
            [product[j], product[j + 1]] = self.sums(small, large);
        }
        product
    }
}
