//! Tests of the flags that say how a local tree is read and written.

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
        ["link: left out", "socket: Can't transfer non file/directory"]
            .map(|words| stderr.matches(words).count() == 1)
    };
    assert_eq!(run(&[]), [true, true]);
    assert_eq!(run(&["--skip-links"]), [false, true]);
    assert_eq!(run(&["--skip-specials"]), [true, false]);
}

#[cfg(unix)]
#[test]
fn what_is_neither_a_file_nor_a_folder_is_told_once_and_named_where_it_is_all_that_was_asked_for() {
    let stage = crate::stage::Stage::start();
    let work = stage.directory("w");
    std::fs::write(work.join("f"), "x").unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(work.join("p")).unwrap();
    for to in ["work/d", "t:d"] {
        let run = stage.run(&["sync", "work/w", to]).code(0);
        assert_eq!(
            run.stderr.matches("NOTICE: p: Can't transfer non file/directory").count(),
            1,
            "{}",
            run.stderr
        );
        let run = stage.run(&["sync", "work/w", to, "--skip-specials"]).code(0);
        assert!(!run.stderr.contains("p: "), "{}", run.stderr);
        for words in [&["copy", "work/w/p", to][..], &["copyto", "work/w/p", "t:q"], &["lsf", "work/w/p"]] {
            for flag in ["--skip-specials=false", "--skip-specials"] {
                let run = stage.run(&[words, &[flag]].concat());
                assert_ne!(run.status, Some(0), "{words:?}");
                let said = "work/w/p\" is a socket, neither a file nor a directory";
                assert!(run.stderr.contains(said), "{words:?} {}", run.stderr);
                assert!(!run.stderr.contains("NOTICE"), "{words:?} {}", run.stderr);
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn folders_that_are_one_once_their_accents_are_composed_are_told_and_nothing_goes() {
    let stage = crate::stage::Stage::start();
    let work = stage.directory("w");
    for (name, file) in [("caf\u{e9}", "a"), ("cafe\u{301}", "b")] {
        std::fs::create_dir(work.join(name)).unwrap();
        std::fs::write(work.join(name).join(file), "x").unwrap();
    }
    std::fs::create_dir_all(stage.home().join("d/caf\u{e9}")).unwrap();
    std::fs::write(stage.home().join("d/caf\u{e9}/b"), "old").unwrap();
    for _ in 0..2 {
        let run = stage.run(&["sync", "work/w", "d", "--local-unicode-normalization"]).code(6);
        assert!(run.stderr.contains("several names there are one"), "{}", run.stderr);
        assert!(stage.home().join("d/caf\u{e9}/b").exists());
    }
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

#[cfg(target_os = "linux")]
#[test]
fn a_tree_that_is_deeper_than_a_path_may_be_long_is_a_tree_like_others() {
    let stage = crate::stage::Stage::start();
    let work = stage.directory("w");
    let way: std::path::PathBuf = std::iter::repeat_n("d".repeat(200), 11).collect();
    for half in ["one", "two"] {
        std::fs::create_dir_all(work.join(half).join(&way)).unwrap();
    }
    std::fs::write(work.join("two").join(&way).join("f"), "text").unwrap();
    std::fs::rename(work.join("two"), work.join("one").join(&way).join("two")).unwrap();
    let deep = way.join("two").join(&way).join("f");
    assert!(deep.as_os_str().len() > 4096);
    let lists = |place: &str| {
        let listed = stage.run(&["lsf", "-R", "--files-only", place]).success_text();
        assert_eq!(listed.trim_end(), deep.to_str().unwrap(), "{place}");
    };
    lists("work/w/one");
    stage.run(&["copy", "work/w/one", "work/w/copy"]).success();
    lists("work/w/copy");
    stage.run(&["sync", "work/w/one", "work/w/copy", "--ignore-times"]).success();
    stage.run(&["check", "--download", "work/w/one", "work/w/copy"]).success();
    stage.run(&["move", "work/w/copy", "work/w/moved", "--exclude", "none"]).success();
    lists("work/w/moved");
    stage.run(&["size", "-L", "work/w/one"]).success();
    for gone in ["one", "moved"] {
        stage.run(&["purge", &format!("work/w/{gone}")]).success();
        assert!(!work.join(gone).exists());
    }
}
