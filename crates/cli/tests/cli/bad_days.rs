//! Tests with a service that answers wrongly once, or refuses for a while: that costs a few calls and no file, and what
//! can't be done is reported.

use std::{collections::BTreeMap, fs, time::Duration};

use crate::stage::{Stage, write_tree};

fn fault(stage: &Stage, fault: &str) {
    stage.control().add_fault(fault.parse().unwrap());
}

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

fn file(path: &str, content: &str) -> (String, Vec<u8>) {
    (path.to_owned(), content.as_bytes().to_vec())
}

#[test]
fn an_upload_that_a_node_answers_vaguely_is_sent_again_together() {
    for answer in ["empty", "html", "page:200:Come back later", "status:502", "close"] {
        let stage = Stage::start();
        let from = stage.directory("from");
        write_tree(&from, &numbered(3));
        fault(&stage, &format!("endpoint=upload.cgi,kind={answer},times=1"));
        let run = stage.run(&["copy", from.to_str().unwrap(), "t:d"]).code(0);
        assert!(run.stderr.contains("Nothing arrived: sending it again"), "{answer}: {}", run.stderr);
        assert_eq!(stored(&stage).len(), 3, "{answer}");
        assert_eq!(stage.counters()["upload.cgi"], 2, "{answer}");
    }
}

#[test]
fn an_upload_that_turns_out_to_have_arrived_is_not_left_double() {
    // Neither listings nor the node show it in time.
    let stage = Stage::start_changed("100", |builder| builder.lag(Duration::from_secs(20)));
    let from = stage.directory("from");
    write_tree(&from, &numbered(3));
    fault(&stage, "endpoint=upload.cgi,kind=plain-upload,times=1");
    fault(&stage, "endpoint=end.pl,kind=status:502");
    let mut run = stage.command();
    let mut run = run.args(["copy", from.to_str().unwrap(), "t:d"]).spawn().unwrap();
    while stage.counters().get("upload.cgi") != Some(&2) {
        assert!(run.try_wait().unwrap().is_none(), "it ended with one upload");
        std::thread::sleep(Duration::from_millis(5));
    }
    stage.control().clear_faults();
    assert!(run.wait().unwrap().success());
    assert_eq!(stored(&stage).len(), 3);
}

#[test]
fn a_copy_or_move_that_was_made_and_answered_by_an_error_is_not_made_again() {
    for answer in [
        "done-refusal:403:Not now #12",
        "done-refusal:404:No such thing #12",
        "done-refusal:200:Internal error #1",
        "done-refusal:200: ",
        "done-status:502",
        "done-status:503",
        "lost-answer",
    ] {
        for (command, endpoint) in [("copyto", "file/cp"), ("moveto", "file/mv")] {
            let stage = Stage::start();
            stage.control().seed_file("s/a", b"new").unwrap();
            stage.control().seed_file("d/a", b"old version").unwrap();
            fault(&stage, &format!("endpoint={endpoint},kind={answer},times=1"));
            stage.run(&[command, "t:s/a", "t:d/a"]).success();
            let mut expected = vec![file("/d/a", "new")];
            if command == "copyto" {
                expected.push(file("/s/a", "new"));
            }
            assert_eq!(stored(&stage), expected, "{command} {answer}");
            if endpoint == "file/cp" {
                assert_eq!(stage.counters()["file/cp"], 1, "{answer}");
            }
        }
    }
}

