//! Uploads, reports and downloads as clients make them (API document, sections 6 and 7).

use crate::desk::{Desk, field, file_part, form};
use fichier_emulator::{Account, Clock, Emulator, FolderRename, LongNames};
use jiff::Timestamp;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;
use whirlpool::{Digest as _, Whirlpool};

fn whirlpool_of(content: &[u8]) -> String {
    Whirlpool::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_file_goes_up_and_comes_down() {
    let desk = Desk::new().await;
    let folder = desk.mkdir(0, "docs").await;
    let content: Vec<u8> = (0..3_000_000_u32).map(|i| (i * 7 % 251) as u8).collect();
    let links = desk.upload(folder, &[("a.txt", &content)]).await;
    assert_eq!(links[0]["filename"], "a.txt");
    assert_eq!(links[0]["size"], "3000000");
    assert_eq!(links[0]["whirlpool"], whirlpool_of(&content));
    assert!(links[0]["remove"].as_str().unwrap().starts_with("https://1fichier.com/remove/"));
    let url = links[0]["download"].as_str().unwrap();

    let listing = desk.ok("file/ls", json!({"folder_id": folder})).await;
    let item = &listing["items"][0];
    assert_eq!(item["url"], url);
    assert_eq!(item["size"], 3_000_000);
    assert_eq!(item["checksum"], whirlpool_of(&content));
    assert_eq!(item["content-type"], "text/plain");

    let token = desk.token(json!({"url": url})).await;
    let response = desk.get(&token).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-length"], "3000000");
    assert!(response.headers()["content-disposition"].to_str().unwrap().contains("filename=\"a.txt\""));
    assert!(response.bytes().await.unwrap() == content);
}

#[tokio::test]
async fn many_files_go_up_at_once_and_duplicates_stay() {
    let desk = Desk::new().await;
    let files: Vec<(String, Vec<u8>)> =
        (0..100_u8).map(|i| (format!("{i}.bin"), vec![i + 1; usize::from(i) + 1])).collect();
    let borrowed: Vec<(&str, &[u8])> =
        files.iter().map(|(name, content)| (name.as_str(), &content[..])).collect();
    let links = desk.upload(0, &borrowed).await;
    assert_eq!(links.len(), 100);
    for (link, (name, content)) in links.iter().zip(&files) {
        assert_eq!(link["filename"], **name);
        assert_eq!(link["whirlpool"], whirlpool_of(content));
    }
    desk.put(0, "7.bin", b"another").await;
    assert_eq!(desk.names(0).await.iter().filter(|name| *name == "7.bin").count(), 2);

    let desk = Desk::with(Emulator::builder().upload_files(100)).await;
    let mut one_too_many = borrowed.clone();
    one_too_many.push(("101", b"x"));
    let id = desk.upload_id().await;
    let response = desk.upload_request(&id, form(0, &one_too_many)).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert!(desk.names(0).await.is_empty(), "nothing of a refused upload is stored");

    let desk = Desk::with(Emulator::builder().upload_files(100).drops_excess(true)).await;
    assert_eq!(desk.upload(0, &one_too_many).await.len(), 100);
    assert_eq!(desk.names(0).await.len(), 100);
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_and_an_upload_that_takes_too_long_is_cut() {
    let desk = Desk::with(Emulator::builder().largest_file(1000)).await;
    let id = desk.upload_id().await;
    let response = desk.upload_request(&id, form(0, &[("a", &[1; 1001])])).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(desk.upload(0, &[("a", &[1; 1000])]).await.len(), 1);

    let builder = Emulator::builder().upload_time(Duration::from_millis(100));
    let desk = Desk::with(builder.fault("kind=latency:60000,name=slow".parse().unwrap())).await;
    let id = desk.upload_id().await;
    desk.upload_request(&id, form(0, &[("slow", b"x")])).send().await.unwrap_err();
    assert!(desk.names(0).await.is_empty());
}

#[tokio::test]
async fn folders_are_moved_and_renamed_at_once_or_stay() {
    for (way, left) in [(FolderRename::Moves, "/b/y/f"), (FolderRename::Stays, "/a/y/f")] {
        let desk = Desk::with(Emulator::builder().folder_rename(way)).await;
        desk.emulator.control().seed_file("a/x/f", b"1").unwrap();
        let to = desk.mkdir(0, "b").await;
        let listed = desk.ok("folder/ls", json!({"folder_id": 0})).await;
        let from = listed["sub_folders"][0]["id"].as_i64().unwrap();
        let listed = desk.ok("folder/ls", json!({"folder_id": from})).await;
        let folder = listed["sub_folders"][0]["id"].as_i64().unwrap();
        let call = json!({"folder_id": folder, "destination_folder_id": to, "rename": "y"});
        desk.ok("folder/mv", call).await;
        assert_eq!(desk.emulator.control().tree().unwrap().files[0].path, left, "{way}");
    }
}

#[tokio::test]
async fn names_are_altered_and_bytes_survive() {
    let desk = Desk::new().await;
    for (sent, stored) in [
        (&b" spaced "[..], "spaced"),
        (b"a<b>c'd`e$f.txt", "a_b_c_d_e_f.txt"),
        (b"\xe2\x98\x83 \xff.txt", "\u{2603} _.txt"),
        (b"say \\\"hi\\\"", "say _hi_"),
        (b"..", "__"),
    ] {
        let id = desk.upload_id().await;
        let mut body = file_part(sent, b"content");
        body.extend_from_slice(b"--XyZ--");
        let response = desk.upload_request(&id, body).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::FOUND);
        let report: Value = desk.report(&id).await.json().await.unwrap();
        assert_eq!(report["links"][0]["filename"], stored);
    }
}

#[tokio::test]
async fn the_form_is_read_strictly() {
    let desk = Desk::new().await;
    let refused = |kind: &'static str, body: Vec<u8>| {
        let desk = &desk;
        async move {
            let id = desk.upload_id().await;
            let request = desk.client.post(format!("{}/upload.cgi?id={id}", desk.base));
            let request = request.bearer_auth(desk.emulator.api_key()).header("content-type", kind);
            let response = request.body(body).send().await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);
            assert!(response.text().await.unwrap().contains("Pas de fichier"));
        }
    };
    refused("multipart/form-data; boundary=\"XyZ\"", form(0, &[("a", b"1")])).await;
    refused("application/octet-stream", b"content".to_vec()).await;
    refused("multipart/form-data; boundary=XyZ", form(0, &[("empty", b"")])).await;
    refused("multipart/form-data; boundary=XyZ", form(0, &[])).await;
    let unquoted =
        b"--XyZ\r\nContent-Disposition: form-data; name=file[]; filename=a\r\n\r\nx\r\n--XyZ--\r\n";
    refused("multipart/form-data; boundary=XyZ", unquoted.to_vec()).await;
    assert!(desk.names(0).await.is_empty());
    // An empty file beside a full one is left out.
    let links = desk.upload(0, &[("empty", b""), ("full", b"x")]).await;
    assert_eq!(links.len(), 1);
    assert_eq!(desk.names(0).await, ["full"]);
}

