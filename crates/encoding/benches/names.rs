//! Measures how many names are converted in a second, both ways: plain ones, and the difficult ones of the corpus.
//!
//! `cargo bench -p fichier-encoding`

use divan::{Bencher, black_box, counter::ItemsCount};
use fichier_encoding::{Encoding, corpus};

fn main() {
    divan::main();
}

fn plain() -> Vec<Vec<u8>> {
    (0..1000).map(|number| format!("holiday picture {number:04}.jpeg").into_bytes()).collect()
}

fn encode(bencher: Bencher<'_, '_>, names: &[Vec<u8>]) {
    bencher.counter(ItemsCount::new(names.len())).bench_local(|| {
        names.iter().map(|name| Encoding::FICHIER.encode(black_box(name)).len()).sum::<usize>()
    });
}

fn decode(bencher: Bencher<'_, '_>, names: &[Vec<u8>]) {
    let stored: Vec<_> = names.iter().map(|name| Encoding::FICHIER.encode(name).into_owned()).collect();
    bencher.counter(ItemsCount::new(stored.len())).bench_local(|| {
        stored.iter().map(|name| Encoding::FICHIER.decode(black_box(name)).len()).sum::<usize>()
    });
}

#[divan::bench]
fn encode_plain(bencher: Bencher<'_, '_>) {
    encode(bencher, &plain());
}

#[divan::bench]
fn encode_nasty(bencher: Bencher<'_, '_>) {
    encode(bencher, &corpus::nasty_file_names());
}

#[divan::bench]
fn decode_plain(bencher: Bencher<'_, '_>) {
    decode(bencher, &plain());
}

#[divan::bench]
fn decode_nasty(bencher: Bencher<'_, '_>) {
    decode(bencher, &corpus::nasty_file_names());
}
