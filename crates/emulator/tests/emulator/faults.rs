//! Each fault does what it says, and only as often as it should.

use std::time::Duration;

use crate::desk::{Desk, form};
use fichier_emulator::{FaultKind, FaultSpec};
use reqwest::StatusCode;
use serde_json::{Value, json};

fn once(spec: &str) -> FaultSpec {
    spec.parse::<FaultSpec>().unwrap().times(1)
}

async fn desk_with(spec: &str) -> Desk {
    let desk = Desk::new().await;
    desk.emulator.control().add_fault(once(spec));
    desk
}

#[tokio::test]
async fn refusals_come_as_told_and_do_nothing() {
    for (spec, status, text) in [
        ("endpoint=folder/mkdir,kind=flood", 403, "Flood detected: IP Locked #374"),
        ("endpoint=folder/mkdir,kind=iplocked", 403, "IP Locked #79"),
        ("endpoint=folder/mkdir,kind=message:Owner locked #1", 403, "Owner locked #1"),
        ("endpoint=folder/mkdir,kind=status:503", 503, "<!DOCTYPE html>"),
        ("endpoint=folder/mkdir,kind=html", 200, "<!DOCTYPE html>"),
    ] {
        let desk = desk_with(spec).await;
        let response = desk.raw("folder/mkdir", json!({"name": "a"})).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{spec}");
        assert!(response.text().await.unwrap().contains(text), "{spec}");
        assert!(desk.emulator.control().tree().unwrap().folders.is_empty());
        desk.mkdir(0, "a").await;
    }
    let desk = desk_with("kind=status:429:7").await;
    let response = desk.raw("user/info", json!({})).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (429, &"7".parse().unwrap())
    );
}

#[tokio::test]
async fn connections_close_before_or_after_the_work() {
    let desk = desk_with("endpoint=folder/mkdir,kind=close").await;
    assert!(desk.raw("folder/mkdir", json!({"name": "a"})).await.is_err());
    assert!(desk.emulator.control().tree().unwrap().folders.is_empty());
    desk.emulator.control().add_fault(once("endpoint=folder/mkdir,kind=lost-answer"));
    assert!(desk.raw("folder/mkdir", json!({"name": "a"})).await.is_err());
    assert_eq!(desk.emulator.control().tree().unwrap().folders.len(), 1);
}

#[tokio::test]
async fn latency_delays_and_after_lets_pass() {
    let desk = desk_with("endpoint=user/info,kind=latency:60000,after=1").await;
    let let_pass = desk.ok("user/info", json!({}));
    tokio::time::timeout(Duration::from_secs(50), let_pass).await.unwrap();
    let delayed = desk.ok("user/info", json!({}));
    assert!(tokio::time::timeout(Duration::from_millis(300), delayed).await.is_err());
}

#[tokio::test]
async fn uploads_are_cut_lost_corrupted_or_answered_plainly() {
    let desk = desk_with("kind=cut-upload:1000").await;
    let id = desk.upload_id().await;
    assert!(desk.upload_request(&id, form(0, &[("a", &[1; 500_000])])).send().await.is_err());
    assert!(desk.names(0).await.is_empty());

    desk.emulator.control().add_fault(once("kind=cut-upload:10,name=bad"));
    desk.put(0, "good", &[1; 500_000]).await;
    let id = desk.upload_id().await;
    let body = form(0, &[("first", &[1; 500_000]), ("bad", &[1; 500_000])]);
    assert!(desk.upload_request(&id, body).send().await.is_err());
    assert_eq!(desk.names(0).await, ["good"], "a cut upload stores none of its files");

    desk.emulator.control().add_fault(once("endpoint=upload.cgi,kind=lost-answer"));
    let id = desk.upload_id().await;
    assert!(desk.upload_request(&id, form(0, &[("lost", b"1")])).send().await.is_err());
    assert_eq!(desk.names(0).await[0], "lost");
    assert_eq!(desk.report(&id).await.json::<Value>().await.unwrap()["links"][0]["filename"], "lost");

    desk.emulator.control().add_fault(once("kind=corrupt-upload:1"));
    let links = desk.upload(0, &[("x", b"abc")]).await;
    let stored = desk.emulator.control().content(links[0]["download"].as_str().unwrap()).unwrap();
    assert_eq!(stored, [b'a', b'b' ^ 0xff, b'c']);

    desk.emulator.control().add_fault(once("kind=plain-upload"));
    let id = desk.upload_id().await;
    let response = desk.upload_request(&id, form(0, &[("plain", b"1")])).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(desk.names(0).await[0], "plain");
}

