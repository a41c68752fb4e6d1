//! Edits of the text, compared with a model.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn edited(text: &str, edit: impl FnOnce(&mut Document)) -> String {
    let mut document = Document::parse(text.as_bytes()).unwrap();
    edit(&mut document);
    String::from_utf8(document.to_bytes()).unwrap()
}

const TEXT: &str = "# top\n\n; of one\n[one]\ntype = fichier\n# the key\napi_key: K # no comment\nodd = 1\n\n\
                    # of two\n[two]\ntype = local\n\n# the end\n";

#[test]
fn an_edit_changes_its_line_alone() {
    let text = edited(TEXT, |document| document.set("one", "api_key", "NEW").unwrap());
    assert_eq!(text, TEXT.replace("api_key: K # no comment", "api_key = NEW"));
    let text = edited(TEXT, |document| assert!(document.unset("one", "odd").unwrap()));
    assert_eq!(text, TEXT.replace("odd = 1\n", ""));
    let text = edited(TEXT, |document| document.set("one", "cdn", "true").unwrap());
    assert_eq!(text, TEXT.replace("odd = 1\n", "odd = 1\ncdn = true\n"));
    assert_eq!(edited(TEXT, |document| assert!(!document.unset("one", "none").unwrap())), TEXT);
}

#[test]
fn a_section_goes_with_its_comment() {
    let text = edited(TEXT, |document| assert!(document.remove_section("one")));
    assert_eq!(text, "# top\n\n# of two\n[two]\ntype = local\n\n# the end\n");
    assert_eq!(edited(TEXT, |document| assert!(!document.remove_section("three"))), TEXT);
}

#[test]
fn a_section_is_renamed_and_copied_with_all_it_holds() {
    let text = edited(TEXT, |document| document.rename_section("one", "uno").unwrap());
    assert_eq!(text, TEXT.replace("[one]", "[uno]"));
    let text = edited("# a\n[a]\nk = 1\n# c\nl = `2`", |document| document.copy_section("a", "b").unwrap());
    assert_eq!(text, "# a\n[a]\nk = 1\n# c\nl = `2`\n\n[b]\nk = 1\n# c\nl = `2`\n\n");
    let mut document = Document::parse(TEXT.as_bytes()).unwrap();
    assert_eq!(document.copy_section("one", "two"), Err(EditError::SectionExists("two".into())));
    assert_eq!(document.rename_section("one", "two"), Err(EditError::SectionExists("two".into())));
    assert_eq!(document.rename_section("no", "new"), Err(EditError::NoSection("no".into())));
    assert_eq!(document.to_bytes(), TEXT.as_bytes());
}

#[test]
fn a_new_section_stands_apart() {
    let add = |document: &mut Document| {
        document.add_section("new").unwrap();
        document.set("new", "type", "local").unwrap();
    };
    assert_eq!(edited("", add), "[new]\ntype = local\n\n");
    assert_eq!(edited("[a]\nk = 1", add), "[a]\nk = 1\n\n[new]\ntype = local\n\n");
    assert_eq!(edited("[a]\r\nk = 1\r\n", add), "[a]\r\nk = 1\r\n\r\n[new]\r\ntype = local\r\n\r\n");
}

#[test]
fn of_a_section_in_two_parts_the_line_that_counts_is_changed() {
    let text = "[a]\nk = 1\n[b]\n[a]\nk = 2\n";
    let set = edited(text, |document| document.set("a", "k", "3").unwrap());
    assert_eq!(set, "[a]\nk = 1\n[b]\n[a]\nk = 3\n");
    assert_eq!(edited(text, |document| assert!(document.unset("a", "k").unwrap())), "[a]\n[b]\n[a]\n");
    assert_eq!(edited(text, |document| assert!(document.remove_section("a"))), "[b]\n");
}

#[test]
fn bytes_that_are_no_text_stay() {
    let bytes = b"\xef\xbb\xbf# caf\xe9\n[a]\nk = \xff\n";
    let mut document = Document::parse(bytes).unwrap();
    document.set("a", "l", "1").unwrap();
    assert_eq!(document.to_bytes(), b"\xef\xbb\xbf# caf\xe9\n[a]\nk = \xff\nl = 1\n");
}

#[test]
fn what_cannot_be_read_back_is_not_written() {
    let mut document = Document::parse(b"[a]\n").unwrap();
    for key in ["", " k", "a\nb", "a`b=c"] {
        assert_eq!(document.set("a", key, "v"), Err(EditError::Key(key.into())), "{key:?}");
    }
    for value in ["a\nb", "a\rb", "x%(type)s"] {
        assert_eq!(document.set("a", "k", value), Err(EditError::Value("k".into())), "{value:?}");
    }
    for name in ["", " a", "a\nb"] {
        assert_eq!(document.add_section(name), Err(EditError::Name(name.into())), "{name:?}");
    }
    assert_eq!(document.to_bytes(), b"[a]\n");
}

