//! Sets of characters: `[…]`, `\d`, `[:alpha:]`, `\pL`.

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange, HirKind};

/// A set of the given ranges.
pub(super) fn of_ranges(ranges: &[(char, char)]) -> ClassUnicode {
    ClassUnicode::new(ranges.iter().map(|(first, last)| ClassUnicodeRange::new(*first, *last)))
}

/// The set that a letter after a backslash stands for, without regard to its case.
pub(super) fn of_letter(letter: char) -> Option<ClassUnicode> {
    Some(of_ranges(match letter {
        'd' => &[('0', '9')],
        's' => &[('\t', '\n'), ('\x0c', '\r'), (' ', ' ')],
        'w' => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        _ => return None,
    }))
}

/// The set of a POSIX name, as it stands in `[:…:]`.
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

/// The set of a category or script of Unicode.
pub(super) fn of_unicode(name: &str) -> Option<ClassUnicode> {
    let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | ' ');
    if name.is_empty() || !name.chars().all(plain) {
        return None;
    }
    let meaning = regex_syntax::parse(&format!(r"\p{{{name}}}")).ok()?;
    match meaning.into_kind() {
        HirKind::Class(regex_syntax::hir::Class::Unicode(class)) => Some(class),
        // A set of one character is that character.
        HirKind::Literal(literal) => {
            let character = std::str::from_utf8(&literal.0).ok()?.chars().next()?;
            Some(of_ranges(&[(character, character)]))
        }
        _ => None,
    }
}

/// The set with other cases, if these are to count, and turned round, if that was asked for.
pub(super) fn finish(mut class: ClassUnicode, ignore_case: bool, negated: bool) -> ClassUnicode {
    if ignore_case {
        class.case_fold_simple();
    }
    if negated {
        class.negate();
    }
    class
}
