//! Tests of file names that break naive programs: both programs store them under the same names, and read each other's.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::Path,
};

use fichier_encoding::{Encoding, corpus};

use crate::{
    peer::{rclone::Rclone, side_by_side},
    stage::Stage,
};

/// Makes files by name; each holds its number, so that no name can be confused with another.
fn files_of(names: &[Vec<u8>]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    names.iter().enumerate().map(|(number, name)| (name.clone(), number.to_string().into())).collect()
}

fn write(directory: &Path, files: &BTreeMap<Vec<u8>, Vec<u8>>) {
    for (name, content) in files {
        fs::write(directory.join(OsStr::from_bytes(name)), content).unwrap();
    }
}

fn read(directory: &Path) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_vec(), fs::read(entry.path()).unwrap())).collect()
}

/// Returns what the service holds in a folder: contents by stored name.
fn stored(stage: &Stage, folder: &str) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let tree = stage.control().tree().unwrap();
    let inside = tree.files.iter().filter(|file| file.path == format!("/{folder}/{}", file.name));
    inside.map(|file| (file.name.clone().into(), stage.control().content(&file.url).unwrap())).collect()
}

/// Returns the names in a listing as JSON, which keeps line breaks apart, with sizes.
fn listed(json: &str) -> BTreeMap<String, i64> {
    let entries: Vec<serde_json::Value> = serde_json::from_str(json).unwrap();
    let entry = |entry: &serde_json::Value| {
        (entry["Name"].as_str().unwrap().to_owned(), entry["Size"].as_i64().unwrap())
    };
    entries.iter().map(entry).collect()
}

/// Returns a local directory in the encoding that takes names as they are. In the usual one `‛a` and `‛‛a` are the same
/// name, and rclone doesn't find either again.
fn raw(directory: &Path) -> String {
    format!(":local,encoding=Raw:{}", directory.to_str().unwrap())
}

/// Checks whether rclone itself doesn't get back the name that it stored (see the documentation of `fichier-encoding`).
fn rclone_misreads(stored: &[u8]) -> bool {
    let text = String::from_utf8_lossy(stored);
    let mut from_the_end = text.chars().rev();
    let at_edge = from_the_end.next().is_some_and(|last| "␠．␉␊␋␍".contains(last));
    at_edge && from_the_end.take_while(|character| *character == '‛').count() >= 2
}

/// rclone's own code decides the stored names: its local disk gets the encoding of its 1Fichier backend. That
/// spares 400 ms a call.
#[test]
fn five_hundred_names_are_stored_as_rclone_stores_them_and_listed_alike() {
    let rclone = Rclone::installed();
    let stage = Stage::start_behind_proxy();
    let files = files_of(&corpus::nasty_file_names());
    assert!(files.len() > 500);
    let (source, referee) = (stage.directory("source"), stage.directory("referee"));
    write(&source, &files);
    let encoded = format!(":local,encoding='{}':{}", Encoding::FICHIER, referee.to_str().unwrap());
    rclone.run(&stage, &["copy", &raw(&source), &encoded]).success();
    stage.run(&["copy", &raw(&source), "t:names"]).success();
    let (ours, theirs) = (stored(&stage, "names"), read(&referee));
    assert_eq!(ours.len(), files.len());
    let differing: Vec<_> =
        theirs.iter().filter(|(name, content)| ours.get(*name) != Some(content)).collect();
    assert!(differing.is_empty(), "stored otherwise: {differing:?}");
    // Both programs list the stored files as rclone lists the local directory.
    let here = listed(&rclone.run(&stage, &["lsjson", &raw(&source)]).success_text());
    let ours = listed(&stage.run(&["lsjson", "t:names"]).success_text());
    assert_eq!(ours, here);
    let theirs = listed(&rclone.run(&stage, &["lsjson", "t:names"]).success_text());
    let misread = stored(&stage, "names").into_keys().filter(|name| rclone_misreads(name)).count();
    let differing: Vec<_> = ours.keys().filter(|name| !theirs.contains_key(*name)).collect();
    assert!(differing.len() <= misread, "{misread} names that rclone misreads, but {differing:?}");
}

/// Every twentieth name goes through rclone's 1Fichier backend itself, both ways.
#[test]
fn names_survive_the_way_through_both_programs() {
    let rclone = Rclone::installed();
    let names: Vec<_> = corpus::nasty_file_names()
        .into_iter()
        .filter(|name| !rclone_misreads(&Encoding::FICHIER.encode(name)))
        .step_by(20)
        .collect();
    let parts: Vec<_> = names.chunks(5).collect();
    side_by_side(&parts, |names| {
        let stage = Stage::start_behind_proxy();
        let files = files_of(names);
        let [source, ours, theirs] = ["source", "ours", "theirs"].map(|name| stage.directory(name));
        write(&source, &files);
        rclone.run(&stage, &["copy", &raw(&source), "t:theirs"]).success();
        stage.run(&["copy", &raw(&source), "t:ours"]).success();
        assert_eq!(stored(&stage, "ours"), stored(&stage, "theirs"), "left is ours, right is rclone's");
        stage.run(&["copy", "t:theirs", &raw(&ours)]).success();
        rclone.run(&stage, &["copy", "t:ours", &raw(&theirs)]).success();
        assert_eq!(read(&ours), files, "uploaded by rclone, downloaded by us");
        assert_eq!(read(&theirs), files, "uploaded by us, downloaded by rclone");
    });
}
