//! Tests of the small commands that change something, on a local directory. The messages are those of rclone 1.75.2.

use std::{fs, path::Path, time::SystemTime};

use assert_cmd::Command;
use predicates::str::contains;

fn fichier(directory: &Path) -> Command {
    let mut command = Command::cargo_bin("fichier").unwrap();
    command.current_dir(directory).env_clear().env("HOME", directory).env("TZ", "UTC");
    command
}

#[test]
fn folders_are_made_and_removed() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    fichier(here)
        .args(["mkdir", "w/new", "-n"])
        .assert()
        .success()
        .stderr(contains("NOTICE: Local file system at w/new: Skipped make directory as --dry-run is set"));
    assert!(!here.join("w").exists());
    fichier(here)
        .args(["mkdir", "w/new", "-v"])
        .assert()
        .success()
        .stderr(contains("INFO  : Local file system at w/new: Making directory"));
    assert!(here.join("w/new").is_dir());
    fichier(here).args(["mkdir", "w/new"]).assert().success();
    fichier(here).args(["rmdir", "w/new", "--dry-run"]).assert().success();
    assert!(here.join("w/new").is_dir());
    fichier(here).args(["rmdir", "w/new"]).assert().success().stderr("");
    assert!(!here.join("w/new").exists());
}

#[test]
fn empty_folders_are_removed_from_below() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    for folder in ["w/d1/d2", "w/d3", "w/d4/d5/d6"] {
        fs::create_dir_all(here.join(folder)).unwrap();
    }
    fs::write(here.join("w/d3/f"), "x").unwrap();
    fs::write(here.join("w/d4/d5/f"), "x").unwrap();
    fichier(here).args(["rmdirs", "w", "-n"]).assert().success();
    assert!(here.join("w/d1/d2").is_dir());
    fichier(here).args(["rmdirs", "w"]).assert().success();
    assert!(!here.join("w/d1").exists());
    assert!(!here.join("w/d4/d5/d6").exists());
    assert!(here.join("w/d3/f").is_file() && here.join("w/d4/d5/f").is_file());
    fs::create_dir_all(here.join("e/f")).unwrap();
    fichier(here).args(["rmdirs", "e", "--leave-root"]).assert().success();
    assert!(here.join("e").is_dir() && !here.join("e/f").exists());
    fichier(here).args(["rmdirs", "e"]).assert().success();
    assert!(!here.join("e").exists());
}

#[test]
fn one_file_is_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    fs::write(here.join("f"), "xy").unwrap();
    fichier(here)
        .args(["deletefile", "f", "-n"])
        .assert()
        .success()
        .stderr(contains("NOTICE: f: Skipped delete as --dry-run is set (size 2)"));
    assert!(here.join("f").exists());
    fichier(here).args(["deletefile", "f", "-v"]).assert().success().stderr(contains("INFO  : f: Deleted"));
    assert!(!here.join("f").exists());
}

#[test]
fn files_are_touched() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    fichier(here).args(["touch", "f", "-n"]).assert().success().stderr(contains("Skipped touch (create)"));
    fichier(here).args(["touch", "f", "-C"]).assert().success().stderr(contains("--no-create"));
    assert!(!here.join("f").exists());
    fichier(here).args(["touch", "f", "-t", "2006-01-02T15:04:05"]).assert().success();
    let modified = |name: &str| {
        let time = fs::metadata(here.join(name)).unwrap().modified().unwrap();
        time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
    };
    assert_eq!(modified("f"), 1_136_214_245);
    fs::write(here.join("g"), "content").unwrap();
    fichier(here).args(["touch", ".", "-R", "-t", "171030"]).assert().success();
    assert_eq!([modified("f"), modified("g")], [1_509_321_600; 2]);
    assert_eq!(fs::read(here.join("g")).unwrap(), b"content");
    fichier(here).args(["touch", "f", "-t", "bogus"]).assert().failure().stderr(contains("bogus"));
}

