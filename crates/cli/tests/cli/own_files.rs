//! Tests of the files that the program keeps for itself: a damaged one stops no run, and costs only time.

use std::{
    fs,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use crate::stage::Stage;

/// Returns all files below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Makes a stage on which one file was copied, and returns the files that the program keeps.
fn used() -> (Stage, Vec<PathBuf>) {
    let stage = Stage::start();
    fs::write(stage.directory("here").join("a"), "content").unwrap();
    stage.run(&["copy", "work/here", "t:one"]).success();
    stage.run(&["complete-path", "t:"]).success();
    let kept = files(&stage.home().join(".cache"));
    assert!(kept.len() >= 3, "{kept:?}");
    (stage, kept)
}

#[test]
fn they_are_their_owners_alone() {
    let (stage, kept) = used();
    for path in kept.iter().map(PathBuf::as_path).chain([&*stage.home().join(".cache/fichier")]) {
        let mode = fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
    }
}

#[test]
fn pipes_and_devices_in_their_places_are_neither_waited_for_nor_read() {
    let (stage, kept) = used();
    for (path, device) in kept.iter().flat_map(|path| [(path, false), (path, true)]) {
        // A lock file or an answer that is no longer needed may be gone.
        drop(fs::remove_file(path));
        if device {
            symlink("/dev/zero", path).unwrap();
        } else {
            assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
        }
        let run = stage.run(&["copy", "work/here", "t:two"]).code(0);
        let kind = fs::metadata(path).map(|metadata| metadata.file_type());
        assert_eq!(stage.run(&["complete-path", "t:o"]).success_text(), "t:one/\n");
        if path.extension().is_some_and(|end| end == "sqlite") {
            assert!(kind.unwrap().is_fifo() != device, "{}: not ours to remove", path.display());
            let name = path.file_name().unwrap().to_str().unwrap();
            let said = run.stderr.contains(name) && run.stderr.contains("it is no regular file; remove it");
            assert!(said, "{}: {}", path.display(), run.stderr);
        }
        drop(fs::remove_file(path));
        stage.run(&["copy", "work/here", "t:three"]).success();
    }
    assert_eq!(stage.control().tree().unwrap().files.len(), 3);
}

#[test]
fn damaged_ones_are_begun_anew() {
    let (stage, kept) = used();
    for path in &kept {
        fs::write(path, "nothing that anybody wrote here, and long enough to be taken for a database")
            .unwrap();
    }
    let run = stage.run(&["copy", "work/here", "t:two"]).code(0);
    assert!(
        run.stderr.contains("hash cache") && run.stderr.contains("is damaged and begun anew"),
        "{}",
        run.stderr
    );
    let run = stage.run(&["copy", "work/here", "t:two", "-v"]).code(0);
    assert!(!run.stderr.contains("damaged"), "{}", run.stderr);
    assert!(stage.run(&["hashcache", "status"]).success_text().contains("Checksums: 1\n"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_run_that_dies_leaves_no_memory_image() {
    let stage = Stage::start();
    let mut command = stage.command();
    let mut child = command
        .args(["rcat", "t:x"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let limits = format!("/proc/{}/limits", child.id());
    let is_off = || {
        let limits = fs::read_to_string(&limits).unwrap();
        let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap().to_owned();
        line.split_whitespace().rev().skip(1).take(2).all(|limit| limit == "0")
    };
    // The program has only just begun.
    let began = std::time::Instant::now();
    while !is_off() {
        assert!(began.elapsed().as_secs() < 20, "{}", fs::read_to_string(&limits).unwrap());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
