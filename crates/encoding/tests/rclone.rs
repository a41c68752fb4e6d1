//! The mapping compared with what rclone v1.75.2 does.
//!
//! The fixture has a group of measurements for each direction and encoding, headed by a line `= direction
//! flags`; each of its lines is a name and its result. A group with `+ flags` has only what differs from
//! the group of `None`. To measure again, for another version or another corpus:
//! `RCLONE=/path/to/rclone cargo test -p fichier-encoding --test rclone -- --ignored`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use fichier_encoding::{Encoding, corpus};

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/rclone-1.75.2.tsv");

/// Recorded in full; for every single flag only what it changes.
const IN_FULL: [Encoding; 6] = [
    Encoding::NONE,
    Encoding::FICHIER,
    Encoding::STANDARD,
    Encoding::LOCAL_UNIX,
    Encoding::LOCAL_WINDOWS,
    Encoding::from_bits((1 << 29) - 1),
];

type Results = BTreeMap<Vec<u8>, Vec<u8>>;

/// Returns all measurements of one direction, completed.
fn measurements(direction: &str) -> Vec<(Encoding, Results)> {
    let fixture = fs::read_to_string(FIXTURE).unwrap();
    let mut groups: Vec<(Encoding, Results)> = Vec::new();
    for group in fixture.split("= ").skip(1) {
        let (head, lines) = group.split_once('\n').unwrap();
        let (of, flags) = head.split_once(' ').unwrap();
        if of != direction {
            continue;
        }
        let mut results = match flags.strip_prefix("+ ") {
            Some(_) => groups.iter().find(|(encoding, _)| *encoding == Encoding::NONE).unwrap().1.clone(),
            None => Results::new(),
        };
        for line in lines.lines() {
            let (name, result) = line.split_once('\t').unwrap();
            results.insert(unescape(name), unescape(result));
        }
        groups.push((flags.trim_start_matches("+ ").parse().unwrap(), results));
    }
    assert_eq!(groups.len(), IN_FULL.len() + Encoding::flags().count());
    assert!(groups.iter().all(|(_, results)| results.len() > 500));
    groups
}

#[test]
fn names_are_stored_as_rclone_stores_them() {
    for (encoding, results) in measurements("encode") {
        for (name, stored) in results {
            // rclone writes these two as it writes `..`, and reads them as that.
            let like_dots = name == "．.".as_bytes() || name == ".．".as_bytes();
            if like_dots && encoding.contains(Encoding::DOT) && stored == "．．".as_bytes() {
                continue;
            }
            assert_eq!(escape(&encoding.encode(&name)), escape(&stored), "{encoding} of {}", escape(&name));
        }
    }
}

#[test]
fn names_are_read_as_rclone_reads_them() {
    let mut differing = 0;
    for (encoding, results) in measurements("read") {
        for (stored, standard) in results {
            let ours = encoding.to_standard(&stored);
            if ours == standard {
                continue;
            }
            differing += 1;
            if rclone_misreads(&stored) {
                continue;
            }
            // The other exception is a quote that quotes nothing. The plain name is the same.
            assert_ne!(
                encoding.encode(&encoding.decode(&stored)),
                stored,
                "{encoding} of {}",
                escape(&stored)
            );
            let plain = [&ours[..], &standard].map(|name| escape(&Encoding::STANDARD.decode(name)));
            assert_eq!(plain[0], plain[1], "{encoding} of {}", escape(&stored));
        }
    }
    assert!(differing > 0, "the exception of the crate's documentation has no case any more");
}

/// Checks for the exception: the name ends in a character that is replaced at the end only, after two quotes or more.
fn rclone_misreads(stored: &[u8]) -> bool {
    let text = String::from_utf8_lossy(stored);
    let mut from_the_end = text.chars().rev();
    let at_edge = from_the_end.next().is_some_and(|last| "␠．␉␊␋␍".contains(last));
    at_edge && from_the_end.take_while(|character| *character == '‛').count() >= 2
}

#[test]
#[ignore = "writes the fixture anew; needs a real rclone, named by RCLONE"]
fn measure() {
    let mut fixture = String::new();
    let [stored_by_none, read_by_none] = measure_one(Encoding::NONE);
    for encoding in IN_FULL {
        let [stored, read] = measure_one(encoding);
        write_group(&mut fixture, &format!("encode {encoding}"), &stored);
        write_group(&mut fixture, &format!("read {encoding}"), &read);
    }
    for (flag, _) in Encoding::flags() {
        let [mut stored, mut read] = measure_one(flag);
        stored.retain(|name, result| stored_by_none.get(name) != Some(result));
        read.retain(|name, result| read_by_none.get(name) != Some(result));
        write_group(&mut fixture, &format!("encode + {flag}"), &stored);
        write_group(&mut fixture, &format!("read + {flag}"), &read);
    }
    fs::write(FIXTURE, fixture).unwrap();
}

