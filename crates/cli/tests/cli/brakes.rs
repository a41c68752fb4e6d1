//! Tests that limits on removing and sending hold in every command that removes or sends, by flag and by environment.

use std::{fs, path::Path, process::Stdio, time::Instant};

use crate::stage::{Run, Stage};

const NAMES: [&str; 5] = ["a", "b", "c", "sub/x", "sub/y"];

fn seed(stage: &Stage, folder: &str) {
    for name in NAMES {
        stage.control().seed_file(&format!("{folder}/{name}"), format!("text of {name}").as_bytes()).unwrap();
    }
}

fn write(directory: &Path) {
    for name in NAMES {
        fs::create_dir_all(directory.join("sub")).unwrap();
        fs::write(directory.join(name), format!("text of {name}")).unwrap();
    }
}

fn left(directory: &Path) -> usize {
    NAMES.iter().filter(|name| directory.join(name).exists()).count()
}

// Measured with rclone 1.75.2.
#[test]
fn what_a_move_takes_the_place_of_counts_as_removed() {
    let stage = Stage::start();
    let held = |path: &str| fs::read_to_string(stage.home().join("work").join(path)).unwrap();
    for words in [&["move", "work/a", "work/b"][..], &["moveto", "work/a/f", "work/b/f"]] {
        let (a, b) = (stage.directory("a"), stage.directory("b"));
        fs::write(a.join("f"), "new").unwrap();
        fs::write(b.join("f"), "older").unwrap();
        let run = stage.run(&[words, &["--max-delete", "0"]].concat()).code(7);
        assert!(run.stderr.contains("--max-delete threshold reached"), "{words:?} {}", run.stderr);
        assert_eq!((held("a/f"), held("b/f")), ("new".into(), "older".into()), "{words:?}");
        stage.run(&[words, &["--max-delete", "1"]].concat()).success();
        assert_eq!(held("b/f"), "new", "{words:?}");
    }
    stage.control().seed_file("a/f", b"new").unwrap();
    stage.control().seed_file("b/f", b"older").unwrap();
    stage.run(&["move", "t:a", "t:b", "--max-delete", "0"]).code(7);
    assert_eq!(stage.run(&["cat", "t:b/f"]).success_text(), "older");
    // Files that a copy replaces don't count.
    stage.run(&["copy", "t:a", "t:b", "--max-delete", "0"]).success();
    assert_eq!(stage.run(&["cat", "t:b/f"]).success_text(), "new");
}

#[test]
fn what_is_only_read_keeps_to_the_limits_too() {
    let stage = Stage::start();
    let (a, b) = (stage.directory("a"), stage.directory("b"));
    for folder in [&a, &b] {
        fs::write(folder.join("f"), vec![b'x'; 300_000]).unwrap();
    }
    for words in [
        &["cat", "work/a"][..],
        &["check", "work/a", "work/b", "--download"],
        &["md5sum", "work/a", "--download"],
    ] {
        let run = stage.run(&[words, &["--max-transfer", "100k"]].concat()).code(8);
        assert!(run.stderr.contains("max transfer limit reached"), "{words:?} {}", run.stderr);
        stage.run(&[words, &["--max-transfer", "1M"]].concat()).code(0);
        // 300,000 bytes at 500 KiB a second.
        let start = Instant::now();
        stage.run(&[words, &["--bwlimit", "500k"]].concat()).code(0);
        assert!(start.elapsed().as_millis() >= 400, "{words:?} {:?}", start.elapsed());
    }
}