#[tokio::test]
async fn upload_conditions_are_checked() {
    let account = Account { quota: 1000, ..Account::default() };
    let desk = Desk::with(Emulator::builder().account(account).largest_upload(5000)).await;
    let id = desk.upload_id().await;
    // Without a length the body is chunked.
    let chunks = futures::stream::iter([Ok::<_, std::io::Error>(form(0, &[("a", b"1")]))]);
    let request = desk.upload_request(&id, Vec::new()).body(reqwest::Body::wrap_stream(chunks));
    assert_eq!(request.send().await.unwrap().status(), StatusCode::LENGTH_REQUIRED);
    let large = desk.upload_request(&id, form(0, &[("a", &[1; 6000])])).send().await.unwrap();
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let over_quota = desk.upload_request(&id, form(0, &[("a", &[1; 2000])])).send().await.unwrap();
    assert_eq!(over_quota.status(), StatusCode::FORBIDDEN);
    assert!(over_quota.text().await.unwrap().contains("quota"));
    let unknown = desk.upload_request("unknown", form(0, &[("a", b"1")])).send().await.unwrap();
    assert_eq!(unknown.status(), StatusCode::FORBIDDEN);
    let bad_key = desk.client.post(format!("{}/upload.cgi?id={id}", desk.base)).bearer_auth("wrong");
    let bad_key =
        bad_key.header("content-type", "multipart/form-data; boundary=XyZ").body(form(0, &[("a", b"1")]));
    assert_eq!(bad_key.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert!(desk.names(0).await.is_empty());
    // The id is still good, until it was used.
    assert_eq!(
        desk.upload_request(&id, form(0, &[("a", b"1")])).send().await.unwrap().status(),
        StatusCode::FOUND
    );
    let again = desk.upload_request(&id, form(0, &[("a", b"1")])).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::FORBIDDEN);
    assert_eq!(desk.names(0).await, ["a"]);
}

