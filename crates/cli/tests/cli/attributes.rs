//! `attr`: what the service keeps of files for those who follow their links.

use std::{io::Write as _, process::Stdio};

use fichier_emulator::{Lists, SeedFile};
use serde_json::Value;

use crate::stage::Stage;

fn fault(stage: &Stage, text: &str) {
    stage.control().add_fault(text.parse().unwrap());
}

/// So many files of a byte in the folder `d`.
fn many(stage: &Stage, count: usize) -> Vec<String> {
    let folder_id = stage.control().seed_folder("d").unwrap();
    let seed = |number| SeedFile { folder_id, name: format!("{number:04}"), size: 1, seed: 1, date: None };
    let links = stage.control().seed_many(&(0..count).map(seed).collect::<Vec<_>>()).unwrap();
    stage.control().reset_counters();
    links
}

fn json(stage: &Stage, words: &[&str]) -> Vec<Value> {
    let words: Vec<_> = [&["attr", "get", "--json"], words].concat();
    serde_json::from_str(&stage.run(&words).success_text()).unwrap()
}

#[test]
fn a_thousand_files_get_a_password_in_few_calls_and_listings_tell_it() {
    let stage = Stage::start();
    many(&stage, 1000);
    stage.run(&["attr", "set", "t:d", "--password", "secret1", "--cdn", "true"]).success();
    let calls = stage.counters();
    assert!(calls.values().sum::<u64>() <= 10, "{calls:?}");
    assert_eq!(calls["file/chattr"], 4, "{calls:?}");
    stage.control().reset_counters();
    let seen = stage.run(&["attr", "get", "t:d"]).success_text();
    assert_eq!(seen.lines().filter(|line| line.starts_with("password,cdn ")).count(), 1000, "{seen}");
    let calls = stage.counters();
    assert_eq!(calls.values().sum::<u64>(), calls.get("folder/ls").copied().unwrap_or_default(), "{calls:?}");
}

#[test]
fn all_attributes_are_set_shown_and_taken_away() {
    let stage = Stage::start();
    let link = stage.control().seed_file("d/sub/a.txt", b"12345").unwrap();
    stage.control().seed_file("d/b.bin", b"1").unwrap();
    stage
        .run(&[
            "attr",
            "set",
            "t:d",
            "-R",
            "--include",
            "*.txt",
            "--password",
            "secret1",
            "--description",
            "A, \"b\"",
            "--inline",
            "true",
            "--no-ssl",
            "true",
            "--country",
            "fr,BE",
            "--ip",
            "10.0.0.0/8",
            "--mail",
            "x@example.com",
            "--premium",
            "true",
        ])
        .success();
    let seen = json(&stage, &["t:d", "-R", "--full"]);
    assert_eq!(seen.len(), 2, "{seen:?}");
    let of = |name: &str| seen.iter().find(|file| file["Path"] == name).unwrap();
    let changed = of("sub/a.txt");
    assert_eq!(changed["Link"], Value::from(link));
    for (field, value) in [
        ("Password", Value::from(true)),
        ("Restricted", true.into()),
        ("CDN", false.into()),
        ("Inline", true.into()),
        ("NoSSL", true.into()),
        ("Description", "A, \"b\"".into()),
        ("Countries", serde_json::json!(["FR", "BE"])),
        ("IPs", serde_json::json!(["10.0.0.0/8"])),
        ("Mails", serde_json::json!(["x@example.com"])),
        ("Premium", true.into()),
    ] {
        assert_eq!(changed[field], value, "{field}");
    }
    assert_eq!(of("b.bin")["Password"], Value::from(false));
    // New rules stand in the place of all before.
    stage.run(&["attr", "set", "t:d/sub/a.txt", "--country", "DE", "--no-password"]).success();
    let words = stage.run(&["attr", "get", "t:d/sub", "--full"]).success_text();
    assert!(words.starts_with("inline,no-ssl,country=DE "), "{words}");
    assert!(words.contains("# A, \"b\"\n"), "{words}");
    let csv = stage.run(&["attr", "get", "t:d/sub", "--csv"]).success_text();
    assert!(csv.starts_with("Path,Link,Password,Restricted,CDN\na.txt,https://"), "{csv}");
    assert!(csv.ends_with(",false,true,false\n"), "{csv}");
    stage.run(&["attr", "set", "t:d/sub/a.txt", "--public", "--description", ""]).success();
    let seen = json(&stage, &["t:d/sub/a.txt", "--full"]);
    assert_eq!((&seen[0]["Restricted"], &seen[0]["Description"]), (&false.into(), &"".into()));
    assert_eq!(seen[0]["Countries"], Value::Null);
}

