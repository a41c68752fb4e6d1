//! Tests of `--metadata`: what a local disk keeps beside content, name and time.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
    time::{Duration, SystemTime},
};

use rustix::fs::{XattrFlags, getxattr, setxattr};

use crate::stage::Stage;

pub(crate) const OLD: SystemTime = SystemTime::UNIX_EPOCH;

pub(crate) fn at(seconds: u64) -> SystemTime {
    OLD + Duration::from_millis(seconds * 1000 + 500)
}

/// Sets an attribute. Returns false if the file system has none.
pub(crate) fn set_attribute(path: &Path, name: &str, value: &[u8]) -> bool {
    setxattr(path, name, value, XattrFlags::empty()).is_ok()
}

pub(crate) fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut bytes = [0; 256];
    let length = getxattr(path, name, &mut bytes[..]).ok()?;
    Some(bytes[..length].to_vec())
}

/// Makes a file in a folder in a folder, each with something to keep. Returns whether there are attributes.
pub(crate) fn plant(root: &Path) -> bool {
    fs::create_dir_all(root.join("d/empty")).unwrap();
    fs::write(root.join("d/f"), "content").unwrap();
    fs::write(root.join("plain"), "plain").unwrap();
    let attributes = set_attribute(&root.join("d/f"), "user.bin", b"\xff\0\xfe");
    set_attribute(&root.join("d"), "user.of", b"folder");
    fs::set_permissions(root.join("d/f"), fs::Permissions::from_mode(0o640)).unwrap();
    let times = fs::FileTimes::new().set_modified(at(1_000_000)).set_accessed(at(2_000_000));
    fs::File::open(root.join("d/f")).unwrap().set_times(times).unwrap();
    fs::set_permissions(root.join("d"), fs::Permissions::from_mode(0o750)).unwrap();
    fs::File::open(root.join("d")).unwrap().set_modified(at(3_000_000)).unwrap();
    attributes
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn files_and_folders_keep_what_they_have() {
    let stage = Stage::start();
    let [source, target] = ["s", "to"].map(|name| stage.directory(name));
    let attributes = plant(&source);
    let [from, to] = [&source, &target].map(|path| path.to_str().unwrap());
    for command in ["copy", "sync"] {
        // Reading the file has changed this time.
        let times = fs::FileTimes::new().set_accessed(at(2_000_000));
        fs::File::open(source.join("d/f")).unwrap().set_times(times).unwrap();
        stage.run(&[command, from, to, "-M"]).success();
        let file = fs::metadata(target.join("d/f")).unwrap();
        assert_eq!((mode(&target.join("d/f")), mode(&target.join("d"))), (0o640, 0o750));
        assert_eq!((file.modified().unwrap(), file.accessed().unwrap()), (at(1_000_000), at(2_000_000)));
        assert_eq!(fs::metadata(target.join("d")).unwrap().modified().unwrap(), at(3_000_000));
        if attributes {
            assert_eq!(attribute(&target.join("d/f"), "user.bin").unwrap(), b"\xff\0\xfe");
            assert_eq!(attribute(&target.join("d"), "user.of").unwrap(), b"folder");
        }
        let run = stage.run(&[command, from, to, "-M", "-v"]).code(0);
        assert!(!run.stderr.contains("Updated directory metadata"), "once is enough: {}", run.stderr);
        fs::remove_dir_all(target.join("d")).unwrap();
    }
    // Without the flag, only the times are kept.
    stage.run(&["copy", from, to]).success();
    assert_eq!(mode(&target.join("plain")), mode(&source.join("plain")));
    assert_eq!(fs::metadata(target.join("d")).unwrap().modified().unwrap(), at(3_000_000));
    assert_eq!(attribute(&target.join("d/f"), "user.bin"), None);
}

#[test]
fn what_is_set_counts_more() {
    let stage = Stage::start();
    let [source, target] = ["s", "to"].map(|name| stage.directory(name));
    let attributes = plant(&source);
    let [from, to] = [&source, &target].map(|path| path.to_str().unwrap());
    let flags = [
        "--metadata-set",
        "mode=0700",
        "--metadata-set",
        "mtime=1970-01-02T00:00:00Z",
        "--metadata-set",
        "Note=new",
    ];
    stage.run(&[&["copy", from, to, "-M"], &flags[..]].concat()).success();
    let day = OLD + Duration::from_secs(24 * 60 * 60);
    for path in ["d", "d/f", "plain"] {
        assert_eq!(mode(&target.join(path)), 0o700, "{path}");
        assert_eq!(fs::metadata(target.join(path)).unwrap().modified().unwrap(), day, "{path}");
        if attributes {
            assert_eq!(attribute(&target.join(path), "user.note").unwrap(), b"new", "{path}");
        }
    }
    stage.run(&[&["touch", &format!("{to}/new"), "-M"], &flags[..]].concat()).success();
    assert_eq!(mode(&target.join("new")), 0o700);
    for wrong in ["a", "=a", "mode=zz", "uid=root", "mtime=yesterday"] {
        let run = stage.run(&["copy", from, to, "-M", "--metadata-set", wrong]).code(1);
        assert!(run.stderr.contains(wrong.split('=').next_back().unwrap()), "{wrong}: {}", run.stderr);
    }
}

#[test]
fn bits_that_lend_rights_are_kept_only_when_asked_for() {
    let stage = Stage::start();
    let source = stage.directory("s");
    fs::write(source.join("f"), "x").unwrap();
    fs::set_permissions(source.join("f"), fs::Permissions::from_mode(0o4711)).unwrap();
    let from = source.to_str().unwrap();
    for (flags, expected) in
        [(&["-M"][..], 0o711), (&["-M", "--local-metadata-restore-special-bits"], 0o4711)]
    {
        let target = stage.directory(&format!("to{expected}"));
        stage.run(&[&["copy", from, target.to_str().unwrap()], flags].concat()).success();
        assert_eq!(mode(&target.join("f")), expected);
    }
}

#[test]
fn listings_show_it_and_an_account_says_that_it_keeps_none() {
    let stage = Stage::start();
    let source = stage.directory("s");
    let attributes = plant(&source);
    let from = source.to_str().unwrap();
    let listed = stage.run(&["lsjson", "-M", "-R", from]).success_text();
    for text in [r#""Metadata":{"atime":"#, r#""mode":"100640""#, r#""mode":"40750""#, r#""mtime":"1970-"#] {
        assert!(listed.contains(text), "{text}: {listed}");
    }
    if attributes {
        assert!(
            listed.contains(r#""bin":"\ufffd\u0000\ufffd""#) && listed.contains(r#""of":"folder""#),
            "{listed}"
        );
    }
    assert!(!stage.run(&["lsjson", "-R", from]).success_text().contains("Metadata"));
    let columns = stage.run(&["lsf", "-F", "pM", from]).success_text();
    assert!(columns.contains(r#"d/;{"atime""#), "{columns}");
    let run = stage.run(&["copy", from, "t:m", "-M", "-v"]).code(0);
    assert_eq!(run.stderr.matches("--metadata keeps nothing here").count(), 1, "{}", run.stderr);
    let run = stage.run(&["copy", from, from, "-M", "--metadata-mapper", "cat"]).code(1);
    assert!(run.stderr.contains("--metadata-mapper"), "{}", run.stderr);
    assert!(!stage.run(&["lsjson", "-M", "t:m"]).success_text().contains("Metadata"));
}

#[test]
fn directories_get_the_times_of_those_of_the_source() {
    let stage = Stage::start();
    let time = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
    for command in ["copy", "sync", "move"] {
        let [source, target] = ["s", "to"].map(|name| stage.directory(&format!("{name}-{command}")));
        let [from, to] = [&source, &target].map(|path| path.to_str().unwrap());
        let plant = || {
            for folder in ["d/deep", "empty"] {
                fs::create_dir_all(source.join(folder)).unwrap();
            }
            fs::write(source.join("d/deep/f"), "content").unwrap();
            for (folder, seconds) in [("d/deep", 1), ("d", 2), ("empty", 3), ("", 4)] {
                fs::File::open(source.join(folder)).unwrap().set_modified(at(seconds)).unwrap();
            }
        };
        plant();
        // For existing folders, only the time changes.
        fs::create_dir(target.join("d")).unwrap();
        let before = time(&target.join("d"));
        let dry = stage.run(&[command, from, to, "--dry-run"]).code(0);
        let skipped = "d: Skipped set directory modification time as --dry-run is set";
        assert!(dry.stderr.contains(skipped), "{}", dry.stderr);
        assert_eq!(time(&target.join("d")), before);
        stage.run(&[command, from, to, "--no-update-dir-modtime"]).success();
        assert_ne!(time(&target.join("d/deep")), at(1), "{command}");
        fs::remove_dir_all(target.join("d")).unwrap();
        plant();
        let run = stage.run(&[command, from, to, "-v", "--create-empty-src-dirs"]).code(0);
        assert!(run.stderr.contains("d: Set directory modification time"), "{}", run.stderr);
        for (folder, seconds) in [("d/deep", 1), ("d", 2), ("empty", 3)] {
            assert_eq!(time(&target.join(folder)), at(seconds), "{command} {folder}");
        }
        // The folder of the run itself keeps its own time, as with rclone.
        assert_ne!(time(&target), at(4), "{command}");
    }
}
