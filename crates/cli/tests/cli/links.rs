//! Tests of symbolic links as files (`--links`), and of links that are followed (`--copy-links`).

use std::{fs, os::unix::fs::symlink, path::Path};

use crate::stage::{Run, Stage};

fn target(link: &Path) -> String {
    fs::read_link(link).unwrap().to_str().unwrap().to_owned()
}

/// Makes a folder with a file and links: to the file, to a folder, to nothing, and out of the tree.
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
    // Without the flag they are ordinary files, as at the service.
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
    let run = stage.run(&["copy", "-l", "t:x", to_text]).code(6);
    assert!(run.stderr.contains("has the same place"), "{}", run.stderr);
    assert_eq!(fs::read_to_string(outside.join("f")).unwrap(), "safe");
    stage.run(&["deletefile", "t:x/way.rclonelink"]).success();
    let run = stage.run(&["copy", "-l", "t:x", to_text]);
    assert!(run.stderr.contains("with --links none is followed"), "{}", run.stderr);
    assert_eq!(fs::read_to_string(outside.join("f")).unwrap(), "safe");
    assert_eq!(target(&to.join("way")), outside_text);
    // Content that isn't the target of a link makes no link, and replaces none.
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
            // With ignored errors, what the source surely doesn't have is removed.
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

#[test]
fn nothing_behind_a_link_that_was_named_is_touched_with_links() {
    let stage = Stage::start();
    let work = stage.directory("w");
    for folder in ["out", "d", "s", "e"] {
        fs::create_dir(work.join(folder)).unwrap();
    }
    fs::write(work.join("out/k"), "keep").unwrap();
    fs::write(work.join("s/f"), "one").unwrap();
    symlink("../out", work.join("d/x")).unwrap();
    for words in [
        &["purge", "work/w/d/x"][..],
        &["purge", "work/w/d/x/"],
        &["delete", "work/w/d/x"],
        &["rmdir", "work/w/d/x"],
        &["lsf", "work/w/d/x"],
        &["size", "work/w/d/x"],
        &["move", "work/w/d/x", "work/w/e"],
        &["copy", "work/w/s", "work/w/d/x"],
        &["sync", "work/w/s", "work/w/d/x"],
        &["copyto", "work/w/s/f", "work/w/d/x/g"],
        &["copyto", "work/w/s/f", "work/w/d/x/g", "--suffix", ".old"],
        &["moveto", "work/w/s/f", "work/w/d/x/g", "--no-check-dest"],
        &["copy", "work/w/s", "work/w/e", "--backup-dir", "work/w/d/x"],
    ] {
        // Another try can't correct what a flag names.
        let code = if words.contains(&"--backup-dir") { 7 } else { 2 };
        let run = stage.run(&[words, &["-l"]].concat()).code(code);
        assert!(run.stderr.contains("needs the suffix .rclonelink to be named"), "{words:?} {}", run.stderr);
        assert_eq!(fs::read_dir(work.join("out")).unwrap().count(), 1, "{words:?}");
        assert!(work.join("d/x").is_symlink() && work.join("s/f").exists(), "{words:?}");
        assert_eq!(fs::read_dir(work.join("e")).unwrap().count(), 0, "{words:?}");
    }
    // Further up, a link is a way like any other.
    assert_eq!(stage.run(&["cat", "-l", "work/w/d/x/k"]).success_text(), "keep");
    stage.run(&["copy", "-l", "work/w/s", "work/w/d/x/new"]).success();
    assert!(work.join("out/new/f").exists());
}

