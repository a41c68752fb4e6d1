//! Pages for people, which the service and its nodes send instead of answers: their text without the HTML.

use crate::key::ApiKey;
use crate::shown::{LONGEST, shown};

/// Number of bytes of a page that are read.
const LOOKED_AT: usize = 64 << 10;

/// Elements whose content isn't text for people.
const UNREAD: [&str; 5] = ["head", "title", "script", "style", "noscript"];

/// Entities that such pages use.
const ENTITIES: [(&str, char); 18] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("eacute", 'é'),
    ("egrave", 'è'),
    ("ecirc", 'ê'),
    ("agrave", 'à'),
    ("acirc", 'â'),
    ("ccedil", 'ç'),
    ("ocirc", 'ô'),
    ("ucirc", 'û'),
    ("ugrave", 'ù'),
    ("icirc", 'î'),
    ("rsquo", '’'),
    ("laquo", '«'),
];

/// Checks whether a body looks like a page for people.
pub(crate) fn is_html(body: &[u8]) -> bool {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start().first() == Some(&b'<')
}

/// Returns title and first sentence of a page, ready to be shown.
pub(crate) fn gist(body: &[u8], key: &ApiKey) -> String {
    // The key is removed before anything is cut, so that no part of it stays.
    let text = key.redact(&String::from_utf8_lossy(&body[..body.len().min(LOOKED_AT)]));
    let title = title(&text).unwrap_or_default();
    let words = words(&text);
    let sentence = first_sentence(&words);
    let sentence = if sentence == title { words[sentence.len()..].trim() } else { sentence };
    let sentence = first_sentence(sentence);
    shown(&match (title.as_str(), sentence) {
        ("", sentence) => sentence.to_owned(),
        (title, "") => title.to_owned(),
        (title, sentence) if title.contains(sentence) => title.to_owned(),
        (title, sentence) => format!("{title}: {sentence}"),
    })
}

/// Returns the whole text of a page, title first, for finding out what it means.
pub(crate) fn all_words(body: &[u8], key: &ApiKey) -> String {
    let text = key.redact(&String::from_utf8_lossy(&body[..body.len().min(LOOKED_AT)]));
    let title = title(&text).unwrap_or_default();
    format!("{title} {}", words(&text))
}

fn title(text: &str) -> Option<String> {
    // Only ASCII is made lower-case, so that positions in both texts agree.
    let lower = text.to_ascii_lowercase();
    let tag = lower.find("<title")?;
    let start = tag + lower[tag..].find('>')? + 1;
    let end = lower[start..].find('<').map_or(text.len(), |end| start + end);
    let title = one_line(&decoded(&text[start..end]));
    (!title.is_empty()).then_some(title)
}

/// Returns what a browser would show of it, in one line.
fn words(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut words = String::new();
    let mut at = 0;
    while let Some(tag) = lower[at..].find('<') {
        words.push_str(&text[at..at + tag]);
        words.push(' ');
        let tag = at + tag;
        let rest = &lower[tag + 1..];
        let end = if rest.starts_with("!--") { "-->" } else { ">" };
        let unread = UNREAD.iter().find(|name| {
            rest.strip_prefix(**name).is_some_and(|after| after.starts_with(['>', ' ', '\n', '\t', '/']))
        });
        let close = match unread {
            Some(name) => rest.find(&format!("</{name}")).map_or(rest.len(), |close| close + 1),
            None => rest.find(end).map_or(rest.len(), |close| close + end.len()),
        };
        at = tag + 1 + close;
        if unread.is_some() {
            // Skips to the end of the closing tag.
            at += lower[at..].find('>').map_or(lower.len() - at, |close| close + 1);
        }
    }
    words.push_str(&text[at..]);
    one_line(&decoded(&words))
}

fn decoded(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let name = rest.find(';').filter(|end| *end <= 8).map(|end| &rest[..end]);
        let meant = name.and_then(|name| match name.strip_prefix('#') {
            Some(number) => match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok().and_then(char::from_u32),
                None => number.parse().ok().and_then(char::from_u32),
            },
            None => ENTITIES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, c)| *c),
        });
        match (meant, name) {
            (Some(meant), Some(name)) => {
                out.push(meant);
                rest = &rest[name.len() + 1..];
            }
            _ => out.push('&'),
        }
    }
    out.push_str(rest);
    out
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the first sentence, if it is short enough.
fn first_sentence(words: &str) -> &str {
    let end = words
        .char_indices()
        .zip(words.chars().skip(1).map(Some).chain([None]))
        .find(|((_, letter), next)| {
            matches!(letter, '.' | '!' | '?' | '…') && next.is_none_or(char::is_whitespace)
        })
        .map(|((at, letter), _)| at + letter.len_utf8());
    match end {
        Some(end) if end <= LONGEST => &words[..end],
        _ => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(page: &str) -> String {
        gist(page.as_bytes(), &ApiKey::new("s3cr3t-key"))
    }

    #[test]
    fn a_page_is_told_by_its_title_and_its_first_sentence() {
        for (page, told) in [
            ("\n<!DOCTYPE html><HTML><Title>\n Down for\tmaintenance </Title>", "Down for maintenance"),
            (
                "<html><head><title>1fichier.com</title><style>b{}</style></head><body><script>var a = '<p>';</script>\
                 <h1>Service&nbsp;indisponible</h1> <p>Nos services sont en maintenance&#33; Revenez.</p></body>",
                "1fichier.com: Service indisponible Nos services sont en maintenance!",
            ),
            ("<p>Your quota is exceeded</p>", "Your quota is exceeded"),
            ("<p>Wait é", "Wait é"),
            ("<title></title>x", "x"),
            (
                "<title>Wait.</title><p>Wait. Come back at 5.30 p.m. today.</p>",
                "Wait.: Come back at 5.30 p.m.",
            ),
            ("<!-- a > b --><p>key s3cr3t-key here</p>", "key *** here"),
            ("<p>\u{1b}[31mred\r\n</p>", "\\u{1b}[31mred"),
        ] {
            assert_eq!(of(page), told, "{page}");
        }
        let long = of(&format!("<p>{}</p>", "word ".repeat(1000)));
        assert!(long.chars().count() <= LONGEST + 1, "{long}");
    }

    proptest! {
        #[test]
        fn no_page_makes_it_panic_and_no_tag_is_shown(page in "(<title>|</title>|<script>|</scr|<!--|<p>|<head>|é|&#x4|&amp;|\\. |x|\\n){0,20}") {
            let told = of(&page);
            prop_assert!(!told.contains("<p>") && !told.contains("<script>"), "{} {}", page, told);
        }
    }
}
