//! Whirlpool in 256-bit registers: two states of four registers go through each round together.
//!
//! Register `j` holds columns `j` and `j + 4` of one state in its lower half, and the same of another in its upper
//! half. With one message these are the states of the key schedule and of the data. With two messages four registers
//! hold both key schedules, and four more both messages' data. A round has four steps:
//!
//! - *Shift of the columns* rotates each column within itself: one `VPSHUFB` a register. It comes first, since the
//!   order of the first two steps doesn't matter.
//! - *Substitution* is what the box was made of: two mini-boxes of 16 entries, a third between them, then the first
//!   two again. `VPSHUFB` looks 32 up at a time.
//! - *Mixing of the rows* adds up multiples of whole columns, eight for each. Let `r(k)` be columns `k` and `k + 4` of
//!   both states (from 4 on, register `k - 4` with its columns exchanged). Then column `j` of the product is
//!   `g(j+1) + r(j) + 2·r(j+2) + 4·x(j+2) + 8·x(j)`, where `x(k) = r(k+1) + r(k+4)`, and `g(k)` is the sum of all
//!   columns that are even or odd as `k` is.
//! - *Key*: one sum for two messages. For one message the key has to move to the other half first.
//!
//! The [`Instructions`] differ in how they extract nibbles and make multiples.
//!
//! Everything is inlined into the few functions that are compiled for the instructions, so there are no closures
//! here: they would be compiled by themselves, without the instructions, and each would become a call.

use core::{
    arch::{
        asm,
        x86_64::{
            __m128i, __m256i, _mm_loadu_si128, _mm_srli_si128, _mm_storeu_si128, _mm_unpackhi_epi16,
            _mm_unpacklo_epi8, _mm_unpacklo_epi16, _mm256_and_si256, _mm256_castsi256_si128,
            _mm256_extracti128_si256, _mm256_load_si256, _mm256_permute2x128_si256, _mm256_set_m128i,
            _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_shuffle_epi32, _mm256_unpackhi_epi32,
            _mm256_unpackhi_epi64, _mm256_unpacklo_epi32, _mm256_unpacklo_epi64, _mm256_xor_si256,
        },
    },
    hint::black_box,
};

use crate::{
    constants::{BLOCK, EXPONENTIAL, LOGARITHM, Matrix, RANDOM, ROUND_CONSTANTS, ROUNDS, product},
    implementation::Lane,
};

/// Number of messages that are worth hashing at once: two key schedules fill a register as well as one and its data do,
/// and then no key has to move to the other half.
pub(crate) const MOST_LANES: usize = 2;

/// A register with two columns of each of two states.
pub(crate) type Vector = __m256i;

/// Registers with all columns of two states.
pub(crate) type States = [Vector; 4];

/// Columns 0, 1, 4 and 5 of one state, and 2, 3, 6 and 7.
type Columns = [Vector; 2];

/// A register in memory.
#[derive(Clone, Copy)]
#[repr(align(32))]
pub(crate) struct Register(pub(crate) [u8; 32]);

impl Register {
    /// Returns 16 bytes, once in each half.
    pub(crate) const fn repeated<const LENGTH: usize>(bytes: [u8; LENGTH]) -> Self {
        let mut register = [0; 32];
        let mut index = 0;
        while index < 32 {
            register[index] = bytes[index % LENGTH];
            index += 1;
        }
        Self(register)
    }

    /// Returns a mini-box, each entry times a factor and plus a summand.
    pub(crate) const fn mini_box(mut entries: [u8; 16], factor: u8, summand: u8) -> Self {
        let mut index = 0;
        while index < 16 {
            entries[index] = product(entries[index], factor) ^ summand;
            index += 1;
        }
        Self::repeated(entries)
    }
}

/// Tables and constants of all [`Instructions`].
pub(crate) struct Tables {
    pub(crate) exponential: Register,
    pub(crate) logarithm: Register,
    pub(crate) random: Register,
    /// Mask of the lower half of each byte.
    pub(crate) nibble: Register,
    /// For each register, the position from which each byte comes when the columns are shifted.
    shift: [Register; 4],
}

pub(crate) const TABLES: Tables = Tables {
    exponential: Register::repeated(EXPONENTIAL),
    logarithm: Register::repeated(LOGARITHM),
    random: Register::repeated(RANDOM),
    nibble: Register([0x0f; 32]),
    shift: {
        let mut from = [Register([0; 32]); 4];
        let mut index = 0u8;
        while index < 128 {
            let (register, byte) = (index / 32, index % 16);
            let column = register + byte / 8 * 4;
            from[register as usize].0[(index % 32) as usize] = byte / 8 * 8 + (byte % 8 + 8 - column) % 8;
            index += 1;
        }
        from
    },
};

