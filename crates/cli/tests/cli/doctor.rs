//! `doctor`: it finds out how the service behaves, with few calls, and leaves nothing behind.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use fichier_emulator::{Builder, FolderRename, LongNames, MkdirExisting, Tree, Windows};
use serde_json::Value;

use crate::stage::{Run, Stage};

/// The answers of a report, by question; open ones are in brackets.
fn answers(report: &str) -> BTreeMap<String, String> {
    let report: Value = serde_json::from_str(report).unwrap_or_else(|error| panic!("{error}: {report}"));
    let questions = report["questions"].as_array().unwrap();
    let answer = |question: &Value| match question["answer"].as_str() {
        Some(answer) => answer.to_owned(),
        None => format!("({})", question["open"].as_str().unwrap()),
    };
    questions.iter().map(|question| (question["id"].as_str().unwrap().to_owned(), answer(question))).collect()
}

fn examine(stage: &Stage) -> Run {
    stage.run(&["doctor", "t:", "--json"])
}

/// Holds a run to this: so few calls, nothing left, and nothing else touched.
#[track_caller]
fn assert_tidy(stage: &Stage, before: &Tree) {
    assert_eq!(stage.control().tree().unwrap(), *before);
    let calls = stage.control().api_calls();
    assert!(calls < 20, "{calls} calls: {:?}", stage.counters());
    assert_eq!(stage.control().floods(), 0);
}

const CHANGED: &str = "<  >  '  `  $  \\  space at the beginning";

#[test]
fn it_answers_every_question_and_leaves_nothing() {
    let stage = Stage::start_logging();
    stage.control().seed_file("private name/diary.txt", b"mine").unwrap();
    let before = stage.control().tree().unwrap();
    let run = examine(&stage).code(0);
    assert_tidy(&stage, &before);
    let answers = answers(&run.stdout);
    let gap = answers["same-folder-gap"].clone();
    assert!(gap.starts_with("at most"), "{gap}");
    let expected = [
        ("all-files-listing", "works"),
        ("changed-characters", CHANGED),
        ("date-zone", "utc"),
        ("download-token", "several"),
        ("existing-folder", "refused"),
        ("file-info-by-name", "works"),
        ("file-name-length", "at least 300"),
        ("files-in-an-upload", "at least 26"),
        ("files-in-folder-listing", "brought"),
        ("folder-move-and-rename", "moves and renames"),
        ("folder-name-length", "250"),
        ("links-in-a-call", "at least 26"),
        ("listing-lag", "none"),
        ("same-folder-gap", &gap),
        ("sent-before", "excludes its second"),
    ];
    let found: Vec<_> = answers.iter().map(|(id, answer)| (&**id, &**answer)).collect();
    assert_eq!(found, expected);
    assert!(stage.bytes_moved() < 48 << 10, "{} bytes", stage.bytes_moved());

    // What is posted tells nothing of the account.
    let text = stage.run(&["doctor", "t:"]).code(5).stdout;
    assert!(text.contains("date-zone                 utc") && text.contains("14 of 15 questions"), "{text}");
    assert!(text.contains("all files were listed less than an hour ago"), "{text}");
    let endpoint = stage.endpoint();
    let address = endpoint.trim_start_matches("http://").trim_end_matches('/');
    for secret in
        [stage.api_key(), "private name", "diary", address, "emulator.invalid", "/?", "fichier-doctor-"]
    {
        assert!(!text.contains(secret) && !run.stdout.contains(secret), "{secret}: {text}");
    }
}

