//! Tests of the password of the configuration file.

use std::process::Stdio;

use crate::config::home::{Ended, Home};

const TEXT: &str = "[one]\ntype = local\n";

fn with(home: &Home, variables: &[(&str, &str)], words: &[&str], input: &str) -> Ended {
    let mut command = home.command();
    command.args(words).envs(variables.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes());
    Ended::of(child.wait_with_output().unwrap())
}

#[test]
fn the_password_comes_from_command_variable_or_person() {
    let home = Home::with(Some(TEXT));
    with(&home, &[], &["config", "encryption", "set"], "pw\npw\n").success();
    assert!(home.text().contains("RCLONE_ENCRYPT_V0:") && !home.text().contains("[one]"));
    let list = |variables: &[(&str, &str)], flags: &[&str], input: &str| {
        with(&home, variables, &[&["listremotes"], flags].concat(), input)
    };
    assert_eq!(
        list(&[("FICHIER_CONFIG_PASS", "pw"), ("RCLONE_CONFIG_PASS", "x")], &[], "").success(),
        "one:\n"
    );
    assert_eq!(list(&[("RCLONE_CONFIG_PASS", "pw")], &[], "").success(), "one:\n");
    let command = ["--password-command", "echo pw"];
    assert_eq!(list(&[("FICHIER_CONFIG_PASS", "x")], &command, "").success(), "one:\n");
    assert_eq!(list(&[("RCLONE_PASSWORD_COMMAND", "echo pw")], &[], "").success(), "one:\n");
    assert_eq!(list(&[], &[], "pw\n").success(), "one:\n");

    list(&[("FICHIER_CONFIG_PASS", "x")], &[], "pw\n")
        .failure(2, "the password in FICHIER_CONFIG_PASS doesn't open");
    list(&[], &["--password-command", "echo x"], "pw\n")
        .failure(2, "--password-command gave doesn't open it");
    list(&[], &["--password-command", "false"], "pw\n").failure(2, "--password-command failed");
    list(&[], &["--ask-password=false"], "pw\n").failure(2, "may not be asked for");
    list(&[], &[], "wrong\npw\n").failure(2, "the password doesn't open it");
    list(&[], &[], "").failure(2, "no password was entered");
}

#[test]
fn it_is_changed_checked_and_removed() {
    let home = Home::with(Some(TEXT));
    with(&home, &[], &["config", "encryption", "check"], "").failure(2, "NOT encrypted");
    with(&home, &[], &["config", "encryption", "remove"], "").success();
    with(&home, &[], &["config", "encryption", "set"], "a\nb\n").failure(2, "differ");
    with(&home, &[], &["config", "encryption", "set"], "\n").failure(2, "empty");
    with(&home, &[], &["config", "encryption", "set"], "a\n").failure(2, "as it was");
    assert_eq!(home.text(), TEXT);
    with(&home, &[], &["config", "encryption", "set"], "a\na\n").success();
    with(&home, &[], &["config", "encryption", "set"], "a\nb\nb\n").success();
    let pass = |password| [("FICHIER_CONFIG_PASS", password)];
    with(&home, &pass("a"), &["config", "encryption", "check"], "").failure(2, "doesn't open");
    with(&home, &pass("b"), &["config", "encryption", "check"], "").success();
    with(&home, &pass("b"), &["config", "create", "two", "local"], "").success();
    assert!(home.text().contains("RCLONE_ENCRYPT_V0:"));
    with(&home, &pass("b"), &["config", "encryption", "remove"], "").success();
    assert_eq!(home.text(), "[one]\ntype = local\n\n[two]\ntype = local\n\n");
}

#[test]
fn a_command_tells_old_and_new_password() {
    let home = Home::with(Some(TEXT));
    let script = r#"sh -c "echo pw$RCLONE_PASSWORD_CHANGE""#;
    let set = ["config", "encryption", "set", "--password-command", script];
    with(&home, &[], &set, "").success();
    let check = |password: &str| with(&home, &[("FICHIER_CONFIG_PASS", password)], &["listremotes"], "");
    assert_eq!(check("pw1").success(), "one:\n");
    assert_ne!(check("pw").code, Some(0));
}
