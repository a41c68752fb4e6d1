//! Tests in which source, destination and backup are one folder or lie in each other, however they are spelled.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::stage::{Run, Stage, read_tree, write_tree};

type Tree = BTreeMap<String, Vec<u8>>;

fn tree(files: &[(&str, &str)]) -> Tree {
    files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
}

/// Makes a working directory with files.
fn desk(stage: &Stage, name: &str, files: &[(&str, &str)]) -> PathBuf {
    let desk = stage.directory(name);
    write_tree(&desk, &tree(files));
    desk
}

/// Runs the binary in a directory.
fn run_in(stage: &Stage, directory: &Path, words: &[&str]) -> Run {
    let mut command = stage.command();
    command
        .current_dir(directory)
        .args(words)
        .env("RCLONE_CONFIG_AL_TYPE", "alias")
        .env("RCLONE_CONFIG_AL_REMOTE", "far/n")
        .env("RCLONE_CONFIG_CHAIN_TYPE", "alias")
        .env("RCLONE_CONFIG_CHAIN_REMOTE", "al:below")
        .env("RCLONE_CONFIG_L_TYPE", "local");
    Run::of(&mut command, &words.join(" "))
}

/// A directory or file shown at a second place, until it is dropped.
#[cfg(target_os = "linux")]
struct BindMount(PathBuf);

#[cfg(target_os = "linux")]
impl BindMount {
    /// Mounts a directory or a file; `None` where that isn't permitted.
    fn of(directory: &Path, point: &Path) -> Option<Self> {
        if !point.exists() {
            fs::create_dir_all(point).unwrap();
        }
        let done = Command::new("mount").arg("--bind").args([directory, point]).output();
        if done.is_ok_and(|done| done.status.success()) {
            return Some(Self(point.to_owned()));
        }
        eprintln!("not tried: mount --bind isn't permitted here");
        None
    }
}

#[cfg(target_os = "linux")]
impl Drop for BindMount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn two_directories_are_two_however_they_are_spelled() {
    let stage = Stage::start();
    let files = [("src/a", "one"), ("src/d/b", "two")];
    for (number, (words, expected)) in [
        (&["copy", ".", "../b"][..], &["b/a", "b/d/b"][..]),
        (&["copy", "a", "../b"], &["b/a"]),
        (&["copyto", "a", "../b/x"], &["b/x"]),
        (&["sync", ".", "../b"], &["b/a", "b/d/b"]),
        (&["copy", ".", "../new/../b"], &["b/a", "b/d/b"]),
        (&["copy", ".", "l:../b"], &["b/a", "b/d/b"]),
        (&["copy", ".", ":local:../b"], &["b/a", "b/d/b"]),
        (&["copy", "l:.", "../b", "--backup-dir", "../old"], &["b/a", "b/d/b"]),
        (&["copy", ".", "../b", "--compare-dest", "../reference"], &["b/a", "b/d/b"]),
        (&["copy", ".", "../b", "--copy-dest", "../reference"], &["b/a", "b/d/b"]),
        (&["copy", ".", "al:"], &["src/far/n/a", "src/far/n/d/b"]),
        (&["copyto", "a", "al:n"], &["src/far/n/n"]),
        (&["copyto", "a", "chain:n"], &["src/far/n/below/n"]),
        (&["sync", "d", "chain:"], &["src/far/n/below/b"]),
    ]
    .iter()
    .enumerate()
    {
        let desk = desk(&stage, &format!("copied{number}"), &files);
        run_in(&stage, &desk.join("src"), words).success();
        let mut all: Vec<_> = read_tree(&desk).into_keys().collect();
        all.retain(|path| !files.iter().any(|(name, _)| name == path));
        assert_eq!(&all, expected, "{words:?}");
    }
    for (number, (words, expected)) in [
        (&["move", ".", "../b"][..], &["b/a", "b/d/b"][..]),
        (&["move", "a", "../b"], &["b/a", "src/d/b"]),
        (&["moveto", "a", "al:n"], &["src/d/b", "src/far/n/n"]),
        (&["moveto", "a", "chain:n"], &["src/d/b", "src/far/n/below/n"]),
        (&["moveto", "d", "al:"], &["src/a", "src/far/n/b"]),
        (&["move", "l:d", "l:../b"], &["b/b", "src/a"]),
        (&["moveto", "a", "missing/../x"], &["src/d/b", "src/x"]),
    ]
    .iter()
    .enumerate()
    {
        let desk = desk(&stage, &format!("moved{number}"), &files);
        run_in(&stage, &desk.join("src"), words).success();
        assert_eq!(Vec::from_iter(read_tree(&desk).into_keys()), *expected, "{words:?}");
    }
    let desk = desk(&stage, "back", &[("src/a", "one"), ("here/b", "two")]);
    run_in(&stage, &desk.join("here"), &["copy", "../src", "."]).success();
    run_in(&stage, &desk.join("here"), &["check", "../src", ".", "--one-way"]).success();
    let absolute = desk.join("abs/b");
    run_in(&stage, &desk.join("src"), &["copy", ".", absolute.to_str().unwrap()]).success();
    let expected = [("abs/b/a", "one"), ("here/a", "one"), ("here/b", "two"), ("src/a", "one")];
    assert_eq!(read_tree(&desk), tree(&expected));
}

