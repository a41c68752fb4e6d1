//! Tests of the control, in process and over HTTP; of the request log; and of large accounts.

use std::time::{Duration, Instant};

use crate::desk::Desk;
use fichier_emulator::{DEMO_KEY, Emulator, EmulatorError, SeedFile, Storage};
use jiff::Timestamp;
use reqwest::StatusCode;
use serde_json::{Value, json};

#[tokio::test]
async fn counters_count_and_reset() {
    let desk = Desk::new().await;
    let url = desk.put(0, "a", b"1").await;
    let token = desk.token(json!({"url": url})).await;
    desk.get(&token).await;
    let control = desk.emulator.control();
    let counters = control.counters();
    for endpoint in ["upload/get_upload_server", "upload.cgi", "end.pl", "download/get_token", "download"] {
        assert_eq!(counters.get(endpoint), Some(&1), "{endpoint}");
    }
    assert_eq!((counters.len(), control.api_calls()), (5, 2));
    let over_http: Value = desk.get(&format!("{}/_emulator/counters", desk.base)).await.json().await.unwrap();
    assert_eq!(over_http["requests"], json!(counters));
    desk.client.post(format!("{}/_emulator/counters/reset", desk.base)).send().await.unwrap();
    assert!(control.counters().is_empty());
}

#[tokio::test]
async fn faults_come_and_go_over_http() {
    let desk = Desk::new().await;
    let url = format!("{}/_emulator/faults", desk.base);
    let added =
        desk.client.post(&url).body("kind=flood\nendpoint=file/ls,kind=html,times=2\n").send().await.unwrap();
    assert_eq!(added.status(), StatusCode::OK);
    let listed: Value = desk.get(&url).await.json().await.unwrap();
    assert_eq!(listed, json!(["kind=flood", "endpoint=file/ls,kind=html,times=2"]));
    assert_eq!(desk.ko("user/info", json!({})).await.0, 403);
    desk.client.delete(&url).send().await.unwrap();
    desk.ok("user/info", json!({})).await;
    let bad = desk.client.post(&url).body("kind=nonsense").send().await.unwrap();
    assert_eq!(bad.status(), StatusCode::BAD_REQUEST);
    let unknown = desk.get(&format!("{}/_emulator/nothing", desk.base)).await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_private_emulator_takes_no_key_but_its_own_and_has_no_control() {
    let directory = tempfile::tempdir().unwrap();
    let private = || Emulator::builder().storage(Storage::Directory(directory.path().to_owned())).private();
    let first = Desk::with(private()).await;
    let second = Desk::with(private()).await;
    let keys = [first.emulator.api_key(), second.emulator.api_key(), DEMO_KEY];
    assert!(keys[0] != keys[1] && keys[0] != DEMO_KEY && keys[0].len() >= 40);
    // Two of them serve the same account.
    first.put(0, "a", b"1").await;
    assert_eq!(second.names(0).await, ["a"]);
    assert_eq!(first.emulator.control().tree().unwrap().files.len(), 1);
    for key in [DEMO_KEY, second.emulator.api_key(), ""] {
        let request = first.client.post(format!("{}/v1/file/ls.cgi", first.base)).bearer_auth(key);
        let answer: Value =
            request.json(&json!({"folder_id": 0})).send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["status"], "KO", "{answer}");
    }
    for page in ["counters", "tree", "count", "faults", "limits"] {
        let request = first.client.get(format!("{}/_emulator/{page}", first.base)).bearer_auth(keys[0]);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::NOT_FOUND, "{page}");
    }
}

#[tokio::test]
async fn seeds_and_the_tree_agree_with_the_service() {
    let desk = Desk::new().await;
    let control = desk.emulator.control();
    let date = Timestamp::from_second(1_600_000_000).unwrap();
    let url = control.seed_file_dated("/a/b/raw $name", b"content", date).unwrap();
    let folder = control.seed_folder("a/b").unwrap();
    let listing = desk.ok("file/ls", json!({"folder_id": folder})).await;
    let item = &listing["items"][0];
    assert_eq!((&item["filename"], &item["date"]), (&json!("raw $name"), &json!("2020-09-13 12:26:40")));
    let tree = control.tree().unwrap();
    assert_eq!((tree.files[0].path.as_str(), &tree.files[0].url), ("/a/b/raw $name", &url));
    assert_eq!(tree.folders.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(), ["/a", "/a/b"]);
    let request =
        desk.client.get(format!("{}/_emulator/tree", desk.base)).bearer_auth(desk.emulator.api_key());
    assert_eq!(request.send().await.unwrap().json::<Value>().await.unwrap(), json!(tree));

    let request =
        desk.client.get(format!("{}/_emulator/count", desk.base)).bearer_auth(desk.emulator.api_key());
    assert_eq!(request.send().await.unwrap().json::<Value>().await.unwrap(), json!({"files": 1}));

    control.corrupt(&url, 0).unwrap();
    let token = desk.token(json!({"url": url})).await;
    assert_eq!(desk.get(&token).await.bytes().await.unwrap()[1..], b"ontent"[..]);
    assert_eq!(control.tree().unwrap().files[0].whirlpool, tree.files[0].whirlpool);
    assert!(control.corrupt(&url, 7).is_err());
    assert!(control.content("https://1fichier.com/?abcdefghijklmnop").is_err());
    assert!(control.for_account("nobody").tree().is_err());
}

