//! Parses the service's refusals: `TEXT #NNN` (API document, section 3). The text decides; the number varies.

use crate::error::{ErrorKind, PasswordProblem};
use crate::shown::shown;

/// Splits the number off a message: `("Resource not found", Some(469))`.
pub(crate) fn split_number(message: &str) -> (&str, Option<u32>) {
    let message = message.trim();
    if let Some((text, number)) = message.rsplit_once('#')
        && let Ok(number) = number.trim().parse()
    {
        return (text.trim_end(), Some(number));
    }
    (message, None)
}

/// Meaning of a known text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Flood,
    AddressLocked,
    NotAuthenticated,
    NoSuchUser,
    OwnerLocked,
    NeedsSubscription,
    NotFound,
    NotAllowed(PasswordProblem),
    TooManyLocations,
    NeedsCdn,
    AddressRefused,
    QuotaExceeded,
    OutOfOrder,
}

/// A known text: lower-case words that must all occur, what they mean, and whether they mean it also on a page for
/// people, which has other words around them.
struct Wording(&'static [&'static str], Meaning, OnPage);

type OnPage = bool;

/// All known texts. The first that matches counts.
const WORDINGS: &[Wording] = &[
    Wording(&["flood detected"], Meaning::Flood, true),
    Wording(&["user locked"], Meaning::Flood, false),
    Wording(&["apk locked"], Meaning::Flood, false),
    Wording(&["requests are too fast"], Meaning::Flood, true),
    Wording(&["ip locked"], Meaning::AddressLocked, true),
    Wording(&["not authenticated"], Meaning::NotAuthenticated, false),
    Wording(&["no such user"], Meaning::NoSuchUser, false),
    Wording(&["owner locked"], Meaning::OwnerLocked, true),
    Wording(&["must be a customer"], Meaning::NeedsSubscription, false),
    Wording(&["invalid password"], Meaning::NotAllowed(PasswordProblem::Wrong), false),
    Wording(&["password not provided"], Meaning::NotAllowed(PasswordProblem::Missing), false),
    Wording(&["resource not found"], Meaning::NotFound, false),
    Wording(&["resource not allowed"], Meaning::NotAllowed(PasswordProblem::None), false),
    Wording(&["only", "location", "allowed"], Meaning::TooManyLocations, true),
    Wording(&["must have cdn"], Meaning::NeedsCdn, true),
    Wording(&["professional equipment"], Meaning::NeedsCdn, true),
    Wording(&["professional services"], Meaning::NeedsCdn, true),
    Wording(&["premium status", "only allowed"], Meaning::NeedsCdn, true),
    Wording(&["use cdn credits"], Meaning::NeedsCdn, true),
    Wording(&["usage of cdn credits"], Meaning::NeedsCdn, true),
    Wording(&["simultaneously", "ipv4", "ipv6"], Meaning::AddressRefused, true),
    Wording(&["massively shared internet access"], Meaning::AddressRefused, true),
    Wording(&["quota", "exceeded"], Meaning::QuotaExceeded, true),
    Wording(&["internal error"], Meaning::OutOfOrder, false),
    Wording(&["internal server error"], Meaning::OutOfOrder, false),
    Wording(&["software error"], Meaning::OutOfOrder, false),
    Wording(&["in maintenance"], Meaning::OutOfOrder, false),
    Wording(&["under maintenance"], Meaning::OutOfOrder, false),
    Wording(&["service is not available"], Meaning::OutOfOrder, false),
    Wording(&["service unavailable"], Meaning::OutOfOrder, false),
    Wording(&["service indisponible"], Meaning::OutOfOrder, false),
    Wording(&["en maintenance"], Meaning::OutOfOrder, false),
    Wording(&["base de donn"], Meaning::OutOfOrder, false),
];

fn find(text: &str, on_page: bool) -> Option<Meaning> {
    let lower = text.to_lowercase();
    let fits = |words: &[&str]| words.iter().all(|word| lower.contains(word));
    let mut wordings = WORDINGS.iter().filter(|Wording(_, _, page)| *page || !on_page);
    wordings.find(|Wording(words, ..)| fits(words)).map(|Wording(_, meaning, _)| *meaning)
}

/// Returns the error for a meaning; `text` is what is shown.
fn error(meaning: Meaning, text: String) -> ErrorKind {
    match meaning {
        Meaning::Flood => ErrorKind::Flood { text },
        Meaning::AddressLocked => ErrorKind::AddressLocked { text },
        Meaning::NotAuthenticated => ErrorKind::NotAuthenticated { text },
        Meaning::NoSuchUser => ErrorKind::NoSuchUser { text },
        Meaning::OwnerLocked => ErrorKind::OwnerLocked { text },
        Meaning::NeedsSubscription => ErrorKind::NeedsSubscription { text },
        Meaning::NotFound => ErrorKind::NotFound { text },
        Meaning::NotAllowed(password) => ErrorKind::NotAllowed { password, text },
        Meaning::TooManyLocations => {
            ErrorKind::TooManyLocations { allowed: first_number(split_number(&text).0), text }
        }
        Meaning::NeedsCdn => ErrorKind::NeedsCdn { text },
        Meaning::AddressRefused => ErrorKind::AddressRefused { text },
        Meaning::QuotaExceeded => ErrorKind::QuotaExceeded { text },
        Meaning::OutOfOrder => ErrorKind::OutOfOrder { text },
    }
}

/// Returns the meaning of a refusal. An unknown one is shown as it came.
pub(crate) fn classify(message: &str) -> ErrorKind {
    known(message).unwrap_or_else(|| {
        let number = split_number(message).1;
        ErrorKind::Refused { text: shown(message), number }
    })
}

