//! Tests of names and empty files on their way to the service and back.

use fichier_encoding::Encoding;
use fichier_storage::{ByteRange, Outcome, RemoteExt, StorageError, WriteBatch, collect};

use crate::service::{Service, batch, files, item, path};

#[tokio::test(flavor = "multi_thread")]
async fn nasty_names_come_back_as_they_went() {
    let service = Service::start().await;
    let remote = service.remote();
    let names: Vec<Vec<u8>> = fichier_encoding::corpus::nasty_file_names()
        .iter()
        .map(|raw| Encoding::STANDARD.encode(raw).into_owned())
        .collect();
    assert!(names.len() >= 300, "{}", names.len());
    let items = names.iter().map(|name| item(name, name)).collect();
    for outcome in remote.write(WriteBatch { folder: path("d"), items }).await {
        outcome.into_result().unwrap();
    }
    // A second remote has to learn the names from the service.
    let fresh = service.remote();
    let mut listed: Vec<Vec<u8>> =
        files(&fresh, "d").await.iter().map(|file| file.path.name().unwrap().as_bytes().to_vec()).collect();
    let mut wanted = names.clone();
    listed.sort();
    wanted.sort();
    assert_eq!(listed, wanted);
    // The service altered none: what it doesn't allow was encoded.
    for file in service.tree().files {
        assert_eq!(fichier_emulator::stored_name(&file.name), file.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_of_one_name_are_listed_together() {
    let service =
        Service::start_with(|builder| builder.mkdir_existing(fichier_emulator::MkdirExisting::Duplicate))
            .await;
    let first = service.remote();
    // Neither knows the other's folder when it makes its own.
    let second = service.remote();
    first.entries(&path("")).await.unwrap();
    second.entries(&path("")).await.unwrap();
    for (remote, name) in [(&first, "one"), (&second, "two")] {
        for outcome in remote.write(batch("d", &[(name, b"x")])).await {
            outcome.into_result().unwrap();
        }
    }
    assert_eq!(service.tree().folders.iter().filter(|folder| folder.name == "d").count(), 2);
    let fresh = service.remote();
    let names: Vec<_> = files(&fresh, "d").await.iter().map(|file| file.path.to_string()).collect();
    assert_eq!(names, ["d/one", "d/two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_files_of_one_name_the_newer_is_found() {
    let service = Service::start().await;
    let early = jiff::Timestamp::from_second(1_600_000_000).unwrap();
    let late = jiff::Timestamp::from_second(1_700_000_000).unwrap();
    service.control().seed_file_dated("a", b"late", late).unwrap();
    service.control().seed_file_dated("a", b"early!", early).unwrap();
    let remote = service.remote();
    assert_eq!(files(&remote, "").await.len(), 2);
    let found = remote.entry(&path("a")).await.unwrap();
    assert_eq!(found.as_file().unwrap().size, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_file_is_refused_by_name_and_the_others_go_up() {
    for policy in ["error", "skip"] {
        let service = Service::start().await;
        let remote = service.remote_with(&[("empty_files", policy)]);
        let outcomes = remote.write(batch("", &[("a", b"1"), ("empty", b""), ("b", b"2")])).await;
        assert!(matches!(outcomes[0], Outcome::Done(_)) && matches!(outcomes[2], Outcome::Done(_)));
        assert!(
            matches!(&outcomes[1], Outcome::Failed(StorageError::EmptyFile(at)) if *at == path("empty")),
            "{:?}",
            outcomes[1]
        );
        assert_eq!(remote.info().skips_empty_files, policy == "skip");
        assert_eq!(service.tree().files.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stand_in_is_an_empty_file_to_all_above() {
    let service = Service::start().await;
    let remote = service.remote_with(&[("empty_files", "marker")]);
    for outcome in remote.write(batch("d", &[("none", b""), ("x‛‛.empty", b"1")])).await {
        outcome.into_result().unwrap();
    }
    let mut stored: Vec<_> = service.tree().files.into_iter().map(|file| (file.name, file.size)).collect();
    stored.sort();
    assert_eq!(stored, [("none‛.empty".to_owned(), 1), ("x‛‛.empty".to_owned(), 1)]);
    for remote in [remote, service.remote_with(&[("empty_files", "marker")])] {
        let listed = files(&remote, "d").await;
        let empty = listed.iter().find(|file| file.path == path("d/none")).unwrap();
        assert_eq!((empty.size, empty.whirlpool), (0, Some(fichier_storage::Whirlpool::of(b""))));
        assert!(collect(remote.read(empty, ByteRange::WHOLE).await.unwrap()).await.unwrap().is_empty());
        let other = listed.iter().find(|file| file.path == path("d/x‛‛.empty")).unwrap();
        assert_eq!(collect(remote.read(other, ByteRange::WHOLE).await.unwrap()).await.unwrap(), b"1");
    }
    // It keeps its suffix when it is moved.
    let remote = service.remote_with(&[("empty_files", "marker")]);
    let empty = files(&remote, "d").await.into_iter().find(|file| file.size == 0).unwrap();
    let there = fichier_storage::Relocation { from: empty, to: path("e/nil"), replaces: vec![] };
    remote.rename(&[there]).await.remove(0).into_result().unwrap();
    assert!(service.tree().files.iter().any(|file| file.path == "e/nil‛.empty"));
}
