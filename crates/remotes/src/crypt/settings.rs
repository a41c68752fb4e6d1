//! The options of the backend `crypt`, declared and read.

use std::sync::Arc;

use fichier_storage::{Remote, StorageError};
use futures::FutureExt as _;

use crate::backend::{
    BackendSpec, Chosen, DESCRIPTION, InvalidValue, OpenError, Opening, Opens, OptionKind, OptionSpec,
};

use super::{
    keys::Keys,
    names::{NameMode, NameOptions},
    remote::{CryptOptions, CryptRemote},
    text::TextEncoding,
};

/// The backend `crypt`.
pub(crate) static BACKEND: BackendSpec = BackendSpec {
    name: "crypt",
    description: "Encrypt a place on another remote",
    options: &OPTIONS,
    has_account: false,
    needs_one_of: &["remote"],
    opens: Opens::Over(|opening, chosen| {
        async move { open(opening, chosen).await.map(|remote| Arc::new(remote) as Arc<dyn Remote>) }.boxed()
    }),
};

static OPTIONS: [OptionSpec; 13] = [
    OptionSpec::new(
        "remote",
        OptionKind::Text,
        "",
        "The place that holds the encrypted files.\n\nSuch as \"cloud:secret\" or \"/mnt/disk/secret\". Better a folder \
         of its own than a whole remote: everything in it is taken for encrypted.",
    )
    .required(),
    OptionSpec::new(
        "filename_encryption",
        OptionKind::Choice(&[
            ("standard", "Encrypt the names."),
            ("obfuscate", "Turn their characters: no protection, but no plain text at a glance."),
            ("off", "Leave the names as they are. Files get the suffix."),
        ]),
        "standard",
        "What becomes of names.",
    ),
    OptionSpec::new(
        "directory_name_encryption",
        OptionKind::Bool,
        "true",
        "Encrypt or obfuscate the names of directories, too.\n\nWith filename_encryption = off they are never changed.",
    ),
    OptionSpec::new(
        "password",
        OptionKind::Secret,
        "",
        "The password.\n\nWithout it nobody can read the files, you neither: keep it safe in another place, too.",
    )
    .required(),
    OptionSpec::new(
        "password2",
        OptionKind::Secret,
        "",
        "A second password, for the salt.\n\nWorth having: it makes guessing the first one useless for whoever tries \
         many remotes at once. It is needed for reading, too.",
    ),
    OptionSpec::new(
        "server_side_across_configs",
        OptionKind::Bool,
        "false",
        "Taken for rclone's sake.\n\nTwo remotes over one place with the same passwords and names are known to be one, \
         and between others nothing encrypted can be copied as it is.",
    )
    .advanced(),
    OptionSpec::new(
        "show_mapping",
        OptionKind::Bool,
        "false",
        "Log what the name of each file and directory is stored as.\n\nAt the level INFO, so with -v.",
    )
    .advanced(),
    OptionSpec::new(
        "no_data_encryption",
        OptionKind::Bool,
        "false",
        "Encrypt the names alone, and leave the contents as they are.",
    )
    .advanced(),
    OptionSpec::new(
        "pass_bad_blocks",
        OptionKind::Bool,
        "false",
        "Make zeros of what can't be decrypted.\n\nOtherwise reading a damaged file fails. For saving what can be saved \
         of it.",
    )
    .advanced(),
    OptionSpec::new(
        "strict_names",
        OptionKind::Bool,
        "false",
        "Fail to list a directory that holds a name that can't be decrypted.\n\nOtherwise such a name is left out with \
         a notice, and nothing is removed because of it.",
    )
    .advanced(),
    OptionSpec::new(
        "filename_encoding",
        OptionKind::Choice(&[
            ("base32", "For all remotes."),
            ("base64", "Shorter, for remotes where case matters."),
            ("base32768", "Shortest, for remotes that count characters and not bytes."),
        ]),
        "base32",
        "How encrypted names are written.\n\n1Fichier takes names of 250 characters: that is 143 bytes before the \
         encryption in base32, 175 in base64, 463 in base32768.",
    )
    .advanced(),
    OptionSpec::new(
        "suffix",
        OptionKind::Text,
        ".bin",
        "What the names of files end with where filename_encryption is off.\n\n\"none\": nothing.",
    )
    .advanced(),
    DESCRIPTION,
];

