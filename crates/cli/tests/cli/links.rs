//! Symbolic links as files (`--links`), and links that are followed (`--copy-links`).

use std::{fs, os::unix::fs::symlink, path::Path};

use crate::stage::Stage;

fn target(link: &Path) -> String {
    fs::read_link(link).unwrap().to_str().unwrap().to_owned()
}

/// A folder with a file and links: to the file, to a folder, to nothing, and out of the tree.
fn plant(root: &Path) {
    fs::create_dir_all(root.join("sub/real")).unwrap();
    fs::write(root.join("a"), "one").unwrap();
    fs::write(root.join("sub/real/r"), "two").unwrap();
    symlink("a", root.join("to-file")).unwrap();
    symlink("real", root.join("sub/to-folder")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    symlink("/etc/hostname", root.join("out")).unwrap();
}

#[test]
fn links_go_to_the_service_as_files_and_come_back_as_links() {
    let stage = Stage::start();
    let (here, back) = (stage.directory("here"), stage.directory("back"));
    plant(&here);
    let (from, back_text) = (here.to_str().unwrap(), back.to_str().unwrap());
    let listed = stage.run(&["lsf", "-R", "--files-only", "--links", from]).success_text();
    let names = "a\ndangling.rclonelink\nout.rclonelink\nto-file.rclonelink\nsub/to-folder.rclonelink\n\
        sub/real/r\n";
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&listed), sorted(names));
    stage.run(&["copy", "-l", from, "t:x"]).success();
    let stored: Vec<_> = stage.control().tree().unwrap().files;
    let link = stored.iter().find(|file| file.path == "/x/out.rclonelink").unwrap();
    assert_eq!(stage.control().content(&link.url).unwrap(), b"/etc/hostname");
    stage.run(&["copy", "--local-links", "t:x", back_text]).success();
    for (link, to) in
        [("to-file", "a"), ("sub/to-folder", "real"), ("dangling", "nowhere"), ("out", "/etc/hostname")]
    {
        assert_eq!(target(&back.join(link)), to, "{link}");
    }
    // Nothing is sent again, either way.
    stage.control().reset_counters();
    stage.run(&["sync", "-l", from, "t:x"]).success();
    stage.run(&["sync", "-l", "t:x", back_text]).success();
    stage.run(&["check", "-l", from, back_text]).success();
    assert!(stage.counters().keys().all(|endpoint| endpoint == "folder/ls"), "{:?}", stage.counters());
    // Without the flag they are the files that they are at the service.
    let plain = stage.directory("plain");
    stage.run(&["copy", "t:x", plain.to_str().unwrap()]).success();
    assert_eq!(fs::read_to_string(plain.join("out.rclonelink")).unwrap(), "/etc/hostname");
}

#[test]
fn links_are_copied_moved_replaced_and_removed_as_links() {
    let stage = Stage::start();
    let (here, there) = (stage.directory("here"), stage.directory("there"));
    plant(&here);
    let [from, to] = [&here, &there].map(|path| path.to_str().unwrap());
    stage.run(&["copy", "-l", from, to]).success();
    assert_eq!(target(&there.join("out")), "/etc/hostname");
    let time = |path: &Path| fs::symlink_metadata(path).unwrap().modified().unwrap();
    assert_eq!(time(&there.join("out")), time(&here.join("out")));
    fs::remove_file(here.join("out")).unwrap();
    symlink("/etc/passwd", here.join("out")).unwrap();
    fs::remove_file(here.join("dangling")).unwrap();
    let old = stage.directory("old");
    stage.run(&["sync", "-l", from, to, "--backup-dir", old.to_str().unwrap()]).success();
    assert_eq!(target(&there.join("out")), "/etc/passwd");
    assert!(fs::symlink_metadata(there.join("dangling")).is_err());
    assert_eq!(target(&old.join("dangling")), "nowhere");
    let link = format!("{to}/out.rclonelink");
    stage.run(&["moveto", "-l", &link, &format!("{to}/new.rclonelink")]).success();
    assert_eq!(target(&there.join("new")), "/etc/passwd");
    assert_eq!(stage.run(&["cat", "-l", &format!("{to}/new.rclonelink")]).success_text(), "/etc/passwd");
    stage.run(&["deletefile", "-l", &format!("{to}/new.rclonelink")]).success();
    assert!(fs::symlink_metadata(there.join("new")).is_err());
    let together = stage.run(&["copy", "-l", "-L", from, to]);
    assert!(together.stderr.contains("can't use -l/--links with -L/--copy-links"), "{}", together.stderr);
}

