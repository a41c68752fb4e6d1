//! Tests of `sync`, `move` and the flags that control them, through the binary, against the emulated service.

use std::{collections::BTreeMap, fs, time::Instant};

use crate::stage::{Run, Stage, read_tree, write_tree};

fn tree(files: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
}

/// Returns what the service holds: paths and sizes.
fn stored(stage: &Stage) -> Vec<(String, u64)> {
    let mut files: Vec<_> =
        stage.control().tree().unwrap().files.into_iter().map(|file| (file.path, file.size)).collect();
    files.sort();
    files
}

fn sent(stage: &Stage, endpoint: &str) -> u64 {
    stage.counters().get(endpoint).copied().unwrap_or(0)
}

#[test]
fn sync_makes_the_destination_the_same_and_a_second_one_only_lists() {
    let stage = Stage::start();
    let source = stage.directory("source");
    let from = source.to_str().unwrap();
    write_tree(&source, &tree(&[("a", "one"), ("d/b", "three"), ("d/e/c", "five5")]));
    stage.control().seed_file("to/gone", b"old").unwrap();
    stage.control().seed_file("to/x/y/z", b"old").unwrap();
    stage.control().seed_file("to/a", b"eno").unwrap();
    stage.run(&["sync", from, "t:to"]).success();
    let expected = [("/to/a".to_owned(), 3), ("/to/d/b".to_owned(), 5), ("/to/d/e/c".to_owned(), 5)];
    assert_eq!(stored(&stage), expected);
    let folders: Vec<_> = stage.control().tree().unwrap().folders.into_iter().map(|f| f.path).collect();
    assert!(!folders.iter().any(|folder| folder.starts_with("/to/x")), "{folders:?}");
    stage.control().reset_counters();
    let again = stage.run(&["sync", from, "t:to", "-vv"]).code(0);
    // The root on the way, and the three folders are listed.
    assert_eq!(stage.counters(), BTreeMap::from([("folder/ls".to_owned(), 4)]), "{}", again.stderr);
}

#[test]
fn a_change_that_keeps_the_size_is_seen_and_sent() {
    let stage = Stage::start();
    let source = stage.directory("source");
    let from = source.to_str().unwrap();
    write_tree(&source, &tree(&[("f", "before")]));
    stage.run(&["sync", from, "t:to"]).success();
    let time = fs::metadata(source.join("f")).unwrap().modified().unwrap();
    fs::write(source.join("f"), "after!").unwrap();
    // This works even with the old time put back: the time of the last change to the file's entry shows it.
    fs::File::options().append(true).open(source.join("f")).unwrap().set_modified(time).unwrap();
    stage.run(&["sync", from, "t:to"]).success();
    let file = stage.control().tree().unwrap().files.pop().unwrap();
    assert_eq!(stage.control().content(&file.url).unwrap(), b"after!");
}

#[test]
fn a_renamed_directory_of_a_thousand_files_costs_few_calls_and_no_upload() {
    let stage = Stage::start();
    let source = stage.directory("source");
    let from = source.to_str().unwrap();
    let files: BTreeMap<_, _> =
        (0..1000).map(|n| (format!("old/d{}/f{n}", n % 5), format!("content {n}").into_bytes())).collect();
    write_tree(&source, &files);
    stage.run(&["sync", from, "t:to"]).success();
    fs::rename(source.join("old"), source.join("new")).unwrap();
    stage.control().reset_counters();
    stage.run(&["sync", from, "t:to"]).success();
    let counters = stage.counters();
    // Listings: the root, the destination, the old folder and its five.
    assert_eq!(sent(&stage, "folder/ls"), 8, "{counters:?}");
    assert_eq!(sent(&stage, "upload.cgi"), 0, "{counters:?}");
    let other: u64 = counters.values().sum::<u64>() - 8;
    assert!(other <= 5, "{counters:?}");
    let paths = stored(&stage);
    assert_eq!(paths.len(), 1000);
    assert!(paths.iter().all(|(path, _)| path.starts_with("/to/new/")), "{:?}", paths.first());
}

