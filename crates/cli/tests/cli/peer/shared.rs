//! Tests of someone's shared folder, read by both programs without an account.

use std::process::Command;

use crate::{
    peer::{rclone::Rclone, sorted},
    stage::{Run, Stage, read_tree},
};

/// Defines the shared folder as `t:`.
fn with_share<'a>(command: &'a mut Command, code: &str, password: Option<&str>) -> &'a mut Command {
    command.env("RCLONE_CONFIG_T_SHARED_FOLDER", code);
    match password {
        Some(password) => command.env("RCLONE_CONFIG_T_FOLDER_PASSWORD", password),
        None => command,
    }
}

#[test]
fn a_shared_folder_is_listed_and_downloaded_by_both() {
    let rclone = Rclone::installed();
    let stage = Stage::start_behind_proxy();
    stage.control().seed_file("public/one.txt", b"first").unwrap();
    stage.control().seed_file("public/t＂wo＂", b"second").unwrap();
    for password in [None, Some("open sesame")] {
        let code = stage.control().seed_share("public", password).unwrap();
        let obscured = password.map(|text| rclone.run(&stage, &["obscure", text]).success_text());
        let run = |ours: bool, words: &[&str]| {
            let mut command = if ours { stage.command() } else { rclone.command(&stage) };
            // rclone 1.75.2 documents that the password has to be obscured, but sends what it reads as it is.
            let password = if ours { obscured.as_deref().map(str::trim) } else { password };
            let command = with_share(&mut command, &code, password);
            Run::of(command.args(words), &words.join(" ")).success_text()
        };
        let list = ["lsf", "--format", "psi", "t:"];
        let (ours, theirs) = (run(true, &list), run(false, &list));
        // rclone shows names of a shared folder as they are stored; we show them decoded.
        let theirs = theirs.replace('＂', "\"");
        assert_eq!(sorted(&ours), sorted(&theirs), "with password: {}", password.is_some());
        assert!(ours.contains("one.txt;5;") && ours.contains("t\"wo\";6;"), "{ours}");
        let mut trees = [true, false].map(|ours| {
            let target = stage.directory(&format!("{ours} {}", password.is_some()));
            run(ours, &["copy", "t:", target.to_str().unwrap()]);
            read_tree(&target)
        });
        let [ours, theirs] = &mut trees;
        assert_eq!(ours.remove("t\"wo\"").unwrap(), b"second");
        assert_eq!(theirs.remove("t＂wo＂").unwrap(), b"second");
        assert_eq!(ours, theirs);
        assert_eq!(ours["one.txt"], b"first");
    }
}
