//! Tests of `dedupe`: what each mode leaves, what it says, and which calls it makes.

use std::{collections::BTreeMap, fs};

use crate::stage::{Run, Stage};
use fichier_api::{ApiKey, Client, FolderId, MakeFolder};
use fichier_emulator::SeedFile;

/// Makes files of one name with these seconds and contents.
fn seed(stage: &Stage, path: &str, versions: &[(u8, &str)]) {
    for (second, content) in versions {
        let date = format!("2024-01-02T03:04:{second:02}Z").parse().unwrap();
        stage.control().seed_file_dated(path, content.as_bytes(), date).unwrap();
    }
}

fn duplicates(stage: &Stage) {
    seed(stage, "d/one.txt", &[(1, "aaa"), (2, "aaa"), (3, "bbbb"), (4, "c")]);
    seed(stage, "d/two.txt", &[(1, "same"), (2, "same")]);
    seed(stage, "d/sub/three", &[(2, "long"), (1, "x")]);
    seed(stage, "d/unique", &[(1, "unique")]);
}

/// Returns the files below `d`: path, second and size.
fn left(stage: &Stage) -> Vec<String> {
    let tree = stage.control().tree().unwrap();
    let mut files: Vec<_> = tree
        .files
        .iter()
        .map(|file| format!("{} {} {}", file.path.trim_start_matches('/'), &file.date[17..19], file.size))
        .collect();
    files.sort();
    files
}

fn with_input(stage: &Stage, words: &[&str], input: &str) -> Run {
    let path = stage.home().join("input");
    fs::write(&path, input).unwrap();
    Run::of(stage.command().args(words).stdin(fs::File::open(path).unwrap()), &words.join(" "))
}

#[test]
fn each_mode_leaves_what_its_name_says() {
    let always = ["d/two.txt 02 4", "d/unique 01 6"];
    for (mode, one, three) in [
        ("first", "d/one.txt 04 1", "d/sub/three 02 4"),
        ("newest", "d/one.txt 04 1", "d/sub/three 02 4"),
        ("oldest", "d/one.txt 02 3", "d/sub/three 01 1"),
        ("largest", "d/one.txt 03 4", "d/sub/three 02 4"),
        ("smallest", "d/one.txt 04 1", "d/sub/three 01 1"),
    ] {
        let stage = Stage::start();
        duplicates(&stage);
        let before = left(&stage);
        stage.run(&["dedupe", mode, "t:d", "--dry-run"]).success();
        assert_eq!(left(&stage), before, "{mode}");
        stage.run(&["dedupe", mode, "t:d"]).success();
        assert_eq!(left(&stage), [one, three, always[0], always[1]], "{mode}");
        // Nothing is left to do.
        let again = stage.run(&["dedupe", mode, "t:d"]).code(0);
        assert_eq!(again.stderr, "", "{mode}");
    }
}

#[test]
fn skip_removes_identical_ones_alone_and_in_one_call() {
    let stage = Stage::start();
    duplicates(&stage);
    stage.control().reset_counters();
    let run = stage.run(&["dedupe", "skip", "t:d"]).code(0);
    let expected = [
        "d/one.txt 02 3",
        "d/one.txt 03 4",
        "d/one.txt 04 1",
        "d/sub/three 01 1",
        "d/sub/three 02 4",
        "d/two.txt 02 4",
        "d/unique 01 6",
    ];
    assert_eq!(left(&stage), expected);
    // The root, the folder, and the one below are listed; two files of two groups go together.
    let calls = BTreeMap::from([("folder/ls".to_owned(), 3), ("file/rm".to_owned(), 1)]);
    assert_eq!(stage.counters(), calls);
    assert!(run.stderr.contains("NOTICE: two.txt: All duplicates removed"), "{}", run.stderr);
    assert!(run.stderr.contains("NOTICE: one.txt: Skipping 3 files with duplicate names"), "{}", run.stderr);
}