#[test]
fn a_file_that_is_there_under_another_name_is_copied_there() {
    let stage = Stage::start();
    let source = stage.directory("source");
    let from = source.to_str().unwrap();
    write_tree(&source, &tree(&[("a", "the same"), ("b", "another")]));
    stage.run(&["copy", from, "t:to"]).success();
    fs::write(source.join("c"), "the same").unwrap();
    stage.control().reset_counters();
    stage.run(&["copy", from, "t:to"]).success();
    assert_eq!((sent(&stage, "file/cp"), sent(&stage, "upload.cgi")), (1, 0), "{:?}", stage.counters());
    stage.control().reset_counters();
    fs::write(source.join("d"), "the same").unwrap();
    stage.run(&["copy", from, "t:to", "--no-server-side-reuse"]).success();
    assert_eq!((sent(&stage, "file/cp"), sent(&stage, "upload.cgi")), (0, 1), "{:?}", stage.counters());
}

#[test]
fn a_move_takes_the_sources_away_once_they_are_stored() {
    let stage = Stage::start();
    let source = stage.directory("source");
    let from = source.to_str().unwrap();
    write_tree(&source, &tree(&[("a", "one"), ("d/b", "three")]));
    stage.control().seed_file("to/a", b"one").unwrap();
    stage.run(&["move", from, "t:to", "--delete-empty-src-dirs"]).success();
    assert!(read_tree(&source).is_empty());
    assert!(!source.join("d").exists() && source.exists());
    assert_eq!(stored(&stage), [("/to/a".to_owned(), 3), ("/to/d/b".to_owned(), 5)]);
    let back = stage.directory("back");
    stage.run(&["move", "t:to", back.to_str().unwrap()]).success();
    assert_eq!(read_tree(&back), tree(&[("a", "one"), ("d/b", "three")]));
    assert!(stored(&stage).is_empty());
}

#[test]
fn inside_an_account_a_folder_moves_by_one_call() {
    let stage = Stage::start();
    for n in 0..300 {
        stage.control().seed_file(&format!("from/d{}/f{n}", n % 3), format!("{n}").as_bytes()).unwrap();
    }
    stage.run(&["move", "t:from", "t:to"]).success();
    let counters = stage.counters();
    assert_eq!(sent(&stage, "folder/mv"), 1, "{counters:?}");
    assert!(counters.values().sum::<u64>() <= 3, "{counters:?}");
    assert_eq!(stored(&stage).len(), 300);
    stage.control().reset_counters();
    stage.run(&["moveto", "t:to/d0/f0", "t:to/d0/g"]).success();
    assert_eq!(sent(&stage, "upload.cgi") + sent(&stage, "file/cp"), 0, "{:?}", stage.counters());
    assert!(stored(&stage).iter().any(|(path, _)| path == "/to/d0/g"));
}

#[test]
fn local_files_are_renamed_not_copied() {
    let stage = Stage::start();
    let (source, target) = (stage.directory("source"), stage.directory("target"));
    write_tree(&source, &tree(&[("a", "one"), ("d/b", "three")]));
    stage.run(&["move", source.to_str().unwrap(), target.to_str().unwrap()]).success();
    assert_eq!(read_tree(&target), tree(&[("a", "one"), ("d/b", "three")]));
    assert!(read_tree(&source).is_empty());
    let renamed = target.join("renamed");
    stage.run(&["moveto", target.join("a").to_str().unwrap(), renamed.to_str().unwrap()]).success();
    assert_eq!(fs::read(renamed).unwrap(), b"one");
}

