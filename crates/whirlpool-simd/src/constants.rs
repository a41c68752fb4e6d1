//! The numbers of the standard: the substitution box, the circulant matrix and the round constants, computed at
//! compile time from the few digits that define them.

/// Number of rounds of the block cipher inside.
pub(crate) const ROUNDS: usize = 10;

/// Size of a block, of the state and of a checksum, in bytes.
pub(crate) const BLOCK: usize = 64;

/// A block or a state: row `i` of the standard's 8×8 matrix is bytes `8·i` to `8·i + 7`.
pub(crate) type Matrix = [u8; BLOCK];

/// First row of the circulant matrix that each row of the state is multiplied by. Each further row is the one above,
/// rotated by one place.
pub(crate) const CIRCULANT: [u8; 8] = [1, 1, 4, 1, 8, 5, 2, 9];

/// The exponential mini-box `E`, of which the substitution box is built.
pub(crate) const EXPONENTIAL: [u8; 16] =
    [0x1, 0xb, 0x9, 0xc, 0xd, 0x6, 0xf, 0x3, 0xe, 0x8, 0x7, 0x4, 0xa, 0x2, 0x5, 0x0];

/// The pseudo-random mini-box `R`.
pub(crate) const RANDOM: [u8; 16] =
    [0x7, 0xc, 0xb, 0xd, 0xe, 0x4, 0x9, 0xf, 0x6, 0x3, 0x8, 0xa, 0x2, 0x5, 0x1, 0x0];

/// Inverse of [`EXPONENTIAL`].
pub(crate) const LOGARITHM: [u8; 16] = {
    let mut inverse = [0; 16];
    let mut value = 0;
    while value < 16 {
        inverse[EXPONENTIAL[value as usize] as usize] = value;
        value += 1;
    }
    inverse
};

/// Substitution box of the standard.
pub(crate) const SUBSTITUTION: [u8; 256] = {
    let mut table = [0; 256];
    let mut value = 0;
    while value < 256 {
        let high = EXPONENTIAL[value >> 4];
        let low = LOGARITHM[value & 15];
        let mixed = RANDOM[(high ^ low) as usize];
        table[value] = EXPONENTIAL[(high ^ mixed) as usize] << 4 | LOGARITHM[(low ^ mixed) as usize];
        value += 1;
    }
    table
};

/// Returns the product in the field of 256 elements with the polynomial x⁸+x⁴+x³+x²+1.
pub(crate) const fn product(mut a: u8, mut b: u8) -> u8 {
    let mut sum = 0;
    while b != 0 {
        if b & 1 != 0 {
            sum ^= a;
        }
        a = a << 1 ^ if a & 0x80 != 0 { 0x1d } else { 0 };
        b >>= 1;
    }
    sum
}

/// Key of each round of the key schedule: eight entries of the substitution box in the first row.
pub(crate) const ROUND_CONSTANTS: [[u8; 8]; ROUNDS] = {
    let mut constants = [[0; 8]; ROUNDS];
    let mut index = 0;
    while index < 8 * ROUNDS {
        constants[index / 8][index % 8] = SUBSTITUTION[index];
        index += 1;
    }
    constants
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_substitution_box_begins_and_ends_as_in_the_standard() {
        assert_eq!(SUBSTITUTION[..8], [0x18, 0x23, 0xc6, 0xe8, 0x87, 0xb8, 0x01, 0x4f]);
        assert_eq!(SUBSTITUTION[248..], [0xcc, 0x42, 0x98, 0xa4, 0x28, 0x5c, 0xf8, 0x86]);
    }

    #[test]
    fn the_substitution_box_is_a_permutation() {
        let mut seen = SUBSTITUTION;
        seen.sort_unstable();
        assert!(seen.iter().enumerate().all(|(index, value)| index == usize::from(*value)));
    }

    #[test]
    fn products_are_reduced_by_the_polynomial() {
        assert_eq!(product(0x80, 2), 0x1d);
        assert_eq!(product(0x53, 1), 0x53);
        assert_eq!(product(2, 0x8e), 1);
    }
}
