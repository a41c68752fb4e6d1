//! The rule that a field which isn't needed never makes an answer useless, tested with any value in any such field of
//! any answer.

use bytes::Bytes;
use http::StatusCode;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::key::ApiKey;
use crate::wire::account::UserInfo;
use crate::wire::download::DownloadToken;
use crate::wire::file::{
    ChangedFiles, CopiedFiles, FileInfo, FileListing, MovedFiles, RemovedFiles, RenamedFiles, ScanResult,
};
use crate::wire::folder::{FolderListing, MadeFolder, MovedFolder, SharedAs};
use crate::wire::remote_upload::{RemoteUploadInfo, RemoteUploads, RequestedRemoteUpload};
use crate::wire::shared::SharedListing;
use crate::wire::upload::{Report, UploadNode};

/// An answer, the paths in it that are needed, and what is parsed from those.
struct Sample {
    answer: Value,
    needed: &'static [&'static str],
    read: fn(&[u8]) -> Result<String, String>,
}

fn read<T: DeserializeOwned>(body: &[u8], needed: impl Fn(T) -> String) -> Result<String, String> {
    let answer = Answer { status: StatusCode::OK, retry_after: None, body: Bytes::copy_from_slice(body) };
    let key = ApiKey::new("s3cr3t-key");
    let value = if body.first() == Some(&b'[') { answer.read_list(&key) } else { answer.read(&key) };
    value.map(needed).map_err(|error| error.to_string())
}

fn file() -> Value {
    json!({
        "url": "https://1fichier.com/?abc", "filename": "a", "size": 12, "date": "2021-03-20 16:42:15",
        "checksum": "ab".repeat(64), "content-type": "text/plain", "pass": 0, "acl": 0, "cdn": 0, "new": 1,
    })
}

