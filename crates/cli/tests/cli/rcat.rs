//! Tests of `rcat`, `cleanup` and `hashcache` through the binary.

use std::fs;

use crate::stage::{Run, Stage};

fn rcat(stage: &Stage, words: &[&str], input: &[u8]) -> Run {
    let path = stage.home().join("input");
    fs::write(&path, input).unwrap();
    let words = [&["rcat"], words].concat();
    Run::of(stage.command().args(&words).stdin(fs::File::open(path).unwrap()), &words.join(" "))
}

#[test]
fn the_standard_input_is_stored_whole_be_it_short_or_long() {
    let stage = Stage::start();
    for length in [3_usize, 100_000, 3_000_000] {
        let bytes: Vec<u8> = (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect();
        let size = length.to_string();
        for (path, words) in [
            ("t:new/folder/f", vec!["t:new/folder/f"]),
            ("t:new/folder/f", vec!["t:new/folder/f", "--size", &size]),
            ("work/f", vec!["work/f"]),
        ] {
            rcat(&stage, &words, &bytes).success();
            let out = stage.command().args(["cat", path]).output().unwrap().stdout;
            assert!(out == bytes, "{path}: {} of {length} bytes", out.len());
        }
    }
    // Each one replaced the one before.
    assert_eq!(stage.control().tree().unwrap().files.len(), 1);
}

#[test]
fn what_cannot_be_stored_is_said() {
    let stage = Stage::start();
    fs::create_dir_all(stage.home().join("folder")).unwrap();
    rcat(&stage, &["folder"], b"x").code(2);
    let run = rcat(&stage, &["t:"], b"x").code(2);
    assert!(run.stderr.contains("\"t:\" is a directory"), "{}", run.stderr);
    rcat(&stage, &["t:empty"], b"").code(6);
    let run = rcat(&stage, &["t:f", "--dry-run"], b"x").code(0);
    assert!(run.stderr.contains("NOTICE: f: Skipped upload from pipe as --dry-run is set"), "{}", run.stderr);
    assert!(stage.control().tree().unwrap().files.is_empty());
}

#[test]
fn a_size_that_is_not_true_stores_nothing_and_keeps_the_old_version() {
    let stage = Stage::start();
    rcat(&stage, &["t:f"], b"old").success();
    for size in ["2", "4"] {
        let run = rcat(&stage, &["t:f", "--size", size], b"new").code(5);
        assert!(run.stderr.contains("sizes differ") || run.stderr.contains("bytes"), "{}", run.stderr);
        assert_eq!(stage.run(&["cat", "t:f"]).success_text(), "old");
    }
}

#[test]
fn an_old_version_that_the_listing_does_not_tell_whole_is_said_to_stay() {
    for fault in ["field:size=-1", "field:size=9223372036854775807", "drop-field:url"] {
        let stage = Stage::start();
        stage.control().seed_file("d/a", b"old").unwrap();
        stage.control().add_fault(format!("endpoint=folder/ls,kind={fault}").parse().unwrap());
        let run = rcat(&stage, &["t:d/a"], b"new");
        assert!(run.stderr.contains("an old version of \"d/a\" stays"), "{fault}: {}", run.stderr);
        assert_ne!(run.status, Some(0), "{fault}");
        // The message doesn't mention another file's problem.
        rcat(&stage, &["t:d/b"], b"new").success();
        stage.control().clear_faults();
        rcat(&stage, &["t:d/a"], b"new").success();
        assert_eq!(stage.control().tree().unwrap().files.len(), 2, "{fault}");
    }
}

#[test]
fn neither_remote_has_a_trash_to_clean_up() {
    let stage = Stage::start();
    let run = stage.run(&["cleanup", "t:"]).code(2);
    assert!(run.stderr.contains("doesn't support cleanup"), "{}", run.stderr);
    let run = stage.run(&["cleanup", "."]).code(2);
    assert!(run.stderr.contains("Local file system at . doesn't support cleanup"), "{}", run.stderr);
}

#[test]
fn the_hash_cache_is_shown_verified_and_cleared() {
    let stage = Stage::start();
    let here = stage.directory("here");
    for name in ["a", "b"] {
        fs::write(here.join(name), name).unwrap();
    }
    let counted = |count: &str| {
        let status = stage.run(&["hashcache", "status"]).success_text();
        assert!(status.contains(&format!("Checksums: {count}\n")), "{status}");
    };
    counted("0");
    stage.run(&["copy", "work/here", "t:here"]).success();
    counted("2");
    let run = stage.run(&["hashcache", "verify", "work/here"]).code(0);
    assert!(run.stderr.contains("2 remembered checksums are right"), "{}", run.stderr);
    stage.run(&["hashcache", "verify"]).success();
    stage.run(&["hashcache", "status", "work/here"]).code(1);
    stage.run(&["hashcache", "clear", "--dry-run"]).success();
    counted("2");
    stage.run(&["hashcache", "clear"]).success();
    counted("0");
    let run = stage.run(&["hashcache", "verify", "work/here"]).code(0);
    assert!(run.stderr.contains("2 files have none"), "{}", run.stderr);
}
