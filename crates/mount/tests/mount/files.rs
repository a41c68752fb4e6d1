//! Files and folders by the system's calls.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _},
    thread,
    time::{Duration, SystemTime},
};

use crate::world::{World, bytes, names};

#[test]
fn files_are_written_read_renamed_and_removed() {
    let Some(world) = World::new() else { return };
    fs::create_dir_all(world.at("a/b")).unwrap();
    let content = bytes(3 << 20);
    fs::write(world.at("a/b/file"), &content).unwrap();
    assert!(fs::read(world.at("a/b/file")).unwrap() == content);
    world.sync();
    assert!(fs::read(world.at("a/b/file")).unwrap() == content);
    assert_eq!(fs::metadata(world.at("a/b/file")).unwrap().len(), content.len() as u64);
    fs::rename(world.at("a/b"), world.at("a/c")).unwrap();
    fs::copy(world.at("a/c/file"), world.at("a/copy")).unwrap();
    assert!(fs::read(world.at("a/copy")).unwrap() == content);
    assert_eq!(names(&world.at("a")), ["c", "copy"]);
    let error = fs::remove_dir(world.at("a")).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::DirectoryNotEmpty);
    fs::remove_dir_all(world.at("a")).unwrap();
    assert!(names(&world.at("")).is_empty());
    world.sync();
    assert_eq!(world.vfs.status().changes, 0);
}

#[test]
fn files_are_truncated_and_appended_to() {
    let Some(world) = World::new() else { return };
    let path = world.at("file");
    fs::write(&path, b"hello world").unwrap();
    world.sync();
    OpenOptions::new().write(true).open(&path).unwrap().set_len(5).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"hello");
    let mut end = OpenOptions::new().append(true).open(&path).unwrap();
    end.write_all(b", you").unwrap();
    end.write_all(b"!").unwrap();
    drop(end);
    assert_eq!(fs::read(&path).unwrap(), b"hello, you!");
    File::create(&path).unwrap().write_all_at(b"x", 3).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"\0\0\0x");
    let room = OpenOptions::new().write(true).open(&path).unwrap();
    rustix::fs::fallocate(&room, rustix::fs::FallocateFlags::empty(), 0, 6).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"\0\0\0x\0\0");
    drop(room);
    world.sync();
    assert_eq!(fs::read(&path).unwrap(), b"\0\0\0x\0\0");
}