#[tokio::test]
async fn reports_wait_drop_and_rename() {
    let desk = Desk::new().await;
    let control = desk.emulator.control();
    let id = desk.upload_id().await;
    desk.upload_request(&id, form(0, &[("a", b"1"), ("b", b"22")])).send().await.unwrap();
    // To follow the redirection isn't to read the report, so it uses up no fault.
    control.add_fault(FaultSpec::new(FaultKind::WaitReport(2)));
    desk.get(&format!("{}/end.pl?xid={id}", desk.base)).await;
    for _ in 0..2 {
        assert!(desk.report(&id).await.text().await.unwrap().contains("Please wait"));
    }
    control.add_fault(FaultSpec::new(FaultKind::EmptyReport(1)));
    let report = || async { desk.report(&id).await.json::<Value>().await.unwrap() };
    assert_eq!(report().await, json!({"incoming": 1, "links": []}));
    control.add_fault(once("kind=drop-from-report:2"));
    let dropped = report().await;
    assert_eq!(
        (dropped["links"].as_array().unwrap().len(), &dropped["links"][0]["filename"]),
        (1, &json!("a"))
    );
    control.add_fault(once("kind=rename-report,name=b"));
    let renamed = report().await;
    assert_eq!(
        (&renamed["links"][0]["filename"], &renamed["links"][1]["filename"]),
        (&json!("a"), &json!("renamed_b"))
    );
    let whole = report().await;
    assert_eq!(whole["links"].as_array().unwrap().len(), 2);
    for (spec, expected) in [("kind=wrong-checksum", true), ("kind=missing-checksum", false)] {
        control.add_fault(once(&format!("endpoint=end.pl,{spec},name=a")));
        let spoiled = report().await;
        assert_eq!(spoiled["links"][0].get("whirlpool").is_some(), expected);
        assert_ne!(spoiled["links"][0].get("whirlpool"), whole["links"][0].get("whirlpool"));
        assert_eq!(spoiled["links"][1], whole["links"][1]);
    }
    control.add_fault(once("endpoint=end.pl,kind=truncated-json"));
    assert!(desk.report(&id).await.json::<Value>().await.is_err());
}

#[tokio::test]
async fn listings_lie_about_checksums_and_items() {
    let desk = Desk::new().await;
    desk.upload(0, &[("a", b"1"), ("b", b"22")]).await;
    let control = desk.emulator.control();
    let listing = || async { desk.ok("folder/ls", json!({"folder_id": 0, "files": 1})).await };
    let whole = listing().await;
    control.add_fault(once("endpoint=folder/ls,kind=wrong-checksum"));
    let wrong = listing().await;
    for i in 0..2 {
        assert_ne!(wrong["items"][i]["checksum"], whole["items"][i]["checksum"]);
        assert_eq!(wrong["items"][i]["checksum"].as_str().unwrap().len(), 128);
    }
    control.add_fault(once("kind=missing-items"));
    let missing = listing().await;
    assert_eq!((missing.get("items"), &missing["files"]), (None, &json!(2)));
    control.add_fault(once("endpoint=folder/ls,kind=truncated-json"));
    let text = desk.raw("folder/ls", json!({})).await.unwrap().text().await.unwrap();
    assert!(serde_json::from_str::<Value>(&text).is_err());
    assert_eq!(listing().await, whole);
}

