use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn file(code: u32, name: &str) -> KnownFile {
    KnownFile {
        link: FileLink::from_code(&format!("code{code}")).unwrap(),
        name: Name::new(name).unwrap(),
        size: 1,
        whirlpool: None,
        date: None,
        media_type: None,
        stands_for_empty: false,
        marks: Marks::default(),
        reported: false,
    }
}

fn folder(id: u64, name: &str) -> KnownFolder {
    KnownFolder { id: FolderId(id), name: Name::new(name).unwrap(), date: None }
}

const ROOT: FolderId = FolderId::ROOT;

/// Of a listing that was asked for before all that we did.
const BEFORE: SystemTime = SystemTime::UNIX_EPOCH;

const LAG: Duration = Duration::from_secs(300);

/// Of a listing that is asked for so long after all that we did that it shows it.
fn later() -> SystemTime {
    SystemTime::now() + LAG + Duration::from_secs(1)
}

fn names(catalogue: &mut Catalogue, folder: FolderId) -> Vec<String> {
    catalogue.names(folder).into_keys().collect()
}

#[test]
fn a_later_listing_counts_more_than_what_we_did() {
    let mut catalogue = Catalogue::new(LAG);
    catalogue.take_listing(ROOT, vec![file(9, "theirs")], vec![folder(8, "old")], BEFORE);
    catalogue.note_file(ROOT, file(1, "new"));
    catalogue.note_file_gone(ROOT, file(9, "theirs").link);
    catalogue.note_new_folder(ROOT, folder(7, "made"));
    catalogue.note_folder_gone(FolderId(8));
    // It may lag behind.
    let soon = SystemTime::now() + LAG / 2;
    catalogue.take_listing(ROOT, vec![file(9, "theirs")], vec![folder(8, "old")], soon);
    assert_eq!(names(&mut catalogue, ROOT), ["made", "new"]);
    assert!(!catalogue.is_known_since(ROOT, soon, later()), "it is no newer than what stands against it");
    assert!(catalogue.is_known_since(ROOT, later(), soon), "but the service would give nothing newer");
    // Somebody else took ours away, and put theirs back.
    catalogue.take_listing(ROOT, vec![file(9, "theirs")], vec![folder(8, "old")], later());
    assert_eq!(names(&mut catalogue, ROOT), ["old", "theirs"]);
    catalogue.take_listing(ROOT, vec![], vec![], BEFORE);
    assert!(names(&mut catalogue, ROOT).is_empty(), "nothing of ours is left to stand against it");
}

#[test]
fn a_folder_that_we_made_or_moved_is_where_a_later_listing_tells() {
    let mut catalogue = Catalogue::new(LAG);
    catalogue.take_listing(ROOT, vec![], vec![folder(1, "a"), folder(2, "b"), folder(5, "d")], BEFORE);
    catalogue.note_moved_folder(FolderId(1), folder(5, "d"));
    catalogue.take_listing(FolderId(2), vec![], vec![folder(5, "theirs")], later());
    assert!(names(&mut catalogue, FolderId(1)).is_empty());
    assert_eq!(names(&mut catalogue, FolderId(2)), ["theirs"]);
    // One that we made is known from when we made it, not for ever.
    catalogue.note_new_folder(ROOT, folder(9, "made"));
    assert!(catalogue.is_known_since(FolderId(9), BEFORE, later()));
    assert!(!catalogue.is_known_since(FolderId(9), later(), later()));
}

