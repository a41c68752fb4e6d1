//! Tests of `--name-transform` and `convmv`: new names, and nothing lost by them.

use std::{collections::BTreeMap, fs, path::Path};

use crate::stage::{Stage, assert_tree, read_tree, write_tree};

fn tree(files: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    files.iter().map(|(path, content)| ((*path).to_owned(), content.as_bytes().to_vec())).collect()
}

/// Makes a stage with a local source that holds these files.
fn stage_with(files: &[(&str, &str)]) -> (Stage, String) {
    let stage = Stage::start();
    let source = stage.directory("s");
    write_tree(&source, &tree(files));
    let source = source.to_str().unwrap().to_owned();
    (stage, source)
}

fn at_service(stage: &Stage) -> Vec<String> {
    let mut paths: Vec<_> = stage.control().tree().unwrap().files.into_iter().map(|file| file.path).collect();
    paths.sort();
    paths
}

#[test]
fn names_are_changed_on_the_way_and_found_again() {
    let (stage, source) = stage_with(&[("One.txt", "1"), ("Sub/Two.txt", "2")]);
    let flags = ["--name-transform", "all,lowercase", "--name-transform", "dir,prefix=d-"];
    stage.run(&[&["sync", &source, "t:new"], &flags[..]].concat()).success();
    assert_eq!(at_service(&stage), ["/new/d-sub/two.txt", "/new/one.txt"]);
    let calls = stage.counters();
    let run = stage.run(&[&["sync", &source, "t:new", "-v"], &flags[..]].concat()).code(0);
    assert!(!run.stderr.contains("Copied"), "{}", run.stderr);
    assert_eq!(stage.counters().get("upload.cgi"), calls.get("upload.cgi"), "nothing is sent again");
    stage.run(&[&["check", &source, "t:new"], &flags[..]].concat()).success();
    // Without the flags, these are other names.
    stage.run(&["check", &source, "t:new"]).code(2);
}

#[test]
fn filters_see_the_names_of_the_source_and_a_single_file_gets_its_new_name() {
    let (stage, source) = stage_with(&[("a.txt", "1"), ("b.txt", "2")]);
    let flags = ["--name-transform", "prefix=X"];
    stage.run(&[&["copy", &source, "t:f", "--include", "a*"], &flags[..]].concat()).success();
    assert_eq!(at_service(&stage), ["/f/Xa.txt"]);
    stage.run(&[&["copyto", &format!("{source}/b.txt"), "t:f/c.txt"], &flags[..]].concat()).success();
    stage.run(&[&["move", &format!("{source}/b.txt"), "t:f"], &flags[..]].concat()).success();
    assert_eq!(at_service(&stage), ["/f/Xa.txt", "/f/Xb.txt", "/f/Xc.txt"]);
    assert!(!Path::new(&source).join("b.txt").exists());
}

#[test]
fn two_files_never_get_one_name() {
    let files = [("a.txt", "1"), ("b.txt", "2"), ("c.txt", "3"), ("A/x", "4"), ("B/y", "5")];
    let (stage, source) = stage_with(&files);
    let target = stage.directory("to");
    write_tree(&target, &tree(&[("z.txt", "old"), ("extra", "goes only if all is well")]));
    let to = target.to_str().unwrap();
    let flags = ["--name-transform", r"regex=^[ab]\.txt$/z.txt", "--name-transform", "dir,regex=^[AB]$/C"];
    for command in ["copy", "move", "sync"] {
        let run = stage.run(&[&[command, &source, to, "--ignore-errors"], &flags[..]].concat()).code(6);
        for text in [
            r#"a.txt: --name-transform can't rename "a.txt": "b.txt" would get the same new name, "z.txt""#,
            r#"b.txt: --name-transform can't rename "b.txt": "a.txt" would get the same new name, "z.txt""#,
            r#"A: --name-transform can't rename "A": "B" would get the same new name, "C""#,
        ] {
            assert!(run.stderr.contains(text), "{command}: {text}: {}", run.stderr);
        }
        assert_eq!(fs::read(target.join("z.txt")).unwrap(), b"old", "{command}");
        assert_eq!(fs::read(target.join("c.txt")).unwrap(), b"3", "{command}");
        let left = read_tree(Path::new(&source));
        for (path, _) in files.iter().filter(|(path, _)| *path != "c.txt") {
            assert!(left.contains_key(*path), "{command}: {path} is gone");
        }
        write_tree(Path::new(&source), &tree(&files));
    }
}

