//! Tests of runs at the same time: those into one folder go one after the other, and nothing is sent twice.

use std::{
    collections::BTreeMap,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::stage::{Stage, write_tree};

fn numbered(count: u32) -> BTreeMap<String, Vec<u8>> {
    (0..count).map(|n| (format!("f{n:02}"), format!("content {n}").into_bytes())).collect()
}

fn spawn(stage: &Stage, words: &[&str]) -> Child {
    stage.command().args(words).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Returns a stage, a directory with files, and a slow run that sends them to `t:d`.
fn slow_run(latency: u64) -> (Stage, String, Child) {
    let stage = Stage::start();
    let from = stage.directory("from");
    write_tree(&from, &numbered(3));
    let from = from.to_str().unwrap().to_owned();
    let slow = format!("endpoint=upload.cgi,kind=latency:{latency},times=1");
    stage.control().add_fault(slow.parse().unwrap());
    let run = spawn(&stage, &["copy", &from, "t:d"]);
    let began = Instant::now();
    while !stage.counters().contains_key("upload.cgi") {
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(5));
    }
    (stage, from, run)
}

#[test]
fn equal_runs_send_each_file_once() {
    let (stage, from, first) = slow_run(1000);
    for command in ["copy", "sync"] {
        let run = stage.run(&[command, &from, "t:d"]).code(0);
        if command == "copy" {
            assert!(run.stderr.contains("Another run is writing into t:d"), "{}", run.stderr);
        }
    }
    let first = first.wait_with_output().unwrap();
    assert!(first.status.success());
    assert_eq!(stage.control().tree().unwrap().files.len(), 3);
    assert_eq!(stage.counters()["upload.cgi"], 1);
    // Only the root was listed: the others know what the first run did.
    let running = stage.home().join(".cache/fichier/running");
    let left = std::fs::read_dir(running).unwrap().filter(|entry| {
        entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "run")
    });
    assert_eq!(left.count(), 0);
}

#[test]
fn reading_and_other_folders_wait_for_nobody() {
    let (stage, from, mut first) = slow_run(120_000);
    for words in [&["copy", &from, "t:e"][..], &["lsf", "t:d"], &["check", &from, "t:e"]] {
        stage.run(words).success();
    }
    // One file beside another.
    stage.run(&["copyto", &format!("{from}/f00"), "t:e/other"]).success();
    stage.run(&["copy", &from, "t:d", "--dry-run"]).success();
    assert!(first.try_wait().unwrap().is_none());
    first.kill().unwrap();
    first.wait().unwrap();
    // A run that was killed delays no other.
    let began = Instant::now();
    stage.run(&["copy", &from, "t:d"]).success();
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

#[cfg(unix)]
#[test]
fn a_wait_for_another_run_ends_when_the_run_is_told_to_stop() {
    use std::io::{BufRead as _, BufReader};
    let (stage, from, mut first) = slow_run(120_000);
    let mut second = spawn(&stage, &["sync", &from, "t:d"]);
    let mut lines = BufReader::new(second.stderr.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("Another run is writing"));
    let told = Instant::now();
    let killed = Command::new("kill").args(["-s", "INT", &second.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert!(!second.wait().unwrap().success());
    assert!(told.elapsed() < Duration::from_secs(2), "{:?}", told.elapsed());
    first.kill().unwrap();
    first.wait().unwrap();
}
