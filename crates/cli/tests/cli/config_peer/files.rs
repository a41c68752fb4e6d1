//! Tests of the file, in the clear and encrypted, written by one program and read by the other.

use std::fs;

use super::{BOTH, Pair, Program};

/// Values that a file must hold without a change. rclone itself can't store those with a backtick.
const VALUES: &[&str] = &[
    "plain",
    "two words",
    "a=b:c",
    "# no comment",
    "; none either",
    "[no section]",
    "\"quoted\"",
    "'single'",
    "tab\tinside",
    "pässwörd ☃",
    "%(open",
    "back\\slash",
    "",
];

/// Values that only our program can store.
const OURS: &[&str] = &[" space before", "space behind ", "a`b", "`x`", "\"\"\"three\"\"\""];

#[test]
fn what_one_writes_the_other_reads() {
    for writer in BOTH {
        let pair = Pair::with("# mine\n\n[old]\ntype = local\nunknown = kept\n");
        let values: Vec<&str> = match writer {
            Program::Ours => VALUES.iter().chain(OURS).copied().collect(),
            Program::Rclones => VALUES.to_vec(),
        };
        for (number, value) in values.iter().enumerate() {
            let option = format!("description={value}");
            pair.run(writer, &["config", "create", &format!("r{number}"), "local", &option, "--no-output"]);
        }
        let (ours, rclones) = (pair.dump(Program::Ours, &[]), pair.dump(Program::Rclones, &[]));
        assert_eq!(ours, rclones, "written by {writer:?}");
        for (number, value) in values.iter().enumerate() {
            assert_eq!(ours[format!("r{number}")]["description"], **value, "written by {writer:?}");
        }
        assert_eq!(ours["old"]["unknown"], "kept");
        assert!(fs::read_to_string(pair.file()).unwrap().starts_with("# mine\n"));
    }
}

#[test]
fn in_turns_they_lose_nothing() {
    let pair = Pair::with("# top\n[one]\n# of the key\ntype = fichier\napi_key = K\n");
    for round in 0..6 {
        let program = if round % 2 == 0 { Program::Ours } else { Program::Rclones };
        let name = format!("n{round}");
        pair.run(program, &["config", "create", &name, "alias", "remote=one:", "--no-output"]);
        pair.run(program, &["config", "update", "one", &format!("description={round}"), "--no-output"]);
        if round > 1 {
            pair.run(program, &["config", "delete", &format!("n{}", round - 2)]);
        }
    }
    let dump = pair.dump(Program::Ours, &[]);
    assert_eq!(dump, pair.dump(Program::Rclones, &[]));
    assert_eq!(dump["one"], serde_json::json!({"type": "fichier", "api_key": "K", "description": "5"}));
    assert_eq!(dump.as_object().unwrap().keys().collect::<Vec<_>>(), ["n4", "n5", "one"]);
    let text = fs::read_to_string(pair.file()).unwrap();
    assert!(text.contains("# top\n") && text.contains("# of the key\n"), "{text}");
}

#[test]
fn what_one_encrypts_the_other_decrypts_and_changes() {
    for password in ["pw", "two words", " around ", "ﬁle é e\u{301} ☃"] {
        for writer in BOTH {
            let pair = Pair::with("[one]\ntype = fichier\napi_key = KEY\n");
            // From a pipe rclone takes a password without the spaces around it.
            let command = format!("printf \"{password}\"");
            pair.run(writer, &["config", "encryption", "set", "--password-command", &command]);
            let text = fs::read_to_string(pair.file()).unwrap();
            assert!(text.contains("RCLONE_ENCRYPT_V0:") && !text.contains("KEY"), "{writer:?}: {text}");
            let pass = [("RCLONE_CONFIG_PASS", password)];
            for reader in BOTH {
                let dump = pair.dump(reader, &pass);
                assert_eq!(dump["one"]["api_key"], "KEY", "{writer:?} to {reader:?}, {password:?}");
            }
            let other = writer.other();
            pair.run_with(other, &pass, &["config", "create", "two", "local", "--no-output"], "");
            assert_eq!(pair.dump(writer, &pass).as_object().unwrap().len(), 2);
            for program in BOTH {
                let wrong = [("RCLONE_CONFIG_PASS", "wrong")];
                assert!(!pair.try_with(program, &wrong, &["listremotes"], "").status.success());
            }
            pair.run_with(other, &pass, &["config", "encryption", "remove"], "");
            assert_eq!(pair.dump(writer, &[]).as_object().unwrap().len(), 2);
        }
    }
}

#[test]
fn the_password_command_comes_before_the_variable() {
    let pair = Pair::with("[one]\ntype = local\n");
    pair.run_with(Program::Rclones, &[], &["config", "encryption", "set"], "pw\npw\n");
    for program in BOTH {
        let list = |command: &str, variable: &str| {
            let variables = [("RCLONE_CONFIG_PASS", variable)];
            pair.try_with(program, &variables, &["listremotes", "--password-command", command], "")
        };
        assert_eq!(list("echo pw", "wrong").stdout, b"one:\n", "{program:?}");
        assert!(!list("echo wrong", "pw").status.success(), "{program:?}");
        assert!(!list("false", "pw").status.success(), "{program:?}");
    }
}

#[test]
fn copies_for_others_hide_the_same() {
    let pair = Pair::with(
        "# c\n[b]\ntype = fichier\napi_key = SECRET\nfile_password = SECRET\ncdn = true\nodd = 1\nshared_folder = \n\
         [a]\ntype = alias\nremote = b:\n",
    );
    let redacted = |program, words: &[&str]| pair.run(program, &[&["config", "redacted"], words].concat());
    assert_eq!(redacted(Program::Ours, &[]), redacted(Program::Rclones, &[]));
    assert_eq!(redacted(Program::Ours, &["b"]), redacted(Program::Rclones, &["b"]));
    assert!(!redacted(Program::Ours, &[]).contains("SECRET"));
}

#[test]
fn what_one_obscures_the_other_reveals() {
    let pair = Pair::with("");
    for text in ["a", "potato", "pässwörd ☃", "-leading", "two words"] {
        for program in BOTH {
            let obscured = pair.run_with(program, &[], &["obscure", "-"], &format!("{text}\n"));
            let revealed = pair.run(program.other(), &["reveal", "--", obscured.trim()]);
            assert_eq!(revealed, format!("{text}\n"), "{program:?}");
        }
    }
}

#[test]
fn shown_and_listed_alike() {
    let pair = Pair::with("[one]\ntype = fichier\napi_key = K\n\n[two]\ntype = alias\nremote = one:x\n");
    for words in [
        &["config", "show", "one"][..],
        &["config", "show"],
        &["config", "dump"],
        &["listremotes"],
        &["listremotes", "--long"],
    ] {
        let variables = [("RCLONE_CONFIG_THREE_TYPE", "local")];
        let [ours, rclones] = BOTH.map(|program| pair.run_with(program, &variables, words, ""));
        // rclone ends its copy of the file with one more empty line.
        assert_eq!(ours.trim_end(), rclones.trim_end(), "{words:?}");
    }
}
