//! Tests of several runs of the program at the same time, as cron jobs start them.

use std::process::{Child, Stdio};

use crate::stage::Stage;

fn begin(stage: &Stage, words: &[&str]) -> Child {
    stage.command().args(words).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

#[test]
fn runs_that_ask_how_much_the_account_holds_at_the_same_time_ask_once() {
    let stage = Stage::start_limited_for_many();
    stage.control().seed_file("f", b"12345").unwrap();
    let runs: Vec<_> = (0..4).map(|_| begin(&stage, &["about", "t:", "--full"])).collect();
    for run in runs {
        let output = run.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(told.contains("Used:    5"), "{told}");
    }
    assert_eq!(stage.counters().get("user/info"), Some(&1));
}

#[test]
fn ten_runs_at_once_provoke_one_flood_answer_at_most_and_list_the_root_once() {
    let stage = Stage::start_limited_for_many();
    stage.control().seed_file("there/f", b"x").unwrap();
    let runs: Vec<_> = (0..10).map(|n| begin(&stage, &["mkdir", &format!("t:made {n}")])).collect();
    for run in runs {
        let output = run.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(stage.control().floods() <= 1, "{} floods", stage.control().floods());
    assert_eq!(stage.control().tree().unwrap().folders.len(), 11);
    assert_eq!(stage.counters().get("folder/mkdir"), Some(&10));
    // A run that began later than the first listing lists the root itself.
    let listings = stage.counters().get("folder/ls").copied().unwrap_or_default();
    assert!((1..10).contains(&listings), "{listings} listings");
}
