//! Options of the backend `fichier`: rclone's under their own names, then ours.

use fichier_api::{SharedFolderId, shown_address};
use url::Url;

use super::CatalogueMode;
use crate::backend::{BackendSpec, DESCRIPTION, Opens, OptionKind, OptionSpec};

/// The backend `fichier`.
pub(crate) static BACKEND: BackendSpec = BackendSpec {
    name: "fichier",
    description: "1Fichier",
    options: &OPTIONS,
    has_account: true,
    needs_one_of: &["api_key", "shared_folder"],
    opens: Opens::Place(|opening, chosen| super::opening::open(opening.name, chosen, opening.resources)),
};

/// All options of the backend.
static OPTIONS: [OptionSpec; 21] = [
    OptionSpec::new(
        "api_key",
        OptionKind::Text,
        "",
        "The key to your account.\n\nMake one at https://1fichier.com/console/params.pl; the account has to be \
         a Premium or Access one.",
    )
    .checked(key)
    .sensitive(),
    OptionSpec::new(
        "shared_folder",
        OptionKind::Text,
        "",
        "Read a folder that somebody shared, instead of your account.\n\nThe code at the end of its address: \
         https://1fichier.com/dir/CODE. Nothing can be changed there.",
    )
    .checked(shared_folder)
    .advanced(),
    OptionSpec::new(
        "file_password",
        OptionKind::Secret,
        "",
        "The password of files that have one, for reading them.",
    )
    .advanced(),
    OptionSpec::new(
        "folder_password",
        OptionKind::Secret,
        "",
        "The password of the shared folder, if it has one.",
    )
    .advanced(),
    OptionSpec::new(
        "cdn",
        OptionKind::BoolOr(&[("auto", "only when the service refuses a download without it")]),
        "false",
        "Download by the service's CDN.\n\nNeeded behind many VPNs and in data centres; it uses up CDN credit.",
    )
    .advanced(),
    OptionSpec::new(
        "encoding",
        OptionKind::Encoding,
        "Slash,LtGt,DoubleQuote,SingleQuote,BackQuote,Dollar,BackSlash,Del,Ctl,LeftSpace,RightSpace,InvalidUtf8,\
         Dot",
        "Which characters of file names are stored as look-alikes.\n\nThe default is what the service needs. \
         Names stored under another setting show with their look-alikes.",
    )
    .advanced(),
    // It is in this place, as its number is part of what programs use (`config create --continue`).
    DESCRIPTION,
    OptionSpec::new(
        "empty_files",
        OptionKind::Choice(&[
            ("error", "report each of them and count the run as failed"),
            ("skip", "report each of them and go on"),
            ("marker", "store a stand-in of one byte, which is read back as the empty file"),
        ]),
        "error",
        "What to do with empty files, which the service can't store.",
    )
    .own(),
    OptionSpec::new(
        "shared_by",
        OptionKind::Text,
        "",
        "Read the folders that another user shares with your account, instead of your own.\n\nThe mail address of that \
         user's account. Nothing can be changed there.",
    )
    .checked(mail)
    .advanced()
    .own(),
    OptionSpec::new(
        "upload_batch",
        OptionKind::Count,
        "500",
        "How many files of one folder go up in one request at most.\n\nSmall files gain most. 1 sends each file by \
         itself. The first request has 100, and the number grows as long as all arrive.",
    )
    .own(),
    OptionSpec::new(
        "download_connections",
        OptionKind::Count,
        "30",
        "How many downloads may be open at once.\n\nAll programs of this user on this computer count together. The \
         service allows an account some 30.",
    )
    .own(),
    OptionSpec::new(
        "dates",
        OptionKind::Choice(&[
            ("utc", "as if they were UTC, which is what rclone shows"),
            ("paris", "as the moments that they mean, since the service writes French time"),
        ]),
        "utc",
        "How the service's dates are shown.\n\nAges (--min-age, --max-age) go by the moments that they mean in any case.",
    )
    .own(),
    OptionSpec::new(
        "send_dropped",
        OptionKind::Bool,
        "false",
        "Send also files that the service took less than a day ago without keeping them.\n\nThe service drops some \
         contents without a word. They are remembered by their checksums, and not sent again for a day.",
    )
    .own(),
    OptionSpec::new(
        "catalogue",
        OptionKind::Text,
        "verify",
        "How far an earlier run's knowledge of the account counts: verify, trust, trust=AGE or off.\n\nverify lists \
         each directory that matters once in this run. trust lists none that is known (trust=1h: known for an \
         hour at most), for those who alone change the account; what is changed is looked at first all the \
         same. off reads nothing and keeps nothing. --catalogue is the same.",
    )
    .checked(catalogue)
    .own(),
    OptionSpec::new(
        "endpoint",
        OptionKind::Text,
        "https://api.1fichier.com/v1/",
        "The address of the service.\n\nFor an emulator or a proxy.",
    )
    .checked(endpoint)
    .own(),
    OptionSpec::new(
        "call_gap",
        OptionKind::Duration,
        "400ms",
        "The time between two calls of any kind.\n\nCalls in quicker succession get the address locked for a \
         while.",
    )
    .own(),
    OptionSpec::new(
        "list_gap",
        OptionKind::Duration,
        "",
        "The time between the listings of two folders.\n\nUnless it is set, listings go 3s apart, as the service asks. \
         With a shorter call_gap they go as fast as other calls until the service objects.",
    )
    .own(),
    OptionSpec::new(
        "folder_gap",
        OptionKind::Duration,
        "30s",
        "The time between two listings of the same folder.\n\nThe service allows no more. A run lists a folder \
         once anyway.",
    )
    .own(),
    OptionSpec::new(
        "all_files_gap",
        OptionKind::Duration,
        "1h",
        "The time between two listings of all files of the account at once.",
    )
    .own(),
    OptionSpec::new(
        "account_gap",
        OptionKind::Duration,
        "5m",
        "How long what is known about the account (its space, its subscription) counts as fresh.",
    )
    .own(),
    OptionSpec::new(
        "time_scale",
        OptionKind::Count,
        "1",
        "By how much all waiting times are divided.\n\nFor an emulator with limits that are scaled alike; with \
         the service itself it must stay 1.",
    )
    .own(),
];

