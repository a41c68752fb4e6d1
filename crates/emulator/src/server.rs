//! The accept loop of the emulator's own port, and the handling of one connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::service::{Origin, Service};

/// How long to wait after a failed accept: the usual cause is a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long the head of a request may take, or an idle connection stay open. Longer than clients keep those.
const HEAD_TIMEOUT: Duration = Duration::from_secs(120);

/// How long running requests may take to end at a shutdown.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);

/// Accepts connections until it is stopped, and starts `serve` for each in a task of its own.
pub(crate) async fn accept<F>(
    listener: TcpListener,
    stop: CancellationToken,
    tasks: TaskTracker,
    serve: impl Fn(TcpStream, SocketAddr) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Answers are small and the client waits for them: Nagle's algorithm would only delay them.
                let _ = stream.set_nodelay(true);
                tasks.spawn(serve(stream, peer));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Accepts connections at the emulator's own port.
pub(crate) async fn run(
    listener: TcpListener,
    service: Arc<Service>,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let stopped = stop.clone();
    accept(listener, stop, tasks, move |stream, peer| {
        connection(stream, peer, Origin::direct(), Arc::clone(&service), stopped.clone())
    })
    .await;
}

/// Serves one connection until its end.
pub(crate) async fn connection<S>(
    stream: S,
    peer: SocketAddr,
    origin: Origin,
    service: Arc<Service>,
    stop: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let answer = service_fn(move |request| {
        let (service, origin) = (Arc::clone(&service), origin.clone());
        async move { service.answer(request, origin, peer).await }
    });
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let connection = server.serve_connection(TokioIo::new(stream), answer);
    tokio::pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let Ok(outcome) = tokio::time::timeout(SHUTDOWN_GRACE, connection).await else {
                tracing::debug!("a connection was cut off at the shutdown");
                return;
            };
            outcome
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "a connection ended early");
    }
}