#[test]
fn a_file_and_a_link_of_one_place_are_both_left_out() {
    let stage = Stage::start();
    let work = stage.directory("w");
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let elsewhere = memory.path().join("v");
    for to in [elsewhere.to_str().unwrap(), "work/w/v"] {
        for folder in ["q", "q/y", "q/z"] {
            fs::create_dir_all(work.join(folder)).unwrap();
        }
        for (name, text) in
            [("x", "a"), ("x.rclonelink", "b"), ("y.rclonelink", "c"), ("y/in", "d"), ("z/o", "e")]
        {
            fs::write(work.join("q").join(name), text).unwrap();
        }
        for command in ["copy", "sync", "move"] {
            let run = stage.run(&[command, "work/w/q", to, "-l", "--exclude", "none"]).code(6);
            for name in ["x", "x.rclonelink", "y", "y.rclonelink"] {
                assert!(
                    run.stderr.contains(&format!("{name}: \"{name}\" has the same place")),
                    "{}",
                    run.stderr
                );
                assert!(work.join("q").join(name).exists(), "{command} {name}");
            }
            let stored = stage.run(&["lsf", "-R", "--files-only", to]).success_text();
            assert_eq!(stored, "z/o\n", "{command}");
        }
    }
    let rules = ["--name-transform", "regex=^b$/a.rclonelink", "-l"];
    fs::create_dir(work.join("c")).unwrap();
    fs::write(work.join("c/b"), "one").unwrap();
    symlink("target", work.join("c/a")).unwrap();
    fs::write(work.join("c/k"), "two").unwrap();
    let run = stage.run(&[&["convmv", "work/w/c"], &rules[..]].concat());
    assert_ne!(run.status, Some(0));
    assert_eq!(target(&work.join("c/a")), "target");
    let run = stage.run(&["convmv", "work/w/c", "--name-transform", "regex=^k$/a", "-l"]).code(6);
    assert!(run.stderr.contains("has the same place"), "{}", run.stderr);
    assert_eq!(target(&work.join("c/a")), "target");
}

#[test]
fn a_file_never_takes_the_place_of_a_link_nor_the_other_way_round() {
    let stage = Stage::start();
    let work = stage.directory("w");
    for link_is_new in [true, false] {
        let plant = || {
            for folder in ["s", "d", "bk"] {
                let _gone = fs::remove_dir_all(work.join(folder));
                fs::create_dir(work.join(folder)).unwrap();
            }
            let (link, file) = if link_is_new { ("s/x", "d/x") } else { ("d/x", "s/x") };
            symlink("target", work.join(link)).unwrap();
            fs::write(work.join(file), "precious").unwrap();
            fs::write(work.join("s/other"), "goes").unwrap();
        };
        let there = |folder: &str| match fs::read_link(work.join(folder).join("x")) {
            Ok(target) => target.to_str().unwrap().to_owned(),
            Err(_) => fs::read_to_string(work.join(folder).join("x")).unwrap(),
        };
        let name = if link_is_new { "x.rclonelink" } else { "x" };
        let one = format!("work/w/s/{name}");
        for words in [
            &["copy", "work/w/s", "work/w/d"][..],
            &["copy", "work/w/s", "work/w/d", "--backup-dir", "work/w/bk"],
            &["sync", "work/w/s", "work/w/d", "--immutable"],
            &["sync", "work/w/s", "work/w/d", "--suffix", ".old"],
            &["sync", "work/w/s", "work/w/d", "--ignore-existing"],
            &["sync", "work/w/s", "work/w/d", "--max-delete", "0"],
            &["sync", "work/w/s", "work/w/d", "--delete-before"],
            &["sync", "work/w/s", "work/w/d", "--ignore-errors"],
            &["copy", "work/w/s", "work/w/d", "--include", name, "--include", "other"],
            &["move", "work/w/s", "work/w/d"],
            &["copy", &one, "work/w/d"],
            &["moveto", &one, &format!("work/w/d/{name}")],
        ] {
            plant();
            let run = stage.run(&[words, &["-l"]].concat());
            let goes_by_name = words[0] == "moveto" && !link_is_new;
            // A user who names the link without its suffix gets a hint.
            assert_eq!(run.status, Some(if goes_by_name { 2 } else { 6 }), "{words:?} {}", run.stderr);
            assert!(goes_by_name || run.stderr.contains("has the same place"), "{}", run.stderr);
            let (new, old) = if link_is_new { ("target", "precious") } else { ("precious", "target") };
            assert_eq!((there("s"), there("d")), (new.to_owned(), old.to_owned()), "{words:?}");
            if words[1] == "work/w/s" {
                assert!(work.join("d/other").exists(), "{words:?}");
            }
        }
    }
}