#[test]
fn names_that_would_lead_elsewhere_are_refused() {
    for (rule, why) in [
        ("prefix=../", "contains a slash"),
        ("regex=.*/", "is empty"),
        ("regex=^.*$/..", "means another folder"),
        ("all,regex=^.*$/.", "means another folder"),
        ("base64decode", "no base64"),
        ("command=/bin/false", "/bin/false"),
    ] {
        let (stage, source) = stage_with(&[("a.txt", "1")]);
        let target = stage.directory("to");
        let run = stage.run(&["copy", &source, target.to_str().unwrap(), "--name-transform", rule]).code(6);
        assert!(run.stderr.contains(why), "{rule}: {}", run.stderr);
        assert_tree(&target, &BTreeMap::new(), rule);
        let run = stage.run(&["copyto", &format!("{source}/a.txt"), "t:x", "--name-transform", rule]);
        assert!(run.stderr.contains(why), "{rule}: {}", run.stderr);
        assert!(at_service(&stage).is_empty(), "{rule}");
    }
}

#[test]
fn rules_that_mean_nothing_are_refused_before_anything_is_done() {
    let (stage, source) = stage_with(&[("a.txt", "1")]);
    for (rule, why) in [
        ("nonsense", "unknown word"),
        ("prefix", "needs a value"),
        ("ALL,prefix=x", "unknown word"),
        ("replace=a", "OLD:NEW"),
        ("replace=a:b:c", "OLD:NEW"),
        ("regex=/a/b/", "one slash"),
        ("regex=(/x", "missing closing )"),
        ("truncate=x", "no number"),
        ("encoder=nope", "nope"),
        ("charmap=KOI8-R", "isn't known here"),
    ] {
        let run = stage.run(&["copy", &source, "t:x", "--name-transform", rule]).code(1);
        assert!(run.stderr.contains(why), "{rule}: {}", run.stderr);
    }
    assert!(at_service(&stage).is_empty());
}

