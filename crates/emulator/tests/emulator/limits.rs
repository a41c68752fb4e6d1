//! Limits as clients meet them: a careless client is locked out, a careful one isn't (API document, section 2).

use std::time::Duration;

use crate::desk::Desk;
use fichier_emulator::{Emulator, Limits, Storage};
use serde_json::json;

const FLOOD: &str = "Flood detected: IP Locked #374";

/// Real time divided by 20: calls each 16.5 ms, listings each 150 ms, a lock of 1.5 s.
async fn desk() -> Desk {
    Desk::with(Emulator::builder().limits(Limits::Scaled(20.0))).await
}

async fn sleep_real(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds / 20.0)).await;
}

#[tokio::test]
async fn a_careless_client_is_locked_out_until_it_sleeps() {
    let desk = desk().await;
    let mut refused = None;
    let tasks = (0..60).map(|i| desk.call("folder/mkdir", json!({"name": format!("{i}")})));
    for (status, answer) in futures::future::join_all(tasks).await {
        if status == 403 {
            refused = Some(answer);
        }
    }
    assert_eq!(refused.unwrap()["message"], FLOOD);
    assert!(desk.emulator.control().floods() > 0);
    assert_eq!(desk.ko("folder/mkdir", json!({"name": "later"})).await, (403, FLOOD.to_owned()));
    sleep_real(33.0).await;
    desk.mkdir(0, "later").await;
}

#[tokio::test]
async fn a_careful_client_is_spared() {
    let desk = desk().await;
    let mut folders = Vec::new();
    for i in 0..20 {
        folders.push(desk.mkdir(0, &format!("{i}")).await);
        sleep_real(0.4).await;
    }
    for folder in &folders[..5] {
        desk.ok("folder/ls", json!({"folder_id": folder, "files": 1})).await;
        sleep_real(3.0).await;
    }
    assert_eq!(desk.emulator.control().floods(), 0);
}

#[tokio::test]
async fn hasty_listings_lock_listings_and_nothing_else() {
    let desk = desk().await;
    let folder = desk.mkdir(0, "f").await;
    sleep_real(1.0).await;
    desk.ok("folder/ls", json!({"folder_id": 0, "files": 1})).await;
    sleep_real(0.4).await;
    assert_eq!(desk.ko("folder/ls", json!({"folder_id": folder})).await.0, 403);
    sleep_real(1.0).await;
    let url = desk.put(folder, "a", b"1").await;
    sleep_real(1.0).await;
    desk.ok("file/info", json!({"url": url})).await;
    sleep_real(0.4).await;
    let token = desk.token(json!({"url": url})).await;
    assert_eq!(desk.get(&token).await.text().await.unwrap(), "1");
    assert_eq!(desk.ko("file/ls", json!({"folder_id": folder})).await, (403, FLOOD.to_owned()));
    sleep_real(33.0).await;
    desk.ok("file/ls", json!({"folder_id": folder})).await;
}

#[tokio::test]
async fn the_same_folder_the_whole_account_and_its_data_have_their_own_pace() {
    let desk = desk().await;
    desk.ok("file/ls", json!({"folder_id": 0})).await;
    sleep_real(4.0).await;
    // This lists the same folder's files by the other call.
    assert_eq!(desk.ko("folder/ls", json!({"folder_id": 0, "files": 1})).await.0, 403);
    desk.emulator.control().reset_limits().unwrap();
    desk.ok("file/ls", json!({"folder_id": -1})).await;
    sleep_real(4.0).await;
    assert_eq!(desk.ko("file/ls", json!({"folder_id": -1})).await.0, 403);
    desk.ok("user/info", json!({})).await;
    assert_eq!(desk.ko("user/info", json!({})).await, (403, FLOOD.to_owned()));
}

#[tokio::test]
async fn processes_that_serve_one_directory_share_the_counters() {
    let directory = tempfile::tempdir().unwrap();
    let builder =
        || Emulator::builder().limits(Limits::Real).storage(Storage::Directory(directory.path().to_owned()));
    let (one, two) = (Desk::with(builder()).await, Desk::with(builder()).await);
    one.ok("folder/ls", json!({"folder_id": 0})).await;
    assert_eq!(two.ko("folder/ls", json!({"folder_id": 0})).await.0, 403);
}

#[tokio::test]
async fn real_limits_cap_listings_by_default() {
    let desk = Desk::with(Emulator::builder().limits(Limits::Real)).await;
    let status: serde_json::Value =
        desk.get(&format!("{}/_emulator/limits", desk.base)).await.json().await.unwrap();
    assert_eq!((&status["limits"], &status["listing_cap"]), (&json!("real"), &json!(5000)));
}