#[test]
fn old_versions_go_to_the_backup_directory() {
    let stage = Stage::start();
    let source = stage.directory("source");
    let from = source.to_str().unwrap();
    write_tree(&source, &tree(&[("a", "new version"), ("d/b", "same")]));
    for (path, text) in [("to/a", "old"), ("to/d/b", "same"), ("to/d/gone", "goner")] {
        stage.control().seed_file(path, text.as_bytes()).unwrap();
    }
    stage.run(&["sync", from, "t:to", "--backup-dir", "t:old", "--suffix", ".bak"]).success();
    let expected = [("/old/a.bak", 3), ("/old/d/gone.bak", 5), ("/to/a", 11), ("/to/d/b", 4)];
    assert_eq!(stored(&stage), expected.map(|(path, size)| (path.to_owned(), size)));
    let run = stage.run(&["sync", from, "t:to", "--backup-dir", from]).code(7);
    assert!(run.stderr.contains("has to be on the same remote as destination"), "{}", run.stderr);
}

#[test]
fn old_versions_of_local_files_are_kept_beside_the_new_ones() {
    let stage = Stage::start();
    let (source, target) = (stage.directory("source"), stage.directory("target"));
    write_tree(&source, &tree(&[("a.txt", "new")]));
    write_tree(&target, &tree(&[("a.txt", "older"), ("b.txt", "extra")]));
    let ends = [source.to_str().unwrap(), target.to_str().unwrap()];
    stage.run(&["sync", ends[0], ends[1], "--suffix", "-old", "--suffix-keep-extension"]).success();
    let expected = tree(&[("a.txt", "new"), ("a-old.txt", "older"), ("b-old.txt", "extra")]);
    assert_eq!(read_tree(&target), expected);
}

#[test]
fn what_a_reference_holds_is_left_out_or_copied_from_there() {
    let stage = Stage::start();
    let source = stage.directory("source");
    let from = source.to_str().unwrap();
    write_tree(&source, &tree(&[("a", "known"), ("d/b", "new one")]));
    stage.control().seed_file("full/a", b"known").unwrap();
    stage.run(&["copy", from, "t:more", "--compare-dest", "t:full"]).success();
    let expected = [("/full/a", 5), ("/more/d/b", 7)];
    assert_eq!(stored(&stage), expected.map(|(path, size)| (path.to_owned(), size)));
    stage.control().reset_counters();
    stage.run(&["copy", from, "t:other", "--copy-dest", "t:full", "--copy-dest", "t:more"]).success();
    assert_eq!(sent(&stage, "upload.cgi"), 0, "{:?}", stage.counters());
    assert_eq!(stored(&stage).len(), 4);
}

#[test]
fn too_many_removals_remove_nothing() {
    let stage = Stage::start();
    let source = stage.directory("source");
    write_tree(&source, &tree(&[("a", "one")]));
    for n in 0..3 {
        stage.control().seed_file(&format!("to/gone{n}"), b"old").unwrap();
    }
    let run = stage.run(&["sync", source.to_str().unwrap(), "t:to", "--max-delete", "2"]).code(7);
    assert!(run.stderr.contains("--max-delete threshold reached"), "{}", run.stderr);
    assert_eq!(stored(&stage).len(), 4);
    stage.run(&["sync", source.to_str().unwrap(), "t:to", "--max-delete", "3"]).success();
    assert_eq!(stored(&stage).len(), 1);
}

#[test]
fn a_limit_on_bytes_ends_the_run_with_its_code_and_keeps_what_is_done() {
    let stage = Stage::start();
    let source = stage.directory("source");
    let files: Vec<_> = ["a", "b", "c", "d"].iter().map(|name| (*name, "x".repeat(1000))).collect();
    write_tree(
        &source,
        &files.iter().map(|(name, text)| ((*name).to_owned(), text.clone().into_bytes())).collect(),
    );
    let run = stage
        .run(&["copy", source.to_str().unwrap(), "t:to", "--max-transfer", "2500B", "--no-server-side-reuse"])
        .code(8);
    assert!(run.stderr.contains("max transfer limit reached"), "{}", run.stderr);
    assert_eq!(stored(&stage).len(), 2);
}

