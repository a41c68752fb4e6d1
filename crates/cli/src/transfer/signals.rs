//! Signals to a run: to stop, and to say how far it is.

use std::io;

/// A signal that stops a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StopSignal {
    /// The signal's number, which the exit code is made of.
    pub(crate) number: u8,
    /// Whether a person pressed Ctrl-C, and what is on its way may be finished. Otherwise there is little time: a
    /// service manager waits, or the terminal is gone.
    pub(super) by_person: bool,
}

/// The signals that a run listens to.
pub(crate) struct Signals(system::Signals);

impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        system::Signals::new().map(Self)
    }

    /// Waits until somebody wants the run to stop: Ctrl-C, or a polite end of the process.
    pub(crate) async fn asked_to_stop(&self) -> StopSignal {
        self.0.asked_to_stop().await
    }

    /// Waits for a signal to report progress: SIGUSR1, and Ctrl-T where that exists.
    pub(super) async fn asked_for_state(&self) {
        self.0.asked_for_state().await;
    }
}

#[cfg(unix)]
mod system {
    use std::{future::poll_fn, io, sync::Mutex, sync::PoisonError, task::Poll};

    use tokio::signal::unix::{Signal, SignalKind, signal};

    use super::StopSignal;

    /// Signals that end a run, and their numbers.
    const STOPS: [(SignalKind, u8); 3] =
        [(SignalKind::interrupt(), 2), (SignalKind::terminate(), 15), (SignalKind::hangup(), 1)];

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
            Ok(Self { stop: listen(&STOPS.map(|(kind, _)| kind))?, state: listen(&state)? })
        }

        pub(super) async fn asked_to_stop(&self) -> StopSignal {
            let which = any_of(&self.stop).await;
            let number = STOPS.get(which).map_or(2, |(_, number)| *number);
            StopSignal { number, by_person: number == 2 }
        }

        pub(super) async fn asked_for_state(&self) {
            any_of(&self.state).await;
        }
    }

    /// Waits for one of the signals and returns its place in the list.
    async fn any_of(signals: &Mutex<Vec<Signal>>) -> usize {
        poll_fn(|context| {
            let mut signals = signals.lock().unwrap_or_else(PoisonError::into_inner);
            let came = signals.iter_mut().position(|signal| signal.poll_recv(context).is_ready());
            came.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

#[cfg(not(unix))]
mod system {
    use std::{future::pending, io};

    use super::StopSignal;

    pub(super) struct Signals;

    impl Signals {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn asked_to_stop(&self) -> StopSignal {
            if tokio::signal::ctrl_c().await.is_err() {
                pending::<()>().await;
            }
            StopSignal { number: 2, by_person: true }
        }

        pub(super) async fn asked_for_state(&self) {
            pending::<()>().await;
        }
    }
}
