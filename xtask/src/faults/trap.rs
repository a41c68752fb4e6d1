//! A server that isn't the service's: nothing should be sent to it.

use std::{
    collections::BTreeSet,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use fichier_emulator::DEMO_KEY;

/// Listens until the process ends, and records which of its addresses were sent the key.
pub(crate) struct Trap {
    port: u16,
    next: AtomicU64,
    got_key: Arc<Mutex<BTreeSet<String>>>,
}

impl Trap {
    /// Starts listening.
    ///
    /// # Errors
    /// Listening fails.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let got_key = Arc::new(Mutex::new(BTreeSet::new()));
        let noted = Arc::clone(&got_key);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let noted = Arc::clone(&noted);
                thread::spawn(move || {
                    if let Some(path) = answer(stream) {
                        noted.lock().unwrap_or_else(PoisonError::into_inner).insert(path);
                    }
                });
            }
        });
        Ok(Self { port, next: AtomicU64::new(0), got_key })
    }

    /// Returns an address that no other cell has.
    pub(crate) fn address(&self) -> String {
        format!("http://localhost:{}/{}", self.port, self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Checks whether the key was sent to this address.
    pub(crate) fn got_key(&self, address: &str) -> bool {
        let path = address.rsplit('/').next().unwrap_or_default();
        self.got_key.lock().unwrap_or_else(PoisonError::into_inner).contains(path)
    }
}

/// Answers a request, and returns the path that was requested if the key came with it.
fn answer(mut stream: TcpStream) -> Option<String> {
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    let mut told = Vec::new();
    let mut buffer = [0; 4096];
    // The head and a small body come at once from programs on the same machine.
    while !told.windows(4).any(|four| four == b"\r\n\r\n") {
        let length = stream.read(&mut buffer).ok()?;
        if length == 0 {
            break;
        }
        told.extend_from_slice(&buffer[..length]);
    }
    let text = String::from_utf8_lossy(&told).into_owned();
    let body = "{\"status\":\"OK\"}";
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    // A client that doesn't wait for it needs no answer.
    let _ = stream.write_all((head + body).as_bytes());
    let path = text.split(' ').nth(1)?.trim_start_matches('/').to_owned();
    text.contains(DEMO_KEY).then_some(path)
}