#[cfg(unix)]
#[test]
fn what_a_link_leads_to_is_touched_and_the_link_stays() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    fs::write(here.join("f"), "content").unwrap();
    for (target, link) in [("f", "good"), ("nowhere", "dangling"), ("loop", "loop")] {
        std::os::unix::fs::symlink(target, here.join(link)).unwrap();
    }
    for more in [&[][..], &["-L"]] {
        let touch = |name| fichier(here).args([&["touch", name, "-t", "171030"][..], more].concat()).assert();
        touch("good").success();
        for name in ["dangling", "loop"] {
            touch(name).failure().stderr(contains("can't be followed"));
            assert!(fs::symlink_metadata(here.join(name)).unwrap().is_symlink(), "{name} {more:?}");
        }
        assert!(fs::symlink_metadata(here.join("good")).unwrap().is_symlink());
        assert_eq!(fs::read(here.join("f")).unwrap(), b"content");
    }
    let modified = fs::metadata(here.join("f")).unwrap().modified().unwrap();
    assert_eq!(modified.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs(), 1_509_321_600);
}

#[test]
fn checksum_files_are_written_and_checked() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    for name in ["same", "changed", "extra"] {
        fs::create_dir_all(here.join("d")).unwrap();
        fs::write(here.join("d").join(name), name).unwrap();
    }
    fichier(here).args(["md5sum", "d", "--output-file", "sums"]).assert().success().stdout("");
    fichier(here).args(["hashsum", "MD5", "d", "-C", "sums"]).assert().success();
    let sums = fs::read_to_string(here.join("sums")).unwrap().replace("extra", "missing");
    fs::write(here.join("sums"), sums).unwrap();
    fs::write(here.join("d/changed"), "else").unwrap();
    fichier(here)
        .args(["hashsum", "md5", "d", "-C", "sums"])
        .assert()
        .code(2)
        .stdout("* changed\n- extra\n= same\n+ missing\n")
        .stderr(contains("2 differences found"));
    fichier(here)
        .args(["hashsum", "md5"])
        .write_stdin("hi")
        .assert()
        .success()
        .stdout("49f68a5c8493ec2c0bf489821c21fc3b  -\n");
}

#[test]
fn the_small_commands_ask_before_they_change_anything() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    fs::create_dir_all(here.join("w/empty")).unwrap();
    fs::write(here.join("f"), "xy").unwrap();
    let before = fs::metadata(here.join("f")).unwrap().modified().unwrap();
    let commands: [(&[&str], &str); 6] = [
        (&["mkdir", "new"], "make directory"),
        (&["rmdir", "w/empty"], "remove directory"),
        (&["rmdirs", "w"], "remove directory"),
        (&["touch", "f", "-t", "2006-01-02T15:04:05"], "update modification time"),
        (&["deletefile", "f"], "delete"),
        (&["touch", "made"], "copy"),
    ];
    for (words, action) in commands {
        for (answers, end, code) in [
            ("n\nn\n", format!("Skipped {action} as --interactive is set"), 0),
            ("q\n", "NOTICE: Quitting fichier now".to_owned(), 0),
            // Nobody is there to say yes.
            ("", "there was nobody to ask".to_owned(), 1),
        ] {
            let assert = fichier(here).args(words).arg("-i").write_stdin(answers).assert().code(code);
            assert.stderr(contains(format!("fichier: {action} \""))).stderr(contains(end));
            assert!(here.join("w/empty").is_dir(), "{words:?} {answers:?}");
            assert!(!here.join("new").exists() && !here.join("made").exists(), "{words:?} {answers:?}");
            assert_eq!(fs::metadata(here.join("f")).unwrap().modified().unwrap(), before);
        }
    }
    for (words, _) in commands {
        fichier(here).args(words).arg("--interactive").write_stdin("y\ny\n").assert().success();
    }
    assert!(!here.join("w").exists() && !here.join("f").exists());
    assert!(here.join("new").is_dir() && here.join("made").is_file());
}