/// Checks a key without quoting it.
fn key(text: &str) -> Result<(), String> {
    let odd = text.chars().any(|character| character.is_whitespace() || character.is_control());
    if odd { Err("a key holds no spaces and is on one line".to_owned()) } else { Ok(()) }
}

fn shared_folder(text: &str) -> Result<(), String> {
    text.parse::<SharedFolderId>().map(drop).map_err(|error| error.to_string())
}

fn mail(text: &str) -> Result<(), String> {
    let parts = text.split_once('@').filter(|(name, host)| !name.is_empty() && !host.is_empty());
    match parts.is_some() && !text.contains(char::is_whitespace) {
        true => Ok(()),
        false => Err("no mail address".to_owned()),
    }
}

fn catalogue(text: &str) -> Result<(), String> {
    text.parse::<CatalogueMode>().map(drop).map_err(|error| error.to_string())
}

fn endpoint(text: &str) -> Result<(), String> {
    match text.parse::<Url>() {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(()),
        Ok(_) => {
            Err(format!("{:?} must begin with https:// or http:// and name a host", shown_address(text)))
        }
        Err(error) => Err(format!("{:?} is no address: {error}", shown_address(text))),
    }
}

#[cfg(test)]
mod tests {
    use crate::registry::backend;

    #[test]
    fn values_are_checked_where_they_are_typed() {
        let check = |option: &str, value: &str| {
            backend("fichier").unwrap().option(option).unwrap().check(value).map_err(|wrong| wrong.reason)
        };
        for (option, right, wrong) in [
            ("catalogue", "trust=1h", "nonsense"),
            ("endpoint", "http://127.0.0.1:8080/v1/", "ftp://x/"),
            ("endpoint", "https://api.1fichier.com/v1/", "api.1fichier.com"),
            ("cdn", "true", "maybe"),
            ("shared_by", "ann@example.com", "ann"),
            ("cdn", "auto", "never"),
            ("api_key", "0123456789abcdefghij", "two words"),
        ] {
            assert_eq!(check(option, right), Ok(()), "{option}={right}");
            assert!(check(option, wrong).is_err(), "{option}={wrong}");
        }
        assert!(!check("api_key", "my secret key").unwrap_err().contains("secret"));
    }
}