#[test]
fn what_was_not_done_once_is_asked_for_again() {
    let silent = r#"answer:{"status":"OK"}"#;
    for (endpoint, flags) in [
        ("file/mv", &["--backup-dir", "t:old"][..]),
        ("file/rename", &["--suffix", ".old"]),
        ("file/rm", &[]),
    ] {
        let stage = Stage::start();
        let from = stage.directory("from");
        fs::write(from.join("a"), b"new").unwrap();
        stage.control().seed_file("d/a", b"old version").unwrap();
        fault(&stage, &format!("endpoint={endpoint},kind={silent},times=1"));
        stage.run(&[&["copy", from.to_str().unwrap(), "t:d"], flags].concat()).success();
        assert_eq!(stage.counters()[endpoint], 2, "{endpoint}");
        let new = stored(&stage).into_iter().filter(|(path, _)| path == "/d/a");
        assert_eq!(new.collect::<Vec<_>>(), [file("/d/a", "new")], "{endpoint}");
        assert_eq!(stored(&stage).len(), if flags.is_empty() { 1 } else { 2 }, "{endpoint}");
    }
    for (command, endpoint) in [("copyto", "file/cp"), ("moveto", "file/mv")] {
        let stage = Stage::start();
        stage.control().seed_file("s/a", b"new").unwrap();
        fault(&stage, &format!("endpoint={endpoint},kind={silent},times=1"));
        stage.run(&[command, "t:s/a", "t:d/a"]).success();
        assert_eq!(stage.counters()[endpoint], 2, "{endpoint}");
        assert_eq!(stored(&stage)[0], file("/d/a", "new"));
    }
}

#[test]
fn single_commands_outlive_faults_that_pass() {
    let touch = &["touch", "t:d/a", "--fichier-empty-files", "marker"][..];
    for (words, faults) in [
        (&["mkdir", "t:d"][..], &["endpoint=folder/mkdir,kind=status:502,times=1"][..]),
        (&["mkdir", "t:d"], &["endpoint=folder/mkdir,kind=refusal:200:Internal error #1,times=1"]),
        (&["mkdir", "t:d"], &["endpoint=folder/mkdir,kind=done-status:502,times=1"]),
        (touch, &["endpoint=folder/mkdir,kind=status:502,times=1"]),
        (touch, &["endpoint=upload.cgi,kind=status:502,times=1"]),
        (touch, &["endpoint=upload.cgi,kind=empty,times=1"]),
        (touch, &["endpoint=upload/get_upload_server,kind=refusal:200:Internal error #1,times=1"]),
        (
            &["deletefile", "t:x/a"],
            &[
                "endpoint=file/rm,kind=lost-answer,times=1",
                "endpoint=file/rm,kind=refusal:404:Nothing here #12,after=1,times=1",
            ],
        ),
        (
            &["moveto", "t:x", "t:y"],
            &[
                "endpoint=folder/mv,kind=lost-answer,times=1",
                "endpoint=folder/mv,kind=refusal:404:Nothing here #12,after=1,times=1",
            ],
        ),
    ] {
        let stage = Stage::start();
        stage.control().seed_file("x/a", b"1").unwrap();
        for one in faults {
            fault(&stage, one);
        }
        let run = stage.run(words);
        assert_eq!(run.status, Some(0), "{words:?} {faults:?}: {}", run.stderr);
        let tree = stage.control().tree().unwrap();
        let twins = tree.folders.iter().filter(|folder| folder.name == "d").count();
        assert!(twins <= 1, "{words:?} {faults:?}");
    }
}

#[test]
fn a_folder_that_counts_as_full_for_a_while_is_waited_for() {
    // 3 s are left of the client's half a minute, so the lag is one of fifteen seconds.
    let stage = Stage::start_changed("10", |builder| builder.lag(Duration::from_millis(1500)));
    stage.control().seed_file("d/a", b"1").unwrap();
    std::thread::sleep(Duration::from_millis(1700));
    stage.run(&["purge", "t:d"]).success();
    assert!(stage.control().tree().unwrap().folders.is_empty());
}