/// Round constants: a byte for the first row of each column, the same in both halves. Where there is one message, its
/// data gets the constant beside the key.
static KEYS: [[Register; 4]; ROUNDS] = {
    let mut keys = [[Register([0; 32]); 4]; ROUNDS];
    let mut round = 0;
    while round < ROUNDS {
        let mut index = 0;
        while index < 128 {
            let (register, byte) = (index / 32, index % 32);
            if byte % 8 == 0 {
                keys[round][register].0[byte] = ROUND_CONSTANTS[round][register + byte % 16 / 8 * 4];
            }
            index += 1;
        }
        round += 1;
    }
    keys
};

/// Instructions of a machine, with AVX2 at least. A value of such a type exists only where the machine was seen to
/// have them, which makes the provided methods sound.
pub(crate) trait Instructions: Copy {
    /// Tables and constants of these instructions.
    type Constants: 'static;

    /// Result of a substitution as mixing needs it: the substituted register, and maybe a multiple of it.
    type Substituted: Copy;

    /// Returns the constants. They aren't literals in the code, or the compiler replaces the lookups since it knows
    /// the tables.
    fn constants(self) -> &'static Self::Constants;

    /// Shifts the columns of some registers and substitutes them. `NUMBERS` says their positions in the state.
    ///
    /// Several are done at once, step by step, so that each kind of instruction comes several times in a row: AMD's
    /// Zen 4 assigns instructions to ports by their order, and where lookups and sums alternate half of the ports are
    /// idle.
    fn substitute<const N: usize>(
        self,
        registers: [Vector; N],
        numbers: [usize; N],
        constants: &Self::Constants,
    ) -> [Self::Substituted; N];

    /// Mixes the rows.
    fn mix(self, states: [Self::Substituted; 4], constants: &Self::Constants) -> States;

    #[inline(always)]
    fn load(self, register: &Register) -> Vector {
        // SAFETY: a value of `Self` exists only where AVX2 does; a register is 32 bytes, aligned to 32.
        unsafe { _mm256_load_si256(register.0.as_ptr().cast()) }
    }

    #[inline(always)]
    fn nothing(self) -> Vector {
        // SAFETY: a value of `Self` exists only where AVX2 does.
        unsafe { _mm256_setzero_si256() }
    }

    /// Returns the sum of two registers.
    #[inline(always)]
    fn sum(self, a: Vector, b: Vector) -> Vector {
        // SAFETY: a value of `Self` exists only where AVX2 does.
        unsafe { _mm256_xor_si256(a, b) }
    }

    /// Returns the register unchanged, but the compiler doesn't reorder sums across it. It would put the summand that
    /// comes last anywhere in a chain, and here it matters which one the others wait for.
    #[inline(always)]
    fn settled(self, vector: Vector) -> Vector {
        #[inline]
        #[target_feature(enable = "avx2")]
        fn opaque(mut vector: Vector) -> Vector {
            // SAFETY: there is no instruction in it.
            unsafe {
                asm!("/* {0} */", inout(ymm_reg) vector, options(pure, nomem, nostack, preserves_flags));
            }
            vector
        }
        // SAFETY: a value of `Self` exists only where AVX2 does.
        unsafe { opaque(vector) }
    }

    /// Returns, for each byte below 16, the entry of a table of 16 with that index.
    #[inline(always)]
    fn lookup(self, table: Vector, indices: Vector) -> Vector {
        // SAFETY: a value of `Self` exists only where AVX2 does.
        unsafe { _mm256_shuffle_epi8(table, indices) }
    }

    /// Exchanges the two columns of each state.
    #[inline(always)]
    fn exchanged(self, vector: Vector) -> Vector {
        // SAFETY: a value of `Self` exists only where AVX2 does.
        unsafe { _mm256_shuffle_epi32::<0b01_00_11_10>(vector) }
    }

    #[inline(always)]
    fn sums<const N: usize>(self, mut a: [Vector; N], b: [Vector; N]) -> [Vector; N] {
        for n in 0..N {
            a[n] = self.sum(a[n], b[n]);
        }
        a
    }

