//! Tests that programs of one user that use the same account at the same time keep its limits together.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use fichier_api::{ApiKey, Client, Event, FolderId, ListFolder, MakeFolder, Observer, Pacing, RetryPolicy};
use fichier_emulator::Limits;
use fichier_remotes::resources::{Resources, StateFolders};
use fichier_storage::{ByteRange, RemoteExt as _, collect};
use futures::StreamExt as _;

use crate::service::{Service, files};

/// Times when calls were sent.
#[derive(Default)]
struct Log(Mutex<Vec<Instant>>);

impl Observer for Log {
    fn observe(&self, event: &Event<'_>) {
        if let Event::Sent { .. } = event {
            self.0.lock().unwrap().push(Instant::now());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_programs_with_one_key_provoke_one_flood_answer_at_most() {
    let place = tempfile::tempdir().unwrap();
    let service = Service::start_with(|builder| builder.limits(Limits::Scaled(10.0))).await;
    let folders: Vec<i64> =
        (0..20).map(|n| service.control().seed_folder(&format!("d{n}")).unwrap()).collect();
    let log = Arc::new(Log::default());
    let programs = (0..10_usize).map(|n| {
        let (endpoint, key) = service.access();
        let client = Client::builder(ApiKey::new(key))
            .endpoint(endpoint)
            .pacing(Pacing::scaled(10))
            .observer(log.clone())
            .shared_pace(place.path().join("account"))
            .build()
            .unwrap();
        let own = [folders[2 * n], folders[2 * n + 1]];
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
    let (floods, calls) = (service.control().floods(), sent.len());
    assert!(floods <= 1, "{floods} floods");
    // 20 listings, 30 new folders, and what was sent again after the flood.
    assert!((50..=51).contains(&calls), "{calls}");
    let least = Duration::from_millis(40) * u32::try_from(calls - 1).unwrap();
    assert!(took >= least, "{calls} calls within {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_shared_gates_they_would_provoke_many() {
    let service = Service::start_with(|builder| builder.limits(Limits::Scaled(10.0))).await;
    let (endpoint, key) = service.access();
    let programs = (0..10).map(|n| {
        let builder = Client::builder(ApiKey::new(&*key)).endpoint(endpoint.clone());
        let client = builder.pacing(Pacing::scaled(10)).retry(RetryPolicy::none()).build().unwrap();
        async move { client.make_folder(&MakeFolder::new(FolderId::ROOT, format!("made {n}"))).await }
    });
    futures::future::join_all(programs).await;
    let floods = service.control().floods();
    assert!(floods > 1, "{floods} floods");
}

#[tokio::test(flavor = "multi_thread")]
async fn download_connections_are_counted_for_all_programs_and_end_with_their_streams() {
    let place = tempfile::tempdir().unwrap();
    let service = Service::start().await;
    service.control().seed_file("f", &vec![7; 4 << 20]).unwrap();
    let state = || StateFolders { accounts: None, running: Some(place.path().to_owned()) };
    let resources = || Resources { state: state(), ..Resources::default() };
    // The pace is shared only where calls keep an interval.
    let options = [("download_connections", "1"), ("call_gap", "1ms")];
    let (one, other) = (service.remote_on(&resources(), &options), service.remote_on(&resources(), &options));
    let file = files(&one, "").await.remove(0);
    let mut held = one.read(&file, ByteRange::WHOLE).await.unwrap();
    held.next().await.unwrap().unwrap();
    let reading = tokio::spawn(async move {
        let stream = other.read(&file, ByteRange::WHOLE).await.unwrap();
        collect(stream).await.unwrap().len()
    });
    let downloads = || service.control().counters()["download"];
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!((downloads(), service.control().counters()["download/get_token"]), (1, 1));
    drop(held);
    assert_eq!(reading.await.unwrap(), 4 << 20);
    assert_eq!(downloads(), 2);
}