#[test]
fn a_run_waits_no_longer_in_all_than_it_may() {
    let stage = Stage::start();
    stage.control().seed_file("d/a", b"1").unwrap();
    for kind in ["flood", "iplocked", "status:503:60", "refusal:200:Internal error #1"] {
        stage.control().clear_faults();
        fault(&stage, &format!("endpoint=folder/ls,kind={kind}"));
        let run = stage.run(&["lsf", "t:d", "--max-wait", "50us"]);
        assert!(run.stderr.contains("--max-wait"), "{kind}: {}", run.stderr);
        assert_ne!(run.status, Some(0), "{kind}");
    }
    stage.control().clear_faults();
    // The usual interval between calls doesn't count.
    fault(&stage, "endpoint=folder/ls,kind=refusal:200:Internal error #1,times=2");
    stage.run(&["lsf", "-R", "t:", "--max-wait", "1h", "--fichier-call-gap", "20s"]).success();
    let run = stage.run(&["lsf", "-R", "t:", "--max-wait", "1us", "--fichier-call-gap", "20s"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
}

#[test]
fn what_the_service_drops_without_a_word_is_sent_once_and_told() {
    let stage = Stage::start();
    let from = stage.directory("from");
    write_tree(&from, &numbered(3));
    fault(&stage, "endpoint=upload.cgi,kind=drop-upload,name=f01");
    let words = ["copy", from.to_str().unwrap(), "t:d"];
    let run = stage.run(&words);
    assert!(run.stderr.contains("took the bytes and keeps no file: refused?"), "{}", run.stderr);
    assert!(run.stderr.contains("--fichier-send-dropped"), "{}", run.stderr);
    assert_ne!(run.status, Some(0));
    // It was sent with the others, and alone.
    assert_eq!(stage.counters()["upload.cgi"], 2);
    assert_eq!(stored(&stage).len(), 2);
    let run = stage.run(&words);
    assert!(run.stderr.contains("not sent: less than an hour ago"), "{}", run.stderr);
    assert_ne!(run.status, Some(0));
    assert_eq!(stage.counters()["upload.cgi"], 2, "not sent again");
    // Other files are still sent, also some of the same size.
    fs::write(from.join("f09"), b"content 9").unwrap();
    assert_ne!(stage.run(&words).status, Some(0));
    assert_eq!(stored(&stage).len(), 3);
    stage.control().clear_faults();
    stage.run(&[&words[..], &["--fichier-send-dropped"]].concat()).success();
    assert_eq!(stored(&stage).len(), 4);
}

#[test]
fn a_sync_leaves_one_file_of_a_name() {
    for (command, left) in [("sync", 1), ("copy", 3)] {
        let stage = Stage::start();
        let from = stage.directory("from");
        fs::write(from.join("a"), b"new").unwrap();
        for (day, content) in [("01", "old version"), ("02", "new"), ("03", "new")] {
            let date = format!("2024-05-{day}T07:08:09Z").parse().unwrap();
            stage.control().seed_file_dated("d/a", content.as_bytes(), date).unwrap();
        }
        stage.run(&[command, from.to_str().unwrap(), "t:d"]).success();
        let files = stored(&stage);
        assert_eq!(files.len(), left, "{command}");
        assert!(files.contains(&file("/d/a", "new")), "{command}");
        assert_eq!(stage.counters().get("upload.cgi"), None, "{command}");
    }
}

#[test]
fn a_removal_of_an_old_version_that_fails_is_made_up_for_by_the_next_sync() {
    let stage = Stage::start();
    let from = stage.directory("from");
    fs::write(from.join("a"), b"new").unwrap();
    stage.control().seed_file("d/a", b"old version").unwrap();
    fault(&stage, "endpoint=file/rm,kind=message:Permission denied");
    let words = ["sync", from.to_str().unwrap(), "t:d"];
    assert_ne!(stage.run(&words).status, Some(0));
    assert_eq!(stored(&stage).len(), 2);
    stage.control().clear_faults();
    stage.run(&words).success();
    assert_eq!(stored(&stage), [file("/d/a", "new")]);
    assert_eq!(stage.counters()["upload.cgi"], 1);
}

#[test]
fn a_report_that_never_comes_is_waited_for_no_longer_than_a_run_may() {
    for kind in ["wait-report:100000", "empty-report:100000", "status:502"] {
        let stage = Stage::start_changed("100", |builder| builder);
        let from = stage.directory("from");
        write_tree(&from, &numbered(1));
        fault(&stage, &format!("endpoint=end.pl,kind={kind}"));
        let run = stage.run(&["copy", from.to_str().unwrap(), "t:d", "--max-wait", "100ms"]);
        assert!(run.stderr.contains("--max-wait"), "{kind}: {}", run.stderr);
        assert!(run.stderr.contains("this run has waited "), "{kind}: {}", run.stderr);
        assert!(!run.stderr.contains("has waited 0ms"), "{kind}: {}", run.stderr);
        // It is found by listing the directory.
        assert_eq!((run.status, stored(&stage).len()), (Some(0), 1), "{kind}: {}", run.stderr);
    }
}

#[test]
fn an_error_of_a_call_names_remote_and_path_and_says_what_to_do() {
    let stage = Stage::start();
    stage.control().seed_file("d/sub/a", b"1").unwrap();
    for (faults, words, place) in [
        ("message:Whatever this is #99", "Whatever this is #99", "\"t:\""),
        (r#"answer:{"status":"OK","files":3}"#, "doesn't say what was asked", "\"t:\""),
        ("refusal:200:Not today #12", "Not today #12", "\"t:\""),
    ] {
        stage.control().clear_faults();
        fault(&stage, &format!("endpoint=folder/ls,kind={faults}"));
        for command in
            [&["lsf", "t:d/sub"][..], &["size", "t:d"], &["copy", "t:d", "x"], &["sync", ".", "t:d"]]
        {
            let run = stage.run(command);
            let told = format!("list directory {place}: folder/ls.cgi: ");
            assert!(run.stderr.contains(&told) && run.stderr.contains(words), "{command:?}: {}", run.stderr);
            assert!(run.stderr.contains("Hint: try again"), "{command:?}: {}", run.stderr);
            assert!(!run.stderr.contains("look whether it was done"), "{command:?}: {}", run.stderr);
        }
    }
}

#[test]
fn a_folder_that_can_not_be_removed_is_told_in_the_words_of_the_service() {
    let stage = Stage::start();
    stage.control().seed_file("d/a", b"1").unwrap();
    fault(&stage, "endpoint=folder/rm,kind=message:You shall not pass #77");
    let run = stage.run(&["purge", "t:d"]);
    assert!(run.stderr.contains(r#"remove directory "t:d": folder/rm.cgi: "#), "{}", run.stderr);
    assert!(run.stderr.contains("You shall not pass #77"), "{}", run.stderr);
    assert!(!run.stderr.contains("purge removes"), "{}", run.stderr);
    assert_ne!(run.status, Some(0));
    let run = stage.run(&["rmdir", "t:d"]);
    assert!(run.stderr.contains("You shall not pass #77"), "{}", run.stderr);
    stage.control().clear_faults();
    stage.control().seed_file("d/b", b"1").unwrap();
    let run = stage.run(&["rmdir", "t:d"]);
    assert!(run.stderr.contains(r#"directory not empty: "t:d""#), "{}", run.stderr);
}

#[test]
fn a_try_that_failed_is_told_at_once_and_a_service_that_is_not_there_soon() {
    let stage = Stage::start();
    fault(&stage, "endpoint=folder/ls,kind=status:502,times=1");
    let run = stage.run(&["lsf", "t:"]);
    assert!(run.stderr.contains("NOTICE: folder/ls.cgi: "), "{}", run.stderr);
    assert!(run.stderr.contains("502") && run.stderr.contains("; try 2 of 10 in "), "{}", run.stderr);
    assert_eq!(run.status, Some(0));
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (address, words) in [
        (format!("http://{nobody}/"), "127.0.0.1: Connection refused"),
        ("http://no-such-host.invalid/".to_owned(), "no-such-host.invalid: "),
    ] {
        let began = std::time::Instant::now();
        let remote = format!(":fichier,api_key=K,endpoint=\"{address}\":");
        let run = stage.run(&["lsf", &remote]);
        assert!(run.stderr.contains(words), "{}", run.stderr);
        assert!(run.stderr.contains("check the connection"), "{}", run.stderr);
        assert_eq!(run.status, Some(5), "{}", run.stderr);
        assert!(began.elapsed() < Duration::from_secs(20), "{address}: {:?}", began.elapsed());
        assert_eq!(run.stderr.contains("; try 2 of 5 in "), words.contains("refused"), "{}", run.stderr);
    }
}

#[test]
fn what_could_not_be_named_at_the_service_does_not_stay_there() {
    let swapped = |stage: &Stage| {
        let from = stage.directory("from");
        fs::write(from.join("x"), b"AAA").unwrap();
        fs::write(from.join("y"), b"BBB").unwrap();
        stage.control().seed_file("d/x", b"BBB").unwrap();
        stage.control().seed_file("d/y", b"AAA").unwrap();
        fault(stage, "endpoint=file/rename,kind=message:no,name=x");
        from.to_str().unwrap().to_owned()
    };
    let stage = Stage::start();
    let from = swapped(&stage);
    stage.run(&["sync", &from, "t:d"]).success();
    assert_eq!(stored(&stage), [file("/d/x", "AAA"), file("/d/y", "BBB")]);
    // It can't be removed either: that is reported, and the run fails.
    let stage = Stage::start();
    let from = swapped(&stage);
    fault(&stage, "endpoint=file/rm,kind=message:no way");
    let run = stage.run(&["sync", &from, "t:d"]);
    assert!(run.stderr.contains("lies there by a copy or move that failed"), "{}", run.stderr);
    assert!(run.stderr.contains("no way"), "{}", run.stderr);
    assert!(run.stderr.contains(r#"an old version of "d/x" stays beside the new one"#), "{}", run.stderr);
    assert_ne!(run.status, Some(0));
    // A file that was moved and can't be renamed is moved back.
    for (retreat, left) in [(true, "/s/a"), (false, "/d/a")] {
        let stage = Stage::start();
        stage.control().seed_file("s/a", b"1").unwrap();
        stage.control().seed_file("s/b", b"2").unwrap();
        let to = ["move", "t:s", "t:d", "--name-transform", "all,prefix=n"];
        fault(&stage, "endpoint=file/rename,kind=message:no,name=a");
        fault(&stage, "endpoint=file/rename,kind=message:no,name=b");
        if !retreat {
            fault(&stage, "endpoint=file/mv,kind=message:no way,after=1");
        }
        let run = stage.run(&to);
        assert_ne!(run.status, Some(0));
        assert_eq!(stored(&stage)[0], file(left, "1"), "{}", run.stderr);
        assert_eq!(run.stderr.contains("can't be taken away"), !retreat, "{}", run.stderr);
    }
}

#[test]
fn a_sync_tells_each_name_of_which_it_leaves_several_files() {
    let stage = Stage::start();
    let from = stage.directory("from");
    fs::write(from.join("a"), b"new").unwrap();
    for (day, content) in [("01", "old"), ("02", "odd")] {
        let date = format!("2024-05-{day}T07:08:09Z").parse().unwrap();
        stage.control().seed_file_dated("d/a", content.as_bytes(), date).unwrap();
    }
    let one = from.join("a");
    for (source, flag) in [(&from, "--size-only"), (&from, "--ignore-existing"), (&one, "--ignore-existing")]
    {
        let run = stage.run(&["sync", source.to_str().unwrap(), "t:d", flag]);
        assert!(run.stderr.contains(r#"the destination has 2 files named "a""#), "{flag}: {}", run.stderr);
        assert_ne!(run.status, Some(0), "{flag}");
        stage.run(&["sync", from.to_str().unwrap(), "t:d", flag, "--exclude", "/a"]).success();
        stage.run(&["copy", from.to_str().unwrap(), "t:d", flag]).success();
    }
    assert_eq!(stored(&stage).len(), 2);
}

#[test]
fn copies_and_moves_remove_the_old_versions_that_a_run_before_could_not() {
    for command in ["copy", "move", "copyto"] {
        let stage = Stage::start();
        let from = stage.directory("from");
        fs::write(from.join("a"), b"new").unwrap();
        stage.control().seed_file("d/a", b"old version").unwrap();
        // It is no old version.
        let date = "2020-05-01T07:08:09Z".parse().unwrap();
        stage.control().seed_file_dated("d/b", b"another", date).unwrap();
        stage.control().seed_file("d/b", b"new b").unwrap();
        fs::write(from.join("b"), b"new b").unwrap();
        fault(&stage, "endpoint=file/rm,kind=message:Permission denied");
        let run = stage.run(&["copy", from.to_str().unwrap(), "t:d"]);
        assert!(run.stderr.contains("stays beside the new one"), "{}", run.stderr);
        assert!(run.stderr.contains("Permission denied"), "{}", run.stderr);
        assert_ne!(run.status, Some(0));
        assert_eq!(stored(&stage).len(), 4);
        stage.control().clear_faults();
        stage.run(&[command, from.to_str().unwrap(), "t:d", "--dry-run"]).success();
        assert_eq!(stored(&stage).len(), 4);
        stage.run(&[command, from.to_str().unwrap(), "t:d"]).success();
        assert_eq!(
            stored(&stage),
            [file("/d/a", "new"), file("/d/b", "another"), file("/d/b", "new b")],
            "{command}"
        );
    }
}

#[test]
fn a_run_that_was_killed_before_it_removed_old_versions_is_finished_by_the_next() {
    for (command, within, fault_then) in [
        ("copy", false, "endpoint=end.pl,kind=latency:600000"),
        ("move", false, "endpoint=end.pl,kind=latency:600000"),
        ("copy", true, "endpoint=file/cp,kind=late-answer:600000"),
        ("move", true, "endpoint=file/mv,kind=late-answer:600000"),
    ] {
        let stage = Stage::start();
        let from = stage.directory("from");
        fs::write(from.join("a"), b"new").unwrap();
        stage.control().seed_file("s/a", b"new").unwrap();
        let date = "2020-05-01T07:08:09Z".parse().unwrap();
        stage.control().seed_file_dated("d/a", b"old version", date).unwrap();
        fault(&stage, fault_then);
        let source = if within { "t:s" } else { from.to_str().unwrap() };
        let mut run = stage.command().args([command, source, "t:d"]).spawn().unwrap();
        while !stored(&stage).contains(&file("/d/a", "new")) {
            assert!(run.try_wait().unwrap().is_none(), "{command} {within}: it ended");
            std::thread::sleep(Duration::from_millis(5));
        }
        run.kill().unwrap();
        run.wait().unwrap();
        assert!(stored(&stage).contains(&file("/d/a", "old version")), "{command} {within}");
        stage.control().clear_faults();
        stage.run(&[command, source, "t:d"]).success();
        let mut left = stored(&stage);
        left.retain(|(path, _)| path.starts_with("/d/"));
        assert_eq!(left, [file("/d/a", "new")], "{command} {within}");
    }
}

#[test]
fn a_copy_at_the_service_whose_answer_is_lost_is_not_made_twice_when_listings_lag() {
    let stage = Stage::start_changed("100", |builder| builder.lag(Duration::from_millis(300)));
    stage.control().seed_file("s/a", b"1").unwrap();
    stage.control().seed_file("s/b", b"2").unwrap();
    stage.control().seed_folder("d").unwrap();
    std::thread::sleep(Duration::from_millis(450));
    fault(&stage, "endpoint=file/cp,kind=lost-answer,times=1");
    stage.run(&["copy", "t:s", "t:d"]).success();
    let mut left = stored(&stage);
    left.retain(|(path, _)| path.starts_with("/d/"));
    assert_eq!(left, [file("/d/a", "1"), file("/d/b", "2")]);
    assert_eq!(stage.counters()["file/cp"], 1);
}

#[test]
fn an_old_version_stays_when_its_new_one_never_came() {
    let stage = Stage::start();
    let from = stage.directory("from");
    fs::write(from.join("a"), b"new").unwrap();
    stage.control().seed_file("d/a", b"old version").unwrap();
    fault(&stage, "endpoint=upload/get_upload_server,kind=message:Permission denied");
    assert_ne!(stage.run(&["copy", from.to_str().unwrap(), "t:d", "--retries", "1"]).status, Some(0));
    stage.control().clear_faults();
    // Someone else puts the same content there, beside the one that nothing has replaced.
    let date = "2040-05-01T07:08:09Z".parse().unwrap();
    stage.control().seed_file_dated("d/a", b"new", date).unwrap();
    stage.run(&["copy", from.to_str().unwrap(), "t:d"]).success();
    let mut left = stored(&stage);
    left.retain(|(path, _)| path.starts_with("/d/"));
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn cdn_credit_is_used_when_a_download_is_refused_without_it() {
    let refusal = "endpoint=download,kind=page:403:Usage of professional services is restricted,times=1";
    for (flags, works, tokens) in
        [(&[][..], false, 1), (&["--fichier-cdn", "auto"], true, 3), (&["--fichier-cdn=auto"], true, 3)]
    {
        let stage = Stage::start();
        stage.control().seed_file("d/a", b"1").unwrap();
        stage.control().seed_file("d/b", b"2").unwrap();
        fault(&stage, refusal);
        let to = stage.directory("to");
        let run = stage.run(&[&["copy", "t:d", to.to_str().unwrap(), "--retries", "1"], flags].concat());
        assert_eq!(run.status == Some(0), works, "{flags:?}: {}", run.stderr);
        assert_eq!(stage.counters()["download/get_token"], tokens, "{flags:?}");
        if works {
            assert!(run.stderr.contains("from here on downloads use the CDN"), "{}", run.stderr);
        }
    }
}

#[test]
fn a_character_that_the_service_does_not_take_costs_one_upload() {
    let stage = Stage::start();
    let from = stage.directory("from");
    write_tree(&from, &[("aqb".to_owned(), b"1".to_vec()), ("c".to_owned(), b"2".to_vec())].into());
    fault(&stage, "endpoint=upload.cgi,kind=store-as:q");
    fault(&stage, "endpoint=file/rename,kind=message:Invalid name #1");
    let words = ["copy", from.to_str().unwrap(), "t:d"];
    assert_ne!(stage.run(&words).status, Some(0));
    let calls = stage.counters();
    fs::write(from.join("q2"), b"another").unwrap();
    let run = stage.run(&words);
    assert!(run.stderr.contains("the service stores 'q' in names as something else"), "{}", run.stderr);
    assert_ne!(run.status, Some(0));
    assert_eq!(stage.counters().get("upload.cgi"), calls.get("upload.cgi"));
    assert_eq!(stored(&stage), [file("/d/c", "2")]);
}

#[test]
fn a_new_folder_of_another_name_than_was_asked_for_is_looked_at() {
    let stage = Stage::start();
    fault(&stage, r#"endpoint=folder/mkdir,kind=field:name="e",times=1"#);
    // Only the answer was wrong.
    stage.run(&["mkdir", "t:d"]).success();
    assert_eq!(stage.run(&["lsf", "t:"]).success_text(), "d/\n");
    let calls = stage.counters();
    assert_eq!((calls["folder/mkdir"], calls.get("folder/mv"), calls.get("folder/rm")), (1, None, None));
}
