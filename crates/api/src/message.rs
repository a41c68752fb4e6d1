//! Reads the service's refusals: `TEXT #NNN` (API document, section 3). The text decides, the number varies.

use crate::error::{ErrorKind, PasswordProblem};

/// Takes the number off a message: `("Resource not found", Some(469))`.
pub(crate) fn split_number(message: &str) -> (&str, Option<u32>) {
    let message = message.trim();
    if let Some((text, number)) = message.rsplit_once('#')
        && let Ok(number) = number.trim().parse()
    {
        return (text.trim_end(), Some(number));
    }
    (message, None)
}

/// What a refusal means.
pub(crate) fn classify(message: &str) -> ErrorKind {
    let (bare, number) = split_number(message);
    let lower = bare.to_lowercase();
    let text = message.trim().to_owned();
    let says = |words: &str| lower.contains(words);
    if says("flood detected") || says("user locked") || says("apk locked") {
        ErrorKind::Flood { text }
    } else if says("ip locked") {
        ErrorKind::AddressLocked { text }
    } else if says("not authenticated") {
        ErrorKind::NotAuthenticated { text }
    } else if says("no such user") {
        ErrorKind::NoSuchUser { text }
    } else if says("owner locked") {
        ErrorKind::OwnerLocked { text }
    } else if says("must be a customer") {
        ErrorKind::NeedsSubscription { text }
    } else if says("resource not found") {
        ErrorKind::NotFound { text }
    } else if says("invalid password") {
        ErrorKind::NotAllowed { password: PasswordProblem::Wrong, text }
    } else if says("password not provided") {
        ErrorKind::NotAllowed { password: PasswordProblem::Missing, text }
    } else if says("resource not allowed") {
        ErrorKind::NotAllowed { password: PasswordProblem::None, text }
    } else if says("locations allowed") {
        ErrorKind::TooManyLocations { allowed: first_number(&lower), text }
    } else if says("must have cdn") {
        ErrorKind::NeedsCdn { text }
    } else {
        ErrorKind::Refused { text, number }
    }
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
    fn the_table_of_refusals() {
        use PasswordProblem::{Missing, None as NoPassword, Wrong};
        #[derive(Debug, PartialEq)]
        enum Means {
            Flood,
            Locked,
            Key,
            User,
            Owner,
            Subscription,
            NotFound,
            Not(PasswordProblem),
            Locations(Option<u32>),
            Cdn,
            Refused(Option<u32>),
        }
        let table = [
            ("Flood detected: IP Locked #374", Means::Flood),
            ("Flood detected: User Locked #412", Means::Flood),
            ("FLOOD DETECTED: User APK Locked #38", Means::Flood),
            ("IP Locked #79", Means::Locked),
            ("Not authenticated #247", Means::Key),
            ("No such user #93", Means::User),
            ("Owner locked", Means::Owner),
            ("Must be a customer (Premium, Access) #200", Means::Subscription),
            ("Resource not found #469", Means::NotFound),
            ("Resource not allowed #631", Means::Not(NoPassword)),
            ("Invalid password. Resource not allowed #1", Means::Not(Wrong)),
            ("Password not provided. Resource not allowed", Means::Not(Missing)),
            ("Only 3 locations allowed at a time #887", Means::Locations(Some(3))),
            ("Only some locations allowed at a time #887", Means::Locations(None)),
            ("professional equipment, must have CDN #12", Means::Cdn),
            ("Some odd thing #186", Means::Refused(Some(186))),
            ("", Means::Refused(None)),
        ];
        for (message, expected) in table {
            let meaning = match classify(message) {
                ErrorKind::Flood { .. } => Means::Flood,
                ErrorKind::AddressLocked { .. } => Means::Locked,
                ErrorKind::NotAuthenticated { .. } => Means::Key,
                ErrorKind::NoSuchUser { .. } => Means::User,
                ErrorKind::OwnerLocked { .. } => Means::Owner,
                ErrorKind::NeedsSubscription { .. } => Means::Subscription,
                ErrorKind::NotFound { .. } => Means::NotFound,
                ErrorKind::NotAllowed { password, .. } => Means::Not(password),
                ErrorKind::TooManyLocations { allowed, .. } => Means::Locations(allowed),
                ErrorKind::NeedsCdn { .. } => Means::Cdn,
                ErrorKind::Refused { number, .. } => Means::Refused(number),
                other => panic!("{message}: {other:?}"),
            };
            assert_eq!(meaning, expected, "{message}");
        }
    }

    #[test]
    fn the_words_are_quoted_with_their_number() {
        assert!(classify("Some odd thing #186").to_string().contains("Some odd thing #186"));
    }
}
