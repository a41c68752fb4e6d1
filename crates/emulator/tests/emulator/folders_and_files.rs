//! Every call on folders, files and the account: what succeeds, and what is refused (API document, sections 3–5,
//! 8–11).

use crate::desk::{Desk, client};
use fichier_emulator::{Account, Clock, Emulator, MkdirExisting, SeedFile, Windows};
use jiff::Timestamp;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;

const NOT_FOUND: (u16, &str) = (404, "Resource not found #469");

fn told(answer: &(u16, String)) -> (u16, &str) {
    (answer.0, &answer.1)
}

#[tokio::test]
async fn transport_rules_hold() {
    let desk = Desk::new().await;
    let url = format!("{}/v1/folder/ls.cgi", desk.base);
    let key = desk.emulator.api_key();
    let no_type = desk.client.post(&url).bearer_auth(key).body("{}").send().await.unwrap();
    assert!(no_type.text().await.unwrap().starts_with("<!DOCTYPE html>"));
    let get = desk.client.get(&url).bearer_auth(key).header("content-type", "application/json");
    assert!(get.send().await.unwrap().text().await.unwrap().starts_with("<!DOCTYPE html>"));
    let no_key =
        desk.client.post(&url).header("content-type", "application/json").body("{}").send().await.unwrap();
    assert_eq!(no_key.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(no_key.json::<Value>().await.unwrap()["message"], "Not authenticated #247");
    let wrong =
        desk.client.post(&url).bearer_auth("wrong").header("content-type", "application/json").body("{}");
    let wrong = wrong.send().await.unwrap();
    assert_eq!(wrong.status(), StatusCode::FORBIDDEN);
    assert_eq!(wrong.json::<Value>().await.unwrap()["message"], "No such user #93");
    let broken = desk.post("folder/ls").body("{").send().await.unwrap().json::<Value>().await.unwrap();
    assert_eq!(broken["status"], "KO");
    let unknown = desk.raw("folder/nothing", json!({})).await.unwrap();
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    let pretty = desk.raw("folder/ls", json!({"pretty": 1})).await.unwrap().text().await.unwrap();
    assert!(pretty.contains("\n  \""), "{pretty}");

    let server = format!("{}/v1/upload/get_upload_server.cgi", desk.base);
    let get = desk.client.get(&server).bearer_auth(key).header("content-type", "application/json");
    let assigned: Value = get.send().await.unwrap().json().await.unwrap();
    assert!(assigned["id"].as_str().unwrap().len() <= 10);
    let html = desk.client.get(&server).bearer_auth(key).send().await.unwrap().text().await.unwrap();
    assert!(html.starts_with("<!DOCTYPE html>"));
}

#[tokio::test]
async fn a_free_account_is_refused() {
    let free = Account { offer: 0, ..Account::new("free", "free@emulator.invalid") };
    let desk = Desk::with(Emulator::builder().account(free)).await;
    let refused = desk.ko("user/info", json!({})).await;
    assert_eq!(told(&refused), (403, "Must be a customer (Premium, Access) #200"));
}

#[tokio::test]
async fn folders_are_made_listed_moved_and_removed() {
    let desk = Desk::new().await;
    let root = desk.ok("folder/ls", json!({"folder_id": 0})).await;
    assert_eq!((&root["name"], &root["folder_id"], &root["size"]), (&json!("Root"), &json!(0), &Value::Null));
    assert!(root.get("items").is_none());
    let a = desk.mkdir(0, "a").await;
    let b = desk.mkdir(a, "b").await;
    let odd = desk.ok("folder/mkdir", json!({"name": " x/y ", "folder_id": a})).await;
    assert_eq!(odd["name"], "x_y");
    assert_eq!(desk.ko("folder/mkdir", json!({"name": "b", "folder_id": a})).await.0, 200);
    assert_eq!(told(&desk.ko("folder/mkdir", json!({"name": "b", "folder_id": 99})).await), NOT_FOUND);
    assert_eq!(desk.ko("folder/mkdir", json!({"folder_id": a})).await.0, 200);

    desk.put(a, "one.txt", b"1").await;
    let listing = desk.ok("folder/ls", json!({"folder_id": a, "files": 1})).await;
    assert_eq!(listing["files"], 1);
    assert_eq!(listing["items"][0]["filename"], "one.txt");
    let names: Vec<&str> =
        listing["sub_folders"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["b", "x_y"]);
    assert!(listing["sub_folders"][0]["create_date"].as_str().unwrap().len() == 19);
    assert_eq!(told(&desk.ko("folder/ls", json!({"folder_id": 99})).await), NOT_FOUND);

    // A folder can't be moved into itself or below.
    assert_eq!(desk.ko("folder/mv", json!({"folder_id": a, "destination_folder_id": b})).await.0, 200);
    assert_eq!(desk.ko("folder/mv", json!({"folder_id": a, "destination_folder_id": a})).await.0, 200);
    assert_eq!(desk.ko("folder/mv", json!({"folder_id": 0, "destination_folder_id": a})).await.0, 200);
    let moved = json!({"folder_id": b, "destination_folder_id": 0, "rename": "c"});
    let moved = desk.ok("folder/mv", moved).await;
    assert_eq!((&moved["old_name"], &moved["new_name"]), (&json!("b"), &json!("c")));
    let d = desk.mkdir(0, "d").await;
    let clash = json!({"folder_id": d, "destination_folder_id": 0, "rename": "c"});
    assert_eq!(desk.ko("folder/mv", clash).await.0, 200);

    assert_eq!(desk.ko("folder/rm", json!({"folder_id": a})).await.0, 200);
    assert_eq!(desk.ko("folder/rm", json!({"folder_id": 0})).await.0, 200);
    desk.ok("folder/rm", json!({"folder_id": b})).await;
    assert_eq!(told(&desk.ko("folder/rm", json!({"folder_id": b})).await), NOT_FOUND);
}

#[tokio::test]
async fn moving_and_renaming_at_once_overwrites_a_namesake_at_the_source() {
    let desk = Desk::new().await;
    let (a, target) = (desk.mkdir(0, "a").await, desk.mkdir(0, "target").await);
    let victim = desk.mkdir(0, "b").await;
    desk.put(victim, "precious", b"1").await;
    desk.ok("folder/mv", json!({"folder_id": a, "destination_folder_id": target, "rename": "b"})).await;
    let tree = desk.emulator.control().tree().unwrap();
    assert!(tree.files.is_empty());
    let paths: Vec<&str> = tree.folders.iter().map(|folder| folder.path.as_str()).collect();
    assert_eq!(paths, ["/target/b", "/target"]);
}

#[tokio::test]
async fn making_a_folder_that_exists_follows_the_policy() {
    for (policy, same) in [(MkdirExisting::Same, true), (MkdirExisting::Duplicate, false)] {
        let desk = Desk::with(Emulator::builder().mkdir_existing(policy)).await;
        let (first, second) = (desk.mkdir(0, "a").await, desk.mkdir(0, "a").await);
        assert_eq!(first == second, same);
    }
    assert_eq!("same".parse::<MkdirExisting>().unwrap().to_string(), "same");
    assert!("other".parse::<MkdirExisting>().is_err());
}

#[tokio::test]
async fn files_are_moved_copied_renamed_and_removed() {
    let desk = Desk::new().await;
    let folder = desk.mkdir(0, "f").await;
    let one = desk.put(0, "one", b"1").await;
    let two = desk.put(0, "two", b"22").await;
    let nobody = "https://1fichier.com/?abcdefghijklmnopqrst";

    let moved = desk.ok("file/mv", json!({"urls": [one, two], "destination_folder_id": folder})).await;
    assert_eq!((&moved["moved"], &moved["urls"]), (&json!(2), &json!([one, two])));
    assert_eq!(desk.names(folder).await, ["two", "one"]);
    let renamed = json!({"urls": [one], "destination_folder_id": 0, "rename": "uno"});
    desk.ok("file/mv", renamed).await;
    assert_eq!(desk.names(0).await, ["uno"]);
    let both = json!({"urls": [one, two], "destination_folder_id": 0, "rename": "x"});
    assert_eq!(desk.ko("file/mv", both).await.0, 200);
    let unknown = json!({"urls": [two, nobody], "destination_folder_id": 0});
    assert_eq!(told(&desk.ko("file/mv", unknown).await), NOT_FOUND);
    assert_eq!(desk.names(folder).await, ["two"], "nothing of a refused call is done");
    let nowhere = json!({"urls": [two], "destination_folder_id": 99});
    assert_eq!(told(&desk.ko("file/mv", nowhere).await), NOT_FOUND);

    for key in ["folder_id", "destination_folder_id"] {
        let copied = desk.ok("file/cp", json!({"urls": [two], key: 0, "rename": "copy"})).await;
        let copy = &copied["urls"][0];
        assert_eq!((&copied["copied"], &copy["from_url"]), (&json!(1), &json!(two)));
        let to = copy["to_url"].as_str().unwrap();
        assert_ne!(to, two);
        assert_eq!(desk.emulator.control().content(to).unwrap(), b"22");
    }
    assert_eq!(told(&desk.ko("file/cp", json!({"urls": [nobody], "folder_id": 0})).await), NOT_FOUND);

    let names = json!({"urls": [{"url": one, "filename": "a/b"}, {"url": two, "filename": "zwei"}]});
    let renamed = desk.ok("file/rename", names).await;
    assert_eq!(renamed["renamed"], 2);
    assert_eq!(renamed["urls"][0], json!({"url": one, "old_filename": "uno", "new_filename": "a_b"}));
    assert_eq!(
        told(&desk.ko("file/rename", json!({"urls": [{"url": nobody, "filename": "x"}]})).await),
        NOT_FOUND
    );

    // The original is removed; its copies keep the content.
    let removal = json!({"files": [{"url": two}, {"url": nobody}]});
    assert_eq!(told(&desk.ko("file/rm", removal).await), NOT_FOUND);
    assert_eq!(desk.names(folder).await, ["zwei"], "nothing of a refused call is done");
    assert_eq!(desk.ok("file/rm", json!({"files": [{"url": two}, {"url": one}]})).await["removed"], 2);
    assert_eq!(told(&desk.ko("file/info", json!({"url": two})).await), NOT_FOUND);
    assert_eq!(desk.names(0).await, ["copy", "copy"]);
    let copy = desk.ok("file/info", json!({"folder_id": 0, "filename": "copy"})).await;
    assert_eq!(desk.emulator.control().content(copy["url"].as_str().unwrap()).unwrap(), b"22");
    assert_eq!(desk.ko("file/rm", json!({"files": []})).await.0, 200);
}

#[tokio::test]
async fn a_list_longer_than_a_call_takes_is_refused_whole() {
    let desk = Desk::with(Emulator::builder().most_items(Some(2))).await;
    let urls: Vec<String> =
        ["a", "b", "c"].map(|name| desk.emulator.control().seed_file(name, b"x").unwrap()).into();
    let folder = desk.mkdir(0, "d").await;
    for (call, body) in [
        ("file/mv", json!({"urls": urls, "destination_folder_id": folder})),
        ("file/cp", json!({"urls": urls, "folder_id": folder})),
        ("file/chattr", json!({"urls": urls, "description": "x"})),
        (
            "file/rename",
            json!({"urls": urls.iter().map(|url| json!({"url": url, "filename": "z"})).collect::<Vec<_>>()}),
        ),
        ("file/rm", json!({"files": urls.iter().map(|url| json!({"url": url})).collect::<Vec<_>>()})),
    ] {
        let (status, message) = desk.ko(call, body).await;
        assert_eq!((status, message.as_str()), (200, "Invalid parameters: too many links #100"), "{call}");
    }
    assert_eq!(desk.emulator.control().tree().unwrap().files.len(), 3);
    desk.ok("file/mv", json!({"urls": &urls[..2], "destination_folder_id": folder})).await;
}

#[tokio::test]
async fn attributes_are_kept_and_told() {
    let desk = Desk::new().await;
    let folder = desk.mkdir(0, "f").await;
    let url = desk.put(folder, "a.txt", b"1").await;
    let change = json!({
        "urls": [url], "filename": "b.txt", "description": "mtime=1", "pass": "secret", "no_ssl": 1, "inline": "1",
        "cdn": 1, "acl": {"ip": ["127.0.0.1"], "premium": 1},
    });
    assert_eq!(desk.ok("file/chattr", change).await["updated"], 1);
    let info = desk.ok("file/info", json!({"url": url})).await;
    assert_eq!(info["filename"], "b.txt");
    assert_eq!(info["description"], "mtime=1");
    assert_eq!((&info["path"], &info["content_type"]), (&json!("f"), &json!("text/plain")));
    assert_eq!(info["folder_id"], folder);
    assert_eq!(
        (&info["pass"], &info["inline"], &info["no_ssl"], &info["cdn"]),
        (&json!(1), &json!(1), &json!(1), &json!(1))
    );
    assert_eq!(info["acl"], json!({"ip": ["127.0.0.1"], "country": [], "email": [], "premium": 1}));
    assert_eq!(desk.ko("file/chattr", json!({"urls": [url], "pass": "12345"})).await.0, 200, "too short");
    desk.ok("file/chattr", json!({"urls": [url], "pass": "", "acl": {}})).await;
    let info = desk.ok("file/info", json!({"folder_id": folder, "filename": "b.txt"})).await;
    assert_eq!(
        (&info["pass"], &info["acl"], &info["description"]),
        (&json!(0), &json!({"ip": [], "country": [], "email": [], "premium": 0}), &json!("mtime=1"))
    );
    assert_eq!(
        told(&desk.ko("file/info", json!({"folder_id": folder, "filename": "none"})).await),
        NOT_FOUND
    );
    assert_eq!(desk.ko("file/info", json!({})).await.0, 200);
    assert_eq!(desk.ko("file/chattr", json!({"urls": [url], "no_ssl": true})).await.0, 200);
    assert_eq!(desk.ok("file/scan", json!({"url": url})).await["status"], "OK");
    // Rules that name nobody are none.
    let nobody = json!({"ip": [], "country": [], "email": [], "premium": 0});
    desk.ok("file/chattr", json!({"urls": [url], "acl": nobody.clone()})).await;
    assert_eq!(desk.ok("file/info", json!({"url": url})).await["acl"], nobody);
    assert_eq!(desk.ok("file/ls", json!({"folder_id": folder})).await["items"][0]["acl"], 0);
    let infected = desk.put(folder, "EICAR.com", b"1").await;
    let scan = desk.ok("file/scan", json!({"url": infected})).await;
    assert_eq!(scan["message"], "Infected: Eicar-Test-Signature");
    assert_eq!(told(&desk.ko("file/info", json!({"url": infected})).await), NOT_FOUND);
    assert_eq!(told(&desk.ko("file/scan", json!({"url": "nonsense"})).await), NOT_FOUND);
}

#[tokio::test]
async fn listings_have_windows_and_a_cap() {
    let clock = Clock::manual(Timestamp::from_second(1_700_000_000).unwrap());
    let desk = Desk::with(Emulator::builder().listing_cap(Some(3)).clock(clock.clone())).await;
    let folder = desk.mkdir(0, "f").await;
    let files: Vec<SeedFile> = (0..5)
        .map(|i| SeedFile {
            folder_id: folder,
            name: format!("{i}"),
            size: 10,
            seed: 0,
            date: Some(Timestamp::from_second(1_700_000_000 + i).unwrap()),
        })
        .collect();
    desk.emulator.control().seed_many(&files).unwrap();
    assert_eq!(desk.names(folder).await, ["4", "3", "2"]);
    let listing = desk.ok("folder/ls", json!({"folder_id": folder, "files": 1})).await;
    assert_eq!((listing["files"].as_u64(), listing["items"].as_array().unwrap().len()), (Some(5), 3));
    let window = |key: &str, date: &str| json!({"folder_id": folder, key: date});
    let names = |listing: Value| -> Vec<String> {
        listing["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|i| i["filename"].as_str().unwrap().to_owned())
            .collect()
    };
    let before = desk.ok("file/ls", window("sent_before", "2023-11-14 22:13:22")).await;
    assert_eq!(names(before), ["1", "0"]);
    let after = desk.ok("file/ls", window("sent_after", "2023-11-14 22:13:22")).await;
    assert_eq!((&after["count"], names(after.clone())), (&json!(2), vec!["4".to_owned(), "3".to_owned()]));
    assert_eq!(desk.ko("file/ls", window("sent_after", "yesterday")).await.0, 200);
    let all = desk.ok("file/ls", json!({"folder_id": -1, "sent_before": "2023-11-14 22:13:21"})).await;
    assert_eq!(names(all), ["0"]);
    assert_eq!(told(&desk.ko("file/ls", json!({"folder_id": 99})).await), NOT_FOUND);
}

#[tokio::test]
async fn listings_lag_as_long_as_they_are_told_to() {
    let clock = Clock::manual(Timestamp::from_second(1_700_000_000).unwrap());
    let builder = Emulator::builder().clock(clock.clone()).lag(Duration::from_secs(5));
    let desk = Desk::with(builder).await;
    let later = || clock.advance(Duration::from_secs(6));
    let folder = desk.mkdir(0, "f").await;
    let folders = async || desk.ok("folder/ls", json!({})).await["sub_folders"].as_array().unwrap().len();
    assert_eq!(folders().await, 0);
    let url = desk.put(folder, "a", b"1").await;
    assert!(desk.names(folder).await.is_empty());
    assert_eq!(desk.ok("file/info", json!({"url": url})).await["filename"], "a", "only listings lag");
    later();
    assert_eq!((desk.names(folder).await, folders().await), (vec!["a".to_owned()], 1));
    desk.ok("file/mv", json!({"urls": [url], "destination_folder_id": 0, "rename": "b"})).await;
    assert_eq!((desk.names(folder).await, desk.names(0).await), (vec!["a".to_owned()], vec![]));
    assert_eq!(desk.ko("folder/rm", json!({"folder_id": folder})).await.0, 200, "it still counts as full");
    later();
    assert_eq!((desk.names(folder).await, desk.names(0).await), (vec![], vec!["b".to_owned()]));
    desk.ok("file/rm", json!({"files": [{"url": url}]})).await;
    assert_eq!(desk.names(0).await, ["b"]);
    desk.ok("folder/rm", json!({"folder_id": folder})).await;
    assert_eq!(folders().await, 1);
    later();
    assert_eq!((desk.names(0).await.len(), folders().await), (0, 0));
}

#[tokio::test]
async fn accounts_share_and_keep_apart() {
    let builder = Emulator::builder()
        .account(Account::new("key-a", "a@emulator.invalid"))
        .account(Account::new("key-b", "b@emulator.invalid"));
    let desk = Desk::with(builder).await;
    let as_b = |call: &str, body: Value| {
        let request = desk.client.post(format!("{}/v1/{call}.cgi", desk.base)).bearer_auth("key-b");
        let request = request.header("content-type", "application/json").body(body.to_string());
        async move { request.send().await.unwrap().json::<Value>().await.unwrap() }
    };
    let folder = desk.mkdir(0, "f").await;
    let url = desk.put(folder, "a", b"1").await;
    assert_eq!(as_b("folder/ls", json!({"folder_id": folder})).await["message"], NOT_FOUND.1);
    assert_eq!(
        as_b("file/rm", json!({"files": [{"url": url}]})).await["message"],
        "Resource not allowed #631"
    );
    let shared = json!({"folder_id": folder, "sharing_user": "a@emulator.invalid"});
    assert_eq!(as_b("file/ls", shared.clone()).await["status"], "KO");
    let share =
        json!({"folder_id": folder, "share": 1, "shares": [{"email": "b@emulator.invalid", "rw": 0}]});
    desk.ok("folder/share", share).await;
    assert_eq!(as_b("file/ls", shared.clone()).await["items"][0]["filename"], "a");
    let mut making = shared;
    making["name"] = json!("sub");
    assert_eq!(as_b("folder/mkdir", making.clone()).await["status"], "KO", "read only");
    let share =
        json!({"folder_id": folder, "share": 1, "shares": [{"email": "b@emulator.invalid", "rw": 1}]});
    desk.ok("folder/share", share).await;
    assert_eq!(as_b("folder/mkdir", making).await["status"], "OK");
    let root = |call| as_b(call, json!({"folder_id": 0, "sharing_user": "a@emulator.invalid", "files": 1}));
    desk.put(0, "own", b"1").await;
    let seen = root("folder/ls").await;
    assert_eq!((&seen["sub_folders"][0]["name"], seen["items"].as_array().unwrap().len()), (&json!("f"), 0));
    assert_eq!(seen["sub_folders"].as_array().unwrap().len(), 1);
    assert_eq!(root("file/ls").await["count"], 0);
    let own = json!({"folder_id": 0, "filename": "own", "sharing_user": "a@emulator.invalid"});
    assert_eq!(as_b("file/info", own).await["status"], "KO");
    let hidden = json!([{"email": "b@emulator.invalid", "rw": 0, "hide_links": 1}]);
    desk.ok("folder/share", json!({"folder_id": folder, "share": 1, "shares": hidden})).await;
    let named =
        json!({"folder_id": folder, "filename": "a", "sharing_user": "a@emulator.invalid", "files": 1});
    let seen = as_b("folder/ls", named.clone()).await;
    assert_eq!((&seen["items"][0]["filename"], seen["items"][0].get("url")), (&json!("a"), None));
    assert_eq!(
        (&seen["user"], &seen["rw"], &seen["hide_links"]),
        (&json!("a@emulator.invalid"), &json!(0), &json!(1))
    );
    assert_eq!(as_b("file/ls", named.clone()).await["items"][0].get("url"), None);
    assert_eq!(as_b("download/get_token", named).await["status"], "OK");
    // The public link of any account can be copied, but information about it names no folder.
    let copied = as_b("file/cp", json!({"urls": [url], "folder_id": 0})).await;
    assert_eq!(copied["copied"], 1);
    let info = as_b("file/info", json!({"url": url})).await;
    assert_eq!((&info["filename"], info.get("folder_id")), (&json!("a"), None));
    desk.ok("file/chattr", json!({"urls": [url], "pass": "secret"})).await;
    assert_eq!(as_b("file/info", json!({"url": url})).await["message"], "Resource not allowed #631");
    assert_eq!(as_b("file/info", json!({"url": url, "pass": "secret"})).await["status"], "OK");
    assert_eq!(as_b("file/cp", json!({"urls": [url], "folder_id": 0})).await["status"], "KO");
}

#[tokio::test]
async fn shared_folders_have_a_page() {
    let desk = Desk::new().await;
    let folder = desk.mkdir(0, "f").await;
    let link = desk.put(folder, "a", b"123").await;
    let shared = desk.ok("folder/share", json!({"folder_id": folder, "share": 1})).await;
    let public = shared["url"].as_str().unwrap();
    assert!(public.starts_with("https://1fichier.com/dir/"));
    let page = public.replace("https://1fichier.com", &desk.base);
    let expected = json!([{"filename": "a", "link": link, "size": 3}]);
    assert_eq!(desk.get(&format!("{page}?json=1")).await.json::<Value>().await.unwrap(), expected);
    assert_eq!(desk.get(&format!("{page}?e=1")).await.text().await.unwrap(), format!("{link};a;3\n"));
    assert!(desk.get(&page).await.text().await.unwrap().starts_with("<!DOCTYPE"));
    let again = desk.ok("folder/share", json!({"folder_id": folder, "share": 1, "pass": "secret"})).await;
    assert_eq!(again["url"], public);
    assert!(desk.get(&format!("{page}?json=1")).await.text().await.unwrap().starts_with("<!DOCTYPE"));
    let with = |pass: &str| client().post(&page).body(format!("json=1&pass={pass}")).send();
    assert_eq!(with("secret").await.unwrap().json::<Value>().await.unwrap(), expected);
    assert!(with("wrong").await.unwrap().text().await.unwrap().starts_with("<!DOCTYPE"));
    desk.ok("folder/share", json!({"folder_id": folder, "share": 0})).await;
    assert_eq!(desk.get(&format!("{page}?json=1")).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn pages_and_link_checks_tell_what_is_there() {
    let desk = Desk::new().await;
    let url = desk.put(0, "a", b"123").await;
    let secret = desk.put(0, "b", b"1").await;
    desk.ok("file/chattr", json!({"urls": [secret], "pass": "secret"})).await;
    let here = |url: &str| url.replace("https://1fichier.com", &desk.base);
    assert!(desk.get(&here(&url)).await.text().await.unwrap().contains("a (3 bytes)"));
    assert!(!desk.get(&here(&secret)).await.text().await.unwrap().contains("bytes"));
    let gone = "https://1fichier.com/?abcdefghijklmnopqrst";
    assert_eq!(desk.get(&here(gone)).await.status(), StatusCode::NOT_FOUND);
    let other = url.replace("1fichier.com", "alterupload.com");
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for link in [url.as_str(), gone, &secret, "https://example.com/", &other] {
        form.append_pair("links[]", link);
    }
    let request = desk.client.post(format!("{}/check_links.pl", desk.base)).body(form.finish());
    let expected = format!(
        "{url};a;3\n{gone};;;NOT FOUND\n{secret};;;PRIVATE\nhttps://example.com/;;;BAD LINK\n{other};;;NOT FOUND\n"
    );
    assert_eq!(request.send().await.unwrap().text().await.unwrap(), expected);
}

#[tokio::test]
async fn the_account_and_remote_uploads() {
    let account = Account { quota: 100, ..Account::default() };
    let desk = Desk::with(Emulator::builder().account(account)).await;
    let url = desk.emulator.control().seed_file("/a/b.txt", &[1; 40]).unwrap();
    desk.ok("user/info", json!({"use_cdn": 1, "default_domain": "10"})).await;
    let set = desk.ok("user/info", json!({})).await;
    assert_eq!(
        (&set["use_cdn"], &set["default_domain"], &set["page_limit"]),
        (&json!("1"), &json!("10"), &json!(100))
    );
    desk.ko("user/info", json!({"default_domain": 11})).await;
    let info = desk.ok("user/info", json!({})).await;
    assert_eq!((&info["cold_storage"], &info["available_cold_storage"]), (&json!(40), &json!(100)));
    let urls = json!([url, "https://example.com/file"]);
    let request = desk.ok("remote/request", json!({"urls": urls, "folder_id": 0})).await;
    let listed = desk.ok("remote/ls", json!({})).await;
    assert_eq!(listed["data"][0]["id"], request["id"]);
    let info = desk.ok("remote/info", json!({"id": request["id"]})).await;
    assert_eq!(info["links"], urls);
    assert_eq!((&info["result"][0]["status"], &info["result"][1]["status"]), (&json!("OK"), &json!("KO")));
    assert_eq!(info["result"][1]["download_link"], "");
    assert_eq!(desk.names(0).await, ["b.txt"]);
    assert_eq!(told(&desk.ko("remote/info", json!({"id": 99})).await), NOT_FOUND);
    // 80 bytes are used; another 40 don't fit.
    assert_eq!(desk.ko("file/cp", json!({"urls": [url], "folder_id": 0})).await.0, 403);
}

#[tokio::test]
async fn a_name_that_stays_is_no_renaming_and_one_that_is_too_long_is_refused() {
    let desk = Desk::new().await;
    let url = desk.put(0, "a", b"1").await;
    let same = json!({"urls": [{"url": url, "filename": "a"}]});
    assert_eq!(told(&desk.ko("file/rename", same).await), (200, "No file has been renamed #312"));
    let made = desk.mkdir(0, &"n".repeat(250)).await;
    let long = "n".repeat(251);
    assert_eq!(desk.ko("folder/mkdir", json!({"name": long, "folder_id": 0})).await.0, 200);
    assert_eq!(desk.ko("folder/mv", json!({"folder_id": made, "rename": long})).await.0, 200);
}

#[tokio::test]
async fn every_refusal_has_a_number() {
    let desk = Desk::new().await;
    for (call, body) in [
        ("folder/mkdir", json!({"name": " "})),
        ("folder/ls", json!({"folder_id": "x"})),
        ("folder/rm", json!({"folder_id": 0})),
        ("file/rm", json!({"files": []})),
        ("file/ls", json!({"sent_before": "x"})),
        ("remote/request", json!({"urls": []})),
    ] {
        let (_, message) = desk.ko(call, body).await;
        assert!(message.rsplit_once('#').unwrap().1.parse::<u32>().is_ok(), "{call}: {message}");
    }
}

#[tokio::test]
async fn access_rules_let_in_whom_they_name() {
    let mail = "b@emulator.invalid";
    let builder = Emulator::builder()
        .account(Account::new("key-a", "a@emulator.invalid"))
        .account(Account::new("key-b", mail));
    let desk = Desk::with(builder).await;
    let url = desk.put(0, "a", b"1").await;
    for (rules, lets_in) in [
        (json!({}), true),
        (json!({"premium": 1}), true),
        (json!({"email": [mail]}), true),
        (json!({"email": ["c@emulator.invalid"]}), false),
        (json!({"ip": ["127.0.0.1"], "email": [mail]}), true),
        (json!({"ip": ["192.0.2.1"]}), false),
        (json!({"country": ["FR"]}), false),
    ] {
        desk.ok("file/chattr", json!({"urls": [url], "acl": rules})).await;
        for (call, body) in [
            ("download/get_token", json!({"url": url})),
            ("file/info", json!({"url": url})),
            ("file/cp", json!({"urls": [url], "folder_id": 0})),
        ] {
            desk.ok(call, body.clone()).await;
            let request = desk.client.post(format!("{}/v1/{call}.cgi", desk.base)).bearer_auth("key-b");
            let request = request.header("content-type", "application/json").body(body.to_string());
            let answer = request.send().await.unwrap().json::<Value>().await.unwrap();
            assert_eq!(answer["status"] == "OK", lets_in, "{rules} {call} {answer}");
        }
    }
}

#[tokio::test]
async fn shares_alone_leave_the_page_as_it_is_and_pages_have_languages() {
    let desk = Desk::new().await;
    let folder = desk.mkdir(0, "f").await;
    let link = desk.put(folder, "a", b"123").await;
    let listing = async || desk.ok("folder/ls", json!({"folder_id": folder})).await;
    assert_eq!(listing().await["shared"], "");
    let shares = json!([{"email": "b@emulator.invalid", "rw": 1, "hide_links": 0}]);
    let told = desk.ok("folder/share", json!({"folder_id": folder, "shares": shares})).await;
    assert_eq!((told.get("url"), &listing().await["shares"]), (None, &shares));
    let url = desk.ok("folder/share", json!({"folder_id": folder, "share": 1})).await["url"].clone();
    let again = desk.ok("folder/share", json!({"folder_id": folder, "shares": []})).await;
    assert_eq!((&again["url"], &listing().await["shared"]), (&url, &url));
    let page = url.as_str().unwrap().replace("https://1fichier.com", &format!("{}/en", desk.base));
    let files = desk.get(&format!("{page}?json=1&lg=en")).await.json::<Value>().await.unwrap();
    assert_eq!(files[0]["link"], link);
}

#[tokio::test]
async fn windows_and_finding_by_name_follow_the_reading() {
    let clock = Clock::manual(Timestamp::from_second(1_700_000_000).unwrap());
    for (windows, found) in [(Windows::Exclusive, 0), (Windows::Inclusive, 1), (Windows::Ignored, 1)] {
        let builder = Emulator::builder().clock(clock.clone()).windows(windows).file_by_name(false);
        let desk = Desk::with(builder).await;
        desk.put(0, "a", b"1").await;
        let body = json!({"folder_id": 0, "sent_before": "2023-11-14 22:13:20"});
        assert_eq!(desk.ok("file/ls", body).await["items"].as_array().unwrap().len(), found, "{windows}");
        let day_before = json!({"folder_id": 0, "sent_before": "2023-11-13 22:13:20"});
        let older = desk.ok("file/ls", day_before).await["count"].as_u64().unwrap();
        assert_eq!(older, u64::from(windows == Windows::Ignored), "{windows}");
        assert_eq!(desk.ko("file/info", json!({"folder_id": 0, "filename": "a"})).await.0, 200);
    }
}

#[tokio::test]
async fn answers_come_as_gzip_to_those_who_take_it() {
    let desk = Desk::new().await;
    for number in 0..300 {
        desk.emulator.control().seed_file(&format!("a file with a name, number {number}"), b"1").unwrap();
    }
    // Above 64 KiB, so in several blocks.
    // A client that undoes nothing by itself.
    let raw = reqwest::Client::builder().no_proxy().no_gzip().build().unwrap();
    let request = || {
        let request =
            raw.post(format!("{}/v1/folder/ls.cgi", desk.base)).bearer_auth(desk.emulator.api_key());
        let request = request.header("content-type", "application/json");
        request.body(json!({"folder_id": 0, "files": 1}).to_string())
    };
    let unpacked = desk.ok("folder/ls", json!({"folder_id": 0, "files": 1})).await;
    assert_eq!(unpacked["items"].as_array().unwrap().len(), 300);
    let plain = request().send().await.unwrap().bytes().await.unwrap();
    assert!(plain.len() > 0xffff);
    let packed = request().header("accept-encoding", "br, gzip;q=0.5").send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let packed = packed.bytes().await.unwrap();
    assert_eq!((packed[..2].to_vec(), packed.len() > plain.len()), (vec![0x1f, 0x8b], true));
    let refused = request().header("accept-encoding", "gzip;q=0").send().await.unwrap();
    assert!(refused.headers().get("content-encoding").is_none());
}
