//! Tests of waits that aren't needed: for a listing that is on disk, after a stop, for the account's state.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use fichier_emulator::{Account, Limits};

use crate::stage::{Run, Stage, write_tree};

#[test]
fn commands_in_a_row_on_one_folder_wait_for_no_listing_and_provoke_no_flood() {
    let stage = Stage::start_limited_for_many();
    let from = stage.directory("from");
    write_tree(&from, &[("a".to_owned(), b"1".to_vec()), ("s/b".to_owned(), b"2".to_vec())].into());
    let (from, back) = (from.to_str().unwrap(), stage.directory("back"));
    let back = back.to_str().unwrap();
    let began = Instant::now();
    for words in [
        &["copy", from, "t:d"][..],
        &["lsf", "t:d"],
        &["check", from, "t:d"],
        &["copy", "t:d", back],
        &["sync", from, "t:d"],
        &["lsf", "t:"],
    ] {
        let run = stage.run(words);
        assert!(!run.stderr.contains("same folder"), "{words:?}: {}", run.stderr);
        run.success();
    }
    assert_eq!(stage.control().floods(), 0);
    // Within the service's interval for a folder, the root is listed once, and folders that the first run made never.
    if began.elapsed() < Duration::from_secs(3) {
        assert_eq!(stage.counters().get("folder/ls"), Some(&1));
    }
}

#[test]
fn what_a_run_changed_is_known_to_the_next_one_that_lists_nothing() {
    let stage = Stage::start_limited_for_many();
    stage.control().seed_file("d/old", b"old").unwrap();
    stage.control().seed_file("d/gone", b"gone").unwrap();
    let new = stage.directory("new").join("new");
    std::fs::write(&new, b"new").unwrap();
    assert_eq!(stage.run(&["lsf", "t:d"]).success_text(), "gone\nold\n");
    stage.run(&["copyto", new.to_str().unwrap(), "t:d/new"]).success();
    stage.run(&["deletefile", "t:d/gone"]).success();
    stage.run(&["moveto", "t:d/old", "t:d/moved"]).success();
    assert_eq!(stage.run(&["lsf", "t:d"]).success_text(), "moved\nnew\n");
    // From this one the client learns how far apart listings of two folders may be.
    assert!(stage.control().floods() <= 1);
}

#[test]
fn completion_never_waits_for_the_service() {
    for fault in ["endpoint=folder/ls,kind=flood", "kind=status:429:3600"] {
        let stage = Stage::start();
        stage.control().seed_file("d/one", b"1").unwrap();
        stage.control().add_fault(fault.parse().unwrap());
        let began = Instant::now();
        let told = stage.run(&["complete-line", "--line", "fichier lsf t:d"]).success_text();
        assert_eq!(told, "", "{fault}");
        // The wait after a flood is 30 s.
        assert!(began.elapsed() < Duration::from_secs(15), "{fault}");
    }
}

