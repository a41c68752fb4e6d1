//! A server made by hand: takes one request per connection, keeps it, and answers as scripted, cut short or not at all.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use fichier_api::{ApiKey, Client, ClientBuilder, Pacing, ProxySettings, RetryPolicy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const KEY: &str = "s3cr3t-key-0123456789";

#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Status line, further headers (each ending in CRLF), body.
    Full(&'static str, String, Vec<u8>),
    /// Exactly these bytes, then the end of the connection.
    Raw(Vec<u8>),
    /// No answer for this time.
    Silence(Duration),
}

pub(crate) fn ok(json: impl Into<String>) -> Reply {
    Reply::Full("200 OK", "Content-Type: application/json\r\n".into(), json.into().into_bytes())
}

pub(crate) fn status(line: &'static str) -> Reply {
    Reply::Full(line, String::new(), Vec::new())
}

pub(crate) fn html(line: &'static str, page: &str) -> Reply {
    Reply::Full(line, "Content-Type: text/html\r\n".into(), page.into())
}

/// Makes a reply that promises more than it sends.
pub(crate) fn cut(body: &[u8], promised: usize) -> Reply {
    let mut raw =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {promised}\r\nConnection: close\r\n\r\n").into_bytes();
    raw.extend_from_slice(body);
    Reply::Raw(raw)
}

pub(crate) struct Server {
    pub(crate) address: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Starts a server that answers request `n` (from 0) by `script(n, request)`.
    pub(crate) async fn start(script: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (script, kept) = (Arc::new(script), seen.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, kept) = (script.clone(), kept.clone());
                tokio::spawn(async move { serve(stream, &*script, &kept).await });
            }
        });
        Self { address, seen }
    }

    /// Starts a server that always gives the same answer.
    pub(crate) async fn always(reply: Reply) -> Self {
        Self::start(move |_, _| reply.clone()).await
    }

    /// Starts a server that gives these answers in turn, and the last one again and again.
    pub(crate) async fn in_turn(replies: Vec<Reply>) -> Self {
        Self::start(move |number, _| replies[number.min(replies.len() - 1)].clone()).await
    }

    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        let retry = RetryPolicy {
            low_level_retries: 3,
            backoff: Duration::from_millis(1),
            backoff_max: Duration::from_millis(5),
            ..RetryPolicy::default()
        };
        Client::builder(ApiKey::new(KEY))
            .endpoint(format!("http://{}", self.address).parse().unwrap())
            .proxy(ProxySettings::Direct)
            .pacing(Pacing::off())
            .retry(retry)
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }
}

async fn serve(
    mut stream: TcpStream,
    script: &(dyn Fn(usize, &Request) -> Reply + Send + Sync),
    kept: &Mutex<Vec<Request>>,
) {
    let Some(request) = read(&mut stream).await else { return };
    let number = {
        let mut kept = kept.lock().unwrap();
        kept.push(request.clone());
        kept.len() - 1
    };
    let raw = match script(number, &request) {
        Reply::Full(line, headers, body) => {
            let mut raw = format!(
                "HTTP/1.1 {line}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            )
            .into_bytes();
            raw.extend(body);
            raw
        }
        Reply::Raw(raw) => raw,
        Reply::Silence(time) => return tokio::time::sleep(time).await,
    };
    let _ = stream.write_all(&raw).await;
    let _ = stream.shutdown().await;
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 65_536];
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        let count = stream.read(&mut buffer).await.ok()?;
        if count == 0 {
            return None;
        }
        bytes.extend_from_slice(&buffer[..count]);
    };
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
    let mut lines = text.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    let mut request = Request { method, target, headers, body: bytes[head + 4..].to_vec() };
    let length: usize = request.header("content-length").unwrap_or("0").parse().unwrap();
    while request.body.len() < length {
        let count = stream.read(&mut buffer).await.ok()?;
        if count == 0 {
            return None;
        }
        request.body.extend_from_slice(&buffer[..count]);
    }
    Some(request)
}