#[test]
fn a_link_that_is_written_by_its_name_never_takes_the_place_of_a_file() {
    let stage = Stage::start();
    let work = stage.directory("w");
    fs::create_dir(work.join("d")).unwrap();
    fs::write(work.join("d/x"), "precious").unwrap();
    fs::write(work.join("new"), "target").unwrap();
    let name = "work/w/d/x.rclonelink";
    for words in [
        &["rcat", name][..],
        &["rcat", name, "--size", "6"],
        &["touch", name],
        &["copyto", "work/w/new", name],
        &["moveto", "work/w/new", name],
    ] {
        let mut command = stage.command();
        let command = command.args(words).arg("-l").stdin(fs::File::open(work.join("new")).unwrap());
        let run = Run::of(command, &words.join(" ")).code(6);
        assert!(run.stderr.contains("has the same place as \"x\""), "{words:?} {}", run.stderr);
        assert!(!work.join("d/x").is_symlink() && work.join("new").exists(), "{words:?}");
        assert_eq!(fs::read_to_string(work.join("d/x")).unwrap(), "precious", "{words:?}");
    }
    // Anything that isn't a link isn't found by a link's name.
    stage.run(&["cat", name, "-l"]).code(3);
    assert_eq!(stage.run(&["lsf", "work/w/d", "-l"]).success_text(), "x\n");
}

#[test]
fn a_folder_never_takes_the_place_of_a_link_nor_the_other_way_round() {
    let stage = Stage::start();
    let work = stage.directory("w");
    for link_is_new in [true, false] {
        let plant = || {
            for folder in ["s", "d", "t"] {
                let _gone = fs::remove_dir_all(work.join(folder));
                fs::create_dir(work.join(folder)).unwrap();
            }
            let (link, folder) = if link_is_new { ("s/x", "d/x") } else { ("d/x", "s/x") };
            symlink("../t", work.join(link)).unwrap();
            fs::create_dir(work.join(folder)).unwrap();
            fs::write(work.join(folder).join("f"), "precious").unwrap();
            fs::write(work.join("s/other"), "goes").unwrap();
        };
        for words in [
            &["copy"][..],
            &["move"],
            &["move", "--delete-empty-src-dirs"],
            &["sync"],
            &["sync", "--delete-before"],
            &["sync", "--ignore-errors"],
            &["sync", "--backup-dir", "work/w/old"],
            &["sync", "--exclude", "none"],
            &["copy", "--no-check-dest"],
        ] {
            plant();
            for _ in 0..2 {
                let run = stage.run(&[words, &["work/w/s", "work/w/d", "-l"]].concat()).code(6);
                assert!(run.stderr.contains("has the same place"), "{words:?} {}", run.stderr);
                let (links, folders) = if link_is_new { ("s", "d") } else { ("d", "s") };
                assert_eq!(target(&work.join(links).join("x")), "../t", "{words:?}");
                assert!(work.join(folders).join("x/f").exists(), "{words:?}");
                assert_eq!(fs::read_dir(work.join("t")).unwrap().count(), 0, "{words:?}");
                assert!(work.join("d/other").exists(), "{words:?}");
            }
        }
    }
}

// Measured with rclone 1.75.2, which goes round as often as the depth allows.
#[test]
fn a_link_that_leads_back_is_followed_as_deep_as_the_run_goes() {
    let stage = Stage::start();
    let work = stage.directory("w");
    fs::create_dir_all(work.join("s/k")).unwrap();
    symlink("..", work.join("s/k/up")).unwrap();
    fs::write(work.join("s/a"), "one").unwrap();
    stage.run(&["copy", "-L", "work/w/s", "work/w/d", "--max-depth", "3"]).success();
    assert!(work.join("d/k/up/a").exists() && !work.join("d/k/up/k/up").exists());
    let run = stage.run(&["copy", "-L", "work/w/s", "work/w/e"]).code(6);
    assert!(run.stderr.contains("leads back"), "{}", run.stderr);
}

#[test]
fn a_notice_names_the_whole_path_in_a_run_of_the_whole_file_system() {
    let stage = Stage::start();
    let work = stage.directory("w");
    fs::create_dir_all(work.join("p")).unwrap();
    fs::create_dir_all(work.join("d")).unwrap();
    fs::write(work.join("p/a"), "one").unwrap();
    symlink("/x", work.join("p/l")).unwrap();
    let run = stage.run(&["move", "work/w/p", "work/w/d/q", "--exclude", "none"]);
    let line = run.stderr.lines().find(|line| line.contains("left out: can't follow")).unwrap();
    let path = fs::canonicalize(&work).unwrap().join("p/l");
    assert!(line.contains(&format!(" {}: left out", path.display())), "{line}");
}