#[cfg(unix)]
#[test]
fn a_wait_ends_at_once_when_the_run_is_told_to_stop() {
    for signal in ["INT", "TERM", "HUP"] {
        let stage = Stage::start();
        stage.control().add_fault("endpoint=folder/ls,kind=flood".parse().unwrap());
        let from = stage.directory("from");
        std::fs::write(from.join("a"), b"1").unwrap();
        let run = stage
            .command()
            .env("RCLONE_CONFIG_T_TIME_SCALE", "1")
            .args(["copy", from.to_str().unwrap(), "t:d"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while !stage.counters().contains_key("folder/ls") && began.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(50));
        }
        std::thread::sleep(Duration::from_millis(300));
        let told = Instant::now();
        let killed = Command::new("kill").args(["-s", signal, &run.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let output = run.wait_with_output().unwrap();
        assert!(!output.status.success());
        assert!(told.elapsed() < Duration::from_secs(2), "{signal}: {:?}", told.elapsed());
        assert_eq!(stage.counters().get("folder/ls"), Some(&1), "{signal}");
    }
}

/// Ends a run by a signal when it has begun to wait, and returns how long it went on.
#[cfg(unix)]
fn stopped(command: &mut Command, signal: &str, begun: impl Fn() -> bool) -> Duration {
    let mut run = command.stderr(Stdio::null()).stdout(Stdio::null()).stdin(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    while !begun() && began.elapsed() < Duration::from_secs(20) {
        assert!(run.try_wait().unwrap().is_none(), "{command:?}: it ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(500));
    assert!(run.try_wait().unwrap().is_none(), "{command:?}: it ended");
    let told = Instant::now();
    assert!(Command::new("kill").args(["-s", signal, &run.id().to_string()]).status().unwrap().success());
    let status = run.wait().unwrap();
    assert!(!status.success(), "{command:?}");
    told.elapsed()
}

#[cfg(unix)]
#[test]
fn a_slow_transfer_ends_at_once_when_the_run_is_told_to_stop() {
    // The four hours of an upload are scaled, too.
    let stage = Stage::start_changed("10", |builder| builder.limits(Limits::Off));
    let from = stage.directory("from");
    let content = vec![7; 400_000];
    std::fs::write(from.join("a"), &content).unwrap();
    std::fs::write(from.join("c"), &content).unwrap();
    stage.control().seed_file("d/a", &content).unwrap();
    let (from, to) = (from.to_str().unwrap(), stage.directory("to"));
    let (one, down) = (format!("{from}/a"), to.join("x"));
    let down = down.to_str().unwrap();
    for (words, waits_for, signals) in [
        (&["copy", "t:d", to.to_str().unwrap()][..], "download", &["INT", "TERM", "HUP"][..]),
        (&["copyto", "t:d/a", down], "download", &["INT"]),
        (&["cat", "t:d/a"], "download", &["INT", "TERM"]),
        (&["hashsum", "md5", "--download", "t:d"], "download", &["INT"]),
        (&["check", "--download", from, "t:d", "--one-way"], "download", &["INT", "HUP"]),
        (&["copyto", &one, "t:e/x"], "upload.cgi", &["INT", "TERM"]),
        (&["copy", from, "t:e"], "upload.cgi", &["HUP"]),
        (&["rcat", "t:e/r"], "", &["INT"]),
    ] {
        for signal in signals {
            stage.control().reset_counters();
            let mut command = stage.command();
            command.args(words).args(["--bwlimit", "1k"]);
            // The limit lets a second's worth pass at once.
            let begun = || waits_for.is_empty() || stage.counters().contains_key(waits_for);
            let took = stopped(&mut command, signal, begun);
            assert!(took < Duration::from_secs(3), "{words:?} {signal}: {took:?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn who_waits_for_another_run_waits_no_longer_than_it_may_and_ends_at_once() {
    // The four hours of an upload are scaled, too.
    let stage = Stage::start_changed("10", |builder| builder.limits(Limits::Off));
    let from = stage.directory("from");
    std::fs::write(from.join("a"), vec![7; 400_000]).unwrap();
    let from = from.to_str().unwrap();
    let mut first = stage.command();
    let mut first =
        first.args(["copy", from, "t:d", "--bwlimit", "1k"]).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while !stage.counters().contains_key("upload.cgi") && began.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(20));
    }
    for signal in ["INT", "TERM", "HUP"] {
        let took = stopped(stage.command().args(["copy", from, "t:d"]), signal, || true);
        assert!(took < Duration::from_secs(3), "{signal}: {took:?}");
    }
    let run = stage.run(&["copy", from, "t:d", "--max-wait", "1s"]);
    assert!(run.stderr.contains("another run is still writing there"), "{}", run.stderr);
    assert!(run.stderr.contains("has waited 1s in all, of 1s that it may (--max-wait)"), "{}", run.stderr);
    assert_eq!(run.status, Some(7));
    first.kill().unwrap();
    first.wait().unwrap();
}

#[test]
fn the_account_is_asked_for_within_the_limits_of_account_and_address_and_nobody_waits() {
    let other = "another-key-0123456789abcdef0123";
    let stage = Stage::start_changed("10", |builder| {
        builder
            .limits(Limits::Scaled(10.0))
            .account(Account::new("a-key-0123456789abcdef0123456789", "a@example.com"))
            .account(Account::new(other, "b@example.com"))
    });
    let ask = |key: Option<&str>| {
        let mut command = stage.command();
        if let Some(key) = key {
            command.env("RCLONE_CONFIG_T_API_KEY", key);
        }
        Run::of(command.args(["about", "t:"]), "about")
    };
    let began = Instant::now();
    ask(None).success();
    ask(None).success();
    let refused = ask(Some(other));
    // A minute is 6 s here.
    if began.elapsed() < Duration::from_secs(5) {
        assert!(refused.stderr.contains("too soon to ask this again"), "{}", refused.stderr);
        assert_ne!(refused.status, Some(0));
        assert_eq!(stage.counters().get("user/info"), Some(&1));
    }
    assert_eq!(stage.control().floods(), 0);
    std::thread::sleep(Duration::from_secs(7).saturating_sub(began.elapsed()));
    ask(Some(other)).success();
    ask(None).success();
    assert_eq!(stage.counters().get("user/info"), Some(&2));
}

#[test]
fn a_shared_folder_without_an_account_says_before_any_call_what_a_download_needs() {
    let stage = Stage::start();
    stage.control().seed_file("docs/a", b"1").unwrap();
    let page = stage.run(&["link", "t:docs"]).success_text();
    let remote = format!(":fichier,shared_folder='{}',endpoint='{}':", page.trim(), stage.endpoint());
    stage.control().reset_counters();
    assert_eq!(stage.run(&["lsf", &remote]).success_text(), "a\n");
    let to = stage.directory("to");
    let run = stage.run(&["copy", &remote, to.to_str().unwrap()]);
    assert!(run.stderr.contains("set api_key"), "{}", run.stderr);
    assert!(run.stderr.contains("can be listed without an account"), "{}", run.stderr);
    assert_ne!(run.status, Some(0));
    assert_eq!(std::fs::read_dir(&to).unwrap().count(), 0);
    assert_eq!(stage.counters().keys().collect::<Vec<_>>(), ["dir"]);
    let link = stage.run(&["link", "t:docs/a"]).success_text();
    let page = to.join("page");
    let mut alone = stage.command();
    for variable in ["TYPE", "API_KEY", "ENDPOINT", "TIME_SCALE", "FOLDER_GAP"] {
        alone.env_remove(format!("RCLONE_CONFIG_T_{variable}"));
    }
    let run = Run::of(alone.args(["copyurl", link.trim(), page.to_str().unwrap()]), "copyurl");
    assert!(run.stderr.contains("gives files to accounts only"), "{}", run.stderr);
    assert!(!to.join("page").exists());
    assert_ne!(run.status, Some(0));
}

#[test]
fn without_limits_nothing_is_waited_for_and_each_run_sees_what_others_changed() {
    let stage = Stage::start();
    let list = |words: &[&str]| {
        let mut command = stage.command();
        // These are the service's own intervals.
        command.env_remove("RCLONE_CONFIG_T_TIME_SCALE").env_remove("RCLONE_CONFIG_T_FOLDER_GAP");
        command.args(["lsf", "t:"]).args(words);
        Run::of(&mut command, "lsf").success_text()
    };
    let began = Instant::now();
    for n in 0..4 {
        stage.control().seed_file(&format!("f{n}"), b"1").unwrap();
        assert_eq!(list(&[]).lines().count(), n + 1);
    }
    assert_eq!(list(&["--catalogue", "off"]).lines().count(), 4);
    // Each of these listings would have waited for 30 s.
    assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
    assert_eq!(stage.counters().get("folder/ls"), Some(&5));
}