#[test]
fn rename_keeps_all_under_names_that_are_free() {
    let stage = Stage::start();
    seed(&stage, "d/x.tar.gz", &[(1, "a"), (2, "bb"), (3, "ccc")]);
    seed(&stage, "d/x.tar-2.gz", &[(1, "taken")]);
    let run = stage.run(&["dedupe", "--dedupe-mode", "rename", "t:d", "-v"]).code(0);
    let expected = ["d/x.tar-1.gz 03 3", "d/x.tar-2.gz 01 5", "d/x.tar-3.gz 02 2", "d/x.tar-4.gz 01 1"];
    assert_eq!(left(&stage), expected);
    assert!(run.stderr.contains("INFO  : x.tar-1.gz: renamed from: x.tar.gz"), "{}", run.stderr);
    stage.run(&["dedupe", "rename", "--by-hash", "t:d"]).code(1);
    stage.run(&["dedupe", "unknown", "t:d"]).code(1);
    stage.run(&["dedupe", "skip", "t:nowhere"]).code(3);
}

#[test]
fn list_shows_everything_and_changes_nothing() {
    let stage = Stage::start();
    duplicates(&stage);
    let before = left(&stage);
    let run = stage.run(&["dedupe", "list", "t:d"]).code(0);
    let shown: Vec<_> = run.stdout.lines().map(|line| line.split(", whirlpool").next().unwrap()).collect();
    assert_eq!(
        shown,
        [
            "one.txt: 4 duplicates",
            "  1:            1 bytes, 2024-01-02 03:04:04.000000000",
            "  2:            4 bytes, 2024-01-02 03:04:03.000000000",
            "  3:            3 bytes, 2024-01-02 03:04:02.000000000",
            "  4:            3 bytes, 2024-01-02 03:04:01.000000000",
            "two.txt: 2 duplicates",
            "  1:            4 bytes, 2024-01-02 03:04:02.000000000",
            "  2:            4 bytes, 2024-01-02 03:04:01.000000000",
            "sub/three: 2 duplicates",
            "  1:            4 bytes, 2024-01-02 03:04:02.000000000",
            "  2:            1 bytes, 2024-01-02 03:04:01.000000000",
        ]
    );
    assert_eq!(left(&stage), before);
}

#[test]
fn answers_are_taken_from_the_standard_input() {
    let stage = Stage::start();
    duplicates(&stage);
    let run = with_input(&stage, &["dedupe", "t:d"], "z\nk\n7\nx\n2\nr\n").code(0);
    let expected =
        ["d/one.txt 03 4", "d/sub/three-1 02 4", "d/sub/three-2 01 1", "d/two.txt 02 4", "d/unique 01 6"];
    assert_eq!(left(&stage), expected);
    for said in [
        "one.txt: 3 duplicates\n",
        "s) Skip and do nothing\n",
        "This value must be one of the following characters: s, k, r, q.\n",
        "Out of range - 1 to 3 inclusive\n",
        "Bad number: \"x\"\n",
    ] {
        assert!(run.stdout.contains(said), "{}", run.stdout);
    }
}

#[test]
fn quitting_and_the_end_of_the_input_leave_what_comes_after() {
    // A user who quits gets what was requested before; at the end of the input nobody was there to answer.
    for (input, code) in [("q\n", 0), ("", 1), ("k\n", 1)] {
        let stage = Stage::start();
        duplicates(&stage);
        with_input(&stage, &["dedupe", "t:d"], input).code(code);
        let left = left(&stage);
        assert_eq!(left.iter().filter(|file| file.starts_with("d/one.txt")).count(), 3, "{input:?}");
        assert_eq!(left.iter().filter(|file| file.starts_with("d/two.txt")).count(), 2, "{input:?}");
        assert_eq!(left.iter().filter(|file| file.starts_with("d/sub")).count(), 2, "{input:?}");
    }
}

#[test]
fn by_hash_finds_contents_wherever_they_lie() {
    let stage = Stage::start();
    seed(&stage, "d/a", &[(1, "content")]);
    seed(&stage, "d/sub/b", &[(3, "content")]);
    seed(&stage, "d/z", &[(2, "content")]);
    seed(&stage, "d/other", &[(1, "another")]);
    let listed = stage.run(&["dedupe", "list", "--by-hash", "t:d"]).success_text();
    assert_eq!(listed.lines().count(), 4, "{listed}");
    // Files in the folder itself come first, as in rclone.
    assert!(listed.ends_with("  3:            7 bytes, 2024-01-02 03:04:03.000000000, sub/b\n"), "{listed}");
    stage.run(&["dedupe", "--by-hash", "newest", "t:d"]).success();
    assert_eq!(left(&stage), ["d/other 01 7", "d/sub/b 03 7"]);
}

