//! Tests that keys and passwords are in no output, however verbose and however broken the run.

use std::fmt::Write as _;

use crate::{
    config::home::{Ended, Home},
    stage::Stage,
};

const KEY: &str = "Sk3y-that-must-not-be-seen";
const PASSWORD: &str = "Pa55-that-must-not-be-seen";

/// Commands that have a key, a password or both, right or wrong, and fail in many ways or not at all.
const RUNS: &[&[&str]] = &[
    &["lsf", "one:"],
    &["lsf", "one,cdn=maybe:"],
    &["lsf", "one,encoding=Slosh:"],
    &["lsf", "one,api_key=@KEY@,:"],
    &["lsf", ":fichier,api_key=@KEY@"],
    &["lsf", ":fichier,api_key='@KEY@:"],
    &["lsf", ":fichier,api_key=@KEY@,endpoint=http://127.0.0.1:1/:"],
    &["lsf", ":fichier,api_key=@KEY@,cdn=maybe:"],
    &["lsf", ":fichier,api_key=@KEY@,file_password=@PASSWORD@:"],
    &["lsf", "one:", "--fichier-api-key", "@KEY@"],
    &["lsf", "al:"],
    &["lsf", ":alias,remote=':fichier,api_key=@KEY@,cdn=maybe:':"],
    &["lsf", ":alias,remote=':fichier,api_key=@KEY@,cdn':"],
    &["config", "show", "--origin", "al:"],
    &["config", "update", "al", "description=x"],
    &["lsf", "one:", "--fichier-file-password", "@PASSWORD@"],
    &["copy", "one:", ":fichier,api_key=@KEY@:x", "--dry-run"],
    &["about", "one:"],
    &["listremotes", "--long"],
    &["config", "create", "two", "fichier", "api_key=@KEY@", "file_password=@PASSWORD@"],
    &["config", "update", "two", "api_key", "@KEY@"],
    &["config", "password", "two", "file_password", "@PASSWORD@"],
    &["config", "redacted"],
    &["config", "show", "--origin", "one:"],
    &["config", "show", "--origin", "one,api_key=@KEY@:"],
    &["config", "userinfo", "one:"],
    &["config", "paths"],
    &["config", "update", "one", "x\n=@KEY@"],
    &["config", "update", "one", "description=@KEY@\n"],
    &["complete-path", "one:"],
    &["complete-path", ":fichier,api_key=@KEY@:"],
    &["deletefile", ":fichier,api_key=@KEY@:nope"],
    &["checksum", "sha1", ":fichier,api_key=@KEY@:nope", "."],
    &["lsf", ".", "--files-from", ":fichier,api_key=@KEY@:"],
    &["hashsum", ":fichier,api_key=@KEY@:"],
    &["lsf", "one:", ":fichier,api_key=@KEY@:"],
    &["obscure", "@PASSWORD@"],
    &["reveal", "@PASSWORD@"],
];

fn look(words: &[&str], ended: &Ended, shown: &mut String) {
    for text in [&ended.stdout, &ended.stderr] {
        for secret in [KEY, PASSWORD] {
            assert!(!text.contains(secret), "{words:?}: {ended:?}");
        }
        let _ = writeln!(shown, "{text}");
    }
}

#[test]
fn no_run_shows_a_key_or_a_password() {
    let stage = Stage::start();
    let environment = stage.command();
    let endpoint =
        environment.get_envs().find(|(name, _)| *name == "RCLONE_CONFIG_T_ENDPOINT").unwrap().1.unwrap();
    let file = format!(
        "[al]\ntype = alias\nremote = :fichier,api_key={KEY},cdn=maybe:\n[one]\ntype = fichier\napi_key = {KEY}\nfile_password = {PASSWORD}!\nendpoint = {}\ncall_gap = 1ms\n",
        endpoint.to_str().unwrap()
    );
    let mut shown = String::new();
    for (file, pass) in [(file.clone(), None), (format!("{file}{KEY}\n"), None), (file, Some(PASSWORD))] {
        let home = Home::with(Some(&file));
        if let Some(pass) = pass {
            home.pipe(&["config", "encryption", "set"], &format!("{pass}\n{pass}\n")).success();
        }
        for words in RUNS {
            let words: Vec<_> = words
                .iter()
                .map(|word| word.replace("@KEY@", KEY).replace("@PASSWORD@", PASSWORD))
                .chain(["-vv", "--low-level-retries=1", "--contimeout=1s"].map(str::to_owned))
                .collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let mut command = home.command();
            command.args(&words).env("RCLONE_FICHIER_FOLDER_PASSWORD", PASSWORD);
            command.envs(pass.map(|pass| ("FICHIER_CONFIG_PASS", pass)));
            let ended = Ended::of(command.stdin(std::process::Stdio::null()).output().unwrap());
            look(&words, &ended, &mut shown);
        }
        for input in ["n\nnew\n1\n", "e\none\n\nn\n\ne\nal\n\nn\n\nq\n", "r\none\nuno\ne\nuno\n"] {
            let input = format!("{input}{KEY}\ny\n\ny\n{PASSWORD}\n{PASSWORD}\n");
            look(&["config", &input], &home.pipe(&["config", "--no-check", "-vv"], &input), &mut shown);
        }
    }
    // The runs were verbose, and some reached the service.
    assert!(shown.contains("DEBUG") && stage.counters().values().sum::<u64>() > 0, "{shown}");
}
