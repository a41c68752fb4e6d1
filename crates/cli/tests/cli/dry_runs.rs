//! Tests that `--dry-run` says what would happen to each file and folder, counts it, and does nothing.

use std::fs;

use crate::stage::{Stage, read_tree};

/// Runs a command dry, and checks that it changes nothing and reports nothing as done.
fn dry(stage: &Stage, words: &[&str]) -> String {
    let before = (read_tree(&stage.home().join("work")), stage.control().tree().unwrap().files.len());
    let run = stage.run(&[words, &["--dry-run", "-v"]].concat()).code(0);
    assert_eq!(before, (read_tree(&stage.home().join("work")), stage.control().tree().unwrap().files.len()));
    for done in ["Deleted\n", ": Copied", ": Moved", "Removing directory", "(size: ", "Renamed directory"] {
        assert!(!run.stderr.contains(done), "{words:?} says {done:?}: {}", run.stderr);
    }
    run.stderr
}

fn says(text: &str, lines: &[&str]) {
    for line in lines {
        assert_eq!(text.matches(line).count(), 1, "{line:?} in {text}");
    }
}

#[test]
fn each_file_is_said_once_with_its_size_and_counted() {
    let stage = Stage::start();
    let (s, d) = (stage.directory("s"), stage.directory("d"));
    fs::create_dir_all(s.join("sub")).unwrap();
    fs::write(s.join("a"), "four").unwrap();
    fs::write(s.join("sub/x"), vec![0; 1500]).unwrap();
    fs::create_dir_all(d.join("old/deep")).unwrap();
    fs::write(d.join("old/deep/q"), "22").unwrap();
    for to in ["t:new", "work/new"] {
        let text = dry(&stage, &["copy", "work/s", to]);
        says(
            &text,
            &[
                "NOTICE: a: Skipped copy as --dry-run is set (size 4)\n",
                "NOTICE: sub/x: Skipped copy as --dry-run is set (size 1.465Ki)\n",
                "1.469 KiB / 1.469 KiB, 100%",
                "Transferred:            2 / 2, 100%",
            ],
        );
    }
    let text = dry(&stage, &["sync", "work/s", "work/d"]);
    says(
        &text,
        &[
            "NOTICE: old/deep/q: Skipped delete as --dry-run is set (size 2)\n",
            "NOTICE: old/deep: Skipped remove directory as --dry-run is set\n",
            "NOTICE: old: Skipped remove directory as --dry-run is set\n",
            "Deleted:                1 (files), 2 (dirs), 2 B (freed)",
        ],
    );
    for (to, renamed) in [("t:new", false), ("work/new", true)] {
        let text = dry(&stage, &["move", "work/s", to]);
        let lines = [
            "NOTICE: a: Skipped move as --dry-run is set (size 4)\n",
            "NOTICE: sub/x: Skipped move as --dry-run is set (size 1.465Ki)\n",
            "Transferred:            2 / 2, 100%",
        ];
        says(&text, &lines);
        assert_eq!(text.contains("Renamed:"), renamed, "{text}");
    }
    for command in ["delete", "purge"] {
        let text = dry(&stage, &[command, "work/s"]);
        says(
            &text,
            &[
                "NOTICE: a: Skipped delete as --dry-run is set (size 4)\n",
                "NOTICE: sub/x: Skipped delete as --dry-run is set (size 1.465Ki)\n",
                "Deleted:                2 (files)",
            ],
        );
    }
    // Without -v there are the items and the totals, and nothing else.
    let run = stage.run(&["delete", "work/s", "-n"]).code(0);
    assert!(run.stderr.contains("Deleted:                2 (files), 0 (dirs)"), "{}", run.stderr);
    let text = dry(&stage, &["delete", "work/s", "--max-delete", "5"]);
    says(&text, &["a: Skipped delete"]);
    let run = stage.run(&["delete", "work/s", "--dry-run", "--max-delete", "1"]).code(7);
    assert!(run.stderr.contains("--max-delete threshold reached"), "{}", run.stderr);
}

#[test]
fn clashes_hide_nothing_of_what_goes() {
    let stage = Stage::start();
    let (s, d) = (stage.directory("s"), stage.directory("d"));
    fs::create_dir_all(s.join("sub")).unwrap();
    fs::write(s.join("a"), "four").unwrap();
    fs::write(s.join("sub/x"), "xx").unwrap();
    fs::create_dir_all(d.join("a")).unwrap();
    fs::write(d.join("a/in"), "22").unwrap();
    fs::write(d.join("sub"), "333").unwrap();
    let text = dry(&stage, &["sync", "work/s", "work/d"]);
    says(
        &text,
        &[
            "NOTICE: a: Skipped copy as --dry-run is set (size 4)\n",
            "NOTICE: sub/x: Skipped copy as --dry-run is set (size 2)\n",
            "NOTICE: a/in: Skipped delete as --dry-run is set (size 2)\n",
            "NOTICE: a: Skipped remove directory as --dry-run is set\n",
            "NOTICE: sub: Skipped delete as --dry-run is set (size 3)\n",
            "Transferred:            2 / 2, 100%",
            "Deleted:                2 (files), 1 (dirs), 5 B (freed)",
        ],
    );
}