#[tokio::test]
async fn a_hundred_thousand_files_are_listed_fast() {
    let desk = Desk::new().await;
    let control = desk.emulator.control();
    let folders: Vec<i64> = (0..20).map(|i| control.seed_folder(&format!("f{i}")).unwrap()).collect();
    let files: Vec<SeedFile> = (0..100_000)
        .map(|i| SeedFile {
            folder_id: folders[i % 20],
            name: format!("file-{i}"),
            size: 1000,
            seed: 0,
            date: None,
        })
        .collect();
    let links = control.seed_many(&files).unwrap();
    assert_eq!(links.len(), 100_000);
    let start = Instant::now();
    let listing = desk.ok("folder/ls", json!({"folder_id": folders[3], "files": 1})).await;
    assert_eq!(listing["items"].as_array().unwrap().len(), 5000);
    let one_folder = start.elapsed();
    let start = Instant::now();
    let all = desk.ok("file/ls", json!({"folder_id": -1})).await;
    assert_eq!(all["count"], 100_000);
    // A folder of twenty costs less than the whole account, on a busy machine too.
    assert!(one_folder < start.elapsed(), "{one_folder:?} against {:?}", start.elapsed());
    // Synthetic content is served, and its checksum is right.
    let token = desk.token(json!({"url": links[0]})).await;
    let content = desk.get(&token).await.bytes().await.unwrap();
    let link = desk.put(0, "same", &content).await;
    let info = desk.ok("file/info", json!({"url": link})).await;
    assert_eq!(info["checksum"], desk.ok("file/info", json!({"url": links[0]})).await["checksum"]);
}

#[tokio::test]
async fn the_request_log_tells_all_but_the_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("requests.jsonl");
    let desk = Desk::with(Emulator::builder().request_log(&path)).await;
    let folder = desk.mkdir(0, "f").await;
    let url = desk.put(folder, "a", b"12345").await;
    let token = desk.token(json!({"url": url})).await;
    desk.get(&token).await.bytes().await.unwrap();
    desk.ko("folder/ls", json!({"folder_id": 99})).await;
    let key = desk.emulator.api_key().to_owned();
    desk.emulator.shutdown().await;
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains(&key));
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let endpoints: Vec<&str> = lines.iter().map(|line| line["endpoint"].as_str().unwrap()).collect();
    let expected = [
        "folder/mkdir",
        "upload/get_upload_server",
        "upload.cgi",
        "end.pl",
        "download/get_token",
        "download",
        "folder/ls",
    ];
    assert_eq!(endpoints, expected);
    assert_eq!((&lines[2]["folder"], &lines[2]["status"]), (&json!(folder), &json!(302)));
    assert_eq!((&lines[5]["bytes_out"], &lines[5]["status"]), (&json!(5), &json!(200)));
    assert_eq!((&lines[6]["folder"], &lines[6]["message"]), (&json!(99), &json!("Resource not found #469")));
    assert!(lines[0]["milliseconds"].as_f64().unwrap() > 0.0);
}

#[tokio::test]
async fn only_loopback_is_listened_on_unless_allowed() {
    let everywhere = "0.0.0.0:0".parse().unwrap();
    let refused = Emulator::builder().listen(everywhere).start().await;
    assert!(matches!(refused, Err(EmulatorError::NotLoopback(_))));
    let proxy = Emulator::builder().proxy(everywhere).start().await;
    assert!(matches!(proxy, Err(EmulatorError::NotLoopback(_))));
    Emulator::builder().listen(everywhere).allow_remote(true).start().await.unwrap();
}

#[tokio::test]
async fn a_shutdown_ends_what_runs_and_cuts_what_hangs() {
    let desk = Desk::new().await;
    let control = desk.emulator.control();
    let url = control.seed_many(&[SeedFile {
        folder_id: 0,
        name: "big".to_owned(),
        size: 50_000_000,
        seed: 1,
        date: None,
    }]);
    let token = desk.token(json!({"url": url.unwrap()[0]})).await;
    let hanging = desk.get(&token).await;
    control.add_fault("endpoint=user/info,kind=latency:300".parse().unwrap());
    let running = desk.post("user/info").body("{}").send();
    let running = tokio::spawn(running);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let start = Instant::now();
    desk.emulator.shutdown().await;
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!(running.await.unwrap().unwrap().status(), StatusCode::OK);
    assert!(hanging.bytes().await.is_err(), "nobody read it in time");
    assert!(desk.client.get(&desk.base).send().await.is_err());
}
