//! Patterns compared with a second implementation: a matcher that uses no regular expressions.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use fichier_filter::{Definition, Filter};
use fichier_storage::{File, RemotePath};
use proptest::prelude::*;

/// A piece of a pattern, as a person thinks of it.
#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Escaped(char),
    AnyCharacter,
    AnyName,
    Anything,
    OneOf(Vec<char>),
    NoneOf(Vec<char>),
    Alternatives(Vec<Vec<Piece>>),
}

impl Piece {
    fn write(&self, out: &mut String) {
        match self {
            Self::Text(text) => out.push_str(text),
            Self::Escaped(character) => out.extend(['\\', *character]),
            Self::AnyCharacter => out.push('?'),
            Self::AnyName => out.push('*'),
            Self::Anything => out.push_str("**"),
            Self::OneOf(set) => out.extend(['['].iter().chain(set).chain(&[']'])),
            Self::NoneOf(set) => out.extend(['[', '^'].iter().chain(set).chain(&[']'])),
            Self::Alternatives(alternatives) => {
                let texts: Vec<String> = alternatives.iter().map(|pieces| written(pieces)).collect();
                out.push_str(&format!("{{{}}}", texts.join(",")));
            }
        }
    }
}

fn written(pieces: &[Piece]) -> String {
    let mut out = String::new();
    // Stars that touch would be counted together.
    let is_star = |piece: &Piece| matches!(piece, Piece::AnyName | Piece::Anything);
    for (index, piece) in pieces.iter().enumerate() {
        if index == 0 || !(is_star(piece) && is_star(&pieces[index - 1])) {
            piece.write(&mut out);
        }
    }
    out
}

/// Checks whether the pieces match all of the text, by trying.
fn matches(pieces: &[Piece], text: &[char], before: Option<&Piece>) -> bool {
    let Some((piece, rest)) = pieces.split_first() else { return text.is_empty() };
    let is_star = |piece: &Piece| matches!(piece, Piece::AnyName | Piece::Anything);
    let go_on = |text: &[char]| matches(rest, text, Some(piece));
    let one =
        |test: &dyn Fn(char) -> bool| text.first().is_some_and(|first| test(*first)) && go_on(&text[1..]);
    match piece {
        Piece::Text(wanted) => {
            let wanted: Vec<char> = wanted.chars().collect();
            text.starts_with(&wanted) && go_on(&text[wanted.len()..])
        }
        Piece::Escaped(wanted) => one(&|first| first == *wanted),
        Piece::AnyCharacter => one(&|first| first != '/'),
        Piece::OneOf(set) => one(&|first| set.contains(&first)),
        Piece::NoneOf(set) => one(&|first| !set.contains(&first)),
        // Such a star isn't written.
        star if is_star(star) && before.is_some_and(is_star) => go_on(text),
        Piece::AnyName => {
            let length = text.iter().take_while(|character| **character != '/').count();
            (0..=length).any(|taken| go_on(&text[taken..]))
        }
        Piece::Anything => (0..=text.len()).any(|taken| go_on(&text[taken..])),
        Piece::Alternatives(alternatives) => alternatives.iter().any(|alternative| {
            (0..=text.len()).any(|taken| matches(alternative, &text[..taken], None) && go_on(&text[taken..]))
        }),
    }
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let set = || proptest::collection::vec(prop::sample::select(vec!['a', 'b', 'é', '.', '+']), 1..3);
    let leaf = prop_oneof![
        4 => "[abé./]{1,2}".prop_map(Piece::Text),
        1 => "[$^()|+]".prop_map(Piece::Text),
        1 => prop::sample::select(vec!['*', '?', '[', '{', '}', ',', '\\', '.']).prop_map(Piece::Escaped),
        1 => Just(Piece::AnyCharacter),
        2 => Just(Piece::AnyName),
        1 => Just(Piece::Anything),
        1 => set().prop_map(Piece::OneOf),
        1 => set().prop_map(Piece::NoneOf),
    ];
    let piece = leaf.prop_recursive(2, 8, 3, |inner| {
        let alternative = proptest::collection::vec(inner, 0..3);
        // A brace right after a brace would begin a regular expression.
        let alternative = alternative.prop_filter("a brace in front", |pieces| {
            !matches!(pieces.first(), Some(Piece::Alternatives(_)))
        });
        proptest::collection::vec(alternative, 1..3).prop_map(Piece::Alternatives)
    });
    proptest::collection::vec(piece, 1..5)
}

