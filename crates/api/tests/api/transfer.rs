//! Tests of uploads and downloads: the bytes on the wire, and what happens when the connection breaks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::support::{KEY, Reply, Request, Server, cut, html, ok, status};
use bytes::Bytes;
use fichier_api::{
    ByteRange, Domain, DownloadToken, ErrorKind, FolderId, HeaderMap, NodeAnswer, Pacing, ReportPacing,
    Upload, UploadFile, UploadNode, UploadOptions, UploadReceipt,
};
use futures::{StreamExt, stream};

fn file(name: &str, content: &'static [u8]) -> UploadFile {
    let chunks: Vec<_> = content.chunks(3).map(|chunk| Ok(Bytes::from_static(chunk))).collect();
    UploadFile { name: name.into(), size: content.len() as u64, body: stream::iter(chunks).boxed() }
}

fn upload(files: Vec<UploadFile>) -> Upload {
    Upload { folder: FolderId(7), files, options: UploadOptions::default() }
}

fn node(server: &Server) -> UploadNode {
    UploadNode { host: server.address.clone(), id: "N0DE".into() }
}

fn redirect() -> Reply {
    Reply::Full("302 Found", "Location: /end.pl?xid=X1D\r\n".into(), Vec::new())
}

/// Reads `multipart/form-data` independently: (headers, body) of each part.
fn parts(request: &Request) -> Vec<(String, Vec<u8>)> {
    let kind = request.header("content-type").unwrap();
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
    assert!(!boundary.contains('"'));
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    let mut body = b"\r\n".to_vec();
    body.extend(&request.body);
    let find = |from: usize, needle: &[u8]| {
        body[from..].windows(needle.len()).position(|window| window == needle).map(|at| from + at)
    };
    let mut found = Vec::new();
    let mut at = find(0, &delimiter).unwrap() + delimiter.len();
    while !body[at..].starts_with(b"--") {
        let head_end = find(at, b"\r\n\r\n").unwrap();
        let end = find(head_end + 4, &delimiter).unwrap();
        let head = String::from_utf8(body[at + 2..head_end].to_vec()).unwrap();
        found.push((head, body[head_end + 4..end].to_vec()));
        at = end + delimiter.len();
    }
    assert_eq!(&body[at..], b"--\r\n");
    found
}