// Only root may give a link to another owner.
#[test]
fn a_link_keeps_its_owner_with_its_metadata() {
    use std::os::unix::fs::{MetadataExt as _, lchown};
    let stage = Stage::start();
    let work = stage.directory("w");
    fs::create_dir(work.join("s")).unwrap();
    symlink("target", work.join("s/l")).unwrap();
    if lchown(work.join("s/l"), Some(12345), Some(54321)).is_err() {
        return;
    }
    stage.run(&["copy", "work/w/s", "work/w/d", "-M", "-l"]).success();
    let copied = fs::symlink_metadata(work.join("d/l")).unwrap();
    assert_eq!((copied.uid(), copied.gid()), (12345, 54321));
}

// A directory and a link swap names thousands of times while the program works in it.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_is_swapped_for_a_link_leads_no_run_outside() {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use std::sync::atomic::{AtomicBool, Ordering};
    let stage = Stage::start();
    let work = stage.directory("w");
    let outside = stage.directory("outside");
    for name in ["f0", "keep", "sub/keep"] {
        fs::create_dir_all(outside.join("sub")).unwrap();
        fs::write(outside.join(name), "safe").unwrap();
    }
    let before = crate::stage::read_tree(&outside);
    let runs = [
        &["copy", "work/w/s", "work/w/d"][..],
        &["sync", "work/w/s", "work/w/d"],
        &["sync", "work/w/s", "work/w/d", "--delete-before", "--backup-dir", "work/w/old"],
        &["move", "work/w/s", "work/w/d", "--delete-empty-src-dirs"],
        &["delete", "work/w/d", "--rmdirs"],
        &["purge", "work/w/d/x"],
    ];
    for words in runs {
        for folder in ["s", "d", "old"] {
            let _gone = fs::remove_dir_all(work.join(folder));
        }
        for round in 0..100 {
            fs::create_dir_all(work.join("s/x/sub")).unwrap();
            fs::create_dir_all(work.join("d/x/sub")).unwrap();
            fs::write(work.join("s/x").join(format!("f{round}")), "evil").unwrap();
            fs::write(work.join("s/x/sub").join(format!("f{round}")), "evil").unwrap();
            fs::write(work.join("d/x").join(format!("extra{round}")), "old").unwrap();
        }
        fs::write(work.join("d/x/keep"), "old").unwrap();
        fs::write(work.join("d/x/sub/keep"), "old").unwrap();
        symlink(&outside, work.join("link")).unwrap();
        let (left, right, stop) = (work.join("d/x"), work.join("link"), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    // The run may have removed one of them.
                    let _swapped = renameat_with(CWD, &left, CWD, &right, RenameFlags::EXCHANGE);
                    std::thread::yield_now();
                }
            });
            let run = stage.run(&[words, &["-l"]].concat());
            stop.store(true, Ordering::Relaxed);
            assert!(run.status.is_some(), "{words:?}");
        });
        assert_eq!(crate::stage::read_tree(&outside), before, "{words:?}");
        let link = work.join("link");
        let _gone = fs::remove_file(&link).or_else(|_| fs::remove_dir_all(&link));
    }
}

/// A source with files below `link`, and a destination where that is a link to a folder outside, which holds others.
fn plant_way_out(work: &Path) {
    for folder in ["s", "d", "out", "bak"] {
        let _gone = fs::remove_dir_all(work.join(folder));
        fs::create_dir_all(work.join(folder)).unwrap();
    }
    fs::create_dir_all(work.join("s/link/deep")).unwrap();
    fs::write(work.join("s/link/x"), "newer").unwrap();
    fs::write(work.join("s/link/deep/y"), "new").unwrap();
    fs::write(work.join("s/top"), "the newest").unwrap();
    fs::write(work.join("out/x"), "old").unwrap();
    fs::write(work.join("out/z"), "mine").unwrap();
    symlink("../out", work.join("d/link")).unwrap();
}

/// Checks that nothing outside has changed.
fn assert_untouched(work: &Path, what: &[&str]) {
    assert_eq!(fs::read_to_string(work.join("out/x")).unwrap(), "old", "{what:?}");
    assert_eq!(fs::read_to_string(work.join("out/z")).unwrap(), "mine", "{what:?}");
    assert_eq!(fs::read_dir(work.join("out")).unwrap().count(), 2, "{what:?}");
}

