//! Whirlpool in 256-bit registers, with AVX2: four registers hold the state of the data and that of the key schedule.
//!
//! Register `j` has four numbers of eight bytes: column `j` of the key schedule's state, column `j` of the data's, and
//! the same of column `j + 4`. So both states take the same way, and
//!
//! - *Substitution* is what the box was made of: two mini-boxes of 16 entries, a third between them, then the first
//!   two again. `VPSHUFB` looks 32 up at a time.
//! - *Shift of the columns* rotates each column within itself: one `VPSHUFB` a register.
//! - *Mixing of the rows* adds up multiples of whole columns, eight multiples for each. With `R(k)` for columns `k` and
//!   `k + 4` of both states (for `k` from 4 on the halves of register `k - 4` change places), column `j` of the product
//!   is `P + 2·(R(j-6) + 2·(Q(j-2) + 2·Q(j-4)))`, where `Q(k) = R(k) + R(k-3)` and
//!   `P = Q(j) + R(j-1) + R(j-5) + R(j-7)`. Three doublings for each register do.
//! - *Key*: the key schedule's column is beside the data's in the same half.
//!
//! Doubling a byte is `x + x`, and adding 1D where the highest bit was set. `VPSHUFB` tells where it wasn't: adding 1D
//! there instead leaves every byte wrong by the same 1D, which goes into the round constants.

use core::arch::x86_64::{
    __m128i, __m256i, _mm_loadu_si128, _mm_srli_si128, _mm_storeu_si128, _mm_unpackhi_epi16,
    _mm_unpacklo_epi8, _mm_unpacklo_epi16, _mm256_add_epi8, _mm256_and_si256, _mm256_castsi256_si128,
    _mm256_extracti128_si256, _mm256_loadu_si256, _mm256_permute4x64_epi64, _mm256_set_m128i,
    _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_slli_si256, _mm256_srli_epi16, _mm256_unpackhi_epi32,
    _mm256_unpackhi_epi64, _mm256_unpacklo_epi32, _mm256_unpacklo_epi64, _mm256_xor_si256,
};
use core::hint::black_box;

use crate::constants::{BLOCK, EXPONENTIAL, LOGARITHM, Matrix, RANDOM, ROUND_CONSTANTS, ROUNDS, product};

/// Whether this machine has the instructions.
pub(crate) fn is_available() -> bool {
    is_x86_feature_detected!("avx2")
}

/// What a doubling leaves too much.
const EXCESS: u8 = 0x1d;

/// A register in memory.
#[derive(Clone, Copy)]
#[repr(align(32))]
struct Register([u8; 32]);

/// What is looked up in or used as it is, in the form of registers.
struct Constants {
    exponential: Register,
    logarithm: Register,
    random: Register,
    /// The same as the first, moved to the upper half of each byte.
    exponential_high: Register,
    nibble: Register,
    excess: Register,
    /// For each register, where each byte comes from when the columns are shifted.
    shift: [Register; 4],
}

static CONSTANTS: Constants = Constants {
    exponential: repeated(EXPONENTIAL, 0),
    logarithm: repeated(LOGARITHM, 0),
    random: repeated(RANDOM, 0),
    exponential_high: repeated(EXPONENTIAL, 4),
    nibble: Register([0x0f; 32]),
    excess: Register([EXCESS; 32]),
    shift: {
        let mut from = [Register([0; 32]); 4];
        let mut register = 0u8;
        while register < 4 {
            let mut index = 0u8;
            while index < 32 {
                let column = register + index / 16 * 4;
                let row = index % 8;
                from[register as usize].0[index as usize] = index % 16 / 8 * 8 + (row + 8 - column) % 8;
                index += 1;
            }
            register += 1;
        }
        from
    },
};

/// A table of 16 entries, moved up by so many bits, in both halves of a register.
const fn repeated(table: [u8; 16], bits: u32) -> Register {
    let mut register = [0; 32];
    let mut index = 0;
    while index < 32 {
        register[index] = table[index % 16] << bits;
        index += 1;
    }
    Register(register)
}

/// The round constants, in the first byte of each column of both states: the data gets them with the key. In the
/// key's columns is also what three nested doublings leave too much; in the data's it goes away by itself, since the
/// key has it too.
static KEYS: [[Register; 4]; ROUNDS] = {
    let excess = EXCESS ^ product(EXCESS, 2) ^ product(EXCESS, 4);
    let mut keys = [[Register([0; 32]); 4]; ROUNDS];
    let mut round = 0;
    while round < ROUNDS {
        let mut index = 0;
        while index < 128 {
            let (register, byte) = (index / 32, index % 32);
            let mut value = 0;
            if byte % 16 < 8 {
                value ^= excess;
            }
            if byte % 8 == 0 {
                value ^= ROUND_CONSTANTS[round][register + byte / 16 * 4];
            }
            keys[round][register].0[byte] = value;
            index += 1;
        }
        round += 1;
    }
    keys
};

