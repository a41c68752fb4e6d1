//! The link by which the service identifies a file.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Longest code of a link, in characters; the service's have about 20.
const CODE_MAX: usize = 30;

/// Domains under which the service gives links (API document, section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
#[repr(u8)]
pub enum Domain {
    /// The usual one, `1fichier.com`.
    #[default]
    Fichier = 0,
    /// Another one, `alterupload.com`.
    AlterUpload = 1,
    /// Another one, `cjoint.net`.
    CJoint = 2,
    /// Another one, `desfichiers.com`.
    DesFichiers = 3,
    /// Another one, `dfichiers.com`.
    DFichiers = 4,
    /// Another one, `megadl.fr`.
    MegaDl = 5,
    /// Another one, `mesfichiers.org`.
    MesFichiers = 6,
    /// Another one, `piecejointe.net`.
    PieceJointe = 7,
    /// Another one, `pjointe.com`.
    PJointe = 8,
    /// Another one, `tenvoi.com`.
    TEnvoi = 9,
    /// Another one, `dl4free.com`.
    Dl4Free = 10,
}

impl Domain {
    /// All domains, in the order of their numbers.
    pub const ALL: [Self; 11] = [
        Self::Fichier,
        Self::AlterUpload,
        Self::CJoint,
        Self::DesFichiers,
        Self::DFichiers,
        Self::MegaDl,
        Self::MesFichiers,
        Self::PieceJointe,
        Self::PJointe,
        Self::TEnvoi,
        Self::Dl4Free,
    ];

    /// Returns the number for the upload's `domain` field.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Returns the host name.
    pub const fn host(self) -> &'static str {
        match self {
            Self::Fichier => "1fichier.com",
            Self::AlterUpload => "alterupload.com",
            Self::CJoint => "cjoint.net",
            Self::DesFichiers => "desfichiers.com",
            Self::DFichiers => "dfichiers.com",
            Self::MegaDl => "megadl.fr",
            Self::MesFichiers => "mesfichiers.org",
            Self::PieceJointe => "piecejointe.net",
            Self::PJointe => "pjointe.com",
            Self::TEnvoi => "tenvoi.com",
            Self::Dl4Free => "dl4free.com",
        }
    }

    /// Checks whether a host is one of the service's: one of its domains, or below one.
    pub fn holds_host(host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let holds = |domain: Self| match host.strip_suffix(domain.host()) {
            Some(before) => before.is_empty() || before.ends_with('.'),
            None => false,
        };
        Self::ALL.into_iter().any(holds)
    }

    /// Returns the domain of a host name, with or without `www.`.
    pub fn of_host(host: &str) -> Option<Self> {
        let host = host.strip_prefix("www.").unwrap_or(host);
        Self::ALL.into_iter().find(|domain| domain.host().eq_ignore_ascii_case(host))
    }
}

/// Link of a file: 32 bytes without an allocation, since hundreds of thousands are held at a time.
///
/// Two links are equal when their codes are; the domain is only how the link is written.
///
/// ```
/// use fichier_api::FileLink;
/// let link: FileLink = "http://www.1fichier.com/?abc123def456&af=77".parse()?;
/// assert_eq!(link.to_string(), "https://1fichier.com/?abc123def456");
/// # Ok::<(), fichier_api::LinkError>(())
/// ```
#[derive(Clone, Copy)]
pub struct FileLink {
    domain: Domain,
    length: u8,
    code: [u8; CODE_MAX],
}

/// Reason why a text isn't a link of the service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The domain isn't one of the service's.
    #[error("`{0}` isn't a domain of 1Fichier")]
    Domain(String),
    /// The text isn't of the form `https://1fichier.com/?CODE`.
    #[error("`{0}` isn't of the form https://1fichier.com/?CODE")]
    Form(String),
}

impl FileLink {
    /// Makes a link from its code alone, under `1fichier.com`.
    ///
    /// # Errors
    /// The code is empty, longer than 30 characters, or has others than ASCII letters and digits.
    pub fn from_code(code: &str) -> Result<Self, LinkError> {
        Self::new(Domain::Fichier, code)
    }

    /// Makes a link from its domain and code.
    ///
    /// # Errors
    /// As [`from_code`](Self::from_code).
    pub fn new(domain: Domain, code: &str) -> Result<Self, LinkError> {
        let well_formed = !code.is_empty()
            && code.len() <= CODE_MAX
            && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let (true, Ok(length)) = (well_formed, u8::try_from(code.len())) else {
            return Err(LinkError::Form(code.to_owned()));
        };
        let mut bytes = [0; CODE_MAX];
        bytes[..code.len()].copy_from_slice(code.as_bytes());
        Ok(Self { domain, length, code: bytes })
    }

    /// Returns the code, which identifies the file.
    pub fn code(&self) -> &str {
        // The code is always ASCII, so the default is never used.
        std::str::from_utf8(self.code_bytes()).unwrap_or_default()
    }

    /// Returns the domain under which the link was given.
    pub const fn domain(&self) -> Domain {
        self.domain
    }

    fn code_bytes(&self) -> &[u8] {
        &self.code[..usize::from(self.length)]
    }