#[test]
fn what_is_there_gets_new_names_in_its_place() {
    let (stage, source) = stage_with(&[("a", "1"), ("Xa", "2"), ("d/c", "3"), ("e/keep", "4")]);
    stage.run(&["copy", &source, "t:m"]).success();
    let uploads = stage.counters().get("upload.cgi").copied();
    let flags = ["--name-transform", "all,prefix=X", "--exclude", "e/**", "--delete-empty-src-dirs"];
    let dry = stage.run(&[&["convmv", "t:m", "-n"], &flags[..]].concat()).code(0);
    assert!(dry.stderr.contains(r#"d/c: Skipped move to "Xd/Xc" as --dry-run is set"#), "{}", dry.stderr);
    assert_eq!(at_service(&stage), ["/m/Xa", "/m/a", "/m/d/c", "/m/e/keep"]);
    // The name that `a` gets has to become free first.
    stage.run(&[&["convmv", "t:m"], &flags[..]].concat()).success();
    assert_eq!(at_service(&stage), ["/m/XXa", "/m/Xa", "/m/Xd/Xc", "/m/e/keep"]);
    assert_eq!(stage.counters().get("upload.cgi").copied(), uploads, "nothing is sent");
    let folders: Vec<_> =
        stage.control().tree().unwrap().folders.into_iter().map(|folder| folder.path).collect();
    assert!(!folders.contains(&"/m/d".to_owned()), "{folders:?}");
    // The same for a local directory, and for a single file.
    stage.run(&["convmv", &source, "--name-transform", "uppercase"]).success();
    stage.run(&["convmv", &format!("{source}/A"), "--name-transform", "suffix=.x"]).success();
    let names: Vec<_> = read_tree(Path::new(&source)).into_keys().collect();
    assert_eq!(names, ["A.x", "XA", "d/C", "e/KEEP"]);
}

#[test]
fn a_name_that_is_taken_stays_with_its_file() {
    let files = [("a1", "1"), ("b1", "2"), ("x", "3"), ("xy", "4"), ("s/p", "5"), ("s/q", "6")];
    let (stage, source) = stage_with(&files);
    for (rule, path) in [
        // Two files would share it, a file has it that stays, two files would have to change places.
        ("regex=^[ab]1$/c", &source),
        ("regex=^x$/xy", &source),
        ("command=./swap", &format!("{source}/s")),
    ] {
        let swap = stage.home().join("swap");
        fs::write(&swap, "#!/bin/sh\n[ \"$1\" = p ] && echo q || echo p\n").unwrap();
        fs::set_permissions(&swap, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let rule = rule.replace("./swap", swap.to_str().unwrap());
        let run = stage.run(&["convmv", path, "--name-transform", &rule]);
        assert_ne!(run.status, Some(0), "{rule}: {}", run.stderr);
        assert_tree(Path::new(&source), &tree(&files), &rule);
    }
    let run = stage.run(&["convmv", &source]).code(1);
    assert!(run.stderr.contains("--name-transform must be set"), "{}", run.stderr);
}

#[test]
fn folders_that_got_new_names_leave_nothing_behind_and_a_second_run_merges() {
    use std::os::unix::fs::PermissionsExt as _;
    let (stage, source) = stage_with(&[("Dir/A", "1"), ("Empty/Deep/B", "2")]);
    let root = Path::new(&source);
    fs::remove_file(root.join("Empty/Deep/B")).unwrap();
    let attributes = crate::metadata::set_attribute(&root.join("Dir"), "user.of", b"folder");
    fs::set_permissions(root.join("Dir"), fs::Permissions::from_mode(0o700)).unwrap();
    let flags = ["convmv", &source, "--name-transform", "all,lowercase", "-v", "-M"];
    let dry = stage.run(&[&flags[..], &["-n"]].concat()).code(0);
    assert!(dry.stderr.contains(r#"Dir/A: Skipped move to "dir/a" as --dry-run is set"#), "{}", dry.stderr);
    let run = stage.run(&flags).code(0);
    assert!(run.stderr.contains(r#"Dir/A: Moved (server-side) to "dir/a""#), "{}", run.stderr);
    let listed = |stage: &Stage| stage.run(&["lsf", "-R", &source]).success_text();
    assert_eq!(listed(&stage), "dir/\nempty/\ndir/a\nempty/deep/\n");
    assert_eq!(fs::metadata(root.join("dir")).unwrap().permissions().mode() & 0o777, 0o700);
    if attributes {
        assert_eq!(crate::metadata::attribute(&root.join("dir"), "user.of").unwrap(), b"folder");
    }
    stage.run(&flags).code(0);
    // Leftovers of a run that was stopped, and a file whose name is taken.
    write_tree(root, &tree(&[("Dir/B", "3")]));
    stage.run(&flags).code(0);
    assert_eq!(listed(&stage), "dir/\nempty/\ndir/a\ndir/b\nempty/deep/\n");
    write_tree(root, &tree(&[("Dir/A", "4"), ("DIR/a", "5"), ("DIR/c", "6"), ("Dir/C", "7")]));
    let run = stage.run(&flags);
    assert_ne!(run.status, Some(0), "{}", run.stderr);
    assert_eq!(read_tree(root).len(), 6, "nothing takes the place of anything");
}