#[test]
fn what_somebody_else_changed_is_told_once() {
    let mut catalogue = Catalogue::new(LAG);
    let mut seen = 0;
    let mut changed = |catalogue: &mut Catalogue| {
        let changed = catalogue.changed_since(std::mem::replace(&mut seen, catalogue.changes().count()));
        changed.folders.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    catalogue.take_listing(ROOT, vec![file(1, "f")], vec![folder(1, "a"), folder(2, "b")], BEFORE);
    catalogue.take_listing(FolderId(1), vec![], vec![folder(3, "in")], BEFORE);
    catalogue.take_listing(FolderId(2), vec![file(2, "f")], vec![], BEFORE);
    assert!(changed(&mut catalogue).is_empty(), "nothing was known before");
    // What we did is no news, whether a listing shows it or not.
    catalogue.note_file(FolderId(2), file(3, "ours"));
    catalogue.take_listing(FolderId(2), vec![file(2, "f")], vec![], SystemTime::now());
    catalogue.take_listing(FolderId(2), vec![file(2, "f"), file(3, "ours")], vec![], later());
    assert!(changed(&mut catalogue).is_empty());
    // A folder went from one to the other.
    catalogue.forget(FolderId(2));
    catalogue.take_listing(FolderId(2), vec![file(2, "f"), file(3, "ours")], vec![folder(3, "in")], later());
    assert_eq!(changed(&mut catalogue), ["a", "b"]);
    let renamed = file(2, "renamed");
    catalogue.take_listing(FolderId(2), vec![renamed, file(3, "ours")], vec![folder(3, "in")], later());
    catalogue.take_listing(ROOT, vec![], vec![folder(1, "a"), folder(2, "b")], later());
    assert_eq!(changed(&mut catalogue), ["", "b"]);
    assert!(changed(&mut catalogue).is_empty());
    // Told by others that it changed, it is nothing that a listing could differ from.
    catalogue.note_changed(FolderId(1), RemotePath::root());
    assert!(!catalogue.is_complete(FolderId(1)));
    catalogue.take_listing(FolderId(1), vec![file(7, "f")], vec![], later());
    assert_eq!(changed(&mut catalogue), ["a"]);
}

#[test]
fn own_changes_outlive_an_older_listing() {
    let mut catalogue = Catalogue::default();
    catalogue.note_file(ROOT, file(1, "new"));
    catalogue.note_file_gone(ROOT, file(2, "old").link);
    catalogue.note_new_folder(ROOT, folder(7, "made"));
    catalogue.take_listing(ROOT, vec![file(2, "old"), file(3, "other")], vec![folder(8, "there")], BEFORE);
    let names: Vec<_> = catalogue.names(ROOT).into_keys().collect();
    assert_eq!(names, ["made", "new", "other", "there"]);
    assert!(catalogue.is_complete(FolderId(7)) && catalogue.is_empty(FolderId(7)));
    assert!(!catalogue.is_complete(FolderId(8)));
}

#[test]
fn a_later_listing_forgets_what_others_removed() {
    let mut catalogue = Catalogue::default();
    catalogue.take_listing(ROOT, vec![file(1, "a"), file(2, "b")], vec![folder(5, "d")], BEFORE);
    catalogue.take_listing(ROOT, vec![file(2, "b")], vec![], BEFORE);
    assert_eq!(catalogue.names(ROOT).into_keys().collect::<Vec<_>>(), ["b"]);
}

#[test]
fn a_renamed_folder_keeps_its_name_and_contents() {
    let mut catalogue = Catalogue::default();
    catalogue.take_listing(ROOT, vec![], vec![folder(5, "old"), folder(6, "to")], BEFORE);
    catalogue.take_listing(FolderId(5), vec![file(1, "a")], vec![], BEFORE);
    catalogue.note_moved_folder(FolderId(6), folder(5, "new"));
    assert_eq!(catalogue.names(ROOT).into_keys().collect::<Vec<_>>(), ["to"]);
    catalogue.take_listing(FolderId(6), vec![], vec![folder(5, "old")], BEFORE);
    assert_eq!(catalogue.names(FolderId(6)).into_keys().collect::<Vec<_>>(), ["new"]);
    assert_eq!(catalogue.names(FolderId(5)).into_keys().collect::<Vec<_>>(), ["a"]);
    catalogue.take_listing(ROOT, vec![], vec![folder(5, "old"), folder(6, "to")], BEFORE);
    assert_eq!(catalogue.names(ROOT).into_keys().collect::<Vec<_>>(), ["to"]);
}

#[test]
fn files_of_many_folders_are_known_and_few_are_in_memory() {
    let mut catalogue = Catalogue::default();
    let folders = 2000;
    for id in 1..=folders {
        let files = (0..10).map(|n| file(u32::try_from(id).unwrap() * 100 + n, "f")).collect();
        catalogue.take_listing(FolderId(id), files, vec![], BEFORE);
    }
    let in_memory = |catalogue: &Catalogue| {
        catalogue.folders.values().map(|contents| contents.files.len()).sum::<usize>()
    };
    assert!(in_memory(&catalogue) <= FILES_AT_HAND);
    // Changes made while a folder is in the spill file stay, and our own changes outlive a listing from before them.
    for id in 1..=folders {
        let number = u32::try_from(id).unwrap() * 100;
        catalogue.note_file_gone(FolderId(id), file(number, "f").link);
        catalogue.note_file(FolderId(id), file(number + 50, "own"));
    }
    for id in 1..=folders {
        let number = u32::try_from(id).unwrap() * 100;
        assert!(catalogue.is_complete(FolderId(id)) && !catalogue.is_empty(FolderId(id)));
        assert_eq!(catalogue.files(FolderId(id)).unwrap().count(), 10);
        assert!(catalogue.file(FolderId(id), &file(number, "f").link).unwrap().is_none());
        catalogue.take_listing(FolderId(id), vec![file(number, "f"), file(number + 1, "f")], vec![], BEFORE);
    }
    for id in (1..=folders).rev() {
        assert_eq!(catalogue.names(FolderId(id)), [("f".to_owned(), 1), ("own".to_owned(), 1)].into());
    }
    assert!(in_memory(&catalogue) <= FILES_AT_HAND);
    assert_eq!(catalogue.files_at_hand, in_memory(&catalogue));
}

#[test]
fn a_folder_larger_than_the_memory_is_whole() {
    let mut catalogue = Catalogue::default();
    let many = u32::try_from(FILES_AT_HAND).unwrap() * 2;
    for id in [1, 2] {
        catalogue.take_listing(FolderId(id), (0..many).map(|n| file(n, "f")).collect(), vec![], BEFORE);
    }
    assert_eq!(catalogue.files(FolderId(1)).unwrap().count(), FILES_AT_HAND * 2);
    assert_eq!(catalogue.files(FolderId(2)).unwrap().count(), FILES_AT_HAND * 2);
}

#[test]
fn names_may_repeat() {
    let mut catalogue = Catalogue::default();
    catalogue.take_listing(
        ROOT,
        vec![file(1, "a"), file(2, "a")],
        vec![folder(9, "d"), folder(4, "d")],
        BEFORE,
    );
    assert_eq!(catalogue.names(ROOT)["a"], 2);
    let named: Vec<_> = catalogue.folders_named(ROOT, &Name::new("d").unwrap()).collect();
    assert_eq!(named, [FolderId(4), FolderId(9)]);
}

#[test]
fn what_is_found_by_name_is_not_searched_for_among_its_siblings() {
    let mut catalogue = Catalogue::default();
    let many = 2000;
    let name = |kind: &str, number: u32| Name::new(format!("{kind}{number}")).unwrap();
    let files = (0..many).map(|number| file(number, &format!("f{number}"))).collect();
    let folders = (0..many).map(|number| folder(u64::from(number) + 1, &format!("d{number}"))).collect();
    catalogue.take_listing(ROOT, files, folders, BEFORE);
    catalogue.looked_at = LookedAt::default();
    for number in 0..many {
        assert_eq!(catalogue.folders_named(ROOT, &name("d", number)).count(), 1);
        assert_eq!(catalogue.files_named(ROOT, &name("f", number)).unwrap().count(), 1);
        // Files that change meanwhile are found as well, and as fast.
        catalogue.note_file(ROOT, file(number + many, &format!("new{number}")));
        catalogue.note_file_gone(ROOT, file(number, "f").link);
        assert_eq!(catalogue.files_named(ROOT, &name("new", number)).unwrap().count(), 1);
        assert_eq!(catalogue.files_named(ROOT, &name("f", number)).unwrap().count(), 0);
        let before = catalogue.folder(FolderId(u64::from(number) + 1)).unwrap().clone();
        catalogue.note_moved_folder(ROOT, KnownFolder { name: name("moved", number), ..before });
        assert_eq!(catalogue.folders_named(ROOT, &name("moved", number)).count(), 1);
        assert_eq!(catalogue.folders_named(ROOT, &name("d", number)).count(), 0);
    }
    // One step for each file that was found: with searches it would be thousands for each.
    assert_eq!(catalogue.looked_at.count.get(), 4 * usize::try_from(many).unwrap());
}

#[test]
fn whether_a_folder_is_known_takes_no_reading_and_what_cannot_be_read_is_lost_until_it_is_listed() {
    let mut catalogue = Catalogue::default();
    let folders = u64::try_from(FILES_AT_HAND).unwrap() + 10;
    for id in 1..=folders {
        catalogue.take_listing(FolderId(id), vec![file(u32::try_from(id).unwrap(), "f")], vec![], BEFORE);
    }
    catalogue.spill.spoil();
    let first = FolderId(1);
    assert!(catalogue.is_complete(first) && catalogue.is_seen(first) && !catalogue.is_empty(first));
    assert_eq!(catalogue.files(first).err(), Some(ContentsLost(first)));
    assert!(!catalogue.is_complete(first) && !catalogue.is_seen(first) && !catalogue.is_empty(first));
    // It stays lost for everyone, whatever we put there meanwhile.
    catalogue.note_file(first, file(7_000, "own"));
    assert!(catalogue.files_named(first, &Name::new("f").unwrap()).is_err());
    assert!(catalogue.file(first, &file(7_000, "own").link).is_err());
    catalogue.take_listing(first, vec![file(1, "f")], vec![], BEFORE);
    assert_eq!(catalogue.names(first), [("f".to_owned(), 1), ("own".to_owned(), 1)].into());
    // From here on nothing more is written there.
    for id in (1..=folders).rev() {
        catalogue.take_listing(FolderId(id), vec![file(u32::try_from(id).unwrap(), "f")], vec![], BEFORE);
    }
    for id in 2..=folders {
        assert_eq!(catalogue.files(FolderId(id)).unwrap().count(), 1);
    }
}

#[test]
fn a_folder_that_others_renamed_and_we_move_stands_where_we_put_it_alone() {
    let mut catalogue = Catalogue::default();
    catalogue.take_listing(ROOT, vec![], vec![folder(1, "from"), folder(2, "to"), folder(5, "old")], BEFORE);
    // Somebody else has moved and renamed it since.
    catalogue.take_listing(FolderId(1), vec![], vec![folder(5, "theirs")], BEFORE);
    catalogue.note_moved_folder(FolderId(2), folder(5, "ours"));
    assert!(catalogue.names(FolderId(1)).is_empty());
    assert_eq!(catalogue.names(FolderId(2)).into_keys().collect::<Vec<_>>(), ["ours"]);
    catalogue.note_moved_folder(ROOT, folder(5, "back"));
    assert_eq!(catalogue.names(ROOT).into_keys().collect::<Vec<_>>(), ["back", "from", "to"]);
    assert_eq!(catalogue.folders_named(ROOT, &Name::new("old").unwrap()).count(), 0);
    catalogue.note_folder_gone(FolderId(5));
    assert_eq!(catalogue.names(ROOT).into_keys().collect::<Vec<_>>(), ["from", "to"]);
}

#[derive(Debug, Clone)]
enum Step {
    Upload(u32),
    Remove(u32),
    /// Somebody else's.
    TheirUpload(u32),
    TheirRemove(u32),
    /// A listing as the service stood this many steps ago.
    List(usize),
    /// A listing of now that was asked for so late that it counts.
    ListLater,
}

fn steps(theirs: bool) -> impl Strategy<Value = Vec<Step>> {
    let theirs = u32::from(theirs);
    let step = prop_oneof![
        3 => (0..8u32).prop_map(Step::Upload),
        3 => (0..8u32).prop_map(Step::Remove),
        3 * theirs => (0..8u32).prop_map(Step::TheirUpload),
        3 * theirs => (0..8u32).prop_map(Step::TheirRemove),
        3 => (0..5usize).prop_map(Step::List),
        2 * theirs => Just(Step::ListLater),
    ];
    proptest::collection::vec(step, 0..40)
}

/// What the catalogue knows and what the service has, after the steps and a last listing.
fn after(steps: Vec<Step>, last: Step) -> Result<(), TestCaseError> {
    let mut service: BTreeSet<u32> = [100, 101].into();
    let mut history = vec![service.clone()];
    let mut catalogue = Catalogue::new(LAG);
    let is_used = |history: &[BTreeSet<u32>], code| history.iter().any(|state| state.contains(&code));
    let listed = |state: &BTreeSet<u32>| state.iter().map(|code| file(*code, "f")).collect::<Vec<_>>();
    for step in steps.into_iter().chain([last]) {
        match step {
            // A link is never given out twice.
            Step::Upload(code) if !is_used(&history, code) => {
                service.insert(code);
                catalogue.note_file(ROOT, file(code, "f"));
            }
            Step::TheirUpload(code) if !is_used(&history, code) => {
                service.insert(code);
            }
            Step::Remove(code) if service.remove(&code) => {
                catalogue.note_file_gone(ROOT, file(code, "f").link);
            }
            Step::TheirRemove(code) => {
                service.remove(&code);
            }
            Step::List(lag) => {
                let seen = &history[history.len().saturating_sub(lag + 1)];
                catalogue.take_listing(ROOT, listed(seen), vec![], SystemTime::now());
            }
            Step::ListLater => catalogue.take_listing(ROOT, listed(&service), vec![], later()),
            _ => {}
        }
        history.push(service.clone());
    }
    let known: BTreeSet<String> = catalogue.files(ROOT).unwrap().map(|f| f.link.code().to_owned()).collect();
    prop_assert_eq!(known, service.iter().map(|c| format!("code{c}")).collect::<BTreeSet<_>>());
    Ok(())
}

proptest! {
    /// Whatever the order of our own changes and of listings that lag behind them, the catalogue ends with the
    /// service's state, as long as no one else changes the account.
    #[test]
    fn agrees_with_the_service_however_listings_lag(steps in steps(false)) {
        after(steps, Step::List(usize::MAX - 1))?;
    }

    /// Whoever changed the account, a listing that is asked for late enough ends all doubt.
    #[test]
    fn agrees_with_the_service_whoever_changed_it_once_a_later_listing_came(steps in steps(true)) {
        after(steps, Step::ListLater)?;
    }
}
