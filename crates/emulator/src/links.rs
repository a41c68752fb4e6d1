//! Links: the public names of files (API document, sections 5 and 7).

use rand::RngExt as _;
use url::Url;

/// Domains of links, by the number that `upload.cgi` takes (API document, section 7).
pub(crate) const DOMAINS: [&str; 11] = [
    "1fichier.com",
    "alterupload.com",
    "cjoint.net",
    "desfichiers.com",
    "dfichiers.com",
    "megadl.fr",
    "mesfichiers.org",
    "piecejointe.net",
    "pjointe.com",
    "tenvoi.com",
    "dl4free.com",
];

/// Length of a download token.
pub(crate) const TOKEN_LENGTH: usize = 24;

const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// Returns a random string of lower-case letters and digits.
pub(crate) fn random_code(length: usize) -> String {
    let mut rng = rand::rng();
    (0..length).map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())])).collect()
}

/// Returns the link of a file.
pub(crate) fn link(domain: u8, code: &str) -> String {
    let domain = DOMAINS.get(usize::from(domain)).unwrap_or(&DOMAINS[0]);
    format!("https://{domain}/?{code}")
}

/// Returns the domain's number and the code in a link: any domain of the table, with or without `www.`, `http` or `https`.
/// Further parameters (`&af=…`) are ignored, since people share such links.
pub(crate) fn parts_of(link: &str) -> Option<(u8, String)> {
    let url = Url::parse(link.trim()).ok()?;
    if !matches!(url.scheme(), "http" | "https") || !matches!(url.path(), "/" | "") {
        return None;
    }
    let host = url.host_str()?;
    let host = host.strip_prefix("www.").unwrap_or(host);
    let domain = DOMAINS.iter().position(|domain| *domain == host)?;
    let code = url.query()?.split('&').next()?;
    is_code(code).then(|| (u8::try_from(domain).unwrap_or(0), code.to_owned()))
}

/// Checks whether a string can be a link's code.
pub(crate) fn is_code(text: &str) -> bool {
    (5..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_all_domains_are_read() {
        for number in 0..=10 {
            let code = random_code(20);
            let link = link(number, &code);
            assert_eq!(parts_of(&link), Some((number, code.clone())));
            assert_eq!(parts_of(&link.replace("https", "http")), Some((number, code.clone())));
            assert_eq!(parts_of(&format!("{link}&af=1")), Some((number, code)));
        }
    }

    #[test]
    fn other_links_are_not() {
        for link in [
            "https://example.com/?abcdefghij",
            "https://1fichier.com/",
            "https://1fichier.com/?ABC",
            "https://1fichier.com/dir/abcdefgh",
            "ftp://1fichier.com/?abcdefghij",
            "abcdefghij",
        ] {
            assert_eq!(parts_of(link), None, "{link}");
        }
    }
}