    #[inline(always)]
    fn lookups<const N: usize>(self, table: &Register, mut indices: [Vector; N]) -> [Vector; N] {
        let table = self.load(table);
        for indices in &mut indices {
            *indices = self.lookup(table, *indices);
        }
        indices
    }

    #[inline(always)]
    fn shift_columns<const N: usize>(
        self,
        mut registers: [Vector; N],
        numbers: [usize; N],
        tables: &Tables,
    ) -> [Vector; N] {
        for n in 0..N {
            registers[n] = self.lookup(registers[n], self.load(&tables.shift[numbers[n]]));
        }
        registers
    }

    #[inline(always)]
    fn lower_nibbles<const N: usize>(self, mut bytes: [Vector; N], tables: &Tables) -> [Vector; N] {
        for bytes in &mut bytes {
            // SAFETY: a value of `Self` exists only where AVX2 does.
            *bytes = unsafe { _mm256_and_si256(*bytes, self.load(&tables.nibble)) };
        }
        bytes
    }

    /// Computes from the nibbles of each byte the indices for the last mini-boxes.
    #[inline(always)]
    fn halfway<const N: usize>(
        self,
        upper: [Vector; N],
        lower: [Vector; N],
        tables: &Tables,
    ) -> ([Vector; N], [Vector; N]) {
        let lower = self.lookups(&tables.logarithm, lower);
        let upper = self.lookups(&tables.exponential, upper);
        let mixed = self.lookups(&tables.random, self.sums(lower, upper));
        (self.sums(upper, mixed), self.sums(lower, mixed))
    }
}

/// Compresses blocks into the state, in their order.
#[inline(always)]
pub(crate) fn compress<I: Instructions>(i: I, state: &mut Matrix, blocks: &[Matrix]) {
    let constants = black_box(i.constants());
    let start = transposed(i, state);
    let mut hash = joined(i, start, start);
    for block in blocks {
        let message = joined(i, [i.nothing(); 2], transposed(i, block));
        let mut states = i.sums(hash, message);
        for key in &KEYS {
            let mixed = i.mix(i.substitute(states, [0, 1, 2, 3], constants), constants);
            for j in 0..4 {
                let key = i.sum(mixed[j], i.load(&key[j]));
                states[j] = i.sum(i.settled(key), lower_to_upper(i, mixed[j]));
            }
        }
        for j in 0..4 {
            hash[j] = i.sum(hash[j], upper_twice(i, i.sum(states[j], message[j])));
        }
    }
    *state = parted(i, hash)[1];
}

