//! Tests that both programs make the same new names with `--name-transform`.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::Path,
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

use crate::{
    peer::{rclone::Rclone, side_by_side},
    stage::Stage,
};

/// Parts of names: cases without a single partner, forms of Unicode, look-alikes, extensions.
const PIECES: &[&str] = &[
    "The", "Quick", "fox", " ", "-", "_", ".", ".tar.gz", ".txt", ".TXT", "é", "e\u{301}", "ß", "ǆ", "ŉ",
    "ﬁ", "İ", "Σ", "ς", "Ａ", "①", "🦊", "日本", "+", "%20", "=", "&", "a.b", "１", "～", "œ", "…", "Ω", "ñ",
    "x", "K", "ſ", "ᾳ", "’",
];

/// All kinds of rules, each given to both programs.
const RULES: &[&[&str]] = &[
    &["prefix=X"],
    &["all,prefix=X"],
    &["dir,suffix=.d"],
    &["suffix=.bak"],
    &["suffix_keep_extension=-1"],
    &["trimprefix=The"],
    &["all,trimsuffix=.txt"],
    &["regex=([a-z])(?P<n>[^a-z]|$)/$n$1"],
    &["regex=(?i)the|FOX/<$0>"],
    &["replace=e:"],
    &["replace=.:_"],
    &["all,nfc"],
    &["nfd"],
    &["nfkc"],
    &["all,nfkd"],
    &["all,uppercase"],
    &["lowercase"],
    &["titlecase"],
    &["all,url"],
    &["base64encode"],
    &["base64encode", "base64decode"],
    &["encoder=Percent,Dot,RightPeriod,LeftSpace"],
    &["encoder=Percent", "decoder=Percent"],
    &["charmap=Windows-1252"],
    &["Macintosh"],
    &["ISO-8859-1"],
    &["truncate=7"],
    &["truncate_bytes=9"],
    &["date=-{YYYYMMDD}"],
    &["date={DateOnly}"],
    &["command=/bin/echo"],
    &["none"],
    &["lowercase", "all,replace=x:ks", "prefix=P-"],
];

/// Result of a run: each file's content by its path.
type Tree = BTreeMap<Vec<u8>, Vec<u8>>;

fn plant(root: &Path, random: &mut StdRng) {
    for folder in ["", "Sub.Dir", "Sub.Dir/Très Bas"] {
        fs::create_dir_all(root.join(folder)).unwrap();
        for number in 0..14 {
            let count = random.random_range(1..5);
            let middle: String = (0..count).map(|_| *PIECES.choose(random).unwrap()).collect();
            // The number keeps names apart whatever happens to the rest, and is where nothing cuts it off.
            let name = format!("{number:02}{middle}");
            fs::write(root.join(folder).join(&name), format!("{folder}{name}")).unwrap();
        }
    }
}

fn read(root: &Path, below: &Path, tree: &mut Tree) {
    for entry in fs::read_dir(root.join(below)).unwrap().map(Result::unwrap) {
        let path = below.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            read(root, &path, tree);
        } else {
            tree.insert(path.clone().into_os_string().into_vec(), fs::read(root.join(&path)).unwrap());
        }
    }
}

fn shown(tree: &Tree) -> Vec<String> {
    let line = |(path, content): (&Vec<u8>, &Vec<u8>)| {
        format!("{:?}: {}", OsStr::from_bytes(path), String::from_utf8_lossy(content))
    };
    tree.iter().map(line).collect()
}

#[test]
fn rules_make_the_same_names_and_are_done_once() {
    let rclone = Rclone::installed();
    let seeds: Vec<(usize, &[&str])> = RULES.iter().copied().enumerate().collect();
    let parts: Vec<_> = seeds.chunks(seeds.len().div_ceil(2)).collect();
    side_by_side(&parts, |rules| {
        for (seed, rules) in *rules {
            let stage = Stage::start_behind_proxy();
            let [source, ours, theirs] = ["source", "ours", "theirs"].map(|name| stage.directory(name));
            plant(&source, &mut StdRng::seed_from_u64(*seed as u64));
            let flags: Vec<_> = rules.iter().flat_map(|rule| ["--name-transform", rule]).collect();
            let [source, to_ours, to_theirs] = [&source, &ours, &theirs].map(|path| path.to_str().unwrap());
            rclone.run(&stage, &[&["copy", source, to_theirs], &flags[..]].concat()).success();
            stage.run(&[&["copy", source, to_ours], &flags[..]].concat()).success();
            let mut trees = [Tree::new(), Tree::new()];
            read(&ours, Path::new(""), &mut trees[0]);
            read(&theirs, Path::new(""), &mut trees[1]);
            assert_eq!(shown(&trees[0]), shown(&trees[1]), "{rules:?}: left is ours, right is rclone's");
            let again = [&["sync", source, to_ours, "--error-on-no-transfer"], &flags[..]].concat();
            stage.run(&again).code(9);
            let mut after = Tree::new();
            read(&ours, Path::new(""), &mut after);
            assert_eq!(shown(&after), shown(&trees[0]), "{rules:?}: a sync changes nothing");
            stage.run(&[&["check", source, to_ours], &flags[..]].concat()).success();
        }
    });
}
