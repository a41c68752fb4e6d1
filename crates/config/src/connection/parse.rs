//! The reader of remote strings.

use super::{Address, Drives, Parameters, RemoteSpec};

/// Why a remote string can't be read. Values are not part of it, since one may be an API key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read the remote string at character {}: {fault}", at + 1)]
pub struct AddressError {
    /// The byte at which the fault was seen, from 0.
    pub at: usize,
    /// What is wrong there.
    pub fault: AddressFault,
}

/// What is wrong with a remote string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// Nothing at all.
    #[error("it is empty; use `.` for the current directory")]
    Empty,
    /// `:`, `::`, `,a=1:`
    #[error("the name before `:` or `,` is empty")]
    EmptyName,
    /// A character that no name has.
    #[error(
        "a name may hold letters, numbers, `_`, `-`, `.`, `+`, `@` and spaces, must not begin with `-` or a \
         space nor end with a space. If it's a local path, write `./` in front"
    )]
    BadName,
    /// `:backend` without the colon behind it.
    #[error("a backend needs a `:` behind it, as in `:fichier:path`")]
    NoColon,
    /// `remote,:`
    #[error("a parameter has no name")]
    EmptyParameter,
    /// A character that no parameter has.
    #[error("a parameter's name may hold `0-9`, `A-Z`, `a-z`, `_` and `.`")]
    BadParameter,
    /// The end within the parameters.
    #[error("a parameter must end with `,` or `:`")]
    UnendedParameter,
    /// A quote without its partner.
    #[error("the quote of a value is not closed")]
    UnclosedQuote,
    /// Something behind a closing quote.
    #[error("behind a quoted value comes `,` or `:`; a quote within the value is written twice")]
    AfterQuote,
    /// A parameter's value that isn't UTF-8.
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

/// Whether this can be the name of a remote.
///
/// Runs of letters, numbers and `_.+@`, divided by runs of spaces and hyphens. A hyphen is taken for a letter
/// once there was a division, so that `a-b-` is a name and `a-` is none: odd, but so it is in rclone.
pub fn is_name(name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || "_.+@".contains(c);
    let tail = name.trim_start_matches(is_word);
    let ends_well = match tail.trim_end_matches([' ', '-']) {
        // One run of divisions only: its last hyphen can be a word of its own behind another division.
        "" => tail.is_empty() || (tail.len() > 1 && tail.ends_with('-')),
        _ => !name.ends_with(' '),
    };
    name.starts_with(is_word) && name.chars().all(|c| is_word(c) || c == ' ' || c == '-') && ends_well
}

/// Reads one parameter that begins at `start`; tells where it ends, at a `,` or `:`.
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
