//! Tests that what flags protect at the destination stays: old versions, what a filter names, what lies deeper than the
//! run goes.

use std::{collections::BTreeMap, path::Path};

use crate::stage::{Stage, read_tree, write_tree};

fn tree(files: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    files.iter().map(|(path, content)| ((*path).to_owned(), (*content).into())).collect()
}

/// Makes two directories with these files, and a stage to run in.
fn sides(source: &[(&str, &str)], destination: &[(&str, &str)]) -> Stage {
    let stage = Stage::start();
    write_tree(&stage.directory("s"), &tree(source));
    write_tree(&stage.directory("d"), &tree(destination));
    stage
}

fn run(stage: &Stage, words: &[&str]) -> crate::stage::Run {
    let ends = [stage.directory("s"), stage.directory("d")];
    let words: Vec<_> = words
        .iter()
        .map(|word| match *word {
            "s" => ends[0].to_str().unwrap(),
            "d" => ends[1].to_str().unwrap(),
            other => other,
        })
        .collect();
    stage.run(&words)
}

fn holds(directory: &Path, files: &[(&str, &str)]) {
    assert_eq!(read_tree(directory), tree(files), "{}", directory.display());
}

#[test]
fn a_file_whose_own_name_ends_in_the_suffix_is_a_file_like_others() {
    let stage = sides(&[("notes.bak", "new")], &[("notes.bak", "old"), ("only-there.bak", "kept")]);
    run(&stage, &["sync", "s", "d", "--suffix", ".bak", "--immutable"]).code(6);
    holds(&stage.directory("d"), &[("notes.bak", "old"), ("only-there.bak", "kept")]);
    run(&stage, &["copy", "s", "d", "--suffix", ".bak", "--ignore-existing"]).success();
    holds(&stage.directory("d"), &[("notes.bak", "old"), ("only-there.bak", "kept")]);
    run(&stage, &["sync", "s", "d", "--suffix", ".bak"]).success();
    let after = [("notes.bak", "new"), ("notes.bak.bak", "old"), ("only-there.bak", "kept")];
    holds(&stage.directory("d"), &after);
}

#[test]
fn an_unchanged_file_with_the_suffix_is_not_sent_again_to_an_account() {
    let stage = sides(&[("k.bak", "keep"), ("x", "x")], &[]);
    for _ in 0..3 {
        run(&stage, &["sync", "s", "t:v", "--suffix", ".bak"]).success();
    }
    assert_eq!(stage.control().tree().unwrap().files.len(), 2);
}

#[test]
fn an_old_version_never_takes_the_name_of_another_file_of_the_source() {
    for command in ["copy", "sync", "move"] {
        let stage = sides(&[("a", "new"), ("a.bak", "another")], &[("a", "old")]);
        run(&stage, &[command, "s", "d", "--suffix", ".bak"]).code(2);
        let there = read_tree(&stage.directory("d"));
        assert_eq!(there["a"], b"old", "{command}");
        let here = read_tree(&stage.directory("s"));
        assert_eq!(here["a"], b"new", "{command}");
    }
}

#[test]
fn what_a_filter_names_is_safe_from_other_spellings_of_the_name() {
    let (composed, decomposed) = ("caf\u{e9}.t", "cafe\u{301}.t");
    for command in ["copy", "sync", "move"] {
        let stage = sides(&[(decomposed, "new")], &[(composed, "kept")]);
        run(&stage, &[command, "s", "d", "--exclude", composed]).success();
        holds(&stage.directory("d"), &[(composed, "kept"), (decomposed, "new")]);
    }
    let stage = sides(&[("Dir/q", "new")], &[("dir/q", "kept")]);
    run(&stage, &["sync", "s", "d", "--ignore-case-sync", "--exclude", "/dir/**"]).success();
    assert_eq!(read_tree(&stage.directory("d"))["dir/q"], b"kept");
}

#[test]
fn what_lies_deeper_than_a_command_goes_stays() {
    let files = [("a", "1"), ("b/c", "2")];
    let stage = sides(&[], &files);
    run(&stage, &["purge", "d", "--max-depth", "1"]).code(2);
    holds(&stage.directory("d"), &[("b/c", "2")]);
    std::fs::create_dir_all(stage.directory("d").join("w/e")).unwrap();
    run(&stage, &["rmdirs", "d", "--max-depth", "1", "--leave-root"]).code(2);
    assert!(stage.directory("d").join("w/e").is_dir());
    // Zero is the first level, too, for a run between two sides.
    let stage = sides(&files, &[("b/y", "3")]);
    run(&stage, &["sync", "s", "d", "--max-depth", "0"]).success();
    holds(&stage.directory("d"), &[("a", "1"), ("b/y", "3")]);
}

#[test]
fn a_soft_limit_on_time_holds_between_directories() {
    let big = "x".repeat(200_000);
    let files: Vec<_> = ["1", "2", "3", "4", "5"].iter().map(|name| (*name, big.as_str())).collect();
    let stage = sides(&files, &[]);
    let limits = ["--bwlimit", "200k", "--max-duration", "1s", "--cutoff-mode", "soft", "--transfers", "1"];
    run(&stage, &[&["copy", "s", "d"][..], &limits].concat()).code(10);
    let there = read_tree(&stage.directory("d")).len();
    assert!((1..5).contains(&there), "{there} files");
}

#[test]
fn a_stored_stream_sets_the_old_version_aside_on_a_disk() {
    use std::io::Write as _;
    let stage = sides(&[], &[("x", "old")]);
    let (target, backup) = (stage.directory("d").join("x"), stage.directory("backup"));
    let mut command = stage.command();
    command.arg("rcat").arg(&target).arg("--backup-dir").arg(&backup);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"new").unwrap();
    assert!(child.wait().unwrap().success());
    holds(&stage.directory("d"), &[("x", "new")]);
    holds(&backup, &[("x", "old")]);
}

#[test]
fn a_folder_that_is_touched_means_the_files_in_it() {
    let stage = sides(&[], &[("a", "1"), ("b/c", "2")]);
    run(&stage, &["touch", "d", "--timestamp", "2001-02-03T04:05:06"]).success();
    let year = |path: &str| {
        let time = std::fs::metadata(stage.directory("d").join(path)).unwrap().modified().unwrap();
        jiff::Timestamp::try_from(time).unwrap().to_string()[..4].to_owned()
    };
    assert_eq!(year("a"), "2001");
    assert_ne!(year("b/c"), "2001");
}
