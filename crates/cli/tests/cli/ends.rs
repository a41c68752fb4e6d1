//! How the program ends: exit codes, the last line on stderr, where help goes.

use std::path::Path;

use assert_cmd::Command;
use predicates::{prelude::*, str::contains};

fn fichier(directory: &Path) -> Command {
    let mut command = Command::cargo_bin("fichier").unwrap();
    command.current_dir(directory).env_clear().env("HOME", directory).env("TZ", "UTC");
    command
}

/// Command line, exit code, and a piece of what stands on stderr.
const ENDS: &[(&[&str], i32, &str)] = &[
    (&[], 1, "Usage: fichier"),
    (&["nosuch"], 1, "nosuch"),
    (&["ls"], 1, "REMOTE:PATH"),
    (&["ls", "--nosuch", "."], 1, "--nosuch"),
    (&["ls", "a", "b"], 1, "'b'"),
    (&["ls", "--transfers=abc", "."], 1, "abc"),
    (&["ls", "--dry-run=maybe", "."], 1, "maybe"),
    (
        &["ls", "--partial-suffix", ".partialpartialpartial", "."],
        1,
        "Expecting suffix length not greater than 16 but got 22",
    ),
    (&["ls", "--partial-suffix", "a/b", "."], 1, "can't hold a separator"),
    (&["ls", "--max-buffer-memory", "much", "."], 1, "much"),
    (&["ls", "-v", "-q", "."], 1, "CRITICAL: Can't set -v and -q"),
    (&["ls", "missing"], 3, "ERROR : Failed to ls: directory not found"),
    (&["lsd", "missing"], 3, "directory not found"),
    (&["lsf", "missing"], 3, "directory not found"),
    (&["lsjson", "missing"], 3, "directory not found"),
    (&["lsjson", "--stat", "missing"], 3, "directory not found"),
    (&["tree", "missing"], 3, "directory not found"),
    (&["size", "missing"], 3, "directory not found"),
    (&["cat", "missing"], 3, "directory not found"),
    (&["hashsum", "md5", "missing"], 3, "directory not found"),
    (&["deletefile", "missing"], 4, "missing is a directory or doesn't exist: object not found"),
    (&["deletefile", "."], 4, "object not found"),
    (&["ls", "nosuch:x"], 2, "CRITICAL: Failed to create file system for \"nosuch:x\": didn't find section"),
    (&["ls", ""], 2, "can't use empty string as a path"),
    (&["hashsum", "foo", "."], 1, "unknown hash type \"foo\""),
    (&["lsf", "--format", "q", "."], 2, "unknown format character 'q'"),
    (&["cat", "--head", "1", "--tail", "1", "file"], 1, "Can only use one of"),
    (&["link", "file"], 2, "doesn't support public links"),
    (&["rmdir", "full"], 2, "Failed to rmdir"),
    (&["help", "nosuch"], 1, "there is no command \"nosuch\""),
];

#[test]
fn codes_and_last_words() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("file"), "x").unwrap();
    std::fs::create_dir_all(directory.path().join("full/sub")).unwrap();
    for (words, code, message) in ENDS {
        let output = fichier(directory.path()).args(*words).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(*code), "{words:?}: {errors}");
        assert!(errors.contains(message), "{words:?}: {errors}");
    }
    assert!(directory.path().join("full/sub").is_dir());
}

#[test]
fn the_word_after_a_flag_is_its_value_even_if_it_begins_with_a_dash() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("file"), "x").unwrap();
    let words = ["lsf", "--format", "ps", "--separator", "--", "."];
    fichier(directory.path()).args(words).assert().success().stdout("file--1\n");
}

#[test]
fn quiet_still_says_why_it_failed() {
    let directory = tempfile::tempdir().unwrap();
    fichier(directory.path()).args(["-q", "ls", "missing"]).assert().code(3).stderr(
        predicate::str::is_match(
            r#"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d ERROR : Failed to ls: directory not found: .*\n$"#,
        )
        .unwrap(),
    );
}

#[test]
fn help_goes_to_stdout_when_it_was_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    for words in [&["help"][..], &["--help"], &["-h"]] {
        fichier(directory.path()).args(words).assert().success().stdout(contains("listremotes"));
    }
    for words in [&["help", "lsf"][..], &["lsf", "--help"], &["lsf", "-h", "-v"]] {
        let own_flags = contains("--dir-slash").and(contains("--transfers").not());
        fichier(directory.path()).args(words).assert().success().stdout(own_flags);
    }
    fichier(directory.path()).args(["help", "flags"]).assert().success().stdout(contains("--transfers N"));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("big"), vec![0; 1 << 20]).unwrap();
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("fichier"))
        .current_dir(directory.path())
        .args(["cat", "big"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), &*output.stderr), (Some(0), &b""[..]));
}

#[test]
fn the_log_goes_to_its_file() {
    let directory = tempfile::tempdir().unwrap();
    let words = ["rmdir", "missing", "--log-file", "log", "--use-json-log"];
    fichier(directory.path()).args(words).assert().failure().stderr("");
    let log = std::fs::read_to_string(directory.path().join("log")).unwrap();
    let line: serde_json::Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!(line["level"], "error");
    assert!(line["msg"].as_str().unwrap().starts_with("Failed to rmdir: "), "{line}");
}

#[test]
fn completion_knows_commands_and_shared_flags() {
    let directory = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = contains("lsjson").and(contains("low-level-retries"));
        fichier(directory.path()).args(["completion", shell]).assert().success().stdout(script);
    }
}
