//! Finds the links of the service in a text as people have it: a forum post, a page, a list.

use std::{collections::HashMap, ops::Range};

use crate::key::Password;
use crate::link::{Domain, FileLink};
use crate::wire::shared::SharedFolderId;

/// Shortest code that counts as one in a text: shorter runs of letters are words of a query.
const SHORTEST_CODE: usize = 5;

/// What a link leads to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LinkTarget {
    /// Link of a file.
    File(FileLink),
    /// The page of a shared folder.
    Folder(SharedFolderId),
}

/// A link that was found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundLink {
    /// Target of the link.
    pub target: LinkTarget,
    /// The password, where the link was written as `URL#password`.
    pub password: Option<Password>,
}

/// Returns the links to files and shared folders in a text, in their order, each once.
///
/// Links may be in BBCode, HTML or Markdown, with or without `https://` and `www.`, in capitals, behind a
/// redirector (`https://other.example/?https%3A%2F%2F1fichier.com%2F%3F…`), and be followed by `&af=…`, a dot or a
/// bracket. Links to other services are passed over. Of a link that is there twice, the first password counts.
///
/// ```
/// use fichier_api::{LinkTarget, links_in};
///
/// let post = "[url=http://www.1fichier.com/?abc123def456&af=7]Part 1[/url], https://example.com/?abc123def456";
/// let links = links_in(post);
/// let [found] = &links[..] else { panic!("{links:?}") };
/// let LinkTarget::File(link) = &found.target else { panic!("{found:?}") };
/// assert_eq!(link.to_string(), "https://1fichier.com/?abc123def456");
/// ```
#[must_use]
pub fn links_in(text: &str) -> Vec<FoundLink> {
    let text = decoded(text);
    let lower = text.to_ascii_lowercase();
    let mut spots: Vec<(Range<usize>, Domain)> = Vec::new();
    for domain in Domain::ALL {
        let host = domain.host();
        spots.extend(lower.match_indices(host).map(|(at, _)| (at..at + host.len(), domain)));
    }
    spots.sort_unstable_by_key(|(place, _)| place.start);
    let mut found: Vec<FoundLink> = Vec::new();
    let mut places: HashMap<LinkTarget, usize> = HashMap::new();
    for (place, domain) in spots {
        if !begins_a_host(&lower[..place.start]) {
            continue;
        }
        let Some((target, rest)) = target(&text[place.clone()], &text[place.end..], domain) else { continue };
        let password = password(rest);
        match places.get(&target).and_then(|index| found.get_mut(*index)) {
            Some(earlier) => earlier.password = earlier.password.take().or(password),
            None => {
                places.insert(target.clone(), found.len());
                found.push(FoundLink { target, password });
            }
        }
    }
    found
}