#[test]
fn what_cannot_be_set_is_refused_before_any_call() {
    let stage = Stage::start();
    stage.directory("here");
    for words in [
        &["t:d"][..],
        &["t:d", "--password", "short"],
        &["t:d", "--password", "secret1", "--no-password"],
        &["t:d", "--country", "France"],
        &["t:d", "--ip", "1.2.3"],
        &["t:d", "--mail", "nobody"],
        &["t:d", "--inline", "perhaps"],
        &["t:d", "--public", "--premium", "true"],
    ] {
        let words: Vec<_> = [&["attr", "set"], words].concat();
        let run = stage.run(&words).code(1);
        assert!(!run.stderr.contains("secret1"), "{}", run.stderr);
    }
    let run = stage.run(&["attr", "set", "work/here", "--inline", "true"]).code(2);
    assert!(run.stderr.contains("can't keep attributes of files"), "{}", run.stderr);
    stage.run(&["attr", "get", "work/here"]).code(2);
    assert!(stage.counters().is_empty(), "{:?}", stage.counters());
    stage.run(&["attr", "set", "t:nowhere", "--inline", "true"]).code(3);
}

#[test]
fn a_dry_run_and_a_dump_tell_no_password() {
    let stage = Stage::start();
    many(&stage, 3);
    let run = stage.run(&["attr", "set", "t:d", "--password", "secret1", "--dry-run"]).code(0);
    assert_eq!(run.stderr.matches("Skipped set attributes as --dry-run is set").count(), 3, "{}", run.stderr);
    assert_eq!(stage.counters().get("file/chattr"), None);
    let report = stage.home().join("report");
    let words = ["--dump", "headers,bodies", "-vv", "--report", report.to_str().unwrap()];
    let run = stage.run(&[&["attr", "set", "t:d", "--password", "secret1"], &words[..]].concat()).code(0);
    assert!(run.stderr.contains("chattr") && !run.stderr.contains("secret1"), "{}", run.stderr);
    let report = std::fs::read_to_string(report).unwrap();
    assert_eq!(report.matches("\"action\":\"attributes-set\"").count(), 3, "{report}");
}

#[test]
fn a_password_can_come_from_the_standard_input() {
    let stage = Stage::start();
    let link = stage.control().seed_file("d/a", b"12345").unwrap();
    let run = |typed: &str| {
        let mut command = stage.command();
        command.args(["attr", "set", "t:d/a", "--password", "-"]);
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = run("short\n");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("at least 6 characters"), "{said}");
    let (code, said) = run("secret1\n");
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("secret1"), "{said}");
    // It is the one that was typed.
    let password = stage.run(&["obscure", "secret1"]).success_text();
    let other = stage.command().arg("get").arg(format!("{link}#secret1")).arg(stage.home()).output().unwrap();
    assert!(other.status.success(), "{} {password}", String::from_utf8_lossy(&other.stderr));
}

