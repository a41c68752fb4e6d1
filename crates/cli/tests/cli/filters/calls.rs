//! Tests that files left out cost no call, and are left alone.

use std::collections::BTreeMap;

use crate::stage::{Stage, read_tree, write_tree};

fn planted() -> Stage {
    let stage = Stage::start();
    for path in
        ["keep/a.txt", "keep/deep/b.txt", "skip/c.txt", "skip/deep/d.txt", "marked/.skip", "marked/e.txt"]
    {
        stage.control().seed_file(path, path.as_bytes()).unwrap();
    }
    stage
}

fn listings(stage: &Stage) -> u64 {
    stage.counters().get("folder/ls").copied().unwrap_or(0)
}

fn lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn folders_that_are_left_out_are_never_listed() {
    let stage = planted();
    let text = stage.run(&["lsf", "-R", "t:", "--include", "/keep/*.txt"]).success_text();
    assert_eq!(lines(&text), ["keep/", "keep/a.txt"]);
    // The root and `keep` are listed.
    assert_eq!(listings(&stage), 2);
}

#[test]
fn named_files_cost_the_listings_of_the_folders_they_are_in() {
    let stage = planted();
    let names = stage.directory("lists").join("names");
    std::fs::write(&names, "keep/deep/b.txt\nkeep/a.txt\nskip/nowhere\n").unwrap();
    let words = ["copy", "t:", "got", "--files-from", names.to_str().unwrap()];
    stage.run(&words).success();
    // The root, `keep`, `keep/deep` and `skip` are listed.
    assert_eq!(listings(&stage), 4);
    let got = read_tree(&stage.command().get_current_dir().unwrap().join("got"));
    assert_eq!(got.keys().collect::<Vec<_>>(), ["keep/a.txt", "keep/deep/b.txt"]);
}

#[test]
fn a_mark_is_looked_for_in_the_listing_of_its_folder() {
    let stage = planted();
    let text = stage.run(&["lsf", "-R", "t:", "--exclude-if-present", ".skip"]).success_text();
    assert!(!text.contains("marked"), "{text}");
    // All six folders with the root are listed, each once.
    assert_eq!(listings(&stage), 6);
}

#[test]
fn a_copy_transfers_what_is_taken_and_lists_nothing_else() {
    let stage = planted();
    let source = stage.directory("source");
    let file = |path: &str| (path.to_owned(), path.as_bytes().to_vec());
    write_tree(&source, &BTreeMap::from(["keep/new.txt", "keep/new.jpg", "skip/new.txt"].map(file)));
    let words = ["copy", source.to_str().unwrap(), "t:", "--filter", "- /skip/", "--filter", "- *.jpg"];
    stage.run(&words).success();
    // The root and `keep` are listed; what is below `keep` doesn't matter to a copy that brings nothing there.
    assert_eq!(listings(&stage), 2);
    let text = stage.run(&["lsf", "-R", "--files-only", "t:keep"]).success_text();
    assert_eq!(lines(&text), ["a.txt", "deep/b.txt", "new.txt"]);
}

#[test]
fn only_what_is_taken_is_deleted() {
    let stage = planted();
    stage.run(&["delete", "t:", "--include", "/skip/**"]).success();
    let text = stage.run(&["lsf", "-R", "--files-only", "t:"]).success_text();
    assert_eq!(lines(&text), ["keep/a.txt", "keep/deep/b.txt", "marked/.skip", "marked/e.txt"]);
    stage.run(&["purge", "t:keep", "--exclude", "x"]).code(2);
    assert!(stage.run(&["lsf", "t:keep"]).success_text().contains("a.txt"));
}

#[test]
fn a_single_file_goes_with_no_filter() {
    let stage = planted();
    for words in [
        &["lsf", "t:keep/a.txt"][..],
        &["cat", "t:keep/a.txt"],
        &["delete", "t:keep/a.txt"],
        &["copyto", "t:keep/a.txt", "x"],
    ] {
        let run = stage.run(&[words, &["--exclude", "y"]].concat()).code(2);
        assert!(run.stderr.contains("can't limit to single files when using filters"), "{}", run.stderr);
    }
    stage.run(&["copy", "t:keep/a.txt", "x", "--exclude", "*"]).success();
}

#[test]
fn a_sync_leaves_alone_what_it_does_not_see_unless_told_otherwise() {
    let stage = planted();
    let source = stage.directory("source");
    let file = |path: &str| (path.to_owned(), b"new".to_vec());
    write_tree(&source, &BTreeMap::from(["keep/a.txt", "skip/new.txt"].map(file)));
    let words = ["sync", source.to_str().unwrap(), "t:", "--exclude", "/skip/"];
    stage.run(&words).success();
    let text = stage.run(&["lsf", "-R", "--files-only", "t:"]).success_text();
    assert_eq!(lines(&text), ["keep/a.txt", "skip/c.txt", "skip/deep/d.txt"]);
    stage.run(&[&words[..], &["--delete-excluded"]].concat()).success();
    let text = stage.run(&["lsf", "-R", "--files-only", "t:"]).success_text();
    assert_eq!(lines(&text), ["keep/a.txt"]);
}

#[test]
fn an_old_version_that_a_filter_hides_is_replaced_not_doubled() {
    let stage = Stage::start();
    stage.control().seed_file("a", &[b'o'; 3000]).unwrap();
    let source = stage.directory("source");
    write_tree(&source, &BTreeMap::from([("a".to_owned(), b"new".to_vec())]));
    for command in ["copy", "sync"] {
        stage.run(&[command, source.to_str().unwrap(), "t:", "--max-size", "1k"]).success();
        let text = stage.run(&["lsf", "t:", "--format", "ps"]).success_text();
        assert_eq!(text, "a;3\n", "{command}");
    }
}

#[test]
fn a_move_leaves_behind_what_it_does_not_take() {
    let stage = planted();
    stage.run(&["move", "t:keep", "t:moved", "--exclude", "b.txt", "--delete-empty-src-dirs"]).success();
    let text = stage.run(&["lsf", "-R", "--files-only", "t:"]).success_text();
    let left =
        ["keep/deep/b.txt", "marked/.skip", "marked/e.txt", "moved/a.txt", "skip/c.txt", "skip/deep/d.txt"];
    assert_eq!(lines(&text), left);
}

#[test]
fn a_folder_with_hidden_files_is_not_renamed_with_them() {
    let stage = Stage::start();
    for path in ["old/a.txt", "old/b.txt", "old/hidden.jpg"] {
        stage.control().seed_file(path, path.as_bytes()).unwrap();
    }
    let source = stage.directory("source");
    let file = |(path, content): (&str, &str)| (path.to_owned(), content.as_bytes().to_vec());
    write_tree(&source, &BTreeMap::from([("new/a.txt", "old/a.txt"), ("new/b.txt", "old/b.txt")].map(file)));
    stage.run(&["sync", source.to_str().unwrap(), "t:", "--exclude", "*.jpg"]).success();
    let text = stage.run(&["lsf", "-R", "--files-only", "t:"]).success_text();
    assert_eq!(lines(&text), ["new/a.txt", "new/b.txt", "old/hidden.jpg"]);
}
