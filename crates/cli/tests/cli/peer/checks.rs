//! Tests that `check`, `checksum` and `dedupe` say and leave what rclone's say and leave.

use std::{collections::BTreeMap, fs};

use crate::{
    peer::{rclone::Rclone, side_by_side, sorted},
    stage::{Run, Stage, write_tree},
};

fn trees(stage: &Stage) {
    let tree = |files: &[(&str, &str)]| {
        let file = |(name, text): &(&str, &str)| ((*name).to_owned(), text.as_bytes().to_vec());
        files.iter().map(file).collect::<BTreeMap<_, _>>()
    };
    let a =
        [("same", "same"), ("diff", "one"), ("onlya", "x"), ("d/size", "long"), ("d/q", "q"), ("x/in", "f")];
    let b =
        [("same", "same"), ("diff", "two"), ("onlyb", "y"), ("d/size", "longer"), ("d/q", "q"), ("x", "f")];
    write_tree(&stage.home().join("a"), &tree(&a));
    write_tree(&stage.home().join("b"), &tree(&b));
}

/// Returns the log without times and without the last line, in which we sum up in our own way. Two words of rclone's
/// become ours: the checksum that it prefers between local directories, and its name of the service's root.
fn log(run: &Run) -> Vec<String> {
    let mut lines: Vec<_> = run
        .stderr
        .lines()
        .filter(|line| !line.contains("Failed to ") && !line.contains("Config file"))
        .map(|line| line[20..].replace("md5 differ", "whirlpool differ").replace("1Fichier root 'b'", "t:b"))
        // In checks against a checksum file, rclone leaves the service's folders out of names.
        .map(|line| line.replace("d/size", "size").replace("d/q", "q"))
        .collect();
    lines.sort();
    lines
}

fn compare(stage: &Stage, words: &[&str]) {
    let ours = stage.run(words);
    let theirs = Rclone::installed().run(stage, words);
    let [left, right] = [&ours, &theirs].map(|run| run.stdout.replace("d/size", "size").replace("d/q", "q"));
    assert_eq!(sorted(&left), sorted(&right), "{words:?}");
    assert_eq!(log(&ours), log(&theirs), "{words:?}");
}

#[test]
fn checks_say_the_same() {
    let stage = Stage::start_behind_proxy();
    trees(&stage);
    stage.run(&["copy", "b", "t:b"]).success();
    for (kind, file) in [("md5", "md5"), ("whirlpool", "whirlpool")] {
        let sums = stage.run(&["hashsum", kind, "a"]).success_text();
        fs::write(stage.home().join(file), sums).unwrap();
    }
    let flags: [&[&str]; 6] = [
        &[],
        &["--one-way"],
        &["--size-only"],
        &["--download"],
        &["--max-depth", "1"],
        &["--exclude", "/d/**"],
    ];
    let mut cases: Vec<Vec<&str>> = Vec::new();
    for flags in flags {
        for to in ["b", "a", "t:b"] {
            cases.push([&["check", "a", to, "--combined", "-"], flags].concat());
        }
    }
    for (kind, to) in [("md5", "b"), ("whirlpool", "b"), ("whirlpool", "t:b")] {
        for flags in [&[][..], &["--one-way"], &["--download"]] {
            cases.push([&["checksum", kind, kind, to, "--combined", "-"], flags].concat());
        }
        cases.push(vec!["check", "-C", kind, kind, to]);
        cases.push(vec!["hashsum", kind, to, "-C", kind]);
    }
    cases.push(vec!["check", "a/same", "b"]);
    cases.push(vec!["check", "a/diff", "b"]);
    side_by_side(&cases, |words| compare(&stage, words));
}

/// Returns path, size and time of all files.
fn left(stage: &Stage) -> Vec<(String, u64, String)> {
    let tree = stage.control().tree().unwrap();
    let mut files: Vec<_> = tree.files.into_iter().map(|file| (file.path, file.size, file.date)).collect();
    files.sort();
    files
}

#[test]
fn dedupe_leaves_and_says_the_same() {
    let cases: [&[&str]; 13] = [
        &["skip"],
        &["first"],
        &["newest"],
        &["oldest"],
        &["largest"],
        &["smallest"],
        &["rename"],
        &["list"],
        &["list", "--by-hash"],
        &["first", "--by-hash"],
        &["newest", "--by-hash"],
        &["oldest", "--by-hash"],
        &["skip", "--by-hash"],
    ];
    side_by_side(&cases, |case| {
        let run = |with_rclone: bool| {
            let stage = Stage::start_behind_proxy();
            let files = [
                ("one.txt", 1, "aaa"),
                ("one.txt", 2, "aaa"),
                ("one.txt", 3, "bbbb"),
                ("one.txt", 4, "c"),
                ("two.txt", 1, "same"),
                ("two.txt", 2, "same"),
                ("three.tar.gz", 5, "1"),
                ("three.tar.gz", 6, "22"),
                ("three.tar-1.gz", 7, "taken"),
                ("sub/four", 8, "first"),
                ("sub/four", 9, "4"),
                ("copy one", 10, "content"),
                ("copy two", 11, "content"),
            ];
            for (path, second, content) in files {
                let date = format!("2024-01-02T03:04:{second:02}Z").parse().unwrap();
                stage.control().seed_file_dated(&format!("b/{path}"), content.as_bytes(), date).unwrap();
            }
            let words = [&["dedupe"], *case, &["t:b"]].concat();
            let run = if with_rclone { Rclone::installed().run(&stage, &words) } else { stage.run(&words) };
            let run = run.code(0);
            let mut files = left(&stage);
            if case[0] == "rename" {
                // rclone leaves to chance which of two gets which number there.
                files.retain(|(path, ..)| !path.starts_with("/b/sub"));
            }
            if matches!(*case, ["first" | "rename"]) {
                // After looking for identical files, it goes through the rest in an order that is random as well (seen:
                // another one was kept in another run). That as many are left, by these names, isn't.
                let chance = |path: &str| {
                    path.starts_with("/b/one") || path.starts_with("/b/three") || path.starts_with("/b/sub")
                };
                for (_, size, date) in files.iter_mut().filter(|(path, ..)| chance(path)) {
                    (*size, *date) = (0, String::new());
                }
            }
            (files, log(&run), sorted(&run.stdout).join("\n"))
        };
        let (ours, theirs) = (run(false), run(true));
        assert_eq!(ours, theirs, "{case:?}");
    });
}