/// Tries all commands from `s` to another spelling of `s`. Nothing may be done.
fn assert_same(stage: &Stage, desk: &Path, spelled: &str) {
    let before = read_tree(&desk.join("s"));
    assert_eq!(before.len(), 2);
    for command in ["copy", "copyto", "move", "moveto", "sync"] {
        for flags in [&[][..], &["--ignore-times"], &["--backup-dir", "old"], &["--dry-run"]] {
            let words = [&[command, "s", spelled], flags].concat();
            let run = run_in(stage, desk, &words).code(if command == "sync" { 7 } else { 0 });
            assert_eq!(read_tree(&desk.join("s")), before, "{words:?}: {}", run.stderr);
        }
    }
    let file = format!("{spelled}/a");
    for words in [["moveto", "s/a", &file], ["copyto", "s/a", &file], ["move", "s/a", spelled]] {
        for flags in [&[][..], &["--ignore-times"], &["--suffix", ".old"]] {
            let run = run_in(stage, desk, &[&words[..], flags].concat()).code(0);
            assert_eq!(read_tree(&desk.join("s")), before, "{words:?}: {}", run.stderr);
        }
    }
}

#[test]
fn a_place_is_never_moved_onto_itself() {
    let stage = Stage::start();
    let desk = desk(&stage, "same", &[("s/a", "one"), ("s/d/b", "two")]);
    for spelled in ["s", "./s", "s/../s", "s/d/..", "l:s", ":local:s", desk.join("s").to_str().unwrap()] {
        assert_same(&stage, &desk, spelled);
    }
}

#[cfg(unix)]
#[test]
fn a_link_to_a_place_is_that_place() {
    let stage = Stage::start();
    let desk = desk(&stage, "linked", &[("s/a", "one"), ("s/d/b", "two")]);
    std::os::unix::fs::symlink("s", desk.join("m")).unwrap();
    assert_same(&stage, &desk, "m");
    for words in [["move", "s", "m/d"], ["sync", "s/d", "m"], ["move", "m", "s/new"]] {
        run_in(&stage, &desk, &words).code(7);
    }
    assert_eq!(read_tree(&desk.join("s")), tree(&[("a", "one"), ("d/b", "two")]));
}