#[test]
fn a_part_of_a_list_that_is_refused_is_told_and_the_rest_is_done() {
    for lists in [Lists::Whole, Lists::Partial] {
        let stage = Stage::start_changed("1000", |builder| builder.lists(lists));
        many(&stage, 200);
        fault(&stage, "endpoint=file/chattr,kind=refusal:403:Resource not allowed #631,name=0007");
        fault(&stage, "endpoint=file/chattr,kind=refusal:403:Resource not allowed #631,name=0150");
        let run = stage.run(&["attr", "set", "t:d", "--inline", "true"]).code(2);
        assert!(run.stderr.contains("set attributes of \"t:d/0007\""), "{}", run.stderr);
        assert!(run.stderr.contains("2 errors"), "{}", run.stderr);
        stage.control().clear_faults();
        stage.control().reset_counters();
        stage.run(&["attr", "set", "t:d", "--inline", "true"]).success();
        assert!(stage.counters()["file/chattr"] <= 2);
        let seen = json(&stage, &["t:d", "--full", "--include", "00*"]);
        assert!(seen.iter().all(|file| file["Inline"] == true), "{seen:?}");
    }
}

#[test]
fn a_file_that_is_gone_is_told_by_name_and_the_rest_is_done() {
    for lists in [Lists::Whole, Lists::Partial] {
        let stage = Stage::start_changed("1000", |builder| builder.lists(lists));
        many(&stage, 60);
        // This run's knowledge stays; the file goes by another home's hand.
        stage.run(&["lsf", "t:d", "--catalogue", "trust"]).code(0);
        let mut other = stage.command();
        other.env("HOME", stage.directory("other")).args(["deletefile", "t:d/0030"]);
        assert!(other.output().unwrap().status.success());
        let words = ["attr", "set", "t:d", "--cdn", "true", "--catalogue", "trust"];
        let run = stage.run(&words).status;
        assert!(matches!(run, Some(0 | 2..=6)), "{run:?}");
        let seen = json(&stage, &["t:d", "--catalogue", "off"]);
        assert_eq!(seen.len(), 59);
        assert!(seen.iter().all(|file| file["CDN"] == true), "{seen:?}");
    }
}

#[test]
fn a_flood_in_the_middle_is_waited_out() {
    let stage = Stage::start();
    many(&stage, 500);
    fault(&stage, "endpoint=file/chattr,kind=flood,after=1,times=1");
    stage.run(&["attr", "set", "t:d", "--password", "secret1"]).success();
    let seen = stage.run(&["attr", "get", "t:d"]).success_text();
    assert_eq!(seen.matches("password ").count(), 500);
}

#[test]
fn lost_and_silent_answers_are_asked_again_or_looked_up() {
    for kind in [
        "lost-answer,times=1",
        "done-answer:{\"status\":\"OK\"},times=1",
        "done-answer:{\"status\":\"OK\"}",
        "done-answer:{\"status\":\"OK\",\"updated\":2,\"urls\":[]}",
        "truncated-json,times=1",
        "done-answer:nonsense",
    ] {
        let stage = Stage::start();
        many(&stage, 3);
        fault(&stage, &format!("endpoint=file/chattr,kind={kind}"));
        let words = ["attr", "set", "t:d", "--description", "new", "--password", "secret1"];
        stage.run(&[&words[..], &["--low-level-retries", "2"]].concat()).code(0);
        stage.control().clear_faults();
        let seen = json(&stage, &["t:d", "--full"]);
        assert!(seen.iter().all(|file| file["Description"] == "new" && file["Password"] == true), "{kind}");
    }
    // Few are looked up one by one.
    let stage = Stage::start();
    many(&stage, 50);
    fault(&stage, "endpoint=file/chattr,kind=done-answer:{\"status\":\"OK\"}");
    let run = stage.run(&["attr", "set", "t:d", "--description", "new"]).code(5);
    assert!(run.stderr.contains("42 errors"), "{}", run.stderr);
    assert_eq!(stage.counters()["file/info"], 8);
    // An answer that says that all is well proves nothing where a look tells otherwise.
    let stage = Stage::start();
    many(&stage, 3);
    fault(&stage, "endpoint=file/chattr,kind=answer:{\"status\":\"OK\"}");
    let run = stage.run(&["attr", "set", "t:d", "--description", "new"]).code(5);
    assert!(run.stderr.contains("the service doesn't say that they are set"), "{}", run.stderr);
}

