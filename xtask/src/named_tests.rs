//! Checks that the tests named in SECURITY.md and docs/reliability.md exist.

use std::fs;

use crate::trial::workspace;

/// Returns each name of a file and of the function behind it, as in `` `crates/api/src/dump.rs` `a_test` ``.
fn named(text: &str) -> Vec<(String, Option<String>)> {
    let words: Vec<&str> = text.split('`').collect();
    let is_function = |word: &&&str| {
        word.contains('_') && word.chars().all(|char| char == '_' || char.is_ascii_alphanumeric())
    };
    let files =
        words.iter().enumerate().filter(|(_, word)| word.starts_with("crates/") && word.ends_with(".rs"));
    files
        .map(|(at, file)| {
            let follows = words.get(at + 1).is_some_and(|between| *between == " ");
            let function = words.get(at + 2).filter(is_function).filter(|_| follows);
            ((*file).to_owned(), function.map(|word| (*word).to_owned()))
        })
        .collect()
}

#[test]
fn tests_that_documents_name_exist() {
    let root = workspace().unwrap();
    let mut count = 0;
    for document in ["SECURITY.md", "docs/reliability.md"] {
        let text = fs::read_to_string(root.join(document)).unwrap();
        for (file, function) in named(&text) {
            let source = fs::read_to_string(root.join(&file));
            let source = source.unwrap_or_else(|_| panic!("{document} names {file}, which isn't there"));
            if let Some(function) = function {
                assert!(source.contains(&format!("fn {function}(")), "{document}: {file} has no {function}");
                count += 1;
            }
        }
    }
    assert!(count > 20, "only {count} tests were found in the documents");
}

#[test]
fn a_file_alone_and_one_with_a_function_are_told_apart() {
    assert_eq!(
        named("see `crates/a.rs` `one_test`, and `crates/b.rs`; `else_where`"),
        [("crates/a.rs".to_owned(), Some("one_test".to_owned())), ("crates/b.rs".to_owned(), None),]
    );
}
