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
        reported: false,
    }
}

fn folder(id: u64, name: &str) -> KnownFolder {
    KnownFolder { id: FolderId(id), name: Name::new(name).unwrap(), date: None }
}

const ROOT: FolderId = FolderId::ROOT;

#[test]
fn own_changes_outlive_an_older_listing() {
    let mut catalogue = Catalogue::default();
    catalogue.note_file(ROOT, file(1, "new"));
    catalogue.note_file_gone(ROOT, file(2, "old").link);
    catalogue.note_new_folder(ROOT, folder(7, "made"));
    catalogue.take_listing(ROOT, vec![file(2, "old"), file(3, "other")], vec![folder(8, "there")]);
    let names: Vec<_> = catalogue.names(ROOT).into_keys().collect();
    assert_eq!(names, ["made", "new", "other", "there"]);
    assert!(catalogue.is_complete(FolderId(7)) && catalogue.is_empty(FolderId(7)));
    assert!(!catalogue.is_complete(FolderId(8)));
}

#[test]
fn a_later_listing_forgets_what_others_removed() {
    let mut catalogue = Catalogue::default();
    catalogue.take_listing(ROOT, vec![file(1, "a"), file(2, "b")], vec![folder(5, "d")]);
    catalogue.take_listing(ROOT, vec![file(2, "b")], vec![]);
    assert_eq!(catalogue.names(ROOT).into_keys().collect::<Vec<_>>(), ["b"]);
}

#[test]
fn a_renamed_folder_keeps_its_name_and_contents() {
    let mut catalogue = Catalogue::default();
    catalogue.take_listing(ROOT, vec![], vec![folder(5, "old"), folder(6, "to")]);
    catalogue.take_listing(FolderId(5), vec![file(1, "a")], vec![]);
    catalogue.note_moved_folder(FolderId(6), folder(5, "new"));
    assert_eq!(catalogue.names(ROOT).into_keys().collect::<Vec<_>>(), ["to"]);
    catalogue.take_listing(FolderId(6), vec![], vec![folder(5, "old")]);
    assert_eq!(catalogue.names(FolderId(6)).into_keys().collect::<Vec<_>>(), ["new"]);
    assert_eq!(catalogue.names(FolderId(5)).into_keys().collect::<Vec<_>>(), ["a"]);
    catalogue.take_listing(ROOT, vec![], vec![folder(5, "old"), folder(6, "to")]);
    assert_eq!(catalogue.names(ROOT).into_keys().collect::<Vec<_>>(), ["to"]);
}

#[test]
fn files_of_many_folders_are_known_and_few_are_in_memory() {
    let mut catalogue = Catalogue::default();
    let folders = 2000;
    for id in 1..=folders {
        let files = (0..10).map(|n| file(u32::try_from(id).unwrap() * 100 + n, "f")).collect();
        catalogue.take_listing(FolderId(id), files, vec![]);
    }
    let in_memory = |catalogue: &Catalogue| {
        catalogue.folders.values().map(|contents| contents.files.len()).sum::<usize>()
    };
    assert!(in_memory(&catalogue) <= FILES_AT_HAND);
    // What is changed while it is in the spill file stays changed, and our own changes outlive a listing from before
    // them.
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
        catalogue.take_listing(FolderId(id), vec![file(number, "f"), file(number + 1, "f")], vec![]);
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
        catalogue.take_listing(FolderId(id), (0..many).map(|n| file(n, "f")).collect(), vec![]);
    }
    assert_eq!(catalogue.files(FolderId(1)).unwrap().count(), FILES_AT_HAND * 2);
    assert_eq!(catalogue.files(FolderId(2)).unwrap().count(), FILES_AT_HAND * 2);
}

#[test]
fn names_may_repeat() {
    let mut catalogue = Catalogue::default();
    catalogue.take_listing(ROOT, vec![file(1, "a"), file(2, "a")], vec![folder(9, "d"), folder(4, "d")]);
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
    catalogue.take_listing(ROOT, files, folders);
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
        catalogue.take_listing(FolderId(id), vec![file(u32::try_from(id).unwrap(), "f")], vec![]);
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
    catalogue.take_listing(first, vec![file(1, "f")], vec![]);
    assert_eq!(catalogue.names(first), [("f".to_owned(), 1), ("own".to_owned(), 1)].into());
    // From here on nothing more is written there.
    for id in (1..=folders).rev() {
        catalogue.take_listing(FolderId(id), vec![file(u32::try_from(id).unwrap(), "f")], vec![]);
    }
    for id in 2..=folders {
        assert_eq!(catalogue.files(FolderId(id)).unwrap().count(), 1);
    }
}

#[test]
fn a_folder_that_others_renamed_and_we_move_stands_where_we_put_it_alone() {
    let mut catalogue = Catalogue::default();
    catalogue.take_listing(ROOT, vec![], vec![folder(1, "from"), folder(2, "to"), folder(5, "old")]);
    // Someone else has moved and renamed it since.
    catalogue.take_listing(FolderId(1), vec![], vec![folder(5, "theirs")]);
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
    /// A listing of the service's state this many steps ago.
    List(usize),
}

proptest! {
    /// Whatever the order of our own changes and of listings that lag behind them, the catalogue ends with the
    /// service's state, as long as no one else changes the account.
    #[test]
    fn agrees_with_the_service_however_listings_lag(
        steps in proptest::collection::vec(
            prop_oneof![
                (0..8u32).prop_map(Step::Upload),
                (0..8u32).prop_map(Step::Remove),
                (0..5usize).prop_map(Step::List),
            ],
            0..40,
        ),
    ) {
        let mut service: BTreeSet<u32> = [100, 101].into();
        let mut history = vec![service.clone()];
        let mut catalogue = Catalogue::default();
        for step in steps {
            match step {
                Step::Upload(code) => {
                    // A link is never given out twice.
                    if history.iter().any(|state| state.contains(&code)) { continue; }
                    service.insert(code);
                    catalogue.note_file(ROOT, file(code, "f"));
                }
                Step::Remove(code) => {
                    if !service.remove(&code) { continue; }
                    catalogue.note_file_gone(ROOT, file(code, "f").link);
                }
                Step::List(lag) => {
                    let seen = &history[history.len().saturating_sub(lag + 1)];
                    catalogue.take_listing(ROOT, seen.iter().map(|c| file(*c, "f")).collect(), vec![]);
                }
            }
            history.push(service.clone());
        }
        catalogue.take_listing(ROOT, history[0].iter().map(|c| file(*c, "f")).collect(), vec![]);
        let known: BTreeSet<String> = catalogue.files(ROOT).unwrap().map(|f| f.link.code().to_owned()).collect();
        prop_assert_eq!(known, service.iter().map(|c| format!("code{c}")).collect::<BTreeSet<_>>());
    }
}
