//! Throughput of each implementation that this machine has, with one message and with several at once, compared with
//! RustCrypto's.
//!
//! `cargo bench -p whirlpool-simd`

use std::fmt;

use divan::{Bencher, counter::BytesCount};
use whirlpool_simd::{Digest as _, Implementation, Whirlpool, finalize_many, update_many};

/// Lengths of the messages in bytes: one block with its padding, a small file, a piece of a large one.
const LENGTHS: [usize; 3] = [31, 4 << 10, 1 << 20];

fn main() {
    divan::main();
}

/// Messages of one length, for one implementation.
struct Case {
    implementation: Implementation,
    messages: usize,
    length: usize,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { implementation, messages, length } = self;
        write!(f, "{implementation}, {messages} of {length}")
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for implementation in Implementation::available() {
        for messages in [1, 2, 4, 8].into_iter().filter(|messages| *messages <= 2 * implementation.lanes()) {
            cases.extend(LENGTHS.map(|length| Case { implementation, messages, length }));
        }
    }
    cases
}

fn message(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect()
}

#[divan::bench(args = cases())]
fn ours(bencher: Bencher<'_, '_>, case: &Case) {
    let Case { implementation, messages, length } = *case;
    let message = message(length);
    let bencher = bencher.counter(BytesCount::new(messages * length));
    if messages == 1 {
        bencher
            .bench_local(|| Whirlpool::with_implementation(implementation).chain_update(&message).finalize());
    } else {
        bencher.bench_local(|| {
            let mut hashers = vec![Whirlpool::with_implementation(implementation); messages];
            update_many(hashers.iter_mut().map(|hasher| (hasher, message.as_slice())));
            finalize_many(hashers)
        });
    }
}

#[divan::bench(args = LENGTHS)]
fn rustcrypto(bencher: Bencher<'_, '_>, length: usize) {
    let message = message(length);
    bencher.counter(BytesCount::new(length)).bench_local(|| whirlpool::Whirlpool::digest(&message));
}