#[test]
fn a_limit_on_time_ends_the_run_with_its_code() {
    // Enough of the 4 hours that an upload has is left for this one.
    let stage = Stage::start_changed("10", |builder| builder);
    let source = stage.directory("source");
    write_tree(&source, &tree(&[("big", &"x".repeat(6_000_000))]));
    let begun = Instant::now();
    let run = stage
        .run(&["copy", source.to_str().unwrap(), "t:to", "--bwlimit", "50k", "--max-duration", "1s"])
        .code(10);
    assert!(run.stderr.contains("max transfer duration reached"), "{}", run.stderr);
    // All of it would take two minutes.
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    assert!(stored(&stage).is_empty());
}

#[test]
fn a_bandwidth_limit_takes_its_time() {
    let stage = Stage::start();
    let source = stage.directory("source");
    write_tree(&source, &tree(&[("a", &"x".repeat(100_000)), ("b", &"y".repeat(100_000))]));
    let begun = Instant::now();
    stage.run(&["copy", source.to_str().unwrap(), "t:to", "--bwlimit", "100k"]).success();
    let took = begun.elapsed().as_secs_f64();
    assert!(took >= 1.2, "200 kB at 100 KiB/s took {took} s");
}

#[test]
fn a_report_tells_of_each_path() {
    let stage = Stage::start();
    let source = stage.directory("source");
    write_tree(&source, &tree(&[("a", "one"), ("same", "s"), ("empty", "")]));
    stage.control().seed_file("to/same", b"s").unwrap();
    stage.control().seed_file("to/gone", b"old").unwrap();
    let report = source.parent().unwrap().join("report.jsonl");
    let combined = source.parent().unwrap().join("combined");
    stage
        .run(&[
            "sync",
            source.to_str().unwrap(),
            "t:to",
            "--report",
            report.to_str().unwrap(),
            "--combined",
            combined.to_str().unwrap(),
            "--fichier-empty-files",
            "skip",
        ])
        .success();
    let mut told = BTreeMap::new();
    for line in fs::read_to_string(report).unwrap().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        told.insert(line["path"].as_str().unwrap().to_owned(), line);
    }
    let action = |path: &str| told[path]["action"].as_str().unwrap().to_owned();
    assert_eq!(action("a"), "transferred");
    assert_eq!(told["a"]["bytes"], 3);
    assert_eq!(told["a"]["whirlpool"].as_str().unwrap().len(), 128);
    assert!(told["a"]["calls"].as_u64().unwrap() > 2);
    assert!(told["a"]["seconds"].as_f64().unwrap() > 0.0);
    assert_eq!(action("same"), "unchanged");
    assert_eq!(action("gone"), "deleted");
    assert_eq!(action("empty"), "left-out");
    let text = fs::read_to_string(combined).unwrap();
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["+ a", "+ empty", "- gone", "= same"]);
}

#[test]
fn interactive_runs_do_only_what_is_allowed() {
    use std::{io::Write as _, process::Stdio};
    let stage = Stage::start();
    let source = stage.directory("source");
    write_tree(&source, &tree(&[("a", "one"), ("b", "three")]));
    stage.control().seed_file("to/gone", b"old").unwrap();
    let mut child = stage
        .command()
        .args(["sync", source.to_str().unwrap(), "t:to", "--interactive"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"nonsense\ny\nn\nn\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.contains("fichier: delete \"to/gone\"?"), "{stderr}");
    let paths: Vec<_> = stored(&stage).into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["/to/a", "/to/gone"], "{stderr}");
}

#[test]
fn who_is_asked_can_quit_and_that_is_no_failure() {
    let stage = Stage::start();
    let source = stage.directory("source");
    write_tree(&source, &tree(&[("a", "one"), ("b", "three")]));
    stage.control().seed_file("to/gone", b"old").unwrap();
    let answers = stage.home().join("answers");
    fs::write(&answers, "q\n").unwrap();
    let mut command = stage.command();
    command.args(["sync", source.to_str().unwrap(), "t:to", "--interactive"]);
    let run = Run::of(command.stdin(fs::File::open(&answers).unwrap()), "sync --interactive").code(0);
    assert!(run.stderr.ends_with("NOTICE: Quitting fichier now\n"), "{}", run.stderr);
    assert_eq!(stored(&stage).len(), 1);
}