#[test]
fn no_command_removes_more_than_is_allowed_here() {
    let stage = Stage::start();
    stage.directory("empty");
    for (words, most_gone) in [
        (vec!["delete", "work/d"], 2),
        (vec!["delete", "work/d", "--rmdirs"], 2),
        (vec!["purge", "work/d"], 2),
        (vec!["sync", "work/empty", "work/d"], 2),
        (vec!["sync", "work/empty", "work/d", "--delete-before"], 2),
        (vec!["sync", "work/empty", "work/d", "--delete-during"], 2),
        (vec!["sync", "work/empty", "work/d", "--delete-during", "--backup-dir", "work/bak"], 2),
        (vec!["dedupe", "--by-hash", "first", "work/same"], 2),
    ] {
        for (flag, value) in [("--max-delete", "2"), ("--max-delete-size", "20B")] {
            let (d, same) = (stage.directory("d"), stage.directory("same"));
            write(&d);
            for name in ["1", "2", "3", "4", "5"] {
                fs::write(same.join(name), "ten bytes!").unwrap();
            }
            let run = stage.run(&[&words[..], &[flag, value]].concat()).code(7);
            assert!(run.stderr.contains(&format!("{flag} threshold reached")), "{words:?} {}", run.stderr);
            let gone = 5 - left(&d) + 5 - fs::read_dir(&same).unwrap().count();
            assert!(gone <= most_gone, "{words:?} {flag}: {gone}");
            if words[0] == "delete" || words[0] == "purge" || words[0] == "dedupe" {
                assert_eq!(gone, 2, "{words:?} {flag}");
            }
        }
    }
    // Exactly as many aren't too many.
    write(&stage.directory("d"));
    stage.run(&["delete", "work/d", "--max-delete", "5"]).success();
    assert_eq!(left(&stage.directory("d")), 0);
}

#[test]
fn no_command_removes_more_than_is_allowed_at_the_service() {
    let stage = Stage::start();
    stage.directory("empty");
    let files = || stage.control().tree().unwrap().files.len();
    for (words, gone) in [
        (vec!["delete", "t:d"], 2),
        (vec!["purge", "t:d"], 2),
        // Everything is known before anything is removed, so nothing is.
        (vec!["sync", "work/empty", "t:d", "--delete-during"], 0),
        (vec!["sync", "work/empty", "t:d"], 0),
        (vec!["move", "t:d", "work/there"], 2),
    ] {
        stage.run(&["purge", "t:d"]);
        seed(&stage, "d");
        let words = [&words[..], &["--max-delete", "2"]].concat();
        stage.run(&words).code(7);
        assert_eq!(5 - files(), gone, "{words:?}");
    }
}

#[test]
fn the_environment_sets_the_limits_too_and_one_file_counts() {
    let stage = Stage::start();
    let d = stage.directory("d");
    write(&d);
    for variable in ["RCLONE_MAX_DELETE", "FICHIER_MAX_DELETE"] {
        let mut command = stage.command();
        Run::of(command.env(variable, "1").args(["delete", "work/d", "--include", "sub/**"]), variable)
            .code(7);
        fs::write(d.join("sub/x"), "x").unwrap();
        fs::write(d.join("sub/y"), "y").unwrap();
        Run::of(stage.command().env(variable, "0").args(["deletefile", "work/d/a"]), variable).code(7);
        assert!(d.join("a").exists(), "{variable}");
    }
    stage.run(&["deletefile", "work/d/a", "--max-delete-size", "1B"]).code(7);
    assert!(d.join("a").exists());
    // Folders don't count.
    fs::create_dir_all(d.join("e/f")).unwrap();
    stage.run(&["rmdirs", "work/d", "--max-delete", "0"]).success();
    assert!(!d.join("e").exists());
}

