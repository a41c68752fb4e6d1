//! Errors as a report may tell them: it is to be posted, so nothing of the account may be in it.

use fichier_api::{ErrorKind, shown};

/// How long the service's words may be.
const LONGEST: usize = 120;

/// Says what an error is, without anything that could belong to the account.
pub(super) fn said(error: &ErrorKind) -> String {
    match error {
        ErrorKind::Flood { text }
        | ErrorKind::AddressLocked { text }
        | ErrorKind::OwnerLocked { text }
        | ErrorKind::NotFound { text }
        | ErrorKind::NotAllowed { text, .. }
        | ErrorKind::TooManyLocations { text, .. }
        | ErrorKind::NeedsCdn { text }
        | ErrorKind::AddressRefused { text }
        | ErrorKind::QuotaExceeded { text }
        | ErrorKind::OutOfOrder { text }
        | ErrorKind::Refused { text, .. } => format!("{:?}", without_names(text)),
        ErrorKind::Wordless { status } => format!("a refusal without a word (HTTP {status})"),
        ErrorKind::Html { title, status } => {
            format!("a page for people (HTTP {status}): {:?}", without_names(title))
        }
        ErrorKind::Status { code, .. } => format!("HTTP status {code}"),
        ErrorKind::TokenRefused { status, .. } => format!("the token is refused (HTTP {status})"),
        ErrorKind::NoFileArrived => "no file arrived, says the node".to_owned(),
        ErrorKind::NoReport { waited, .. } => format!("no report within {} s", waited.as_secs()),
        ErrorKind::Truncated { .. } => "the answer was cut short".to_owned(),
        ErrorKind::InvalidJson { .. } | ErrorKind::Unconfirmed { .. } => {
            "the answer makes no sense".to_owned()
        }
        ErrorKind::TooLong { .. } | ErrorKind::TooSlow { .. } => "the answer is too long".to_owned(),
        ErrorKind::Connect(_)
        | ErrorKind::Certificate(_)
        | ErrorKind::Network(_)
        | ErrorKind::Timeout { .. } => "the connection failed".to_owned(),
        _ => "it failed".to_owned(),
    }
}

/// The service's words without what may be a name, a link, a path, a key or a mail address: the service has quoted
/// such before.
fn without_names(text: &str) -> String {
    let is_plain = |word: &&str| {
        word.len() <= 20 && word.chars().all(|c| c.is_ascii_alphabetic() || "#().,:;!'-".contains(c))
    };
    let is_number = |word: &&str| {
        let digits = word.trim_start_matches('#').trim_end_matches(['.', ',', ')']);
        digits.len() <= 5 && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut words = String::new();
    for word in text.split_whitespace() {
        let word = if is_plain(&word) || is_number(&word) { word } else { "…" };
        if words.len() + word.len() > LONGEST {
            break;
        }
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    shown(&words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_could_be_a_name_is_told() {
        for (text, told) in [
            ("Folder already exists #520", "Folder already exists #520"),
            ("Invalid name: my_diary.txt #12", "Invalid name: … #12"),
            ("No such user somebody@example.com", "No such user …"),
            ("https://1fichier.com/?abcdefgh is gone", "… is gone"),
            ("key 0123456789abcdef", "key …"),
            ("\u{1b}[31m red", "… red"),
        ] {
            assert_eq!(without_names(text), told);
        }
        assert!(without_names(&"word ".repeat(100)).len() <= LONGEST + 20);
    }
}