fn samples() -> Vec<Sample> {
    vec![
        Sample {
            answer: json!({
                "status": "OK", "message": "", "folder_id": 1, "name": "n", "create_date": "2021-03-20 16:42:15", "pass": 0,
                "shared": 0, "shares": [{"email": "a@b", "rw": 1, "hide_links": 0}], "size": null, "files": 1,
                "sub_folders": [{"id": 2, "name": "s", "create_date": "2021-03-20 16:42:15", "pass": 0}],
                "items": [file()], "new": {},
            }),
            needed: &[
                "/status",
                "/items",
                "/sub_folders",
                "/items/0",
                "/items/0/url",
                "/items/0/filename",
                "/items/0/size",
                "/sub_folders/0",
                "/sub_folders/0/id",
                "/sub_folders/0/name",
            ],
            read: |body| {
                read(body, |listing: FolderListing| {
                    let (files, folders) = (listing.items.unwrap(), listing.sub_folders.unwrap());
                    assert!(listing.left_out.is_empty());
                    format!("{:?} {} {}", files[0].link, files[0].size, folders[0].id)
                })
            },
        },
        Sample {
            answer: json!({"status": "OK", "count": 1, "items": [file()], "message": ""}),
            needed: &["/status", "/items", "/items/0", "/items/0/url", "/items/0/filename", "/items/0/size"],
            read: |body| read(body, |listing: FileListing| format!("{:?}", listing.items.unwrap()[0].link)),
        },
        Sample {
            answer: {
                let mut info = file();
                for (name, value) in [
                    ("status", json!("OK")),
                    ("folder_id", json!(1)),
                    ("path", json!("a/b")),
                    ("description", json!("d")),
                    ("inline", json!(0)),
                    ("no_ssl", json!(0)),
                    ("acl", json!({"ip": ["1.2.3.4"], "country": ["fr"], "email": ["a@b"], "premium": 1})),
                ] {
                    info[name] = value;
                }
                info
            },
            needed: &["/status"],
            read: |body| read(body, |_: FileInfo| String::new()),
        },
        Sample {
            answer: json!({
                "status": "OK", "email": "a@b", "offer": 1, "subscription_end": "2030-01-01 00:00:00",
                "cold_storage": 1, "available_cold_storage": 2, "allowed_cold_storage": 3, "hot_storage": 0,
                "available_storage": 5, "default_quota": 6, "default_cold_storage_quota": 7, "overquota": 0,
                "upload_forbidden": 0, "page_limit": 8, "default_domain": 0, "default_port": 0, "use_cdn": 0,
                "cdn": 12.5, "2fa": 0, "mail_rm": 0, "ftp_mode": "x", "ftp_did": 0, "ftp_report": 0,
                "ru_report": 0, "download_menu": 0, "stats_date": "2030-01-01 00:00:00", "extended_quota": 1.5,
                "extended_quota_end": null,
            }),
            needed: &["/status"],
            read: |body| read(body, |_: UserInfo| String::new()),
        },
        Sample {
            answer: json!({"status": "OK", "url": "https://o1.1fichier.com/p1", "message": ""}),
            needed: &["/status", "/url"],
            read: |body| read(body, |token: DownloadToken| token.url.to_string()),
        },
        Sample {
            answer: json!({"status": "OK", "folder_id": 7, "name": "n", "message": ""}),
            needed: &["/status", "/folder_id"],
            read: |body| read(body, |made: MadeFolder| made.id.to_string()),
        },
        Sample {
            answer: json!({"status": "OK", "old_name": "a", "new_name": "b", "message": ""}),
            needed: &["/status"],
            read: |body| read(body, |_: MovedFolder| String::new()),
        },
        Sample {
            answer: json!({"status": "OK", "url": "https://1fichier.com/dir/a", "message": ""}),
            needed: &["/status"],
            read: |body| read(body, |_: SharedAs| String::new()),
        },
        Sample {
            answer: json!({"status": "OK", "removed": 1}),
            needed: &["/status"],
            read: |body| read(body, |_: RemovedFiles| String::new()),
        },
        Sample {
            answer: json!({"status": "OK", "moved": 1, "urls": ["https://1fichier.com/?a"]}),
            needed: &["/status", "/urls", "/urls/0"],
            read: |body| read(body, |moved: MovedFiles| format!("{:?}", moved.links)),
        },
        Sample {
            answer: json!({"status": "OK", "copied": 1, "urls": [{"from_url": "https://1fichier.com/?a", "to_url": "https://1fichier.com/?b", "new": 1}]}),
            needed: &["/status", "/urls", "/urls/0", "/urls/0/from_url", "/urls/0/to_url"],
            read: |body| read(body, |copied: CopiedFiles| format!("{:?}", copied.links)),
        },
        Sample {
            answer: json!({"status": "OK", "renamed": 1, "urls": [{"url": "https://1fichier.com/?a", "old_filename": "a", "new_filename": "b"}]}),
            needed: &["/status", "/urls", "/urls/0", "/urls/0/url"],
            read: |body| read(body, |renamed: RenamedFiles| format!("{:?}", renamed.files[0].link)),
        },
        Sample {
            answer: json!({"status": "OK", "updated": 1, "urls": ["https://1fichier.com/?a"]}),
            needed: &["/status", "/urls", "/urls/0"],
            read: |body| read(body, |changed: ChangedFiles| format!("{:?}", changed.links)),
        },
        Sample {
            answer: json!({"status": "OK", "message": "clean", "date": "2030-01-01 00:00:00"}),
            needed: &["/status"],
            read: |body| read(body, |_: ScanResult| String::new()),
        },
        Sample {
            answer: json!({"status": "OK", "url": "up1.1fichier.com", "id": "abc", "message": ""}),
            needed: &["/status", "/url", "/id"],
            read: |body| read(body, |node: UploadNode| format!("{node:?}")),
        },
        Sample {
            answer: json!({"incoming": 0, "links": [{
                "download": "https://1fichier.com/?a", "filename": "a", "size": "1", "whirlpool": "ab".repeat(64),
                "remove": "https://1fichier.com/remove/a/b",
            }], "message": ""}),
            needed: &[
                "/incoming",
                "/links",
                "/links/0",
                "/links/0/download",
                "/links/0/filename",
                "/links/0/size",
            ],
            read: |body| {
                read(body, |report: Report| format!("{:?} {}", report.links[0].link, report.links[0].size))
            },
        },
        Sample {
            answer: json!({"status": "OK", "id": 3, "date": "2030-01-01 00:00:00"}),
            needed: &["/status", "/id"],
            read: |body| read(body, |upload: RequestedRemoteUpload| upload.id.to_string()),
        },
        Sample {
            answer: json!({"status": "OK", "data": [{"id": 3, "request_date": "", "execution_date": null}]}),
            needed: &["/status", "/data", "/data/0"],
            read: |body| read(body, |uploads: RemoteUploads| uploads.data.len().to_string()),
        },
        Sample {
            answer: json!({"status": "OK", "links": ["a"], "result": [{"status": "OK", "url": "a", "download_link": "b", "message": ""}]}),
            needed: &["/status"],
            read: |body| read(body, |_: RemoteUploadInfo| String::new()),
        },
        Sample {
            answer: json!([{"link": "https://1fichier.com/?a", "filename": "a", "size": 1, "password": 0, "acl": 0}]),
            needed: &["/0", "/0/link", "/0/filename", "/0/size"],
            read: |body| read(body, |shared: SharedListing| format!("{:?}", shared.files)),
        },
    ]
}

