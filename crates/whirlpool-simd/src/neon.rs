//! Whirlpool with NEON: the data in 128-bit registers, and its keys by tables.
//!
//! An ARM core has its vector units beside those for numbers and for loads, and each kind alone takes about as long
//! for a round. So the key schedule uses [`portable`](crate::portable)'s tables, at the same time as the data uses
//! vectors.
//!
//! Four registers hold the data: register `j` has columns `j` and `j + 4`. A round is that of `avx2.rs`, and here too
//! each register is substituted twice, once into four times the box, so that one doubling is enough for the product.
//! With `r(k)` for columns `k` and `k + 4` (from 4 on, register `k - 4` with its columns exchanged), `f = 4·r`, and
//! `g(k)` for the sum of all columns that are even or odd as `k` is, column `j` of the product is
//!
//! `g(j+1) + r(j) + f(j+3) + f(j+6) + 2·(r(j+2) + f(j+1) + f(j+4))`.

use core::arch::aarch64::{
    uint8x16_t, uint8x16x4_t, vaddq_u8, vandq_u8, vcltzq_s8, vcombine_u8, vcreate_u8, vdupq_n_u8, veorq_u8,
    vextq_u8, vgetq_lane_u64, vld1q_u8, vqtbl1q_u8, vqtbl4q_u8, vreinterpretq_s8_u8, vreinterpretq_u64_u8,
    vshrq_n_u8,
};
use core::hint::black_box;

use crate::{
    constants::{EXPONENTIAL, LOGARITHM, Matrix, RANDOM, ROUND_CONSTANTS, product},
    portable::{self, Rows},
};

type Vector = uint8x16_t;

/// Registers with all columns of a state.
type State = [Vector; 4];

/// A register in memory.
type Register = [u8; 16];

/// Tables and constants of this implementation.
struct Constants {
    exponential: Register,
    logarithm: Register,
    random: Register,
    upper: Register,
    upper_times_4: Register,
    lower_times_4: Register,
    /// For each register, the position from which each byte comes when the columns are shifted.
    shift: [Register; 4],
    /// For each register of columns, the positions of its bytes in those of rows.
    columns: [Register; 4],
    /// For each register of two rows, the positions of its bytes in those of columns.
    rows: [Register; 4],
}

static CONSTANTS: Constants = Constants {
    exponential: EXPONENTIAL,
    logarithm: LOGARITHM,
    random: RANDOM,
    upper: times(EXPONENTIAL, 0x10),
    upper_times_4: times(EXPONENTIAL, 0x40),
    lower_times_4: times(LOGARITHM, 4),
    shift: {
        let mut from = [[0; 16]; 4];
        let mut index = 0u8;
        while index < 64 {
            let (register, byte) = (index / 16, index % 16);
            let column = register + byte / 8 * 4;
            from[register as usize][byte as usize] = byte / 8 * 8 + (byte % 8 + 8 - column) % 8;
            index += 1;
        }
        from
    },
    columns: {
        let mut from = [[0; 16]; 4];
        let mut index = 0u8;
        while index < 64 {
            let (register, byte) = (index / 16, index % 16);
            from[register as usize][byte as usize] = byte % 8 * 8 + register + byte / 8 * 4;
            index += 1;
        }
        from
    },
    rows: {
        let mut from = [[0; 16]; 4];
        let mut index = 0u8;
        while index < 64 {
            let (row, column) = (index / 8, index % 8);
            from[(index / 16) as usize][(index % 16) as usize] = column % 4 * 16 + column / 4 * 8 + row;
            index += 1;
        }
        from
    },
};

/// Returns a mini-box, each entry times a factor.
const fn times(mut entries: Register, factor: u8) -> Register {
    let mut index = 0;
    while index < 16 {
        entries[index] = product(entries[index], factor);
        index += 1;
    }
    entries
}

/// Proof that the machine has NEON: a value exists only there.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Neon(());

impl Neon {
    /// Returns a value, if this machine has the instructions.
    pub(crate) fn detect() -> Option<Self> {
        std::arch::is_aarch64_feature_detected!("neon").then_some(Self(()))
    }

