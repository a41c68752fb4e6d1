//! Tests of remotes of the configuration, made on the fly and built in, and of messages when one isn't available.

use std::{fs, path::Path};

use assert_cmd::Command;
use predicates::{prelude::*, str::contains};

use crate::stage::Stage;

fn fichier(directory: &Path) -> Command {
    let mut command = Command::cargo_bin("fichier").unwrap();
    command.current_dir(directory).env_clear().env("HOME", directory).env("TZ", "UTC");
    command
}

/// Returns the value that the stage gives the binary for its service.
fn told(stage: &Stage, variable: &str) -> String {
    let command = stage.command();
    let value = command.get_envs().find(|(name, _)| *name == variable).unwrap().1.unwrap();
    value.to_str().unwrap().to_owned()
}

fn configured(text: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir_all(directory.path().join(".config/rclone")).unwrap();
    fs::write(directory.path().join(".config/rclone/rclone.conf"), text).unwrap();
    directory
}

#[test]
fn remotes_of_file_and_environment_are_listed() {
    let home = configured("[one]\ntype = fichier\ndescription = mine\n\n[disk]\ntype = local\n");
    let list = || {
        let mut command = fichier(home.path());
        command.arg("listremotes").env("RCLONE_CONFIG_ENV_TYPE", "fichier");
        command
    };
    list().assert().success().stdout("env:\none:\ndisk:\n");
    list().args(["--type", "local"]).assert().success().stdout("disk:\n");
    list().args(["--source", "environment"]).assert().success().stdout("env:\n");
    list().args(["--config", ""]).assert().success().stdout("env:\n");
}

#[test]
fn passwords_are_obscured_and_revealed() {
    let home = tempfile::tempdir().unwrap();
    let obscured = fichier(home.path()).args(["obscure", "potato"]).assert().success();
    let obscured = String::from_utf8(obscured.get_output().stdout.clone()).unwrap();
    fichier(home.path()).args(["reveal", obscured.trim()]).assert().success().stdout("potato\n");
    fichier(home.path()).args(["reveal", "-"]).write_stdin(obscured).assert().success().stdout("potato\n");
    // As printed by `rclone obscure potato`.
    let rclones = "ExbtaUio2EhTKksRRXwopEv7MHqm2w";
    fichier(home.path()).args(["reveal", rclones]).assert().success().stdout("potato\n");
    fichier(home.path()).args(["reveal", "plain text"]).assert().code(2).stderr(contains("not obscured"));
}

#[test]
fn what_is_not_there_is_named() {
    let home = configured("[one]\ntype = drive\n\n[untyped]\nkey = 1\n");
    let fails = |spec: &str, message: &str| {
        fichier(home.path()).args(["ls", spec]).assert().code(2).stderr(contains(message));
    };
    fails("two:", "\"two:\": didn't find section in config file (\"two\"); there are: one, demo");
    fails("one:", "didn't find backend called \"drive\", the type of \"one\": rclone has it");
    fails(":drive:", "didn't find backend called \"drive\": rclone has it");
    fails("untyped:", "has no type");
    let bind = fichier(home.path()).args(["ls", "demo:", "--bind", "eth0"]).assert().code(1);
    bind.stderr(contains("expected an IP address such as"));
}

#[test]
fn files_that_cannot_be_read_say_where() {
    let broken = configured("[one]\ntype = fichier\nnonsense\n");
    fichier(broken.path()).args(["ls", "one:"]).assert().code(2).stderr(contains("rclone.conf: line 3"));
    fichier(broken.path()).args(["lsf", "."]).assert().success();
    let encrypted = configured("# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\nabcd\n");
    fichier(encrypted.path()).args(["listremotes"]).assert().code(2).stderr(contains("is encrypted"));
}

#[test]
fn local_remotes_are_local_paths() {
    let home = configured("[disk]\ntype = local\n");
    fs::write(home.path().join("file"), "x").unwrap();
    let here = home.path().to_str().unwrap();
    for spec in [format!("disk:{here}"), format!(":local:{here}"), "disk:".to_owned(), "disk:file".to_owned()]
    {
        fichier(home.path()).args(["lsf", &spec]).assert().success().stdout(contains("file\n"));
    }
}

#[test]
fn passwords_must_be_obscured() {
    let home = configured("[one]\ntype = fichier\napi_key = K\nfile_password = in the clear\n");
    let assert = fichier(home.path()).args(["ls", "one:"]).assert().code(2);
    assert.stderr(contains("fichier obscure").and(contains("in the clear").not()));
}

#[test]
fn no_key_says_where_to_get_one() {
    let home = tempfile::tempdir().unwrap();
    let assert = fichier(home.path()).args(["ls", ":fichier:"]).assert().code(7);
    assert.stderr(contains("no API key").and(contains("https://1fichier.com/console/params.pl")));
}

#[test]
fn a_wrong_key_is_said_once_and_never_tried_again() {
    let stage = Stage::start();
    let endpoint = told(&stage, "RCLONE_CONFIG_T_ENDPOINT");
    let run =
        stage.run(&["ls", &format!(":fichier,api_key=wrongwrong,endpoint='{endpoint}':"), "-vv"]).code(7);
    assert!(!run.stderr.contains("wrongwrong"), "{}", run.stderr);
    assert_eq!(run.stderr.matches("ERROR").count(), 1, "{}", run.stderr);
    assert_eq!(stage.counters().values().sum::<u64>(), 1);
}

