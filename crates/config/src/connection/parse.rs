//! The parser of remote strings.

use super::{Address, Drives, Parameters, RemoteSpec};

/// Why a remote string can't be parsed. Values aren't part of the error, since one may be an API key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read the remote string at character {}: {fault}", at + 1)]
pub struct AddressError {
    /// Position of the mistake in bytes, from 0.
    pub at: usize,
    /// What is wrong at that position.
    pub fault: AddressFault,
}

/// A mistake in a remote string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// The string is empty.
    #[error("it is empty; use `.` for the current directory")]
    Empty,
    /// The name is empty, as in `:`, `::` and `,a=1:`.
    #[error("the name before `:` or `,` is empty")]
    EmptyName,
    /// The name holds a character that no name can have.
    #[error(
        "a name may hold letters, numbers, `_`, `-`, `.`, `+`, `@` and spaces, must not begin with `-` or a \
         space nor end with a space. If it's a local path, write `./` in front"
    )]
    BadName,
    /// The colon after `:backend` is missing.
    #[error("a backend needs a `:` behind it, as in `:fichier:path`")]
    NoColon,
    /// A parameter is empty, as in `remote,:`.
    #[error("a parameter has no name")]
    EmptyParameter,
    /// The name of a parameter holds a character that none can have.
    #[error("a parameter's name may hold `0-9`, `A-Z`, `a-z`, `_` and `.`")]
    BadParameter,
    /// The string ends within the parameters.
    #[error("a parameter must end with `,` or `:`")]
    UnendedParameter,
    /// A quote isn't closed.
    #[error("the quote of a value is not closed")]
    UnclosedQuote,
    /// There is text after a closing quote.
    #[error("behind a quoted value comes `,` or `:`; a quote within the value is written twice")]
    AfterQuote,
    /// The value of a parameter isn't UTF-8.
    #[error("a parameter's value is not UTF-8")]
    NotText,
}

pub(super) fn address(text: &[u8], drives: Drives) -> Result<Address, AddressError> {
    if text.is_empty() {
        return fault(0, AddressFault::Empty);
    }
    let on_the_fly = text[0] == b':';
    if !on_the_fly && is_local(text, drives) {
        return Ok(Address::local(text));
    }
    let start = usize::from(on_the_fly);
    let end = position(text, start, b",:").unwrap_or(text.len());
    if end == start {
        let lone = text.len() == start;
        return fault(start, if lone { AddressFault::NoColon } else { AddressFault::EmptyName });
    }
    let name = name(&text[start..end], start)?;
    let mut parameters = Vec::new();
    let mut at = end;
    loop {
        match text.get(at) {
            Some(b':') => break,
            Some(_) => at = parameter(text, at + 1, &mut parameters)?,
            None if parameters.is_empty() => return fault(at, AddressFault::NoColon),
            None => return fault(at, AddressFault::UnendedParameter),
        }
    }
    let parameters = Parameters(parameters);
    let remote = match on_the_fly {
        true => RemoteSpec::OnTheFly { backend: name, parameters },
        false => RemoteSpec::Named { name, parameters },
    };
    Ok(Address { remote, path: text[at + 1..].to_vec() })
}

fn fault<T>(at: usize, fault: AddressFault) -> Result<T, AddressError> {
    Err(AddressError { at, fault })
}

fn position(text: &[u8], from: usize, bytes: &[u8]) -> Option<usize> {
    text[from..].iter().position(|byte| bytes.contains(byte)).map(|at| from + at)
}

fn is_local(text: &[u8], drives: Drives) -> bool {
    let drive = text[0].is_ascii_alphabetic() && text.get(1) == Some(&b':');
    if drives == Drives::Letters && drive {
        return true;
    }
    let separator_first = position(text, 0, b",:/\\").is_some_and(|at| matches!(text[at], b'/' | b'\\'));
    separator_first || !text.contains(&b':')
}

fn name(bytes: &[u8], start: usize) -> Result<String, AddressError> {
    match std::str::from_utf8(bytes) {
        Ok(name) if is_name(name) => Ok(name.to_owned()),
        _ => fault(start, AddressFault::BadName),
    }
}

/// Checks whether a text can be the name of a remote.
///
/// A name is runs of letters, numbers and `_.+@`, separated by runs of spaces and hyphens. After a first separator a
/// hyphen counts as a letter, so that `a-b-` is a name and `a-` isn't: odd, but rclone does the same.
pub fn is_name(name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || "_.+@".contains(c);
    let tail = name.trim_start_matches(is_word);
    let ends_well = match tail.trim_end_matches([' ', '-']) {
        // There is only one run of separators: its last hyphen can be a word of its own after another separator.
        "" => tail.is_empty() || (tail.len() > 1 && tail.ends_with('-')),
        _ => !name.ends_with(' '),
    };
    name.starts_with(is_word) && name.chars().all(|c| is_word(c) || c == ' ' || c == '-') && ends_well
}

/// Reads one parameter that begins at `start`, and returns where it ends, at a `,` or `:`.
fn parameter(
    text: &[u8],
    start: usize,
    parameters: &mut Vec<(String, String)>,
) -> Result<usize, AddressError> {
    let end = position(text, start, b",:=").unwrap_or(text.len());
    if end == start {
        return fault(start, AddressFault::EmptyParameter);
    }
    if end == text.len() {
        return fault(end, AddressFault::UnendedParameter);
    }
    let is_key = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'.';
    if let Some(bad) = text[start..end].iter().position(|byte| !is_key(byte)) {
        return fault(start + bad, AddressFault::BadParameter);
    }
    let key = String::from_utf8_lossy(&text[start..end]).into_owned();
    let (value, end) = match text[end] {
        b'=' => value(text, end + 1)?,
        _ => (b"true".to_vec(), end),
    };
    let value = String::from_utf8(value).or_else(|_| fault(start, AddressFault::NotText))?;
    parameters.push((key, value));
    Ok(end)
}

fn value(text: &[u8], start: usize) -> Result<(Vec<u8>, usize), AddressError> {
    let Some(quote @ (b'"' | b'\'')) = text.get(start).copied() else {
        return match position(text, start, b",:") {
            Some(end) => Ok((text[start..end].to_vec(), end)),
            None => fault(text.len(), AddressFault::UnendedParameter),
        };
    };
    let mut value = Vec::new();
    let mut at = start + 1;
    loop {
        let Some(end) = position(text, at, &[quote]) else {
            return fault(start, AddressFault::UnclosedQuote);
        };
        value.extend_from_slice(&text[at..end]);
        match text.get(end + 1) {
            Some(next) if *next == quote => value.push(quote),
            Some(b',' | b':') => return Ok((value, end + 1)),
            _ => return fault(end + 1, AddressFault::AfterQuote),
        }
        at = end + 2;
    }
}
