//! The `CONNECT` proxy: the service's own host names over TLS.

use fichier_emulator::{Emulator, Storage};
use reqwest::{Certificate, Client, Proxy, Version};
use serde_json::{Value, json};

async fn emulator(storage: Storage) -> Emulator {
    Emulator::builder().proxy("127.0.0.1:0".parse().unwrap()).storage(storage).start().await.unwrap()
}

fn client(emulator: &Emulator, http1: bool) -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let proxy = Proxy::all(format!("http://{}", emulator.proxy_addr().unwrap())).unwrap();
    let ca = Certificate::from_pem(emulator.ca_pem().unwrap().as_bytes()).unwrap();
    let mut builder = Client::builder().proxy(proxy).tls_certs_only([ca]);
    if http1 {
        builder = builder.http1_only();
    }
    builder.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

async fn call(client: &Client, emulator: &Emulator, call: &str, body: Value) -> Value {
    let request =
        client.post(format!("https://api.1fichier.com/v1/{call}.cgi")).bearer_auth(emulator.api_key());
    let request = request.header("content-type", "application/json").body(body.to_string());
    request.send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_file_goes_round_through_the_proxy() {
    let emulator = emulator(Storage::Memory).await;
    for http1 in [true, false] {
        let client = client(&emulator, http1);
        let server = call(&client, &emulator, "upload/get_upload_server", json!({})).await;
        let (host, id) = (server["url"].as_str().unwrap(), server["id"].as_str().unwrap());
        assert!(host.starts_with("up") && host.ends_with(".1fichier.com"), "{host}");
        let body = crate::desk::form(0, &[("a.txt", b"through TLS")]);
        let upload = |host: &str| {
            client
                .post(format!("https://{host}/upload.cgi?id={id}"))
                .bearer_auth(emulator.api_key())
                .header("content-type", "multipart/form-data; boundary=XyZ")
                .body(body.clone())
                .send()
        };
        let elsewhere = if host == "up1.1fichier.com" { "up2.1fichier.com" } else { "up1.1fichier.com" };
        assert_eq!(upload(elsewhere).await.unwrap().status(), 403, "an id is good at its own node only");
        let answer = upload(host).await.unwrap();
        assert_eq!(answer.version(), if http1 { Version::HTTP_11 } else { Version::HTTP_2 });
        assert_eq!(answer.status(), 302);
        let report =
            |host: &str| client.get(format!("https://{host}/end.pl?xid={id}")).header("JSON", "1").send();
        assert_eq!(report(elsewhere).await.unwrap().status(), 404);
        let report: Value = report(host).await.unwrap().json().await.unwrap();
        let url = report["links"][0]["download"].clone();
        let token = call(&client, &emulator, "download/get_token", json!({"url": url})).await;
        let token = token["url"].as_str().unwrap();
        assert!(token.starts_with("https://a-"), "{token}");
        assert_eq!(client.get(token).send().await.unwrap().text().await.unwrap(), "through TLS");
        let plain = call(&client, &emulator, "download/get_token", json!({"url": url, "no_ssl": 1})).await;
        let plain = plain["url"].as_str().unwrap();
        assert!(plain.starts_with("http://a-"), "{plain}");
        assert_eq!(client.get(plain).send().await.unwrap().text().await.unwrap(), "through TLS");
        // Each host serves its own part.
        assert_eq!(client.get("https://api.1fichier.com/dir/x").send().await.unwrap().status(), 404);
        let page = client.get(url.as_str().unwrap()).send().await.unwrap();
        assert_eq!(page.status(), 200);
    }
}

#[tokio::test]
async fn other_hosts_are_refused() {
    let emulator = emulator(Storage::Memory).await;
    let client = client(&emulator, true);
    for url in ["https://example.com/", "https://1fichier.com:8443/", "https://127.0.0.1/"] {
        assert!(client.get(url).send().await.is_err(), "{url}");
    }
    assert_eq!(client.get("http://example.com/").send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn the_authority_stays_with_the_state() {
    let directory = tempfile::tempdir().unwrap();
    let storage = || Storage::Directory(directory.path().join("state"));
    let first = emulator(storage()).await;
    let old = client(&first, true);
    let pem = first.ca_pem().unwrap().to_owned();
    let path = directory.path().join("ca.pem");
    first.write_ca(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), pem);
    assert_eq!(call(&old, &first, "user/info", json!({})).await["status"], "OK");
    first.shutdown().await;
    let second = emulator(storage()).await;
    assert_eq!(second.ca_pem(), Some(pem.as_str()));
    assert_eq!(call(&client(&second, false), &second, "user/info", json!({})).await["status"], "OK");
    let without = Emulator::builder().start().await.unwrap();
    assert!(without.write_ca(&path).is_err());
}
