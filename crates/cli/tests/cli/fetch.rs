//! Tests of `fetch`: the service fetches files from the web.

use crate::public::{others, stage};

#[test]
fn the_service_fetches_and_tells_what_became_of_each_address() {
    let stage = stage(1 << 40);
    let good = others(&stage).seed_file("x/file", b"content").unwrap();
    let run = stage.run(&["fetch", &good, "t:mine", "--dry-run"]).code(0);
    assert!(run.stdout.is_empty() && run.stderr.contains("as --dry-run is set"), "{}", run.stderr);
    assert_eq!(stage.counters().get("remote/request"), None);
    let id = stage.run(&["fetch", &good, "t:mine"]).success_text();
    assert_eq!(stage.run(&["cat", "t:mine/file"]).success_text(), "content");
    let told = stage.run(&["fetch", "status", "t:", id.trim(), "--wait"]).success_text();
    assert!(told.starts_with(&format!("done     {good}  https://")), "{told}");
    let bad = "https://example.com/nothing";
    let run = stage.run(&["fetch", &good, bad, "t:mine", "--wait", "--header", "Referer: x"]).code(2);
    assert!(run.stdout.contains(&format!("failed   {bad}")), "{}", run.stdout);
    assert!(run.stderr.contains("1 of 2 addresses couldn't be fetched"), "{}", run.stderr);
    assert_eq!(stage.run(&["fetch", "status", "t:"]).success_text().lines().count(), 2);
    let json = stage.run(&["fetch", "status", "t:", id.trim(), "--json"]).success_text();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json[0]["URL"], &json[0]["State"]), (&good.into(), &"done".into()));
}

#[test]
fn a_request_whose_answer_was_lost_is_looked_up_and_not_made_twice() {
    let stage = stage(1 << 40);
    let good = others(&stage).seed_file("x/file", b"content").unwrap();
    stage.control().add_fault("endpoint=remote/request,kind=lost-answer,times=1".parse().unwrap());
    stage.run(&["fetch", &good, "t:mine", "--wait"]).success();
    assert_eq!(stage.run(&["lsf", "t:mine"]).success_text(), "file\n");
}

#[test]
fn what_cannot_be_fetched_so_is_refused_before_any_call() {
    let stage = stage(1 << 40);
    stage.directory("here");
    for (words, code) in [
        (vec!["fetch", "https://example.com/x", "work/here"], 2),
        (vec!["fetch", "not-an-address", "t:mine"], 1),
        (vec!["fetch", "https://example.com/x"], 1),
        (vec!["fetch", "https://example.com/x", "t:mine", "--header", "nothing"], 1),
    ] {
        stage.run(&words).code(code);
    }
    assert!(stage.counters().is_empty());
}

#[test]
fn copyurl_can_leave_it_to_the_service() {
    let stage = stage(1 << 40);
    let good = others(&stage).seed_file("x/file", b"content").unwrap();
    stage.run(&["copyurl", "--server-side", &good, "t:mine/name"]).code(1);
    stage.run(&["copyurl", "--server-side", "--auto-filename", &good, "t:mine"]).success();
    assert_eq!(stage.run(&["cat", "t:mine/file"]).success_text(), "content");
    assert_eq!(stage.counters().get("upload.cgi"), None);
}
