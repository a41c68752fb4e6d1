//! Content that is computed rather than stored, so that huge accounts can be seeded in seconds.

use whirlpool::{Digest as _, Whirlpool};

/// Fills `buffer` with the synthetic content of `seed` from byte `offset` on.
pub fn fill(seed: u64, offset: u64, buffer: &mut [u8]) {
    let mut position = offset;
    let mut rest = buffer;
    while !rest.is_empty() {
        let within = usize::try_from(position % 8).unwrap_or(0);
        let word = mix(seed ^ (position / 8)).to_le_bytes();
        let take = (8 - within).min(rest.len());
        let (now, later) = rest.split_at_mut(take);
        now.copy_from_slice(&word[within..within + take]);
        position += take as u64;
        rest = later;
    }
}

/// Computes the splitmix64 finaliser: cheap, and good enough to make all blocks different.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Returns the Whirlpool checksum of the first `size` synthetic bytes.
pub(crate) fn whirlpool(seed: u64, size: u64) -> String {
    let mut hasher = Whirlpool::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut offset = 0;
    while offset < size {
        let take = usize::try_from(size - offset).unwrap_or(usize::MAX).min(buffer.len());
        fill(seed, offset, &mut buffer[..take]);
        hasher.update(&buffer[..take]);
        offset += take as u64;
    }
    base16ct::lower::encode_string(&hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_window_shows_the_same_content() {
        let mut whole = vec![0; 100];
        fill(7, 0, &mut whole);
        for start in 0..90_u8 {
            let mut part = vec![0; 10];
            fill(7, u64::from(start), &mut part);
            let start = usize::from(start);
            assert_eq!(part, whole[start..start + 10]);
        }
        let mut other = vec![0; 100];
        fill(8, 0, &mut other);
        assert_ne!(whole, other);
    }

    #[test]
    fn the_checksum_is_of_the_content() {
        let mut content = vec![0; 100_000];
        fill(3, 0, &mut content);
        assert_eq!(whirlpool(3, 100_000), base16ct::lower::encode_string(&Whirlpool::digest(&content)));
    }
}
