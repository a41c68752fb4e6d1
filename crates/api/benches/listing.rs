//! Measures how fast an answer of the service becomes a listing: by files, and by bytes.
//!
//! `cargo bench -p fichier-api`
#![allow(clippy::unwrap_used, reason = "a measurement ends where it fails")]

use divan::{Bencher, black_box, counter::BytesCount};
use fichier_api::FolderListing;
use serde_json::{Value, json};

fn main() {
    divan::main();
}

/// Makes an answer in the service's form, with numbers as numbers.
fn answer(files: usize) -> Vec<u8> {
    let item = |number: usize| -> Value {
        json!({
            "url": format!("https://1fichier.com/?code{number:016}"),
            "filename": format!("holiday picture {number:06}.jpeg"),
            "size": 1_000_000 + number,
            "date": "2024-05-06 07:08:09",
            "checksum": "4f".repeat(64),
            "content-type": "image/jpeg",
            "pass": 0,
            "acl": 0,
            "cdn": 0,
        })
    };
    let answer = json!({
        "status": "OK",
        "folder_id": 7,
        "name": "pictures",
        "sub_folders": [],
        "items": (0..files).map(item).collect::<Vec<_>>(),
    });
    answer.to_string().into_bytes()
}

#[divan::bench(args = [0, 10, 5000])]
fn parse(bencher: Bencher<'_, '_>, files: usize) {
    let answer = answer(files);
    let listing: FolderListing = serde_json::from_slice(&answer).unwrap();
    assert_eq!(listing.items.map_or(0, |items| items.len()), files);
    bencher
        .counter(BytesCount::new(answer.len()))
        .bench_local(|| serde_json::from_slice::<FolderListing>(black_box(&answer)).unwrap());
}
