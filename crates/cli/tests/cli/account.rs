//! `account` and `scan`: what the service tells of an account, and what it finds in files.

use fichier_emulator::Account;
use serde_json::Value;

use crate::stage::Stage;

fn fault(stage: &Stage, text: &str) {
    stage.control().add_fault(text.parse().unwrap());
}

/// The date of the service in so many hours.
fn in_hours(hours: i64) -> String {
    let now = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours);
    now.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[test]
fn an_account_is_shown_in_words_and_as_json() {
    let stage = Stage::start();
    stage.control().seed_file("a", b"12345").unwrap();
    fault(&stage, "endpoint=user/info,kind=field:cdn=\"12.50\"");
    fault(&stage, "endpoint=user/info,kind=field:extended_quota=1.5");
    let shown = stage.run(&["account", "t:"]).success_text();
    for line in
        ["Offer:", "Cold storage:      5 B of ", "CDN credit:        12.5 GB", "Second factor:     no"]
    {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
    assert_eq!(stage.counters()["user/info"], 1);
    let json: Value = serde_json::from_str(&stage.run(&["account", "t:", "--json"]).success_text()).unwrap();
    assert_eq!(json["cold_storage"], 5);
    assert_eq!(json["cdn_credit_gb"], 12.5);
    assert_eq!(json["extended_quota_tb"], 1.5);
    assert_eq!(json["settings"]["use_cdn"], false);
    assert_eq!(json["settings"]["default_domain"], "1fichier.com");
    assert!(json["mail"].as_str().unwrap().contains('@'));
}

#[test]
fn settings_are_set_and_told() {
    let stage = Stage::start();
    let words = ["account", "set", "t:", "--use-cdn", "true", "--default-domain", "dl4free.com"];
    let run = stage.run(&[&words[..], &["--dry-run"]].concat()).code(0);
    assert!(run.stderr.contains("as --dry-run is set"), "{}", run.stderr);
    assert!(stage.counters().is_empty(), "{:?}", stage.counters());
    stage.run(&[&words[..], &["--page-limit", "200", "--mail-on-removals", "true"]].concat()).success();
    assert_eq!(stage.counters()["user/info"], 1);
    let json: Value = serde_json::from_str(&stage.run(&["account", "t:", "--json"]).success_text()).unwrap();
    let settings = &json["settings"];
    assert_eq!(settings["use_cdn"], true);
    assert_eq!(settings["default_domain"], "dl4free.com");
    assert_eq!(settings["page_limit"], 200);
    assert_eq!(settings["mail_on_removals"], true);
    assert_eq!(settings["download_menu"], false);
}

#[test]
fn what_is_wrong_is_refused_before_a_call_and_what_is_not_confirmed_is_told() {
    let stage = Stage::start();
    stage.directory("here");
    for words in [
        &["t:"][..],
        &["t:", "--use-cdn", "perhaps"],
        &["t:", "--default-domain", "example.com"],
        &["t:", "--page-limit", "0"],
    ] {
        stage.run(&[&["account", "set"], words].concat()).code(1);
    }
    stage.run(&["account", "work/here"]).code(2);
    stage.run(&["account"]).code(1);
    assert!(stage.counters().is_empty(), "{:?}", stage.counters());
    fault(&stage, "endpoint=user/info,kind=done-answer:{\"status\":\"OK\"}");
    let run = stage.run(&["account", "set", "t:", "--use-cdn", "true"]).code(5);
    assert!(run.stderr.contains("doesn't say that they are set"), "{}", run.stderr);
}

#[test]
fn a_subscription_that_ends_soon_is_told_once_before_a_run_without_a_call() {
    for (hours, said) in [(24 * 5, "ends at"), (-48, "ended at"), (24 * 30, "")] {
        let stage = Stage::start();
        std::fs::write(stage.directory("here").join("file"), "x").unwrap();
        let until = in_hours(hours);
        fault(&stage, &format!("endpoint=user/info,kind=field:subscription_end=\"{until}\""));
        // Nothing is known yet, and nothing is asked.
        let run = stage.run(&["copy", "work/here", "t:a"]).code(0);
        assert!(!run.stderr.contains("subscription"), "{}", run.stderr);
        assert_eq!(stage.counters().get("user/info"), None);
        stage.run(&["about", "t:"]).code(0);
        stage.control().reset_counters();
        let run = stage.run(&["copy", "work/here", "t:b"]).code(0);
        let told = run.stderr.matches("The subscription of t:").count();
        assert_eq!(told, usize::from(!said.is_empty()), "{}", run.stderr);
        assert!(run.stderr.contains(said), "{}", run.stderr);
        assert_eq!(stage.counters().get("user/info"), None);
    }
}

#[test]
fn a_run_that_cannot_fit_is_told() {
    let stage = Stage::start_changed("1000", |builder| {
        let own = Account::new("a-key-0123456789abcdef0123456789", "a@example.com");
        builder.account(Account { quota: 1000, ..own })
    });
    let here = stage.directory("here");
    std::fs::write(here.join("small"), vec![1; 100]).unwrap();
    stage.run(&["about", "t:"]).code(0);
    let run = stage.run(&["copy", "work/here", "t:a"]).code(0);
    assert!(!run.stderr.contains("when it was last asked"), "{}", run.stderr);
    std::fs::write(here.join("large"), vec![1; 5000]).unwrap();
    let run = stage.run(&["copy", "work/here", "t:a", "--dry-run"]).code(0);
    assert_eq!(run.stderr.matches("t: had ").count(), 1, "{}", run.stderr);
    // What moves inside the account needs no space.
    stage.control().seed_file("big", &[1; 5000]).unwrap();
    let run = stage.run(&["moveto", "t:big", "t:moved"]).code(0);
    assert!(!run.stderr.contains("when it was last asked"), "{}", run.stderr);
}

#[test]
fn a_scan_says_what_it_found() {
    let stage = Stage::start();
    stage.control().seed_file("d/good.txt", b"12345").unwrap();
    let run = stage.run(&["scan", "t:d/good.txt"]).code(0);
    assert_eq!(run.stdout, "clean     good.txt  No threat found\n");
    assert_eq!(stage.counters()["file/scan"], 1);
    stage.control().seed_file("e/sub/eicar.com", b"12345").unwrap();
    stage.control().seed_file("e/good.txt", b"12345").unwrap();
    let run = stage.run(&["scan", "t:e", "-R", "--dry-run"]).code(0);
    assert_eq!(run.stderr.matches("Skipped scan as --dry-run is set").count(), 2, "{}", run.stderr);
    assert_eq!(stage.counters()["file/scan"], 1);
    let run = stage.run(&["scan", "t:e", "-R", "--json"]).code(2);
    let found: Vec<Value> = serde_json::from_str(&run.stdout).unwrap();
    let verdicts: Vec<_> = found.iter().map(|scan| (&scan["Path"], &scan["Verdict"])).collect();
    let [good, bad] = ["good.txt", "sub/eicar.com"].map(Value::from);
    assert_eq!(verdicts, [(&good, &"clean".into()), (&bad, &"infected".into())]);
    assert!(run.stderr.contains("1 file found infected"), "{}", run.stderr);
    fault(&stage, "endpoint=file/scan,kind=answer:{\"status\":\"OK\",\"message\":\"Busy\"}");
    let run = stage.run(&["scan", "t:d"]).code(6);
    assert!(run.stdout.starts_with("unclear "), "{}", run.stdout);
    stage.directory("here");
    stage.run(&["scan", "work/here"]).code(2);
}