#[test]
fn an_unreachable_host_is_worth_another_run() {
    let stage = Stage::start();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let spec = format!(":fichier,api_key=KEYKEYKEY,endpoint='http://{closed}/':");
    let run = stage.run(&["ls", &spec, "-vv", "--low-level-retries", "1"]).code(5);
    assert!(!run.stderr.contains("KEYKEYKEY"), "{}", run.stderr);
}

/// The key that wins is seen by which run gets in: all places but the winning one hold a wrong key.
#[test]
fn the_nearest_value_counts() {
    let stage = Stage::start();
    let key = told(&stage, "RCLONE_CONFIG_T_API_KEY");
    let places = ["parameter", "flag", "remote", "backend", "file"];
    for (winner, place) in places.iter().enumerate() {
        let at = |level: usize| (level >= winner).then(|| if level == winner { &*key } else { "wrong" });
        let file = format!(
            "[one]\ntype = fichier\nendpoint = {}\ncall_gap = 1ms\n{}",
            told(&stage, "RCLONE_CONFIG_T_ENDPOINT"),
            at(4).map(|key| format!("api_key = {key}\n")).unwrap_or_default()
        );
        let home = configured(&file);
        let mut command = fichier(home.path());
        command.args(["ls", &at(0).map_or("one:".to_owned(), |key| format!("one,api_key={key}:"))]);
        command.args(at(1).map(|key| format!("--fichier-api-key={key}")));
        command.envs(at(2).map(|key| ("RCLONE_CONFIG_ONE_API_KEY", key)));
        command.envs(at(3).map(|key| ("RCLONE_FICHIER_API_KEY", key)));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{place}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_demo_takes_options_and_can_be_replaced() {
    let home = tempfile::tempdir().unwrap();
    fichier(home.path()).args(["mkdir", "demo:a"]).assert().success();
    fichier(home.path()).args(["lsf", "demo,empty_files=marker:"]).assert().success().stdout("a/\n");
    let wrong = fichier(home.path()).args(["lsf", "demo,empty_files=nonsense:"]).assert().failure();
    wrong.stderr(contains("empty_files"));
    // A service on this computer isn't called through a proxy.
    let mut behind = fichier(home.path());
    behind.env("HTTP_PROXY", "http://127.0.0.1:1").env("ALL_PROXY", "http://127.0.0.1:1");
    behind.args(["lsf", "demo:"]).assert().success().stdout("a/\n");
    let mut replaced = fichier(home.path());
    replaced.env("RCLONE_CONFIG_DEMO_TYPE", "local").args(["lsf", "demo:nothing"]).assert().code(3);
}

#[test]
fn aliases_stand_for_places_on_other_remotes() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(home.path().join("d/e/f")).unwrap();
    fs::write(home.path().join("d/e/f/x"), "x").unwrap();
    let here = home.path().to_str().unwrap();
    let text = format!(
        "[al]\ntype = alias\nremote = {here}/d/e\n[two]\ntype = alias\nremote = al:f\n[demo-f]\ntype = alias\n\
         remote = demo,empty_files=marker:a/b\n[self]\ntype = alias\nremote = self:x\n[none]\ntype = alias\n\
         [c1]\ntype = alias\nremote = c2:\n[c2]\ntype = alias\nremote = c1:\n"
    );
    fs::create_dir_all(home.path().join(".config/rclone")).unwrap();
    fs::write(home.path().join(".config/rclone/rclone.conf"), text).unwrap();
    let shows = |spec: &str, expected: &str| {
        fichier(home.path()).args(["lsf", spec]).assert().success().stdout(expected.to_owned());
    };
    shows("al:", "f/\n");
    shows("al:f", "x\n");
    shows("two:", "x\n");
    shows(":alias,remote=d:e", "f/\n");
    fichier(home.path()).args(["copy", "two:", "demo-f:c"]).assert().success();
    shows("demo:a/b/c", "x\n");
    let fails = |spec: &str, message: &str| {
        fichier(home.path()).args(["lsf", spec]).assert().code(2).stderr(contains(message));
    };
    fails("self:", "stands for itself");
    fails("none:", "needs the option remote");
    fails("c1:", "circle");
}

#[test]
fn options_of_the_whole_program_are_refused_in_a_remote() {
    let home = configured("[in_file]\ntype = local\nglobal.dry_run = true\n\n[plain]\ntype = local\n");
    fs::create_dir(home.path().join("s")).unwrap();
    fs::write(home.path().join("s/a"), "1").unwrap();
    let source = home.path().join("s").display().to_string();
    for (remote, advice) in [
        ("in_file:", "--dry-run"),
        ("plain,global.max_depth=1:", "--max-depth"),
        (":local,global.dry_run=true:", "--dry-run"),
        (":local,override.max_delete=0:", "--max-delete"),
    ] {
        let words = ["copy", &format!("{remote}{source}"), "d"];
        fichier(home.path()).args(words).assert().failure().stderr(contains(advice));
        assert!(!home.path().join("d").exists(), "{remote}");
    }
}
