//! Tests with a service at its worst: what is repeated, what isn't, what is said, and what is never said.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::{KEY, Reply, Server, cut, html, ok, status};
use fichier_api::{
    ApiError, CancellationToken, Client, ErrorKind, Event, Fault, FolderId, ListFolder, MakeFolder, Observer,
    Pacing, ProxySettings, Retry, WaitReason,
};

const GOOD: &str = r#"{"status":"OK","folder_id":0,"files":0,"sub_folders":[]}"#;

async fn list(client: &Client) -> Result<(), ApiError> {
    client.list_folder(&ListFolder::folders_only(FolderId::ROOT)).await.map(|_| ())
}

fn ko(line: &'static str, message: &str) -> Reply {
    Reply::Full(line, String::new(), format!(r#"{{"status":"KO","message":"{message}"}}"#).into_bytes())
}

#[tokio::test]
async fn what_may_pass_is_repeated() {
    for bad in [
        status("500 Oops"),
        status("502 Bad Gateway"),
        status("503 Busy"),
        status("504 Slow"),
        status("509 Bandwidth"),
        status("403 Forbidden"),
        html("200 OK", "<title>Maintenance</title>"),
        html("403 Forbidden", "<title>Blocked</title>"),
        cut(b"{\"status\":", 100),
        ok("{\"status\":\"OK\",\"sub_"),
        Reply::Raw(Vec::new()),
        Reply::Raw(b"HTTP/1.1 200 O".to_vec()),
        ko("403 Forbidden", "Flood detected: IP Locked #374"),
        ko("200 OK", "IP Locked #79"),
    ] {
        let name = format!("{bad:?}");
        let server = Server::in_turn(vec![bad.clone(), bad, ok(GOOD)]).await;
        list(&server.client()).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(server.seen().len(), 3, "{name}");
    }
}

#[tokio::test]
async fn a_cautious_client_sends_nothing_again_that_met_a_lock() {
    for (bad, calls) in [
        (ko("403 Forbidden", "Flood detected: IP Locked #374"), 1),
        (ko("200 OK", "IP Locked #79"), 1),
        (status("429 Slow Down"), 1),
        (html("403 Forbidden", "<title>Blocked</title>"), 2),
        (status("502 Bad Gateway"), 2),
    ] {
        let name = format!("{bad:?}");
        let server = Server::in_turn(vec![bad; 4]).await;
        let client = server.client();
        list(&client.cautious()).await.unwrap_err();
        assert_eq!((server.seen().len(), client.requests().calls), (calls, calls as u64), "{name}");
    }
}

/// In number such answers bring a ban (API document, section 1).
#[tokio::test]
async fn what_is_refused_by_its_status_is_hardly_repeated() {
    for (refusal, calls) in [
        (status("401 Unauthorized"), 1),
        (status("404 Not Found"), 1),
        (status("410 Gone"), 1),
        (html("401 Unauthorized", "<title>No</title>"), 1),
        (html("404 Not Found", "<title>No</title>"), 1),
        (html("410 Gone", "<title>No</title>"), 1),
        (status("403 Forbidden"), 3),
        (html("403 Forbidden", "<title>Blocked</title>"), 3),
        (ko("403 Forbidden", "Resource not allowed #631"), 1),
        (ko("404 Not Found", "Resource not found #469"), 1),
    ] {
        let name = format!("{refusal:?}");
        let server = Server::always(refusal).await;
        list(&server.client()).await.unwrap_err();
        assert_eq!(server.seen().len(), calls, "{name}");
    }
}

#[tokio::test]
async fn a_listing_of_all_files_that_breaks_off_begins_anew_with_nothing() {
    let file =
        |code: &str| format!(r#"{{"url":"https://1fichier.com/?{code}","filename":"{code}","size":1}}"#);
    let whole = format!(r#"{{"status":"OK","items":[{},{}]}}"#, file("a"), file("b"));
    let half = &whole[..whole.len() - 20];
    for bad in [
        cut(half.as_bytes(), 1000),
        ok(half),
        ok(format!(r#"{{"items":[{}],"status":"KO","message":"IP Locked #79"}}"#, file("c"))),
        html("200 OK", "<title>Maintenance</title>"),
        status("503 Busy"),
        ko("200 OK", "IP Locked #79"),
    ] {
        let name = format!("{bad:?}");
        let server = Server::in_turn(vec![bad.clone(), bad, ok(whole.clone())]).await;
        let files = server.client().list_all_files(Vec::new).await;
        let files = files.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(files.iter().map(|file| file.link.code()).collect::<Vec<_>>(), ["a", "b"], "{name}");
        assert_eq!(server.seen().len(), 3, "{name}");
        assert_eq!(server.seen()[0].json(), serde_json::json!({"folder_id": -1}));
    }
    // Answers that aren't a listing and never will be.
    for (reply, words) in [
        (ko("401 Unauthorized", "Not authenticated #247"), "params.pl"),
        (
            ok(format!(
                r#"{{"items":[{}],"status":"KO","message":"Flood detected: IP Locked #374"}}"#,
                file("c")
            )),
            "too soon",
        ),
    ] {
        let server = Server::always(reply).await;
        let error = server.client().list_all_files(Vec::new).await.unwrap_err();
        assert!(format!("{error} {:?}", error.hint()).contains(words), "{error}");
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn one_file_that_cant_be_read_doesnt_hide_the_others() {
    let bad = r#"{"url":"https://1fichier.com/?a","size":1}"#;
    let good = r#"{"url":"https://1fichier.com/?b","filename":"b\q","size":1,"date":[1]}"#;
    let server = Server::always(ok(format!(r#"{{"status":"OK","items":[{bad},7,{good}]}}"#))).await;
    let files = server.client().list_all_files(Vec::new).await.unwrap();
    assert_eq!(files.iter().map(|file| file.filename.as_str()).collect::<Vec<_>>(), ["b\\q"]);
}

#[tokio::test]
async fn an_answer_without_end_ends_soon_and_is_not_asked_for_again() {
    let mut long = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"items\":".to_vec();
    long.resize(65 << 20, b'[');
    let server = Server::always(Reply::Raw(long)).await;
    let error = server.client().list_folder(&ListFolder::with_files(FolderId::ROOT)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::TooLong { .. }), "{error:?}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn the_key_goes_to_no_host_but_the_service_s() {
    let client = Client::builder(fichier_api::ApiKey::new(KEY)).build().unwrap();
    for host in ["evil.example", "1fichier.com.evil.example", "127.0.0.1", "up@evil.example"] {
        let node = fichier_api::UploadNode { host: host.into(), id: "abc".into() };
        let receipt = fichier_api::UploadReceipt {
            node,
            id: "abc".into(),
            files: 1,
            words: None,
            answered: fichier_api::NodeAnswer::Report,
        };
        let error = client.upload_report(&receipt).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Invalid(_)), "{host}: {error:?}");
    }
}

#[tokio::test]
async fn nobody_waits_for_a_lock_to_be_told_of_the_account() {
    for line in ["Flood detected: IP Locked #374", "IP Locked #79"] {
        let server = Server::always(ko("403 Forbidden", line)).await;
        let client = server.builder().pacing(Pacing::default()).build().unwrap();
        for _ in 0..2 {
            let began = Instant::now();
            let error = client.account().await.unwrap_err();
            assert!(began.elapsed() < Duration::from_secs(3), "{error}");
        }
        // The second time, the lock is known and the service isn't called.
        assert_eq!(server.seen().len(), 1, "{line}");
    }
}

#[tokio::test]
async fn a_refusal_is_told_at_once_and_never_repeated() {
    for (line, message, fault, words) in [
        ("401 Unauthorized", "Not authenticated #247", Fault::User, "https://1fichier.com/console/params.pl"),
        ("200 OK", "No such user #93", Fault::User, "https://1fichier.com/console/params.pl"),
        ("403 Forbidden", "Must be a customer (Premium, Access) #200", Fault::User, "subscribe"),
        ("404 Not Found", "Resource not found #469", Fault::User, ""),
        ("200 OK", "Some odd thing #186", Fault::Service, ""),
    ] {
        let server = Server::always(ko(line, message)).await;
        let error = list(&server.client()).await.unwrap_err();
        assert_eq!((server.seen().len(), error.attempts()), (1, 1), "{message}");
        assert_eq!((error.fault(), error.retry()), (fault, Retry::Never), "{message}");
        assert!(
            error.to_string().contains(message) && error.to_string().starts_with("folder/ls.cgi: "),
            "{error}"
        );
        assert!(error.hint().unwrap_or_default().contains(words), "{message}");
    }
}

#[tokio::test]
async fn what_doesnt_pass_is_told_with_its_history() {
    let server = Server::always(html("503 Busy", "<html><title>We are\nback soon</title>")).await;
    let error = list(&server.client()).await.unwrap_err();
    assert_eq!(server.seen().len(), 4);
    assert!(
        error.to_string().contains("We are back soon") && error.to_string().contains("4 attempts"),
        "{error}"
    );
    assert_eq!((error.fault(), error.retry()), (Fault::Service, Retry::Later));
}

#[tokio::test]
async fn a_folder_is_never_made_twice() {
    let request = MakeFolder::new(FolderId::ROOT, "n");
    for lost in [
        Reply::Raw(Vec::new()),
        cut(b"{\"folder", 50),
        status("500 Oops"),
        status("403 Forbidden"),
        status("503 Busy"),
        ko("200 OK", " "),
        ok("{\"folder_id\":"),
        html("200 OK", "<p>"),
    ] {
        let name = format!("{lost:?}");
        let server = Server::always(lost).await;
        let error = server.client().make_folder(&request).await.unwrap_err();
        assert_eq!((server.seen().len(), error.retry()), (1, Retry::AfterLooking), "{name}");
    }
    let made = ok(r#"{"folder_id":5}"#);
    for refused in [
        Reply::Full("503 Busy", "Retry-After: 0\r\n".into(), Vec::new()),
        status("429 Too Many Requests"),
        ko("403 Forbidden", "Flood detected: IP Locked #374"),
    ] {
        let server = Server::in_turn(vec![refused, made.clone()]).await;
        assert_eq!(server.client().make_folder(&request).await.unwrap().id, FolderId(5));
        assert_eq!(server.seen().len(), 2);
    }
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let wait = Reply::Full("429 Too Many Requests", "Retry-After: 1\r\n".into(), Vec::new());
    let server = Server::in_turn(vec![wait, ok(GOOD)]).await;
    let began = Instant::now();
    list(&server.client()).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_silent_service_is_given_up() {
    let server = Server::always(Reply::Silence(Duration::from_secs(60))).await;
    let client = server.builder().idle_timeout(Duration::from_millis(100)).build().unwrap();
    let error = list(&client).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Timeout { .. }), "{error:?}");
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn a_service_that_isnt_there_is_the_networks_fault() {
    let server = Server::always(ok(GOOD)).await;
    let client = server.builder().endpoint("http://127.0.0.1:1".parse().unwrap()).build().unwrap();
    let error = list(&client).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Connect(_)), "{error:?}");
    assert_eq!((error.fault(), error.attempts()), (Fault::Network, 4));
    let mut source: &dyn std::error::Error = &error;
    while let Some(next) = source.source() {
        source = next;
    }
    assert!(source.to_string().to_lowercase().contains("refused"), "{source}");
}

#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Observer for Log {
    fn observe(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push(format!("{event:?}"));
    }
}

#[tokio::test]
async fn the_key_is_never_told() {
    let log = Arc::new(Log::default());
    let echo = format!("bad key {KEY}");
    for reply in [
        ko("401 Unauthorized", &format!("Not authenticated {KEY} #247")),
        html("200 OK", &format!("<title>{echo}</title>")),
        ok(format!("{{\"status\":{KEY}")),
        ok(format!("{{\"status\":\"{KEY}")),
        ok(format!("{{\"sub_folders\":\"{KEY}\"}}")),
        status("500 Oops"),
        Reply::Raw(Vec::new()),
    ] {
        let name = format!("{reply:?}");
        let server = Server::always(reply).await;
        let client = server.builder().observer(log.clone()).build().unwrap();
        let error = list(&client).await.unwrap_err();
        let mut told = format!("{client:?} {error} {error:?} {error:#?}");
        let mut source: &dyn std::error::Error = &error;
        while let Some(next) = source.source() {
            told += &format!(" {next} {next:?}");
            source = next;
        }
        assert!(!told.contains(KEY), "{name}: {told}");
    }
    let log = log.0.lock().unwrap();
    assert!(log.len() > 7 && log.iter().all(|line| !line.contains(KEY)));
}

#[tokio::test]
async fn the_observer_sees_calls_waits_and_what_was_learned() {
    struct Told(Mutex<Vec<&'static str>>);
    impl Observer for Told {
        fn observe(&self, event: &Event<'_>) {
            let word = match event {
                Event::Waiting { why: WaitReason::Flood, .. } => "flood",
                Event::Sent { call, .. } => call.reason,
                Event::ListingGapLearned { .. } => "learned",
                Event::Answered { .. } => "answered",
                _ => return,
            };
            self.0.lock().unwrap().push(word);
        }
    }
    let told = Arc::new(Told(Mutex::default()));
    let server = Server::in_turn(vec![ko("403 Forbidden", "Flood detected: IP Locked #374"), ok(GOOD)]).await;
    // Listings go as fast as other calls until a flood answer comes.
    let scaled = Pacing::scaled(1000);
    let pacing = Pacing { listing: scaled.any, ..scaled };
    let client = server.builder().pacing(pacing).observer(told.clone()).build().unwrap();
    list(&client.because("list the destination")).await.unwrap();
    let told = told.0.lock().unwrap().clone();
    let list = "list the destination";
    assert_eq!(told, [list, "learned", "answered", "flood", list, "answered"]);
    assert!(client.learned().listings_are_limited);
}

#[tokio::test]
async fn a_stop_ends_a_call_on_its_way() {
    let server = Server::always(Reply::Silence(Duration::from_secs(60))).await;
    let token = CancellationToken::new();
    let client = server.builder().cancel(token.clone()).build().unwrap();
    let request = MakeFolder::new(FolderId::ROOT, "n");
    let stop = async {
        while server.seen().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        token.cancel();
    };
    let (result, ()) = tokio::join!(client.make_folder(&request), stop);
    let error = result.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Canceled) && error.maybe_done(), "{error:?}");
}

#[tokio::test]
async fn requests_go_through_the_proxy_that_was_given() {
    let proxy = Server::always(ok(GOOD)).await;
    let settings = ProxySettings::Fixed {
        http: Some(format!("http://{}", proxy.address).parse().unwrap()),
        https: None,
        no_proxy: "other.example".into(),
    };
    let builder = || proxy.builder().proxy(settings.clone());
    let client = builder().endpoint("http://service.example".parse().unwrap()).build().unwrap();
    list(&client).await.unwrap();
    assert_eq!(proxy.seen()[0].target, "http://service.example/v1/folder/ls.cgi");
    let client = builder().endpoint("http://other.example:1".parse().unwrap()).build().unwrap();
    assert!(list(&client).await.is_err());
    assert_eq!(proxy.seen().len(), 1);
}

#[tokio::test]
async fn an_endless_answer_isnt_read() {
    let server = Server::always(cut(b"{", 1 << 40)).await;
    let error = list(&server.client()).await.unwrap_err();
    assert!(error.to_string().contains("longer than 64 MiB"), "{error}");
    assert_eq!(server.seen().len(), 1);
}
