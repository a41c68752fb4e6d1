//! Tests of transfers through the binary, against the emulated service: bytes, calls, exit codes.

use std::{collections::BTreeMap, fs, path::Path};

use crate::stage::{Stage, assert_tree, read_tree, write_tree};

/// Makes a small tree with nested folders, unicode and sizes around the hashing and batching thresholds.
fn sample() -> BTreeMap<String, Vec<u8>> {
    let big: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    BTreeMap::from([
        ("a.txt".to_owned(), b"alpha".to_vec()),
        ("deep/er/and/deeper.bin".to_owned(), big),
        ("deep/x".to_owned(), vec![0; 32 * 1024]),
        ("deep/y".to_owned(), vec![1; 32 * 1024 + 1]),
        ("ünï/çödé ‛quoted‛ <\"$`'>.txt".to_owned(), b"names".to_vec()),
        (" leading and trailing ".to_owned(), b"spaces".to_vec()),
    ])
}

#[test]
fn a_directory_goes_up_is_listed_and_comes_down() {
    let stage = Stage::start();
    let (source, target) = (stage.directory("source"), stage.directory("target"));
    write_tree(&source, &sample());
    stage.run(&["copy", source.to_str().unwrap(), "t:backup"]).success();
    let listed = stage.run(&["lsf", "-R", "--files-only", "t:backup"]).success_text();
    let mut names: Vec<&str> = listed.lines().collect();
    names.sort_unstable();
    let expected: Vec<_> = sample().into_keys().collect();
    assert_eq!(names, expected);
    stage.run(&["copy", "t:backup", target.to_str().unwrap()]).success();
    assert_tree(&target, &sample(), "downloaded");
    // Nothing is left to do.
    stage.control().reset_counters();
    stage.run(&["copy", source.to_str().unwrap(), "t:backup", "--error-on-no-transfer"]).code(9);
    assert!(!stage.counters().contains_key("upload.cgi"));
}

/// rclone lists the first and the last of these, and then doesn't find them; it stores the others as they are here.
#[test]
fn names_of_quotes_come_back_as_they_were() {
    let stage = Stage::start();
    let (source, target) = (stage.directory("source"), stage.directory("target"));
    let names =
        ["‛", "‛‛", "‛‛‛‛", "a‛‛b", "a‛b", "‛＜", "‛FF", "‛.empty", "x‛‛.empty", "‛E2‛80‛9B", "d‛/‛‛/f‛"];
    let tree: BTreeMap<_, _> = names.iter().map(|name| ((*name).to_owned(), b"1".to_vec())).collect();
    write_tree(&source, &tree);
    stage.run(&["copy", source.to_str().unwrap(), "t:quotes"]).success();
    let stored: Vec<_> = stage.control().tree().unwrap().files.into_iter().map(|file| file.name).collect();
    for name in ["‛‛", "‛‛‛‛", "a‛‛b"] {
        assert!(stored.iter().any(|stored| stored == name), "{name}: {stored:?}");
    }
    stage.run(&["copy", "t:quotes", target.to_str().unwrap()]).success();
    assert_tree(&target, &tree, "downloaded");
    stage.run(&["sync", source.to_str().unwrap(), "t:quotes", "--error-on-no-transfer"]).code(9);
    stage.run(&["check", source.to_str().unwrap(), "t:quotes"]).success();
}

#[test]
fn the_demo_remote_needs_nothing_and_remembers() {
    let stage = Stage::start();
    let (source, target) = (stage.directory("source"), stage.directory("target"));
    write_tree(&source, &sample());
    stage.run(&["copy", source.to_str().unwrap(), "demo:backup", "-P"]).success();
    stage.run(&["copy", "demo:backup", target.to_str().unwrap()]).success();
    assert_tree(&target, &sample(), "downloaded");
    let about = stage.run(&["about", "demo:", "--json"]).success_text();
    assert!(about.contains("\"used\""), "{about}");
    assert!(stage.counters().is_empty(), "the demo service is another one");
}

#[test]
fn two_hundred_files_into_ten_new_folders_cost_22_api_calls_and_20_to_nodes() {
    let stage = Stage::start();
    let source = stage.directory("source");
    let tree = (0..200).map(|n| (format!("d{}/f{n}", n % 10), format!("content {n}").into_bytes())).collect();
    write_tree(&source, &tree);
    stage.control().seed_folder("there").unwrap();
    stage.run(&["copy", source.to_str().unwrap(), "t:there"]).success();
    let expected = [
        ("end.pl", 10),
        ("folder/ls", 2),
        ("folder/mkdir", 10),
        ("upload.cgi", 10),
        ("upload/get_upload_server", 10),
    ];
    assert_eq!(stage.counters(), BTreeMap::from(expected.map(|(name, count)| (name.to_owned(), count))));
    assert_eq!(stage.control().tree().unwrap().files.len(), 200);
}

