//! The `CONNECT` proxy: the service's own host names and TLS, for clients whose addresses can't be configured.
//!
//! It ends the TLS itself and gets the answers from the emulator. It never connects to other machines: hosts that
//! aren't the service's get 403.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::answer::{Abort, Body};
use crate::server::{accept, connection};
use crate::service::{Origin, Service};

#[derive(Clone)]
struct Proxy {
    tls: TlsAcceptor,
    service: Arc<Service>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Accepts connections at the proxy's port.
pub(crate) async fn run(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    service: Arc<Service>,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let proxy = Proxy { tls: TlsAcceptor::from(tls), service, stop: stop.clone(), tasks: tasks.clone() };
    accept(listener, stop, tasks, move |stream, peer| proxy.clone().client(stream, peer)).await;
}

impl Proxy {
    async fn client(self, stream: TcpStream, peer: SocketAddr) {
        let stop = self.stop.clone();
        let answer = service_fn(move |request| self.clone().request(request, peer));
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).with_upgrades();
        tokio::select! {
            outcome = connection => if let Err(error) = outcome {
                tracing::debug!(%error, "a proxy connection ended early");
            },
            () = stop.cancelled() => {}
        }
    }

    async fn request(self, request: Request<Incoming>, peer: SocketAddr) -> Result<Response<Body>, Abort> {
        if *request.method() != Method::CONNECT {
            // A link with `no_ssl` comes as a plain request for an absolute URL.
            return match request.uri().host().filter(|host| is_of_service(host)) {
                Some(host) => {
                    let origin = Origin::proxied(host);
                    self.service.answer(request, origin, peer).await
                }
                None => Ok(refusal("this proxy serves 1fichier.com and nothing else")),
            };
        }
        let Some(host) = request.uri().authority().filter(|authority| authority.port_u16() == Some(443))
        else {
            return Ok(refusal("this proxy connects to port 443 only"));
        };
        let host = host.host().to_ascii_lowercase();
        if !is_of_service(&host) {
            tracing::debug!(host, "refused to connect");
            return Ok(refusal("this proxy serves 1fichier.com and nothing else"));
        }
        let tasks = self.tasks.clone();
        tasks.spawn(self.tunnel(request, host, peer));
        Ok(Response::new(Full::new(Bytes::new()).map_err(|never| match never {}).boxed_unsync()))
    }

    async fn tunnel(self, request: Request<Incoming>, host: String, peer: SocketAddr) {
        let opening = async {
            let upgraded = hyper::upgrade::on(request).await.map_err(std::io::Error::other)?;
            self.tls.accept(TokioIo::new(upgraded)).await
        };
        let opened = tokio::select! {
            opened = opening => opened,
            () = self.stop.cancelled() => return,
        };
        match opened {
            Ok(stream) => connection(stream, peer, Origin::proxied(&host), self.service, self.stop).await,
            Err(error) => tracing::debug!(%error, host, "a tunnel was not opened"),
        }
    }
}

fn is_of_service(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    host == "1fichier.com" || host.strip_suffix(".1fichier.com").is_some_and(|name| !name.is_empty())
}

fn refusal(reason: &'static str) -> Response<Body> {
    let body =
        Full::new(Bytes::from_static(reason.as_bytes())).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}

#[cfg(test)]
mod tests {
    use super::is_of_service;

    #[test]
    fn only_the_services_hosts_are_served() {
        for host in ["1fichier.com", "api.1fichier.com", "UP3.1Fichier.com"] {
            assert!(is_of_service(host), "{host}");
        }
        for host in
            ["example.com", "1fichier.com.example.com", "not1fichier.com", ".1fichier.com", "127.0.0.1"]
        {
            assert!(!is_of_service(host), "{host}");
        }
    }
}
