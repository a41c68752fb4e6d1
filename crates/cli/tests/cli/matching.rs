//! Tests of what is matched with what: names of several spellings, files with folders, lines with files.

use std::{collections::BTreeMap, fs, path::Path};

use crate::stage::{Stage, read_tree, write_tree};

const COMPOSED: &str = "\u{e9}";
const DECOMPOSED: &str = "e\u{301}";

fn tree(files: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
}

fn uploads(stage: &Stage) -> u64 {
    stage.counters().get("upload/get_upload_server.cgi").copied().unwrap_or(0)
}

fn stored(stage: &Stage) -> Vec<String> {
    let mut files: Vec<_> = stage.control().tree().unwrap().files.into_iter().map(|file| file.path).collect();
    files.sort();
    files
}

#[test]
fn forms_of_one_name_are_one_file_at_the_service() {
    let stage = Stage::start();
    let here = stage.directory("here");
    let from = here.to_str().unwrap();
    write_tree(&here, &tree(&[(&format!("d{DECOMPOSED}/f{DECOMPOSED}"), "same")]));
    let there = format!("to/d{COMPOSED}/f{COMPOSED}");
    stage.control().seed_file(&there, b"same").unwrap();
    for command in ["copy", "sync", "check"] {
        stage.run(&[command, from, "t:to"]).success();
        assert_eq!(stored(&stage), [format!("/{there}")], "{command}");
    }
    assert_eq!(uploads(&stage), 0);
    // A new version replaces the old one, under the name that is there.
    fs::write(here.join(format!("d{DECOMPOSED}/f{DECOMPOSED}")), "other").unwrap();
    stage.run(&["sync", from, "t:to"]).success();
    assert_eq!(stored(&stage), [format!("/{there}")]);
    assert_eq!(stage.run(&["cat", &format!("t:{there}")]).success_text(), "other");
    stage.run(&["check", from, "t:to", "--no-unicode-normalization"]).code(2);
    stage.run(&["sync", from, "t:to", "--fix-case"]).success();
    assert_eq!(stored(&stage), [format!("/to/d{DECOMPOSED}/f{DECOMPOSED}")]);
    stage.run(&["move", from, "t:to"]).success();
    assert_eq!(stored(&stage), [format!("/to/d{DECOMPOSED}/f{DECOMPOSED}")]);
}

#[test]
fn two_forms_in_one_folder_are_two_files() {
    let stage = Stage::start();
    let (here, there) = (stage.directory("here"), stage.directory("there"));
    let [from, to] = [&here, &there].map(|path| path.to_str().unwrap());
    let both = tree(&[(COMPOSED, "one"), (DECOMPOSED, "two2")]);
    write_tree(&here, &both);
    write_tree(&there, &tree(&[(DECOMPOSED, "old")]));
    stage.run(&["copy", from, to]).success();
    assert_eq!(read_tree(&there), both);
    stage.run(&["sync", from, "t:to"]).success();
    stage.run(&["check", from, "t:to"]).success();
    assert_eq!(stored(&stage).len(), 2);
    fs::remove_file(here.join(COMPOSED)).unwrap();
    stage.run(&["sync", from, to]).success();
    // As with rclone, the other form of a name of the source stays.
    assert_eq!(read_tree(&there), both);
    stage.run(&["sync", from, to, "--no-unicode-normalization"]).success();
    assert_eq!(read_tree(&there), tree(&[(DECOMPOSED, "two2")]));
}

#[test]
fn case_counts_unless_it_is_to_be_ignored() {
    let stage = Stage::start();
    let (here, there) = (stage.directory("here"), stage.directory("there"));
    let [from, to] = [&here, &there].map(|path| path.to_str().unwrap());
    write_tree(&here, &tree(&[("Dir/A.txt", "new1")]));
    let run = |flags: &[&str]| {
        fs::remove_dir_all(&there).unwrap();
        write_tree(&there, &tree(&[("dir/a.TXT", "old")]));
        let words: Vec<_> = ["sync", from, to].into_iter().chain(flags.iter().copied()).collect();
        stage.run(&words).success();
        read_tree(&there)
    };
    let as_source = tree(&[("Dir/A.txt", "new1")]);
    assert_eq!(run(&[]), as_source);
    assert_eq!(run(&["--fix-case"]), as_source);
    let as_there = tree(&[("dir/a.TXT", "new1")]);
    assert_eq!(run(&["--ignore-case-sync"]), as_there);
    assert_eq!(run(&["--local-case-insensitive"]), as_there);
    assert_eq!(run(&["--ignore-case-sync", "--fix-case"]), as_source);
    assert_eq!(run(&["--ignore-case-sync", "--fix-case", "--dry-run"]), tree(&[("dir/a.TXT", "old")]));
    // These are renames that change only the case.
    for place in [to, "t:to"] {
        stage.run(&["copy", from, place]).success();
        stage.run(&["moveto", &format!("{place}/Dir/A.txt"), &format!("{place}/Dir/a.txt")]).success();
        stage.run(&["moveto", &format!("{place}/Dir"), &format!("{place}/DIR")]).success();
        let listed = stage.run(&["lsf", "-R", "--files-only", place]).success_text();
        assert!(listed.contains("DIR/a.txt\n") && !listed.contains("Dir/"), "{listed}");
    }
}

