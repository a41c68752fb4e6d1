//! Answers that are well formed and can't be true: about another folder, about more files than there are, with one link
//! for two files, with somebody else's link. Nothing is removed, here or there, on their word.

use std::{collections::BTreeMap, fs};

use crate::stage::{Stage, assert_tree, write_tree};

fn fault(stage: &Stage, fault: &str) {
    stage.control().add_fault(fault.parse().unwrap());
}

fn numbered(count: u32) -> BTreeMap<String, Vec<u8>> {
    (0..count).map(|n| (format!("f{n}"), format!("content {n}").into_bytes())).collect()
}

/// What the account holds: path and content.
fn stored(stage: &Stage) -> Vec<(String, String)> {
    let control = stage.control();
    let content = |url: &str| String::from_utf8(control.content(url).unwrap()).unwrap();
    let mut files: Vec<_> =
        control.tree().unwrap().files.into_iter().map(|file| (file.path, content(&file.url))).collect();
    files.sort();
    files
}

fn file(path: &str, content: &str) -> (String, String) {
    (path.to_owned(), content.to_owned())
}

/// The link of a file, and the number of the folder that holds it.
fn link_and_folder(stage: &Stage, path: &str) -> (String, i64) {
    let tree = stage.control().tree().unwrap();
    let (folder, _) = path.rsplit_once('/').unwrap();
    let id = tree.folders.iter().find(|known| known.path == folder).map_or(0, |known| known.id);
    (tree.files.iter().find(|file| file.path == path).unwrap().url.clone(), id)
}

#[test]
fn an_answer_about_another_folder_empties_nothing() {
    let other = r#"{"status":"OK","folder_id":99,"name":"other","files":0,"sub_folders":[],"items":[]}"#;
    let root = r#"{"status":"OK","folder_id":0,"name":"Root","files":0,"sub_folders":[],"items":[]}"#;
    for (folder, answer, passes) in
        [("d", other, false), ("d", root, false), ("d", other, true), ("", other, false)]
    {
        let stage = Stage::start();
        let (files, to) = (numbered(3), stage.directory("to"));
        for (name, bytes) in &files {
            stage.control().seed_file(&format!("{folder}/{name}"), bytes).unwrap();
        }
        write_tree(&to, &files);
        let after = u32::from(!folder.is_empty());
        let times = if passes { ",times=1" } else { "" };
        fault(&stage, &format!("endpoint=folder/ls,kind=answer:{answer},after={after}{times}"));
        let run = stage.run(&["sync", &format!("t:{folder}"), to.to_str().unwrap(), "--retries", "1"]);
        assert_eq!(run.status == Some(0), passes, "{answer}: {}", run.stderr);
        assert_eq!(
            run.stderr.contains("it is about folder"),
            !passes || run.stderr.contains("try 2"),
            "{}",
            run.stderr
        );
        assert_tree(&to, &files, answer);
    }
}