#[inline]
#[target_feature(enable = "avx2")]
fn load(register: &Register) -> __m256i {
    // SAFETY: 32 bytes are read, which a register has; the instruction asks for no alignment.
    unsafe { _mm256_loadu_si256(register.0.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_half(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: 16 bytes are read, which `bytes` has; the instruction asks for no alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store_half(bytes: &mut [u8; 16], value: __m128i) {
    // SAFETY: 16 bytes are written, which `bytes` has; the instruction asks for no alignment.
    unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), value) }
}

/// The transposed matrix: columns 0, 1, 4 and 5 in the first register, 2, 3, 6 and 7 in the second.
#[inline]
#[target_feature(enable = "avx2")]
fn transposed(rows: &Matrix) -> [__m256i; 2] {
    let pair = |index: usize| {
        let rows = load_half(&rows.as_chunks::<16>().0[index]);
        _mm_unpacklo_epi8(rows, _mm_srli_si128::<8>(rows))
    };
    let quad = |first: __m128i, second: __m128i| {
        _mm256_set_m128i(_mm_unpackhi_epi16(first, second), _mm_unpacklo_epi16(first, second))
    };
    let upper = quad(pair(0), pair(1));
    let lower = quad(pair(2), pair(3));
    [_mm256_unpacklo_epi32(upper, lower), _mm256_unpackhi_epi32(upper, lower)]
}

/// Puts the columns into the data's places of four registers, and nothing into the key schedule's.
#[inline]
#[target_feature(enable = "avx2")]
fn spread(columns: [__m256i; 2]) -> [__m256i; 4] {
    let nothing = _mm256_setzero_si256();
    [
        _mm256_unpacklo_epi64(nothing, columns[0]),
        _mm256_unpackhi_epi64(nothing, columns[0]),
        _mm256_unpacklo_epi64(nothing, columns[1]),
        _mm256_unpackhi_epi64(nothing, columns[1]),
    ]
}

/// The data's columns in both places.
#[inline]
#[target_feature(enable = "avx2")]
fn twice(register: __m256i) -> __m256i {
    _mm256_unpackhi_epi64(register, register)
}

/// The sum of two.
#[inline]
#[target_feature(enable = "avx2")]
fn sum(a: __m256i, b: __m256i) -> __m256i {
    _mm256_xor_si256(a, b)
}

/// Twice each byte, and [`EXCESS`].
#[inline]
#[target_feature(enable = "avx2")]
fn double(bytes: __m256i, constants: &Constants) -> __m256i {
    sum(_mm256_add_epi8(bytes, bytes), _mm256_shuffle_epi8(load(&constants.excess), bytes))
}

#[inline]
#[target_feature(enable = "avx2")]
fn substitute(bytes: __m256i, constants: &Constants) -> __m256i {
    let nibble = load(&constants.nibble);
    let low = _mm256_and_si256(bytes, nibble);
    let low = _mm256_shuffle_epi8(load(&constants.logarithm), low);
    let high = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), nibble);
    let high = _mm256_shuffle_epi8(load(&constants.exponential), high);
    let mixed = _mm256_shuffle_epi8(load(&constants.random), sum(low, high));
    let low = _mm256_shuffle_epi8(load(&constants.logarithm), sum(low, mixed));
    let high = _mm256_shuffle_epi8(load(&constants.exponential_high), sum(high, mixed));
    sum(low, high)
}

/// One round of both states, with the key.
#[inline]
#[target_feature(enable = "avx2")]
fn round(state: [__m256i; 4], key: &[Register; 4], constants: &Constants) -> [__m256i; 4] {
    let mut r = [_mm256_setzero_si256(); 8];
    for register in 0..4 {
        let substituted = substitute(state[register], constants);
        let shifted = _mm256_shuffle_epi8(substituted, load(&constants.shift[register]));
        r[register] = shifted;
        r[register + 4] = _mm256_permute4x64_epi64::<0b01_00_11_10>(shifted);
    }
    let q = |k: usize| sum(r[k % 8], r[(k + 5) % 8]);
    let mut next = [_mm256_setzero_si256(); 4];
    for (j, next) in next.iter_mut().enumerate() {
        let product = double(q(j + 4), constants);
        let product = double(sum(product, q(j + 6)), constants);
        let product = double(sum(product, r[j + 2]), constants);
        let others = sum(sum(q(j), r[(j + 7) % 8]), sum(r[j + 3], r[j + 1]));
        let mixed = sum(product, others);
        *next = sum(sum(mixed, _mm256_slli_si256::<8>(mixed)), load(&key[j]));
    }
    next
}

/// Takes blocks into the state, in their order.
#[target_feature(enable = "avx2")]
pub(crate) fn compress(state: &mut Matrix, blocks: &[[u8; BLOCK]]) {
    // Opaque to the compiler, which otherwise takes the lookups apart for being in known tables.
    let constants = black_box(&CONSTANTS);
    let mut hash = spread(transposed(state)).map(|register| twice(register));
    for block in blocks {
        let message = spread(transposed(block));
        let mut states = hash;
        for (state, message) in states.iter_mut().zip(message) {
            *state = sum(*state, message);
        }
        for key in &KEYS {
            states = round(states, key, constants);
        }
        for register in 0..4 {
            hash[register] = sum(hash[register], twice(sum(states[register], message[register])));
        }
    }
    let mut columns = [0; BLOCK];
    let (slots, _) = columns.as_chunks_mut::<16>();
    for (slot, pair) in slots.iter_mut().zip([
        _mm256_castsi256_si128(_mm256_unpacklo_epi64(hash[0], hash[1])),
        _mm256_castsi256_si128(_mm256_unpacklo_epi64(hash[2], hash[3])),
        _mm256_extracti128_si256::<1>(_mm256_unpacklo_epi64(hash[0], hash[1])),
        _mm256_extracti128_si256::<1>(_mm256_unpacklo_epi64(hash[2], hash[3])),
    ]) {
        store_half(slot, pair);
    }
    let rows = transposed(&columns);
    let (slots, _) = state.as_chunks_mut::<16>();
    for (slot, pair) in slots.iter_mut().zip([
        _mm256_castsi256_si128(rows[0]),
        _mm256_castsi256_si128(rows[1]),
        _mm256_extracti128_si256::<1>(rows[0]),
        _mm256_extracti128_si256::<1>(rows[1]),
    ]) {
        store_half(slot, pair);
    }
}
