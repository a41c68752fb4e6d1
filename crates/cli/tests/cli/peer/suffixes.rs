//! Tests of where `--suffix-keep-extension` puts the suffix.
//!
//! Whether a second extension is one, rclone decides by its own table of media types and that of the system, which
//! differs from machine to machine. The names here have extensions that both or neither of them know.

use std::fs;

use crate::{peer::rclone::Rclone, stage::Stage};

const NAMES: &[&str] = &[
    "plain",
    "one.txt",
    "two.json.gz",
    "two.html.unheard",
    "three.csv.json.zip",
    "UPPER.JSON.GZ",
    "mixed.Html.x",
    "unknown.unheard.gz",
    "between.html.unheard.gz",
    "version-1.2.gz",
    "spaced. json.gz",
    "dots..gz",
    "more...json.gz",
    "end.",
    "end.html.",
    ".profile",
    ".profile.txt",
    ".html.txt",
    "..txt",
    "é.html.ü",
];

#[test]
fn a_suffix_before_the_extensions_goes_where_rclone_puts_it() {
    let stage = Stage::start_behind_proxy();
    let rclone = Rclone::installed();
    let [theirs, ours] = ["theirs", "ours"].map(|program| {
        let [empty, directory] = ["empty", program].map(|name| stage.directory(name));
        for name in NAMES {
            fs::write(directory.join(name), "old").unwrap();
        }
        let [from, to] = [&empty, &directory].map(|path| path.to_str().unwrap());
        let words = ["sync", from, to, "--suffix=-old", "--suffix-keep-extension"];
        match program {
            "ours" => stage.run(&words),
            _ => rclone.run(&stage, &words),
        }
        .success_text();
        let mut names: Vec<_> = fs::read_dir(&directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    });
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), NAMES.len());
    assert!(ours.contains(&"two-old.json.gz".to_owned()), "{ours:?}");
}
