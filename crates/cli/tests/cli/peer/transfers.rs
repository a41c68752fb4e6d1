//! Tests that one program lists and downloads, byte for byte, what the other one uploads.

use std::{collections::BTreeMap, fs};

use crate::{
    peer::{rclone::Rclone, side_by_side, sorted},
    stage::{Stage, assert_tree, write_tree},
};

type Tree = BTreeMap<String, Vec<u8>>;

fn sample() -> Tree {
    let big: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    BTreeMap::from([
        ("a.txt".to_owned(), b"alpha".to_vec()),
        ("deep/er/big.bin".to_owned(), big),
        ("deep/x".to_owned(), vec![0; 32 * 1024 + 1]),
        ("ünï/<\"$`'\\>.txt".to_owned(), b"names".to_vec()),
        (" edges ".to_owned(), b"spaces".to_vec()),
    ])
}

#[derive(Debug, Clone, Copy)]
enum Program {
    Ours,
    Rclone,
}

use Program::{Ours, Rclone as Theirs};

impl Program {
    #[track_caller]
    fn does(self, stage: &Stage, words: &[&str]) -> String {
        match self {
            Ours => stage.run(words),
            Theirs => Rclone::installed().run(stage, words),
        }
        .success_text()
    }
}

/// The program that uploads, and the one that comes after.
const PAIRS: &[(Program, Program)] = &[(Ours, Theirs), (Theirs, Ours)];

#[test]
fn what_one_uploads_the_other_lists_and_downloads() {
    Rclone::installed();
    side_by_side(PAIRS, |&(first, second)| {
        let stage = Stage::start_behind_proxy();
        let (source, target) = (stage.directory("source"), stage.directory("target"));
        write_tree(&source, &sample());
        let (source, target_name) = (source.to_str().unwrap(), target.to_str().unwrap());
        first.does(&stage, &["copy", source, "t:backup/here"]);
        // Sizes, paths and checksums are those of the source.
        let words = ["lsf", "-R", "--files-only", "--format", "psh", "--hash", "whirlpool"];
        let here = Ours.does(&stage, &[&words[..], &[source]].concat());
        let there = second.does(&stage, &[&words[..], &["t:backup/here"]].concat());
        assert_eq!(sorted(&there), sorted(&here), "{second:?} lists what {first:?} uploaded");
        second.does(&stage, &["copy", "t:backup/here", target_name]);
        assert_tree(&target, &sample(), &format!("{second:?} downloads what {first:?} uploaded"));
        // For the second program there is nothing left to do.
        stage.control().reset_counters();
        second.does(&stage, &["copy", source, "t:backup/here", "--checksum"]);
        let asked = stage.counters();
        assert!(!asked.contains_key("upload.cgi"), "{second:?} uploads anew: {asked:?}");
    });
}

#[test]
fn what_one_uploads_the_other_replaces() {
    Rclone::installed();
    side_by_side(PAIRS, |&(first, second)| {
        let stage = Stage::start_behind_proxy();
        let source = stage.directory("source");
        fs::write(source.join("file"), "old").unwrap();
        let source_name = source.to_str().unwrap();
        first.does(&stage, &["copy", source_name, "t:d"]);
        fs::write(source.join("file"), "newer").unwrap();
        second.does(&stage, &["copy", source_name, "t:d"]);
        assert_eq!(first.does(&stage, &["cat", "t:d/file"]), "newer");
        assert_eq!(stage.control().tree().unwrap().files.len(), 1, "{second:?} left the old version");
        second.does(&stage, &["purge", "t:d"]);
        assert_eq!(first.does(&stage, &["lsf", "t:"]), "");
    });
}

#[test]
fn a_server_side_copy_and_a_new_folder_look_the_same_to_the_other() {
    Rclone::installed();
    side_by_side(PAIRS, |&(first, second)| {
        let stage = Stage::start_behind_proxy();
        stage.control().seed_file("from/file", b"content").unwrap();
        first.does(&stage, &["copy", "t:from", "t:to"]);
        first.does(&stage, &["copyto", "t:from/file", "t:to/renamed"]);
        first.does(&stage, &["mkdir", "t:new/below"]);
        let listed = second.does(&stage, &["lsf", "-R", "t:"]);
        let expected = ["from/", "from/file", "new/", "new/below/", "to/", "to/file", "to/renamed"];
        assert_eq!(sorted(&listed), expected, "{second:?} lists what {first:?} did");
        assert!(!stage.counters().contains_key("upload.cgi"), "{first:?} moved bytes");
        second.does(&stage, &["rmdir", "t:new/below"]);
        second.does(&stage, &["deletefile", "t:to/renamed"]);
        let listed = first.does(&stage, &["lsf", "-R", "t:"]);
        assert_eq!(sorted(&listed), ["from/", "from/file", "new/", "to/", "to/file"]);
    });
}
