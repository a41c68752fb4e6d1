//! Programs of one user that use the same account at the same time keep its limits together.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use fichier_api::{ApiKey, Client, Event, FolderId, ListFolder, MakeFolder, Observer, Pacing};
use fichier_emulator::Limits;

use crate::service::Service;

/// When calls left, and how many listings found the limit.
#[derive(Default)]
struct Log(Mutex<Vec<Instant>>);

impl Observer for Log {
    fn observe(&self, event: &Event<'_>) {
        if let Event::Sent { .. } = event {
            self.0.lock().unwrap().push(Instant::now());
        }
    }
}

fn client(service: &Service, gates: Option<&std::path::Path>, log: &Arc<Log>) -> Client {
    let (endpoint, key) = service.access();
    let builder =
        Client::builder(ApiKey::new(key)).endpoint(endpoint).pacing(Pacing::scaled(10)).observer(log.clone());
    let builder = match gates {
        Some(gates) => builder.shared_gates(gates),
        None => builder,
    };
    builder.build().unwrap()
}

/// Ten programs list two folders each and make some; how many floods that provokes, how many calls left, and how
/// long it took.
async fn ten(gates: Option<&std::path::Path>, listings: bool) -> (u64, usize, Duration) {
    let service = Service::start_with(|builder| builder.limits(Limits::Scaled(10.0))).await;
    let folders: Vec<i64> =
        (0..20).map(|n| service.control().seed_folder(&format!("d{n}")).unwrap()).collect();
    let log = Arc::new(Log::default());
    let programs = (0..10_usize).map(|n| {
        let client = client(&service, gates, &log);
        let own = if listings { vec![folders[2 * n], folders[2 * n + 1]] } else { vec![] };
        async move {
            for folder in own {
                let folder = FolderId(folder.unsigned_abs());
                client.list_folder(&ListFolder::with_files(folder)).await.unwrap();
            }
            for made in 0..3 {
                let name = format!("made {n} {made}");
                client.make_folder(&MakeFolder::new(FolderId::ROOT, name)).await.unwrap();
            }
        }
    });
    futures::future::join_all(programs).await;
    let sent = log.0.lock().unwrap().clone();
    let took = sent.iter().max().unwrap().duration_since(*sent.iter().min().unwrap());
    (service.control().floods(), sent.len(), took)
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_programs_with_one_key_provoke_one_flood_answer_at_most() {
    let place = tempfile::tempdir().unwrap();
    let (floods, calls, took) = ten(Some(&place.path().join("account")), true).await;
    assert!(floods <= 1, "{floods} floods");
    // 20 listings, 30 folders made, and what was sent again after the flood.
    assert!((50..=51).contains(&calls), "{calls}");
    let least = Duration::from_millis(40) * u32::try_from(calls - 1).unwrap();
    assert!(took >= least, "{calls} calls within {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_shared_gates_they_would_provoke_many() {
    let (floods, ..) = ten(None, false).await;
    assert!(floods > 1, "{floods} floods");
}
