//! Tests of each endpoint: requests are as the API document says, answers are read.

use crate::support::{KEY, Reply, Server, html, ok};
use fichier_api::{
    Acl, ChangeFiles, CopyFiles, FileLink, FileOf, FilesOf, FolderId, LinkState, ListFiles, ListFolder,
    MakeFolder, MoveFiles, MoveFolder, Password, RemoveFile, RenameFile, RequestRemoteUpload, RestrictIp,
    Share, ShareFolder, TokenRequest, WireDate,
};
use serde_json::{Value, json};

fn link(code: &str) -> FileLink {
    FileLink::from_code(code).unwrap()
}

/// Checks the only request for what is the same everywhere, and returns its path and its JSON.
fn sent(server: &Server) -> (String, Value) {
    let seen = server.seen();
    assert_eq!(seen.len(), 1, "{seen:?}");
    let request = &seen[0];
    assert_eq!(request.method, "POST");
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert!(request.header("accept-encoding").unwrap().contains("gzip"));
    assert!(request.header("user-agent").unwrap().starts_with("fichier/"));
    (request.target.clone(), request.json())
}

const FILE: &str = r#"{"url":"https://1fichier.com/?abc","filename":"a.txt","size":"12","date":"2021-03-20 16:42:15","checksum":"","content-type":"text/plain","pass":0,"acl":0,"cdn":0}"#;

#[tokio::test]
async fn folder_ls_with_files_is_one_call() {
    let server = Server::always(ok(format!(
        r#"{{"status":"OK","folder_id":7,"name":"x","files":1,"sub_folders":[{{"id":"8","name":"y"}}],"items":[{FILE}]}}"#
    )))
    .await;
    let listing = server.client().list_folder(&ListFolder::with_files(FolderId(7))).await.unwrap();
    assert_eq!(sent(&server), ("/v1/folder/ls.cgi".into(), json!({"folder_id": 7, "files": 1})));
    assert_eq!(listing.sub_folders.unwrap()[0].id, FolderId(8));
    let file = &listing.items.unwrap()[0];
    assert_eq!((file.link, file.size, file.checksum), (link("abc"), 12, None));
}

