//! What is asked of a run from outside: to stop, and to say how far it is.

use std::io;

/// The signals that a run listens to.
pub(super) struct Signals(system::Signals);

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        system::Signals::new().map(Self)
    }

    /// Waits until somebody wants the run to stop: Ctrl-C, or a polite end of the process.
    pub(super) async fn asked_to_stop(&self) {
        self.0.asked_to_stop().await;
    }

    /// Waits until somebody wants to know how far the run is: SIGUSR1, and Ctrl-T where there is one.
    pub(super) async fn asked_for_state(&self) {
        self.0.asked_for_state().await;
    }
}

#[cfg(unix)]
mod system {
    use std::{future::poll_fn, io, sync::Mutex, sync::PoisonError, task::Poll};

    use tokio::signal::unix::{Signal, SignalKind, signal};

    pub(super) struct Signals {
        stop: Mutex<Vec<Signal>>,
        state: Mutex<Vec<Signal>>,
    }

    impl Signals {
        pub(super) fn new() -> io::Result<Self> {
            let listen = |kinds: &[SignalKind]| {
                kinds.iter().map(|kind| signal(*kind)).collect::<io::Result<Vec<_>>>().map(Mutex::new)
            };
            let state = [
                SignalKind::user_defined1(),
                #[cfg(any(
                    target_os = "macos",
                    target_os = "freebsd",
                    target_os = "netbsd",
                    target_os = "openbsd"
                ))]
                SignalKind::info(),
            ];
            Ok(Self {
                stop: listen(&[SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()])?,
                state: listen(&state)?,
            })
        }

        pub(super) async fn asked_to_stop(&self) {
            any_of(&self.stop).await;
        }

        pub(super) async fn asked_for_state(&self) {
            any_of(&self.state).await;
        }
    }

    async fn any_of(signals: &Mutex<Vec<Signal>>) {
        poll_fn(|context| {
            let mut signals = signals.lock().unwrap_or_else(PoisonError::into_inner);
            let came = signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
            if came { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

#[cfg(not(unix))]
mod system {
    use std::{future::pending, io};

    pub(super) struct Signals;

    impl Signals {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn asked_to_stop(&self) {
            if tokio::signal::ctrl_c().await.is_err() {
                pending::<()>().await;
            }
        }

        pub(super) async fn asked_for_state(&self) {
            pending::<()>().await;
        }
    }
}
