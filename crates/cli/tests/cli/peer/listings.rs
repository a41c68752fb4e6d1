//! Tests that both programs list the same account the same.

use crate::{
    peer::{rclone::Rclone, side_by_side, sorted},
    stage::{Run, Stage},
};

/// Makes an account with entries that are hard to list: names with encoded characters, two files of one name, an empty
/// folder, sizes that are rounded, folders in folders.
fn seeded() -> Stage {
    let stage = Stage::start_behind_proxy();
    let control = stage.control();
    let date = |second: u32| format!("2024-05-06T07:08:{second:02}Z").parse().unwrap();
    for (number, (path, content)) in [
        ("/a.txt", &b"hello"[..]),
        ("/docs/b.txt", b"hello world"),
        ("/docs/deep/c.csv", b"1,2"),
        ("/docs/twice", b"the older"),
        ("/docs/twice", b"the newer one"),
        ("/space dir/quo＂te,comma.html", b"<p>"),
        ("/ünï/日本.txt", b"y"),
        ("/ünï/␠edges␠", b"z"),
        ("/no extension", &[7; 4321]),
        ("/big.png", &vec![1; 1_500_000]),
    ]
    .into_iter()
    .enumerate()
    {
        control.seed_file_dated(path, content, date(number.try_into().unwrap())).unwrap();
    }
    control.seed_folder("/empty").unwrap();
    stage
}

/// Command lines whose output is the same, apart from the order of lines.
const SAME: &[&[&str]] = &[
    &["ls", "t:"],
    &["ls", "t:docs", "--human-readable"],
    &["ls", "t:", "--max-depth", "1"],
    &["ls", "t:docs/b.txt"],
    &["lsl", "t:"],
    &["lsd", "t:"],
    &["lsd", "-R", "t:"],
    &["lsf", "t:"],
    &["lsf", "-R", "t:"],
    &["lsf", "t:a.txt"],
    &["lsf", "-R", "--dirs-only", "--absolute", "t:"],
    &["lsf", "-R", "--format", "psthmi", "t:"],
    &["lsf", "-R", "--format", "hp", "--hash", "whirlpool", "--csv", "t:"],
    &["lsf", "--format", "tps", "--human-readable", "--separator", "|", "t:docs"],
    &["lsjson", "t:"],
    &["lsjson", "-R", "--hash", "t:"],
    &["lsjson", "--files-only", "--no-modtime", "--no-mimetype", "t:docs"],
    &["lsjson", "-R", "--hash-type", "whirlpool", "--dirs-only", "t:"],
    &["lsjson", "--stat", "--hash", "t:docs/b.txt"],
    &["tree", "t:"],
    &["tree", "-s", "--noreport", "t:ünï"],
    &["size", "t:"],
    &["size", "--json", "t:docs"],
    &["hashsum", "whirlpool", "t:"],
    &["hashsum", "whirlpool", "--base64", "t:docs"],
    &["hashsum", "WHIRLPOOL", "--download", "t:docs/deep"],
    &["hashsum", "sha256", "--download", "t:docs/deep"],
    &["md5sum", "--download", "t:docs/b.txt"],
    &["sha1sum", "--download", "t:docs/b.txt"],
    &["about", "t:"],
    &["about", "--json", "t:"],
    &["about", "--full", "t:"],
    &["cat", "t:docs/b.txt"],
    &["cat", "t:docs/b.txt", "--offset", "6", "--count", "3"],
    &["cat", "t:docs/b.txt", "--tail", "5"],
    &["cat", "t:docs/deep", "--separator", "--\n"],
    &["link", "t:a.txt"],
];

#[test]
fn both_programs_print_the_same() {
    let rclone = Rclone::installed();
    let stage = seeded();
    side_by_side(SAME, |words| {
        let theirs = rclone.run(&stage, words).success_text();
        let ours = stage.run(words).success_text();
        assert_eq!(sorted(&ours), sorted(&theirs), "{words:?}: left is ours, right is rclone's");
        assert!(!ours.is_empty(), "{words:?}");
    });
}

#[test]
fn two_files_of_one_name_are_two_files_for_both() {
    let rclone = Rclone::installed();
    let stage = seeded();
    let sizes = ["lsf", "--format", "sp", "t:docs"];
    for run in [rclone.run(&stage, &sizes), stage.run(&sizes)] {
        assert_eq!(sorted(&run.success_text()), ["-1;deep/", "11;b.txt", "13;twice", "9;twice"]);
    }
}

/// One configuration file, which rclone could have written, serves both; the binary needs nothing else to find
/// the service by its own names.
#[test]
fn rclones_configuration_file_serves_both() {
    let rclone = Rclone::installed();
    let stage = seeded();
    let file = stage.home().join("rclone.conf");
    std::fs::write(&file, format!("[cloud]\ntype = fichier\napi_key = {}\n", stage.api_key())).unwrap();
    let words = ["lsf", "-R", "--format", "ps", "cloud:docs"];
    let theirs = rclone.run(&stage, &words).success_text();
    let mut ours = std::process::Command::new(env!("CARGO_BIN_EXE_fichier"));
    ours.env_clear().envs(stage.proxy_environment()).env("HOME", stage.home()).env("RCLONE_CONFIG", &file);
    let ours = Run::of(ours.args(words).args(["--fichier-call-gap", "1ms"]), "fichier").success_text();
    assert_eq!(sorted(&ours), sorted(&theirs));
    assert_eq!(ours.lines().count(), 5);
}