#[test]
fn a_depth_keeps_what_lies_deeper() {
    let stage = Stage::start();
    let (here, there) = (stage.directory("here"), stage.directory("there"));
    let [from, to] = [&here, &there].map(|path| path.to_str().unwrap());
    write_tree(&here, &tree(&[("x", "file")]));
    let before = tree(&[("x/1", "a"), ("x/deep/2", "b"), ("gone/z", "c"), ("gone/deep/a", "d")]);
    write_tree(&there, &before);
    for place in [to, "t:to"] {
        stage.run(&["copy", to, "t:to"]).success();
        let run = stage.run(&["sync", from, place, "--max-depth", "1"]);
        assert!(
            run.stderr.contains(r#"the destination has a directory named "x", so the file"#),
            "{}",
            run.stderr
        );
        let listed = stage.run(&["lsf", "-R", "--files-only", place]).success_text();
        assert_eq!(listed.lines().count(), 4, "{listed}");
    }
    fs::remove_file(here.join("x")).unwrap();
    fs::write(here.join("y"), "file").unwrap();
    stage.run(&["sync", from, to, "--max-depth", "2"]).success();
    assert_eq!(read_tree(&there), tree(&[("x/deep/2", "b"), ("gone/deep/a", "d"), ("y", "file")]));
    stage.run(&["sync", from, to, "--max-depth", "2", "--delete-excluded"]).success();
    assert_eq!(read_tree(&there), tree(&[("y", "file")]));
}

#[test]
fn a_file_gives_way_to_a_folder_if_the_filters_let_it_be_seen() {
    let stage = Stage::start();
    let (here, there) = (stage.directory("here"), stage.directory("there"));
    let [from, to] = [&here, &there].map(|path| path.to_str().unwrap());
    write_tree(&here, &tree(&[("x/1", "inside")]));
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3 * 24 * 3600);
    let reset = || {
        let _there_or_not = (fs::remove_dir_all(there.join("x")), fs::remove_file(there.join("x")));
        fs::write(there.join("x"), "file").unwrap();
        fs::File::options().append(true).open(there.join("x")).unwrap().set_modified(old).unwrap();
    };
    reset();
    // Nothing is sent, and the file is one that the source doesn't have.
    stage.run(&["sync", from, to, "--min-age", "1d"]).success();
    assert_eq!(read_tree(&there), BTreeMap::new());
    // There is nothing to do, so that nothing clashes.
    reset();
    stage.run(&["copy", from, to, "--min-age", "1d"]).success();
    stage.run(&["sync", from, to, "--exclude", "x/**"]).success();
    // The filter hides the file, and it stays.
    reset();
    stage.run(&["sync", from, to, "--max-age", "1d"]).code(2);
    assert_eq!(read_tree(&there), tree(&[("x", "file")]));
}

#[test]
fn what_nobody_looks_at_can_not_be_kept() {
    let stage = Stage::start();
    let (here, there) = (stage.directory("here"), stage.directory("there"));
    let [from, to] = [&here, &there].map(|path| path.to_str().unwrap());
    write_tree(&here, &tree(&[("a", "new")]));
    write_tree(&there, &tree(&[("a", "old")]));
    let old = stage.directory("old");
    let flags: [&[&str]; 6] = [
        &["--suffix", ".old"],
        &["--backup-dir", old.to_str().unwrap()],
        &["--immutable"],
        &["--ignore-existing"],
        &["--update"],
        &["--existing"],
    ];
    for command in ["copy", "move"] {
        for flags in flags {
            let words = [&[command, from, to, "--no-check-dest"], flags].concat();
            let run = stage.run(&words).code(1);
            assert!(run.stderr.contains("can't use --no-check-dest with --"), "{}", run.stderr);
        }
    }
    stage.run(&["sync", from, to, "--no-check-dest"]).code(1);
    assert_eq!(read_tree(&there), tree(&[("a", "old")]));
    stage.run(&["copy", from, to, "--no-check-dest"]).success();
    assert_eq!(read_tree(&there), tree(&[("a", "new")]));
}

