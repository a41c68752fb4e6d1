//! Mounting and unmounting.

use std::{
    fs::{self, File},
    io,
};

use fichier_mount::{Mount, MountError, MountOptions};

use crate::world::{World, run};

#[test]
fn an_unmount_from_outside_ends_the_mount() {
    let Some(mut world) = World::new() else { return };
    fs::write(world.at("file"), "x").unwrap();
    run("umount", &[&world.at("")]);
    world.ended();
    assert!(fs::metadata(world.at("file")).is_err());
    assert!(!world.unmount());
}

#[test]
fn a_mount_in_use_is_taken_away_at_once() {
    let Some(mut world) = World::new() else { return };
    fs::write(world.at("file"), "x").unwrap();
    let open = File::open(world.at("file")).unwrap();
    assert!(world.unmount());
    assert_eq!(fs::metadata(world.at("file")).unwrap_err().kind(), io::ErrorKind::NotFound);
    drop(open);
}

#[test]
fn nothing_can_be_changed_when_it_is_read_only() {
    let Some(world) = World::with(|options, how| (options.read_only, how.read_only) = (true, true)) else {
        return;
    };
    world.store("file", b"x");
    assert_eq!(fs::read(world.at("file")).unwrap(), b"x");
    let error = fs::write(world.at("file"), "y").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ReadOnlyFilesystem);
    assert_eq!(fs::create_dir(world.at("a")).unwrap_err().kind(), io::ErrorKind::ReadOnlyFilesystem);
}

#[test]
fn a_mount_is_no_place_for_another_one() {
    let Some(world) = World::with(|_, how| how.source = "here:".to_owned()) else { return };
    let table = fs::read_to_string("/proc/self/mounts").unwrap();
    let line = table.lines().find(|line| line.contains(world.at("").to_str().unwrap().trim_end_matches('/')));
    assert!(line.unwrap().starts_with("here: "), "{line:?}");
    assert!(line.unwrap().contains("fuse.fichier"), "{line:?}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let again = runtime.block_on(Mount::new(world.vfs.clone(), &world.at(""), &MountOptions::default()));
    assert!(matches!(again, Err(MountError::AlreadyMounted(_))), "{again:?}");
}
