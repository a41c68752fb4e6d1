//! Whirlpool by table lookups, for every machine.

use crate::constants::{BLOCK, CIRCULANT, Matrix, ROUND_CONSTANTS, SUBSTITUTION, product};

/// `TABLES[j][value]` is what a byte of column `j` adds to its row of the next state, as a little-endian number.
///
/// They take 16 KiB. One table of 2 KiB and rotations would use less cache, but cost one instruction more for each of
/// the 1,280 lookups of a block.
static TABLES: [[u64; 256]; 8] = {
    let mut tables = [[0; 256]; 8];
    let mut column = 0;
    while column < 8 {
        let mut value = 0;
        while value < 256 {
            let mut row = [0; 8];
            let mut place = 0;
            while place < 8 {
                row[place] = product(SUBSTITUTION[value], CIRCULANT[(place + 8 - column) % 8]);
                place += 1;
            }
            tables[column][value] = u64::from_le_bytes(row);
            value += 1;
        }
        column += 1;
    }
    tables
};

/// A state, row by row, each as a little-endian number.
pub(crate) type Rows = [u64; 8];

/// Adds the contribution of one row of the state to the next state.
#[inline(always)]
fn scatter<const ROW: usize>(next: &mut Rows, row: u64) {
    for (column, (table, byte)) in TABLES.iter().zip(row.to_le_bytes()).enumerate() {
        next[(ROW + column) % 8] ^= table[usize::from(byte)];
    }
}

/// Computes substitution, shift of the columns and mixing of the rows. Row by row of the old state: eight sums and one
/// row fit into the registers of most machines, two states don't.
#[inline(always)]
fn round(state: &Rows, mut next: Rows) -> Rows {
    scatter::<0>(&mut next, state[0]);
    scatter::<1>(&mut next, state[1]);
    scatter::<2>(&mut next, state[2]);
    scatter::<3>(&mut next, state[3]);
    scatter::<4>(&mut next, state[4]);
    scatter::<5>(&mut next, state[5]);
    scatter::<6>(&mut next, state[6]);
    scatter::<7>(&mut next, state[7]);
    next
}

/// Returns the key of a round from that of the round before.
#[inline(always)]
pub(crate) fn next_key(key: &Rows, constant: [u8; 8]) -> Rows {
    round(key, [u64::from_le_bytes(constant), 0, 0, 0, 0, 0, 0, 0])
}

/// Returns the rows of a state.
pub(crate) fn rows(bytes: &Matrix) -> Rows {
    let mut rows = [0; 8];
    for (row, bytes) in rows.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *row = u64::from_le_bytes(*bytes);
    }
    rows
}

/// Returns a state as the standard writes it.
pub(crate) fn bytes(rows: Rows) -> Matrix {
    let mut bytes = [0; BLOCK];
    for (bytes, row) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(rows) {
        *bytes = row.to_le_bytes();
    }
    bytes
}

/// Compresses blocks into the state, in their order.
pub(crate) fn compress(state: &mut Matrix, blocks: &[[u8; BLOCK]]) {
    let mut hash = rows(state);
    for block in blocks {
        let message = rows(block);
        let mut key = hash;
        let mut data = hash;
        for row in 0..8 {
            data[row] ^= message[row];
            hash[row] ^= message[row];
        }
        for constant in ROUND_CONSTANTS {
            key = next_key(&key, constant);
            data = round(&data, key);
        }
        for row in 0..8 {
            hash[row] ^= data[row];
        }
    }
    *state = bytes(hash);
}
