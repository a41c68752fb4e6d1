//! Tests of how the program ends: exit codes, the last line on stderr, where help goes.

use std::path::Path;

use assert_cmd::Command;
use predicates::{prelude::*, str::contains};

fn fichier(directory: &Path) -> Command {
    let mut command = Command::cargo_bin("fichier").unwrap();
    command.current_dir(directory).env_clear().env("HOME", directory).env("TZ", "UTC");
    command
}

/// Command line, exit code, and a part of the output on stderr.
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
    (&["rmdir", "full"], 2, "Hint: purge removes"),
    (&["ls", "demo:nowhere"], 3, "directory not found: \"demo:nowhere\""),
    (&["copyto", "file", "new/"], 2, "\"new/\" is a directory"),
    (&["moveto", "file", "new/"], 2, "\"new/\" is a directory"),
    (&["touch", "new/"], 3, "directory not found"),
    (&["touch", "new/", "--recursive"], 3, "/new\""),
    (&["touch", "demo:new/x/", "--recursive"], 3, "directory not found: \"demo:new/x\""),
    (&["touch", "new", "--recursive"], 0, "due to --recursive"),
    (&["ls", "file/b"], 3, "/file/b\", since \""),
    (&["lsf", "file/b/c"], 3, "/file\" is a file"),
    (&["lsjson", "file/b"], 3, "directory not found"),
    (&["size", "file/b"], 3, "directory not found"),
    (&["tree", "file/b"], 3, "directory not found"),
    (&["cat", "file/b"], 3, "directory not found"),
    (&["md5sum", "file/b"], 3, "directory not found"),
    (&["dedupe", "file/b"], 3, "directory not found"),
    (&["check", "full", "file/b"], 3, "directory not found"),
    (&["sync", "full", "x", "--backup-dir", "file"], 7, "--backup-dir: \"/"),
    (&["copy", "full", "x", "--backup-dir", "file/b/c"], 7, "/file\" is a file, not a directory"),
    (&["copyto", "file", "x", "--backup-dir", "file"], 7, "/file\" is a file, not a directory"),
    (&["copy", "full", "x", "--copy-dest", "file"], 7, "--copy-dest: \"/"),
    (&["deletefile", "full"], 4, "it is a directory; purge removes it"),
    (&["listremotes", "x"], 0, ""),
    (&["ls", "--checkers", "abc", "."], 1, "it must be a whole number"),
    (&["copy", "a", "b", "--drive-chunksize", "3"], 1, "'--drive-chunk-size'"),
    (&["listremotes", "{{[}}"], 1, "the pattern: "),
    (&["listremotes", "--type", "[a"], 1, "--type: mismatched '[' and ']'"),
    (&["copy", "full", "x", "--suffix", "sub/.old"], 1, "--suffix \"sub/.old\": a name can't hold a slash"),
    (&["ls", ".", "--log-file", "/nodir/x"], 2, "Failed to open log file \"/nodir/x\": "),
    (&["completion", "bash", "/nodir/x"], 2, "to /nodir/x: "),
    (&["mkdir", "file/new"], 2, "/file\" is a file, not a directory"),
    (&["mkdir", "file/new/deep"], 2, "/file\" is a file, not a directory"),
    (&["copy", "full", "file/new"], 2, "/file\" is a file, not a directory"),
    (&["copyto", "file", "file/x/y"], 2, "/file\" is a file, not a directory"),
    (&["moveto", "file", "file/x/y/z"], 2, "/file\" is a file, not a directory"),
    (&["ls", "--filter", "x a", "."], 2, "--filter: malformed rule \"x a\": it must begin with \"+ \""),
    (&["ls", "--exclude", "[a", "."], 2, "--exclude: mismatched '[' and ']' in glob"),
    (&["ls", "--hash-filter", "3", "."], 2, "expected K/N such as 1/3"),
    (&["ls", "--bwlimit", "foo", "."], 1, "a timetable like"),
    (&["ls", "--bind", "foo", "."], 1, "expected an IP address"),
    (&["ls", "--timeout", "584542046090y", "."], 1, "this duration is too long"),
    (&["ls", "--client-cert", "x", "."], 1, "--client-key"),
    (
        &["config", "show", "zz"],
        2,
        "Failed to config show: there is no remote \"zz\" in the configuration file; there are",
    ),
    (&["lsf", ":fichier,endpoint=http://127.0.0.1:9/:x"], 2, "a value that holds a colon stands in quotes"),
    (&["lsf", "demo,cdn=maybe:"], 2, "option cdn: \"maybe\" is neither true nor false"),
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
fn a_command_that_is_unknown_is_told_what_was_meant() {
    let directory = tempfile::tempdir().unwrap();
    for (word, advice) in [
        ("rm", "Did you mean: delete, deletefile?"),
        ("copi", "Did you mean: copy?"),
        ("nfsmount", "rclone has \"nfsmount\"; this program hasn't got it yet"),
        ("xyzzy", "there is no command \"xyzzy\""),
    ] {
        fichier(directory.path()).args([word, "a"]).assert().code(1).stderr(contains(advice));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_has_the_code_of_rclone() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("file"), vec![1; 1 << 20]).unwrap();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("fichier"));
    let output = command.current_dir(directory.path()).args(["cat", "file"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_flags_of_a_command_come_from_the_environment() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("file"), "x").unwrap();
    let lsf = || {
        let mut command = fichier(directory.path());
        command.args(["lsf", "."]);
        command
    };
    lsf().env("RCLONE_FORMAT", "ps").assert().success().stdout("file;1\n");
    lsf().env("RCLONE_FORMAT", "ps").env("FICHIER_FORMAT", "s").assert().success().stdout("1\n");
    lsf().args(["--format", "p"]).env("FICHIER_FORMAT", "s").assert().success().stdout("file\n");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_run_soon_and_is_in_its_code() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("a")).unwrap();
    std::fs::write(directory.path().join("a/file"), vec![1; 4 << 20]).unwrap();
    for (signal, code) in [("-TERM", 143), ("-HUP", 129)] {
        let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("fichier"))
            .current_dir(directory.path())
            .args(["copy", "a", "b", "--bwlimit", "100k", "--stats", "100ms", "--stats-log-level", "ERROR"])
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        // The transfer has begun when it reports its progress.
        let mut errors = std::io::BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("Transferring:") {
            line.clear();
            assert!(std::io::BufRead::read_line(&mut errors, &mut line).unwrap() > 0, "it ended");
        }
        let id = child.id().to_string();
        assert!(std::process::Command::new("kill").args([signal, &id]).status().unwrap().success());
        let begun = std::time::Instant::now();
        std::io::copy(&mut errors, &mut std::io::sink()).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));
        // The file takes 40 seconds.
        assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
        assert!(!directory.path().join("b/file").exists());
    }
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
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = fichier(directory.path()).args(["completion", shell]).output().unwrap();
        assert!(output.status.success() && output.stdout.len() < 100_000, "{shell}");
    }
    let told = |words: &[&str]| {
        let output = fichier(directory.path()).args(["complete-line", "--"]).args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(told(&["lsj"]).contains("lsjson\n"));
    assert_eq!(told(&["complete"]), "");
    assert!(told(&["ls", "--low-l"]).contains("--low-level-retries\n"));
    assert!(told(&["ls", "--log-level", "no"]).contains("notice\n"));
    assert_eq!(told(&["ls", "--cutoff-mode=so"]), "--cutoff-mode=soft\n");
    assert_eq!(told(&["completion", "el"]), "elvish\n");
}
