//! Tests of what the program keeps of an account, and which calls that saves.

use std::{collections::BTreeMap, process::Stdio, time::Duration};

use crate::stage::{Stage, write_tree};

/// Makes a source with a number of folders of two files each.
fn source(stage: &Stage, folders: u32) -> String {
    let root = stage.directory("source");
    let files: BTreeMap<String, Vec<u8>> = (0..folders * 2)
        .map(|n| (format!("d{}/f{n}", n % folders), format!("content {n}").into_bytes()))
        .collect();
    write_tree(&root, &files);
    root.to_str().unwrap().to_owned()
}

fn calls(stage: &Stage) -> Vec<(String, u64)> {
    let calls = stage.counters().into_iter().collect();
    stage.control().reset_counters();
    calls
}

fn listings(count: u64) -> Vec<(String, u64)> {
    vec![("folder/ls".to_owned(), count)]
}

#[test]
fn a_sync_that_changes_nothing_lists_each_folder_or_all_files_or_nothing() {
    let stage = Stage::start();
    let from = source(&stage, 10);
    let sync = |how: &[&str]| {
        let words: Vec<&str> = ["sync", &from, "t:to"].iter().copied().chain(how.iter().copied()).collect();
        stage.run(&words).success();
        calls(&stage)
    };
    sync(&[]);
    assert_eq!(sync(&[]), listings(12));
    assert_eq!(sync(&["--catalogue", "trust"]), []);
    assert_eq!(sync(&["--fast-list"]), [("file/ls".to_owned(), 1)]);
    assert_eq!(sync(&["--fichier-catalogue", "trust=1d"]), []);
    assert_eq!(sync(&["--catalogue", "off"]), listings(12));
    assert_eq!(sync(&["--catalogue", "verify"]), listings(12));
    // A second time within the hour it is as without the flag.
    assert_eq!(sync(&["--fast-list", "--fichier-all-files-gap", "9999h"]), listings(12));
    stage.run(&["sync", &from, "t:to", "--catalogue", "believe"]).code(1);
}

#[test]
fn a_move_removes_no_source_on_hearsay() {
    let stage = Stage::start();
    let from = source(&stage, 1);
    stage.run(&["copy", &from, "t:to"]).success();
    // Someone else removes it all.
    stage.run(&["purge", "t:to", "--catalogue", "off"]).success();
    stage.run(&["move", &from, "t:to", "--catalogue", "trust"]).success();
    let paths: Vec<_> = stage.control().tree().unwrap().files.into_iter().map(|file| file.path).collect();
    assert_eq!(paths, ["/to/d0/f0", "/to/d0/f1"]);
}

#[test]
fn the_catalogue_can_be_seen_renewed_and_cleared() {
    let stage = Stage::start();
    stage.control().seed_file("a/b/f", b"x").unwrap();
    assert_eq!(stage.run(&["catalogue", "status"]).success_text(), "Nothing is kept yet.\n");
    stage.run(&["lsf", "t:"]).success();
    calls(&stage);
    stage.run(&["catalogue", "refresh", "t:"]).success();
    assert_eq!(calls(&stage), listings(3));
    let status = stage.run(&["catalogue", "status", "t:"]).success_text();
    assert!(
        status.starts_with("t: 1 files (1 B) in 2 directories; all is known of 3\n  listed between "),
        "{status}"
    );
    let lines = stage.run(&["catalogue", "export", "t:"]).success_text();
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let paths: Vec<_> = lines.iter().map(|line| line["Path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["", "a", "a/b", "a/b/f"]);
    assert_eq!(
        (lines[3]["Size"].as_u64(), lines[3]["Whirlpool"].as_str().map(str::len)),
        (Some(1), Some(128))
    );
    stage.run(&["lsf", "-R", "t:", "--catalogue", "trust"]).success();
    assert_eq!(calls(&stage), []);
    stage.run(&["catalogue", "clear", "t:", "--dry-run"]).success();
    stage.run(&["lsf", "-R", "t:", "--catalogue", "trust"]).success();
    assert_eq!(calls(&stage), []);
    stage.run(&["catalogue", "clear", "t:"]).success();
    stage.run(&["lsf", "-R", "t:", "--catalogue", "trust"]).success();
    assert_eq!(calls(&stage), listings(3));
}

#[test]
fn what_a_killed_run_left_unsure_is_listed_and_several_processes_do_no_harm() {
    let stage = Stage::start();
    let from = source(&stage, 20);
    for after in [20, 60, 120, 200, 300] {
        let runs: Vec<_> = (0..2)
            .map(|_| {
                let mut command = stage.command();
                command.args(["sync", &from, "t:to", "--catalogue", "trust"]);
                command.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
            })
            .collect();
        std::thread::sleep(Duration::from_millis(after));
        for mut run in runs {
            run.kill().unwrap();
            run.wait().unwrap();
        }
    }
    stage.run(&["sync", &from, "t:to", "--catalogue", "trust"]).success();
    let found = |path: &str| stage.control().tree().unwrap().files.iter().any(|file| file.path == path);
    for n in 0..40 {
        assert!(found(&format!("/to/d{}/f{n}", n % 20)), "{n}");
    }
    stage.run(&["sync", &from, "t:to", "--catalogue", "verify"]).success();
    calls(&stage);
    stage.run(&["sync", &from, "t:to", "--catalogue", "trust"]).success();
    assert_eq!(calls(&stage), []);
}