#[test]
fn nothing_is_removed_after_a_failure() {
    let stage = Stage::start();
    let source = stage.directory("source");
    write_tree(&source, &tree(&[("a", "one"), ("empty", "")]));
    stage.control().seed_file("to/gone", b"old").unwrap();
    stage.run(&["sync", source.to_str().unwrap(), "t:to"]).code(6);
    assert_eq!(stored(&stage).len(), 2);
    stage.run(&["sync", source.to_str().unwrap(), "t:to", "--ignore-errors"]).code(6);
    assert_eq!(stored(&stage).len(), 1);
}

#[test]
fn a_place_is_not_synced_or_moved_into_itself() {
    let stage = Stage::start();
    let source = stage.directory("source");
    write_tree(&source, &tree(&[("a", "one")]));
    let from = source.to_str().unwrap();
    let inside = source.join("inside");
    stage.run(&["move", from, inside.to_str().unwrap()]).code(7);
    stage.run(&["sync", inside.to_str().unwrap(), from]).code(3);
    fs::create_dir(&inside).unwrap();
    stage.run(&["sync", inside.to_str().unwrap(), from]).code(7);
    stage.control().seed_file("d/f", b"x").unwrap();
    stage.run(&["move", "t:d", "t:d/e"]).code(7);
    stage.run(&["sync", "t:", "t:d"]).code(7);
    assert_eq!(read_tree(&source).len(), 1);
}

#[test]
fn a_disks_backup_gets_the_old_version_when_the_new_one_is_copied_from_beside() {
    let stage = Stage::start();
    let (to, old) = (stage.directory("to"), stage.directory("old"));
    stage.control().seed_file("from/a", b"fresh").unwrap();
    stage.control().seed_file("from/b", b"fresh").unwrap();
    write_tree(&to, &tree(&[("a", "stale"), ("b", "fresh")]));
    let backup = format!("--backup-dir={}", old.to_str().unwrap());
    stage.run(&["sync", "t:from", to.to_str().unwrap(), &backup, "--track-renames"]).success();
    assert_eq!(read_tree(&to), tree(&[("a", "fresh"), ("b", "fresh")]));
    assert_eq!(read_tree(&old), tree(&[("a", "stale")]));
}

#[test]
fn tracked_renames_are_renamed_whatever_is_set_aside() {
    for backup in ["--backup-dir=t:old", "--suffix=-old"] {
        let stage = Stage::start();
        let from = stage.directory("from");
        write_tree(&from, &tree(&[("new", "one"), ("x/kept", "two")]));
        stage.control().seed_file("to/before", b"one").unwrap();
        stage.control().seed_file("to/d/kept", b"two").unwrap();
        stage.control().seed_file("to/gone", b"three").unwrap();
        stage.run(&["sync", from.to_str().unwrap(), "t:to", backup, "--track-renames"]).success();
        let files = stage.control().tree().unwrap().files;
        let mut paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
        paths.sort_unstable();
        let aside = if backup == "--suffix=-old" { "/to/gone-old" } else { "/old/gone" };
        let mut wanted = vec![aside, "/to/new", "/to/x/kept"];
        wanted.sort_unstable();
        assert_eq!(paths, wanted, "{backup}");
        assert_eq!(stage.counters().get("upload.cgi"), None);
        assert_eq!(stage.counters().get("file/cp.cgi"), None);
    }
}

#[test]
fn names_that_swap_their_contents_on_a_disk_swap_them() {
    let stage = Stage::start();
    let to = stage.directory("to");
    stage.control().seed_file("from/a", b"one").unwrap();
    stage.control().seed_file("from/b", b"two").unwrap();
    write_tree(&to, &tree(&[("a", "two"), ("b", "one")]));
    stage.run(&["sync", "t:from", to.to_str().unwrap(), "--track-renames"]).success();
    assert_eq!(read_tree(&to), tree(&[("a", "one"), ("b", "two")]));
}