#[test]
fn local_files_of_one_content_are_found_too_and_a_hard_link_is_no_copy() {
    let stage = Stage::start();
    let here = stage.directory("here");
    for (name, content) in [("a", "same"), ("b", "same"), ("c", "else"), ("d", "longer")] {
        fs::write(here.join(name), content).unwrap();
    }
    fs::hard_link(here.join("d"), here.join("e")).unwrap();
    let run = stage.run(&["dedupe", "--by-hash", "first", "work/here", "-v"]).code(0);
    let left: Vec<_> =
        ["a", "b", "c", "d", "e"].into_iter().filter(|name| here.join(name).exists()).collect();
    assert_eq!(left, ["a", "c", "d", "e"], "{}", run.stderr);
    let run = stage.run(&["dedupe", "skip", "work/here"]).code(0);
    assert!(run.stderr.contains("Can't have duplicate names here. Perhaps you wanted --by-hash ?"));
}

/// Makes folders as other clients do, whether their names are taken or not.
fn make_folder(client: &Client, parent: i64, name: &str) -> i64 {
    let parent = FolderId(u64::try_from(parent).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let made = runtime.block_on(client.make_folder(&MakeFolder::new(parent, name))).unwrap();
    i64::try_from(made.id.0).unwrap()
}

#[test]
fn folders_of_one_name_are_merged_at_every_depth_and_no_file_is_lost() {
    let stage = Stage::start_allowing_twin_folders();
    let control = stage.control();
    let endpoint = stage.endpoint().parse().unwrap();
    let client = Client::builder(ApiKey::new(stage.api_key())).endpoint(endpoint).build().unwrap();
    let parent = control.seed_folder("d").unwrap();
    let (one, deep_one) =
        (control.seed_folder("d/twice").unwrap(), control.seed_folder("d/twice/deep").unwrap());
    let two = make_folder(&client, parent, "twice");
    let deep_two = make_folder(&client, two, "deep");
    make_folder(&client, two, "empty");
    let file = |folder_id, name: &str, size, seed, second| SeedFile {
        folder_id,
        name: name.to_owned(),
        size,
        seed,
        date: Some(format!("2024-01-02T03:04:0{second}Z").parse().unwrap()),
    };
    let files = [
        file(one, "f", 5, 1, 1),
        file(two, "f", 6, 2, 2),
        file(deep_one, "g", 4, 3, 1),
        file(deep_two, "g", 4, 3, 2),
        file(deep_two, "h", 5, 4, 2),
    ];
    control.seed_many(&files).unwrap();
    let folders = || {
        let tree = stage.control().tree().unwrap();
        let mut paths: Vec<_> = tree.folders.iter().map(|folder| folder.path.clone()).collect();
        paths.retain(|path| path.trim_start_matches('/').starts_with("d/"));
        paths.sort();
        paths.iter().map(|path| path.trim_start_matches('/').to_owned()).collect::<Vec<_>>()
    };
    let split = ["d/twice", "d/twice", "d/twice/deep", "d/twice/deep", "d/twice/empty"];
    assert_eq!(folders(), split);
    let listed = stage.run(&["dedupe", "list", "t:d"]).success_text();
    assert!(listed.starts_with("twice: 2 duplicates of this directory\n"), "{listed}");
    stage.run(&["dedupe", "skip", "t:d", "--dry-run"]).success();
    assert_eq!(folders(), split);
    stage.control().reset_counters();
    stage.run(&["dedupe", "skip", "t:d"]).success();
    assert_eq!(folders(), ["d/twice", "d/twice/deep", "d/twice/empty"]);
    // Each folder is listed once, its files move in one call.
    let calls = [("file/mv", 2), ("file/rm", 1), ("folder/ls", 7), ("folder/mv", 1), ("folder/rm", 2)];
    assert_eq!(stage.counters(), calls.map(|(call, count)| (call.to_owned(), count)).into());
    let expected = ["d/twice/deep/g 02 4", "d/twice/deep/h 02 5", "d/twice/f 01 5", "d/twice/f 02 6"];
    assert_eq!(left(&stage), expected);
}

#[test]
fn filters_hide_duplicates() {
    let stage = Stage::start();
    duplicates(&stage);
    stage.run(&["dedupe", "newest", "t:d", "--include", "/two.txt"]).success();
    let left = left(&stage);
    assert_eq!(left.len(), 8, "{left:?}");
    assert_eq!(left.iter().filter(|file| file.starts_with("d/two.txt")).count(), 1);
}
