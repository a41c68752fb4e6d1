//! Tests of the commands that list, read and make single things, on the emulated service.

use crate::stage::Stage;

fn seeded() -> Stage {
    let stage = Stage::start();
    let date = "2024-05-06T07:08:09Z".parse().unwrap();
    for (path, content) in [("/a.txt", "hello"), ("/docs/b.txt", "hello world"), ("/docs/deep/c.txt", "c")] {
        stage.control().seed_file_dated(path, content.as_bytes(), date).unwrap();
    }
    stage
}

/// Command line, and what it prints. The service's clock is that of Paris.
const OUTPUTS: &[(&[&str], &str)] = &[
    (&["ls", "t:"], "        1 docs/deep/c.txt\n       11 docs/b.txt\n        5 a.txt\n"),
    (&["lsf", "t:"], "a.txt\ndocs/\n"),
    (&["lsf", "-R", "--files-only", "t:docs"], "b.txt\ndeep/c.txt\n"),
    (&["size", "t:"], "Total objects: 3\nTotal size: 17 B (17 Byte)\n"),
    (&["cat", "t:docs/b.txt"], "hello world"),
    (&["cat", "t:docs/b.txt", "--offset", "6", "--count", "3"], "wor"),
];

#[test]
fn listings_and_contents() {
    let stage = seeded();
    for (words, expected) in OUTPUTS {
        let mut lines: Vec<_> = expected.lines().collect();
        let output = stage.run(words).success_text();
        let mut found: Vec<_> = output.lines().collect();
        lines.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, lines, "{words:?}");
    }
}

#[test]
fn json_checksums_links_and_space() {
    let stage = seeded();
    let json: serde_json::Value =
        serde_json::from_str(&stage.run(&["lsjson", "--hash", "t:docs/b.txt"]).success_text()).unwrap();
    assert_eq!((&json[0]["Name"], &json[0]["Size"]), (&"b.txt".into(), &11.into()));
    let whirlpool = json[0]["Hashes"]["whirlpool"].as_str().unwrap().to_owned();
    let sums = stage.run(&["hashsum", "whirlpool", "t:docs/b.txt"]).success_text();
    assert_eq!(sums, format!("{whirlpool}  b.txt\n"));
    assert!(stage.run(&["link", "t:a.txt"]).success_text().starts_with("https://1fichier.com/?"));
    assert!(stage.run(&["about", "t:"]).success_text().contains("Used:"));
}

#[test]
fn folders_are_made_and_removed() {
    let stage = seeded();
    stage.run(&["mkdir", "t:new/below"]).success();
    assert_eq!(stage.run(&["lsf", "t:new"]).success_text(), "below/\n");
    stage.run(&["rmdir", "t:new/below"]).success();
    assert_eq!(stage.run(&["lsf", "t:new"]).success_text(), "");
    stage.run(&["rmdir", "t:missing"]).code(3);
    stage.run(&["ls", "t:missing"]).code(3);
    assert_eq!(stage.run(&["cat", "t:a.txt"]).success_text(), "hello");
}

#[test]
fn the_move_of_a_whole_directory_is_told_with_both_its_names() {
    let stage = Stage::start();
    stage.control().seed_file("sm1/one", b"1").unwrap();
    let run = stage.run(&["move", "t:sm1", "t:sm2", "-v"]);
    let line =
        run.stderr.lines().find(|line| line.contains("server-side directory move")).unwrap_or_default();
    assert!(line.contains("sm1: Moved to sm2"), "{}", run.stderr);
}
