//! Tests of certificates: which ones the client trusts, and that it needs no set-up of the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fichier_api::{ApiKey, Client, ErrorKind, FolderId, ListFolder, Pacing, ProxySettings, RetryPolicy, Url};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Starts a service by https under a certificate of its own. Returns its address, the certificate, and the count of
/// connections.
async fn service() -> (Url, String, Arc<AtomicUsize>) {
    service_for(None).await
}

/// Does the same as [`service`], only for clients that show this certificate, if there is one.
async fn service_for(
    client: Option<rustls::pki_types::CertificateDer<'static>>,
) -> (Url, String, Arc<AtomicUsize>) {
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match client {
        None => builder.with_no_client_auth(),
        Some(certificate) => {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(certificate).unwrap();
            let roots = rustls::server::WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            builder.with_client_cert_verifier(roots.build().unwrap())
        }
    };
    let mut config = builder.with_single_cert(vec![own.cert.der().clone()], key).unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port()).parse().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::Relaxed);
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let _ = stream.read(&mut [0; 4096]).await;
                let body = r#"{"status":"OK","folder_id":0,"files":0}"#;
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    (url, own.cert.pem(), count)
}

fn builder(url: Url) -> fichier_api::ClientBuilder {
    let retry = RetryPolicy { backoff: Duration::from_millis(1), ..RetryPolicy::default() };
    Client::builder(ApiKey::new("k"))
        .endpoint(url)
        .proxy(ProxySettings::Direct)
        .pacing(Pacing::off())
        .retry(retry)
}

#[tokio::test]
async fn a_given_certificate_is_trusted_and_nothing_global_is_needed() {
    let (url, pem, _) = service().await;
    let request = ListFolder::folders_only(FolderId::ROOT);
    let client = builder(url.clone()).ca_cert_pem(pem.clone()).build().unwrap();
    client.list_folder(&request).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    std::fs::write(&file, pem).unwrap();
    builder(url).ca_cert(file).build().unwrap().list_folder(&request).await.unwrap();
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
}

#[tokio::test]
async fn an_unknown_certificate_is_refused_without_repetition() {
    let (url, _, count) = service().await;
    let error = builder(url)
        .build()
        .unwrap()
        .list_folder(&ListFolder::folders_only(FolderId::ROOT))
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Certificate(_)), "{error:?}");
    assert!(error.hint().unwrap().contains("--ca-cert"));
    assert_eq!((count.load(Ordering::Relaxed), error.attempts()), (1, 1));
}

#[tokio::test]
async fn whoever_wants_it_trusts_anybody() {
    let (url, _, count) = service().await;
    let client = builder(url).accept_invalid_certificates().build().unwrap();
    client.list_folder(&ListFolder::folders_only(FolderId::ROOT)).await.unwrap();
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn the_client_shows_its_certificate_to_a_service_that_asks() {
    let own = rcgen::generate_simple_self_signed(vec!["client".to_owned()]).unwrap();
    let (url, pem, _) = service_for(Some(own.cert.der().clone())).await;
    let dir = tempfile::tempdir().unwrap();
    let (certificate, key) = (dir.path().join("client.pem"), dir.path().join("client.key"));
    std::fs::write(&certificate, own.cert.pem()).unwrap();
    std::fs::write(&key, own.signing_key.serialize_pem()).unwrap();
    let request = ListFolder::folders_only(FolderId::ROOT);
    let unknown = builder(url.clone()).ca_cert_pem(pem.clone()).build().unwrap();
    assert!(unknown.list_folder(&request).await.is_err());
    let known = builder(url.clone()).ca_cert_pem(pem.clone()).client_certificate(&certificate, &key);
    known.build().unwrap().list_folder(&request).await.unwrap();
    let swapped = builder(url).client_certificate(&key, &certificate).build();
    assert!(swapped.err().unwrap().to_string().contains("no certificate in"));
}