    /// Compresses blocks into the state, in their order.
    pub(crate) fn compress(self, state: &mut Matrix, blocks: &[Matrix]) {
        // SAFETY: a value of `Self` exists only where the machine has the instructions.
        unsafe { compress(state, blocks) }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn load(register: &Register) -> Vector {
    // SAFETY: 16 bytes are read, which a register has.
    unsafe { vld1q_u8(register.as_ptr()) }
}

/// Returns the bytes of four registers in this order.
#[inline]
#[target_feature(enable = "neon")]
fn gathered(from: State, order: &[Register; 4]) -> State {
    let from = uint8x16x4_t(from[0], from[1], from[2], from[3]);
    [0, 1, 2, 3].map(|register| vqtbl4q_u8(from, load(&order[register])))
}

/// Returns the columns of a state that is given by rows.
#[inline]
#[target_feature(enable = "neon")]
fn columns(rows: Rows, constants: &Constants) -> State {
    let pairs = [0, 2, 4, 6].map(|row| vcombine_u8(vcreate_u8(rows[row]), vcreate_u8(rows[row + 1])));
    gathered(pairs, &constants.columns)
}

/// Returns the rows of a state that is given by columns.
#[inline]
#[target_feature(enable = "neon")]
fn rows(columns: State, constants: &Constants) -> Rows {
    let [a, b, c, d] = gathered(columns, &constants.rows).map(|pair| {
        let pair = vreinterpretq_u64_u8(pair);
        [vgetq_lane_u64::<0>(pair), vgetq_lane_u64::<1>(pair)]
    });
    [a[0], a[1], b[0], b[1], c[0], c[1], d[0], d[1]]
}

/// Returns the sum of two registers.
#[inline]
#[target_feature(enable = "neon")]
fn sum(a: Vector, b: Vector) -> Vector {
    veorq_u8(a, b)
}

#[inline]
#[target_feature(enable = "neon")]
fn sums(a: State, b: State) -> State {
    [sum(a[0], b[0]), sum(a[1], b[1]), sum(a[2], b[2]), sum(a[3], b[3])]
}

/// Exchanges the two columns.
#[inline]
#[target_feature(enable = "neon")]
fn exchanged(register: Vector) -> Vector {
    vextq_u8::<8>(register, register)
}

#[inline]
#[target_feature(enable = "neon")]
fn double(bytes: Vector) -> Vector {
    let overflow = vandq_u8(vcltzq_s8(vreinterpretq_s8_u8(bytes)), vdupq_n_u8(0x1d));
    sum(vaddq_u8(bytes, bytes), overflow)
}

/// Shifts the columns of a register and substitutes it; returns this and four times this.
#[inline]
#[target_feature(enable = "neon")]
fn substitute(register: Vector, number: usize, constants: &Constants) -> [Vector; 2] {
    let bytes = vqtbl1q_u8(register, load(&constants.shift[number]));
    let lower = vqtbl1q_u8(load(&constants.logarithm), vandq_u8(bytes, vdupq_n_u8(0x0f)));
    let upper = vqtbl1q_u8(load(&constants.exponential), vshrq_n_u8::<4>(bytes));
    let mixed = vqtbl1q_u8(load(&constants.random), sum(lower, upper));
    let (lower, upper) = (sum(lower, mixed), sum(upper, mixed));
    let in_box = |upper_table: &Register, lower_table: &Register| {
        sum(vqtbl1q_u8(load(upper_table), upper), vqtbl1q_u8(load(lower_table), lower))
    };
    [
        in_box(&constants.upper, &constants.logarithm),
        in_box(&constants.upper_times_4, &constants.lower_times_4),
    ]
}

/// Computes a round, except for the key.
#[inline]
#[target_feature(enable = "neon")]
fn round(state: State, constants: &Constants) -> State {
    let [[r0, f0], [r1, f1], [r2, f2], [r3, f3]] =
        [0, 1, 2, 3].map(|number| substitute(state[number], number, constants));
    let f = [f0, f1, f2, f3, exchanged(f0), exchanged(f1), exchanged(f2), exchanged(f3)];
    let r = [r0, r1, r2, r3, exchanged(r0), exchanged(r1)];
    let (even, odd) = (sum(r0, r2), sum(r1, r3));
    let (even, odd) = (sum(even, exchanged(even)), sum(odd, exchanged(odd)));
    // Four times a column, plus the third after it: the last two are used twice.
    let x = [0, 1, 2, 3, 4, 5].map(|k| sum(f[k + 1], f[(k + 4) % 8]));
    [0, 1, 2, 3].map(|j| {
        let once = sum(sum(r[j], if j % 2 == 0 { odd } else { even }), x[j + 2]);
        sum(double(sum(r[j + 2], x[j])), once)
    })
}

/// Compresses blocks into the state, in their order.
#[target_feature(enable = "neon")]
fn compress(state: &mut Matrix, blocks: &[Matrix]) {
    // Opaque to the compiler, which otherwise replaces the lookups since it knows the tables.
    let constants = black_box(&CONSTANTS);
    let mut key = portable::rows(state);
    let mut hash = columns(key, constants);
    for block in blocks {
        let mut data = sums(hash, columns(portable::rows(block), constants));
        hash = data;
        for constant in ROUND_CONSTANTS {
            key = portable::next_key(&key, constant);
            data = sums(round(data, constants), columns(key, constants));
        }
        hash = sums(hash, data);
        key = rows(hash, constants);
    }
    *state = portable::bytes(key);
}