#[test]
fn a_recursive_listing_costs_one_call_a_folder() {
    let stage = Stage::start();
    for n in 0..30 {
        stage.control().seed_file(&format!("a{}/b{}/f{n}", n % 3, n % 5), b"x").unwrap();
    }
    let folders = stage.control().tree().unwrap().folders.len() as u64;
    for command in
        [&["lsf", "-R", "t:"][..], &["ls", "t:"], &["size", "t:"], &["lsjson", "-R", "--hash", "t:"]]
    {
        stage.control().reset_counters();
        stage.run(command).success();
        let root_counts = stage.control().tree().unwrap().folders.iter().any(|folder| folder.name == "Root");
        let expected = if root_counts { folders } else { folders + 1 };
        assert_eq!(stage.counters(), BTreeMap::from([("folder/ls".to_owned(), expected)]), "{command:?}");
    }
}

#[test]
fn deleting_250_files_of_one_folder_costs_two_listings_and_two_removals() {
    let stage = Stage::start();
    for n in 0..250 {
        stage.control().seed_file(&format!("d/f{n}"), b"x").unwrap();
    }
    stage.run(&["delete", "t:d"]).success();
    // A hundred, then twice as many at most.
    let expected = [("file/rm", 2), ("folder/ls", 2)];
    assert_eq!(stage.counters(), BTreeMap::from(expected.map(|(name, count)| (name.to_owned(), count))));
    assert!(stage.control().tree().unwrap().files.is_empty());
    stage.run(&["purge", "t:d"]).success();
    assert_eq!(stage.run(&["lsf", "t:"]).success_text(), "");
}

#[test]
fn a_copy_inside_the_account_moves_no_bytes() {
    let stage = Stage::start();
    for n in 0..120 {
        stage.control().seed_file(&format!("from/f{n}"), format!("{n}").as_bytes()).unwrap();
    }
    stage.run(&["copy", "t:from", "t:to"]).success();
    let expected = [("file/cp", 2), ("folder/ls", 2), ("folder/mkdir", 1)];
    assert_eq!(stage.counters(), BTreeMap::from(expected.map(|(name, count)| (name.to_owned(), count))));
    assert_eq!(stage.control().tree().unwrap().files.len(), 240);
}

#[test]
fn a_changed_file_of_the_same_size_is_seen_and_replaced_after_the_new_one_is_there() {
    let stage = Stage::start();
    let source = stage.directory("source");
    stage.control().seed_file("d/a", b"old").unwrap();
    fs::write(source.join("a"), b"new").unwrap();
    stage.run(&["copy", "--size-only", source.to_str().unwrap(), "t:d"]).success();
    assert_eq!(stage.run(&["cat", "t:d/a"]).success_text(), "old");
    stage.run(&["copy", "--ignore-existing", source.to_str().unwrap(), "t:d"]).success();
    assert_eq!(stage.run(&["cat", "t:d/a"]).success_text(), "old");
    stage.run(&["copy", source.to_str().unwrap(), "t:d"]).success();
    assert_eq!(stage.run(&["cat", "t:d/a"]).success_text(), "new");
    assert_eq!(stage.control().tree().unwrap().files.len(), 1);
}

#[test]
fn copyto_gives_a_file_its_new_name() {
    let stage = Stage::start();
    let source = stage.directory("source");
    fs::write(source.join("a"), b"text").unwrap();
    let file = source.join("a");
    stage.run(&["copyto", file.to_str().unwrap(), "t:x/y/b"]).success();
    stage.run(&["copyto", "t:x/y/b", "t:x/c"]).success();
    let back = source.join("back");
    stage.run(&["copyto", "t:x/c", back.to_str().unwrap()]).success();
    assert_eq!(fs::read(back).unwrap(), b"text");
    assert_eq!(stage.run(&["lsf", "-R", "--files-only", "t:x"]).success_text(), "c\ny/b\n");
}