#[tokio::test]
async fn a_node_is_asked_for_by_get_with_a_json_content_type() {
    let server = Server::always(ok(r#"{"url":"up2.1fichier.com","id":"AbC"}"#)).await;
    let node = server.client().upload_node().await.unwrap();
    assert_eq!((node.host.as_str(), node.id.as_str()), ("up2.1fichier.com", "AbC"));
    let request = &server.seen()[0];
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("GET", "/v1/upload/get_upload_server.cgi")
    );
    assert_eq!(request.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn files_go_in_one_request_as_the_service_wants_it() {
    let server = Server::always(redirect()).await;
    let request = Upload {
        options: UploadOptions {
            domain: Some(Domain::Dl4Free),
            password: Some("pw".into()),
            ..UploadOptions::default()
        },
        ..upload(vec![file("été \"1\".bin", b"hello\r\n--world"), file("b", b"x")])
    };
    let receipt = server.client().upload(&node(&server), request).await.unwrap();
    assert_eq!((receipt.id.as_str(), receipt.files), ("X1D", 2));
    let seen = server.seen();
    assert_eq!(seen.len(), 1, "the redirect isn't followed");
    let request = &seen[0];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/upload.cgi?id=N0DE"));
    assert_eq!(request.header("content-length"), Some(request.body.len().to_string().as_str()));
    assert_eq!(
        request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-length")).count(),
        1
    );
    assert_eq!(request.header("transfer-encoding"), None);
    assert_eq!(request.header("connection"), Some("close"));
    assert_eq!(request.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    let file_head = |name: &str| {
        format!(
            "Content-Disposition: form-data; name=\"file[]\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream"
        )
    };
    let expected: Vec<(String, Vec<u8>)> = vec![
        ("Content-Disposition: form-data; name=\"did\"".into(), b"7".to_vec()),
        ("Content-Disposition: form-data; name=\"domain\"".into(), b"10".to_vec()),
        ("Content-Disposition: form-data; name=\"dpass\"".into(), b"pw".to_vec()),
        (file_head("été %221%22.bin"), b"hello\r\n--world".to_vec()),
        (file_head("b"), b"x".to_vec()),
    ];
    assert_eq!(parts(request), expected);
}

#[tokio::test]
async fn headers_of_the_users_go_with_the_requests_they_are_for() {
    let headers = |name: &'static str| HeaderMap::from_iter([(name.parse().unwrap(), "v".parse().unwrap())]);
    let script = |n: usize, _: &Request| if n == 0 { redirect() } else { ok("bytes") };
    let server = Server::start(script).await;
    let builder = server.builder().headers(headers("x-all")).upload_headers(headers("x-up"));
    let client = builder.download_headers(headers("x-down")).build().unwrap();
    client.upload(&node(&server), upload(vec![file("a", b"x")])).await.unwrap();
    drop(client.open_download(&token(&server), None).await.unwrap());
    let seen: Vec<_> = server
        .seen()
        .iter()
        .map(|request| ["x-all", "x-up", "x-down"].map(|name| request.header(name).is_some()))
        .collect();
    assert_eq!(seen, [[true, true, false], [true, false, true]]);
}

#[tokio::test]
async fn a_plain_200_means_the_report_is_under_the_nodes_number() {
    let server = Server::always(html("200 OK", "<html>done</html>")).await;
    let receipt = server.client().upload(&node(&server), upload(vec![file("a", b"x")])).await.unwrap();
    assert_eq!(receipt.id, "N0DE");
}

#[tokio::test]
async fn a_bad_file_is_named_and_breaks_the_upload_off() {
    let server = Server::always(redirect()).await;
    let fails = UploadFile {
        name: "bad".into(),
        size: 10,
        body: stream::iter([Ok(Bytes::from_static(b"123")), Err("disk on fire".into())]).boxed(),
    };
    let short = UploadFile { size: 99, ..file("bad", b"123") };
    let long = UploadFile { size: 2, ..file("bad", b"123") };
    for (bad, words) in [(fails, "disk on fire"), (short, "3 of 99 bytes"), (long, "longer than the 2 bytes")]
    {
        let files = vec![file("good", b"abc"), bad, file("other", b"abc")];
        let error = server.client().upload(&node(&server), upload(files)).await.unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::UploadSource { index: 1, name, .. } if name == "bad"),
            "{error:?}"
        );
        assert!(error.to_string().contains(words) && !error.maybe_done(), "{error}");
    }
    assert!(server.seen().is_empty(), "no request came to its end");
}

#[tokio::test]
async fn an_empty_file_isnt_sent() {
    let server = Server::always(redirect()).await;
    let error = server.client().upload(&node(&server), upload(vec![file("void", b"")])).await.unwrap_err();
    assert!(error.to_string().contains("void") && server.seen().is_empty(), "{error}");
}

#[tokio::test]
async fn what_a_node_may_say_instead() {
    for (reply, doubt) in [
        (Reply::Full("200 OK", String::new(), b"Pas de fichier".to_vec()), false),
        (status("403 Forbidden"), false),
        (status("500 Oops"), true),
        (Reply::Raw(Vec::new()), true),
    ] {
        let name = format!("{reply:?}");
        let server = Server::always(reply).await;
        let error = server.client().upload(&node(&server), upload(vec![file("a", b"x")])).await.unwrap_err();
        assert_eq!((error.maybe_done(), server.seen().len()), (doubt, 1), "{name}: {error}");
    }
}

#[tokio::test]
async fn a_node_that_isnt_there_leaves_no_doubt() {
    let server = Server::always(redirect()).await;
    let nowhere = UploadNode { host: "127.0.0.1:1".into(), id: "N".into() };
    let error = server.client().upload(&nowhere, upload(vec![file("a", b"x")])).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Connect(_)) && !error.maybe_done(), "{error:?}");
    for host in ["evil.example/path", "a@b", "", "a b"] {
        let odd = UploadNode { host: host.into(), id: "N".into() };
        let error = server.client().upload(&odd, upload(vec![file("a", b"x")])).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Invalid(_)), "{host}: {error:?}");
    }
}

#[tokio::test]
async fn a_node_that_falls_silent_is_given_up_but_a_slow_source_isnt() {
    let server = Server::always(Reply::Silence(Duration::from_secs(30))).await;
    let client = server.builder().idle_timeout(Duration::from_millis(150)).build().unwrap();
    let error = client.upload(&node(&server), upload(vec![file("a", b"x")])).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Timeout { .. }) && error.maybe_done(), "{error:?}");
    let server = Server::always(redirect()).await;
    let client = server.builder().idle_timeout(Duration::from_millis(150)).build().unwrap();
    let slow = stream::iter(0..3).then(|_| async {
        tokio::time::sleep(Duration::from_millis(250)).await;
        Ok(Bytes::from_static(b"x"))
    });
    let slow = UploadFile { name: "slow".into(), size: 3, body: slow.boxed() };
    client.upload(&node(&server), upload(vec![slow])).await.unwrap();
}