fn write_group(fixture: &mut String, head: &str, results: &Results) {
    *fixture += &format!("= {head}\n");
    for (name, result) in results {
        *fixture += &format!("{}\t{}\n", escape(name), escape(result));
    }
}

/// Measures how rclone stores the names, and how it lists them when they are stored names.
fn measure_one(encoding: Encoding) -> [Results; 2] {
    let names = corpus::nasty_file_names();
    // rclone encodes the root as well, so its names hold nothing special.
    let directory = tempfile::Builder::new().prefix("measure").tempdir().unwrap();
    let (source, target) = (directory.path().join("source"), directory.path().join("target"));
    fs::create_dir(&source).unwrap();
    // Sizes identify the files in the target and in a listing.
    for (number, name) in names.iter().enumerate() {
        fs::write(source.join(os(name)), "x".repeat(number)).unwrap();
    }
    let on_the_fly =
        |encoding: Encoding, path: &Path| format!(":local,encoding=\"{encoding}\":{}", path.display());

    rclone(&["copy", &on_the_fly(Encoding::RAW, &source), &on_the_fly(encoding, &target)]);
    let mut stored = Results::new();
    for entry in fs::read_dir(&target).unwrap() {
        let entry = entry.unwrap();
        let number = usize::try_from(entry.metadata().unwrap().len()).unwrap();
        stored.insert(names[number].clone(), bytes(&entry.file_name()));
    }

    let mut read = Results::new();
    // A listed name may hold a line feed, so the end of a line is the one before the next size.
    let listing = rclone(&["lsf", "--format", "sp", "--separator", "<SEP>", &on_the_fly(encoding, &source)]);
    let listing: Vec<&[u8]> = split(&listing, b"<SEP>");
    let mut size = listing[0];
    for piece in &listing[1..] {
        let end = piece.iter().rposition(|byte| *byte == b'\n').unwrap();
        let number: usize = std::str::from_utf8(size).unwrap().parse().unwrap();
        read.insert(names[number].clone(), piece[..end].to_vec());
        size = &piece[end + 1..];
    }
    assert_eq!((stored.len(), read.len()), (names.len(), names.len()), "{encoding}");
    [stored, read]
}

fn split<'a>(mut text: &'a [u8], separator: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    while let Some(at) = text.windows(separator.len()).position(|window| window == separator) {
        pieces.push(&text[..at]);
        text = &text[at + separator.len()..];
    }
    pieces.push(text);
    pieces
}

fn rclone(arguments: &[&str]) -> Vec<u8> {
    let program = std::env::var_os("RCLONE").expect("RCLONE names the program to measure");
    let output = Command::new(program)
        .args(["--config", "", "--no-unicode-normalization", "--log-level", "ERROR", "--retries", "1"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn escape(name: &[u8]) -> String {
    let mut text = String::new();
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            let at_edge = text.is_empty() && character == ' ';
            if character.is_control()
                || character == '\\'
                || at_edge
                || "\u{202e}\u{2028}\u{feff}".contains(character)
            {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    text += &format!("\\x{byte:02x}");
                }
            } else {
                text.push(character);
            }
        }
        for byte in chunk.invalid() {
            text += &format!("\\x{byte:02x}");
        }
    }
    match text.strip_suffix(' ') {
        Some(rest) => format!("{rest}\\x20"),
        None => text,
    }
}

fn unescape(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut name = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        name.push(u8::from_str_radix(&part[..2], 16).unwrap());
        name.extend_from_slice(&part.as_bytes()[2..]);
    }
    name
}

#[cfg(unix)]
fn os(name: &[u8]) -> &OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(name)
}

#[cfg(unix)]
fn bytes(name: &OsStr) -> Vec<u8> {
    std::os::unix::ffi::OsStrExt::as_bytes(name).to_vec()
}

// Measuring needs a file system that holds any bytes; comparing does not.
#[cfg(not(unix))]
fn os(_: &[u8]) -> &OsStr {
    panic!("measure on Linux")
}

#[cfg(not(unix))]
fn bytes(_: &OsStr) -> Vec<u8> {
    panic!("measure on Linux")
}
