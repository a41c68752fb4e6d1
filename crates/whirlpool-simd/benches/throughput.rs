//! How many bytes a second: each implementation that this machine has, beside RustCrypto's.
//!
//! `cargo bench -p whirlpool-simd`

use divan::{Bencher, counter::BytesCount};
use whirlpool_simd::{Digest as _, Implementation, Whirlpool, finalize_many, update_many};

/// The lengths of messages: one block with its padding, a small file, a piece of a large one.
const LENGTHS: [usize; 3] = [31, 4 << 10, 1 << 20];

fn main() {
    divan::main();
}

fn message(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect()
}

/// One message by implementation `RANK` of those available.
fn one<const RANK: usize>(bencher: Bencher<'_, '_>, length: usize) {
    let Some(implementation) = Implementation::available().nth(RANK) else { return };
    let message = message(length);
    bencher
        .counter(BytesCount::new(length))
        .bench_local(|| Whirlpool::with_implementation(implementation).chain_update(&message).finalize());
}

/// `LANES` messages at once by the fastest.
fn several<const LANES: usize>(bencher: Bencher<'_, '_>, length: usize) {
    let message = message(length);
    bencher.counter(BytesCount::new(LANES * length)).bench_local(|| {
        let mut hashers = vec![Whirlpool::new(); LANES];
        update_many(hashers.iter_mut().map(|hasher| (hasher, message.as_slice())));
        finalize_many(hashers)
    });
}

#[divan::bench(args = LENGTHS)]
fn one_fastest(bencher: Bencher<'_, '_>, length: usize) {
    one::<0>(bencher, length);
}

#[divan::bench(args = LENGTHS)]
fn one_second_fastest(bencher: Bencher<'_, '_>, length: usize) {
    one::<1>(bencher, length);
}

#[divan::bench(args = LENGTHS)]
fn one_third_fastest(bencher: Bencher<'_, '_>, length: usize) {
    one::<2>(bencher, length);
}

#[divan::bench(args = LENGTHS)]
fn several_2(bencher: Bencher<'_, '_>, length: usize) {
    several::<2>(bencher, length);
}

#[divan::bench(args = LENGTHS)]
fn several_4(bencher: Bencher<'_, '_>, length: usize) {
    several::<4>(bencher, length);
}

#[divan::bench(args = LENGTHS)]
fn several_8(bencher: Bencher<'_, '_>, length: usize) {
    several::<8>(bencher, length);
}

#[divan::bench(args = LENGTHS)]
fn rustcrypto(bencher: Bencher<'_, '_>, length: usize) {
    let message = message(length);
    bencher.counter(BytesCount::new(length)).bench_local(|| whirlpool::Whirlpool::digest(&message));
}
