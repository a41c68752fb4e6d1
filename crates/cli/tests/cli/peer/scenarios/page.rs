//! Tests that `docs/differences.md` names every difference on purpose: those of the README, those of the generated
//! runs, and the flags without effect. None is missing on the page, and none is there that isn't one.

use std::collections::BTreeSet;

use super::differences::{Difference, LEFT_OUT};
use crate::stage::Stage;

const PAGE: &str = include_str!("../../../../../../docs/differences.md");
const README: &str = include_str!("../../../../../../README.md");

/// Returns the text below a heading, up to the next one.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let heading = format!("\n## {heading}\n");
    let start = text.find(&heading).unwrap_or_else(|| panic!("no section{heading}")) + heading.len();
    let rest = &text[start..];
    &rest[..rest.find("\n## ").unwrap_or(rest.len())]
}

fn rows(text: &str) -> BTreeSet<String> {
    // The page is in the folder that the README names.
    text.lines().filter(|line| line.starts_with("| ")).map(|line| line.replace("](docs/", "](")).collect()
}

/// Returns the items of a list, each on one line.
fn items(text: &str) -> BTreeSet<String> {
    let mut items: Vec<String> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("- "), items.last_mut()) {
            (Some(item), _) => items.push(item.to_owned()),
            (None, Some(item)) if line.starts_with("  ") => {
                item.push(' ');
                item.push_str(line.trim());
            }
            _ => {}
        }
    }
    items.into_iter().collect()
}

fn set(texts: impl IntoIterator<Item = &'static str>) -> BTreeSet<String> {
    texts.into_iter().map(ToOwned::to_owned).collect()
}

#[test]
fn the_page_and_the_readme_have_one_table() {
    let readme = rows(section(README, "What differs from rclone"));
    assert!(readme.len() > 15, "{readme:?}");
    assert_eq!(rows(section(PAGE, "What this program does in another way")), readme);
}

#[test]
fn the_page_names_what_generated_runs_find_and_leave_out() {
    assert_eq!(
        items(section(PAGE, "How runs of both programs end")),
        set(Difference::ALL.iter().map(|difference| difference.why()))
    );
    assert_eq!(items(section(PAGE, "What isn't held against rclone")), set(LEFT_OUT.iter().copied()));
}

#[test]
fn the_page_names_the_flags_without_effect() {
    let help = Stage::start().run(&["help", "flags", "accepted"]).success_text();
    let flag = |line: &str| {
        let line = line.trim_start();
        let long = line.split(' ').find(|word| word.starts_with("--"))?;
        (line.starts_with(long) || line.starts_with('-')).then(|| long.to_owned())
    };
    let flags: BTreeSet<_> = help.lines().filter_map(flag).collect();
    assert!(flags.len() > 20, "{help}");
    let items = items(section(PAGE, "Flags that are accepted and have no effect"));
    let named: BTreeSet<_> =
        items.iter().filter_map(|item| Some(item.strip_prefix('`')?.split('`').next()?.to_owned())).collect();
    assert_eq!(named, flags);
}
