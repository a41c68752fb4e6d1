//! Tests of what a run reports while it goes: numbers for programs, names as they were typed, and why it waits.

use std::fs;

use crate::stage::{Run, Stage};

/// Returns the objects of a log of JSON objects.
fn objects(run: &Run) -> Vec<serde_json::Value> {
    run.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn statistics_are_numbers_with_rclones_names() {
    let stage = Stage::start();
    let source = stage.directory("source");
    fs::write(source.join("a"), "hello").unwrap();
    let run = stage.run(&["copy", source.to_str().unwrap(), "t:to", "-v", "--use-json-log"]).code(0);
    let objects = objects(&run);
    let copied = objects.iter().find(|object| object["msg"] == "Copied (new)").unwrap();
    assert_eq!((&copied["size"], &copied["object"]), (&5.into(), &"a".into()), "{copied}");
    let stats = &objects.last().unwrap()["stats"];
    // rclone 1.75.2 has these names.
    for name in [
        "bytes",
        "checks",
        "deletedDirs",
        "deletes",
        "elapsedTime",
        "errors",
        "listed",
        "renames",
        "serverSideCopies",
        "serverSideCopyBytes",
        "serverSideMoveBytes",
        "serverSideMoves",
        "speed",
        "totalBytes",
        "totalChecks",
        "totalTransfers",
        "transferTime",
        "transfers",
    ] {
        assert!(stats[name].is_number(), "{name}: {stats}");
    }
    assert!(stats["fatalError"].is_boolean() && stats["retryError"].is_boolean(), "{stats}");
    assert_eq!((&stats["bytes"], &stats["transfers"]), (&5.into(), &1.into()), "{stats}");
    let text = stage.run(&["copy", source.to_str().unwrap(), "t:two", "-v"]).code(0).stderr;
    assert!(!text.contains("totalBytes"), "{text}");
}

#[test]
fn what_is_sent_again_counts_once() {
    let stage = Stage::start();
    let source = stage.directory("source");
    for name in ["a", "b"] {
        fs::write(source.join(name), "hello").unwrap();
    }
    stage.control().add_fault("endpoint=upload.cgi,kind=status:502,times=2".parse().unwrap());
    let run = stage.run(&["copy", source.to_str().unwrap(), "t:to", "-v", "--use-json-log"]).code(0);
    let stats = objects(&run).pop().unwrap()["stats"].clone();
    assert_eq!((&stats["bytes"], &stats["totalBytes"]), (&10.into(), &10.into()), "{stats}");
    assert!(stage.counters()["upload.cgi"] > 1);
}

// Measured with rclone 1.75.2: `sync --dry-run --use-json-log`.
#[test]
fn a_dry_run_names_what_it_skips_in_fields() {
    let stage = Stage::start();
    let (source, to) = (stage.directory("source"), stage.directory("to"));
    fs::create_dir(source.join("k")).unwrap();
    fs::write(source.join("a"), "hello").unwrap();
    fs::write(source.join("k/b"), "hello").unwrap();
    fs::write(to.join("extra"), "old").unwrap();
    let run = stage.run(&["sync", "work/source", "work/to", "--dry-run", "--use-json-log"]).code(0);
    let objects = objects(&run);
    for (path, skipped, size) in [("a", "copy", 5), ("k/b", "copy", 5), ("extra", "delete", 3)] {
        let object = objects.iter().find(|object| object["object"] == path).unwrap();
        assert_eq!((&object["skipped"], &object["size"]), (&skipped.into(), &size.into()), "{object}");
    }
    let stats = &objects.last().unwrap()["stats"];
    assert_eq!(stats["listed"], 4, "{stats}");
    let run = stage.run(&["mkdir", "work/new", "--dry-run", "--use-json-log"]).code(0);
    assert!(run.stderr.contains("\"skipped\":\"make directory\""), "{}", run.stderr);
    let run = stage.run(&["sync", "work/source", "work/to", "--dry-run"]).code(0);
    assert!(run.stderr.contains("NOTICE: a: Skipped copy as --dry-run is set (size 5)\n"), "{}", run.stderr);
}

#[test]
fn a_configuration_file_that_was_named_and_is_not_there_is_told() {
    let stage = Stage::start();
    stage.directory("source");
    let said = "Config file \"nowhere.conf\" not found - using defaults";
    let run = stage.run(&["listremotes", "--config", "nowhere.conf"]).code(0);
    assert_eq!(run.stderr.matches(said).count(), 1, "{}", run.stderr);
    let mut named = stage.command();
    named.env("RCLONE_CONFIG", "nowhere.conf").args(["copy", "work/source", "t:x"]);
    let run = Run::of(&mut named, "copy").code(0);
    assert_eq!(run.stderr.matches(said).count(), 1, "{}", run.stderr);
    for words in [&["listremotes"][..], &["listremotes", "--config", ""]] {
        assert_eq!(stage.run(words).code(0).stderr, "");
    }
}

#[test]
fn a_move_at_the_service_counts_as_done() {
    let stage = Stage::start();
    let source = stage.directory("source");
    fs::write(source.join("a"), "hello").unwrap();
    fs::write(source.join("b"), "there").unwrap();
    stage.run(&["copy", source.to_str().unwrap(), "t:to"]).success();
    let run = stage.run(&["moveto", "t:to/a", "t:to/c", "-v", "--use-json-log"]).code(0);
    let stats = objects(&run).pop().unwrap()["stats"].clone();
    assert_eq!((&stats["bytes"], &stats["totalBytes"]), (&5.into(), &5.into()), "{stats}");
    assert_eq!((&stats["serverSideMoves"], &stats["serverSideMoveBytes"]), (&1.into(), &5.into()), "{stats}");
    let text = stage.run(&["moveto", "t:to/b", "t:to/d", "-v"]).code(0).stderr;
    assert!(text.contains("5 B / 5 B, 100%") && text.contains("Server Side Moves:      1 @ 5 B"), "{text}");
}

#[test]
fn names_in_the_log_begin_at_the_runs_root() {
    let stage = Stage::start();
    let source = stage.directory("source/deep");
    fs::write(source.join("a"), "hello").unwrap();
    let from = source.parent().unwrap().to_str().unwrap();
    // A filter separates them, so that the folder doesn't move as a whole.
    let words = ["move", from, "work/target", "-v", "--include", "/deep/a"];
    let text = stage.run(&words).code(0).stderr;
    assert!(text.contains("INFO  : deep/a: Moved"), "{text}");
    assert!(!text.contains(from), "{text}");
    fs::write(source.join("a"), "hello").unwrap();
    let text = stage.run(&["move", from, "t:target", "-v"]).code(0).stderr;
    assert!(text.contains("INFO  : deep/a: Deleted") && !text.contains(from), "{text}");
}

#[test]
fn a_wait_after_an_error_says_which_error_and_which_try_it_was() {
    let stage = Stage::start();
    stage.control().add_fault("kind=status:502,endpoint=folder/ls,times=4".parse().unwrap());
    let run =
        Run::of(stage.command().args(["lsf", "t:"]).env("RCLONE_CONFIG_T_TIME_SCALE", "1"), "lsf").code(0);
    let lines: Vec<_> = run.stderr.lines().filter(|line| line.contains("; try ")).collect();
    assert!(!lines.is_empty(), "{}", run.stderr);
    for line in lines {
        assert!(line.contains("502") && line.contains(" of 10 in "), "{line}");
    }
}

#[test]
fn files_that_cannot_be_written_are_named_and_so_is_what_help_wants() {
    let stage = Stage::start();
    stage.directory("d");
    for words in
        [&["hashsum", "md5", "work/d", "--output-file", "none/x"][..], &["tree", "work/d", "-o", "none/x"]]
    {
        let run = stage.run(words).code(2);
        assert!(run.stderr.contains("can't write to none/x"), "{words:?} {}", run.stderr);
    }
    if cfg!(target_os = "linux") {
        std::fs::write(stage.directory("s").join("f"), "x").unwrap();
        let full = [
            &["copy", "work/s", "t:s", "--combined", "/dev/full"][..],
            &["check", "work/s", "t:s", "--combined", "/dev/full"],
            &["sync", "work/s", "t:s", "--dest-after", "/dev/full"],
            &["hashsum", "md5", "work/s", "--output-file", "/dev/full"],
            &["tree", "work/s", "-o", "/dev/full"],
        ];
        for words in full {
            let run = stage.run(words).code(1);
            assert!(run.stderr.contains("can't write to /dev/full: No space"), "{words:?} {}", run.stderr);
        }
    }
    if cfg!(target_os = "linux") {
        let run = stage.run(&["copy", "work/s", "work/n", "--log-file", "/dev/full", "-v"]).code(0);
        assert!(
            run.stderr.contains("The log can't be written") && run.stderr.contains("Copied"),
            "{}",
            run.stderr
        );
    }
    let run = stage.run(&["help", "man"]).code(1);
    assert!(run.stderr.contains("fichier help man DIR"), "{}", run.stderr);
    stage.run(&["moveto", "work/d", "work/e", "--delete-empty-src-dirs"]).code(1);
}

#[test]
fn who_is_not_paced_with_others_is_told_once() {
    let stage = Stage::start();
    stage.control().seed_file("a/f", b"x").unwrap();
    let words = ["copy", "t:a", "t:b"];
    let said = |run: Run| run.stderr.matches("calls aren't spaced with those of other processes").count();
    assert_eq!(said(Run::of(stage.command().env_remove("HOME").args(words), "without HOME").code(0)), 1);
    assert_eq!(said(stage.run(&words).code(0)), 0);
    let words = ["lsf", "work"];
    stage.directory("d");
    assert_eq!(said(Run::of(stage.command().env_remove("HOME").args(words), "without HOME").code(0)), 0);
}

#[test]
fn one_file_is_named_in_the_log() {
    let stage = Stage::start();
    let d = stage.directory("d");
    for words in [
        &["delete", "work/d/f", "-v"][..],
        &["delete", "work/d/f", "--dry-run"],
        &["deletefile", "work/d/f", "-v"],
    ] {
        fs::write(d.join("f"), "x").unwrap();
        let run = stage.run(words).code(0);
        let named = [": f: Deleted", ": f: Skipped delete"].iter().any(|text| run.stderr.contains(text));
        assert!(named, "{words:?} {}", run.stderr);
    }
    fs::write(d.join("f"), "x").unwrap();
    stage.run(&["copyto", "work/d/f", "work/d/g"]).success();
    let run = stage.run(&["copyto", "work/d/f", "work/d/g", "-vv", "--combined=-"]).code(0);
    assert!(run.stderr.contains(": f: Unchanged skipping"), "{}", run.stderr);
    assert_eq!(run.stdout, "= g\n");
}

// Measured with rclone 1.75.2.
#[test]
fn a_backup_that_cannot_be_opened_ends_with_7() {
    let stage = Stage::start();
    let from = stage.directory("from");
    fs::write(from.join("f"), "x").unwrap();
    for flag in ["--backup-dir=nope:", "--compare-dest=nope:", "--copy-dest=nope:"] {
        let run = stage.run(&["sync", "work/from", "work/to", flag]).code(7);
        assert!(
            run.stderr.contains("nope") && run.stderr.contains("didn't find section"),
            "{flag} {}",
            run.stderr
        );
        assert!(!stage.home().join("work/to").exists());
    }
}

#[test]
fn an_account_that_tells_nothing_of_its_space_is_an_error() {
    let stage = Stage::start();
    let answer = r#"endpoint=user/info,kind=answer:{"status":"OK"}"#;
    stage.control().add_fault(answer.parse().unwrap());
    let run = stage.run(&["about", "t:"]);
    assert!(
        run.status.is_some_and(|code| code != 0) && run.stdout.is_empty(),
        "{} {}",
        run.stdout,
        run.stderr
    );
}

#[test]
fn an_answer_that_tells_nothing_of_the_account_isnt_remembered() {
    let stage = Stage::start();
    let answer = r#"endpoint=user/info,kind=answer:{"status":"OK"},times=1"#;
    stage.control().add_fault(answer.parse().unwrap());
    assert!(stage.run(&["about", "t:"]).status.is_some_and(|code| code != 0));
    // An address may ask only once in a while.
    let began = std::time::Instant::now();
    while stage.run(&["about", "t:"]).status != Some(0) {
        assert!(began.elapsed() < std::time::Duration::from_secs(20));
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(stage.counters()["user/info"], 2);
}

#[test]
fn a_directory_that_is_still_there_after_a_bare_ok_is_told() {
    let stage = Stage::start();
    stage.control().seed_file("d/e/f", b"1").unwrap();
    let answer = r#"endpoint=folder/rm,kind=answer:{"status":"OK"}"#;
    stage.control().add_fault(answer.parse().unwrap());
    let run = stage.run(&["purge", "t:d"]);
    assert!(run.status.is_some_and(|code| code != 0), "{}", run.stderr);
    assert!(run.stderr.contains(r#"remove directory "t:d""#), "{}", run.stderr);
    stage.control().clear_faults();
    stage.run(&["purge", "t:d"]).success();
    assert_eq!(stage.run(&["lsf", "t:"]).success_text(), "");
}

#[test]
fn directories_that_are_gone_after_a_bare_ok_cost_one_listing() {
    let stage = Stage::start();
    stage.control().seed_file("d/e/f", b"1").unwrap();
    stage.control().seed_file("d/g/f", b"1").unwrap();
    stage.control().add_fault("endpoint=folder/rm,kind=drop-field:message".parse().unwrap());
    stage.run(&["lsf", "-R", "t:d"]).success();
    let before = stage.counters()["folder/ls"];
    stage.run(&["purge", "t:d", "--fichier-catalogue", "off"]).success();
    // The three directories before, and the root once afterwards, which was listed to find the first one.
    assert_eq!(stage.counters()["folder/ls"] - before, 5);
    assert_eq!(stage.run(&["lsf", "t:"]).success_text(), "");
}
