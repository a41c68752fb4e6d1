//! Each implementation compared with RustCrypto's: one message in pieces, and several at once.
//!
//! The first byte of the input says how many messages it is cut into, the second how long their pieces are.

#![no_main]

use libfuzzer_sys::fuzz_target;
use whirlpool_simd::{Digest as _, Implementation, Whirlpool, finalize_many, update_many};

fuzz_target!(|input: &[u8]| {
    let [messages, piece, content @ ..] = input else { return };
    let messages = usize::from(messages % 9) + 1;
    let piece = usize::from(*piece) + 1;
    // The messages differ in length: the last gets what remains, or nothing.
    let messages: Vec<&[u8]> = content.chunks((content.len() / messages).max(1)).collect();
    let expected: Vec<_> = messages.iter().map(|message| whirlpool::Whirlpool::digest(message)).collect();
    for implementation in Implementation::available() {
        for (message, expected) in messages.iter().zip(&expected) {
            let mut hasher = Whirlpool::with_implementation(implementation);
            for piece in message.chunks(piece) {
                hasher.update(piece);
            }
            assert_eq!(hasher.finalize(), *expected, "{implementation}");
        }
        let mut hashers = vec![Whirlpool::with_implementation(implementation); messages.len()];
        for turn in 0..content.len().div_ceil(piece) {
            let pieces = messages.iter().map(|message| message.chunks(piece).nth(turn).unwrap_or_default());
            update_many(hashers.iter_mut().zip(pieces));
        }
        assert_eq!(finalize_many(hashers), expected, "{implementation}");
    }
});