#[test]
fn what_comes_from_a_pipe_keeps_to_the_limits() {
    let stage = Stage::start();
    let mut input = stage.home().join("input");
    fs::write(&input, vec![7; 100_000]).unwrap();
    for target in ["t:f", "work/f"] {
        let file = fs::File::open(&input).unwrap();
        let words = ["rcat", target, "--max-transfer", "1B"];
        let run = Run::of(stage.command().args(words).stdin(file), target).code(8);
        assert!(run.stderr.contains("max transfer limit reached"), "{}", run.stderr);
    }
    assert!(stage.control().tree().unwrap().files.is_empty() && !stage.home().join("work/f").exists());
    // An input without an end, and one that doesn't begin.
    let endless = |flags: &[&str]| {
        let mut yes = std::process::Command::new("sh")
            .args(["-c", if flags[0] == "--max-transfer" { "yes" } else { "sleep 60" }])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = yes.stdout.take().unwrap();
        let words = [&["rcat", "work/g"], flags].concat();
        let run = Run::of(stage.command().args(&words).stdin(output), "endless");
        yes.kill().unwrap();
        yes.wait().unwrap();
        run
    };
    endless(&["--max-transfer", "3M"]).code(8);
    let begun = Instant::now();
    endless(&["--max-duration", "1s"]).code(10);
    assert!(begun.elapsed().as_secs() < 40);
    input.set_file_name("small");
    fs::write(&input, "few").unwrap();
    Run::of(
        stage.command().args(["rcat", "t:f", "--max-transfer", "1M"]).stdin(fs::File::open(&input).unwrap()),
        "few",
    )
    .success();
}

/// Returns two directories on two file systems, if this machine has them.
#[cfg(target_os = "linux")]
fn apart() -> Option<(tempfile::TempDir, tempfile::TempDir)> {
    use std::os::unix::fs::MetadataExt as _;
    let here = tempfile::tempdir().unwrap();
    let there = tempfile::tempdir_in("/dev/shm").ok()?;
    let device = |directory: &Path| fs::metadata(directory).unwrap().dev();
    (device(here.path()) != device(there.path())).then_some((here, there))
}

#[test]
fn nothing_is_moved_after_the_time_is_over() {
    let stage = Stage::start();
    let (source, target) = (stage.directory("s"), stage.directory("t"));
    write(&source);
    let before = left(&source);
    for ends in [["work/s", "work/t"], ["work/s", "work/new"]] {
        stage.run(&[&["move"], &ends[..], &["--max-duration", "1ns"]].concat()).code(10);
        assert_eq!((left(&source), left(&target)), (before, 0), "{ends:?}");
    }
    stage.run(&["convmv", "work/s", "--name-transform", "prefix=x", "--max-duration", "1ns"]).code(10);
    assert_eq!(left(&source), before);
    fs::write(target.join("extra"), "x").unwrap();
    stage.run(&["sync", "work/s", "work/t", "--delete-before", "--max-duration", "1ns"]).code(10);
    stage.run(&["sync", "work/s", "work/t", "--track-renames", "--max-duration", "1ns"]).code(10);
    assert!(target.join("extra").exists());
}

#[test]
#[cfg(target_os = "linux")]
fn moves_between_file_systems_keep_to_the_limits() {
    let Some((from, to)) = apart() else {
        eprintln!("not tried: /dev/shm is no file system of its own");
        return;
    };
    let stage = Stage::start();
    let (source, target) = (from.path().join("s"), to.path().join("t"));
    write(&source);
    let ends = [source.to_str().unwrap(), target.to_str().unwrap()];
    let run = |flags: &[&str]| stage.run(&[&["move"], &ends[..], flags].concat());
    run(&["--max-transfer", "25B"]).code(8);
    let moved = 5 - left(&source);
    assert!(moved <= 2 && left(&target) == moved, "{moved}");
    run(&["--max-duration", "1ns"]).code(10);
    assert_eq!(left(&source), 5 - moved);
    run(&["--max-delete", "1"]).code(7);
    assert_eq!(left(&source), 4 - moved);
    assert!(left(&target) > moved);
    let begun = Instant::now();
    fs::write(source.join("big"), vec![1; 300_000]).unwrap();
    run(&["--bwlimit", "200k"]).success();
    assert!(begun.elapsed().as_millis() > 1000, "{:?}", begun.elapsed());
    assert_eq!((left(&source), left(&target)), (0, 5));
    assert_eq!(fs::metadata(target.join("big")).unwrap().len(), 300_000);
    // An empty folder that can't move as a whole leaves nothing half made there.
    fs::create_dir_all(source.join("empty/inside")).unwrap();
    run(&["--delete-empty-src-dirs"]).success();
    assert!(!source.join("empty").exists() && !target.join("empty").exists());
}