#[test]
fn open_files_are_renamed_and_removed() {
    let Some(world) = World::new() else { return };
    let mut renamed = File::create_new(world.at("a")).unwrap();
    renamed.write_all(b"one").unwrap();
    fs::rename(world.at("a"), world.at("b")).unwrap();
    renamed.write_all(b" two").unwrap();
    renamed.sync_all().unwrap();
    drop(renamed);
    assert_eq!(fs::read(world.at("b")).unwrap(), b"one two");
    world.sync();

    let mut removed = OpenOptions::new().read(true).write(true).open(world.at("b")).unwrap();
    fs::remove_file(world.at("b")).unwrap();
    assert!(names(&world.at("")).is_empty());
    assert_eq!(removed.metadata().unwrap().nlink(), 0);
    let mut text = String::new();
    removed.read_to_string(&mut text).unwrap();
    removed.seek(SeekFrom::Start(0)).unwrap();
    removed.write_all(b"ONE").unwrap();
    removed.seek(SeekFrom::Start(0)).unwrap();
    removed.read_to_string(&mut text).unwrap();
    assert_eq!(text, "one twoONE two");
    drop(removed);
    world.sync();
    assert_eq!(fs::metadata(world.at("b")).unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn many_readers_read_one_file_at_once() {
    let Some(world) = World::new() else { return };
    let content = bytes(4 << 20);
    world.store("large", &content);
    thread::scope(|scope| {
        for reader in 0..8 {
            let (world, content) = (&world, &content);
            scope.spawn(move || {
                let file = File::open(world.at("large")).unwrap();
                let mut block = vec![0; 64 << 10];
                for step in 0..64 {
                    let offset = (step * 7919 + reader * 104_729) * 331 % (content.len() - block.len());
                    file.read_exact_at(&mut block, offset as u64).unwrap();
                    assert!(block == content[offset..offset + block.len()], "{offset}");
                }
                assert!(fs::read(world.at("large")).unwrap() == *content);
            });
        }
    });
}

#[test]
fn attributes_are_those_of_the_options() {
    let Some(world) = World::with(|options, _| {
        (options.uid, options.gid, options.umask) = (7, 8, 0o027);
    }) else {
        return;
    };
    fs::write(world.at("file"), "x").unwrap();
    fs::create_dir(world.at("folder")).unwrap();
    let file = fs::metadata(world.at("file")).unwrap();
    assert_eq!((file.uid(), file.gid(), file.mode() & 0o7777), (7, 8, 0o640));
    assert_eq!(fs::metadata(world.at("folder")).unwrap().mode() & 0o7777, 0o750);
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    File::options().write(true).open(world.at("file")).unwrap().set_modified(time).unwrap();
    assert_eq!(fs::metadata(world.at("file")).unwrap().modified().unwrap(), time);
    // Both are accepted, and change nothing.
    fs::set_permissions(world.at("file"), fs::Permissions::from_mode(0o777)).unwrap();
    std::os::unix::fs::chown(world.at("file"), Some(1), Some(1)).unwrap();
    assert_eq!(fs::metadata(world.at("file")).unwrap().mode() & 0o7777, 0o640);
}

#[test]
fn extended_attributes_and_room_are_told() {
    let Some(world) = World::with(|options, _| options.disk_space_total_size = Some(1 << 40)) else { return };
    fs::write(world.at("file"), "x").unwrap();
    world.sync();
    let mut value = [0; 256];
    let mut names = [0; 256];
    let length = rustix::fs::listxattr(world.at("file"), &mut names[..]).unwrap();
    if names[..length].starts_with(b"user.whirlpool\0") {
        let length = rustix::fs::getxattr(world.at("file"), "user.whirlpool", &mut value[..]).unwrap();
        assert_eq!(length, 128);
    }
    let none = rustix::fs::getxattr(world.at("file"), "user.other", &mut value[..]);
    assert_eq!(none.unwrap_err(), rustix::io::Errno::NODATA);
    let set = rustix::fs::setxattr(world.at("file"), "user.other", b"x", rustix::fs::XattrFlags::empty());
    assert_eq!(set.unwrap_err(), rustix::io::Errno::NOTSUP);
    let room = rustix::fs::statvfs(world.at("")).unwrap();
    assert_eq!(room.f_blocks * room.f_frsize, 1 << 40);
    assert!(room.f_bavail > 0);
}

#[test]
fn what_cannot_be_made_is_refused() {
    let Some(world) = World::new() else { return };
    fs::write(world.at("file"), "x").unwrap();
    let code = |error: io::Error| error.raw_os_error().unwrap();
    let refused = rustix::io::Errno::PERM.raw_os_error();
    assert_eq!(code(std::os::unix::fs::symlink("file", world.at("link")).unwrap_err()), refused);
    assert_eq!(code(fs::hard_link(world.at("file"), world.at("link")).unwrap_err()), refused);
    let pipe =
        rustix::fs::mknodat(rustix::fs::CWD, world.at("pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0);
    assert_eq!(pipe.unwrap_err(), rustix::io::Errno::PERM);
}

#[test]
fn a_long_name_and_other_bytes_are_names() {
    let Some(world) = World::new() else { return };
    let long = "é".repeat(125);
    let odd = ["a b", "line\nbreak", "*?\"<>|", "trailing ", ".hidden", "ünïcödé"];
    for name in odd.into_iter().chain([long.as_str()]) {
        fs::write(world.at(name), name).unwrap();
    }
    world.sync();
    for name in odd.into_iter().chain([long.as_str()]) {
        assert_eq!(fs::read_to_string(world.at(name)).unwrap(), name);
    }
    assert_eq!(names(&world.at("")).len(), odd.len() + 1);
}

#[test]
fn a_large_folder_is_listed_whole_also_while_it_is_emptied() {
    let Some(world) = World::new() else { return };
    fs::create_dir(world.at("many")).unwrap();
    for number in 0..1200 {
        fs::write(world.at(&format!("many/{number:05}")), [1]).unwrap();
    }
    assert_eq!(names(&world.at("many")).len(), 1200);
    for entry in fs::read_dir(world.at("many")).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    assert!(names(&world.at("many")).is_empty());
    fs::remove_dir(world.at("many")).unwrap();
}