#[test]
fn what_is_renamed_on_a_disk_has_the_time_of_the_source() {
    let stage = Stage::start();
    let [from, to] = ["from", "to"].map(|name| stage.directory(name));
    stage.control().seed_file_dated("from/new", b"one", "2001-02-03T04:05:06Z".parse().unwrap()).unwrap();
    write_tree(&to, &tree(&[("old", "one")]));
    stage.run(&["sync", "t:from", to.to_str().unwrap(), "--track-renames"]).success();
    let time = |path: &std::path::Path| fs::metadata(path).unwrap().modified().unwrap();
    stage.run(&["copy", "t:from", from.to_str().unwrap()]).success();
    assert_eq!(time(&to.join("new")), time(&from.join("new")));
}

#[test]
fn a_move_leaves_what_the_reference_alone_has() {
    let stage = Stage::start();
    let [from, to, reference] = ["from", "to", "reference"].map(|name| stage.directory(name));
    write_tree(&from, &tree(&[("a", "one"), ("b", "two")]));
    write_tree(&reference, &tree(&[("a", "one")]));
    let compare = format!("--compare-dest={}", reference.to_str().unwrap());
    stage.run(&["move", from.to_str().unwrap(), to.to_str().unwrap(), &compare, "--checksum"]).success();
    assert_eq!(read_tree(&to), tree(&[("b", "two")]));
    assert_eq!(read_tree(&from), tree(&[("a", "one")]));
}

#[test]
fn lists_of_a_copy_tell_all_that_the_destination_alone_has_but_not_what_filters_leave_out() {
    let stage = Stage::start();
    let (from, to) = (stage.directory("from"), stage.directory("to"));
    write_tree(&from, &tree(&[("a", "one")]));
    write_tree(&to, &tree(&[("b", "two"), ("x/y/c", "three"), ("x/d.tmp", ""), ("tmp/e", "")]));
    let words = ["copy", from.to_str().unwrap(), to.to_str().unwrap(), "--combined=-"];
    let filters = ["--exclude=*.tmp", "--exclude=/tmp/**"];
    let told = stage.run(&[&words[..], &filters[..]].concat()).success_text();
    let mut lines: Vec<_> = told.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["+ a", "- b", "- x/y/c"]);
}

#[test]
fn immutable_files_keep_their_times() {
    let stage = Stage::start();
    let (from, to) = (stage.directory("from"), stage.directory("to"));
    write_tree(&from, &tree(&[("a", "one")]));
    write_tree(&to, &tree(&[("a", "one")]));
    let long_ago = std::time::SystemTime::UNIX_EPOCH;
    fs::File::options().append(true).open(to.join("a")).unwrap().set_modified(long_ago).unwrap();
    stage.run(&["copy", from.to_str().unwrap(), to.to_str().unwrap(), "--immutable"]).code(6);
    assert_eq!(fs::metadata(to.join("a")).unwrap().modified().unwrap(), long_ago);
}

#[test]
fn update_sets_the_time_of_a_newer_file_that_holds_the_same() {
    let stage = Stage::start();
    let (from, to) = (stage.directory("from"), stage.directory("to"));
    write_tree(&from, &tree(&[("a", "one")]));
    write_tree(&to, &tree(&[("a", "one")]));
    fs::File::options()
        .append(true)
        .open(to.join("a"))
        .unwrap()
        .set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    let run = stage.run(&["copy", from.to_str().unwrap(), to.to_str().unwrap(), "--update", "-v"]).code(0);
    assert!(!run.stderr.contains("Copied"), "{}", run.stderr);
    let time = |path: &std::path::Path| fs::metadata(path.join("a")).unwrap().modified().unwrap();
    assert_eq!(time(&to), time(&from));
}