/// MD5 checksums of `a` and `b`.
const A: &str = "0cc175b9c0f1b6a831c399e269772661";
const B: &str = "92eb5ffee6ae2fec3ad71c777531578f";

fn plant_sums(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = tree(&[("a", "a"), ("b.txt", "b"), ("sub/c", "a")]);
    write_tree(root, &files);
    files
}

#[test]
fn lines_of_checksum_files_are_those_that_the_filters_leave() {
    let stage = Stage::start();
    let here = stage.directory("here");
    plant_sums(&here);
    let from = here.to_str().unwrap();
    let sums = stage.home().join("SUMS");
    let sums_text = sums.to_str().unwrap();
    fs::write(&sums, format!("{A}  a\n{B}  ./b.txt\n{A}  sub/c\n")).unwrap();
    stage.run(&["checksum", "md5", sums_text, from]).success();
    for flags in [
        &["--include", "*.txt"][..],
        &["--exclude", "/sub/**"],
        &["--max-depth", "1"],
        &["--min-size", "1k"],
        &["--max-age", "1d", "--include", "/a"],
    ] {
        let words = [&["checksum", "md5", sums_text, from], flags].concat();
        stage.run(&words).success();
    }
    stage.run(&["md5sum", "-C", sums_text, &format!("{from}/a")]).success();
    // A file that doesn't exist is missing all the same.
    fs::remove_file(here.join("b.txt")).unwrap();
    let run = stage.run(&["checksum", "md5", sums_text, from, "--include", "*.txt"]).code(2);
    assert!(run.stderr.contains("b.txt: file not in"), "{}", run.stderr);
}

#[test]
fn of_two_lines_for_one_file_the_first_counts() {
    let stage = Stage::start();
    let here = stage.directory("here");
    plant_sums(&here);
    let from = here.to_str().unwrap();
    let sums = stage.home().join("SUMS");
    let sums_text = sums.to_str().unwrap();
    let rest = format!("{B}  b.txt\n{A}  sub/c\n");
    fs::write(&sums, format!("{A}  a\n{rest}{B}  ./a\n")).unwrap();
    let run = stage.run(&["checksum", "md5", sums_text, from]).code(0);
    assert!(run.stderr.contains("SUMS: duplicate file on checksum line 4"), "{}", run.stderr);
    fs::write(&sums, format!("{B}  a\n{rest}{A}  a\nnonsense\n")).unwrap();
    let run = stage.run(&["checksum", "md5", sums_text, from]).code(2);
    assert!(run.stderr.contains("a: files differ"), "{}", run.stderr);
    assert!(run.stderr.contains("SUMS: improperly formatted checksum line 5"), "{}", run.stderr);
}

// Measured with rclone 1.75.2, which keeps what has another spelling of a name that the source has.
#[test]
fn another_spelling_of_a_name_of_the_source_stays() {
    let stage = Stage::start();
    let accents = ["caf\u{e9}", "cafe\u{301}"];
    let cases = ["name", "NAME"];
    let mut number = 0;
    for (forms, flags, kept) in [
        (accents, &[][..], true),
        (accents, &["--delete-before"], true),
        (accents, &["--backup-dir", "work/backup"], true),
        (accents, &["--no-unicode-normalization"], false),
        (cases, &[], false),
        (cases, &["--ignore-case-sync"], true),
    ] {
        for below in ["", "/f"] {
            for has in [&forms[..1], &forms[1..], &forms[..]] {
                number += 1;
                let path = |name: &str| format!("{name}{below}");
                let names = |names: &[&str]| {
                    let text = |name: &&str| (path(name), b"one".to_vec());
                    names.iter().map(text).collect::<BTreeMap<_, _>>()
                };
                let (from, to) = (format!("s{number}"), format!("d{number}"));
                let (source, target) = (stage.directory(&from), stage.directory(&to));
                crate::stage::write_tree(&source, &names(has));
                crate::stage::write_tree(&target, &names(&forms));
                let words = ["sync", &format!("work/{from}"), &format!("work/{to}")];
                stage.run(&[&words[..], flags].concat()).success();
                let expected = if kept { names(&forms) } else { names(has) };
                crate::stage::assert_tree(&target, &expected, &format!("{has:?} {flags:?}"));
            }
        }
    }
}
