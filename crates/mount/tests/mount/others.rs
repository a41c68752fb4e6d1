//! What somebody else changes at the service.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt as _,
};

use crate::world::{World, names};

#[test]
fn a_content_that_somebody_else_changed_is_read_anew() {
    let Some(world) = World::new() else { return };
    world.store("file", b"first");
    assert_eq!(fs::read(world.at("file")).unwrap(), b"first");
    let old = File::open(world.at("file")).unwrap();
    world.store("file", b"other");
    world.refresh();
    // Of the same length, and all at once: neither size nor time tells the kernel.
    assert_eq!(fs::read(world.at("file")).unwrap(), b"other");
    drop(old);
    assert_eq!(fs::read(world.at("file")).unwrap(), b"other");
}

#[test]
fn names_that_somebody_else_made_or_took_away_are_told() {
    let Some(world) = World::with(|_, how| how.attr_timeout = std::time::Duration::from_secs(3600)) else {
        return;
    };
    world.store("a", b"a");
    assert_eq!(names(&world.at("")), ["a"]);
    assert!(fs::metadata(world.at("b")).is_err());
    world.store("b", b"b");
    world.refresh();
    assert_eq!(fs::read(world.at("b")).unwrap(), b"b");
    assert_eq!(names(&world.at("")), ["a", "b"]);
}

#[test]
fn of_several_files_of_one_name_one_is_shown() {
    let Some(world) = World::new() else { return };
    world.store("twice", b"1");
    world.store("twice", b"22");
    assert_eq!(names(&world.at("")), ["twice"]);
}

#[test]
fn pages_of_a_file_that_was_closed_are_read_again_from_the_kernel() {
    let Some(world) = World::new() else { return };
    world.store("file", &vec![7; 1 << 20]);
    let mut byte = [0];
    for _ in 0..3 {
        File::open(world.at("file")).unwrap().read_exact_at(&mut byte, 5).unwrap();
        assert_eq!(byte, [7]);
    }
}
