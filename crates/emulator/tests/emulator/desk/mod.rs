//! A very plain client: it builds requests by hand, so that it shares nothing with the emulator.
#![allow(dead_code, reason = "each test file uses its own part of the desk")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use fichier_emulator::{Builder, Emulator};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

/// A running emulator and a client for it.
pub(crate) struct Desk {
    pub(crate) emulator: Emulator,
    pub(crate) client: Client,
    pub(crate) base: String,
}

/// Returns a client without a pool: each request has a connection of its own.
pub(crate) fn client() -> Client {
    // Another test of the process may have been first; either way there is a provider now.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .no_proxy()
        .build()
        .unwrap()
}

impl Desk {
    pub(crate) async fn new() -> Self {
        Self::with(Emulator::builder()).await
    }

    pub(crate) async fn with(builder: Builder) -> Self {
        let emulator = builder.start().await.unwrap();
        let base = emulator.endpoint().as_str().trim_end_matches('/').to_owned();
        Self { emulator, client: client(), base }
    }

    pub(crate) fn post(&self, call: &str) -> reqwest::RequestBuilder {
        self.client
            .post(format!("{}/v1/{call}.cgi", self.base))
            .header("content-type", "application/json")
            .bearer_auth(self.emulator.api_key())
    }

    pub(crate) async fn raw(&self, call: &str, body: Value) -> reqwest::Result<Response> {
        self.post(call).body(body.to_string()).send().await
    }

    /// Makes a call and returns its status and JSON.
    pub(crate) async fn call(&self, call: &str, body: Value) -> (StatusCode, Value) {
        let response = self.raw(call, body).await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("{call} answered {text}")))
    }

    /// Makes a call that must succeed.
    pub(crate) async fn ok(&self, call: &str, body: Value) -> Value {
        let (status, value) = self.call(call, body).await;
        assert_eq!(status, StatusCode::OK, "{call}: {value}");
        assert_ne!(value["status"], "KO", "{call}: {value}");
        value
    }

    /// Makes a call that must fail, and returns its HTTP status and message.
    pub(crate) async fn ko(&self, call: &str, body: Value) -> (u16, String) {
        let (status, value) = self.call(call, body).await;
        assert_eq!(value["status"], "KO", "{call}: {value}");
        (status.as_u16(), value["message"].as_str().unwrap().to_owned())
    }

    pub(crate) async fn mkdir(&self, parent: i64, name: &str) -> i64 {
        let made = self.ok("folder/mkdir", json!({"name": name, "folder_id": parent})).await;
        made["folder_id"].as_i64().unwrap()
    }

    /// Returns a fresh upload id.
    pub(crate) async fn upload_id(&self) -> String {
        let server = self.ok("upload/get_upload_server", json!({})).await;
        assert_eq!(format!("http://{}", server["url"].as_str().unwrap()), self.base);
        server["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn upload_request(&self, id: &str, body: Vec<u8>) -> reqwest::RequestBuilder {
        self.client
            .post(format!("{}/upload.cgi?id={id}", self.base))
            .bearer_auth(self.emulator.api_key())
            .header("content-type", "multipart/form-data; boundary=XyZ")
            .header("connection", "close")
            .body(body)
    }

    pub(crate) async fn report(&self, id: &str) -> Response {
        let request = self.client.get(format!("{}/end.pl?xid={id}", self.base));
        request.header("JSON", "1").send().await.unwrap()
    }

    /// Uploads files into a folder and returns the report's links.
    pub(crate) async fn upload(&self, folder: i64, files: &[(&str, &[u8])]) -> Vec<Value> {
        let id = self.upload_id().await;
        let response = self.upload_request(&id, form(folder, files)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::FOUND);
        assert_eq!(response.headers()["location"], format!("/end.pl?xid={id}"));
        let report: Value = self.report(&id).await.json().await.unwrap();
        assert_eq!(report["incoming"], 0);
        report["links"].as_array().unwrap().clone()
    }

    /// Uploads one file and returns its link.
    pub(crate) async fn put(&self, folder: i64, name: &str, content: &[u8]) -> String {
        self.upload(folder, &[(name, content)]).await[0]["download"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn token(&self, options: Value) -> String {
        self.ok("download/get_token", options).await["url"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, url: &str) -> Response {
        self.client.get(url).send().await.unwrap()
    }

    /// Returns the file names in a listing, in its order.
    pub(crate) async fn names(&self, folder: i64) -> Vec<String> {
        let listing = self.ok("file/ls", json!({"folder_id": folder})).await;
        let items = listing["items"].as_array().unwrap();
        items.iter().map(|item| item["filename"].as_str().unwrap().to_owned()).collect()
    }
}

/// Returns a form with a folder and files, boundary `XyZ`.
pub(crate) fn form(folder: i64, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = field("did", &folder.to_string());
    for (name, content) in files {
        body.extend(file_part(name.as_bytes(), content));
    }
    body.extend_from_slice(b"--XyZ--\r\n");
    body
}

pub(crate) fn field(name: &str, value: &str) -> Vec<u8> {
    format!("--XyZ\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").into_bytes()
}

pub(crate) fn file_part(name: &[u8], content: &[u8]) -> Vec<u8> {
    let mut part = b"--XyZ\r\nContent-Disposition: form-data; name=\"file[]\"; filename=\"".to_vec();
    part.extend_from_slice(name);
    part.extend_from_slice(b"\"\r\nContent-Type: application/octet-stream\r\n\r\n");
    part.extend_from_slice(content);
    part.extend_from_slice(b"\r\n");
    part
}