#[test]
fn empty_files_are_told_by_name_and_do_not_stop_the_rest() {
    let stage = Stage::start();
    let source = stage.directory("source");
    write_tree(
        &source,
        &BTreeMap::from([("a".into(), b"1".to_vec()), ("nil".into(), vec![]), ("z".into(), b"2".to_vec())]),
    );
    let source = source.to_str().unwrap();
    let run = stage.run(&["copy", source, "t:d"]).code(6);
    assert!(run.stderr.contains("nil"), "{}", run.stderr);
    assert_eq!(stage.counters()["upload.cgi"], 1, "tried once, not thrice");
    assert_eq!(stage.run(&["lsf", "t:d"]).success_text(), "a\nz\n");
    let run = stage.run(&["copy", source, "t:e", "--fichier-empty-files", "skip"]).code(0);
    assert!(run.stderr.contains("nil"), "{}", run.stderr);
    let marker = ["--fichier-empty-files", "marker"];
    stage.run(&["copy", source, "t:f", marker[0], marker[1]]).success();
    assert_eq!(
        stage.run(&["lsf", "--format", "ps", "t:f", marker[0], marker[1]]).success_text(),
        "a;1\nnil;0\nz;1\n"
    );
    let target = stage.directory("target");
    stage.run(&["copy", "t:f", target.to_str().unwrap(), marker[0], marker[1]]).success();
    assert_eq!(fs::read(target.join("nil")).unwrap(), b"");
}

#[test]
fn what_goes_wrong_on_the_way_is_tried_again_and_ends_right() {
    for fault in [
        "endpoint=upload.cgi,kind=corrupt-upload:1,times=1",
        "endpoint=upload.cgi,kind=cut-upload:100,times=1",
        "endpoint=upload.cgi,kind=lost-answer,times=1",
        "endpoint=end.pl,kind=wrong-checksum,times=1",
        "endpoint=end.pl,kind=status:500,times=1",
        "endpoint=upload/get_upload_server,kind=html,times=1",
        "endpoint=folder/ls,kind=truncated-json,times=1",
        "endpoint=download,kind=corrupt-download:10,times=1",
        "endpoint=download,kind=short-download:10,times=1",
        "endpoint=download,kind=cut-download:10,times=1",
        "endpoint=download,kind=expired-token,times=1",
    ] {
        let stage = Stage::start();
        let (source, target) = (stage.directory("source"), stage.directory("target"));
        write_tree(&source, &sample());
        stage.control().add_fault(fault.parse().unwrap());
        stage.run(&["copy", source.to_str().unwrap(), "t:d"]).success();
        stage.run(&["copy", "t:d", target.to_str().unwrap()]).success();
        assert_tree(&target, &sample(), fault);
        assert_eq!(stage.control().tree().unwrap().files.len(), sample().len(), "{fault}: duplicates");
    }
}

#[test]
fn a_download_that_stays_corrupt_leaves_nothing_and_fails() {
    let stage = Stage::start();
    let target = stage.directory("target");
    fs::write(target.join("a"), b"mine!").unwrap();
    stage.control().seed_file("d/a", b"theirs").unwrap();
    stage.control().add_fault("endpoint=download,kind=corrupt-download:1".parse().unwrap());
    let run = stage.run(&["copy", "t:d", target.to_str().unwrap()]).code(5);
    assert!(run.stderr.contains("corrupted on transfer"), "{}", run.stderr);
    assert_eq!(read_tree(&target), BTreeMap::from([("a".to_owned(), b"mine!".to_vec())]));
}

#[test]
fn a_dry_run_changes_nothing() {
    let stage = Stage::start();
    let source = stage.directory("source");
    write_tree(&source, &sample());
    stage.control().seed_file("d/old", b"x").unwrap();
    let source = source.to_str().unwrap();
    let run = stage.run(&["copy", source, "t:new", "--dry-run"]).code(0);
    assert!(run.stderr.contains("Skipped copy as --dry-run is set"), "{}", run.stderr);
    stage.run(&["delete", "t:d", "-n"]).success();
    stage.run(&["purge", "t:d", "--dry-run=true"]).success();
    let tree = stage.control().tree().unwrap();
    assert_eq!(tree.files.len(), 1);
    assert!(stage.counters().keys().all(|name| name == "folder/ls"), "{:?}", stage.counters());
}

#[test]
fn bad_input_is_told_in_a_line_with_the_right_code() {
    let stage = Stage::start();
    let source = stage.directory("source");
    write_tree(&source, &sample());
    let source = source.to_str().unwrap();
    stage.control().seed_file("d/file", b"x").unwrap();
    let missing = format!("{source}/nothing");
    for (words, code, text) in [
        (&["copy", missing.as_str(), "t:x"][..], 3, "directory not found"),
        (&["copy", "t:nothing", source], 3, "directory not found"),
        (&["ls", "t:nothing"], 3, "directory not found"),
        (&["ls", "nowhere:"], 2, "nowhere"),
        (&["copy", source, "t:d/file"], 2, "is a file"),
        (&["ls", "t:", "--fichier-encoding", "Slosh"], 1, "Slosh"),
        (&["deletefile", "t:d/nothing"], 4, "object not found"),
        (&["copy", "t:d"], 1, ""),
        (&["move", "t:d", "t:d/inside"], 7, "overlapping remotes"),
        (&["sync", "t:d", "t:d"], 7, "overlapping remotes"),
        (&["copy", "t:d", "t:d"], 0, "the same"),
        (&["copy", source, source], 0, "the same"),
        (&["purge", "t:nothing"], 3, "directory not found"),
    ] {
        let run = stage.run(words).code(code);
        assert!(run.stderr.contains(text), "{words:?}: {}", run.stderr);
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    }
}

