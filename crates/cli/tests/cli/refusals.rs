//! What the service refuses: one file or all of them, for a moment or for good, in words or without.

use std::{collections::BTreeMap, fs};

use crate::stage::{Stage, read_tree, write_tree};

fn fault(stage: &Stage, fault: &str) {
    stage.control().add_fault(fault.parse().unwrap());
}

fn numbered(count: u32) -> BTreeMap<String, Vec<u8>> {
    (1..=count).map(|n| (format!("f{n}"), format!("content {n}").into_bytes())).collect()
}

fn seed(stage: &Stage, files: &BTreeMap<String, Vec<u8>>) {
    for (name, bytes) in files {
        stage.control().seed_file(&format!("d/{name}"), bytes).unwrap();
    }
}

#[test]
fn a_refused_file_costs_itself_and_no_other() {
    for refused in ["f1", "f3"] {
        for words in ["page:403:This file was blocked for copyright", "message:Blocked file #77"] {
            for transfers in ["1", "4"] {
                let stage = Stage::start();
                let mut files = numbered(8);
                seed(&stage, &files);
                fault(&stage, &format!("endpoint=download,name={refused},kind={words}"));
                let to = stage.directory("to");
                let run = stage.run(&["copy", "t:d", to.to_str().unwrap(), "--transfers", transfers]);
                assert!(
                    run.stderr.contains("locked for") || run.stderr.contains("Blocked file"),
                    "{}",
                    run.stderr
                );
                assert!(!run.stderr.contains("nothing more is asked"), "{}", run.stderr);
                assert_ne!(run.status, Some(0), "{refused} {words}");
                files.remove(refused);
                assert_eq!(read_tree(&to), files, "{refused} {words} {transfers}: {}", run.stderr);
            }
        }
    }
}

#[test]
fn after_three_refused_files_in_a_row_no_more_are_asked_for() {
    let stage = Stage::start();
    seed(&stage, &numbered(8));
    fault(&stage, "endpoint=download,kind=page:403:Nothing for you here");
    let to = stage.directory("to");
    let run = stage.run(&["copy", "t:d", to.to_str().unwrap(), "--retries", "1"]);
    assert!(run.stderr.matches("Nothing for you here").count() >= 8, "{}", run.stderr);
    assert!(run.stderr.contains("so it said of 3 files in a row"), "{}", run.stderr);
    let calls = stage.counters();
    assert_eq!((calls["download/get_token"], calls["download"]), (3, 3));
}

#[test]
fn a_refusal_without_words_passes() {
    for refusal in ["status:403", "plain:403:", "empty"] {
        let stage = Stage::start();
        let files = numbered(8);
        seed(&stage, &files);
        fault(&stage, &format!("endpoint=download,kind={refusal},times=1"));
        let to = stage.directory("to");
        stage.run(&["copy", "t:d", to.to_str().unwrap()]).success();
        assert_eq!(read_tree(&to), files, "{refusal}");
    }
}

#[test]
fn a_lock_is_waited_out_whatever_status_its_words_have() {
    for status in [200, 403, 429, 503] {
        for words in ["IP Locked", "Flood detected: IP Locked #374"] {
            for endpoint in ["folder/ls", "download", "download/get_token"] {
                let stage = Stage::start_changed("10000", |builder| builder);
                seed(&stage, &numbered(1));
                fault(&stage, &format!("endpoint={endpoint},kind=plain:{status}:{words},times=1"));
                let run = stage.run(&["cat", "t:d/f1", "-vv"]);
                let what = if words.starts_with("IP") { "locked this address" } else { "detected a flood" };
                assert!(run.stderr.contains(what), "{endpoint} {status}: {}", run.stderr);
                assert!(!run.stderr.contains("makes no sense"), "{endpoint} {status}: {}", run.stderr);
                assert_eq!(run.success_text(), "content 1");
            }
        }
    }
    let stage = Stage::start_changed("10000", |builder| builder);
    let from = stage.directory("from");
    write_tree(&from, &numbered(1));
    fault(&stage, "endpoint=upload.cgi,kind=plain:200:IP Locked,times=1");
    stage.run(&["copy", from.to_str().unwrap(), "t:d"]).success();
    assert_eq!(stage.counters()["upload.cgi"], 2);
}

#[test]
fn what_is_called_missing_once_is_looked_up_whether_it_was_done_or_not() {
    let (done, refused) = ("done-refusal:404:Resource not found #469", "refusal:404:Resource not found #469");
    let from = "from";
    for kind in [done, refused] {
        for (endpoint, words, left) in [
            ("file/rename", &["moveto", "t:d/f1", "t:d/g"][..], &["/d/g"][..]),
            ("folder/mkdir", &["mkdir", "t:new/a"], &["/d/f1"]),
            ("folder/mkdir", &["copy", from, "t:new"], &["/d/f1", "/new/x", "/new/y"]),
            ("folder/rm", &["rmdir", "t:empty"], &["/d/f1"]),
            ("folder/mv", &["moveto", "t:d", "t:e"], &["/e/f1"]),
        ] {
            let stage = Stage::start();
            seed(&stage, &numbered(1));
            stage.control().seed_folder("empty").unwrap();
            let directory = stage.home().join(from);
            fs::create_dir(&directory).unwrap();
            fs::write(directory.join("x"), "1").unwrap();
            fs::write(directory.join("y"), "2").unwrap();
            fault(&stage, &format!("endpoint={endpoint},kind={kind},times=1"));
            let run = stage.run(&[words, &["--retries", "1"]].concat());
            let tree = stage.control().tree().unwrap();
            let mut paths: Vec<_> = tree.files.into_iter().map(|file| file.path).collect();
            paths.sort();
            assert_eq!(paths, left, "{kind} {words:?}: {}", run.stderr);
            let mut folders: Vec<_> = tree.folders.into_iter().map(|folder| folder.path).collect();
            folders.sort();
            folders.retain(|path| !["/d", "/e"].contains(&path.as_str()));
            let expected: &[&str] = match (endpoint, words[0]) {
                ("folder/rm", _) => &[],
                (_, "mkdir") => &["/empty", "/new", "/new/a"],
                (_, "copy") => &["/empty", "/new"],
                _ => &["/empty"],
            };
            assert_eq!(folders, expected, "{kind} {words:?}: {}", run.stderr);
            assert_eq!(run.status, Some(0), "{kind} {words:?}: {}", run.stderr);
        }
    }
}

#[test]
fn a_range_that_is_the_whole_file_is_verified_as_such() {
    let stage = Stage::start();
    stage.control().seed_file("d/b", &[b'B'; 1000]).unwrap();
    fault(&stage, "endpoint=download,kind=corrupt-download:500");
    for flags in [
        &[][..],
        &["--head", "1000"],
        &["--count", "1000"],
        &["--count", "2000"],
        &["--tail", "1000"],
        &["--offset", "-1000"],
    ] {
        let run = stage.run(&[&["cat", "t:d/b", "--discard"], flags].concat());
        assert_ne!(run.status, Some(0), "{flags:?}: {}", run.stderr);
    }
    stage.run(&["cat", "t:d/b", "--discard", "--head", "999"]).success();
}