fn file(path: &RemotePath) -> File {
    File::new(path.clone(), 0)
}

fn filter(rules: Vec<String>) -> Filter {
    let rules = rules.into_iter().map(String::into_bytes).collect();
    Filter::new(&Definition { rules, ..Definition::default() }).unwrap()
}

fn takes(filter: &Filter, path: &RemotePath) -> bool {
    filter.check_file(path, &file(path)).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_pattern_matches_what_a_person_reads_in_it(
        pieces in pieces(),
        rooted: bool,
        path in "[abé*?{,\\\\+$(|\\[][abé.]?(/[abé+^)][abé.]?){0,3}",
    ) {
        let path = RemotePath::parse(&path).unwrap();
        prop_assume!(!path.is_root());
        let text = written(&pieces);
        // These mean something else: the root, or a folder; and a brace after a brace begins a regular expression,
        // even where the first one is escaped.
        prop_assume!(!text.starts_with('/') && !text.ends_with('/') && !text.contains("{{"));
        // A rule that excludes says nothing about folders, which rclone may fail to derive.
        let filter = filter(vec![format!("- {}{text}", if rooted { "/" } else { "" })]);
        let characters: Vec<char> = path.to_string().chars().collect();
        let starts = (0..characters.len()).filter(|start| *start == 0 || characters[start - 1] == '/');
        // After the last slash there is nothing, which is a place to match, too.
        let expected = starts
            .take(if rooted { 1 } else { usize::MAX })
            .any(|start| matches(&pieces, &characters[start..], None));
        prop_assert_eq!(!takes(&filter, &path), expected, "{} against {:?}", text, path);
    }

    #[test]
    fn folders_that_lead_to_a_taken_file_are_taken(
        pieces in pieces(),
        path in "[abé][abé.]?(/[abé+][abé.]?){0,3}",
    ) {
        let path = RemotePath::parse(&path).unwrap();
        // rclone knows all folders above only for patterns from the root. It doesn't foresee either that `[^a]`
        // matches a slash in a file's path, nor that a brace within braces is escaped.
        let text = written(&pieces).replace("[^", "[").replace('\\', "");
        let Ok(filter) = Filter::new(&Definition {
            include: vec![format!("/{}", text.trim_matches('/').replace("//", "/")).into_bytes()],
            ..Definition::default()
        }) else {
            // rclone cuts patterns at slashes, also within brackets.
            return Ok(());
        };
        if takes(&filter, &path) {
            let mut above = path.parent();
            while let Some(folder) = above {
                prop_assert!(filter.takes_folder(&folder), "{} hides {:?} above {:?}", text, folder, path);
                above = folder.parent();
            }
        }
    }

    #[test]
    fn no_pattern_makes_it_panic(
        patterns in proptest::collection::vec("[a-c/*?{}\\[\\]\\\\,^|+.$(){2}!<>:=PQEpdx-]{0,12}", 1..4),
        path in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        let definition = Definition {
            include: patterns.iter().map(|pattern| pattern.clone().into_bytes()).collect(),
            exclude: patterns.iter().map(|pattern| format!("{{{{{pattern}}}}}").into_bytes()).collect(),
            ..Definition::default()
        };
        if let (Ok(filter), Ok(path)) = (Filter::new(&definition), RemotePath::parse(&path)) {
            let _either = takes(&filter, &path) && filter.takes_folder(&path);
        }
    }
}
