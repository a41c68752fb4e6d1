//! Tests of how many calls things cost: exactly as many as their formulas say.

use std::collections::BTreeMap;

use fichier_emulator::FolderRename;
use fichier_storage::{File, Relocation, RemoteExt, StorageError};

use crate::service::{Service, batch, files, path};

/// Returns the number of requests to the service, by endpoint.
pub(crate) fn counted(service: &Service) -> BTreeMap<String, u64> {
    service.control().counters().into_iter().filter(|(_, count)| *count > 0).collect()
}

pub(crate) fn expected(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
    counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_listed_once_with_its_files_and_sub_folders() {
    let service = Service::start().await;
    service.control().seed_file("a/b/f", b"x").unwrap();
    let remote = service.remote();
    for _ in 0..3 {
        assert_eq!(files(&remote, "a/b").await.len(), 1);
        remote.entry(&path("a/b/f")).await.unwrap();
        remote.entry(&path("a")).await.unwrap();
    }
    assert_eq!(counted(&service), expected(&[("folder/ls", 3)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_that_want_the_same_folder_list_it_once() {
    let service = Service::start().await;
    service.control().seed_file("a/f", b"x").unwrap();
    let remote = service.remote();
    let folder = path("a");
    let lists = (0..20).map(|_| remote.entries(&folder));
    for listed in futures::future::join_all(lists).await {
        assert_eq!(listed.unwrap().len(), 1);
    }
    assert_eq!(counted(&service), expected(&[("folder/ls", 2)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_folder_go_up_in_one_request() {
    let service = Service::start().await;
    let remote = service.remote();
    let texts: Vec<String> = (0..100).map(|n| format!("f{n}")).collect();
    let contents: Vec<(&str, &[u8])> = texts.iter().map(|text| (text.as_str(), text.as_bytes())).collect();
    for outcome in remote.write(batch("new", &contents)).await {
        outcome.into_result().unwrap();
    }
    let once = [
        ("folder/ls", 1),
        ("folder/mkdir", 1),
        ("upload/get_upload_server", 1),
        ("upload.cgi", 1),
        ("end.pl", 1),
    ];
    assert_eq!(counted(&service), expected(&once));
    // Our own uploads are known: no listing after them.
    assert_eq!(files(&remote, "new").await.len(), 100);
    assert_eq!(counted(&service), expected(&once));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_just_now_is_looked_at_before_it_goes_few_by_link_and_more_by_one_listing() {
    let service = Service::start().await;
    let remote = service.remote();
    let texts: Vec<String> = (0..20).map(|n| format!("f{n}")).collect();
    let contents: Vec<(&str, &[u8])> = texts.iter().map(|text| (text.as_str(), text.as_bytes())).collect();
    for outcome in remote.write(batch("new", &contents)).await {
        outcome.into_result().unwrap();
    }
    let all = files(&remote, "new").await;
    service.control().reset_counters();
    for outcome in remote.remove(&all[..2]).await {
        outcome.into_result().unwrap();
    }
    assert_eq!(counted(&service), expected(&[("file/info", 2), ("file/rm", 1)]));
    for outcome in remote.remove(&all[2..15]).await {
        outcome.into_result().unwrap();
    }
    assert_eq!(counted(&service), expected(&[("file/info", 2), ("folder/ls", 1), ("file/rm", 2)]));
    // That listing has shown the others, too.
    let there = Relocation { from: all[15].clone(), to: path("new/g"), replaces: vec![all[16].clone()] };
    remote.rename(&[there]).await.remove(0).into_result().unwrap();
    let last = [("file/info", 2), ("folder/ls", 1), ("file/rename", 1), ("file/rm", 3)];
    assert_eq!(counted(&service), expected(&last));
    assert_eq!(service.tree().files.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_files_go_in_four_calls() {
    let service = Service::start().await;
    for n in 0..1000 {
        service.control().seed_file(&format!("d/f{n}"), b"x").unwrap();
    }
    let remote = service.remote();
    let all = files(&remote, "d").await;
    for outcome in remote.remove(&all).await {
        outcome.into_result().unwrap();
    }
    assert_eq!(counted(&service), expected(&[("folder/ls", 2), ("file/rm", 4)]));
    assert!(service.tree().files.is_empty());
    assert!(files(&remote, "d").await.is_empty());
}

/// Removes, moves with and without new names, and copies 400 files where a call takes a limited number: every file is
/// handled, and the calls are counted.
async fn counted_lists(most: Option<usize>) -> [BTreeMap<String, u64>; 4] {
    let service = Service::start_with(|builder| builder.most_items(most)).await;
    for n in 0..400 {
        service.control().seed_file(&format!("from/f{n}"), format!("{n}").as_bytes()).unwrap();
    }
    for folder in ["copied", "moved", "renamed"] {
        service.control().seed_folder(folder).unwrap();
    }
    let memory = tempfile::tempdir().unwrap();
    let relocate = |files: &[File], folder: &str, suffix: &str| -> Vec<Relocation> {
        let to = |file: &File| path(&format!("{folder}/{}{suffix}", file.path.name().unwrap()));
        files.iter().map(|file| Relocation { from: file.clone(), to: to(file), replaces: vec![] }).collect()
    };
    let mut counts = Vec::new();
    let mut count = |calls: BTreeMap<String, u64>| {
        counts.push(calls.into_iter().filter(|(name, _)| name != "folder/ls").collect());
        service.control().reset_counters();
    };
    // Each has a remote of its own, with nothing learned before.
    let remote = service.remote();
    for outcome in remote.copy(&relocate(&files(&remote, "from").await, "copied", "")).await {
        outcome.into_result().unwrap();
    }
    count(counted(&service));
    let remote = service.remote();
    for outcome in remote.rename(&relocate(&files(&remote, "from").await, "moved", "")).await {
        outcome.into_result().unwrap();
    }
    count(counted(&service));
    let remote = service.remote();
    for outcome in remote.rename(&relocate(&files(&remote, "moved").await, "renamed", ".new")).await {
        outcome.into_result().unwrap();
    }
    count(counted(&service));
    // The last one remembers what the one before it learned.
    let remote = service.remote_remembering(&[], memory.path());
    for outcome in remote.remove(&files(&remote, "copied").await).await {
        outcome.into_result().unwrap();
    }
    drop(remote);
    service.control().reset_counters();
    let remote = service.remote_remembering(&[], memory.path());
    for outcome in remote.remove(&files(&remote, "renamed").await).await {
        outcome.into_result().unwrap();
    }
    count(counted(&service));
    assert!(service.tree().files.is_empty());
    counts.try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_double_where_the_service_takes_any_length() {
    let [copied, moved, renamed, removed] = counted_lists(None).await;
    // 100, 200, 100.
    assert_eq!(copied, expected(&[("file/cp", 3)]));
    assert_eq!(moved, expected(&[("file/mv", 3)]));
    assert_eq!(renamed, expected(&[("file/mv", 3), ("file/rename", 3)]));
    assert_eq!(removed, expected(&[("file/rm", 3)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_stay_at_the_length_that_the_service_takes() {
    for most in [100, 150] {
        let [copied, moved, renamed, removed] = counted_lists(Some(most)).await;
        // 100, 200 refused, 100 three times.
        assert_eq!(copied, expected(&[("file/cp", 5)]), "{most}");
        assert_eq!(moved, expected(&[("file/mv", 5)]), "{most}");
        assert_eq!(renamed, expected(&[("file/mv", 5), ("file/rename", 4)]), "{most}");
        // The limit is known from the run before.
        assert_eq!(removed, expected(&[("file/rm", 4)]), "{most}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_a_proxy_finds_too_large_goes_in_halves() {
    let service = Service::start().await;
    for n in 0..300 {
        service.control().seed_file(&format!("d/f{n}"), b"x").unwrap();
    }
    service.control().add_fault("endpoint=file/rm,kind=status:413,times=1".parse().unwrap());
    let remote = service.remote();
    for outcome in remote.remove(&files(&remote, "d").await).await {
        outcome.into_result().unwrap();
    }
    // 100 refused, 50 six times.
    assert_eq!(counted(&service), expected(&[("folder/ls", 2), ("file/rm", 7)]));
    assert!(service.tree().files.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_to_a_removal_costs_one_try_and_one_look() {
    let service = Service::start().await;
    for n in 0..400 {
        service.control().seed_file(&format!("d/f{n}"), b"x").unwrap();
    }
    let remote = service.remote();
    let all = files(&remote, "d").await;
    // The second of the lists of 100, 200 and 100 fails.
    service.control().add_fault("endpoint=file/rm,kind=lost-answer,after=1,times=1".parse().unwrap());
    for outcome in remote.remove(&all).await {
        outcome.into_result().unwrap();
    }
    assert_eq!(counted(&service), expected(&[("folder/ls", 3), ("file/rm", 4)]));
    assert!(service.tree().files.is_empty());
    assert!(files(&remote, "d").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_in_few_folders_is_looked_up_and_not_asked_for_again_and_again() {
    let service = Service::start().await;
    for n in 0..8 {
        service.control().seed_file(&format!("d{n}/f"), b"x").unwrap();
    }
    let remote = service.remote();
    let mut all = Vec::new();
    for n in 0..8 {
        all.extend(files(&remote, &format!("d{n}")).await);
    }
    service.control().add_fault("endpoint=file/rm,kind=lost-answer,times=1".parse().unwrap());
    for outcome in remote.remove(&all).await {
        outcome.into_result().unwrap();
    }
    // The list, once more, which is refused, and a listing of each folder.
    assert_eq!(counted(&service), expected(&[("folder/ls", 17), ("file/rm", 2)]));
    assert!(service.tree().files.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_a_list_that_somebody_removed_costs_one_refusal_and_one_look() {
    let service = Service::start().await;
    for n in 0..64 {
        service.control().seed_file(&format!("d/f{n:02}"), format!("{n}").as_bytes()).unwrap();
    }
    service.control().seed_folder("e").unwrap();
    for way in ["copy", "move", "remove"] {
        let (remote, other) = (service.remote(), service.remote());
        let all = files(&remote, "d").await;
        let gone = files(&other, "d").await.swap_remove(5);
        other.remove(&[gone]).await.remove(0).into_result().unwrap();
        service.control().reset_counters();
        let to = |file: &File| path(&format!("e/{way} {}", file.path.name().unwrap()));
        let relocations: Vec<_> = all
            .iter()
            .map(|file| Relocation { from: file.clone(), to: to(file), replaces: Vec::new() })
            .collect();
        let failed = match way {
            "copy" => remote.copy(&relocations).await.iter().filter(|outcome| !outcome.is_done()).count(),
            "move" => {
                remote.rename(&relocations[..30]).await.iter().filter(|outcome| !outcome.is_done()).count()
            }
            _ => remote.remove(&all).await.iter().filter(|outcome| !outcome.is_done()).count(),
        };
        assert_eq!(failed, usize::from(way != "remove"), "{way}");
        let calls = counted(&service);
        let of = |endpoint: &str| calls.get(endpoint).copied().unwrap_or(0);
        // The list, and again without the one file.
        assert_eq!(of("file/cp") + of("file/mv") + of("file/rm"), 2, "{way}: {calls:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_replaced_once() {
    let service = Service::start().await;
    service.control().seed_file("f", b"x").unwrap();
    service.control().add_fault("endpoint=download,kind=expired-token".parse().unwrap());
    let remote = service.remote();
    let file = files(&remote, "").await.remove(0);
    let range = fichier_storage::ByteRange::WHOLE;
    fichier_storage::collect(remote.read(&file, range).await.unwrap()).await.unwrap_err();
    let calls = [("folder/ls", 1), ("download/get_token", 2), ("download", 2)];
    assert_eq!(counted(&service), expected(&calls));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_to_a_move_costs_one_try() {
    let service = Service::start().await;
    for n in 0..400 {
        service.control().seed_file(&format!("d/f{n}"), b"x").unwrap();
    }
    let remote = service.remote();
    let steps: Vec<Relocation> = files(&remote, "d").await.into_iter().map(elsewhere).collect();
    service.control().add_fault("endpoint=file/mv,kind=lost-answer,times=1".parse().unwrap());
    for outcome in remote.rename(&steps).await {
        outcome.into_result().unwrap();
    }
    assert_eq!(counted(&service).get("file/mv"), Some(&4));
    assert_eq!(files(&remote, "e").await.len(), 400);
}

/// Makes a relocation into the folder `e`, under the file's own name.
fn elsewhere(file: File) -> Relocation {
    let name = file.path.name().unwrap();
    Relocation { to: path("e").join(&name), from: file, replaces: Vec::new() }
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_and_moves_go_in_lists() {
    let service = Service::start().await;
    for n in 0..150 {
        service.control().seed_file(&format!("from/f{n}"), format!("{n}").as_bytes()).unwrap();
    }
    let remote = service.remote();
    let relocate = |files: &[fichier_storage::File], folder: &str, suffix: &str| -> Vec<Relocation> {
        let to =
            |file: &fichier_storage::File| path(&format!("{folder}/{}{suffix}", file.path.name().unwrap()));
        files.iter().map(|file| Relocation { from: file.clone(), to: to(file), replaces: vec![] }).collect()
    };
    let sources = files(&remote, "from").await;
    service.control().reset_counters();
    for outcome in remote.copy(&relocate(&sources, "copies", "")).await {
        outcome.into_result().unwrap();
    }
    assert_eq!(counted(&service), expected(&[("folder/mkdir", 1), ("file/cp", 2)]));
    service.control().reset_counters();
    for outcome in remote.rename(&relocate(&sources, "moved", ".bak")).await {
        outcome.into_result().unwrap();
    }
    // The copies went by 100 and 50, so now all may go at once.
    let calls = [("folder/mkdir", 1), ("file/mv", 1), ("file/rename", 1)];
    assert_eq!(counted(&service), expected(&calls));
    let tree = service.tree();
    let count = |start: &str| tree.files.iter().filter(|file| file.path.starts_with(start)).count();
    assert_eq!((count("from/"), count("copies/"), count("moved/")), (0, 150, 150));
    assert!(tree.files.iter().any(|file| file.path == "moved/f149.bak"));
    assert_eq!(files(&remote, "from").await.len(), 0);
    assert_eq!(files(&remote, "moved").await.len(), 150);
}

/// Starts a service that takes one call that moves and renames as `way` says.
async fn service_where_renaming(way: FolderRename) -> Service {
    Service::start_with(|builder| builder.folder_rename(way)).await
}

fn paths(service: &Service) -> Vec<String> {
    let mut paths: Vec<_> = service.tree().files.into_iter().map(|file| file.path).collect();
    paths.sort();
    paths
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_moved_and_renamed_by_a_call_each_and_spares_its_namesakes() {
    for way in [FolderRename::Moves, FolderRename::Stays] {
        let service = service_where_renaming(way).await;
        service.control().seed_file("a/x/f", b"moves").unwrap();
        service.control().seed_file("a/y/f", b"stays").unwrap();
        service.control().seed_folder("b").unwrap();
        let remote = service.remote();
        let calls = || service.control().counters()["folder/mv"];
        remote.rename_folder(&path("a/x"), &path("b/x")).await.unwrap();
        assert_eq!(calls(), 1);
        remote.rename_folder(&path("b/x"), &path("b/w")).await.unwrap();
        assert_eq!(calls(), 2);
        remote.rename_folder(&path("b/w"), &path("a/z")).await.unwrap();
        assert_eq!(calls(), 4);
        // `a/z` becomes `b/y`, while `a/y` is there: one call would destroy it.
        remote.rename_folder(&path("a/z"), &path("b/y")).await.unwrap();
        assert_eq!(calls(), 6);
        assert_eq!(paths(&service), ["a/y/f", "b/y/f"], "{way}");
        // `b/y` becomes `a/v`: moved first, it would meet `a/y`.
        remote.rename_folder(&path("b/y"), &path("a/v")).await.unwrap();
        assert_eq!(calls(), 8);
        assert_eq!(paths(&service), ["a/v/f", "a/y/f"], "{way}");
        assert_eq!(files(&remote, "a/v").await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_would_meet_a_namesake_on_either_way_stays() {
    for way in [FolderRename::Moves, FolderRename::Stays] {
        let service = service_where_renaming(way).await;
        let before = ["a/x/f", "a/y/f", "b/x/f"];
        before.iter().for_each(|file| _ = service.control().seed_file(file, file.as_bytes()).unwrap());
        let remote = service.remote();
        let moved = remote.rename_folder(&path("a/x"), &path("b/y")).await;
        assert!(matches!(moved, Err(StorageError::AlreadyExists(_))), "{moved:?}");
        assert_eq!(service.control().counters().get("folder/mv").copied().unwrap_or(0), 0);
        assert_eq!(paths(&service), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_whose_second_call_fails_is_put_back_or_its_place_is_known() {
    for (times, left) in [("1", "a/x/f"), ("2", "b/x/f")] {
        for way in [FolderRename::Moves, FolderRename::Stays] {
            let service = service_where_renaming(way).await;
            service.control().seed_file("a/x/f", b"moves").unwrap();
            service.control().seed_folder("b").unwrap();
            let refused = format!(
                "endpoint=folder/mv,after=1,times={times},kind=refusal:403:Resource not allowed #631"
            );
            service.control().add_fault(refused.parse().unwrap());
            let remote = service.remote();
            remote.rename_folder(&path("a/x"), &path("b/y")).await.unwrap_err();
            assert_eq!(paths(&service), [left], "{way}");
            // The remote knows where it is, and so it continues.
            let now = path(left).parent().unwrap();
            remote.rename_folder(&now, &path("b/y")).await.unwrap();
            assert_eq!(paths(&service), ["b/y/f"], "{way}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_token_serves_all_ranges_of_a_file() {
    let service = Service::start().await;
    service.control().seed_file("f", &[7; 1000]).unwrap();
    let remote = service.remote();
    let file = files(&remote, "").await.remove(0);
    for start in [0, 100, 900] {
        let range = fichier_storage::ByteRange { start, end: Some(start + 50) };
        let bytes = fichier_storage::collect(remote.read(&file, range).await.unwrap()).await.unwrap();
        assert_eq!(bytes, [7; 50]);
    }
    let calls = [("folder/ls", 1), ("download/get_token", 1), ("download", 3)];
    assert_eq!(counted(&service), expected(&calls));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_folder_is_read_in_windows_to_the_last_file() {
    let service = Service::start_with(|builder| builder.listing_cap(Some(50))).await;
    let start = jiff_timestamp(1_700_000_000);
    for n in 0..230_i64 {
        let date = start.checked_add(std::time::Duration::from_secs((n / 7).unsigned_abs())).unwrap();
        service.control().seed_file_dated(&format!("d/f{n}"), b"x", date).unwrap();
    }
    let remote = service.remote_capped(50);
    assert_eq!(files(&remote, "d").await.len(), 230);
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_lose_no_file_where_french_clocks_change() {
    let cap = 9;
    // These are 2024-10-27, 00:00 UTC, and 2024-03-31, 00:00 UTC: an hour before the change.
    for change in [1_729_987_200, 1_711_843_200] {
        for french in [true, false] {
            let service = Service::start_with(|builder| {
                let builder = builder.listing_cap(Some(cap));
                if french { builder.french_dates() } else { builder }
            })
            .await;
            // Every quarter of an hour, from an hour before the unusual hours to an hour after them.
            for n in -4..12_i64 {
                let date = jiff_timestamp(change + n * 900 - 1);
                service.control().seed_file_dated(&format!("d/f{n}"), b"x", date).unwrap();
            }
            assert_eq!(files(&service.remote_capped(cap), "d").await.len(), 16, "{change} {french}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dates_are_shown_as_if_they_were_utc_unless_they_are_to_be_french() {
    let service = Service::start_with(fichier_emulator::Builder::french_dates).await;
    for (name, seconds, ahead) in [("winter", 1_700_000_000, 3600), ("summer", 1_690_000_000, 7200)] {
        service.control().seed_file_dated(name, b"x", jiff_timestamp(seconds)).unwrap();
        let at = |seconds: i64| {
            Some(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds.unsigned_abs()))
        };
        for (dates, shown) in [("utc", seconds + ahead), ("paris", seconds)] {
            let remote = service.remote_with(&[("dates", dates)]);
            let file = files(&remote, "").await.into_iter().find(|file| file.path == path(name)).unwrap();
            assert_eq!((file.modified, file.moment()), (at(shown), at(seconds)), "{name} {dates}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_cannot_be_completed_is_an_error() {
    let service = Service::start_with(|builder| builder.listing_cap(Some(50))).await;
    for n in 0..120 {
        let date = jiff_timestamp(1_700_000_000);
        service.control().seed_file_dated(&format!("d/f{n}"), b"x", date).unwrap();
    }
    let error = service.remote_capped(50).entries(&path("d")).await.unwrap_err();
    assert!(matches!(error, fichier_storage::StorageError::IncompleteListing { total: 120, .. }), "{error}");
}

fn jiff_timestamp(seconds: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(seconds).unwrap()
}