#[test]
fn nothing_is_written_through_a_link_that_came_from_elsewhere() {
    let stage = Stage::start();
    let (outside, to) = (stage.directory("outside"), stage.directory("to"));
    let (outside_text, to_text) = (outside.to_str().unwrap(), to.to_str().unwrap());
    fs::write(outside.join("f"), "safe").unwrap();
    stage.control().seed_file("x/way.rclonelink", outside_text.as_bytes()).unwrap();
    stage.run(&["copy", "-l", "t:x", to_text]).success();
    stage.control().seed_file("x/way/f", b"evil").unwrap();
    let run = stage.run(&["copy", "-l", "t:x", to_text]);
    assert!(run.stderr.contains("with --links none is followed"), "{}", run.stderr);
    assert_eq!(fs::read_to_string(outside.join("f")).unwrap(), "safe");
    assert_eq!(target(&to.join("way")), outside_text);
    // What is no target of a link makes none, and replaces none.
    for content in [&b"a\0b"[..], &[b'a'; 40_000]] {
        stage.control().seed_file("y/way.rclonelink", content).unwrap();
        let run = stage.run(&["copy", "-l", "t:y", to_text]);
        assert!(run.stderr.contains("no target of a link"), "{}", run.stderr);
        assert_eq!(target(&to.join("way")), outside_text);
        stage.run(&["purge", "t:y"]).success();
    }
}

#[test]
fn a_link_that_leads_nowhere_is_a_gap_and_its_copy_stays() {
    let stage = Stage::start();
    let (here, there) = (stage.directory("here"), stage.directory("there"));
    fs::write(here.join("a"), "one").unwrap();
    symlink("nowhere", here.join("gap")).unwrap();
    fs::create_dir(there.join("gap")).unwrap();
    let [from, to] = [&here, &there].map(|path| path.to_str().unwrap());
    for place in [to, "t:x"] {
        for flag in ["--delete-during", "--ignore-errors", "--delete-before", "--delete-after"] {
            fs::write(there.join("gap/inside"), "copy").unwrap();
            fs::write(there.join("extra"), "extra").unwrap();
            stage.run(&["sync", to, "t:x"]).success();
            let run = stage.run(&["sync", "-L", from, place, flag]).code(6);
            assert!(run.stderr.contains("gap"), "{}", run.stderr);
            let left = stage.run(&["lsf", "-R", "--files-only", place]).success_text();
            assert!(left.contains("gap/inside\n"), "{flag} {place}: {left}");
            // Who ignores errors loses what the source surely hasn't got.
            if flag == "--ignore-errors" {
                assert!(!left.contains("extra"), "{place}: {left}");
            }
            fs::remove_file(there.join("a")).unwrap_or_default();
        }
    }
    for command in [&["copy", "-L", from, "t:y"][..], &["lsf", "-L", from], &["size", "-L", from]] {
        stage.run(command).code(6);
    }
    stage.run(&["lsf", from]).success();
}

#[test]
fn a_link_to_a_folder_at_the_destination_goes_like_the_folder() {
    let stage = Stage::start();
    let (here, there, real) = (stage.directory("here"), stage.directory("there"), stage.directory("real"));
    fs::write(here.join("a"), "one").unwrap();
    fs::write(real.join("f"), "old").unwrap();
    symlink(&real, there.join("l")).unwrap();
    let [from, to] = [&here, &there].map(|path| path.to_str().unwrap());
    stage.run(&["sync", "-L", from, to]).success();
    assert!(fs::symlink_metadata(there.join("l")).is_err());
    assert!(real.is_dir());
}

// Measured with rclone 1.75.2, which removes the link even if the directory holds something.
#[test]
fn a_link_to_a_directory_that_was_named_goes_and_the_directory_stays() {
    let stage = Stage::start();
    let work = stage.directory("w");
    for words in [
        &["rmdir", "work/w/l"][..],
        &["purge", "work/w/l"],
        &["rmdirs", "work/w/l"],
        &["rmdir", "-L", "work/w/l"],
    ] {
        fs::create_dir_all(work.join("d")).unwrap();
        symlink("d", work.join("l")).unwrap();
        if words[0] == "purge" {
            fs::write(work.join("d/f"), "x").unwrap();
        }
        stage.run(words).success();
        assert!(!work.join("l").is_symlink() && work.join("d").is_dir(), "{words:?}");
        assert!(!work.join("d/f").exists());
    }
    symlink("d", work.join("l")).unwrap();
    fs::write(work.join("d/f"), "x").unwrap();
    stage.run(&["rmdir", "work/w/l"]).code(2);
    assert!(work.join("l").is_symlink() && work.join("d/f").exists());
}

#[test]
fn a_link_that_was_named_and_is_not_followed_says_how_it_would_be() {
    let stage = Stage::start();
    let work = stage.directory("w");
    fs::write(work.join("f"), "x").unwrap();
    symlink("f", work.join("l")).unwrap();
    let run = stage.run(&["copyto", "work/w/l", "work/w/x"]).code(3);
    assert!(run.stderr.contains("this is a symbolic link: follow it with -L"), "{}", run.stderr);
    assert!(!stage.run(&["copyto", "work/w/none", "work/w/x"]).code(3).stderr.contains("symbolic"));
}
