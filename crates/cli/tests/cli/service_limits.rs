//! Tests of what the service allows in time and number, and of how its dates are read.

use std::{
    fs,
    process::Stdio,
    time::{Duration, SystemTime},
};

use fichier_emulator::{Builder, FolderRename};

use crate::stage::Stage;

#[test]
fn a_file_that_cannot_arrive_in_time_is_told_before_a_byte_goes() {
    // 0.144 s are left of the 4 hours, in which 1 MB/s bring some 150 kB.
    let stage = Stage::start_changed("100000", |builder| builder.upload_time(Duration::from_secs(60)));
    let from = stage.directory("from");
    fs::write(from.join("big"), vec![1; 1_000_000]).unwrap();
    let words = ["copy", from.to_str().unwrap(), "t:d", "--bwlimit", "1M", "--retries", "1"];
    let run = stage.run(&words);
    for part in
        ["big", "1.0 MB take 0.9 s at 1.0 MB/s", "the service ends an upload after 0.1 s", "--bwlimit"]
    {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    assert_ne!(run.status, Some(0));
    assert_eq!(stage.counters().get("upload/get_upload_server"), None);
    // Small files are sent, fewer in one upload.
    fs::remove_file(from.join("big")).unwrap();
    fs::write(from.join("a"), vec![2; 100_000]).unwrap();
    fs::write(from.join("b"), vec![3; 100_000]).unwrap();
    stage.run(&words).success();
    assert_eq!(stage.counters()["upload.cgi"], 2);
}

#[test]
fn ages_go_by_the_moment_and_times_are_shown_as_rclone_shows_them() {
    let stage = Stage::start_changed("1000", Builder::french_dates);
    let half_an_hour_ago = SystemTime::now() - Duration::from_secs(1800);
    let ago = |hours: u64| (half_an_hour_ago - Duration::from_secs(hours * 3600)).try_into().unwrap();
    stage.control().seed_file_dated("d/new", b"1", ago(0)).unwrap();
    stage.control().seed_file_dated("d/old", b"2", ago(1)).unwrap();
    let lsf = |words: &[&str]| stage.run(&[&["lsf", "t:d"], words].concat()).success_text();
    assert_eq!(lsf(&["--max-age", "1h"]), "new\n");
    assert_eq!(lsf(&["--min-age", "1h"]), "old\n");
    assert_eq!(lsf(&["--max-age", "1h", "--fichier-dates", "paris"]), "new\n");
    stage.control().seed_file_dated("e/f", b"1", "2024-07-01T10:00:00Z".parse().unwrap()).unwrap();
    let lsl = |words: &[&str]| stage.run(&[&["lsl", "t:e"], words].concat()).success_text();
    assert_eq!(lsl(&[]), "        1 2024-07-01 12:00:00.000000000 f\n");
    assert_eq!(lsl(&["--fichier-dates", "paris"]), "        1 2024-07-01 10:00:00.000000000 f\n");
}

#[test]
fn a_download_waits_for_another_program_s_and_says_so_but_not_for_a_dead_one_s() {
    let stage = Stage::start_changed("10", |builder| builder);
    stage.control().seed_file("d/long", &vec![1; 1 << 20]).unwrap();
    stage.control().seed_file("d/f", b"2").unwrap();
    let cat = |file: &str, words: &[&str]| {
        let mut command = stage.command();
        command.args(["cat", file, "--fichier-download-connections", "1"]).args(words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    // A quarter of an hour.
    let mut long = cat("t:d/long", &["--bwlimit", "1k"]);
    while !stage.counters().contains_key("download") {
        assert!(long.try_wait().unwrap().is_none(), "it has ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut short = cat("t:d/f", &[]);
    std::thread::sleep(Duration::from_millis(1500));
    assert!(short.try_wait().unwrap().is_none(), "it waits");
    assert_eq!(stage.counters()["download"], 1);
    long.kill().unwrap();
    long.wait().unwrap();
    let output = short.wait_with_output().unwrap();
    assert_eq!(output.stdout, b"2");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.matches("1Fichier allows no more downloads at once").count(), 1, "{said}");
    assert!(!said.contains("600"), "{said}");
}

/// Returns all files of the account, by their paths.
fn paths(stage: &Stage) -> Vec<String> {
    let mut paths: Vec<_> = stage.control().tree().unwrap().files.into_iter().map(|file| file.path).collect();
    paths.sort();
    paths
}

#[test]
fn a_folder_that_was_moved_and_not_yet_renamed_is_settled_by_the_next_run() {
    for way in [FolderRename::Moves, FolderRename::Stays] {
        let stage = Stage::start_changed("1000", |builder| builder.folder_rename(way));
        let source = stage.directory("source");
        fs::create_dir_all(source.join("b/y")).unwrap();
        fs::write(source.join("b/y/f"), b"content").unwrap();
        fs::create_dir(source.join("a")).unwrap();
        fs::write(source.join("a/stays"), b"other").unwrap();
        stage.control().seed_file("d/a/stays", b"other").unwrap();
        let words = ["sync", source.to_str().unwrap(), "t:d"];
        // This is the state after a run that was killed between its two calls.
        stage.control().seed_file("d/b/x/f", b"content").unwrap();
        stage.run(&words).success();
        assert_eq!(paths(&stage), ["/d/a/stays", "/d/b/y/f"], "{way}");
        assert_eq!((stage.counters().get("folder/mv"), stage.counters().get("upload.cgi")), (Some(&1), None));
        // The second call is refused, and so is the one that would put the folder back.
        fs::rename(source.join("b/y"), source.join("a/z")).unwrap();
        let refused = "endpoint=folder/mv,after=1,times=2,kind=refusal:403:Resource not allowed #631";
        stage.control().add_fault(refused.parse().unwrap());
        let run = stage.run(&words);
        assert!(run.stderr.contains("is now at"), "{}", run.stderr);
        stage.control().clear_faults();
        stage.run(&words).success();
        assert_eq!(paths(&stage), ["/d/a/stays", "/d/a/z/f"], "{way}");
    }
}

/// Interrupts the move of a folder to another parent under a new name while its second call is on its way, and returns
/// how the run ended.
#[cfg(unix)]
fn interrupted_between_calls(stage: &Stage, milliseconds: u64) -> (Option<i32>, String) {
    stage.control().seed_file("q/d/f", b"content").unwrap();
    stage.control().seed_folder("z").unwrap();
    let slow = format!("endpoint=folder/mv,kind=latency:{milliseconds},after=1");
    stage.control().add_fault(slow.parse().unwrap());
    let mut run = stage.command();
    run.args(["move", "t:q/d", "t:z/dd"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut run = run.spawn().unwrap();
    while stage.counters().get("folder/mv") != Some(&2) {
        assert!(run.try_wait().unwrap().is_none(), "it has ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    let told = std::process::Command::new("kill").args(["-s", "INT", &run.id().to_string()]).status();
    assert!(told.unwrap().success());
    let output = run.wait_with_output().unwrap();
    stage.control().clear_faults();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[cfg(unix)]
#[test]
fn a_run_that_is_stopped_between_the_two_calls_of_a_move_makes_the_second() {
    let stage = Stage::start();
    let (code, said) = interrupted_between_calls(&stage, 1200);
    assert_eq!(code, Some(130), "{said}");
    assert!(!said.contains("goes on from here"), "{said}");
    assert_eq!(paths(&stage), ["/z/dd/f"], "{said}");
}

#[cfg(unix)]
#[test]
fn a_run_that_has_to_leave_a_directory_between_two_calls_says_where_it_is() {
    let stage = Stage::start();
    let (code, said) = interrupted_between_calls(&stage, 60_000);
    assert_eq!(code, Some(130), "{said}");
    assert!(!said.contains("goes on from here"), "{said}");
    let finish = r#"fichier moveto "t:z/d" "t:z/dd""#;
    assert!(said.trim_end().ends_with(finish), "{said}");
    assert_eq!(paths(&stage), ["/z/d/f"]);
    // Repeating the move finds it, too.
    let run = stage.run(&["move", "t:q/d", "t:z/dd"]).code(3);
    assert!(run.stderr.contains(r#"directory not found: "t:q/d""#), "{}", run.stderr);
    assert!(run.stderr.contains(finish), "{}", run.stderr);
    stage.run(&["moveto", "t:z/d", "t:z/dd"]).success();
    assert_eq!(paths(&stage), ["/z/dd/f"]);
}

#[test]
fn a_move_whose_second_call_is_refused_says_where_the_directory_is() {
    let stage = Stage::start();
    stage.control().seed_file("q/d/f", b"content").unwrap();
    stage.control().seed_folder("z").unwrap();
    let refused = "endpoint=folder/mv,after=1,kind=refusal:403:Resource not allowed #631";
    stage.control().add_fault(refused.parse().unwrap());
    let run = stage.run(&["move", "t:q/d", "t:z/dd"]);
    assert!(run.status.is_some_and(|code| code != 0), "{}", run.stderr);
    assert!(run.stderr.contains(r#""t:q/d" is now at "t:z/d""#), "{}", run.stderr);
    assert!(!run.stderr.contains("directory not found"), "{}", run.stderr);
    assert!(run.stderr.contains(r#"fichier moveto "t:z/d" "t:z/dd""#), "{}", run.stderr);
}