#[test]
fn values_that_need_quotes_get_them() {
    let written = |value| edited("[a]\n", |document| document.set("a", "k", value).unwrap());
    assert_eq!(written(" x "), "[a]\nk = ` x `\n");
    assert_eq!(written("`x`"), "[a]\nk = ``x``\n");
    assert_eq!(written("\"\"\"x\"\"\""), "[a]\nk = `\"\"\"x\"\"\"`\n");
    assert_eq!(written("# ; = : x"), "[a]\nk = # ; = : x\n");
    assert_eq!(written(""), "[a]\nk = \n");
    assert_eq!(edited("[a]\n", |document| document.set("a", "a:b", "1").unwrap()), "[a]\n`a:b` = 1\n");
    assert_eq!(edited("[a]\n", |document| document.set("a", "#b", "1").unwrap()), "[a]\n`#b` = 1\n");
}

/// An edit of one of a few sections and keys, so that edits often hit the same one.
#[derive(Debug, Clone)]
enum Edit {
    Set(usize, usize, String),
    Unset(usize, usize),
    Add(usize),
    Remove(usize),
    Rename(usize, usize),
    Copy(usize, usize),
}

fn edit(sections: usize) -> impl Strategy<Value = Edit> {
    let section = move || 0..sections;
    prop_oneof![
        8 => (section(), 0..6usize, "[^\n\r]{0,12}").prop_map(|(s, k, v)| Edit::Set(s, k, v)),
        2 => (section(), 0..6usize).prop_map(|(s, k)| Edit::Unset(s, k)),
        1 => section().prop_map(Edit::Add),
        1 => section().prop_map(Edit::Remove),
        1 => (section(), section()).prop_map(|(s, t)| Edit::Rename(s, t)),
        1 => (section(), section()).prop_map(|(s, t)| Edit::Copy(s, t)),
    ]
}

type Model = BTreeMap<String, BTreeMap<String, String>>;

/// Makes the edit in both; they must agree on whether it can be made.
fn apply(edit: &Edit, document: &mut Document, model: &mut Model) {
    let name = |number: &usize| format!("s {number}");
    let key = |number: &usize| format!("key{number}");
    match edit {
        Edit::Set(s, k, value) => {
            if document.set(&name(s), &key(k), value).is_ok() {
                model.get_mut(&name(s)).unwrap().insert(key(k), value.clone());
            } else {
                assert!(!model.contains_key(&name(s)) || reference(value).is_some(), "{value:?}");
            }
        }
        Edit::Unset(s, k) => {
            let expected = model.get_mut(&name(s)).map(|section| section.remove(&key(k)).is_some());
            assert_eq!(document.unset(&name(s), &key(k)).ok(), expected);
        }
        Edit::Add(s) => {
            let is_new = !model.contains_key(&name(s));
            assert_eq!(document.add_section(&name(s)).is_ok(), is_new);
            model.entry(name(s)).or_default();
        }
        Edit::Remove(s) => {
            assert_eq!(document.remove_section(&name(s)), model.remove(&name(s)).is_some());
        }
        Edit::Rename(s, t) => {
            let can = model.contains_key(&name(s)) && !model.contains_key(&name(t));
            assert_eq!(document.rename_section(&name(s), &name(t)).is_ok(), can);
            if can {
                let content = model.remove(&name(s)).unwrap();
                model.insert(name(t), content);
            }
        }
        Edit::Copy(s, t) => {
            let can = model.contains_key(&name(s)) && !model.contains_key(&name(t));
            assert_eq!(document.copy_section(&name(s), &name(t)).is_ok(), can);
            if can {
                let content = model[&name(s)].clone();
                model.insert(name(t), content);
            }
        }
    }
}

fn meaning(document: &Document) -> Model {
    let file = document.meaning().unwrap();
    let entries = |section: &crate::ini::Section| {
        section.entries.iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect()
    };
    file.sections().iter().map(|section| (section.name.clone(), entries(section))).collect()
}

fn check(sections: usize, edits: &[Edit]) {
    let mut text = "# the first line\n\n".to_owned();
    let mut model = Model::new();
    for number in 0..sections {
        text += &format!("; of {number}\n[s {number}]\nkey0 = {number}\nforeign: x\n\n");
        let entries = [("key0".to_owned(), number.to_string()), ("foreign".to_owned(), "x".to_owned())];
        model.insert(format!("s {number}"), entries.into());
    }
    let mut document = Document::parse(text.as_bytes()).unwrap();
    for edit in edits {
        apply(edit, &mut document, &mut model);
    }
    assert_eq!(meaning(&document), model);
    // A comment stays for each section of the beginning that still exists under some name.
    assert!(document.to_bytes().starts_with(b"# the first line\n"));
    assert_eq!(Document::parse(&document.to_bytes()).unwrap(), document);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn a_thousand_edits_of_two_hundred_sections_mean_what_a_model_says(
        edits in proptest::collection::vec(edit(220), 1000)
    ) {
        check(200, &edits);
    }
}

proptest! {
    #[test]
    fn edits_that_meet_mean_what_a_model_says(edits in proptest::collection::vec(edit(5), 0..60)) {
        check(3, &edits);
    }

    #[test]
    fn a_document_is_the_bytes_it_was_read_from(text in "([\\[\\]=:#;\"`%() \ta-c]{0,12}\r?\n?){0,8}") {
        if let Ok(document) = Document::parse(text.as_bytes()) {
            prop_assert_eq!(document.to_bytes(), text.as_bytes());
        }
    }
}
