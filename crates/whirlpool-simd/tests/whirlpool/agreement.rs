//! Agreement with another implementation, RustCrypto's, for any content, cut anywhere, alone or with other messages.

use proptest::prelude::*;
use whirlpool_simd::{Digest, Implementation, Whirlpool, finalize_many, hash_many, update_many};

fn cases() -> ProptestConfig {
    // Miri is a thousand times slower, and can't read the file of failures.
    let cases = if cfg!(miri) { 4 } else { 400 };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

const LONGEST: usize = if cfg!(miri) { 200 } else { 3000 };

fn expected(message: &[u8]) -> Vec<u8> {
    whirlpool::Whirlpool::digest(message).to_vec()
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..LONGEST),
        // Lengths around the ends of blocks, where the padding begins a new one.
        (0..4usize, 0..=2usize, any::<u8>())
            .prop_map(|(blocks, more, byte)| vec![byte; 31 + 32 * blocks + more]),
    ]
}

/// Returns a message, and the lengths of the pieces in which it comes.
fn pieces() -> impl Strategy<Value = (Vec<u8>, Vec<usize>)> {
    (message(), prop::collection::vec(prop_oneof![0..70usize, 0..1000usize], 0..12))
}

/// Splits the message into pieces of these lengths; the last one is what remains.
fn split<'a>(mut message: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for length in lengths {
        let (piece, rest) = message.split_at((*length).min(message.len()));
        pieces.push(piece);
        message = rest;
    }
    pieces.push(message);
    pieces
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn one_message_in_pieces((message, lengths) in pieces()) {
        for implementation in Implementation::available() {
            let mut hasher = Whirlpool::with_implementation(implementation);
            for piece in split(&message, &lengths) {
                hasher.update(piece);
            }
            prop_assert_eq!(hasher.finalize().to_vec(), expected(&message), "{}", implementation);
        }
    }

    #[test]
    fn several_messages_in_pieces(messages in prop::collection::vec(pieces(), 0..11)) {
        let implementations: Vec<_> = Implementation::available().collect();
        // First with one implementation, and then mixed.
        for shift in 0..=implementations.len() {
            let mut hashers: Vec<_> = (0..messages.len())
                .map(|index| *implementations.get(shift).unwrap_or(&implementations[index % implementations.len()]))
                .map(Whirlpool::with_implementation)
                .collect();
            let split: Vec<_> = messages.iter().map(|(message, lengths)| split(message, lengths)).collect();
            for turn in 0..split.iter().map(Vec::len).max().unwrap_or(0) {
                let turn = split.iter().map(|pieces| pieces.get(turn).copied().unwrap_or(b""));
                update_many(hashers.iter_mut().zip(turn));
            }
            let found: Vec<_> = finalize_many(hashers).iter().map(|sum| sum.to_vec()).collect();
            prop_assert_eq!(found, messages.iter().map(|(message, _)| expected(message)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn several_whole_messages(messages in prop::collection::vec(message(), 0..11)) {
        let found: Vec<_> = hash_many(&messages).iter().map(|sum| sum.to_vec()).collect();
        prop_assert_eq!(found, messages.iter().map(|message| expected(message)).collect::<Vec<_>>());
    }

    #[test]
    fn a_hasher_goes_on_where_its_clone_stood_and_begins_anew_after_a_reset(first in message(), second in message()) {
        for implementation in Implementation::available() {
            let mut hasher = Whirlpool::with_implementation(implementation).chain_update(&first);
            let mut clone = hasher.clone();
            Digest::reset(&mut clone);
            hasher.update(&second);
            clone.update(&second);
            prop_assert_eq!(hasher.finalize_reset().to_vec(), expected(&[&first[..], &second].concat()));
            prop_assert_eq!(clone.finalize().to_vec(), expected(&second));
            prop_assert_eq!(hasher.chain_update(&first).finalize().to_vec(), expected(&first));
        }
    }
}

#[test]
fn the_portable_implementation_is_always_there_and_comes_last() {
    assert_eq!(Implementation::available().last().map(Implementation::name), Some("portable"));
}