/// Returns the meaning of a text that may be a refusal; `None` if it is unknown.
pub(crate) fn known(message: &str) -> Option<ErrorKind> {
    find(message, false).map(|meaning| error(meaning, shown(message)))
}

/// Returns the meaning of a page's text; `gist` is the part of it that is shown.
pub(crate) fn on_page(words: &str, gist: &str) -> Option<ErrorKind> {
    find(words, true).map(|meaning| error(meaning, gist.to_owned()))
}

fn first_number(text: &str) -> Option<u32> {
    text.split(|c: char| !c.is_ascii_digit()).find(|digits| !digits.is_empty())?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_taken_off() {
        assert_eq!(split_number("Resource not found #469"), ("Resource not found", Some(469)));
        assert_eq!(split_number("Resource not found#469 "), ("Resource not found", Some(469)));
        assert_eq!(split_number("Song #a"), ("Song #a", None));
        assert_eq!(split_number("nothing"), ("nothing", None));
        assert_eq!(split_number(""), ("", None));
    }

    #[test]
    fn every_wording_of_the_reference_is_known() {
        use Meaning::{
            AddressLocked, AddressRefused, Flood, NeedsCdn, NeedsSubscription, NoSuchUser, NotAllowed,
            NotAuthenticated, NotFound, OutOfOrder, OwnerLocked, QuotaExceeded, TooManyLocations,
        };
        use PasswordProblem::{Missing, None as NoPassword, Wrong};
        let table = [
            ("Flood detected: IP Locked #374", Some(Flood)),
            ("Flood detected: User Locked #412", Some(Flood)),
            ("FLOOD DETECTED: User APK Locked #38", Some(Flood)),
            ("Your requests are too fast", Some(Flood)),
            ("IP Locked #79", Some(AddressLocked)),
            ("IP Locked", Some(AddressLocked)),
            ("Not authenticated #247", Some(NotAuthenticated)),
            ("No such user #93", Some(NoSuchUser)),
            ("Owner locked", Some(OwnerLocked)),
            ("Owner locked #620", Some(OwnerLocked)),
            ("Owner locked #649", Some(OwnerLocked)),
            ("Must be a customer (Premium, Access) #200", Some(NeedsSubscription)),
            ("Must be a customer (Premium, Access) #236", Some(NeedsSubscription)),
            ("Resource not found #469", Some(NotFound)),
            ("Resource not allowed #631", Some(NotAllowed(NoPassword))),
            ("Invalid password. Resource not allowed #1", Some(NotAllowed(Wrong))),
            ("Resource not allowed. Invalid password. #631", Some(NotAllowed(Wrong))),
            ("Password not provided. Resource not allowed", Some(NotAllowed(Missing))),
            ("Only 3 locations allowed at a time #887", Some(TooManyLocations)),
            ("Only 1 location allowed at a time #887", Some(TooManyLocations)),
            ("professional equipment, must have CDN #12", Some(NeedsCdn)),
            (
                "Premium status is only allowed to be used on residential private and dedicated internet access. \
                 Use CDN credits to access from other places #913",
                Some(NeedsCdn),
            ),
            ("Premium status must not be used on professional services", Some(NeedsCdn)),
            (
                "Usage of professional services is restricted and requires usage of CDN credits",
                Some(NeedsCdn),
            ),
            ("Be careful to not use simultaneously your IPv4 and IPv6 IP", Some(AddressRefused)),
            ("massively shared internet access", Some(AddressRefused)),
            ("Your quota is exceeded", Some(QuotaExceeded)),
            ("Internal error #1", Some(OutOfOrder)),
            ("Software error", Some(OutOfOrder)),
            ("Our services are in maintenance", Some(OutOfOrder)),
            ("Our services are under maintenance.", Some(OutOfOrder)),
            ("The service is not available.", Some(OutOfOrder)),
            ("Service Unavailable", Some(OutOfOrder)),
            ("Service indisponible", Some(OutOfOrder)),
            ("Erreur de connexion à la base de données", Some(OutOfOrder)),
            ("Some odd thing #186", None),
            ("No file has been renamed #312", None),
            ("", None),
        ];
        for (message, expected) in table {
            assert_eq!(find(message, false), expected, "{message}");
            // Whatever it means, the service's text is shown.
            assert!(classify(message).to_string().contains(message), "{message}");
        }
    }

    #[test]
    fn numbers_are_kept() {
        for (message, count) in [
            ("Only 3 locations allowed at a time #887", Some(3)),
            ("Only 1 location allowed at a time #887", Some(1)),
            ("Only some locations allowed at a time #887", None),
        ] {
            let kind = classify(message);
            assert!(
                matches!(kind, ErrorKind::TooManyLocations { allowed, .. } if allowed == count),
                "{kind:?}"
            );
        }
        assert!(matches!(classify("Some odd thing #186"), ErrorKind::Refused { number: Some(186), .. }));
    }

    #[test]
    fn a_page_means_less_than_a_message() {
        assert_eq!(find("login Not authenticated Internal error", true), None);
        assert_eq!(
            find("1fichier Premium status must not be used on professional services", true),
            Some(Meaning::NeedsCdn)
        );
    }

    #[test]
    fn what_is_unknown_is_shown_as_it_came_but_never_raw() {
        assert!(classify("Some odd thing #186").to_string().contains("Some odd thing #186"));
        let raw = classify("evil\u{1b}[2J\r\nline").to_string();
        assert!(raw.contains("evil\\u{1b}[2J line") && !raw.contains('\u{1b}'), "{raw:?}");
    }
}
