//! The flags that say how a local tree is read and written.

#[cfg(unix)]
#[test]
fn what_is_left_out_of_a_local_tree_can_be_left_out_silently() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    std::fs::create_dir(here.join("w")).unwrap();
    std::fs::write(here.join("w/f"), "x").unwrap();
    std::os::unix::fs::symlink("f", here.join("w/link")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(here.join("w/socket")).unwrap();
    let run = |flags: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_fichier"));
        let output =
            command.env_clear().env("HOME", here).current_dir(here).args(["lsf", "w"]).args(flags).output();
        let output = output.unwrap();
        assert!(output.status.success());
        assert_eq!(String::from_utf8_lossy(&output.stdout), "f\n", "{flags:?}");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        ["link", "socket"].map(|name| stderr.contains(&format!("{name}: left out")))
    };
    assert_eq!(run(&[]), [true, true]);
    assert_eq!(run(&["--skip-links"]), [false, true]);
    assert_eq!(run(&["--skip-specials"]), [true, false]);
}

#[cfg(target_os = "linux")]
#[test]
fn other_file_systems_can_be_left_out() {
    let run = |flags: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_fichier"));
        let output = command.env_clear().args(["lsf", "--dirs-only", "/"]).args(flags).output().unwrap();
        let listed = String::from_utf8_lossy(&output.stdout).into_owned();
        ["proc/", "usr/"].map(|name| listed.lines().any(|line| line == name))
    };
    assert_eq!(run(&[]), [true, true]);
    assert!(!run(&["-x"])[0]);
    assert!(!run(&["--one-file-system"])[0]);
}

#[test]
fn times_can_be_left_alone() {
    use std::time::{Duration, SystemTime};
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for folder in ["a", "b"] {
        std::fs::create_dir(here.join(folder)).unwrap();
        std::fs::write(here.join(folder).join("f"), "same").unwrap();
    }
    std::fs::File::options().append(true).open(here.join("b/f")).unwrap().set_modified(old).unwrap();
    let run = |flags: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_fichier"));
        command.env_clear().env("HOME", here).current_dir(here).args(["copy", "a", "b"]).args(flags);
        assert!(command.status().unwrap().success());
        std::fs::metadata(here.join("b/f")).unwrap().modified().unwrap() == old
    };
    assert!(run(&["--no-update-modtime"]));
    assert!(!run(&[]));
}
