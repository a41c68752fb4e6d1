//! Tests of the completion of remotes and of what is stored there.

use std::{fs, process::Command};

use crate::config::home::{Ended, Home};

fn furnished() -> Home {
    let home = Home::with(Some("[disk]\ntype = local\n\n[demo-two]\ntype = alias\nremote = demo:\n"));
    home.run(&["mkdir", "demo:docs/a b"]).success();
    home.run(&["mkdir", "demo:pictures"]).success();
    home
}

#[test]
fn remotes_and_paths_are_told() {
    let home = furnished();
    let told = |text: &str| home.run(&["complete-path", "--", text]).success();
    assert_eq!(told(""), "demo:\ndemo-two:\ndisk:\n");
    assert_eq!(told("di"), "disk:\n");
    assert_eq!(told("demo:"), "demo:docs/\ndemo:pictures/\n");
    assert_eq!(told("demo:d"), "demo:docs/\n");
    assert_eq!(told("demo:docs/"), "demo:docs/a b/\n");
    assert_eq!(told("demo-two:p"), "demo-two:pictures/\n");
    assert_eq!(told("./x:"), "");
    // The answer for a folder is remembered for a while.
    home.run(&["mkdir", "demo:dates"]).success();
    assert_eq!(told("demo:d"), "demo:docs/\n");
    assert!(home.run(&["complete-path", "nosuch:"]).code != Some(0));
}

/// Returns what bash offers for a command line.
fn offered(home: &Home, line: &str, words: &str) -> String {
    let program = env!("CARGO_BIN_EXE_fichier");
    let directory = std::path::Path::new(program).parent().unwrap().display();
    let script = home.run(&["completion", "bash"]).success();
    let file = home.file().with_file_name("completion.bash");
    fs::write(&file, script).unwrap();
    let test = format!(
        "PATH={directory}:$PATH; source {file}; COMP_LINE={line:?}; COMP_POINT=${{#COMP_LINE}}; COMP_WORDS=({words}); \
         COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
         _fichier_with_paths fichier \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        file = file.display()
    );
    let mut command = Command::new("bash");
    let environment = home.command();
    let variables = environment.get_envs().filter_map(|(name, value)| Some((name, value?)));
    command.env_clear().envs(variables).args(["-c", &test]).current_dir(file.parent().unwrap());
    Ended::of(command.output().unwrap()).success()
}

#[cfg(unix)]
#[test]
fn bash_completes_commands_flags_remotes_and_paths() {
    let home = furnished();
    // Bash has divided the words at their colons.
    assert_eq!(offered(&home, "fichier lsf dis", "fichier lsf dis"), "disk:\n");
    assert_eq!(offered(&home, "fichier lsf demo:d", "fichier lsf demo : d"), "docs/\n");
    assert_eq!(offered(&home, "fichier lsf demo:docs/", "fichier lsf demo : docs/"), "docs/a\\ b/\n");
    assert_eq!(offered(&home, "fichier lsf demo:docs/a\\ ", "fichier lsf demo : 'docs/a '"), "docs/a\\ b/\n");
    assert!(offered(&home, "fichier copyt", "fichier copyt").contains("copyto"));
    assert!(offered(&home, "fichier lsf --sep", "fichier lsf --sep").contains("--separator"));
    assert!(offered(&home, "fichier lsf the", "fichier lsf the").contains("the.conf"));
    // After a colon, nothing local is meant.
    assert!(!offered(&home, "fichier lsf demo:th", "fichier lsf demo : th").contains("the.conf"));
    assert_eq!(offered(&home, "fichier config show di", "fichier config show di"), "disk\n");
    assert_eq!(offered(&home, "fichier lsf --log-level=NO", "fichier lsf --log-level = NO"), "NOTICE\n");
    assert_eq!(offered(&home, "fichier lsf --log-level=no", "fichier lsf --log-level = no"), "notice\n");
    let line = "fichier config update disk case_s";
    assert_eq!(offered(&home, line, line), "case_sensitive=\n");
    let line = "fichier config unset disk case_s";
    assert_eq!(offered(&home, line, line), "case_sensitive\n");
    let line = "fichier lsf disk,case_s";
    assert_eq!(offered(&home, line, line), "disk\\,case_sensitive=\n");
    let line = "fichier lsf disk,time_type=m";
    assert_eq!(offered(&home, line, "fichier lsf disk,time_type = m"), "mtime:\n");
    assert_eq!(offered(&home, "fichier help backend fi", "fichier help backend fi"), "fichier\n");
    assert!(!offered(&home, "fichier com", "fichier com").contains("complete-path"));
    assert_eq!(offered(&home, "fichier version dem", "fichier version dem").trim(), "");
}
