//! Tests of data in an unexpected form: handled where possible, limited, and reported in plain words.

use std::time::{Duration, Instant};

use fichier_remotes::{network::Network, resources::Resources};
use fichier_storage::{ByteRange, Entry, Freshness, RemoteExt, Retry, StorageError, collect};
use futures::future::join_all;

use crate::service::{Service, batch, files, path};

fn with_fault(service: &Service, fault: &str) {
    service.control().add_fault(fault.parse().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_cant_be_used_is_a_gap_and_not_the_end_of_its_folder() {
    for (fault, names) in [
        ("drop-field:url", vec!["d/a", "d/b"]),
        ("field:size=9223372036854775807", vec!["d/a", "d/b"]),
        ("field:size=4000000000000000", vec!["d/a", "d/b"]),
        ("field:filename=7.5e999", vec!["d", "d"]),
        ("field:id=0", vec!["d/e"]),
    ] {
        let service = Service::start().await;
        for file in ["d/a", "d/b", "d/e/f"] {
            service.control().seed_file(file, b"1").unwrap();
        }
        let remote = service.remote();
        remote.entries(&path("")).await.unwrap();
        with_fault(&service, &format!("endpoint=folder/ls,kind={fault}"));
        let listing = remote.list(&path("d"), Freshness::SinceStart).await.unwrap();
        let mut gaps: Vec<_> = listing.gaps.iter().map(|gap| gap.path.to_string()).collect();
        gaps.sort();
        assert_eq!(gaps, names, "{fault}");
        assert_eq!(listing.entries.len(), 3 - gaps.len(), "{fault}");
        if names[0] == "d/a" {
            let error = remote.entry(&path("d/a")).await.unwrap_err();
            assert!(!matches!(error, StorageError::FileNotFound(_)), "{fault}: {error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_nobody_needs_may_hold_anything() {
    let service = Service::start().await;
    service.control().seed_file("d/a", b"1").unwrap();
    for fault in [
        r#"endpoint=folder/ls,kind=field:date="\q""#,
        "endpoint=folder/ls,kind=field:content-type=[1]",
        "endpoint=folder/ls,kind=field:pass=1e999",
        "endpoint=folder/ls,kind=field:create_date={}",
    ] {
        service.control().clear_faults();
        with_fault(&service, fault);
        let remote = service.remote();
        assert_eq!(files(&remote, "d").await.len(), 1, "{fault}");
        assert!(matches!(remote.entry(&path("d")).await.unwrap(), Entry::Folder(_)), "{fault}");
    }
    for fault in ["field:cdn=12.5", r#"field:cdn="12.50""#, "field:extended_quota=1.5", "field:email=[]"] {
        service.control().clear_faults();
        with_fault(&service, &format!("endpoint=user/info,kind={fault}"));
        let usage = service.remote().usage().await.unwrap_or_else(|error| panic!("{fault}: {error}"));
        assert!(usage.total.is_some(), "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_that_pass_are_outlived() {
    for fault in [
        "endpoint=folder/mkdir,kind=status:502,times=1",
        "endpoint=folder/mkdir,kind=message:Internal error #1,times=1",
        "endpoint=upload/get_upload_server,kind=drop-field:id,times=2",
        "endpoint=upload/get_upload_server,kind=empty,times=1",
        "endpoint=upload/get_upload_server,kind=plain:200:Software error,times=1",
        "endpoint=upload.cgi,kind=status:503,times=1",
        "endpoint=upload.cgi,kind=page:403:Your requests are too fast,times=1",
        "endpoint=upload.cgi,kind=plain:403:Flood detected: IP Locked,times=1",
        "endpoint=download/get_token,kind=drop-field:url,times=2",
        "endpoint=download/get_token,kind=message:Internal error #1,times=1",
        "endpoint=download,kind=flood,times=2",
        "endpoint=download,kind=plain:403:IP Locked,times=1",
    ] {
        let service = Service::start().await;
        let remote = service.remote_with(&[("time_scale", "1000")]);
        remote.entries(&path("")).await.unwrap();
        with_fault(&service, fault);
        let outcome = remote.write(batch("d", &[("a", b"1")])).await.remove(0);
        let file = outcome.into_result().unwrap_or_else(|error| panic!("{fault}: {error}"));
        let read = collect(remote.read(&file, ByteRange::WHOLE).await.unwrap()).await;
        assert_eq!(read.unwrap_or_else(|error| panic!("{fault}: {error}")), b"1", "{fault}");
        let tree = service.tree();
        assert_eq!(
            (tree.files.len(), tree.folders.iter().filter(|folder| folder.name == "d").count()),
            (1, 1),
            "{fault}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_address_costs_one_token_and_unknown_words_the_tokens_of_three_files() {
    for (page, words, tokens) in [
        ("Premium status must not be used on professional services", "professional services", 1),
        ("massively shared internet access", "massively shared", 1),
        // These may be about one file.
        ("Nothing for you here. Go away", "Nothing for you here.", 3),
    ] {
        let service = Service::start().await;
        for number in 0..8 {
            service.control().seed_file(&format!("f{number}"), b"1").unwrap();
        }
        with_fault(&service, &format!("endpoint=download,kind=page:403:{page}"));
        let remote = service.remote();
        let files = files(&remote, "").await;
        let read = |file| {
            let remote = remote.clone();
            async move {
                let reader = remote.reader(file);
                reader.prepare().await;
                collect(reader.stream(ByteRange::WHOLE).await.unwrap()).await.unwrap_err()
            }
        };
        for error in join_all(files.iter().map(read)).await {
            assert_eq!(error.retry(), Retry::Useless, "{error}");
            assert!(format!("{error} {:?}", std::error::Error::source(&error)).contains(words), "{error}");
        }
        let counters = service.control().counters();
        assert_eq!((counters["download/get_token"], counters["download"]), (tokens, tokens), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_without_end_and_answers_that_trickle_hold_nobody_up() {
    let service = Service::start().await;
    service.control().seed_file("d/a", b"1").unwrap();
    with_fault(&service, "endpoint=folder/ls,kind=endless");
    let began = Instant::now();
    let error = service.remote().entries(&path("")).await.unwrap_err();
    assert!(error.to_string().contains("list") && began.elapsed() < Duration::from_secs(60), "{error}");
    service.control().clear_faults();
    with_fault(&service, "endpoint=folder/ls,kind=trickle:100,times=1");
    let network = Network { idle_timeout: Duration::from_millis(500), ..Network::default() };
    let resources = Resources { network, ..Resources::default() };
    let began = Instant::now();
    let remote = service.remote_on(&resources, &[]);
    assert_eq!(remote.entries(&path("")).await.unwrap().len(), 1);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_of_an_account_is_its_owner_s_alone_to_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let service = Service::start().await;
    service.control().seed_file("d/a", b"1").unwrap();
    let home = tempfile::tempdir().unwrap();
    let memory = home.path().join("cache/accounts");
    let remote = service.remote_remembering(&[], &memory);
    remote.entries(&path("d")).await.unwrap();
    drop(remote);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&memory), 0o700);
    let kept: Vec<_> = std::fs::read_dir(&memory).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(kept.len() >= 2, "{kept:?}");
    for file in kept {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_of_a_shared_folder_names_its_option() {
    let service = Service::start().await;
    with_fault(&service, "endpoint=dir,kind=page:200:This folder is protected by a password");
    for (options, words) in [
        (vec![("shared_folder", "AbC123")], "--fichier-folder-password"),
        (
            vec![("shared_folder", "https://1fichier.com/en/dir/AbC123"), ("folder_password", "wrong-one")],
            "is wrong",
        ),
    ] {
        let error = service.remote_with(&options).entries(&path("")).await.unwrap_err();
        let hint = error.hint().unwrap_or_default();
        assert!(hint.contains(words) && hint.contains("folder_password"), "{error}: {hint}");
    }
}