#[test]
fn encrypted_and_combined_remotes_pass_attributes_on() {
    let stage = Stage::start();
    let obscured = stage.run(&["obscure", "password"]).success_text();
    let run = |words: &[&str]| {
        let mut command = stage.command();
        command
            .env("RCLONE_CONFIG_C_TYPE", "crypt")
            .env("RCLONE_CONFIG_C_REMOTE", "t:sealed")
            .env("RCLONE_CONFIG_C_PASSWORD", obscured.trim())
            .env("RCLONE_CONFIG_B_TYPE", "combine")
            .env("RCLONE_CONFIG_B_UPSTREAMS", "in=t:sealed here=work/here")
            .args(words);
        crate::stage::Run::of(&mut command, &words.join(" "))
    };
    std::fs::write(stage.directory("here").join("local"), "x").unwrap();
    run(&["copy", "work/here", "c:dir"]).success();
    run(&["attr", "set", "c:dir", "--password", "secret1"]).success();
    let seen = run(&["attr", "get", "c:dir", "--full"]).success_text();
    assert!(seen.starts_with("password ") && seen.ends_with("  local\n"), "{seen}");
    run(&["attr", "set", "b:in", "-R", "--no-password"]).success();
    let seen = run(&["attr", "get", "c:dir", "--full"]).success_text();
    assert!(seen.starts_with("- "), "{seen}");
    let refused = run(&["attr", "set", "b:here", "--inline", "true"]).code(2);
    assert!(refused.stderr.contains("can't keep attributes"), "{}", refused.stderr);
}

#[test]
fn full_attributes_of_many_files_are_warned_of_and_refused() {
    let stage = Stage::start();
    many(&stage, 101);
    let run = stage.run(&["attr", "get", "t:d", "--full"]).code(0);
    assert!(run.stderr.contains("--full makes 101 calls"), "{}", run.stderr);
    let folder_id = stage.control().seed_folder("e").unwrap();
    let seed = |number| SeedFile { folder_id, name: format!("{number}"), size: 1, seed: 1, date: None };
    stage.control().seed_many(&(0..1001).map(seed).collect::<Vec<_>>()).unwrap();
    stage.control().reset_counters();
    stage.run(&["attr", "get", "t:e", "--full"]).code(1);
    assert_eq!(stage.counters().get("file/info"), None);
}

#[test]
fn a_person_is_asked_for_each_file_and_folder() {
    let stage = Stage::start();
    many(&stage, 3);
    let run = |words: &[&str], answers: &str| {
        let mut command = stage.command();
        let mut child = command.args(words).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // It may have ended before all are read.
        let _ = child.stdin.take().unwrap().write_all(answers.as_bytes());
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = run(&["attr", "set", "t:d", "--cdn", "true", "-i"], "y\nn\ny\n");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("set attributes"), "{said}");
    let seen = json(&stage, &["t:d"]);
    let cdn: Vec<_> = seen.iter().map(|file| file["CDN"] == true).collect();
    assert_eq!(cdn, [true, false, true]);
    stage.control().reset_counters();
    for words in [
        &["share", "t:d", "-i"][..],
        &["scan", "t:d/0000", "-i"],
        &["account", "set", "t:", "--use-cdn", "true", "-i"],
    ] {
        let (code, said) = run(words, "n\n");
        assert_eq!(code, Some(0), "{words:?}: {said}");
    }
    let calls = stage.counters();
    for call in ["folder/share", "file/scan", "user/info"] {
        assert_eq!(calls.get(call), None, "{calls:?}");
    }
}
