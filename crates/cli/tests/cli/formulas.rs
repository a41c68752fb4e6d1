//! Tests of the exact number of calls of tasks: D folders, F files, and the listings on the way to a folder.
//!
//! Formulas of recursive listings, uploads in batches, removals, and copies are tested in `transfers.rs`.

use std::collections::BTreeMap;

use crate::stage::{Stage, assert_tree, write_tree};

/// Makes a tree of `files` files spread over `folders` folders.
fn tree(folders: usize, files: usize) -> BTreeMap<String, Vec<u8>> {
    (0..files).map(|n| (format!("d{}/f{n}", n % folders), format!("content {n}").into_bytes())).collect()
}

fn seed(stage: &Stage, top: &str, tree: &BTreeMap<String, Vec<u8>>) {
    for (name, content) in tree {
        stage.control().seed_file(&format!("{top}/{name}"), content).unwrap();
    }
}

#[track_caller]
fn assert_calls(stage: &Stage, expected: &[(&str, u64)]) {
    let expected = expected.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    assert_eq!(stage.counters(), expected);
}

#[test]
fn a_sync_of_an_unchanged_tree_lists_each_folder_once() {
    let stage = Stage::start();
    let source = stage.directory("source");
    let tree = tree(40, 200);
    write_tree(&source, &tree);
    seed(&stage, "there", &tree);
    for command in ["sync", "copy"] {
        stage.control().reset_counters();
        stage.run(&[command, source.to_str().unwrap(), "t:there"]).success();
        // The root, the top, and 40 folders are listed.
        assert_calls(&stage, &[("folder/ls", 42)]);
    }
}

#[test]
fn one_changed_file_in_an_unchanged_tree_costs_its_upload_and_the_removal_of_the_old_one() {
    let stage = Stage::start();
    let source = stage.directory("source");
    let mut tree = tree(10, 50);
    seed(&stage, "there", &tree);
    tree.insert("d3/f3".to_owned(), b"CONTENT 3".to_vec());
    write_tree(&source, &tree);
    stage.run(&["sync", source.to_str().unwrap(), "t:there"]).success();
    let calls = [
        ("end.pl", 1),
        ("file/rm", 1),
        ("folder/ls", 12),
        ("upload.cgi", 1),
        ("upload/get_upload_server", 1),
    ];
    assert_calls(&stage, &calls);
}

#[test]
fn files_that_go_up_one_by_one_cost_three_requests_each_and_no_listing() {
    let stage = Stage::start();
    let source = stage.directory("source");
    write_tree(&source, &tree(5, 60));
    stage.run(&["copy", source.to_str().unwrap(), "t:new", "--fichier-upload-batch", "1"]).success();
    let calls = [
        ("end.pl", 60),
        ("folder/ls", 1),
        ("folder/mkdir", 6),
        ("upload.cgi", 60),
        ("upload/get_upload_server", 60),
    ];
    assert_calls(&stage, &calls);
}

#[test]
fn a_download_costs_one_token_and_one_request_a_file() {
    let stage = Stage::start();
    let target = stage.directory("target");
    let tree = tree(4, 40);
    seed(&stage, "there", &tree);
    stage.run(&["copy", "t:there", target.to_str().unwrap()]).success();
    assert_calls(&stage, &[("download", 40), ("download/get_token", 40), ("folder/ls", 6)]);
    assert_tree(&target, &tree, "downloaded");
    stage.control().reset_counters();
    stage.run(&["copy", "t:there", target.to_str().unwrap()]).success();
    assert_calls(&stage, &[("folder/ls", 6)]);
}

#[test]
fn a_thousand_files_move_or_go_in_four_calls() {
    let stage = Stage::start();
    for n in 0..1000 {
        stage.control().seed_file(&format!("from/f{n}"), format!("{n}").as_bytes()).unwrap();
    }
    stage.control().seed_file("to/kept", b"kept").unwrap();
    stage.run(&["move", "t:from", "t:to"]).success();
    // The root and both folders are listed.
    assert_calls(&stage, &[("file/mv", 4), ("folder/ls", 3)]);
    let moved = stage.control().tree().unwrap().files;
    assert_eq!(moved.iter().filter(|file| file.path.starts_with("/to/")).count(), 1001);
    stage.control().reset_counters();
    stage.run(&["delete", "t:to"]).success();
    assert_calls(&stage, &[("file/rm", 4), ("folder/ls", 2)]);
    assert!(stage.control().tree().unwrap().files.is_empty());
}

#[test]
fn what_a_listing_told_is_not_asked_again() {
    let stage = Stage::start();
    seed(&stage, "there", &tree(3, 9));
    for command in [
        &["lsl", "t:there"][..],
        &["lsf", "-R", "--format", "psth", "--hash", "whirlpool", "t:there"],
        &["hashsum", "whirlpool", "t:there"],
        &["size", "t:there"],
        &["tree", "t:there"],
    ] {
        stage.control().reset_counters();
        stage.run(command).success();
        assert_calls(&stage, &[("folder/ls", 5)]);
    }
}

#[test]
fn an_empty_folder_costs_the_listings_on_the_way_and_a_version_none() {
    let stage = Stage::start();
    stage.control().seed_folder("a/b").unwrap();
    stage.run(&["lsf", "t:a/b"]).success();
    assert_calls(&stage, &[("folder/ls", 3)]);
    stage.control().reset_counters();
    stage.run(&["version"]).success();
    assert_calls(&stage, &[]);
}
