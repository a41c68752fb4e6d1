//! Whirlpool with AVX2, by columns: see [`columns`].
//!
//! A multiplication by 2 costs three instructions: `x + x`, and adding 1D where the highest bit was set. The last two
//! lookups of the substitution and their sum are three as well, and tables for four times the box work as well as
//! those for the box. So each register is substituted twice, and one doubling is enough for the product:
//!
//! `g(j+1) + r(j) + x₄(j+2) + 2·(r(j+2) + x₄(j))`, where `x₄ = 4·x`.
//!
//! `VPSHUFB` shows where a byte's highest bit is *not* set. Adding 1D there instead leaves every byte of the product
//! wrong by the same 1D. If the box is off by a constant `c`, the product is off by `3·c`, the sum of the matrix's
//! row. So the box in the table is off by 1D over 3.

use core::arch::x86_64::{_mm256_add_epi8, _mm256_srli_epi16};

use crate::{
    columns::{self, Instructions, Register, States, TABLES, Tables, Vector},
    constants::{EXPONENTIAL, LOGARITHM, Matrix, product},
    implementation::Lane,
};

/// Value that a doubling adds where the highest bit was set.
const REDUCTION: u8 = 0x1d;

/// Value that the box is off by, so that the product isn't: [`REDUCTION`] over 3.
const OFFSET: u8 = {
    // In this field ⅓ is F4.
    let offset = product(REDUCTION, 0xf4);
    assert!(product(offset, 3) == REDUCTION);
    offset
};

/// Tables and constants of this implementation.
pub(crate) struct Constants {
    tables: Tables,
    upper: Register,
    upper_times_4: Register,
    lower_times_4: Register,
    reduction: Register,
}

static CONSTANTS: Constants = Constants {
    tables: TABLES,
    upper: Register::mini_box(EXPONENTIAL, 0x10, OFFSET),
    upper_times_4: Register::mini_box(EXPONENTIAL, 0x40, 0),
    lower_times_4: Register::mini_box(LOGARITHM, 4, 0),
    reduction: Register([REDUCTION; 32]),
};

/// Proof that the machine has AVX2: a value exists only there.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// Returns a value, if this machine has the instructions.
    pub(crate) fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
    }

    /// Compresses blocks into the state, in their order.
    pub(crate) fn compress(self, state: &mut Matrix, blocks: &[Matrix]) {
        #[target_feature(enable = "avx2")]
        fn compress(i: Avx2, state: &mut Matrix, blocks: &[Matrix]) {
            columns::compress(i, state, blocks);
        }
        // SAFETY: a value of `Self` exists only where the machine has the instructions.
        unsafe { compress(self, state, blocks) }
    }

    /// Compresses from each lane as many blocks as the shorter one has into the lane's state.
    pub(crate) fn compress_two(self, lanes: [&mut Lane<'_>; 2]) {
        #[target_feature(enable = "avx2")]
        fn compress_two(i: Avx2, lanes: [&mut Lane<'_>; 2]) {
            columns::compress_two(i, lanes);
        }
        // SAFETY: a value of `Self` exists only where the machine has the instructions.
        unsafe { compress_two(self, lanes) }
    }

    /// Returns twice a register, except for the constant that [`OFFSET`] corrects, plus another register.
    #[inline(always)]
    fn double_and_add(self, bytes: Vector, more: Vector, constants: &Constants) -> Vector {
        // SAFETY: a value of `Self` exists only where the machine has the instructions.
        let shifted = unsafe { _mm256_add_epi8(bytes, bytes) };
        let shifted = self.settled(self.sum(shifted, more));
        self.sum(shifted, self.lookup(self.load(&constants.reduction), bytes))
    }
}

impl Instructions for Avx2 {
    type Constants = Constants;

    /// A substituted register, and four times that.
    type Substituted = [Vector; 2];

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
    ) -> [[Vector; 2]; N] {
        let tables = &constants.tables;
        let bytes = self.shift_columns(registers, numbers, tables);
        let mut upper = bytes;
        for upper in &mut upper {
            // Bytes can't be shifted alone: bits that come from the byte above are cut off afterwards.
            // SAFETY: a value of `Self` exists only where the machine has the instructions.
            *upper = unsafe { _mm256_srli_epi16::<4>(*upper) };
        }
        let lower = self.lower_nibbles(bytes, tables);
        let upper = self.lower_nibbles(upper, tables);
        let (upper, lower) = self.halfway(upper, lower, tables);
        let once = self.sums(self.lookups(&constants.upper, upper), self.lookups(&tables.logarithm, lower));
        let times_4 = self.sums(
            self.lookups(&constants.upper_times_4, upper),
            self.lookups(&constants.lower_times_4, lower),
        );
        let mut both = [[self.nothing(); 2]; N];
        for n in 0..N {
            both[n] = [once[n], times_4[n]];
        }
        both
    }

    #[inline(always)]
    fn mix(self, states: [[Vector; 2]; 4], constants: &Constants) -> States {
        let [[r0, f0], [r1, f1], [r2, f2], [r3, f3]] = states;
        let f =
            [f0, f1, f2, f3, self.exchanged(f0), self.exchanged(f1), self.exchanged(f2), self.exchanged(f3)];
        let r = [r0, r1, r2, r3, self.exchanged(r0), self.exchanged(r1)];
        let (even, odd) = (self.sum(r0, r2), self.sum(r1, r3));
        let even = self.sum(even, self.exchanged(even));
        let odd = self.sum(odd, self.exchanged(odd));
        let mut product = [r0; 4];
        for j in 0..4 {
            let once = self.settled(self.sum(r[j], if j % 2 == 0 { odd } else { even }));
            let once = self.settled(self.sum(once, self.sum(f[(j + 3) % 8], f[(j + 6) % 8])));
            let twice = self.sum(self.settled(self.sum(f[j + 1], r[j + 2])), f[j + 4]);
            product[j] = self.double_and_add(twice, once, constants);
        }
        product
    }
}