async fn open(opening: Opening<'_>, chosen: Chosen<'_>) -> Result<CryptRemote, OpenError> {
    let wrong = |source| OpenError::Value { remote: opening.name.to_owned(), source };
    let options = options(&chosen).map_err(wrong)?;
    let place = chosen.text("remote").map_err(wrong)?.unwrap_or_default();
    let nowhere = |reason| OpenError::Nowhere { remote: opening.name.to_owned(), reason };
    if place.is_empty() {
        return Err(nowhere("it needs the option remote, such as `remote = cloud:secret`"));
    }
    if place.strip_prefix(opening.name).is_some_and(|rest| rest.starts_with([':', ','])) {
        return Err(nowhere("it can't hold its own files; give its option remote another value"));
    }
    let keys = keys(opening.name, &chosen).await?;
    let over = opening.resolver.resolve(&place).await?;
    Ok(CryptRemote::new(format!("{}:", opening.name), over, &keys, options).await?)
}

/// Returns the keys, from the passwords that were set.
pub(super) async fn keys(remote: &str, chosen: &Chosen<'_>) -> Result<Keys, OpenError> {
    let wrong = |source| OpenError::Value { remote: remote.to_owned(), source };
    let secret = |option| chosen.secret(option).map(Option::unwrap_or_default).map_err(wrong);
    let (password, second) = (secret("password")?, secret("password2")?);
    if password.is_empty() {
        let reason = "it needs the option password; `fichier config password` sets it";
        return Err(OpenError::Nowhere { remote: remote.to_owned(), reason });
    }
    let derive = move || Keys::derive(password.expose(), second.expose());
    Ok(tokio::task::spawn_blocking(derive).await.map_err(|_| StorageError::Canceled)?)
}

/// Returns the remote's options, from the values that were set.
pub(super) fn options(chosen: &Chosen<'_>) -> Result<CryptOptions, InvalidValue> {
    let mode = match chosen.choice("filename_encryption")? {
        Some("off") => NameMode::Off,
        Some("obfuscate") => NameMode::Obfuscate,
        _ => NameMode::Standard,
    };
    let text = match chosen.choice("filename_encoding")? {
        Some("base64") => TextEncoding::Base64,
        Some("base32768") => TextEncoding::Base32768,
        _ => TextEncoding::Base32,
    };
    let suffix = chosen.text("suffix")?.unwrap_or_default();
    let suffix = match suffix.as_str() {
        "none" | "" => String::new(),
        dotted if dotted.starts_with('.') => suffix,
        bare => format!(".{bare}"),
    };
    Ok(CryptOptions {
        names: NameOptions { mode, folders: chosen.flag("directory_name_encryption")?, text, suffix },
        plain_contents: chosen.flag("no_data_encryption")?,
        pass_bad_blocks: chosen.flag("pass_bad_blocks")?,
        strict_names: chosen.flag("strict_names")?,
        show_mapping: chosen.flag("show_mapping")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Settings;

    fn read(set: &[(&str, &str)]) -> CryptOptions {
        let set = Settings::from_iter(set.iter().copied());
        options(&Chosen::new(&BACKEND, &set)).unwrap()
    }

    #[test]
    fn options_are_rclones() {
        let read_names = |set: &[(&str, &str)]| read(set).names;
        let names = read_names(&[]);
        assert_eq!((names.mode, names.text, names.folders), (NameMode::Standard, TextEncoding::Base32, true));
        for (suffix, read) in [("", ".bin"), ("none", ""), ("x", ".x"), (".x", ".x")] {
            assert_eq!(read_names(&[("suffix", suffix)]).suffix, read);
        }
        let names = read_names(&[("filename_encryption", "Off"), ("filename_encoding", "base32768")]);
        assert_eq!((names.mode, names.text), (NameMode::Off, TextEncoding::Base32768));
        assert!(!read_names(&[("directory_name_encryption", "false")]).folders);
        assert!(read(&[("no_data_encryption", "true")]).plain_contents);
    }
}