#[cfg(target_os = "linux")]
#[test]
fn a_second_mount_of_a_place_is_that_place() {
    let stage = Stage::start();
    let desk = desk(&stage, "mounted", &[("s/a", "one"), ("s/d/b", "two")]);
    {
        let Some(_mount) = BindMount::of(&desk.join("s"), &desk.join("m")) else { return };
        assert_same(&stage, &desk, "m");
        for words in [["move", "s", "m/d"], ["sync", "s/d", "m"], ["move", "m", "s/new"]] {
            run_in(&stage, &desk, &words).code(7);
        }
        for backup in ["m", "m/old", "m/d"] {
            run_in(&stage, &desk, &["sync", "s", "t", "--backup-dir", backup]).code(7);
        }
    }
    // A part of the source, seen through another path, still is in the source.
    let Some(_mount) = BindMount::of(&desk.join("s/d"), &desk.join("m")) else { return };
    for words in [["move", "s", "m"], ["sync", "s", "m"], ["sync", "m/new", "s"], ["move", "m", "s"]] {
        fs::create_dir_all(desk.join("s/d/new")).unwrap();
        run_in(&stage, &desk, &words).code(7);
    }
    assert_eq!(read_tree(&desk.join("s")), tree(&[("a", "one"), ("d/b", "two")]));
}

