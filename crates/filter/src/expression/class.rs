//! Sets of characters: `[…]`, `\d`, `[:alpha:]`, `\pL`.

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange, HirKind};

/// Returns a set of the given ranges.
pub(super) fn of_ranges(ranges: &[(char, char)]) -> ClassUnicode {
    ClassUnicode::new(ranges.iter().map(|(first, last)| ClassUnicodeRange::new(*first, *last)))
}

/// Returns the set that a letter after a backslash means, whatever the letter's case.
pub(super) fn of_letter(letter: char) -> Option<ClassUnicode> {
    Some(of_ranges(match letter {
        'd' => &[('0', '9')],
        's' => &[('\t', '\n'), ('\x0c', '\r'), (' ', ' ')],
        'w' => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        _ => return None,
    }))
}

/// Returns the set of a POSIX name, as written in `[:…:]`.
pub(super) fn of_posix(name: &str) -> Option<ClassUnicode> {
    Some(of_ranges(match name {
        "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "alpha" => &[('A', 'Z'), ('a', 'z')],
        "ascii" => &[('\0', '\x7f')],
        "blank" => &[('\t', '\t'), (' ', ' ')],
        "cntrl" => &[('\0', '\x1f'), ('\x7f', '\x7f')],
        "digit" => &[('0', '9')],
        "graph" => &[('!', '~')],
        "lower" => &[('a', 'z')],
        "print" => &[(' ', '~')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => &[('\t', '\r'), (' ', ' ')],
        "upper" => &[('A', 'Z')],
        "word" => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return None,
    }))
}

/// Returns the set of a category or script of Unicode.
pub(super) fn of_unicode(name: &str) -> Option<ClassUnicode> {
    let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | ' ');
    if name.is_empty() || !name.chars().all(plain) {
        return None;
    }
    let meaning = regex_syntax::parse(&format!(r"\p{{{name}}}")).ok()?;
    match meaning.into_kind() {
        HirKind::Class(regex_syntax::hir::Class::Unicode(class)) => Some(class),
        // A set of one character comes back as that character.
        HirKind::Literal(literal) => {
            let character = std::str::from_utf8(&literal.0).ok()?.chars().next()?;
            Some(of_ranges(&[(character, character)]))
        }
        _ => None,
    }
}

/// Adds other cases, if case is ignored, and inverts the set, if it is negated.
pub(super) fn finish(mut class: ClassUnicode, ignore_case: bool, negated: bool) -> ClassUnicode {
    if ignore_case {
        class.case_fold_simple();
    }
    if negated {
        class.negate();
    }
    class
}
