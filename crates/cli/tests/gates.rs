//! Several runs of the program at the same time, as cron jobs start them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

mod stage;

use std::process::Stdio;

use stage::Stage;

#[test]
fn ten_runs_at_once_provoke_one_flood_answer_at_most_and_list_the_root_once() {
    let stage = Stage::start_limited_for_many();
    stage.control().seed_file("there/f", b"x").unwrap();
    let runs: Vec<_> = (0..10)
        .map(|n| {
            let mut command = stage.command();
            command.args(["mkdir", &format!("t:made {n}")]).stderr(Stdio::piped()).stdout(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
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