#[test]
fn a_limit_on_removals_counts_what_would_make_room_for_a_file() {
    let stage = Stage::start();
    let from = stage.directory("from");
    write_tree(&from, &tree(&[("a", "a file here")]));
    stage.control().seed_file("to/a/b", b"one").unwrap();
    stage.control().seed_file("to/a/c", b"two").unwrap();
    let run = stage.run(&["sync", from.to_str().unwrap(), "t:to", "--max-delete=1"]).code(7);
    assert!(run.stderr.contains("--max-delete threshold reached: 2 would have to go"), "{}", run.stderr);
    assert_eq!(stored(&stage).len(), 2);
    // Files that made room count together with extra files, which stay then.
    stage.control().seed_file("to/extra", b"three").unwrap();
    stage.run(&["sync", from.to_str().unwrap(), "t:to", "--max-delete=2"]).code(7);
    assert_eq!(stored(&stage).len(), 2);
    stage.run(&["sync", from.to_str().unwrap(), "t:to", "--max-delete=1"]).code(0);
    assert_eq!(stored(&stage).len(), 1);
}

/// Makes a file of the source that is a folder at the destination, and a folder that is a file there.
fn clashing(stage: &Stage) -> std::path::PathBuf {
    let from = stage.directory("from");
    write_tree(&from, &tree(&[("a", "a file here"), ("b/new", "a folder here")]));
    from
}

/// Returns the contents of the files in a directory, wherever they are.
fn contents(directory: &std::path::Path) -> Vec<String> {
    let mut contents: Vec<_> =
        read_tree(directory).into_values().map(|bytes| String::from_utf8(bytes).unwrap()).collect();
    contents.sort();
    contents
}

#[test]
fn what_makes_room_for_another_kind_goes_when_the_new_one_is_there() {
    let stage = Stage::start();
    let from = clashing(&stage);
    stage.control().seed_file("to/a/inside", b"one").unwrap();
    stage.control().seed_file("to/b", b"two").unwrap();
    let to = stage.directory("to");
    write_tree(&to, &tree(&[("a/inside", "one"), ("b", "two")]));
    for place in ["t:to", to.to_str().unwrap()] {
        stage.run(&["sync", from.to_str().unwrap(), place]).success();
    }
    assert_eq!(stored(&stage), [("/to/a".to_owned(), 11), ("/to/b/new".to_owned(), 13)]);
    assert_eq!(stage.control().tree().unwrap().folders.len(), 2);
    assert_eq!(read_tree(&to), read_tree(&from));
}

#[test]
fn what_made_room_for_another_kind_comes_back_if_the_new_one_does_not() {
    let stage = Stage::start();
    let from = clashing(&stage);
    stage.control().seed_file("to/a/inside", b"one").unwrap();
    stage.control().seed_file("to/b", b"two").unwrap();
    let before = stored(&stage);
    stage.control().add_fault("kind=cut-upload:5,endpoint=upload.cgi".parse().unwrap());
    let source = from.to_str().unwrap();
    let stderr = stage.run(&["sync", source, "t:to", "--low-level-retries=1"]).code(5).stderr;
    assert_eq!(stored(&stage), before, "{stderr}");
    stage.control().clear_faults();
    // One of two arrives: the file that the other one had replaced is back, and the failure is reported.
    stage.control().add_fault("kind=cut-upload:5,endpoint=upload.cgi,after=1".parse().unwrap());
    let words = ["sync", source, "t:to", "--low-level-retries=1", "--transfers=1"];
    let stderr = stage.run(&words).code(5).stderr;
    let paths: Vec<_> = stored(&stage).into_iter().map(|(path, _)| path).collect();
    assert_eq!((paths.len(), paths[0].as_str(), paths[2].as_str()), (3, "/to/a", "/to/b"), "{stderr}");
    let aside = paths[1].strip_prefix("/to/").unwrap().strip_suffix("/inside").unwrap();
    assert!(aside.starts_with("a.") && aside.ends_with(".old"), "{aside}");
    assert!(stderr.contains(&format!("it is at \"{aside}\" now")), "{stderr}");
    stage.control().clear_faults();
    stage.run(&["sync", source, "t:to"]).success();
    assert_eq!(stored(&stage), [("/to/a".to_owned(), 11), ("/to/b/new".to_owned(), 13)]);
}

