//! Tests of the commands that list and read, on a local directory, against what rclone prints for the same.

use std::{
    fs::{self, File},
    path::Path,
    time::{Duration, SystemTime},
};

use assert_cmd::Command;
use jiff::Timestamp;

/// Makes the directory on which `fixtures/local-listings.txt` was measured.
fn tree_of_names(root: &Path) {
    let noon = |text: &str| {
        let time: Timestamp = text.parse().unwrap();
        SystemTime::UNIX_EPOCH + Duration::from_nanos(u64::try_from(time.as_nanosecond()).unwrap())
    };
    for folder in ["sub/deep", "empty", "space dir", "ünï"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    let usual = "2019-01-01T00:00:00Z";
    for (name, content, time) in [
        ("a.txt", &b"hello world"[..], "2001-02-03T04:05:06Z"),
        ("zero.bin", b"", "2024-12-31T23:59:59.123456789Z"),
        ("big.png", &vec![0; 1_500_000], "2020-06-15T12:00:00.5Z"),
        ("sub/page & <x>.html", b"<p>&\"quoted\"\n", "2019-01-01T00:00:00.000001Z"),
        ("sub/deep/lines.csv", b"one\ntwo\nthree\n", usual),
        ("space dir/quo\"te,comma.txt", b"x", usual),
        ("ünï/日本.txt", b"y", usual),
        ("tab\tname", b"t", usual),
        ("ctl\u{1}\u{7f}.txt", b"c", usual),
        ("noext", b"j", usual),
    ] {
        fs::write(root.join(name), content).unwrap();
        File::options().write(true).open(root.join(name)).unwrap().set_modified(noon(time)).unwrap();
    }
    for folder in ["sub/deep", "sub", "empty", "space dir", "ünï"] {
        File::open(root.join(folder)).unwrap().set_modified(noon("2010-10-10T10:10:10Z")).unwrap();
    }
}

fn fichier(directory: &Path) -> Command {
    let mut command = Command::cargo_bin("fichier").unwrap();
    command
        .current_dir(directory)
        .env_clear()
        .env("HOME", directory)
        .env("XDG_CONFIG_HOME", directory.join("no-config"))
        .env("TZ", "America/New_York");
    command
}

/// Splits a command line into words; single quotes keep a word together.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![];
    let mut word: Option<String> = None;
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

/// A command line and what rclone prints for it.
struct Case {
    line: String,
    output: String,
    /// Whether rclone's lines come in any order.
    loose: bool,
}

fn cases(fixture: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in fixture.lines().skip_while(|line| line.starts_with('#')) {
        if let Some(line) = line.strip_prefix("$ ") {
            cases.push(Case { line: line.into(), output: String::new(), loose: false });
        } else if let Some(line) = line.strip_prefix("$~ ") {
            cases.push(Case { line: line.into(), output: String::new(), loose: true });
        } else if let Some(case) = cases.last_mut() {
            match line.strip_suffix('\\') {
                Some(rest) => case.output.push_str(rest),
                None => {
                    case.output.push_str(line);
                    case.output.push('\n');
                }
            }
        }
    }
    cases
}

/// Returns the lines in one order. In JSON the comma belongs to the place, not to the line.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().map(|line| line.trim_end_matches(',')).collect();
    lines.sort_unstable();
    lines
}

#[test]
#[cfg(unix)]
fn output_is_rclones_byte_for_byte() {
    let directory = tempfile::tempdir().unwrap();
    tree_of_names(directory.path());
    let cases = cases(include_str!("../fixtures/local-listings.txt"));
    assert!(cases.len() >= 50, "only {} cases were read", cases.len());
    let mut wrong = Vec::new();
    for Case { line, output: expected, loose } in &cases {
        let output = fichier(directory.path()).args(words(line)).output().unwrap();
        let found = String::from_utf8_lossy(&output.stdout).into_owned();
        let same = if *loose { sorted(&found) == sorted(expected) } else { found == *expected };
        if !same {
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            wrong.push(format!("$ {line}\n--- rclone\n{expected}\n--- fichier\n{found}{errors}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
#[cfg(unix)]
fn folders_come_in_one_order_parents_first() {
    let directory = tempfile::tempdir().unwrap();
    tree_of_names(directory.path());
    fichier(directory.path())
        .args(["lsf", "-R", "--dirs-only", "."])
        .assert()
        .success()
        .stdout("empty/\nspace dir/\nsub/\nünï/\nsub/deep/\n");
    fichier(directory.path()).args(["lsf", "-R", "--files-only", "."]).assert().success().stdout(
        "a.txt\nbig.png\nctl␁␡.txt\nnoext\ntab␉name\nzero.bin\nspace dir/quo\"te,comma.txt\n\
         sub/page & <x>.html\nsub/deep/lines.csv\nünï/日本.txt\n",
    );
}

#[test]
fn names_that_are_not_utf8_pass_through() {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(std::ffi::OsStr::from_bytes(b"bad\xffname")), "z").unwrap();
        let output = fichier(directory.path()).args(["ls", "."]).output().unwrap();
        assert_eq!(output.stdout, b"        1 bad\xffname\n");
        let output = fichier(directory.path()).args(["lsjson", "--no-modtime", "."]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(r#""Path":"bad\ufffdname""#), "{text}");
    }
}