    /// Splits a link into host and code; `&` and what follows it is dropped.
    fn split(text: &str) -> Option<(&str, &str)> {
        let text = text.trim();
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
        let (place, query) = rest.split_once('?')?;
        let host = without_language(place.strip_suffix('/').unwrap_or(place));
        let code = query.split(['&', '#']).next().unwrap_or_default();
        (!host.is_empty() && !host.contains('/')).then_some((host, code))
    }

    /// Parses a link that the service itself gave. Only its code matters; a domain that isn't in the table must not
    /// make a whole listing unreadable.
    pub(crate) fn from_wire(text: &str) -> Result<Self, LinkError> {
        let (host, code) = Self::split(text).ok_or_else(|| LinkError::Form(text.to_owned()))?;
        Self::new(Domain::of_host(host).unwrap_or_default(), code)
            .map_err(|_| LinkError::Form(text.to_owned()))
    }
}

/// Returns the address without the language that the site's own pages put behind the host: `1fichier.com/en`.
fn without_language(place: &str) -> &str {
    match place.rsplit_once('/') {
        Some((host, language)) if language.len() == 2 && language.bytes().all(|c| c.is_ascii_lowercase()) => {
            host
        }
        _ => place,
    }
}

impl FromStr for FileLink {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let (host, code) = Self::split(text).ok_or_else(|| LinkError::Form(text.to_owned()))?;
        let domain = Domain::of_host(host).ok_or_else(|| LinkError::Domain(host.to_owned()))?;
        Self::new(domain, code).map_err(|_| LinkError::Form(text.to_owned()))
    }
}

impl fmt::Display for FileLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}/?{}", self.domain.host(), self.code())
    }
}

impl fmt::Debug for FileLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileLink({self})")
    }
}

impl PartialEq for FileLink {
    fn eq(&self, other: &Self) -> bool {
        self.code_bytes() == other.code_bytes()
    }
}

impl Eq for FileLink {}

impl Hash for FileLink {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.code_bytes().hash(state);
    }
}

impl PartialOrd for FileLink {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for FileLink {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.code_bytes().cmp(other.code_bytes())
    }
}

impl Serialize for FileLink {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FileLink {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::from_wire(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn many_ways_to_write_a_link_come_to_one() {
        for text in [
            "https://1fichier.com/?abc123",
            "http://1fichier.com/?abc123",
            "https://www.1fichier.com/?abc123",
            "1fichier.com/?abc123",
            "https://1fichier.com?abc123",
            "https://1FICHIER.com/?abc123&af=4&x=y",
            " https://1fichier.com/?abc123#top\n",
            "https://1fichier.com/en/?abc123",
            "1fichier.com/fr?abc123",
        ] {
            let link: FileLink = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(link.to_string(), "https://1fichier.com/?abc123", "{text}");
        }
    }

    #[test]
    fn what_is_no_link_is_refused() {
        for text in [
            "",
            "abc123",
            "https://1fichier.com/",
            "https://1fichier.com/?",
            "https://1fichier.com/?&af=1",
            "https://1fichier.com/dir/?abc123",
            "https://1fichier.com/en/x/?abc123",
            "https://1fichier.com/e1/?abc123",
            "https://1fichier.com/?abc/123",
            "https://1fichier.com/?abc%20",
            "https://example.com/?abc123",
            "https://1fichier.com.evil.example/?abc123",
            "https://1fichier.com/?aaaaaaaaaabbbbbbbbbbccccccccccd",
        ] {
            assert!(text.parse::<FileLink>().is_err(), "{text}");
        }
    }

    #[test]
    fn hosts_of_the_service_are_told_from_others() {
        for host in ["1fichier.com", "api.1fichier.com", "UP2.1fichier.com", "up.tenvoi.com"] {
            assert!(Domain::holds_host(host), "{host}");
        }
        for host in ["1fichier.com.evil.example", "evil1fichier.com", "localhost", "127.0.0.1", ""] {
            assert!(!Domain::holds_host(host), "{host}");
        }
    }

    #[test]
    fn takes_32_bytes() {
        assert_eq!(size_of::<FileLink>(), 32);
    }

    #[test]
    fn the_service_may_use_a_domain_that_we_dont_know_yet() {
        let link: FileLink = serde_json::from_str("\"https://newdomain.example/?abc123\"").unwrap();
        assert_eq!(link.to_string(), "https://1fichier.com/?abc123");
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(code in "[a-z0-9]{1,30}", domain in 0usize..11) {
            let link = FileLink::new(Domain::ALL[domain], &code).unwrap();
            let back: FileLink = link.to_string().parse().unwrap();
            prop_assert_eq!(back, link);
            prop_assert_eq!(back.domain(), link.domain());
            prop_assert_eq!(back.code(), code);
        }

        #[test]
        fn equality_is_the_codes(a in "[a-z0-9]{1,3}", b in "[a-z0-9]{1,3}", x in 0usize..11, y in 0usize..11) {
            let left = FileLink::new(Domain::ALL[x], &a).unwrap();
            let right = FileLink::new(Domain::ALL[y], &b).unwrap();
            prop_assert_eq!(left == right, a == b);
            prop_assert_eq!(left.cmp(&right), a.cmp(&b));
        }

        #[test]
        fn no_text_makes_it_stumble(text in "\\PC{0,60}") {
            let _ = text.parse::<FileLink>().map(|link| link.to_string());
        }
    }
}