/// Collects all paths below a value.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (name, child) in children {
        let place = format!("{here}/{name}");
        places(child, &place, found);
        found.push(place);
    }
}

/// Returns JSON of any kind, also what no good server writes.
fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        "-?[0-9]{1,30}(\\.[0-9]{1,3})?".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{0,4}", inner, 0..3)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    });
    let odd = prop::sample::select(vec![
        "12.5",
        "\"12.50\"",
        "1e400",
        "-1e999",
        "18446744073709551616",
        "\"\\q\"",
        "\"\\ud800\"",
        "\"\\u12\"",
        "\"a\tb\"",
        "\"\\u0000\"",
        "[[[[[[[[]]]]]]]]",
        "{\"a\":{\"a\":{}}}",
        "\"<html>\"",
    ])
    .prop_map(str::to_owned);
    let deep =
        (0..2000_usize).prop_map(|depth| format!("{}{}", "[".repeat(depth + 1), "]".repeat(depth + 1)));
    prop_oneof![4 => value.prop_map(|value| value.to_string()), 2 => odd, 1 => deep]
}

/// Returns the answer with this text at this path.
fn replaced(answer: &Value, place: &str, text: &str) -> Vec<u8> {
    const MARK: &str = "@here@";
    let mut answer = answer.clone();
    *answer.pointer_mut(place).unwrap() = Value::from(MARK);
    answer.to_string().replace(&format!("\"{MARK}\""), text).into_bytes()
}

#[test]
fn each_sample_can_be_read_and_needs_what_it_says() {
    for sample in samples() {
        let body = sample.answer.to_string();
        (sample.read)(body.as_bytes()).unwrap_or_else(|error| panic!("{error}: {body}"));
        for place in sample.needed {
            assert!(sample.answer.pointer(place).is_some(), "{place}: {body}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_value_in_any_field_that_nobody_needs_changes_nothing(text in any_json()) {
        for sample in samples() {
            let good = (sample.read)(sample.answer.to_string().as_bytes());
            let mut all = Vec::new();
            places(&sample.answer, "", &mut all);
            for place in all.iter().filter(|place| !sample.needed.contains(&place.as_str())) {
                let body = replaced(&sample.answer, place, &text);
                prop_assert_eq!((sample.read)(&body), good.clone(), "{}: {}", place, String::from_utf8_lossy(&body));
            }
        }
    }

    #[test]
    fn any_value_in_any_field_is_an_answer_or_an_error(text in any_json()) {
        for sample in samples() {
            let mut all = Vec::new();
            places(&sample.answer, "", &mut all);
            for place in all.iter().filter(|place| !place.starts_with("/items") && !place.starts_with("/sub_folders")
                && !place.starts_with("/links") && !place.starts_with("/urls")) {
                let _ = (sample.read)(&replaced(&sample.answer, place, &text));
            }
        }
    }
}
