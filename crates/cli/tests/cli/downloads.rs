//! Tests of downloads through the binary: large ones killed and continued, by ranges, in place, and what `cat`
//! verifies.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use crate::stage::Stage;

const SIZE: usize = 40 * 1024 * 1024;

/// Returns bytes that differ from place to place.
fn bytes() -> Vec<u8> {
    (0..SIZE).map(|at| u8::try_from((at / 7 + at / 4096) % 251).unwrap()).collect()
}

fn only_file(folder: &Path) -> Option<PathBuf> {
    let mut lines = fs::read_dir(folder).unwrap().map(|line| line.unwrap().path());
    let first = lines.next();
    assert!(lines.next().is_none(), "more than one file");
    first
}

/// Returns how many bytes a partial file has by its ledger: numbers behind the place of the last byte, up to the 96
/// bytes that identify it.
fn known(partial: &Path) -> u64 {
    let whole = fs::read(partial).unwrap();
    let numbers = whole.get(SIZE..whole.len().saturating_sub(96)).unwrap_or_default();
    numbers.chunks_exact(8).map(|number| u64::from_le_bytes(number.try_into().unwrap())).sum()
}

#[test]
fn a_run_that_was_killed_is_gone_on_with_and_fetches_only_what_is_missing() {
    for streams in ["4", "1"] {
        let stage = Stage::start_logging();
        let content = bytes();
        stage.control().seed_file("big", &content).unwrap();
        let target = stage.directory("target");
        let to = target.to_str().unwrap();
        let words = ["copy", "t:", to, "--multi-thread-cutoff", "1Mi", "--multi-thread-streams", streams];
        let mut command = stage.command();
        command.args(words).args(["--bwlimit", "20M"]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let begun = Instant::now();
        let there = loop {
            let there = only_file(&target).map_or(0, |partial| known(&partial));
            if there >= 10 * 1024 * 1024 {
                break there;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "only {there} bytes came");
            std::thread::sleep(Duration::from_millis(20));
        };
        // SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!target.join("big").exists());
        // The partial file is neither listed nor sent anywhere.
        assert_eq!(stage.run(&["lsf", to]).success_text(), "");
        stage.run(&["copy", to, "t:elsewhere", "--error-on-no-transfer"]).code(9);

        // The service logs a request when it ends, which it notices late. At least the bytes that have come are logged,
        // and then nothing more for two seconds.
        let killed = Instant::now();
        let sent = || stage.downloads().iter().sum::<u64>();
        let (mut before, mut since) = (sent(), Instant::now());
        while before < there || since.elapsed() < Duration::from_secs(2) {
            assert!(killed.elapsed() < Duration::from_secs(60), "{before} bytes are logged of {there}");
            std::thread::sleep(Duration::from_millis(100));
            if sent() != before {
                (before, since) = (sent(), Instant::now());
            }
        }
        let run = stage.run(&[&words[..], &["-v"]].concat()).code(0);
        assert!(run.stderr.contains("Going on with a partial file"), "{}", run.stderr);
        assert!(fs::read(target.join("big")).unwrap() == content);
        assert_eq!(only_file(&target), Some(target.join("big")));
        let again = sent() - before;
        assert!(again <= SIZE as u64 - there, "{again} bytes came again, though {there} were there");
    }
}

#[test]
fn a_partial_file_may_be_called_otherwise() {
    let stage = Stage::start();
    stage.control().seed_file("big", &bytes()).unwrap();
    let target = stage.directory("target");
    let mut command = stage.command();
    command.args(["copy", "t:", target.to_str().unwrap(), "--bwlimit", "5M", "--partial-suffix", ".half"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    let name = loop {
        if let Some(path) = only_file(&target) {
            break path.file_name().unwrap().to_str().unwrap().to_owned();
        }
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(20));
    };
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(name.starts_with("big.") && name.ends_with(".half"), "{name}");
}

#[test]
fn in_place_and_with_little_memory_the_bytes_are_the_same() {
    let stage = Stage::start();
    let content = bytes();
    stage.control().seed_file("big", &content).unwrap();
    let target = stage.directory("target");
    fs::write(target.join("big"), "an old version").unwrap();
    let to = target.to_str().unwrap();
    stage.run(&["copy", "t:", to, "--inplace", "--max-buffer-memory", "256Ki"]).success();
    assert!(fs::read(target.join("big")).unwrap() == content);
    assert_eq!(only_file(&target), Some(target.join("big")));
}

#[test]
fn a_whole_file_that_differs_from_its_checksum_is_told_after_it_was_written() {
    let stage = Stage::start();
    stage.control().seed_file("d/f", b"some text").unwrap();
    stage.control().add_fault("kind=corrupt-download:3".parse().unwrap());
    for words in [
        &["cat", "t:d/f"][..],
        &["cat", "t:d"],
        &["cat", "t:d/f", "--discard"],
        &["cat", "t:d/f", "--head=9"],
        &["cat", "t:d/f", "--tail=9"],
        &["cat", "t:d/f", "--count=10"],
        &["cat", "t:d/f", "--offset=-9"],
    ] {
        let run = stage.run(words);
        assert!(run.status.is_some_and(|code| code != 0), "{words:?}");
        assert!(run.stderr.contains("corrupted on transfer: \"d/f\""), "{words:?} {}", run.stderr);
        assert_eq!(run.stdout.chars().count(), if words.contains(&"--discard") { 0 } else { 9 }, "{words:?}");
    }
    // Of a part there is no checksum.
    for part in ["--head=8", "--tail=8", "--count=8", "--offset=-8"] {
        assert_eq!(stage.run(&["cat", "t:d/f", part]).success_text().chars().count(), 8, "{part}");
    }
}