#[tokio::test]
async fn fields_of_the_form_count() {
    let desk = Desk::new().await;
    let id = desk.upload_id().await;
    // A folder that doesn't exist means the root.
    let mut body = field("did", "4711");
    body.extend(field("domain", "3"));
    body.extend(field("dpass", "secret"));
    body.extend(form(4711, &[("a", b"1")]));
    desk.upload_request(&id, body).send().await.unwrap();
    let report: Value = desk.report(&id).await.json().await.unwrap();
    let url = report["links"][0]["download"].as_str().unwrap();
    assert!(url.starts_with("https://desfichiers.com/?"), "{url}");
    assert_eq!(desk.names(0).await, ["a"]);
    assert_eq!(desk.ok("file/ls", json!({})).await["items"][0]["pass"], 1);

    let (status, message) = desk.ko("download/get_token", json!({"url": url})).await;
    assert_eq!((status, &*message), (403, "Password not provided. Resource not allowed #631"));
    let (status, message) = desk.ko("download/get_token", json!({"url": url, "pass": "wrong"})).await;
    assert_eq!((status, &*message), (403, "Invalid password. Resource not allowed #631"));
    let elsewhere = json!({"url": url.replace("desfichiers.com", "1fichier.com"), "pass": "secret"});
    assert_eq!(desk.ko("download/get_token", elsewhere).await.0, 404, "the domain belongs to the link");
    let token = desk.token(json!({"url": url, "pass": "secret"})).await;
    assert_eq!(desk.get(&token).await.text().await.unwrap(), "1");
}

