//! Contents of a state directory: over restarts, over `kill -9`, and when two emulators serve it at once.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::desk::{Desk, form};
use fichier_emulator::{Builder, Emulator, Storage};
use serde_json::{Value, json};

fn on(directory: &Path) -> Builder {
    Emulator::builder().storage(Storage::Directory(directory.to_owned()))
}

fn stored_blobs(directory: &Path) -> usize {
    let shelves = std::fs::read_dir(directory.join("blobs")).unwrap();
    shelves.map(|shelf| std::fs::read_dir(shelf.unwrap().path()).unwrap().count()).sum()
}

#[tokio::test]
async fn a_restart_keeps_all() {
    let directory = tempfile::tempdir().unwrap();
    let desk = Desk::with(on(directory.path()).durable(true)).await;
    let folder = desk.mkdir(0, "f").await;
    let url = desk.put(folder, "a", b"content").await;
    let copy = desk.ok("file/cp", json!({"urls": [url], "folder_id": 0})).await;
    let tree = desk.emulator.control().tree().unwrap();
    desk.emulator.shutdown().await;

    let desk = Desk::with(on(directory.path())).await;
    assert_eq!(desk.emulator.control().tree().unwrap(), tree);
    let token = desk.token(json!({"url": url})).await;
    assert_eq!(desk.get(&token).await.text().await.unwrap(), "content");
    // Original and copy share one content; it is removed with the last of them.
    assert_eq!(stored_blobs(directory.path()), 1);
    desk.ok("file/rm", json!({"files": [{"url": url}]})).await;
    assert_eq!(stored_blobs(directory.path()), 1);
    desk.ok("file/rm", json!({"files": [{"url": copy["urls"][0]["to_url"]}]})).await;
    assert_eq!(stored_blobs(directory.path()), 0);
}

#[tokio::test]
async fn two_emulators_serve_one_directory() {
    let directory = tempfile::tempdir().unwrap();
    let (one, two) = (Desk::with(on(directory.path())).await, Desk::with(on(directory.path())).await);
    let folder = one.mkdir(0, "f").await;
    let writes = (0..20).map(|i| {
        let desk = if i % 2 == 0 { &one } else { &two };
        async move { desk.put(folder, &format!("{i}"), &[i; 1000]).await }
    });
    let urls = futures::future::join_all(writes).await;
    assert_eq!(one.names(folder).await.len(), 20);
    assert_eq!(one.emulator.control().tree().unwrap(), two.emulator.control().tree().unwrap());
    assert_eq!(two.emulator.control().content(&urls[0]).unwrap(), [0; 1000]);
}

#[tokio::test]
async fn a_cut_upload_leaves_no_content() {
    let directory = tempfile::tempdir().unwrap();
    let desk = Desk::with(on(directory.path())).await;
    desk.emulator.control().add_fault("kind=cut-upload:300000".parse().unwrap());
    let id = desk.upload_id().await;
    let body = form(0, &[("first", &[1; 100_000]), ("second", &[1; 400_000])]);
    assert!(desk.upload_request(&id, body).send().await.is_err());
    // The thread that wrote notices a little later that no more bytes come.
    let left = || {
        stored_blobs(directory.path()) + std::fs::read_dir(directory.path().join("incoming")).unwrap().count()
    };
    for _ in 0..100 {
        if left() == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{} files are left", left());
}

/// Not a test of its own: the process that `acknowledged_uploads_survive_a_kill` kills.
#[tokio::test]
async fn victim() {
    let Some(directory) = std::env::var_os("EMULATOR_VICTIM") else { return };
    let emulator = on(Path::new(&directory)).start().await.unwrap();
    println!("\nendpoint {}", emulator.endpoint());
    std::io::stdout().flush().unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn acknowledged_uploads_survive_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged: Vec<(String, Vec<u8>)> = Vec::new();
    for round in 0..3_u8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "persistence::victim", "--nocapture"])
            .env("EMULATOR_VICTIM", directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let endpoint =
            lines.map_while(Result::ok).find_map(|line| line.strip_prefix("endpoint ").map(str::to_owned));
        let base = endpoint.unwrap().trim_end_matches('/').to_owned();
        let client = crate::desk::client();
        let key = fichier_emulator::DEMO_KEY;
        for i in 0..5_u8 {
            let server: Value = client
                .post(format!("{base}/v1/upload/get_upload_server.cgi"))
                .bearer_auth(key)
                .header("content-type", "application/json")
                .body("{}")
                .send()
                .await
                .unwrap()
                .json()
                .await
                .unwrap();
            let url = format!("{base}/upload.cgi?id={}", server["id"].as_str().unwrap());
            let content = vec![round * 16 + i; 200_000];
            let name = format!("{round}-{i}");
            let request =
                client.post(url).bearer_auth(key).header("content-type", "multipart/form-data; boundary=XyZ");
            let sending = request.body(form(0, &[(&name, &content)])).send();
            if i < 4 {
                assert_eq!(sending.await.unwrap().status(), 302);
                acknowledged.push((name, content));
            } else {
                // The last one isn't finished when the process dies; either outcome is right.
                let sent = tokio::spawn(sending);
                tokio::time::sleep(std::time::Duration::from_micros(u64::from(round) * 700)).await;
                child.kill().unwrap();
                let _ = sent.await;
            }
        }
        child.wait().unwrap();
    }
    let emulator = on(directory.path()).start().await.unwrap();
    let tree = emulator.control().tree().unwrap();
    for (name, content) in &acknowledged {
        let file =
            tree.files.iter().find(|file| file.name == *name).unwrap_or_else(|| panic!("{name} is lost"));
        assert!(emulator.control().content(&file.url).unwrap() == *content);
    }
    // What is listed is whole, acknowledged or not.
    for file in &tree.files {
        assert_eq!(emulator.control().content(&file.url).unwrap().len() as u64, file.size);
    }
}
