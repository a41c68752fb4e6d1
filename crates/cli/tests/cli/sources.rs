//! Tests of a source that changes while it is copied or moved: nothing that wasn't read is removed.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Stdio},
    thread,
};

use crate::stage::Stage;

/// Starts a slow run, and waits until a file is being transferred. Returns the run and what it prints from then on.
fn slowly(stage: &Stage, words: &[&str], file: &str) -> (Child, thread::JoinHandle<String>) {
    let mut child = stage
        .command()
        .args(words)
        .args(["--bwlimit", "200k", "--retries", "1", "--stats", "100ms", "--stats-log-level", "NOTICE"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let begun = lines.any(|line| line.unwrap().contains(&format!("{file}:")));
    assert!(begun, "{words:?} ended before {file} was on its way");
    let rest = thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<_>>().join("\n"));
    (child, rest)
}

/// Returns how a run ended, and what it printed.
fn end((mut child, rest): (Child, thread::JoinHandle<String>)) -> (Option<i32>, String) {
    let code = child.wait().unwrap().code();
    (code, rest.join().unwrap())
}

#[test]
fn a_file_that_was_replaced_after_it_was_read_stays() {
    for local in [false, true] {
        let stage = Stage::start();
        let source = stage.directory("s");
        fs::write(source.join("a.txt"), "the old text").unwrap();
        fs::write(source.join("big"), vec![1; 1_000_000]).unwrap();
        #[cfg(target_os = "linux")]
        let elsewhere = tempfile::tempdir_in("/dev/shm").unwrap();
        #[cfg(not(target_os = "linux"))]
        let elsewhere = tempfile::tempdir().unwrap();
        let there = elsewhere.path().join("t").to_str().unwrap().to_owned();
        if local && is_one_file_system(&source, elsewhere.path()) {
            continue;
        }
        let to = if local { there.as_str() } else { "t:d" };
        // The small one is read at once, the big one for some seconds; both are of one batch.
        let run = slowly(&stage, &["move", source.to_str().unwrap(), to, "--transfers", "1"], "big");
        fs::write(source.join("new"), "THE NEW TEXT").unwrap();
        fs::rename(source.join("new"), source.join("a.txt")).unwrap();
        let (code, stderr) = end(run);
        assert_eq!(fs::read(source.join("a.txt")).unwrap(), b"THE NEW TEXT", "{stderr}");
        assert_eq!(code, Some(6), "{stderr}");
        assert!(stderr.contains("a.txt: source file is being updated"), "{stderr}");
        assert!(!source.join("big").exists(), "{stderr}");
        stage.run(&["move", source.to_str().unwrap(), to]).success();
        assert_eq!(stage.run(&["cat", &format!("{to}/a.txt")]).success_text(), "THE NEW TEXT");
    }
}

#[test]
fn a_big_file_that_is_replaced_while_it_goes_up_stays() {
    let stage = Stage::start();
    let source = stage.directory("s");
    let big = source.join("big");
    for command in ["move", "moveto"] {
        fs::write(&big, vec![1; 1_000_000]).unwrap();
        let from = if command == "move" { &source } else { &big };
        let run = slowly(
            &stage,
            &[command, from.to_str().unwrap(), "t:d"],
            if command == "move" { "big" } else { "d" },
        );
        fs::write(source.join("new"), "new").unwrap();
        fs::rename(source.join("new"), &big).unwrap();
        let (code, stderr) = end(run);
        assert_eq!(fs::read(&big).unwrap(), b"new", "{stderr}");
        assert_eq!(code, Some(6), "{stderr}");
        stage.run(&["purge", "t:d"]);
    }
}

#[test]
fn a_file_that_grows_while_it_is_copied_is_told() {
    let stage = Stage::start();
    let source = stage.directory("s");
    for to in ["t:d", "work/d"] {
        fs::write(source.join("log"), vec![1; 1_000_000]).unwrap();
        let run = slowly(&stage, &["copy", source.to_str().unwrap(), to], "log");
        fs::OpenOptions::new().append(true).open(source.join("log")).unwrap().write_all(b"more").unwrap();
        let (code, stderr) = end(run);
        assert_eq!(code, Some(6), "{to}: {stderr}");
        assert!(stderr.contains("log: source file is being updated"), "{to}: {stderr}");
        // The next run takes it as it is by then.
        stage.run(&["copy", source.to_str().unwrap(), to]).success();
    }
}

#[test]
fn a_newer_version_at_the_service_stays() {
    let stage = Stage::start();
    stage.control().seed_file("d/big", &vec![1; 1_000_000]).unwrap();
    let run = slowly(&stage, &["move", "t:d", "work/there"], "big");
    stage.control().seed_file("d/big", b"newer").unwrap();
    let (code, stderr) = end(run);
    assert_eq!(code, Some(0), "{stderr}");
    let files = stage.control().tree().unwrap().files;
    let left: Vec<_> = files.iter().map(|file| (file.path.as_str(), file.size)).collect();
    assert_eq!(left, [("/d/big", 5)], "{stderr}");
    assert_eq!(fs::metadata(stage.home().join("work/there/big")).unwrap().len(), 1_000_000);
}

#[test]
#[cfg(unix)]
fn links_of_one_file_are_all_moved() {
    let stage = Stage::start();
    let source = stage.directory("s");
    for folder in ["a", "b", "c"] {
        fs::create_dir_all(source.join(folder)).unwrap();
    }
    fs::write(source.join("a/one"), "linked").unwrap();
    fs::hard_link(source.join("a/one"), source.join("b/two")).unwrap();
    fs::hard_link(source.join("a/one"), source.join("c/three")).unwrap();
    stage.run(&["move", source.to_str().unwrap(), "t:d", "--transfers", "1"]).success();
    assert_eq!(stage.control().tree().unwrap().files.len(), 3);
    assert!(!source.join("c/three").exists());
}

#[cfg(unix)]
fn is_one_file_system(left: &std::path::Path, right: &std::path::Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(left).unwrap().dev() == fs::metadata(right).unwrap().dev()
}

#[cfg(not(unix))]
fn is_one_file_system(_left: &std::path::Path, _right: &std::path::Path) -> bool {
    true
}