#[test]
fn a_run_that_is_killed_amid_a_clash_has_lost_nothing() {
    let stage = Stage::start();
    let from = clashing(&stage);
    stage.control().seed_file("to/a/inside", b"one").unwrap();
    stage.control().seed_file("to/b", b"two").unwrap();
    stage.control().add_fault("kind=latency:60000,endpoint=upload.cgi".parse().unwrap());
    let source = from.to_str().unwrap();
    let mut run = stage.command().args(["sync", source, "t:to"]).spawn().unwrap();
    let begun = Instant::now();
    while sent(&stage, "upload.cgi") == 0 && begun.elapsed().as_secs() < 30 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(sent(&stage, "upload.cgi") > 0, "it was killed while it sent");
    stage.control().clear_faults();
    let sizes: Vec<_> = stored(&stage).into_iter().map(|(_, size)| size).collect();
    assert_eq!(sizes, [3, 3]);
    let kept = stage.directory("kept");
    stage.run(&["copy", "t:to", kept.to_str().unwrap()]).success();
    assert_eq!(contents(&kept), ["one", "two"]);
    stage.run(&["sync", source, "t:to"]).success();
    assert_eq!(stored(&stage), [("/to/a".to_owned(), 11), ("/to/b/new".to_owned(), 13)]);
}

#[test]
fn a_copy_sends_what_is_new_before_all_is_compared_and_nothing_twice() {
    let stage = Stage::start();
    let from = stage.directory("from");
    let (large, other) = (vec![7; 48 << 20], vec![8; 48 << 20]);
    write_tree(
        &from,
        &tree(&[("a", "quite new"), ("b", "elsewhere"), ("c", "replaced later"), ("z/y", "newer")]),
    );
    fs::write(from.join("z/large"), &large).unwrap();
    stage.control().seed_file("to/z/elsewhere", b"elsewhere").unwrap();
    stage.control().seed_file("to/z/y", b"replaced later").unwrap();
    stage.control().seed_file("to/z/large", &large).unwrap();
    stage.control().seed_file("to/not in sight", &other).unwrap();
    let report = stage.home().join("report");
    stage.run(&["copy", from.to_str().unwrap(), "t:to", "--report", report.to_str().unwrap()]).success();
    let told: Vec<serde_json::Value> = fs::read_to_string(&report)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |path: &str| {
        let index = told.iter().position(|line| line["path"] == path).unwrap();
        (index, told[index]["action"].as_str().unwrap())
    };
    assert!(of("a").0 < of("z/large").0, "{told:?}");
    let actions = ["a", "b", "c", "z/y", "z/large"].map(|path| of(path).1);
    assert_eq!(
        actions,
        ["transferred", "copied-server-side", "copied-server-side", "transferred", "unchanged"]
    );
    assert_eq!(stage.control().tree().unwrap().files.len(), 7);
}

#[test]
fn each_of_several_equal_files_is_renamed_and_none_is_set_aside() {
    for (flags, reuse) in
        [(&["--suffix=-old"][..], true), (&["--suffix=-old", "--no-server-side-reuse"], false)]
    {
        let stage = Stage::start();
        let [from, to] = ["from", "to"].map(|name| stage.directory(name));
        write_tree(&from, &tree(&[("new1", "one"), ("x/new2", "one"), ("changed", "one")]));
        write_tree(&to, &tree(&[("old1", "one"), ("y/old2", "one"), ("changed", "two")]));
        let words = ["sync", from.to_str().unwrap(), to.to_str().unwrap(), "--track-renames", "-v"];
        let run = stage.run(&[&words[..], flags].concat()).code(0);
        let wanted = [("new1", "one"), ("x/new2", "one"), ("changed", "one"), ("changed-old", "two")];
        assert_eq!(read_tree(&to), tree(&wanted), "{reuse} {}", run.stderr);
        assert_eq!(run.stderr.matches("Moved (server-side)").count(), 2, "{reuse} {}", run.stderr);
    }
}