#[cfg(unix)]
#[test]
fn a_folder_that_both_sides_share_keeps_its_files() {
    let stage = Stage::start();
    let files = [("s/a", "one"), ("s/d/b", "two"), ("s/d/e/c", "three")];
    for command in ["copy", "sync", "move"] {
        let desk = desk(&stage, &format!("shared-{command}"), &files);
        fs::create_dir(desk.join("to")).unwrap();
        std::os::unix::fs::symlink("../s/d", desk.join("to/d")).unwrap();
        for (flags, code) in [(&[][..], 6), (&["-L"], 0)] {
            run_in(&stage, &desk, &[&[command, "s", "to"], flags].concat()).code(code);
            let shared = read_tree(&desk.join("s/d"));
            assert_eq!(shared, tree(&[("b", "two"), ("e/c", "three")]), "{command}");
        }
        assert_eq!(fs::read(desk.join("to/a")).unwrap(), b"one");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_place_mounted_in_the_other_side_is_left_alone() {
    let stage = Stage::start();
    let desk = desk(&stage, "nested", &[("s/a", "one"), ("s/x/y", "two"), ("to/x/keep", "three")]);
    let Some(_source) = BindMount::of(&desk.join("s"), &desk.join("to/back")) else { return };
    // The files that only the destination has are the source itself.
    run_in(&stage, &desk, &["sync", "s", "to"]).code(7);
    drop(_source);
    assert_eq!(read_tree(&desk.join("s")), tree(&[("a", "one"), ("x/y", "two")]));
    let Some(_destination) = BindMount::of(&desk.join("to"), &desk.join("s/m")) else { return };
    run_in(&stage, &desk, &["copy", "s", "to"]).code(7);
    assert!(!desk.join("to/m/m").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_is_mounted_over_its_copy_is_that_file() {
    let stage = Stage::start();
    let desk = desk(&stage, "file", &[("s/x", "one"), ("s/y", "two"), ("d/x", "one"), ("d/y", "two")]);
    let seen = |desk: &Path| [read_tree(&desk.join("s")), read_tree(&desk.join("d"))];
    let before = seen(&desk);
    for (from, at) in [("s", "d"), ("d", "s")] {
        for words in [
            &["move", "s", "d"][..],
            &["move", "s", "d", "--ignore-times"],
            &["move", "s", "d", "--check-first"],
            &["moveto", "s/x", "d/x"],
            &["moveto", "s/x", "d/x", "--ignore-times"],
            &["copyto", "s/x", "d/x", "--ignore-times"],
            &["sync", "s", "d", "--ignore-times", "--backup-dir", "bak"],
            &["sync", "s", "d", "--ignore-times", "--delete-before"],
        ] {
            let _gone = fs::remove_dir_all(desk.join("bak"));
            for (path, text) in [("s/x", "one"), ("s/y", "two"), ("d/x", "one"), ("d/y", "two")] {
                fs::write(desk.join(path), text).unwrap();
            }
            {
                let names = [desk.join(from).join("x"), desk.join(at).join("x")];
                let Some(_mount) = BindMount::of(&names[0], &names[1]) else { return };
                let run = run_in(&stage, &desk, words).code(0);
                let told = words[0].starts_with("move");
                assert_eq!(run.stderr.contains("same"), told, "{words:?} {}", run.stderr);
                assert_eq!(fs::read(desk.join("s/x")).unwrap(), b"one", "{words:?}");
                assert_eq!(fs::read(desk.join("d/x")).unwrap(), b"one", "{words:?}");
            }
            let after = seen(&desk);
            assert_eq!((&after[0]["x"], &after[1]["x"]), (&before[0]["x"], &before[1]["x"]), "{words:?}");
            assert_eq!(&after[1]["y"], &before[1]["y"], "{words:?}");
        }
    }
    // Under another name at the destination it is what the source's file is read from.
    fs::remove_file(desk.join("d/x")).unwrap();
    fs::write(desk.join("d/z"), "three").unwrap();
    fs::write(desk.join("s/x"), "").unwrap();
    let Some(_mount) = BindMount::of(&desk.join("d/z"), &desk.join("s/x")) else { return };
    for when in ["--delete-before", "--delete-during", "--delete-after"] {
        run_in(&stage, &desk, &["sync", "s", "d", when]).code(6);
        assert_eq!(fs::read(desk.join("d/z")).unwrap(), b"three", "{when}");
    }
}

#[cfg(unix)]
#[test]
fn two_names_of_one_file_are_two_names() {
    let stage = Stage::start();
    for (number, flags) in [&[][..], &["--ignore-times"], &["--suffix", ".old"]].iter().enumerate() {
        let desk = desk(&stage, &format!("names{number}"), &[("a", "one")]);
        let link = |name: &str| fs::hard_link(desk.join("a"), desk.join(name)).unwrap();
        link("b");
        run_in(&stage, &desk, &[&["copyto", "a", "b"], *flags].concat()).success();
        assert_eq!(fs::read(desk.join("a")).unwrap(), b"one");
        assert_eq!(fs::read(desk.join("b")).unwrap(), b"one");
        fs::remove_file(desk.join("b")).unwrap();
        link("b");
        run_in(&stage, &desk, &[&["moveto", "a", "b"], *flags].concat()).success();
        assert_eq!(fs::read(desk.join("b")).unwrap(), b"one", "{flags:?}");
        assert!(!desk.join("a").exists(), "{flags:?}");
    }
}

#[test]
fn backups_that_overlap_are_refused_before_anything_is_done() {
    let stage = Stage::start();
    let files = [("s/a", "new"), ("s/d/b", "two"), ("to/a", "older"), ("to/e/a", "oldest")];
    let desk = desk(&stage, "backups", &files);
    for (path, text) in files {
        stage.control().seed_file(path, text.as_bytes()).unwrap();
    }
    let on_account = |stage: &Stage| stage.run(&["lsf", "-R", "--format", "ps", "t:"]).success_text();
    let before = on_account(&stage);
    let key = stage.api_key();
    let account = format!(":fichier,api_key={key},endpoint=\"{}\",time_scale=1000:", stage.endpoint());
    for command in ["copy", "sync", "move", "copyto", "moveto"] {
        for (from, to, backup) in [
            ("s", "to", "to"),
            ("s", "to", "to/bak"),
            ("s", "to/e", "to"),
            ("s", "to", "s"),
            ("s", "to", "s/bak"),
            ("s/d", "to", "s"),
        ] {
            for suffix in [&[][..], &["--suffix", ".old"]] {
                let flags = ["--backup-dir", backup];
                let words = [&[command, from, to], &flags[..], suffix].concat();
                run_in(&stage, &desk, &words).code(7);
                let absolute = desk.join(backup);
                let flags = ["--backup-dir", absolute.to_str().unwrap()];
                let words = [&[command, from, to], &flags[..], suffix];
                run_in(&stage, &desk, &words.concat()).code(7);
            }
            let [from, to, there] = [from, to, backup].map(|path| format!("t:{path}"));
            let spelled = [there, format!("t,cdn=true:{backup}"), format!("{account}{backup}")];
            for backup in &spelled {
                run_in(&stage, &desk, &[command, &from, &to, "--backup-dir", backup]).code(7);
            }
        }
    }
    for words in [
        &["copyto", "s/a", "to/a", "--backup-dir", "to"][..],
        &["copyto", "s/a", "to/a", "--backup-dir", "s"],
        &["moveto", "s/a", "to/a", "--backup-dir", "to/../to"],
        &["copy", "s/a", "to", "--backup-dir", "s"],
        &["move", "t:s/a", "t:to", "--backup-dir", "t:to"],
        &["copyto", "t:s/a", "t:to/a", "--backup-dir", "t:s"],
        &["sync", "s", "to", "--compare-dest", "to/e"],
        &["sync", "s", "to", "--copy-dest", "l:to/e"],
        &["sync", "s", "to", "--backup-dir", "t:bak"],
    ] {
        run_in(&stage, &desk, words).code(7);
    }
    assert_eq!(read_tree(&desk), tree(&files));
    assert_eq!(on_account(&stage), before);
}

#[test]
fn an_old_version_is_not_set_aside_over_the_new_one() {
    let stage = Stage::start();
    let files = [("d/a", "older"), ("d/a.old", "new")];
    for command in ["copyto", "moveto"] {
        let desk = desk(&stage, command, &files);
        run_in(&stage, &desk, &[command, "d/a.old", "d/a", "--suffix", ".old"]).code(7);
        run_in(&stage, &desk, &[command, "d/a.old", "d/a", "--backup-dir", "d", "--suffix", ".old"]).code(7);
        assert_eq!(read_tree(&desk), tree(&files));
    }
}

#[test]
fn backups_that_a_filter_keeps_apart_are_allowed() {
    let stage = Stage::start();
    for command in ["copy", "sync", "move"] {
        for (flags, backup) in [
            (&["--backup-dir", "to/bak", "--exclude", "/bak/**"][..], "to/bak/a"),
            (&["--backup-dir", "s/bak", "--exclude", "/bak/**"], "s/bak/a"),
            (&["--suffix", ".old"], "to/a.old"),
        ] {
            let name = format!("apart-{command}-{}", backup.replace('/', "-"));
            let desk = desk(&stage, &name, &[("s/a", "new"), ("to/a", "older")]);
            run_in(&stage, &desk, &[&[command, "s", "to"], flags].concat()).success();
            assert_eq!(fs::read(desk.join(backup)).unwrap(), b"older", "{command} {flags:?}");
            assert_eq!(fs::read(desk.join("to/a")).unwrap(), b"new", "{command} {flags:?}");
        }
    }
    let desk = desk(&stage, "apart-file", &[("s/a", "new"), ("to/a", "older")]);
    run_in(&stage, &desk, &["copy", "s/a", "to", "--backup-dir", "to", "--suffix", ".old"]).success();
    assert_eq!(read_tree(&desk.join("to")), tree(&[("a", "new"), ("a.old", "older")]));
}

#[test]
fn a_copy_into_its_own_source_copies_what_was_there_and_no_more() {
    let stage = Stage::start();
    let files = [("s/a", "one"), ("s/d/b", "two"), ("s/sub/k/x", "old")];
    for (path, text) in files {
        stage.control().seed_file(path, text.as_bytes()).unwrap();
    }
    let expected = tree(&[
        ("a", "one"),
        ("d/b", "two"),
        ("sub/a", "one"),
        ("sub/d/b", "two"),
        ("sub/k/x", "old"),
        ("sub/sub/k/x", "old"),
    ]);
    for (number, flags) in [&[][..], &["--create-empty-src-dirs"], &["--check-first"]].iter().enumerate() {
        let desk = desk(&stage, &format!("into{number}"), &files);
        fs::create_dir(desk.join("s/sub/empty")).unwrap();
        run_in(&stage, &desk, &[&["copy", "s", "s/sub"], *flags].concat()).success();
        assert_eq!(read_tree(&desk.join("s")), expected, "{flags:?}");
        let makes = number == 1;
        assert_eq!(desk.join("s/sub/sub/empty").exists(), makes);
        assert!(!desk.join("s/sub/sub/sub").exists());
    }
    stage.run(&["copy", "t:s", "t:s/sub"]).success();
    let listed = stage.run(&["lsf", "-R", "--files-only", "t:s"]).success_text();
    let mut listed: Vec<_> = listed.lines().collect();
    listed.sort_unstable();
    assert_eq!(listed, expected.keys().map(String::as_str).collect::<Vec<_>>());
    // The same holds upwards.
    let desk = desk(&stage, "upwards", &files);
    run_in(&stage, &desk, &["copy", "s/d", "s"]).success();
    assert_eq!(fs::read(desk.join("s/b")).unwrap(), b"two");
}

#[test]
fn overlapping_ends_are_allowed_where_a_filter_keeps_them_apart() {
    let stage = Stage::start();
    let files = [("d/a", "one"), ("d/bak/old", "two")];
    for path in files.map(|(path, _)| path) {
        stage.control().seed_file(path, b"one").unwrap();
    }
    for command in ["copy", "sync", "move"] {
        let desk = desk(&stage, &format!("filtered-{command}"), &files);
        for flags in [&[][..], &["--min-size", "1"], &["--exclude", "/other/**"]] {
            if command != "copy" {
                run_in(&stage, &desk, &[&[command, "d", "d/bak"], flags].concat()).code(7);
                run_in(&stage, &desk, &[&[command, "d/bak", "d"], flags].concat()).code(7);
                stage.run(&[&[command, "t:d", "t:d/bak"], flags].concat()).code(7);
                stage.run(&[&[command, "t,cdn=true:d/bak", "t:d"], flags].concat()).code(7);
            }
        }
        let words = [command, "d", "d/bak", "--exclude", "/bak/**"];
        run_in(&stage, &desk, &words).success();
        let mut expected = tree(&[("bak/a", "one")]);
        if command != "move" {
            expected.extend(tree(&[("a", "one")]));
        }
        if command != "sync" {
            expected.extend(tree(&[("bak/old", "two")]));
        }
        assert_eq!(read_tree(&desk.join("d")), expected, "{command}");
    }
    let desk = desk(&stage, "upwards-filtered", &files);
    // Files that are left out would be deleted, and they are the source.
    run_in(&stage, &desk, &["sync", "d/bak", "d", "--exclude", "/bak/**", "--delete-excluded"]).code(7);
    run_in(&stage, &desk, &["sync", "d/bak", "d", "--exclude", "/bak/**"]).success();
    assert_eq!(read_tree(&desk), tree(&[("d/old", "two"), ("d/bak/old", "two")]));
}

#[test]
fn one_account_is_one_place_under_all_its_names() {
    let stage = Stage::start();
    for path in ["d/a", "d/e/b"] {
        stage.control().seed_file(path, b"one").unwrap();
    }
    let key = stage.api_key();
    let account = format!(":fichier,api_key={key},endpoint=\"{}\",time_scale=1000:", stage.endpoint());
    for other in ["t,cdn=true:", &account] {
        let there = format!("{other}d");
        for command in ["copy", "move"] {
            let run = stage.run(&[command, "t:d", &there]).code(0);
            assert!(run.stderr.contains("the same"), "{}", run.stderr);
        }
        stage.run(&["sync", "t:d", &there]).code(7);
        stage.run(&["moveto", "t:d/a", &format!("{there}/a")]).code(0);
        let run = stage.run(&["copy", &there, "t:copied"]).code(0);
        assert!(!run.stderr.contains(key), "{}", run.stderr);
        stage.run(&["move", &format!("{other}copied"), "t:moved", "--delete-empty-src-dirs"]).success();
        let left = stage.run(&["lsf", "t:"]).success_text();
        assert_eq!(left, "d/\nmoved/\n");
        stage.run(&["purge", "t:moved"]).success();
    }
    // No byte went through this computer.
    let counters = stage.counters();
    assert!(
        !counters.keys().any(|name| name.contains("upload") || name.contains("download")),
        "{counters:?}"
    );
    for words in [["copy", "demo:", "demo,cdn=true:"], ["move", "demo:x", "demo,cdn=true:x"]] {
        if words[0] == "move" {
            stage.run(&["mkdir", "demo:x"]).success();
        }
        let run = stage.run(&words).code(0);
        assert!(run.stderr.contains("the same"), "{}", run.stderr);
    }
}

#[test]
fn errors_about_what_was_named_name_all_of_it() {
    let stage = Stage::start();
    let desk = desk(&stage, "named", &[("s/a", "one")]);
    stage.control().seed_file("d/f", b"x").unwrap();
    let here = |path: &str| format!("{:?}", desk.join(path));
    for (words, code, text) in [
        (&["copy", "/no-such-root", "t:x"][..], 3, r#"directory not found: "/no-such-root""#.to_owned()),
        (&["copy", "nope/x", "t:x"], 3, format!("directory not found: {}", here("nope/x"))),
        (&["move", "nope", "s"], 3, format!("directory not found: {}", here("nope"))),
        (&["sync", "t:nope/x", "s"], 3, r#"directory not found: "t:nope/x""#.to_owned()),
        (&["check", "t:nope", "s"], 3, r#"directory not found: "t:nope""#.to_owned()),
        (&["lsf", "nope"], 3, format!("directory not found: {}", here("nope"))),
        (&["ls", "t:nope/x"], 3, r#"directory not found: "t:nope/x""#.to_owned()),
        (&["delete", "t:nope"], 3, r#"directory not found: "t:nope""#.to_owned()),
        (&["purge", "nope"], 3, format!("directory not found: {}", here("nope"))),
        (&["rmdir", "t:nope/x"], 3, r#"directory not found: "t:nope/x""#.to_owned()),
        (&["copy", "s", "t:d/f"], 2, r#""t:d/f" is a file"#.to_owned()),
        (&["copy", "s", "s/a"], 2, format!("{} is a file", here("s/a"))),
        (&["copyto", "s/a", "t:d"], 2, r#""t:d" is a directory"#.to_owned()),
    ] {
        let run = run_in(&stage, &desk, words).code(code);
        assert!(run.stderr.contains(&text), "{words:?}: {}\nexpected {text}", run.stderr);
    }
}

#[test]
fn a_file_on_the_way_is_named_once() {
    let stage = Stage::start();
    let [source, home] = ["s", "home"].map(|name| stage.directory(name));
    write_tree(&source, &tree(&[("a", "1"), ("b", "2"), ("d/c", "3")]));
    write_tree(&home, &tree(&[("plain", "in the way")]));
    let (from, here) = (source.to_str().unwrap(), home.to_str().unwrap());
    stage.run(&["copy", here, "t:x"]).success();
    for (place, file) in [(here, format!("{here}/plain")), ("t:x", "t:x/plain".to_owned())] {
        for below in ["new", "new/deep"] {
            for command in ["copy", "sync", "move"] {
                let run = stage.run(&[command, from, &format!("{place}/plain/{below}")]);
                assert_ne!(run.status, Some(0), "{command}: {}", run.stderr);
                let told = format!("{file:?} is a file, not a directory");
                let lines = run
                    .stderr
                    .lines()
                    .filter(|line| line.contains("is a file") && !line.contains("Failed to"))
                    .count();
                assert!(run.stderr.contains(&told) && lines == 1, "{command} {place}: {}", run.stderr);
            }
        }
    }
    assert_eq!(read_tree(&source).len(), 3);
}

#[test]
fn a_clash_says_what_stands_where() {
    let stage = Stage::start();
    let [source, target] = ["s", "to"].map(|name| stage.directory(name));
    write_tree(&source, &tree(&[("clash/c", "1"), ("other", "2")]));
    write_tree(&target, &tree(&[("clash", "3"), ("other/x", "4")]));
    let run = stage.run(&["copy", source.to_str().unwrap(), target.to_str().unwrap()]);
    for text in [
        r#"the destination has a file named "clash", so the directory of this name isn't transferred"#,
        r#"the destination has a directory named "other", so the file of this name isn't transferred"#,
    ] {
        assert!(run.stderr.contains(text), "{}", run.stderr);
    }
}
