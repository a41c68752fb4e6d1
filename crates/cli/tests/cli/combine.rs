//! Tests of remotes that are shown side by side as the directories of one.

use crate::stage::{Stage, read_tree, write_tree};

/// Makes a stage with the remote `cm:`, which shows a place on the account and two directories of this computer.
fn combined() -> (Stage, String) {
    let stage = Stage::start();
    let disk = stage.directory("work/disk").to_str().unwrap().to_owned();
    let other = stage.directory("work/other").to_str().unwrap().to_owned();
    let upstreams = format!("x=t:cmx also=t:cmy disk={disk} \"other one={other}\"");
    stage.run(&["config", "create", "cm", "combine", &format!("upstreams={upstreams}")]).success();
    (stage, disk)
}

fn fill(stage: &Stage, directory: &str, files: &[(&str, &str)]) -> String {
    let directory = stage.directory(directory);
    let files = files.iter().map(|(name, text)| (name.to_string(), text.as_bytes().to_vec())).collect();
    write_tree(&directory, &files);
    directory.to_str().unwrap().to_owned()
}

#[test]
fn each_directory_shows_its_place() {
    let (stage, _) = combined();
    let from = fill(&stage, "work/from", &[("a", "1"), ("b/c", "2")]);
    stage.run(&["copy", &from, "cm:x"]).success();
    stage.run(&["copy", &from, "cm:other one/n"]).success();
    stage.run(&["mkdir", "t:cmy"]).success();
    assert_eq!(stage.run(&["lsf", "cm:"]).success_text(), "also/\ndisk/\nother one/\nx/\n");
    assert_eq!(stage.run(&["lsf", "-R", "--files-only", "cm:"]).success_text().lines().count(), 4);
    assert_eq!(stage.run(&["lsf", "-R", "t:cmx"]).success_text(), "a\nb/\nb/c\n");
    assert_eq!(stage.run(&["cat", "cm:x/b/c"]).success_text(), "2");
    stage.run(&["check", "cm:x", "cm:other one/n"]).success();
    let run = stage.run(&["copy", &from, "cm:"]).code(2);
    assert!(
        run.stderr.contains("can't hold files beside the directories that it combines"),
        "{}",
        run.stderr
    );
    stage.run(&["lsf", "cm:nothing"]).code(3);
}

#[test]
fn within_one_account_files_are_moved_there_and_elsewhere_they_are_sent() {
    let (stage, disk) = combined();
    let from = fill(&stage, "work/from", &[("a", "1"), ("b", "2")]);
    stage.run(&["copy", &from, "cm:x"]).success();
    stage.control().reset_counters();
    stage.run(&["move", "cm:x", "cm:also/n"]).success();
    assert!(!stage.counters().contains_key("upload.cgi") && !stage.counters().contains_key("download"));
    stage.run(&["move", "cm:also/n", "cm:disk"]).success();
    assert_eq!(read_tree(std::path::Path::new(&disk)).len(), 2);
    assert!(stage.control().tree().unwrap().files.is_empty());
}

#[test]
fn a_place_is_the_same_through_a_combined_remote() {
    let (stage, disk) = combined();
    let from = fill(&stage, "work/from", &[("a", "1"), ("sub/b", "2")]);
    stage.run(&["copy", &from, "t:cmx/n"]).success();
    stage.run(&["copy", &from, &format!("{disk}/n")]).success();
    let here = format!("{disk}/n");
    for (one, other) in
        [("t:cmx/n", "cm:x/n"), ("cm:x/n", "t:cmx/n"), ("cm:disk/n", &here), (&here, "cm:disk/n")]
    {
        stage.run(&["move", one, other]);
        stage.run(&["moveto", &format!("{one}/a"), &format!("{other}/a")]);
        stage.run(&["sync", one, other]).code(7);
        stage.run(&["move", one, &format!("{other}/inside")]).code(7);
        assert_eq!(stage.control().tree().unwrap().files.len(), 2, "{one} {other}");
        assert_eq!(read_tree(std::path::Path::new(&here)).len(), 2, "{one} {other}");
    }
    // The destination is one of the directories of the source.
    stage.run(&["sync", "cm:", &disk]);
    assert!(!std::path::Path::new(&disk).join("disk").exists());
    assert_eq!(read_tree(std::path::Path::new(&here)).len(), 2);
}

#[test]
fn a_place_that_is_not_there_deletes_nothing() {
    let (stage, disk) = combined();
    let copy = fill(&stage, "work/copy", &[("x/kept", "1"), ("disk/kept", "2")]);
    std::fs::remove_dir(&disk).unwrap();
    stage.run(&["sync", "cm:", &copy]).code(3);
    assert_eq!(read_tree(std::path::Path::new(&copy)).len(), 2);
}