#[tokio::test]
async fn downloads_are_cut_shortened_corrupted_or_refused() {
    let desk = Desk::new().await;
    let content: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
    let url = desk.put(0, "file", &content).await;
    let token = desk.token(json!({"url": url})).await;
    let control = desk.emulator.control();

    control.add_fault(once("kind=cut-download:100000"));
    let mut response = desk.get(&token).await;
    assert_eq!(response.headers()["content-length"], "300000");
    let mut received = 0;
    let cut = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => received += chunk.len(),
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    assert!(cut && (1..=100_000).contains(&received), "{received}");

    control.add_fault(once("kind=short-download:1000"));
    assert!(desk.get(&token).await.bytes().await.unwrap() == content[..299_000]);

    control.add_fault(once("kind=corrupt-download:70000"));
    let mut corrupted = desk.get(&token).await.bytes().await.unwrap().to_vec();
    corrupted[70_000] ^= 0xff;
    assert!(corrupted == content);

    control.add_fault(once("kind=ignore-range"));
    let range = || desk.client.get(&token).header("range", "bytes=5-9").send();
    assert_eq!(range().await.unwrap().status(), StatusCode::OK);
    assert_eq!(range().await.unwrap().status(), StatusCode::PARTIAL_CONTENT);

    control.add_fault(once("kind=expired-token,name=fil"));
    assert_eq!(desk.get(&token).await.status(), StatusCode::NOT_FOUND);
    control.add_fault(once("endpoint=download,kind=message:Only 2 locations allowed at a time #887"));
    let told = desk.get(&token).await;
    assert_eq!(told.status(), StatusCode::FORBIDDEN);
    assert!(told.text().await.unwrap().contains("#887"));
    assert!(desk.get(&token).await.bytes().await.unwrap() == content);
}

#[tokio::test]
async fn names_restrict_calls_by_the_files_behind_their_links() {
    let desk = Desk::new().await;
    let (good, bad) = (desk.put(0, "good", b"1").await, desk.put(0, "bad", b"2").await);
    desk.emulator.control().add_fault("endpoint=download/get_token,kind=flood,name=bad".parse().unwrap());
    desk.token(json!({"url": good})).await;
    assert_eq!(desk.ko("download/get_token", json!({"url": bad})).await.0, 403);
    desk.emulator.control().clear_faults();
    desk.token(json!({"url": bad})).await;
}

#[tokio::test]
async fn answers_are_cut_late_or_elsewhere() {
    let desk = Desk::new().await;
    desk.upload(0, &[("a", b"1")]).await;
    let control = desk.emulator.control();

    control.add_fault(once("endpoint=folder/mkdir,kind=cut-answer"));
    let response = desk.raw("folder/mkdir", json!({"folder_id": 0, "name": "d"})).await.unwrap();
    assert!(response.status().is_success());
    assert!(response.text().await.is_err());
    assert_eq!(control.tree().unwrap().folders.len(), 1);

    control.add_fault(once("endpoint=folder/ls,kind=late-answer:60"));
    let began = std::time::Instant::now();
    desk.ok("folder/ls", json!({"folder_id": 0})).await;
    assert!(began.elapsed() >= std::time::Duration::from_millis(60));

    control.add_fault(once("endpoint=folder/ls,kind=redirect:http://127.0.0.1:1/"));
    let response = desk.raw("folder/ls", json!({"folder_id": 0})).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["location"]),
        (302, &"http://127.0.0.1:1/".parse().unwrap())
    );
}

#[tokio::test]
async fn a_download_may_be_longer_than_its_file() {
    let desk = Desk::new().await;
    let url = desk.put(0, "file", b"content").await;
    desk.emulator.control().add_fault(once("kind=long-download:70000"));
    let response = desk.get(&desk.token(json!({"url": url})).await).await;
    assert_eq!(response.headers()["content-length"], "70007");
    let bytes = response.bytes().await.unwrap();
    assert!(bytes.starts_with(b"content\0") && bytes.len() == 70_007);
}

#[tokio::test]
async fn little_gzip_may_become_much() {
    let desk = Desk::new().await;
    desk.emulator.control().add_fault(once("endpoint=folder/ls,kind=gzip-bomb:20"));
    let mut response = desk.raw("folder/ls", json!({"folder_id": 0})).await.unwrap();
    let mut received = 0;
    // Its end isn't right.
    while let Ok(Some(chunk)) = response.chunk().await {
        received += chunk.len();
    }
    assert!(received >= 19 << 20, "{received}");
}