#[test]
fn what_is_no_list_or_no_count_empties_nothing() {
    for fields in [
        r#""files":0,"sub_folders":{},"items":{}"#,
        r#""files":0,"sub_folders":[],"items":{}"#,
        r#""files":0,"sub_folders":{},"items":[]"#,
        r#""files":-1,"sub_folders":[],"items":[]"#,
        r#""files":[],"sub_folders":[],"items":[]"#,
    ] {
        for folder in ["d", ""] {
            let stage = Stage::start();
            let (files, to) = (numbered(2), stage.directory("to"));
            for (name, bytes) in &files {
                stage.control().seed_file(&format!("{folder}/{name}"), bytes).unwrap();
            }
            write_tree(&to, &files);
            let after = u32::from(!folder.is_empty());
            fault(
                &stage,
                &format!(r#"endpoint=folder/ls,kind=answer:{{"status":"OK",{fields}}},after={after}"#),
            );
            let run = stage.run(&["sync", &format!("t:{folder}"), to.to_str().unwrap(), "--retries", "1"]);
            assert_ne!(run.status, Some(0), "{fields}: {}", run.stderr);
            assert_tree(&to, &files, fields);
        }
    }
}

#[test]
fn one_link_for_two_names_is_no_listing() {
    let item = |name: &str| {
        format!(r#"{{"url":"https://1fichier.com/?goodgoodgood","filename":"{name}","size":3}}"#)
    };
    for (names, words) in
        [(["good", "bad"], "as \"good\" and as \"bad\""), (["good", "good"], "is incomplete: 1 of 2 files")]
    {
        let stage = Stage::start();
        stage.control().seed_folder("d").unwrap();
        let to = stage.directory("to");
        let files: BTreeMap<_, _> = ["good", "bad"].map(|name| (name.to_owned(), b"abc".to_vec())).into();
        write_tree(&to, &files);
        let items = names.map(item).join(",");
        let answer = format!(r#"{{"status":"OK","files":2,"sub_folders":[],"items":[{items}]}}"#);
        fault(&stage, &format!("endpoint=folder/ls,after=1,kind=answer:{answer}"));
        let list = format!(r#"{{"status":"OK","count":2,"items":[{items}]}}"#);
        fault(&stage, &format!("endpoint=file/ls,kind=answer:{list}"));
        let run = stage.run(&["sync", "t:d", to.to_str().unwrap(), "--size-only", "--retries", "1"]);
        assert_ne!(run.status, Some(0), "{names:?}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{names:?}: {}", run.stderr);
        assert_tree(&to, &files, "nothing is removed");
    }
    // A page of a shared folder is held to the same.
    let stage = Stage::start();
    let page = ["a", "b"].map(|name| item(name).replace("\"url\"", "\"link\"")).join(",");
    fault(&stage, &format!("endpoint=dir,kind=answer:[{page}]"));
    let run = stage.run(&["lsf", "t,shared_folder=AbC123:"]);
    assert!(run.stderr.contains("as \"a\" and as \"b\""), "{}", run.stderr);
    assert_ne!(run.status, Some(0));
}

#[test]
fn a_listing_of_all_files_that_gives_one_link_to_two_names_does_not_count() {
    let stage = Stage::start();
    for name in ["a", "b"] {
        stage.control().seed_file(&format!("d/{name}"), b"1").unwrap();
    }
    stage.run(&["lsf", "-R", "t:"]).success();
    let (link, _) = link_and_folder(&stage, "/d/a");
    let items =
        ["a", "b"].map(|name| format!(r#"{{"url":"{link}","filename":"{name}","size":1}}"#)).join(",");
    fault(&stage, &format!(r#"endpoint=file/ls,kind=answer:{{"status":"OK","count":2,"items":[{items}]}}"#));
    let run = stage.run(&["lsf", "-R", "t:", "--fast-list"]);
    assert_eq!(run.stdout, "d/\nd/a\nd/b\n", "{}", run.stderr);
    assert!(run.stderr.contains("gives one link to two files"), "{}", run.stderr);
    assert_eq!(stage.counters()["file/ls"], 1);
}

/// What a run does by a link that a report gave wrongly: nothing, and what it was asked for.
#[test]
fn a_wrong_link_in_a_report_costs_nobody_s_file() {
    for (catalogue, time_scale) in [("trust", "1000"), ("verify", "20")] {
        for (command, left) in [
            (&["sync", "n", "t:t"][..], vec!["/t/f1 changed", "/t/f2 changed"]),
            (&["move", "n", "t:t"], vec!["/t/f1 changed", "/t/f2 changed"]),
            (&["copyto", "n/f1", "t:t/f1"], vec!["/t/f1 changed", "/t/f2 2"]),
            (&["delete", "t:t"], vec![]),
            (&["moveto", "t:t/f1", "t:t/g"], vec!["/t/f2 2", "/t/g 1"]),
            (&["moveto", "t:t/f1", "t:u/f1"], vec!["/t/f2 2", "/u/f1 1"]),
        ] {
            let stage = Stage::start_changed(time_scale, |builder| builder);
            // The oldest file of the account, whose link the report names. Somebody else put it there.
            stage.control().seed_file("keep/f1", b"kept").unwrap();
            let from = stage.home().join("n");
            fs::create_dir(&from).unwrap();
            for name in ["1", "2"] {
                fs::write(from.join(format!("f{name}")), name).unwrap();
            }
            fault(&stage, "endpoint=end.pl,kind=wrong-link");
            // One by one, so that no report gives one link to two files.
            for name in ["f1", "f2"] {
                stage
                    .run(&["copyto", &format!("n/{name}"), &format!("t:t/{name}"), "--catalogue", catalogue])
                    .success();
            }
            stage.control().clear_faults();
            for name in ["1", "2"] {
                fs::write(from.join(format!("f{name}")), "changed").unwrap();
            }
            let run = stage.run(&[command, &["--catalogue", catalogue, "--retries-sleep", "0"]].concat());
            let mut files = stored(&stage);
            assert!(files.contains(&file("/keep/f1", "kept")), "{catalogue} {command:?}: {}", run.stderr);
            files.retain(|(path, _)| !path.starts_with("/keep"));
            let files: Vec<_> =
                files.into_iter().map(|(path, content)| format!("{path} {content}")).collect();
            assert_eq!(files, left, "{catalogue} {command:?}: {}", run.stderr);
            assert_eq!(run.status, Some(0), "{catalogue} {command:?}: {}", run.stderr);
        }
    }
}

#[test]
fn a_report_that_gives_one_link_to_two_files_is_looked_into() {
    let stage = Stage::start();
    stage.control().seed_file("keep/f0", b"kept").unwrap();
    let from = stage.directory("from");
    write_tree(&from, &numbered(3));
    fault(&stage, "endpoint=end.pl,kind=wrong-link");
    stage.run(&["copy", from.to_str().unwrap(), "t:d"]).success();
    // One look at the directory tells what each file is.
    let calls = stage.counters();
    assert_eq!((calls["upload.cgi"], calls["folder/ls"], calls.get("file/info")), (1, 2, None));
    stage.control().clear_faults();
    stage.run(&["delete", "t:d", "--catalogue", "trust"]).success();
    assert_eq!(stored(&stage), [file("/keep/f0", "kept")]);
    assert_eq!(stage.counters().get("file/info"), None, "the listing has shown them");
}

#[test]
fn nothing_is_put_where_an_entry_has_no_name_or_can_not_be_read() {
    for field in ["drop-field:filename", "field:filename=null", "field:url=null"] {
        for command in
            [&["sync", "from", "t:d"][..], &["copy", "from", "t:d"], &["copyto", "from/f1", "t:d/f1"]]
        {
            if field == "field:url=null" && command[0] == "copyto" {
                continue;
            }
            let stage = Stage::start();
            let files = numbered(3);
            write_tree(&stage.directory("from"), &files);
            for (name, bytes) in &files {
                stage.control().seed_file(&format!("d/{name}"), bytes).unwrap();
            }
            let before = stored(&stage);
            fault(&stage, &format!("endpoint=folder/ls,kind={field}"));
            let run = stage.run(&[command, &["--retries", "1"]].concat());
            assert_eq!(stored(&stage), before, "{field} {command:?}: {}", run.stderr);
            assert_ne!(run.status, Some(0), "{field} {command:?}: {}", run.stderr);
        }
    }
}

#[test]
fn a_folder_that_is_known_was_not_made_just_now() {
    let stage = Stage::start();
    stage.control().seed_file("keep/f0", b"kept").unwrap();
    let (_, id) = link_and_folder(&stage, "/keep/f0");
    let from = stage.directory("from");
    write_tree(&from, &numbered(1));
    fault(&stage, &format!("endpoint=folder/mkdir,kind=field:folder_id={id}"));
    stage.run(&["copy", from.to_str().unwrap(), "t:d"]).success();
    assert_eq!(stored(&stage), [file("/d/f0", "content 0"), file("/keep/f0", "kept")]);
}
