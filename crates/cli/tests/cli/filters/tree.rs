//! A tree with names that are difficult for filters.

use std::{
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt as _,
    path::Path,
    time::{Duration, SystemTime},
};

/// Names of files and folders in each of the upper levels.
pub(crate) const NAMES: &[&[u8]] = &[
    b"a.txt",
    b"b.jpg",
    b"A.TXT",
    b"c",
    b".hidden",
    b".skip",
    b" sp ace ",
    b"[x]",
    b"{a,b}",
    b"st*r",
    b"wh?t",
    b"back\\slash",
    b"com,ma",
    b"#hash",
    b";semi",
    b"-dash",
    b"+plus",
    b"!",
    b"(p)",
    b"^$|",
    b"a.b.c",
    "é".as_bytes(),
    "e\u{301}".as_bytes(),
    "É".as_bytes(),
    "日本.txt".as_bytes(),
    "١".as_bytes(),
    "İ".as_bytes(),
    b"bad\xff\xfe",
    b"cut\xe2\x82",
    b"new\nline",
    b"tab\t",
    "．".as_bytes(),
    "x／y".as_bytes(),
    b"0",
    b"12",
    b"a{2}",
    b"aa",
    b"\"quoted\"",
    b"...",
];

/// Folders of the tree.
pub(crate) const FOLDERS: &[&[u8]] = &[
    b"dir",
    b"dir/sub",
    b"dir/sub/deep",
    b"Dir2",
    b"a",
    b"a/b",
    b"a/b/c",
    b"[y]",
    "ünï".as_bytes(),
    "日本".as_bytes(),
    b"marked",
    b"marked/below",
    b"empty",
    b"x.d/y.d",
    b"dir/a",
    b"bad\xffdir",
];

/// A name that rclone treats as the same as another one.
const NOT_COPIED: &[&[u8]] = &["e\u{301}".as_bytes()];

/// Makes the tree. Sizes and ages differ from file to file.
pub(crate) fn plant(root: &Path) {
    plant_names(root, NAMES);
}

/// Does the same as [`plant`], without names that rclone can't copy.
pub(crate) fn plant_for_copies(root: &Path) {
    let names: Vec<_> = NAMES.iter().copied().filter(|name| !NOT_COPIED.contains(name)).collect();
    plant_names(root, &names);
}

/// Makes the earlier state of a destination: other versions of some files, and files and folders that the tree doesn't
/// have.
pub(crate) fn plant_destination(root: &Path) {
    let now = SystemTime::now();
    let folders = FOLDERS.iter().copied().step_by(2).chain([&b"gone"[..], b"gone/deep", b"gone/marked"]);
    for (index, folder) in folders.enumerate() {
        let folder = root.join(OsStr::from_bytes(folder));
        fs::create_dir_all(&folder).unwrap();
        for (name, size) in [("x", 7), ("a.txt", 2000), ("extra.txt", 0), ("extra.jpg", 1500)] {
            fs::write(folder.join(name), vec![b'o'; size]).unwrap();
            let time = now - Duration::from_secs(3600 * [2, 30, 24 * 50][index % 3]);
            fs::File::options().write(true).open(folder.join(name)).unwrap().set_modified(time).unwrap();
        }
    }
    fs::write(root.join("gone/marked/.skip"), "").unwrap();
}

fn plant_names(root: &Path, names: &[&[u8]]) {
    let now = SystemTime::now();
    let mut number: u64 = 0;
    let mut file = |folder: &[u8], name: &[u8]| {
        let path = root.join(OsStr::from_bytes(folder)).join(OsStr::from_bytes(name));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let size = [0, 1, 10, 1000, 1024, 1025, 5000][usize::try_from(number % 7).unwrap()];
        fs::write(&path, vec![b'x'; size]).unwrap();
        let hours = [1, 5, 23, 25, 24 * 6, 24 * 8, 24 * 40, 24 * 400][usize::try_from(number % 8).unwrap()];
        let time = now - Duration::from_secs(hours * 3600);
        fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        number += 1;
    };
    for name in names {
        file(b"", &[b"_", *name].concat());
        file(b"dir", name);
    }
    for (index, folder) in FOLDERS.iter().enumerate() {
        if *folder == b"empty" {
            fs::create_dir_all(root.join("empty")).unwrap();
            continue;
        }
        for name in names.iter().skip(index % 5).step_by(5) {
            // Only one folder has the mark.
            if *name != b".skip" {
                file(folder, name);
            }
        }
        file(folder, b"x");
        file(folder, b"a.txt");
    }
    file(b"marked", b".skip");
}