#[tokio::test]
async fn folder_ls_that_tells_no_files_is_followed_by_file_ls() {
    let server = Server::start(|_, request| {
        let files = format!(r#"{{"status":"OK","count":1,"items":[{FILE}]}}"#);
        match (request.target.as_str(), &request.json()["folder_id"]) {
            ("/v1/file/ls.cgi", _) => ok(files),
            (_, folder) if *folder == json!(9) => ok(r#"{"status":"OK","folder_id":9,"files":0}"#),
            (_, folder) => ok(format!(r#"{{"status":"OK","folder_id":{folder},"files":1}}"#)),
        }
    })
    .await;
    let client = server.client();
    // A folder without files teaches nothing and costs nothing.
    let empty = client.list_folder(&ListFolder::with_files(FolderId(9))).await.unwrap();
    assert_eq!(empty.items, Some(Vec::new()));
    for folder in [7, 8] {
        let listing = client.list_folder(&ListFolder::with_files(FolderId(folder))).await.unwrap();
        assert_eq!(listing.items.unwrap().len(), 1);
    }
    let bodies: Vec<Value> = server.seen().iter().map(crate::support::Request::json).collect();
    assert_eq!(
        bodies,
        [
            json!({"folder_id": 9, "files": 1}),
            json!({"folder_id": 7, "files": 1}),
            json!({"folder_id": 7}),
            // That is remembered: files aren't requested again where they don't come.
            json!({"folder_id": 8, "files": 0}),
            json!({"folder_id": 8}),
        ]
    );
}

#[tokio::test]
async fn folder_mkdir() {
    let server = Server::always(ok(r#"{"folder_id":"12","name":"n"}"#)).await;
    let made = server.client().make_folder(&MakeFolder::new(FolderId::ROOT, "é\"n")).await.unwrap();
    assert_eq!(sent(&server), ("/v1/folder/mkdir.cgi".into(), json!({"name": "é\"n", "folder_id": 0})));
    assert_eq!(made.id, FolderId(12));
}

#[tokio::test]
async fn folder_mkdir_without_a_number_is_an_error() {
    let server = Server::always(ok(r#"{"status":"OK"}"#)).await;
    let error = server.client().make_folder(&MakeFolder::new(FolderId::ROOT, "n")).await.unwrap_err();
    assert!(error.maybe_done() && error.to_string().contains("folder_id"), "{error}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn folder_mv() {
    let server = Server::always(ok(r#"{"status":"OK","old_name":"a","new_name":"b"}"#)).await;
    let request = MoveFolder {
        folder: FolderId(1),
        to: FolderId(2),
        destination_user: Some("u@x".into()),
        rename: Some("b".into()),
    };
    let moved = server.client().move_folder(&request).await.unwrap();
    let body = json!({"folder_id": 1, "destination_folder_id": 2, "destination_user": "u@x", "rename": "b"});
    assert_eq!(sent(&server), ("/v1/folder/mv.cgi".into(), body));
    assert_eq!(moved.new_name.as_deref(), Some("b"));
}

#[tokio::test]
async fn folder_rm() {
    let server = Server::always(ok(r#"{"status":"OK"}"#)).await;
    server.client().remove_folder(FolderId(3)).await.unwrap();
    assert_eq!(sent(&server), ("/v1/folder/rm.cgi".into(), json!({"folder_id": 3})));
}

#[tokio::test]
async fn folder_share() {
    let server = Server::always(ok(r#"{"status":"OK","url":"https://1fichier.com/dir/AbC"}"#)).await;
    let request = ShareFolder {
        folder: FolderId(3),
        share: true,
        pass: Some("pw".into()),
        shares: Some(vec![Share { email: "u@x".into(), rw: true, hide_links: false }]),
    };
    let shared = server.client().share_folder(&request).await.unwrap();
    let body = json!({"folder_id": 3, "share": 1, "pass": "pw", "shares": [{"email": "u@x", "rw": 1, "hide_links": 0}]});
    assert_eq!(sent(&server), ("/v1/folder/share.cgi".into(), body));
    assert_eq!(shared.url.as_deref(), Some("https://1fichier.com/dir/AbC"));
}

#[tokio::test]
async fn file_ls_in_a_window_and_of_the_account() {
    let server = Server::always(ok(format!(r#"{{"Status":"OK","count":"1","items":[{FILE}]}}"#))).await;
    let request = ListFiles {
        sent_before: Some(WireDate::new("2021-01-01 00:00:00")),
        ..ListFiles::of(FilesOf::Folder(FolderId(4)))
    };
    assert_eq!(server.client().list_files(&request).await.unwrap().items.unwrap().len(), 1);
    let body = json!({"folder_id": 4, "sent_before": "2021-01-01 00:00:00"});
    assert_eq!(sent(&server), ("/v1/file/ls.cgi".into(), body));
    server.client().list_files(&ListFiles::of(FilesOf::WholeAccount)).await.unwrap();
    assert_eq!(server.seen()[1].json(), json!({"folder_id": -1}));
}

#[tokio::test]
async fn file_info_by_link_and_by_name() {
    let server = Server::always(ok(
        r#"{"status":"OK","url":"https://1fichier.com/?abc","filename":"a","size":1,"folder_id":5,"path":"/x","description":"d","acl":{"premium":1}}"#,
    ))
    .await;
    let info = server
        .client()
        .file_info(&FileOf::Link { link: link("abc"), pass: Some("pw".into()) })
        .await
        .unwrap();
    assert_eq!(
        sent(&server),
        ("/v1/file/info.cgi".into(), json!({"url": "https://1fichier.com/?abc", "pass": "pw"}))
    );
    assert_eq!((info.folder, info.description.as_deref()), (Some(FolderId(5)), Some("d")));
    assert!(info.acl.unwrap().premium);
    let named = FileOf::Named { folder: FolderId(5), filename: "a".into(), sharing_user: None };
    server.client().file_info(&named).await.unwrap();
    assert_eq!(server.seen()[1].json(), json!({"folder_id": 5, "filename": "a"}));
}

#[tokio::test]
async fn file_rm() {
    let server = Server::always(ok(r#"{"status":"OK","removed":2}"#)).await;
    let files = [RemoveFile::from(link("a")), RemoveFile { link: link("b"), code: Some("c".into()) }];
    assert_eq!(server.client().remove_files(&files).await.unwrap().removed, Some(2));
    let body = json!({"files": [{"url": "https://1fichier.com/?a"}, {"url": "https://1fichier.com/?b", "code": "c"}]});
    assert_eq!(sent(&server), ("/v1/file/rm.cgi".into(), body));
}

#[tokio::test]
async fn an_empty_list_makes_no_call() {
    let server = Server::always(ok("{}")).await;
    let error = server.client().remove_files(&[]).await.unwrap_err();
    assert_eq!((error.attempts(), server.seen().len()), (0, 0));
}

#[tokio::test]
async fn file_mv() {
    let server = Server::always(ok(r#"{"status":"OK","moved":1,"urls":["https://1fichier.com/?a"]}"#)).await;
    let mut request = MoveFiles {
        links: vec![link("a")],
        to: FolderId(6),
        destination_user: None,
        rename: Some("z".into()),
    };
    assert_eq!(server.client().move_files(&request).await.unwrap().links, [link("a")]);
    let body = json!({"urls": ["https://1fichier.com/?a"], "destination_folder_id": 6, "rename": "z"});
    assert_eq!(sent(&server), ("/v1/file/mv.cgi".into(), body));
    request.links.push(link("b"));
    assert!(server.client().move_files(&request).await.is_err());
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn file_cp() {
    let server = Server::always(ok(
        r#"{"status":"OK","copied":1,"urls":[{"from_url":"https://1fichier.com/?a","to_url":"https://1fichier.com/?b"}]}"#,
    ))
    .await;
    let request = CopyFiles {
        links: vec![link("a")],
        to: FolderId(6),
        sharing_user: None,
        pass: Some(Password::new("pw")),
        rename: None,
    };
    let copied = server.client().copy_files(&request).await.unwrap();
    assert_eq!((copied.links[0].from_url, copied.links[0].to_url), (link("a"), link("b")));
    let body = json!({"urls": ["https://1fichier.com/?a"], "folder_id": 6, "pass": "pw"});
    assert_eq!(sent(&server), ("/v1/file/cp.cgi".into(), body));
}

#[tokio::test]
async fn file_rename() {
    let server = Server::always(ok(
        r#"{"status":"OK","renamed":1,"urls":[{"url":"https://1fichier.com/?a","old_filename":"x","new_filename":"y"}]}"#,
    ))
    .await;
    let files = [RenameFile { link: link("a"), filename: "y".into() }];
    let renamed = server.client().rename_files(&files).await.unwrap();
    assert_eq!(renamed.files[0].new_filename.as_deref(), Some("y"));
    let body = json!({"urls": [{"url": "https://1fichier.com/?a", "filename": "y"}]});
    assert_eq!(sent(&server), ("/v1/file/rename.cgi".into(), body));
}

#[tokio::test]
async fn file_chattr() {
    let server = Server::always(ok(r#"{"status":"OK","updated":"1","urls":null}"#)).await;
    let request = ChangeFiles {
        links: vec![link("a")],
        description: Some("d".into()),
        pass: Some("pw".into()),
        no_ssl: Some(false),
        inline: Some(true),
        acl: Some(Acl { ip: vec!["1.2.3.4".into()], premium: true, ..Acl::default() }),
        ..ChangeFiles::default()
    };
    assert_eq!(server.client().change_files(&request).await.unwrap().updated, Some(1));
    let body = json!({
        "urls": ["https://1fichier.com/?a"], "description": "d", "pass": "pw", "no_ssl": 0, "inline": 1,
        "acl": {"ip": ["1.2.3.4"], "country": [], "email": [], "premium": 1},
    });
    assert_eq!(sent(&server), ("/v1/file/chattr.cgi".into(), body));
}

#[tokio::test]
async fn file_scan() {
    let server =
        Server::always(ok(r#"{"status":"OK","message":"clean","date":"2021-03-20 16:42:15"}"#)).await;
    assert_eq!(server.client().scan_file(link("a")).await.unwrap().message, "clean");
    assert_eq!(sent(&server), ("/v1/file/scan.cgi".into(), json!({"url": "https://1fichier.com/?a"})));
}

#[tokio::test]
async fn download_token_with_all_options() {
    let server = Server::always(ok(r#"{"status":"OK","url":"https://a-1.1fichier.com/t0k3n"}"#)).await;
    let token = server.client().download_token(&TokenRequest::new(link("a"))).await.unwrap();
    assert_eq!(token.url.as_str(), "https://a-1.1fichier.com/t0k3n");
    assert!(!format!("{token:?}").contains("t0k3n"));
    let body = json!({"url": "https://1fichier.com/?a", "single": 0});
    assert_eq!(sent(&server), ("/v1/download/get_token.cgi".into(), body));
    let request = TokenRequest {
        file: FileOf::Link { link: link("a"), pass: Some("pw".into()) },
        single: true,
        inline: true,
        cdn: true,
        restrict_ip: Some(RestrictIp::OneAddressOneRequest),
        no_ssl: true,
    };
    server.client().download_token(&request).await.unwrap();
    let body = json!({"url": "https://1fichier.com/?a", "pass": "pw", "single": 1, "inline": 1, "cdn": 1, "restrict_ip": 2, "no_ssl": 1});
    assert_eq!(server.seen()[1].json(), body);
    let named = FileOf::Named { folder: FolderId(1), filename: "f".into(), sharing_user: Some("u@x".into()) };
    server.client().download_token(&TokenRequest::new(named)).await.unwrap();
    let body = json!({"folder_id": 1, "filename": "f", "sharing_user": "u@x", "single": 0});
    assert_eq!(server.seen()[2].json(), body);
}

#[tokio::test]
async fn user_info_is_asked_once_in_5_minutes() {
    let server =
        Server::always(ok(r#"{"status":"OK","email":"a@b","cold_storage":"5","available_cold_storage":9}"#))
            .await;
    let client = server.builder().pacing(fichier_api::Pacing::default()).build().unwrap();
    let first = client.account().await.unwrap();
    assert_eq!(first.info.cold_storage, Some(5));
    assert_eq!(client.clone().account().await.unwrap(), first);
    assert_eq!(sent(&server), ("/v1/user/info.cgi".into(), json!({})));
    // Another run that gets this knowledge doesn't ask either.
    let next =
        server.builder().pacing(fichier_api::Pacing::default()).learned(client.learned()).build().unwrap();
    assert_eq!(next.account().await.unwrap(), first);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn programs_that_ask_for_the_account_at_the_same_time_ask_once() {
    let place = tempfile::tempdir().unwrap();
    let server = Server::always(ok(r#"{"status":"OK","email":"a@b"}"#)).await;
    let program = || {
        let builder = server.builder().pacing(fichier_api::Pacing::default());
        builder.shared_pace(place.path().join("shared_paces")).build().unwrap()
    };
    let programs = [program(), program(), program()];
    let asked = futures::future::join_all(programs.iter().map(fichier_api::Client::account)).await;
    assert!(asked.into_iter().all(|told| told.unwrap().info.email.as_deref() == Some("a@b")));
    assert_eq!(server.seen().len(), 1);
    // Nor does a later one, and no other user can read the file.
    program().account().await.unwrap();
    assert_eq!(server.seen().len(), 1);
    let file = place.path().join("shared_paces.account");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o077, 0);
    }
    // A file that isn't whole, or from a clock that was set back, is ignored.
    let written = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, &written[..written.len() / 2]).unwrap();
    program().account().await.unwrap();
    assert_eq!(server.seen().len(), 2);
    let ahead = std::time::SystemTime::now() + std::time::Duration::from_secs(3600);
    let mut told: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    told["at"] = serde_json::to_value(ahead).unwrap();
    std::fs::write(&file, told.to_string()).unwrap();
    program().account().await.unwrap();
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn an_old_account_state_is_better_than_a_flood() {
    let flood = ok(r#"{"status":"KO","message":"Flood detected: IP Locked #374"}"#);
    let server = Server::in_turn(vec![ok(r#"{"status":"OK","email":"a@b"}"#), flood]).await;
    let client = server.client();
    let first = client.account().await.unwrap();
    assert_eq!(client.account().await.unwrap(), first);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn remote_uploads() {
    let server = Server::start(|_, request| match request.target.as_str() {
        "/v1/remote/ls.cgi" => ok(r#"{"status":"OK","data":[{"id":"3","request_date":"2021-03-20 16:42:15","execution_date":null}]}"#),
        "/v1/remote/info.cgi" => ok(r#"{"status":"OK","links":["http://a"],"result":[{"status":"OK","url":"http://a","download_link":"https://1fichier.com/?a"}]}"#),
        _ => ok(r#"{"status":"OK","id":4,"date":"2021-03-20 16:42:15"}"#),
    })
    .await;
    let client = server.client();
    let list = client.remote_uploads().await.unwrap();
    assert_eq!((list[0].id, &list[0].execution_date), (Some(3), &None));
    assert_eq!(client.remote_upload(3).await.unwrap().result[0].url.as_deref(), Some("http://a"));
    let request = RequestRemoteUpload {
        urls: vec!["http://a".into()],
        folder: Some(FolderId(2)),
        headers: [("Cookie".to_owned(), "c".to_owned())].into(),
    };
    assert_eq!(client.request_remote_upload(&request).await.unwrap().id, 4);
    let seen = server.seen();
    assert_eq!((seen[0].json(), seen[1].json()), (json!({}), json!({"id": 3})));
    assert_eq!(seen[2].target, "/v1/remote/request.cgi");
    assert_eq!(seen[2].json(), json!({"urls": ["http://a"], "folder_id": 2, "headers": {"Cookie": "c"}}));
}

#[tokio::test]
async fn a_shared_folder_with_and_without_a_password() {
    let page = html("200 OK", "<html><title>Access</title>Please give the Password");
    let server = Server::start(move |_, request| match (request.method.as_str(), request.text().as_str()) {
        ("GET", _) if request.target.contains("locked") => page.clone(),
        ("POST", body) if body != "json=1&pass=p%26w" => page.clone(),
        _ => ok(r#"[{"filename":"a","link":"https://1fichier.com/?a","size":"3"}]"#),
    })
    .await;
    let client = server.client();
    let open = client.shared_folder(&"open".parse().unwrap(), None).await.unwrap();
    assert_eq!((open.files[0].link, open.files[0].size), (link("a"), 3));
    let locked = "locked".parse().unwrap();
    let error = client.shared_folder(&locked, None).await.unwrap_err();
    assert_eq!(error.hint(), Some("give the password of the file or folder"));
    let error = client.shared_folder(&locked, Some(&"no".into())).await.unwrap_err();
    assert_eq!(error.hint(), Some("check the password of the file or folder"));
    assert_eq!(client.shared_folder(&locked, Some(&"p&w".into())).await.unwrap().files.len(), 1);
    let seen = server.seen();
    assert_eq!(
        (seen.len(), seen[0].target.as_str(), seen[3].target.as_str()),
        (4, "/dir/open?json=1", "/dir/locked")
    );
    assert!(seen.iter().all(|request| request.header("authorization").is_none()));
}

#[tokio::test]
async fn links_are_checked() {
    let answer = "https://1fichier.com/?a;x;y.txt;12\nhttps://1fichier.com/?b;;;NOT FOUND\n";
    let server = Server::always(Reply::Full("200 OK", String::new(), answer.into())).await;
    let states = server.client().check_links(&[link("b"), link("a"), link("c")]).await.unwrap();
    let found = LinkState::Found { filename: "x;y.txt".into(), size: 12 };
    assert_eq!(states, [(link("b"), Some(LinkState::NotFound)), (link("a"), Some(found)), (link("c"), None)]);
    let request = &server.seen()[0];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/check_links.pl"));
    assert!(
        request.text().starts_with("links%5B%5D=https%3A%2F%2F1fichier.com%2F%3Fb&links%5B%5D="),
        "{}",
        request.text()
    );
}