/// Compresses from each lane as many blocks as the shorter one has into the lane's state.
#[inline(always)]
pub(crate) fn compress_two<I: Instructions>(i: I, [first, second]: [&mut Lane<'_>; 2]) {
    let constants = black_box(i.constants());
    let count = first.blocks.len().min(second.blocks.len());
    let mut hash = joined(i, transposed(i, first.state), transposed(i, second.state));
    for index in 0..count {
        let message = joined(i, transposed(i, &first.blocks[index]), transposed(i, &second.blocks[index]));
        let mut keys = hash;
        let mut data = i.sums(hash, message);
        hash = data;
        for constant in &KEYS {
            // Both chains side by side: a machine doesn't look far enough ahead to find the second after the first.
            let [key_0, data_0] = i.substitute([keys[0], data[0]], [0; 2], constants);
            let [key_1, data_1] = i.substitute([keys[1], data[1]], [1; 2], constants);
            let [key_2, data_2] = i.substitute([keys[2], data[2]], [2; 2], constants);
            let [key_3, data_3] = i.substitute([keys[3], data[3]], [3; 2], constants);
            keys = i.mix([key_0, key_1, key_2, key_3], constants);
            for j in 0..4 {
                keys[j] = i.sum(keys[j], i.load(&constant[j]));
            }
            data = i.sums(i.mix([data_0, data_1, data_2, data_3], constants), keys);
        }
        hash = i.sums(hash, data);
    }
    [*first.state, *second.state] = parted(i, hash);
    first.blocks = &first.blocks[count..];
    second.blocks = &second.blocks[count..];
}

/// Moves the lower half to the upper, and clears the lower.
#[inline(always)]
fn lower_to_upper<I: Instructions>(_: I, vector: Vector) -> Vector {
    // SAFETY: a value of `I` exists only where AVX2 does.
    unsafe { _mm256_permute2x128_si256::<0x08>(vector, vector) }
}

/// Copies the upper half to both.
#[inline(always)]
fn upper_twice<I: Instructions>(_: I, vector: Vector) -> Vector {
    // SAFETY: a value of `I` exists only where AVX2 does.
    unsafe { _mm256_permute2x128_si256::<0x11>(vector, vector) }
}

/// Returns the columns of a state, or the rows of one that is given by columns.
#[inline(always)]
fn transposed<I: Instructions>(_: I, rows: &Matrix) -> Columns {
    // SAFETY: a value of `I` exists only where AVX2 does; each of the four reads is of 16 of the 64 bytes.
    unsafe {
        let rows = rows.as_ptr().cast::<__m128i>();
        let (first, second) = (_mm_loadu_si128(rows), _mm_loadu_si128(rows.add(1)));
        let (third, fourth) = (_mm_loadu_si128(rows.add(2)), _mm_loadu_si128(rows.add(3)));
        let first = _mm_unpacklo_epi8(first, _mm_srli_si128::<8>(first));
        let second = _mm_unpacklo_epi8(second, _mm_srli_si128::<8>(second));
        let third = _mm_unpacklo_epi8(third, _mm_srli_si128::<8>(third));
        let fourth = _mm_unpacklo_epi8(fourth, _mm_srli_si128::<8>(fourth));
        let upper = _mm256_set_m128i(_mm_unpackhi_epi16(first, second), _mm_unpacklo_epi16(first, second));
        let lower = _mm256_set_m128i(_mm_unpackhi_epi16(third, fourth), _mm_unpacklo_epi16(third, fourth));
        [_mm256_unpacklo_epi32(upper, lower), _mm256_unpackhi_epi32(upper, lower)]
    }
}

/// Joins two states in four registers.
#[inline(always)]
fn joined<I: Instructions>(_: I, lower: Columns, upper: Columns) -> States {
    // SAFETY: a value of `I` exists only where AVX2 does.
    unsafe {
        let columns_0_1 = _mm256_permute2x128_si256::<0x20>(lower[0], upper[0]);
        let columns_4_5 = _mm256_permute2x128_si256::<0x31>(lower[0], upper[0]);
        let columns_2_3 = _mm256_permute2x128_si256::<0x20>(lower[1], upper[1]);
        let columns_6_7 = _mm256_permute2x128_si256::<0x31>(lower[1], upper[1]);
        [
            _mm256_unpacklo_epi64(columns_0_1, columns_4_5),
            _mm256_unpackhi_epi64(columns_0_1, columns_4_5),
            _mm256_unpacklo_epi64(columns_2_3, columns_6_7),
            _mm256_unpackhi_epi64(columns_2_3, columns_6_7),
        ]
    }
}

/// Returns two states as matrices.
#[inline(always)]
fn parted<I: Instructions>(i: I, states: States) -> [Matrix; 2] {
    let mut columns = [[0; BLOCK]; 2];
    for (pair, places) in [(0, [0, 2]), (2, [1, 3])] {
        // SAFETY: a value of `I` exists only where AVX2 does.
        let (first, second) = unsafe {
            (
                _mm256_unpacklo_epi64(states[pair], states[pair + 1]),
                _mm256_unpackhi_epi64(states[pair], states[pair + 1]),
            )
        };
        store_halves(i, first, &mut columns, places[0]);
        store_halves(i, second, &mut columns, places[1]);
    }
    for columns in &mut columns {
        let [first, second] = transposed(i, columns);
        let mut rows = [[0; BLOCK]; 2];
        store_halves(i, first, &mut rows, 0);
        store_halves(i, second, &mut rows, 1);
        columns[..16].copy_from_slice(&rows[0][..16]);
        columns[16..32].copy_from_slice(&rows[0][16..32]);
        columns[32..48].copy_from_slice(&rows[1][..16]);
        columns[48..].copy_from_slice(&rows[1][16..32]);
    }
    columns
}

/// Stores the halves of a register in the same quarter of two matrices.
#[inline(always)]
fn store_halves<I: Instructions>(_: I, vector: Vector, matrices: &mut [Matrix; 2], quarter: usize) {
    for (matrix, upper) in matrices.iter_mut().zip([false, true]) {
        let slot = &mut matrix.as_chunks_mut::<16>().0[quarter];
        // SAFETY: a value of `I` exists only where AVX2 does; 16 bytes are written, which the slot has.
        unsafe {
            let half =
                if upper { _mm256_extracti128_si256::<1>(vector) } else { _mm256_castsi256_si128(vector) };
            _mm_storeu_si128(slot.as_mut_ptr().cast(), half);
        }
    }
}
