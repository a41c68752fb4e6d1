//! Answers that don't say what was requested: cut, contradicting themselves, silent, about another file. Whatever
//! comes, no file is lost and none is there twice.

use std::{collections::BTreeMap, time::Duration};

use fichier_emulator::Lists;

use crate::stage::{Stage, assert_tree, write_tree};

/// Answers that confirm nothing.
const SILENT: &[&str] = &["{}", "[]", "null", r#"{"status":"OK"}"#];

fn numbered(count: u32) -> BTreeMap<String, Vec<u8>> {
    (0..count).map(|n| (format!("f{n:02}"), format!("content {n}").into_bytes())).collect()
}

/// Returns what the account holds: path and content.
fn stored(stage: &Stage) -> Vec<(String, Vec<u8>)> {
    let control = stage.control();
    let files = control.tree().unwrap().files.into_iter();
    let mut files: Vec<_> =
        files.map(|file| (file.path.clone(), control.content(&file.url).unwrap())).collect();
    files.sort();
    files
}

fn paths(stage: &Stage) -> Vec<String> {
    stored(stage).into_iter().map(|(path, _)| path).collect()
}

fn fault(stage: &Stage, fault: &str) {
    stage.control().add_fault(fault.parse().unwrap());
}

#[test]
fn a_cut_listing_is_read_on_in_windows() {
    let stage = Stage::start_changed("1000", |builder| builder.listing_cap(Some(20)));
    let files = numbered(60);
    for (n, (name, bytes)) in files.iter().enumerate() {
        let date = format!("2024-05-06T07:{n:02}:09Z").parse().unwrap();
        stage.control().seed_file_dated(&format!("d/{name}"), bytes, date).unwrap();
    }
    let to = stage.directory("to");
    write_tree(&to, &files);
    stage.run(&["sync", "t:d", to.to_str().unwrap()]).success();
    assert_tree(&to, &files, "nothing was to be removed");
    stage.run(&["sync", to.to_str().unwrap(), "t:d"]).success();
    assert_eq!(stage.counters().get("upload.cgi"), None);
}

#[test]
fn a_listing_that_stays_cut_removes_nothing_and_sends_nothing_again() {
    let stage = Stage::start_changed("1000", |builder| builder.listing_cap(Some(20)));
    let files = numbered(60);
    // All files are of one second: no window separates them.
    let date = "2024-05-06T07:08:09Z".parse().unwrap();
    for (name, bytes) in &files {
        stage.control().seed_file_dated(&format!("d/{name}"), bytes, date).unwrap();
    }
    let to = stage.directory("to");
    write_tree(&to, &files);
    let to = to.to_str().unwrap();
    for words in [["sync", "t:d", to], ["sync", to, "t:d"], ["copy", to, "t:d"]] {
        let run = stage.run(&words);
        assert!(run.stderr.contains("is incomplete: 20 of 60 files"), "{words:?}: {}", run.stderr);
        assert_ne!(run.status, Some(0), "{words:?}");
        assert_tree(to.as_ref(), &files, "nothing is removed on a cut listing's word");
        assert_eq!(stage.counters().get("upload.cgi"), None, "{words:?}");
    }
}

#[test]
fn an_answer_that_contradicts_itself_is_no_empty_folder() {
    let answers = [SILENT, &[r#"{"status":"OK","files":3}"#, r#"{"status":"OK","items":[]}"#]].concat();
    for answer in answers {
        let stage = Stage::start();
        let files = numbered(3);
        for (name, bytes) in &files {
            stage.control().seed_file(&format!("d/{name}"), bytes).unwrap();
        }
        let to = stage.directory("to");
        write_tree(&to, &files);
        // The root is listed as it is, the folder isn't.
        fault(&stage, &format!("endpoint=folder/ls,kind=answer:{answer},after=1"));
        fault(&stage, &format!("endpoint=file/ls,kind=answer:{answer}"));
        let run = stage.run(&["sync", "t:d", to.to_str().unwrap(), "--retries", "1"]);
        assert_ne!(run.status, Some(0), "{answer}: {}", run.stderr);
        assert_tree(&to, &files, answer);
    }
}

#[test]
fn a_copy_or_move_that_no_answer_confirms_and_that_did_not_happen_takes_no_old_version_away() {
    for answer in SILENT {
        for (command, endpoint) in [("copyto", "file/cp"), ("moveto", "file/mv")] {
            let stage = Stage::start();
            stage.control().seed_file("s/a", b"new").unwrap();
            stage.control().seed_file("d/a", b"old version").unwrap();
            fault(&stage, &format!("endpoint={endpoint},kind=answer:{answer}"));
            let run = stage.run(&[command, "t:s/a", "t:d/a", "--retries", "1"]);
            assert_ne!(run.status, Some(0), "{command} {answer}: {}", run.stderr);
            let expected =
                [("/d/a".to_owned(), b"old version".to_vec()), ("/s/a".to_owned(), b"new".to_vec())];
            assert_eq!(stored(&stage), expected, "{command} {answer}");
        }
    }
}

#[test]
fn a_copy_or_move_that_happened_without_a_word_is_found() {
    for answer in SILENT {
        for (command, endpoint) in [("copyto", "file/cp"), ("moveto", "file/mv")] {
            let stage = Stage::start();
            stage.control().seed_file("s/a", b"new").unwrap();
            stage.control().seed_file("d/a", b"old version").unwrap();
            fault(&stage, &format!("endpoint={endpoint},kind=done-answer:{answer}"));
            stage.run(&[command, "t:s/a", "t:d/a"]).success();
            assert_eq!(stored(&stage)[0], ("/d/a".to_owned(), b"new".to_vec()), "{command} {answer}");
            assert_eq!(stored(&stage).len(), if command == "copyto" { 2 } else { 1 }, "{command} {answer}");
        }
    }
}

#[test]
fn a_list_that_is_done_in_part_counts_for_the_part_that_was_done() {
    let stage = Stage::start_changed("1000", |builder| builder.lists(Lists::Partial));
    for name in ["a", "b", "c"] {
        stage.control().seed_file(&format!("s/{name}"), format!("new {name}").as_bytes()).unwrap();
        stage.control().seed_file(&format!("d/{name}"), b"old version").unwrap();
    }
    stage.run(&["lsf", "-R", "t:"]).success();
    // Someone else removes a source that the catalogue knows.
    stage.run(&["deletefile", "t:s/b", "--catalogue", "off"]).success();
    let run = stage.run(&["copy", "t:s", "t:d", "--catalogue", "trust", "--retries", "1"]);
    assert_ne!(run.status, Some(0), "{}", run.stderr);
    let content = |path: &str| -> Vec<Vec<u8>> {
        stored(&stage).into_iter().filter(|(name, _)| name == path).map(|(_, bytes)| bytes).collect()
    };
    assert_eq!(content("/d/a"), [b"new a"]);
    assert_eq!(content("/d/b"), [b"old version"]);
    assert_eq!(content("/d/c"), [b"new c"]);
}

#[test]
fn what_cant_be_read_at_the_destination_isnt_sent_again() {
    let stage = Stage::start();
    let from = stage.directory("from");
    write_tree(&from, &numbered(2));
    stage.run(&["copy", from.to_str().unwrap(), "t:d"]).success();
    write_tree(&from, &numbered(3));
    fault(&stage, "endpoint=folder/ls,kind=drop-field:url");
    let run = stage.run(&["copy", from.to_str().unwrap(), "t:d", "--retries", "1"]);
    assert_ne!(run.status, Some(0), "{}", run.stderr);
    assert_eq!(stored(&stage).len(), 3, "{}", run.stderr);
}

#[test]
fn an_old_version_that_stays_is_an_error() {
    for words in [&["copy"][..], &["move"], &["sync"]] {
        let stage = Stage::start();
        let from = stage.directory("from");
        stage.control().seed_file("d/f00", b"old version").unwrap();
        write_tree(&from, &numbered(1));
        fault(&stage, "endpoint=file/rm,kind=message:Permission denied");
        let run = stage.run(&[words, &[from.to_str().unwrap(), "t:d", "--retries", "1"]].concat());
        assert_ne!(run.status, Some(0), "{words:?}: {}", run.stderr);
        assert!(run.stderr.contains("stays beside the new one"), "{}", run.stderr);
        assert_eq!(stored(&stage).len(), 2, "{words:?}");
        // The source of a move stays, too.
        assert!(from.join("f00").exists(), "{words:?}");
    }
}

#[test]
fn a_count_alone_is_no_proof() {
    for (endpoint, count, target) in [("file/mv", "moved", "e/b"), ("file/rename", "renamed", "d/b")] {
        let stage = Stage::start();
        stage.control().seed_file("d/a", b"new").unwrap();
        stage.control().seed_file(target, b"the one that would go").unwrap();
        fault(&stage, &format!("endpoint={endpoint},kind=answer:{{\"status\":\"OK\",\"{count}\":1}}"));
        let run = stage.run(&["moveto", "t:d/a", &format!("t:{target}"), "--retries", "1"]);
        assert_ne!(run.status, Some(0), "{endpoint}: {}", run.stderr);
        let old = stored(&stage).into_iter().filter(|(_, bytes)| bytes == b"the one that would go");
        assert_eq!(old.count(), 1, "{endpoint}: {}", run.stderr);
    }
}

#[test]
fn what_a_listing_names_and_does_not_tell_is_told_by_every_command() {
    let stage = Stage::start();
    stage.control().seed_file("d/a", b"1").unwrap();
    fault(&stage, "endpoint=folder/ls,kind=drop-field:url");
    for words in [&["lsf"][..], &["size"], &["delete"], &["hashsum", "whirlpool"], &["lsjson"]] {
        let run = stage.run(&[words, &["t:d"]].concat());
        assert_ne!(run.status, Some(0), "{words:?}: {}", run.stderr);
    }
    assert_eq!(stored(&stage).len(), 1);
}

#[test]
fn a_removal_counts_when_the_file_is_gone() {
    for answer in SILENT {
        let stage = Stage::start();
        stage.control().seed_file("d/a", b"1").unwrap();
        fault(&stage, &format!("endpoint=file/rm,kind=answer:{answer},times=1"));
        let run = stage.run(&["deletefile", "t:d/a", "--retries", "1", "--low-level-retries", "1"]);
        assert_ne!(run.status, Some(0), "{answer}: {}", run.stderr);
        assert_eq!(paths(&stage), ["/d/a"], "{answer}");
        stage.control().clear_faults();
        fault(&stage, &format!("endpoint=file/rm,kind=done-answer:{answer},times=1"));
        stage.run(&["deletefile", "t:d/a"]).success();
        assert_eq!(paths(&stage), [""; 0], "{answer}");
    }
}

#[test]
fn a_folder_that_no_answer_confirms_is_looked_up() {
    for answer in SILENT {
        let stage = Stage::start();
        fault(&stage, &format!("endpoint=folder/mkdir,kind=done-answer:{answer},times=1"));
        stage.run(&["mkdir", "t:d"]).success();
        // Each try is answered this way, or the next one would make it.
        fault(&stage, &format!("endpoint=folder/mkdir,kind=answer:{answer}"));
        assert_ne!(stage.run(&["mkdir", "t:e", "--retries", "1"]).status, Some(0), "{answer}");
        let names = |stage: &Stage| {
            let folders = stage.control().tree().unwrap().folders.into_iter();
            folders.map(|folder| folder.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&stage), ["d"], "{answer}");
        stage.control().clear_faults();
        // A folder that didn't move isn't counted as moved: its file is where the run says.
        stage.control().seed_file("d/a", b"1").unwrap();
        fault(&stage, &format!("endpoint=folder/mv,kind=answer:{answer},times=1"));
        let run = stage.run(&["moveto", "t:d", "t:f", "--retries", "1"]);
        let expected = if run.status == Some(0) { "/f/a" } else { "/d/a" };
        assert_eq!(paths(&stage), [expected], "{answer}: {}", run.stderr);
    }
}

#[test]
fn an_upload_whose_answer_is_lost_while_listings_lag_is_known_by_its_report() {
    let stage = Stage::start_changed("1000", |builder| builder.lag(Duration::from_secs(8)));
    let from = stage.directory("from");
    write_tree(&from, &numbered(5));
    fault(&stage, "endpoint=upload.cgi,kind=lost-answer,times=1");
    stage.run(&["copy", from.to_str().unwrap(), "t:d"]).success();
    assert_eq!(stored(&stage).len(), 5);
    let counters = stage.counters();
    assert_eq!((counters.get("upload.cgi"), counters.get("end.pl")), (Some(&1), Some(&1)));
    // Only the root is listed: no listing has to show what arrived.
    assert_eq!(counters.get("folder/ls"), Some(&1));
}

#[test]
fn a_file_stored_under_another_name_gets_its_own_or_goes() {
    let stage = Stage::start();
    let from = stage.directory("from");
    write_tree(&from, &[("aqb".to_owned(), b"1".to_vec()), ("c".to_owned(), b"2".to_vec())].into());
    let from = from.to_str().unwrap();
    fault(&stage, "endpoint=upload.cgi,kind=store-as:q");
    stage.run(&["copy", from, "t:d"]).success();
    assert_eq!(paths(&stage), ["/d/aqb", "/d/c"]);
    stage.run(&["copy", from, "t:d"]).success();
    assert_eq!(stage.counters().get("upload.cgi"), Some(&1), "nothing is sent again");
    // A file that can't be renamed is removed and reported.
    fault(&stage, "endpoint=file/rename,kind=message:Invalid name #1");
    let run = stage.run(&["copy", from, "t:e", "--retries", "1"]);
    assert!(run.stderr.contains("stores it as \"a_b\""), "{}", run.stderr);
    assert_ne!(run.status, Some(0));
    assert_eq!(paths(&stage), ["/d/aqb", "/d/c", "/e/c"]);
}

#[test]
fn a_report_that_names_a_file_that_was_there_before_takes_nothing_away() {
    for content in [&b"new"[..], b"old"] {
        let stage = Stage::start();
        stage.control().seed_file("d/old", b"old").unwrap();
        let from = stage.directory("from").join("new");
        std::fs::write(&from, content).unwrap();
        fault(&stage, "endpoint=end.pl,kind=wrong-link");
        stage.run(&["copyto", from.to_str().unwrap(), "t:d/new"]).success();
        let expected = [("/d/new".to_owned(), content.to_vec()), ("/d/old".to_owned(), b"old".to_vec())];
        assert_eq!(stored(&stage), expected);
        assert_eq!(stage.counters().get("upload.cgi"), Some(&1));
        // The same in a folder that the run doesn't know, with bytes that arrive altered.
        fault(&stage, "endpoint=upload.cgi,kind=corrupt-upload:1");
        let run = stage.run(&["copyto", from.to_str().unwrap(), "t:e/new", "--retries", "1"]);
        assert_ne!(run.status, Some(0), "{}", run.stderr);
        assert!(paths(&stage).contains(&"/d/old".to_owned()), "{:?}", paths(&stage));
    }
}