/// A service that answers otherwise: what is changed, with which faults, and what is found.
type Other =
    (&'static str, fn(Builder) -> Builder, &'static [&'static str], &'static [(&'static str, &'static str)]);

const OTHERS: [Other; 16] = [
    ("same", |b| b.mkdir_existing(MkdirExisting::Same), &[], &[("existing-folder", "same")]),
    ("twins", |b| b.mkdir_existing(MkdirExisting::Duplicate), &[], &[("existing-folder", "second")]),
    ("stays", |b| b.folder_rename(FolderRename::Stays), &[], &[("folder-move-and-rename", "only renames")]),
    (
        "french",
        Builder::french_dates,
        &[],
        &[("date-zone", "french"), ("sent-before", "excludes its second")],
    ),
    ("inclusive", |b| b.windows(Windows::Inclusive), &[], &[("sent-before", "includes its second")]),
    (
        "ignored",
        |b| b.windows(Windows::Ignored),
        &[],
        &[
            ("sent-before", "ignored"),
            ("all-files-listing", "(without a window the whole account might come, which is too much)"),
        ],
    ),
    ("single", |b| b.single_tokens(true), &[], &[("download-token", "one")]),
    (
        "one a request",
        |b| b.upload_files(1),
        &[],
        &[("files-in-an-upload", "one"), ("links-in-a-call", "at least 1"), ("listing-lag", "none")],
    ),
    ("few are kept", |b| b.upload_files(4).drops_excess(true), &[], &[("files-in-an-upload", "4")]),
    (
        "by link only",
        |b| b.file_by_name(false),
        &[],
        &[("file-info-by-name", "refused"), ("folder-move-and-rename", "moves and renames")],
    ),
    ("cut", |b| b.longest_name(Some(255), LongNames::Cut), &[], &[("file-name-length", "cut at 255")]),
    (
        "dropped",
        |b| b.longest_name(Some(255), LongNames::Drop),
        &[],
        &[("file-name-length", "at least 255, not 300"), ("files-in-an-upload", "at least 25")],
    ),
    ("short lists", |b| b.most_items(Some(13)), &[], &[("links-in-a-call", "at least 13, not 26")]),
    (
        "apart",
        |b| b,
        &["endpoint=folder/ls,kind=missing-items"],
        &[("files-in-folder-listing", "left out"), ("listing-lag", "none")],
    ),
    (
        "acute",
        |b| b,
        &["endpoint=upload.cgi,kind=store-as:´"],
        &[("changed-characters", "<  >  '  `  $  \\  space at the beginning  ´")],
    ),
    (
        "no listing of all",
        |b| b,
        &["endpoint=file/ls,kind=refusal:200:Not for you #7,after=1"],
        &[("all-files-listing", "refused")],
    ),
];

#[test]
fn services_that_behave_otherwise_are_found_out() {
    for (name, change, faults, expected) in OTHERS {
        let stage = Stage::start_changed("1000", change);
        stage.control().seed_file("mine/file", b"1").unwrap();
        let before = stage.control().tree().unwrap();
        for fault in faults {
            stage.control().add_fault(fault.parse().unwrap());
        }
        let run = examine(&stage);
        let found = answers(&run.stdout);
        for (id, answer) in expected {
            assert_eq!(found[*id], *answer, "{name}: {id}\n{}\n{}", run.stdout, run.stderr);
        }
        let open = found.values().any(|answer| answer.starts_with('('));
        // What stays open there stays so in a later run.
        run.code(if open { 6 } else { 0 });
        stage.control().clear_faults();
        assert_tidy(&stage, &before);
    }
}

#[test]
fn a_listing_that_lags_is_waited_for() {
    let stage = Stage::start_changed("100", |builder| builder.lag(Duration::from_millis(150)));
    let before = stage.control().tree().unwrap();
    let run = examine(&stage);
    let found = answers(&run.stdout);
    assert!(found["listing-lag"].starts_with("up to "), "{}", run.stdout);
    assert_eq!(found["folder-move-and-rename"], "moves and renames");
    run.code(0);
    assert_tidy(&stage, &before);
}

#[test]
fn at_the_first_sign_of_a_lock_it_stops_and_tidies_up() {
    for (endpoint, kind) in [
        ("folder/ls", "flood"),
        ("folder/mkdir", "flood"),
        ("upload.cgi", "plain:403:Flood detected: IP Locked"),
        ("file/ls", "status:429"),
        ("folder/mv", "flood"),
        ("download/get_token", "flood"),
    ] {
        let stage = Stage::start();
        stage.control().seed_file("mine", b"1").unwrap();
        let before = stage.control().tree().unwrap();
        stage.control().add_fault(format!("endpoint={endpoint},kind={kind},times=1").parse().unwrap());
        let run = examine(&stage).code(5);
        assert!(run.stderr.contains("stopped at the first sign of a lock"), "{endpoint}: {}", run.stderr);
        assert_eq!(stage.control().tree().unwrap(), before, "{endpoint}: {}", run.stderr);
        let counters = stage.counters();
        let asked = counters.get(endpoint).copied().unwrap_or(0);
        // The root is looked at once more where nobody knows whether the directory was made.
        assert!(asked == 1 || matches!(endpoint, "folder/ls" | "folder/mkdir"), "{endpoint}: {counters:?}");
        assert!(stage.control().api_calls() < 20, "{endpoint}: {counters:?}");
        assert_eq!(counters.get("download"), None, "{endpoint}");
        let found = answers(&run.stdout);
        assert!(found["download-token"].starts_with("(not asked: the service said"), "{found:?}");
    }
}

#[test]
fn a_locked_address_is_left_alone_and_the_next_run_tidies_up() {
    let stage = Stage::start();
    let before = stage.control().tree().unwrap();
    stage.control().add_fault("endpoint=folder/mv,kind=iplocked,times=1".parse().unwrap());
    let run = examine(&stage).code(5);
    assert!(run.stderr.contains("the next run removes it"), "{}", run.stderr);
    assert_eq!(stage.counters().get("file/rm"), None);
    assert_ne!(stage.control().tree().unwrap(), before);
    // The address is locked for 300 ms here.
    examine(&stage).code(0);
    assert_eq!(stage.control().tree().unwrap(), before);
}

/// Waits until something holds.
fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what} didn't come");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn what_a_killed_run_left_the_next_one_removes() {
    let stage = Stage::start();
    stage.control().seed_file("mine", b"1").unwrap();
    let before = stage.control().tree().unwrap();
    stage.control().add_fault("endpoint=folder/mv,kind=latency:60000,times=1".parse().unwrap());
    let mut run = stage.command().args(["doctor", "t:"]).spawn().unwrap();
    wait_for("the move", || stage.counters().contains_key("folder/mv"));
    run.kill().unwrap();
    run.wait().unwrap();
    assert_ne!(stage.control().tree().unwrap(), before);
    examine(&stage).code(0);
    assert_eq!(stage.control().tree().unwrap(), before);
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_removes_its_directory() {
    let stage = Stage::start();
    let before = stage.control().tree().unwrap();
    stage.control().add_fault("endpoint=folder/mv,kind=latency:1000,times=1".parse().unwrap());
    let mut command = stage.command();
    let run = command.args(["doctor", "t:"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    wait_for("the move", || stage.counters().contains_key("folder/mv"));
    let killed = std::process::Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(stage.control().tree().unwrap(), before);
    assert!(String::from_utf8_lossy(&output.stdout).contains("existing-folder           refused"));
}

#[test]
fn a_directory_of_that_name_that_holds_anything_else_stays() {
    let stage = Stage::start();
    stage.control().seed_file("fichier-doctor-1700000000-00ff/mine.txt", b"mine").unwrap();
    stage.control().seed_file("fichier-doctor-mine/mine.txt", b"mine").unwrap();
    let before = stage.control().tree().unwrap();
    let run = examine(&stage).code(0);
    assert!(run.stderr.contains("files that no examination has made"), "{}", run.stderr);
    assert_eq!(stage.control().tree().unwrap(), before);
}

#[test]
fn a_dry_run_tells_the_calls_and_makes_none() {
    let stage = Stage::start();
    let plan = stage.run(&["doctor", "t:", "--dry-run"]).success_text();
    assert!(plan.lines().count() > 15 && plan.starts_with("folder/ls "), "{plan}");
    assert!(stage.counters().is_empty());
    examine(&stage).code(0);
    // It says what is done then.
    let planned: u64 = plan.lines().count() as u64;
    assert_eq!(stage.counters().values().sum::<u64>(), planned, "{:?}", stage.counters());
}

#[test]
fn later_runs_act_on_what_was_found_out() {
    let moves = |stage: &Stage| {
        stage.control().seed_file("a/x/file", b"1").unwrap();
        stage.control().seed_folder("b").unwrap();
        stage.run(&["moveto", "t:a/x", "t:b/y"]).success();
        assert!(stage.control().tree().unwrap().files.iter().any(|file| file.path == "/b/y/file"));
        let calls = stage.counters()["folder/mv"];
        stage.control().reset_counters();
        calls
    };
    let stage = Stage::start_changed("1000", |builder| builder.folder_rename(FolderRename::Moves));
    examine(&stage).code(0);
    stage.control().reset_counters();
    assert_eq!(moves(&stage), 1);
    // A namesake where it leaves would be overwritten.
    stage.control().seed_file("a/z/file", b"1").unwrap();
    stage.control().seed_file("a/w/precious", b"1").unwrap();
    stage.run(&["moveto", "t:a/z", "t:b/w"]).success();
    let tree = stage.control().tree().unwrap();
    assert!(tree.files.iter().any(|file| file.path == "/a/w/precious"), "{tree:?}");

    let stays = Stage::start_changed("1000", |builder| builder.folder_rename(FolderRename::Stays));
    examine(&stays).code(0);
    stays.control().reset_counters();
    assert_eq!(moves(&stays), 2);

    // Dates that are UTC are no hour ahead: a file of this moment is younger than a minute.
    let utc = Stage::start();
    examine(&utc).code(0);
    utc.control().seed_file("now", b"1").unwrap();
    assert_eq!(utc.run(&["lsf", "t:", "--max-age", "1m"]).success_text(), "now\n");
    assert_eq!(utc.run(&["lsf", "t:", "--min-age", "30m"]).success_text(), "");

    let apart = Stage::start();
    apart.control().add_fault("endpoint=folder/ls,kind=missing-items".parse().unwrap());
    examine(&apart).code(0);
    apart.control().clear_faults();
    apart.control().reset_counters();
    apart.control().seed_file("d/file", b"1").unwrap();
    assert_eq!(apart.run(&["lsf", "t:d"]).success_text(), "file\n");
    // The root holds no file, so its files aren't asked for.
    assert_eq!((apart.counters()["folder/ls"], apart.counters()["file/ls"]), (2, 1));
}

#[test]
fn what_is_no_account_cannot_be_examined() {
    let stage = Stage::start();
    stage.directory("here");
    let run = stage.run(&["doctor", "work/here"]).code(2);
    assert!(run.stderr.contains("name the remote of one"), "{}", run.stderr);
    let wrong = stage.command().env("RCLONE_CONFIG_T_API_KEY", "wrong-key").args(["doctor", "t:"]).output();
    assert_eq!(wrong.unwrap().status.code(), Some(7));
    let demo = stage.run(&["doctor", "demo:"]).code(0);
    assert!(demo.stdout.contains("date-zone                 french"), "{}", demo.stdout);
}
