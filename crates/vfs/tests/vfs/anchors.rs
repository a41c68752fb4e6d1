//! Each paragraph of `docs/semantics.md` has a test that names it, and no test names one that isn't there.

use std::{collections::BTreeSet, fs, path::Path};

/// The names in brackets, like `[open-1]`, in a text.
fn anchors(text: &str) -> BTreeSet<String> {
    let parts = text.split('[').skip(1).filter_map(|part| part.split_once(']'));
    let is_anchor = |name: &str| {
        name.split_once('-').is_some_and(|(word, number)| {
            !word.is_empty()
                && word.chars().all(|char| char.is_ascii_lowercase() || char == '-')
                && !number.is_empty()
                && number.chars().all(|char| char.is_ascii_digit())
        })
    };
    parts.map(|(name, _)| name.to_owned()).filter(|name| is_anchor(name)).collect()
}

fn tested(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            tested(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let comments: Vec<&str> =
                text.lines().filter(|line| line.trim_start().starts_with("// [")).collect();
            found.extend(anchors(&comments.join("\n")));
        }
    }
}

#[test]
fn each_paragraph_of_the_semantics_has_a_test() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let promised = anchors(&fs::read_to_string(here.join("../../docs/semantics.md")).unwrap());
    assert!(promised.len() > 50, "{promised:?}");
    let mut found = BTreeSet::new();
    tested(&here.join("src"), &mut found);
    tested(&here.join("tests"), &mut found);
    let untested: Vec<_> = promised.difference(&found).collect();
    let unknown: Vec<_> = found.difference(&promised).collect();
    assert!(untested.is_empty() && unknown.is_empty(), "without a test: {untested:?}; unknown: {unknown:?}");
}