#[tokio::test]
async fn a_source_is_read_no_faster_than_the_node_takes() {
    // A listener that accepts and reads nothing.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = Server::always(redirect()).await;
    let client = server.builder().idle_timeout(Duration::from_millis(500)).build().unwrap();
    let asked = Arc::new(AtomicU64::new(0));
    let counter = asked.clone();
    let size = 1 << 30;
    let body = stream::repeat_with(move || {
        counter.fetch_add(65_536, Ordering::Relaxed);
        Ok(Bytes::from_static(&[0; 65_536]))
    });
    let big = UploadFile { name: "big".into(), size, body: body.boxed() };
    let node = UploadNode { host: address, id: "N".into() };
    let error = client.upload(&node, upload(vec![big])).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Timeout { .. }), "{error:?}");
    let asked = asked.load(Ordering::Relaxed);
    assert!(asked > 0 && asked < 32 << 20, "{asked} bytes were read for a node that took none");
}

#[tokio::test]
async fn a_report_is_asked_for_until_it_is_there() {
    let sum = "ab".repeat(64);
    let one = |name: &str| {
        format!(
            r#"{{"download":"https://1fichier.com/?{name}","filename":"{name}","remove":"https://1fichier.com/remove/{name}/r","size":"3","whirlpool":"{sum}"}}"#
        )
    };
    let server = Server::in_turn(vec![
        html("200 OK", "<html><title>Please wait</title>"),
        ok(r#"{"incoming":0,"links":[]}"#),
        ok(format!(r#"{{"incoming":1,"links":[{}]}}"#, one("a"))),
        ok(format!(r#"{{"incoming":0,"links":[{}]}}"#, one("a"))),
        status("502 Bad Gateway"),
        ok(format!(r#"{{"incoming":0,"links":[{},{}]}}"#, one("a"), one("b"))),
    ])
    .await;
    let receipt = UploadReceipt {
        node: node(&server),
        id: "X1D".into(),
        files: 2,
        words: None,
        answered: NodeAnswer::Report,
    };
    let report = server.client().upload_report(&receipt).await.unwrap();
    assert_eq!(
        report.iter().map(|file| (file.name.as_str(), file.size)).collect::<Vec<_>>(),
        [("a", 3), ("b", 3)]
    );
    assert_eq!(report[0].whirlpool.unwrap().to_string(), sum);
    let seen = server.seen();
    assert_eq!(seen.len(), 6);
    assert!(seen.iter().all(|request| request.method == "GET" && request.target == "/end.pl?xid=X1D"));
    assert!(seen.iter().all(|request| request.header("json") == Some("1")));
}

#[tokio::test]
async fn a_report_that_never_comes_is_an_error_that_says_what_to_do() {
    let server = Server::always(html("200 OK", "<html><title>Veuillez patienter</title>")).await;
    let quick = Duration::from_millis(5);
    let give_up = Duration::from_millis(50);
    let report = ReportPacing { quick, quick_for: quick, slow: quick, give_up, vague_for: give_up };
    let client = server.builder().pacing(Pacing { report, ..Pacing::off() }).build().unwrap();
    let receipt = UploadReceipt {
        node: node(&server),
        id: "X1D".into(),
        files: 1,
        words: None,
        answered: NodeAnswer::Report,
    };
    let error = client.upload_report(&receipt).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NoReport { .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("list the folder"));
    assert!(server.seen().len() > 2);
}

fn token(server: &Server) -> DownloadToken {
    format!("http://{}/t0k3n", server.address).parse::<fichier_api::Url>().unwrap().into()
}

async fn collect(mut download: fichier_api::Download) -> (Vec<u8>, Option<fichier_api::ApiError>) {
    let mut bytes = Vec::new();
    while let Some(item) = download.next().await {
        match item {
            Ok(chunk) => bytes.extend(chunk),
            Err(error) => return (bytes, Some(error)),
        }
    }
    (bytes, None)
}

#[tokio::test]
async fn a_download_whole_and_in_part() {
    let server = Server::start(|_, request| match request.header("range") {
        None => Reply::Full("200 OK", String::new(), b"0123456789".to_vec()),
        Some("bytes=4-6") => {
            Reply::Full("206 Partial Content", "Content-Range: bytes 4-6/10\r\n".into(), b"456".to_vec())
        }
        Some(other) => panic!("{other}"),
    })
    .await;
    let client = server.client();
    let whole = client.open_download(&token(&server), None).await.unwrap();
    assert_eq!((whole.status(), whole.length(), whole.start(), whole.total()), (200, Some(10), 0, Some(10)));
    assert_eq!(collect(whole).await.0, b"0123456789");
    let range = ByteRange::Span { start: 4, length: 3 };
    let part = client.open_download(&token(&server), Some(range)).await.unwrap();
    assert_eq!((part.status(), part.length(), part.start(), part.total()), (206, Some(3), 4, Some(10)));
    assert_eq!(collect(part).await.0, b"456");
    for request in server.seen() {
        assert_eq!(request.header("accept-encoding"), Some("identity"));
        assert_eq!(request.header("authorization"), None, "a node needs no key");
    }
}

#[tokio::test]
async fn a_download_cut_in_the_middle_ends_in_an_error() {
    let server = Server::always(cut(b"01234", 10)).await;
    let download = server.client().open_download(&token(&server), None).await.unwrap();
    let (bytes, error) = collect(download).await;
    let error = error.unwrap();
    assert_eq!(bytes, b"01234");
    assert!(matches!(error.kind(), ErrorKind::Network(_) | ErrorKind::Truncated { .. }), "{error:?}");
    assert!(error.kind().may_pass() && !format!("{error} {error:?}").contains("t0k3n"), "{error:?}");
    assert_eq!(server.seen().len(), 1, "not repeated once bytes came");
}

#[tokio::test]
async fn a_download_that_falls_silent_is_given_up() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01".to_vec();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        assert!(tokio::io::AsyncReadExt::read(&mut stream, &mut request).await.unwrap() > 0);
        tokio::io::AsyncWriteExt::write_all(&mut stream, &head).await.unwrap();
        tokio::time::sleep(Duration::from_secs(30)).await;
        drop(stream);
    });
    let server = Server::always(status("500 Oops")).await;
    let client = server.builder().idle_timeout(Duration::from_millis(150)).build().unwrap();
    let url: fichier_api::Url = format!("http://{address}/x").parse().unwrap();
    let (bytes, error) = collect(client.open_download(&url.into(), None).await.unwrap()).await;
    assert_eq!(bytes, b"01");
    assert!(matches!(error.unwrap().kind(), ErrorKind::Timeout { .. }));
}

#[tokio::test]
async fn a_reader_that_takes_its_time_isnt_the_nodes_silence() {
    let content = vec![7; 4 << 20];
    let server = Server::always(Reply::Full("200 OK", String::new(), content.clone())).await;
    let client = server.builder().idle_timeout(Duration::from_millis(150)).build().unwrap();
    let mut download = client.open_download(&token(&server), None).await.unwrap();
    let first = download.next().await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    let (rest, error) = collect(download).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!([&first[..], &rest[..]].concat(), content);
}

#[tokio::test]
async fn what_a_download_node_may_say_instead() {
    let page = || html("200 OK", "<html><title>File not found</title>");
    for (reply, calls, words) in [
        (status("404 Not Found"), 1, "no longer valid"),
        (status("410 Gone"), 1, "no longer valid"),
        (html("403 Forbidden", "<title>1fichier</title><p>Not from here. Go.</p>"), 1, "Not from here."),
        (html("403 Forbidden", "<p>Premium status must not be used on professional services</p>"), 1, "CDN"),
        (html("200 OK", "<p>Be careful to not use simultaneously your IPv4 and IPv6 IP</p>"), 1, "IPv6"),
        (status("416 Range Not Satisfiable"), 1, "behind the end"),
        (page(), 4, "File not found"),
        (status("503 Busy"), 4, "503"),
        (Reply::Raw(Vec::new()), 4, "connection broke"),
    ] {
        let server = Server::always(reply).await;
        let error = server.client().open_download(&token(&server), None).await.unwrap_err();
        assert!(error.to_string().contains(words), "{words}: {error}");
        assert_eq!((server.seen().len(), error.maybe_done()), (calls, false), "{words}");
    }
    // A page that is the file itself comes with a disposition.
    let disposed =
        "Content-Type: text/html\r\nContent-Disposition: attachment; filename=\"a.html\"\r\n".to_owned();
    let server = Server::always(Reply::Full("200 OK", disposed, b"<html>".to_vec())).await;
    let download = server.client().open_download(&token(&server), None).await.unwrap();
    assert_eq!(collect(download).await.0, b"<html>");
}

#[tokio::test]
async fn a_download_is_repeated_until_its_head_has_come() {
    let good = Reply::Full("200 OK", String::new(), b"x".to_vec());
    let server = Server::in_turn(vec![status("502 Bad Gateway"), Reply::Raw(Vec::new()), good]).await;
    let download = server.client().open_download(&token(&server), None).await.unwrap();
    assert_eq!(collect(download).await.0, b"x");
    assert_eq!(server.seen().len(), 3);
}