#[test]
fn bad_answers_are_told_in_a_line_with_the_right_code() {
    let stage = Stage::start();
    stage.control().seed_file("d/file", b"x").unwrap();
    let key = "https://1fichier.com/console/params.pl";
    // Answer to the second listing, that of `d`; the exit code; the message; whether it is requested again.
    for (fault, code, text, again) in [
        ("html", 5, "an HTML page came instead of an answer", true),
        ("truncated-json", 5, "the answer was cut short", true),
        ("status:503", 5, "HTTP 503", true),
        ("close", 5, "the connection broke", true),
        ("message:Not authenticated #247", 7, key, false),
        ("message:No such user #93", 7, key, false),
        ("message:Owner locked #1", 7, "the owner's account is locked", false),
        // Its parent has just listed it, and a root is always there.
        ("message:Resource not found #469", 5, "the service says that it isn't there, and that it is", true),
        (
            "message:Something else #186",
            2,
            "list directory \"t:d\": folder/ls.cgi: the service refused",
            false,
        ),
    ] {
        stage.control().clear_faults();
        stage.control().reset_counters();
        stage.control().add_fault(format!("endpoint=folder/ls,after=1,kind={fault}").parse().unwrap());
        let run = stage.run(&["ls", "t:d", "--low-level-retries", "2"]).code(code);
        assert!(run.stderr.contains(text), "{fault}: {}", run.stderr);
        assert_eq!(run.stderr.matches("ERROR").count(), 1, "{fault}: {}", run.stderr);
        assert_eq!(run.stdout, "", "{fault}");
        assert_eq!(stage.counters()["folder/ls"] > 2, again, "{fault}: {:?}", stage.counters());
    }
}

#[test]
fn a_wrong_key_stops_a_copy_at_once() {
    let stage = Stage::start();
    let source = stage.directory("source");
    write_tree(&source, &sample());
    let run = stage.run(&["copy", source.to_str().unwrap(), "t:d", "--fichier-api-key", "wrong"]).code(7);
    assert!(run.stderr.contains("https://1fichier.com/console/params.pl"), "{}", run.stderr);
    assert_eq!(stage.counters().values().sum::<u64>(), 1, "{:?}", stage.counters());
}

#[test]
fn under_scaled_limits_one_flood_answer_at_most_and_none_in_later_runs() {
    let stage = Stage::start_limited();
    let source = stage.directory("source");
    let tree = (0..50).map(|n| (format!("d{n}/f"), format!("{n}").into_bytes())).collect();
    write_tree(&source, &tree);
    let source = source.to_str().unwrap();
    stage.run(&["copy", source, "t:new"]).success();
    stage.run(&["lsf", "-R", "t:new"]).success();
    let first = stage.control().floods();
    assert!(first <= 1, "{first}");
    let target = stage.directory("target");
    for words in [
        &["ls", "t:new"][..],
        &["about", "t:"],
        &["about", "t:"],
        &["copy", source, "t:new"],
        &["copy", "t:new", target.to_str().unwrap()],
        &["copy", "t:new", "t:second"],
        &["size", "t:"],
        &["delete", "t:second"],
        &["purge", "t:second"],
        &["purge", "t:new"],
    ] {
        stage.run(words).success();
        assert!(stage.control().floods() <= first.max(1), "{words:?}: {}", stage.control().floods());
    }
    assert!(Path::new(target.to_str().unwrap()).join("d49/f").exists());
}

#[test]
fn what_another_try_can_not_mend_is_told_once() {
    let stage = Stage::start();
    let work = stage.directory("w");
    for (path, text) in
        [("s/a", "new"), ("d/a", "older"), ("bak/a/in", "the way"), ("s/b", "b"), ("d/b", "bb")]
    {
        let path = work.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let run = stage.run(&["copy", "work/w/s", "work/w/d", "--backup-dir", "work/w/bak"]);
    assert_ne!(run.status, Some(0));
    assert_eq!(run.stderr.lines().filter(|line| line.contains("ERROR : a: ")).count(), 1, "{}", run.stderr);
    assert!(!run.stderr.contains("not tried"), "{}", run.stderr);
    assert_eq!(std::fs::read(work.join("d/a")).unwrap(), b"older");
    assert_eq!(std::fs::read(work.join("d/b")).unwrap(), b"b");
}