#[tokio::test]
async fn an_upload_without_a_key_belongs_to_nobody() {
    let desk = Desk::new().await;
    let server = format!("{}/v1/upload/get_upload_server.cgi", desk.base);
    let server = desk.client.get(server).header("content-type", "application/json").send().await.unwrap();
    let id = server.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned();
    let request = desk.client.post(format!("{}/upload.cgi?id={id}", desk.base));
    let request = request.header("content-type", "multipart/form-data; boundary=XyZ");
    let response = request.body(form(0, &[("lost", b"1")])).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::FOUND);
    assert!(desk.names(0).await.is_empty());
    let report: Value = desk.report(&id).await.json().await.unwrap();
    let url = report["links"][0]["download"].clone();
    let token = desk.token(json!({"url": url})).await;
    assert_eq!(desk.get(&token).await.text().await.unwrap(), "1");
    // Whoever has the link for it removes the file, once.
    let remove = report["links"][0]["remove"].as_str().unwrap();
    let remove = remove.replace("https://1fichier.com", &desk.base);
    assert_eq!(desk.get(&format!("{remove}x")).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(desk.get(&remove).await.status(), StatusCode::OK);
    assert_eq!(desk.get(&remove).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(desk.ko("download/get_token", json!({"url": url})).await.0, 404);
}

#[tokio::test]
async fn the_report_has_three_faces_and_an_end() {
    let clock = Clock::manual(Timestamp::from_second(1_700_000_000).unwrap());
    let desk = Desk::with(Emulator::builder().clock(clock.clone())).await;
    let id = desk.upload_id().await;
    let waiting = desk.report(&id).await;
    assert!(waiting.text().await.unwrap().contains("Please wait"));
    desk.upload_request(&id, form(0, &[("a;b", b"12")])).send().await.unwrap();
    let url = format!("{}/end.pl?xid={id}", desk.base);
    let page = desk.get(&url).await.text().await.unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("<td>a;b</td><td>2</td>"), "{page}");
    let link = desk.report(&id).await.json::<Value>().await.unwrap()["links"][0]["download"].clone();
    assert!(page.contains(&format!("<a href={link}>")), "{page}");
    for query in ["JSON=1", "json=1"] {
        let report = desk.get(&format!("{url}&{query}")).await.json::<Value>().await.unwrap();
        assert_eq!(report["links"][0]["download"], link);
    }
    let by_query = desk.get(&format!("{url}&Export=1")).await.text().await.unwrap();
    let csv = desk.client.get(&url).header("EXPORT", "1").send().await.unwrap().text().await.unwrap();
    // A name can't be taken for two fields.
    assert!(csv.starts_with("a%3Bb;2;") && by_query == csv, "{csv}");
    assert_eq!(desk.report(&id).await.status(), StatusCode::OK);
    clock.advance(Duration::from_secs(7199));
    assert_eq!(desk.report(&id).await.status(), StatusCode::OK);
    clock.advance(Duration::from_secs(2));
    assert_eq!(desk.report(&id).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(desk.report("unknown").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn ranges_tokens_and_their_ends() {
    let clock = Clock::manual(Timestamp::from_second(1_700_000_000).unwrap());
    let desk = Desk::with(Emulator::builder().clock(clock.clone())).await;
    let url = desk.put(0, "digits", b"0123456789").await;
    let token = desk.token(json!({"url": url})).await;
    for (range, status, content, told) in [
        ("bytes=2-4", 206, "234", Some("bytes 2-4/10")),
        ("bytes=7-", 206, "789", Some("bytes 7-9/10")),
        ("bytes=-2", 206, "89", Some("bytes 8-9/10")),
        ("bytes=0-", 206, "0123456789", Some("bytes 0-9/10")),
        ("bytes=1-2,4-5", 200, "0123456789", None),
    ] {
        let response = desk.client.get(&token).header("range", range).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{range}");
        assert_eq!(response.headers().get("content-range").map(|told| told.to_str().unwrap()), told);
        assert_eq!(response.text().await.unwrap(), content);
    }
    let beyond = desk.client.get(&token).header("range", "bytes=10-").send().await.unwrap();
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(beyond.headers()["content-range"], "bytes */10");
    let head = desk.client.head(&token).send().await.unwrap();
    assert_eq!(head.headers()["content-length"], "10");

    let single = desk.token(json!({"folder_id": 0, "filename": "digits", "single": 1})).await;
    assert_eq!(desk.client.head(&single).send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(desk.get(&single).await.status(), StatusCode::OK);
    assert_eq!(desk.get(&single).await.status(), StatusCode::NOT_FOUND);

    let inline = desk.token(json!({"url": url, "inline": 1})).await;
    let shown = desk.get(&inline).await;
    assert!(shown.headers()["content-disposition"].to_str().unwrap().starts_with("inline"));

    let unused = desk.token(json!({"url": url})).await;
    clock.advance(Duration::from_secs(299));
    assert_eq!(desk.get(&token).await.status(), StatusCode::OK);
    clock.advance(Duration::from_secs(2));
    assert_eq!(desk.get(&unused).await.status(), StatusCode::NOT_FOUND, "too late to begin");
    clock.advance(Duration::from_secs(1490));
    assert_eq!(desk.get(&token).await.status(), StatusCode::OK, "what began may go on");
    clock.advance(Duration::from_secs(20));
    assert_eq!(desk.get(&token).await.status(), StatusCode::NOT_FOUND);
    let gone = desk.token(json!({"url": url})).await;
    desk.ok("file/rm", json!({"files": [{"url": url}]})).await;
    assert_eq!(desk.get(&gone).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        desk.ko("download/get_token", json!({"url": url})).await,
        (404, "Resource not found #469".to_owned())
    );
}

#[tokio::test]
async fn two_uploads_by_one_id_lose_no_report() {
    let builder = Emulator::builder().fault("kind=latency:300,name=slow".parse().unwrap());
    let desk = Desk::with(builder).await;
    let id = desk.upload_id().await;
    let slow = desk.upload_request(&id, form(0, &[("slow", b"1")])).send();
    let quick = desk.upload_request(&id, form(0, &[("quick", b"22")])).send();
    let (slow, quick) = futures::join!(slow, quick);
    let mut statuses = [slow.unwrap().status(), quick.unwrap().status()];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::FOUND, StatusCode::FORBIDDEN]);
    let report: Value = desk.report(&id).await.json().await.unwrap();
    assert_eq!(desk.names(0).await, [report["links"][0]["filename"].as_str().unwrap()]);
}

#[tokio::test]
async fn names_that_are_too_long_are_cut_or_their_files_dropped() {
    for (way, stored) in [(LongNames::Cut, vec!["12345", "1234"]), (LongNames::Drop, vec!["1234"])] {
        let desk = Desk::with(Emulator::builder().longest_name(Some(5), way)).await;
        desk.upload(0, &[("1234", b"1"), ("123456", b"2")]).await;
        assert_eq!(desk.names(0).await, stored, "{way}");
    }
}

#[tokio::test]
async fn every_token_may_be_a_single_one() {
    let desk = Desk::with(Emulator::builder().single_tokens(true)).await;
    let url = desk.put(0, "a", b"1").await;
    let token = desk.token(json!({"url": url, "single": 0})).await;
    let path = token.strip_prefix(&desk.base).unwrap().trim_start_matches('/');
    assert!(!path.contains('/'), "{token}");
    assert_eq!(desk.get(&token).await.status(), StatusCode::OK);
    assert_eq!(desk.get(&token).await.status(), StatusCode::NOT_FOUND);
}

#[test]
fn transfers_that_stand_still_hold_nobody_up() {
    // Fewer threads for what blocks than the usual hundreds, so that few connections will do.
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all().max_blocking_threads(4).build().unwrap().block_on(stand_still());
}

async fn stand_still() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let desk = Desk::with(Emulator::builder().read_timeout(Duration::from_secs(2))).await;
    let large = desk.emulator.control();
    let folder = desk.mkdir(0, "f").await;
    let file = fichier_emulator::SeedFile {
        folder_id: folder,
        name: "large".to_owned(),
        size: 1 << 30,
        seed: 1,
        date: None,
    };
    large.seed_many(&[file]).unwrap();
    let url = large.tree().unwrap().files[0].url.clone();
    let token = desk.token(json!({"url": url})).await;
    let (host, path) = token.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stalled = Vec::new();
    for _ in 0..16 {
        let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
        stream.write_all(format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await.unwrap();
        stalled.push(stream);
    }
    // Each has begun.
    for stream in &mut stalled {
        stream.read_exact(&mut [0; 12]).await.unwrap();
    }
    let alive = tokio::time::timeout(Duration::from_secs(60), desk.put(0, "alive", b"1"));
    assert!(alive.await.is_ok(), "the emulator answers while others stand still");

    // Uploads that stop in the middle hold no thread either, and are cut.
    let id = desk.upload_id().await;
    let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
    let head = format!(
        "POST /upload.cgi?id={id} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100000\r\n\
         Content-Type: multipart/form-data; boundary=XyZ\r\n\r\n--XyZ\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 100];
    let end = tokio::time::timeout(Duration::from_secs(60), stream.read(&mut answer));
    assert!(matches!(end.await, Ok(Ok(0) | Err(_))), "the connection is closed");
}