#[test]
fn nothing_behind_a_link_of_the_destination_is_changed_unless_links_are_followed() {
    let stage = Stage::start();
    let work = stage.directory("w");
    fs::create_dir(work.join("s")).unwrap();
    plant_way_out(&work);
    stage.run(&["copy", "work/w/s", "t:s"]).success();
    let refused = "\"link\" is a symbolic link, and nothing behind one is changed without -L/--copy-links";
    for from in ["work/w/s", "t:s"] {
        for words in [
            &["copy"][..],
            &["copy", "--create-empty-src-dirs"],
            &["copy", "--ignore-existing"],
            &["copy", "--no-check-dest"],
            &["copy", "--inplace"],
            &["copy", "--skip-links"],
            &["copy", "--dry-run"],
            &["sync"],
            &["sync", "--immutable"],
            &["sync", "--backup-dir", "work/w/bak"],
            &["sync", "--suffix", ".old"],
            &["sync", "--delete-before"],
            &["sync", "--ignore-errors"],
            &["sync", "--delete-excluded", "--exclude", "z"],
            &["sync", "-M"],
            &["move"],
            &["move", "--delete-empty-src-dirs"],
        ] {
            if words[0] == "move" && from == "t:s" {
                continue;
            }
            plant_way_out(&work);
            let run = stage.run(&[words, &[from, "work/w/d"]].concat()).code(6);
            assert!(run.stderr.contains(refused), "{words:?} {}", run.stderr);
            assert_untouched(&work, words);
            assert!(work.join("d/link").is_symlink(), "{words:?}");
            assert_eq!(work.join("d/top").exists(), !words.contains(&"--dry-run"), "{words:?}");
            assert!(work.join("s/link/x").exists() && work.join("s/link/deep/y").exists(), "{words:?}");
        }
        // What a filter keeps out of the link is nobody's error.
        plant_way_out(&work);
        stage.run(&["sync", from, "work/w/d", "--exclude", "/link/**"]).success();
        assert_untouched(&work, &["filtered"]);
        // Who follows links has asked for it.
        stage.run(&["copy", "-L", from, "work/w/d"]).success();
        assert_eq!(fs::read_to_string(work.join("out/x")).unwrap(), "newer");
        assert_eq!(fs::read_to_string(work.join("out/deep/y")).unwrap(), "new");
    }
    // A root that is a link is as the user named it.
    plant_way_out(&work);
    stage.run(&["copy", "work/w/s/link", "work/w/d/link"]).success();
    assert_eq!(fs::read_to_string(work.join("out/x")).unwrap(), "newer");
}

#[test]
fn nothing_behind_a_link_below_the_root_of_a_wrapped_directory_is_changed() {
    let stage = Stage::start();
    let work = stage.directory("w");
    fs::create_dir(work.join("s")).unwrap();
    let up = format!(":combine,upstreams='up={}':up", work.join("d").display());
    for words in [
        &["copy", "work/w/s", "UP"][..],
        &["copyto", "work/w/s/top", "UP/link/new"],
        &["copyto", "work/w/s/top", "UP/link/x"],
        &["moveto", "work/w/s/top", "UP/link/x"],
        &["mkdir", "UP/link/new"],
        &["rmdir", "UP/link/empty"],
        &["touch", "UP/link/x"],
        &["touch", "UP/link/new"],
        &["delete", "UP/link"],
        &["deletefile", "UP/link/x"],
        &["purge", "UP/link"],
    ] {
        plant_way_out(&work);
        let words: Vec<_> = words.iter().map(|word| word.replace("UP", &up)).collect();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let run = stage.run(&words);
        assert_ne!(run.status, Some(0), "{words:?} {}", run.stderr);
        assert_untouched(&work, &words);
        if words[0] != "rmdir" && words[0] != "purge" {
            assert!(
                run.stderr.contains("is a symbolic link, and nothing behind"),
                "{words:?} {}",
                run.stderr
            );
        }
    }
}

#[test]
fn a_folder_that_becomes_a_link_while_the_run_goes_on_is_a_way_nowhere() {
    let stage = Stage::start();
    let work = stage.directory("w");
    let (from, to, out) = (work.join("s"), work.join("d"), work.join("out"));
    for folder in ["f", "g"] {
        fs::create_dir_all(from.join(folder)).unwrap();
        for number in 0..60 {
            fs::write(from.join(folder).join(format!("{number}")), "new").unwrap();
        }
    }
    for folder in [&to, &out] {
        fs::create_dir(folder).unwrap();
    }
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            // Whatever the program does, each folder is a folder and a link by turns.
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                for folder in ["f", "g"] {
                    let (place, aside) = (to.join(folder), work.join(format!("aside-{folder}")));
                    let _moved = fs::rename(&place, &aside);
                    let _linked = symlink(&out, &place);
                    let _gone = fs::remove_file(&place);
                    let _back = fs::rename(&aside, &place);
                    let _new_one_stays = fs::remove_dir_all(&aside);
                }
            }
        });
        for _ in 0..4 {
            stage.run(&["sync", "work/w/s", "work/w/d", "--ignore-times", "--retries", "1"]);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(fs::read_dir(&out).unwrap().count(), 0);
}

