//! Tests that both programs keep the same with `--metadata` between local directories.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use crate::{
    metadata::{attribute, plant},
    peer::rclone::Rclone,
    stage::Stage,
};

/// Returns what is known of each file, in one form.
fn state(root: &Path) -> Vec<String> {
    let line = |path: &str| {
        let metadata = fs::metadata(root.join(path)).unwrap();
        let attributes = ["user.bin", "user.of", "user.note"].map(|name| attribute(&root.join(path), name));
        format!(
            "{path} {:o} {} {} {}.{} {attributes:?}",
            metadata.mode(),
            metadata.uid(),
            metadata.gid(),
            metadata.mtime(),
            metadata.mtime_nsec()
        )
    };
    ["d", "d/f", "d/empty", "plain"].map(line).to_vec()
}

#[test]
fn both_keep_the_same_of_files_and_folders() {
    let rclone = Rclone::installed();
    let stage = Stage::start_behind_proxy();
    let source = stage.directory("s");
    plant(&source);
    let from = source.to_str().unwrap();
    let sets: [&[&str]; 3] = [
        &["-M"],
        &["-M", "--metadata-set", "mode=0711", "--metadata-set", "Note=x"],
        &["-M", "--metadata-set", "mtime=2010-01-01T00:00:00Z"],
    ];
    for (number, flags) in sets.iter().enumerate() {
        let [ours, theirs] = ["ours", "theirs"].map(|name| stage.directory(&format!("{name}{number}")));
        let words = |to: &Path| {
            let mut words: Vec<String> = vec!["copy".into(), from.into(), to.to_str().unwrap().into()];
            words.extend(flags.iter().map(|flag| (*flag).to_owned()));
            words.push("--create-empty-src-dirs".into());
            words
        };
        let [to_ours, to_theirs] = [words(&ours), words(&theirs)];
        stage.run(&to_ours.iter().map(String::as_str).collect::<Vec<_>>()).success();
        rclone.run(&stage, &to_theirs.iter().map(String::as_str).collect::<Vec<_>>()).success();
        assert_eq!(state(&ours), state(&theirs), "{flags:?}: left is ours, right is rclone's");
    }
    // Reading changes the time of the last access, so it isn't compared.
    let listed = |text: &str| -> Vec<serde_json::Value> {
        let mut entries: Vec<serde_json::Value> = serde_json::from_str(text).unwrap();
        for entry in &mut entries {
            entry["Metadata"].as_object_mut().unwrap().remove("atime");
            // Folders have no size here.
            entry.as_object_mut().unwrap().remove("Size");
        }
        entries.sort_by_key(|entry| entry["Path"].as_str().unwrap().to_owned());
        entries
    };
    let ours = listed(&stage.run(&["lsjson", "-M", "-R", from]).success_text());
    assert_eq!(ours, listed(&rclone.run(&stage, &["lsjson", "-M", "-R", from]).success_text()));
}
