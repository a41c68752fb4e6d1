//! Tests of what goes wrong: the same exit code where the program's own table agrees with rclone's, and otherwise the
//! one that `docs/exit-codes.md` names.

use std::fs;

use crate::{
    peer::{rclone::Rclone, side_by_side},
    stage::Stage,
};

/// Command line, rclone's exit code, ours, and a part of both programs' messages.
type End = (&'static [&'static str], i32, i32, &'static str);

const ENDS: &[End] = &[
    (&["ls", "t:nothing"], 3, 3, "directory not found"),
    (&["lsd", "t:nothing"], 3, 3, "directory not found"),
    (&["lsl", "t:d/nothing"], 3, 3, "directory not found"),
    (&["lsf", "t:d/file/below"], 3, 3, "directory not found"),
    (&["lsjson", "t:nothing"], 3, 3, "directory not found"),
    (&["lsjson", "--stat", "t:nothing"], 3, 3, "directory not found"),
    (&["tree", "t:nothing"], 3, 3, "directory not found"),
    (&["size", "t:nothing"], 3, 3, "directory not found"),
    (&["cat", "t:d/nothing"], 3, 3, "directory not found"),
    (&["hashsum", "whirlpool", "t:nothing"], 3, 3, "directory not found"),
    (&["copy", "nothing", "t:x"], 3, 3, "directory not found"),
    (&["copy", "t:nothing", "x"], 3, 3, "directory not found"),
    (&["copyto", "t:nothing", "x"], 3, 3, "directory not found"),
    (&["delete", "t:nothing"], 3, 3, "directory not found"),
    (&["purge", "t:nothing"], 3, 3, "directory not found"),
    (&["rmdir", "t:nothing"], 3, 3, "directory not found"),
    (&["rmdirs", "t:nothing"], 3, 3, "directory not found"),
    (&["deletefile", "t:nothing"], 4, 4, "t:nothing is a directory or doesn't exist: object not found"),
    (&["deletefile", "t:d"], 4, 4, "t:d is a directory or doesn't exist: object not found"),
    (&["link", "t:nothing"], 4, 4, "object not found"),
    (&["copy", "t:d", "t:d"], 0, 0, ""),
    (&["move", "t:d", "t:d"], 0, 0, "the same"),
    (&["moveto", "t:d/file", "t:d/file"], 0, 0, ""),
    (&["sync", "t:d", "t:d"], 7, 7, "overlapping remotes"),
    (&["sync", "source", "source"], 7, 7, "overlapping remotes"),
    (&["sync", "t:d", "t:"], 7, 7, "overlapping remotes"),
    (&["move", "t:d", "t:d/in"], 1, 7, ""),
    (&["moveto", "source", "source/in"], 7, 7, "overlapping remotes"),
    (&["copy", "t:d", "t:x", "--backup-dir", "t:x"], 7, 7, "destination and parameter to --backup-dir"),
    (&["copy", "t:d", "t:x", "--backup-dir", "t:d/in"], 7, 7, "source and parameter to --backup-dir"),
    (&["sync", "source", "x", "--backup-dir", "x/old"], 7, 7, "destination and parameter to --backup-dir"),
    (&["copyto", "t:d/file", "t:x/file", "--backup-dir", "t:x"], 7, 7, "mustn't be the same"),
    (&["sync", "t:d", "x", "--backup-dir", "t:x"], 7, 7, "has to be on the same remote as destination"),
    (&["copy", "source", "t:same", "--error-on-no-transfer"], 9, 9, ""),
    (&["rmdir", "t:d"], 1, 2, "not empty"),
    (&["mkdir", "t:d/file"], 1, 2, "is a file"),
    (&["copy", "source", "t:d/file"], 1, 2, "is a file"),
    (&["md5sum", "t:d"], 1, 2, "hash unsupported"),
    (&["ls", "nowhere:"], 1, 2, "didn't find section in config file (\"nowhere\")"),
    (&["ls", ":nosuch:"], 1, 2, "didn't find backend called \"nosuch\""),
    (&["ls"], 2, 1, ""),
    (&["nosuch"], 2, 1, "nosuch"),
    (&["ls", "--nosuch", "t:"], 2, 1, "--nosuch"),
    (&["hashsum", "nonsense", "t:"], 2, 1, "unknown hash type \"nonsense\""),
    (&["ls", "t:", "--fichier-encoding", "Slosh"], 2, 1, "Slosh"),
    (&["ls", ":fichier,api_key=wrong,endpoint='ENDPOINT':"], 1, 7, "No such user"),
    (&["copy", "source", ":fichier,api_key=wrong,endpoint='ENDPOINT':x"], 1, 7, "No such user"),
];

#[test]
fn errors_end_with_the_codes_that_are_written_down() {
    let rclone = Rclone::installed();
    let stage = Stage::start_behind_proxy();
    let source = stage.home().join("source");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("one"), "1").unwrap();
    stage.control().seed_file("d/file", b"x").unwrap();
    stage.control().seed_file("same/one", b"1").unwrap();
    side_by_side(ENDS, |(words, theirs, ours, text)| {
        let words: Vec<_> = words.iter().map(|word| word.replace("ENDPOINT", &stage.endpoint())).collect();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        // rclone repeats a failed run, which changes nothing about its end.
        let repeats = [&words[..], &["--retries", "1"]].concat();
        let rclone = rclone.run(&stage, &repeats).code(*theirs);
        let run = stage.run(&words).code(*ours);
        for stderr in [&rclone.stderr, &run.stderr] {
            assert!(stderr.contains(text), "{words:?}: {stderr}");
        }
    });
    let tree = stage.control().tree().unwrap();
    assert_eq!((tree.files.len(), tree.folders.len()), (2, 2), "an error changed something");
}