/// Undoes what redirectors do to the addresses that they carry.
fn decoded(text: &str) -> String {
    const CODES: [(&str, char); 6] =
        [("%3a", ':'), ("%2f", '/'), ("%3f", '?'), ("%26", '&'), ("%3d", '='), ("%23", '#')];
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        decoded.push_str(&rest[..at]);
        let code = rest.get(at..at + 3).map(str::to_ascii_lowercase);
        match CODES.iter().find(|(written, _)| code.as_deref() == Some(*written)) {
            Some((written, character)) => {
                decoded.push(*character);
                rest = &rest[at + written.len()..];
            }
            None => {
                decoded.push('%');
                rest = &rest[at + 1..];
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

/// Checks whether a host name can begin after this text: `www.` belongs to it, `evil` doesn't.
fn begins_a_host(before: &str) -> bool {
    let before = before.strip_suffix("www.").unwrap_or(before);
    !before.ends_with(|character: char| {
        character.is_alphanumeric() || matches!(character, '.' | '-' | '_' | '@')
    })
}

/// Returns what the link leads to and what follows it. `after` is what follows the host.
fn target<'a>(host: &str, after: &'a str, domain: Domain) -> Option<(LinkTarget, &'a str)> {
    if let Some(query) = after.strip_prefix("/?").or_else(|| after.strip_prefix('?')) {
        let (code, rest) = code(query)?;
        // A text in capitals wasn't written so by the service: its codes are small.
        let shouted = !host.bytes().any(|byte| byte.is_ascii_lowercase());
        let link = match shouted {
            true => FileLink::new(domain, &code.to_ascii_lowercase()),
            false => FileLink::new(domain, code),
        };
        return Some((LinkTarget::File(link.ok()?), rest));
    }
    let path = after.strip_prefix('/')?;
    let path = match path.split_once('/') {
        Some((language, rest))
            if language.len() == 2 && language.bytes().all(|byte| byte.is_ascii_alphabetic()) =>
        {
            rest
        }
        _ => path,
    };
    let word = path.get(..4).filter(|word| word.eq_ignore_ascii_case("dir/"))?;
    let (id, rest) = code(&path[word.len()..])?;
    Some((LinkTarget::Folder(id.parse().ok()?), rest))
}

/// Splits off a code; `None` if there is none, as in `?lang=en` or `?some-thing`.
fn code(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|character: char| !character.is_ascii_alphanumeric()).unwrap_or(text.len());
    let (code, rest) = text.split_at(end);
    // The next link, without a space between.
    if let Some(before) = rest.starts_with("://").then(|| without_scheme(code)).flatten() {
        let (code, rest) = text.split_at(before.len());
        return (code.len() >= SHORTEST_CODE).then_some((code, rest));
    }
    let goes_on = |character: char| character.is_alphanumeric() || matches!(character, '=' | '-' | '_');
    (code.len() >= SHORTEST_CODE && !rest.starts_with(goes_on)).then_some((code, rest))
}

/// Takes `http` or `https` off the end.
fn without_scheme(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    let scheme = ["https", "http"].into_iter().find(|scheme| lower.ends_with(scheme))?;
    text.get(..text.len() - scheme.len())
}

/// Returns the password in `#password`, which may follow other parts of the address.
fn password(rest: &str) -> Option<Password> {
    let ends = |character: char| {
        character.is_whitespace() || matches!(character, '"' | '\'' | '<' | '>' | '[' | ']' | '(' | ')')
    };
    let address = rest.split(ends).next().unwrap_or_default();
    let (parts, password) = address.split_once('#')?;
    let is_of_the_address = parts.is_empty() || parts.starts_with(['&', '?', '/']);
    (is_of_the_address && !password.is_empty()).then(|| Password::new(password))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns the links in short: codes of files, `dir/` and ids of folders.
    fn codes(text: &str) -> Vec<String> {
        let code = |found: FoundLink| match found.target {
            LinkTarget::File(link) => link.code().to_owned(),
            LinkTarget::Folder(id) => format!("dir/{id}"),
        };
        links_in(text).into_iter().map(code).collect()
    }

    #[test]
    fn links_are_found_in_texts_as_people_have_them() {
        for (text, expected) in [
            ("https://1fichier.com/?abc123def456", &["abc123def456"][..]),
            ("http://1fichier.com/?abc123def456", &["abc123def456"]),
            ("1fichier.com/?abc123def456", &["abc123def456"]),
            ("www.1fichier.com/?abc123def456", &["abc123def456"]),
            ("https://www.1fichier.com/?abc123def456&af=12345", &["abc123def456"]),
            ("HTTPS://1FICHIER.COM/?ABC123DEF456", &["abc123def456"]),
            ("https://1Fichier.com/?abc123def456", &["abc123def456"]),
            ("See https://1fichier.com/?abc123def456.", &["abc123def456"]),
            ("(https://1fichier.com/?abc123def456), and more", &["abc123def456"]),
            ("[url]https://1fichier.com/?abc123def456[/url]", &["abc123def456"]),
            ("[url=https://1fichier.com/?abc123def456]name.rar[/url]", &["abc123def456"]),
            ("[URL='https://1fichier.com/?abc123def456']x[/URL]", &["abc123def456"]),
            (
                "[code]\nhttps://1fichier.com/?aaaaa11111\nhttps://1fichier.com/?bbbbb22222\n[/code]",
                &["aaaaa11111", "bbbbb22222"],
            ),
            ("<a href=\"https://1fichier.com/?abc123def456&amp;af=12\">x</a>", &["abc123def456"]),
            (
                "<a href='//1fichier.com/?abc123def456'>https://1fichier.com/?abc123def456</a>",
                &["abc123def456"],
            ),
            ("[name](https://1fichier.com/?abc123def456)", &["abc123def456"]),
            ("<https://1fichier.com/?abc123def456>", &["abc123def456"]),
            (
                "https://1fichier.com/?aaaaa11111 film.mkv 1.4 GB\r\nhttps://1fichier.com/?bbbbb22222 b.nfo 2 kB\r\n",
                &["aaaaa11111", "bbbbb22222"],
            ),
            (
                "film.part1.rar;https://1fichier.com/?aaaaa11111;1024\nfilm.part2.rar;https://1fichier.com/?bbbbb22222;9",
                &["aaaaa11111", "bbbbb22222"],
            ),
            (
                "https://1fichier.com/?aaaaa11111https://1fichier.com/?bbbbb22222",
                &["aaaaa11111", "bbbbb22222"],
            ),
            (
                "https://1fichier.com/?aaaaa11111,https://1fichier.com/?bbbbb22222",
                &["aaaaa11111", "bbbbb22222"],
            ),
            ("https://rapid.example/?abc123def456 https://1fichier.com/?abc123def456", &["abc123def456"]),
            ("https://1fichier.com.evil.example/?abc123def456", &[]),
            ("https://evil1fichier.com/?abc123def456 http://my-1fichier.com/?abc123def456", &[]),
            ("me@1fichier.com/?abc123def456", &[]),
            (
                "https://1fichier.com/?lg=en https://1fichier.com/?logout=1 https://1fichier.com/tarifs.html",
                &[],
            ),
            ("https://1fichier.com/?abc", &[]),
            ("https://1fichier.com/dir/AbCd1234", &["dir/AbCd1234"]),
            (
                "https://1fichier.com/en/dir/AbCd1234/ and http://www.1fichier.com/dir/AbCd1234?lg=fr",
                &["dir/AbCd1234"],
            ),
            ("https://anon.example/?https://1fichier.com/?abc123def456", &["abc123def456"]),
            (
                "https://anon.example/?u=https%3A%2F%2F1fichier.com%2F%3Fabc123def456%26af%3D1",
                &["abc123def456"],
            ),
            (
                "https://alterupload.com/?aaaaa11111\nhttp://dl4free.com/?bbbbb22222\nhttps://tenvoi.com/?ccccc33333",
                &["aaaaa11111", "bbbbb22222", "ccccc33333"],
            ),
            ("Voilà : https://1fichier.com/?abc123def456 – à bientôt", &["abc123def456"]),
            ("* https://1fichier.com/?abc123def456*", &["abc123def456"]),
            ("no link at all, only 1fichier.com and 100 % text", &[]),
        ] {
            assert_eq!(codes(text), expected, "{text}");
        }
    }

    #[test]
    fn the_domain_is_kept_since_it_is_part_of_the_link() {
        let [found] = &links_in("http://www.tenvoi.com/?abc123def456")[..] else { panic!() };
        let LinkTarget::File(link) = found.target else { panic!() };
        assert_eq!(link.to_string(), "https://tenvoi.com/?abc123def456");
    }

    #[test]
    fn a_password_follows_the_link() {
        let password = |text: &str| links_in(text).remove(0).password;
        let is = |text: &str| Some(Password::new(text));
        assert_eq!(password("https://1fichier.com/?abc123def456#s3cr3t!."), is("s3cr3t!."));
        assert_eq!(password("https://1fichier.com/?abc123def456&af=1#x y"), is("x"));
        assert_eq!(password("<a href=\"https://1fichier.com/dir/AbCd1234#x\">"), is("x"));
        assert_eq!(password("https://1fichier.com/?abc123def456 # a heading"), None);
        assert_eq!(password("https://1fichier.com/?abc123def456#"), None);
        let twice = "https://1fichier.com/?abc123def456 https://1fichier.com/?abc123def456#x";
        assert_eq!(password(twice), is("x"));
    }

    #[test]
    fn many_links_are_found_in_one_pass() {
        let text: String = (0..20_000)
            .map(|number| format!("https://1fichier.com/?code{number:08} name {number}\n"))
            .collect();
        assert_eq!(links_in(&text).len(), 20_000);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_stumble(text in "(\\PC|%2f|1fichier\\.com|/\\?|dir/|#|&){0,40}") {
            let _ = links_in(&text);
        }

        #[test]
        fn a_link_between_anything_is_found(before in "[ \\n\\[\\](<>\"',;]{1,5}", code in "[a-z0-9]{10,20}", after in "[ \\n\\[\\])<>\"',;.&!]{0,5}") {
            prop_assert_eq!(codes(&format!("{before}https://1fichier.com/?{code}{after}")), vec![code]);
        }
    }
}
