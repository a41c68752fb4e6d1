//! Tests of the `fichier` remote against the emulated service, over HTTP.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

mod ages;
mod answers;
mod batches;
mod calls;
mod catalogue;
mod changes;
mod crypt;
mod downloads;
mod faults;
mod gates;
mod names;
mod service;

use std::sync::Arc;

use fichier_emulator::{Limits, MkdirExisting};
use fichier_storage::{Remote, RemoteExt, conformance};

use service::Service;

#[tokio::test(flavor = "multi_thread")]
async fn it_passes_the_conformance_suite() {
    let service = Service::start().await;
    conformance::run(service.remote()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_passes_the_suite_with_one_file_a_request_and_stand_ins_for_empty_files() {
    let service = Service::start().await;
    let remote = service.remote_with(&[("upload_batch", "1"), ("empty_files", "marker")]);
    assert!(remote.info().features.empty_files);
    conformance::run(remote).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_passes_the_suite_whatever_the_service_does_with_existing_names() {
    for existing in [MkdirExisting::Same, MkdirExisting::Duplicate] {
        let service = Service::start_with(|builder| builder.mkdir_existing(existing)).await;
        conformance::run(service.remote()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_passes_the_suite_when_listings_lag() {
    let service = Service::start_with(|builder| builder.lag(std::time::Duration::from_millis(300))).await;
    conformance::run(service.remote()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn under_the_service_s_limits_the_first_run_floods_once_and_later_ones_never() {
    let service = Service::start_with(|builder| builder.limits(Limits::Scaled(100.0))).await;
    for folder in 0..50 {
        service.control().seed_file(&format!("d{folder}/f"), b"x").unwrap();
    }
    let memory = tempfile::tempdir().unwrap();
    let scaled = [("call_gap", "400ms"), ("folder_gap", "30s"), ("time_scale", "100")];
    let list_all = async |remote: &Arc<dyn Remote>| {
        for folder in 0..50 {
            let path = fichier_storage::RemotePath::parse(format!("d{folder}")).unwrap();
            assert_eq!(remote.entries(&path).await.unwrap().len(), 1);
        }
    };
    let mut first = 0;
    for run in 0..3 {
        let remote = service.remote_remembering(&scaled, memory.path());
        list_all(&remote).await;
        let floods = service.control().floods();
        let most = if run == 0 { 1 } else { first };
        assert!(floods <= most, "run {run}: {floods} floods");
        first = floods;
    }
}