/// Files of the destination to which links of the source lead, under the same name and under another one.
fn plant_ways_across(work: &Path) {
    for folder in ["s", "d", "bak"] {
        let _gone = fs::remove_dir_all(work.join(folder));
        fs::create_dir_all(work.join(folder)).unwrap();
    }
    fs::write(work.join("d/x"), "one").unwrap();
    fs::write(work.join("d/z"), "two").unwrap();
    symlink("../d/x", work.join("s/x")).unwrap();
    symlink("../d/z", work.join("s/y")).unwrap();
    fs::write(work.join("s/t"), "three").unwrap();
}

#[test]
fn what_a_link_of_the_source_leads_to_at_the_destination_stays() {
    let stage = Stage::start();
    let work = stage.directory("w");
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    for words in [
        &["copy"][..],
        &["copy", "--ignore-times"],
        &["copy", "--ignore-times", "--inplace"],
        &["sync"],
        &["sync", "--delete-before"],
        &["sync", "--delete-during"],
        &["sync", "--delete-after", "--ignore-errors"],
        &["sync", "--ignore-times", "--suffix", ".old"],
        &["sync", "--backup-dir", "work/w/bak"],
        &["sync", "--track-renames", "--ignore-times"],
        &["move"],
        &["move", "--ignore-times"],
        &["move", "--no-check-dest"],
        &["move", "--ignore-times", "--inplace"],
        &["move", "--check-first"],
    ] {
        plant_ways_across(&work);
        let run = stage.run(&[words, &["-L", "work/w/s", "work/w/d"]].concat());
        let read = |path: &str| fs::read_to_string(work.join(path)).unwrap();
        assert_eq!((read("d/x").as_str(), read("d/z").as_str()), ("one", "two"), "{words:?} {}", run.stderr);
        assert_eq!(
            (read("d/y").as_str(), read("d/t").as_str()),
            ("two", "three"),
            "{words:?} {}",
            run.stderr
        );
        assert!(!work.join("d/x").is_symlink() && !work.join("d/y").is_symlink(), "{words:?}");
        if words[0] == "sync" {
            assert_eq!(run.status, Some(6), "{words:?} {}", run.stderr);
            assert!(
                run.stderr.contains("\"z\" stays: a link or mount in the source leads to it"),
                "{}",
                run.stderr
            );
        } else if !words.contains(&"--no-check-dest") {
            assert_eq!(run.status, Some(0), "{words:?} {}", run.stderr);
        }
        if words[0] == "move" {
            assert!(!work.join("s/t").exists() && !work.join("s/y").is_symlink(), "{words:?} {}", run.stderr);
            assert!(work.join("s/x").is_symlink(), "{words:?}");
            assert!(
                words.contains(&"--no-check-dest") || run.stderr.contains("are the same file"),
                "{}",
                run.stderr
            );
        }
    }
    // Links from the destination to the source, the same.
    for command in ["move", "moveto", "sync"] {
        plant_ways_across(&work);
        let (from, to) = match command {
            "moveto" => ("work/w/d/x", "work/w/s/x"),
            _ => ("work/w/d", "work/w/s"),
        };
        stage.run(&[command, "-L", from, to]).success();
        assert_eq!(fs::read_to_string(work.join("d/x")).unwrap(), "one", "{command}");
        assert_eq!(fs::read_to_string(work.join("s/x")).unwrap(), "one", "{command}");
    }
    // A folder that moves as a whole, to another depth: what its links lead to comes along.
    for to in ["work/w/new/deep/er".to_owned(), memory.path().join("v").to_str().unwrap().to_owned()] {
        plant_ways_across(&work);
        stage.run(&["move", "-L", "work/w/s", &to]).success();
        let to = work.join("../..").join(&to);
        let read = |name: &str| fs::read_to_string(to.join(name)).unwrap();
        assert_eq!([read("x"), read("y"), read("t")], ["one", "two", "three"]);
        assert!(!to.join("x").is_symlink());
        assert_eq!(fs::read_to_string(work.join("d/x")).unwrap(), "one");
    }
}
