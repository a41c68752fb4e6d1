//! Finds the secrets among the typed words: connection strings hold keys, and so do flags. Every message hides them, so
//! that none has to remember it.

use std::{borrow::Cow, ffi::OsString};

use fichier_api::{Password, links_in};
use fichier_config::{Address, RemoteSpec};
use zeroize::Zeroizing;

use fichier_session::is_harmless as is_harmless_option;

/// Text that replaces a secret.
const HIDDEN: &str = "…";

/// Shortest value that is hidden: shorter ones are words of every message.
const SHORTEST: usize = 4;

/// Secrets among the words of a command line.
#[derive(Clone, Default)]
pub(crate) struct TypedSecrets(Vec<Zeroizing<String>>);

impl std::fmt::Debug for TypedSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TypedSecrets({})", self.0.len())
    }
}

impl TypedSecrets {
    /// Finds the secrets among these words.
    pub(crate) fn of(words: &[OsString]) -> Self {
        let mut found = Self::default();
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        for (index, word) in words.iter().enumerate() {
            found.take_address(word);
            found.take_options(word);
            found.take_user(word);
            for link in links_in(word) {
                // `LINK#PASSWORD`.
                found.take(link.password.as_ref().map_or("", Password::reveal));
            }
            let Some(flag) = word.strip_prefix("--") else { continue };
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (flag, words.get(index + 1).map(|next| &**next)),
            };
            let Some(value) = value else { continue };
            found.take_address(value);
            found.take_options(value);
            found.take_user(value);
            if ["endpoint", "proxy"].iter().any(|end| name.ends_with(end)) {
                // An address without its scheme.
                found.take_user(&format!("://{value}"));
            }
            let names_none = name == "no-password";
            if !names_none && ["api-key", "password", "pass"].iter().any(|end| name.ends_with(end)) {
                found.take(value);
            }
        }
        // A secret that contains another one comes first.
        found.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        found
    }

    fn take_address(&mut self, word: &str) {
        if !word.contains(',') {
            return;
        }
        let Ok(address) = Address::parse(word.as_bytes()) else { return };
        let (RemoteSpec::Named { parameters, .. } | RemoteSpec::OnTheFly { parameters, .. }) =
            &address.remote
        else {
            return;
        };
        for (key, value) in parameters.iter() {
            if is_harmless_option(key) {
                self.take_address(value);
                self.take_user(value);
            } else {
                self.take(value);
            }
        }
    }

    /// Adds secrets of a connection string that isn't one: a colon is missing, or a value with a colon has no quotes.
    fn take_options(&mut self, word: &str) {
        for piece in word.split(',').skip(1) {
            let Some((key, value)) = piece.split_once('=') else { continue };
            if ["key", "pass", "password", "password2"].iter().any(|end| key.ends_with(end)) {
                self.take(value);
                self.take(value.split(':').next().unwrap_or_default());
            }
        }
    }

    /// Adds the name and the password before the host of a web address.
    fn take_user(&mut self, word: &str) {
        let Some((_, rest)) = word.split_once("://") else { return };
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let Some((user, _)) = host.rsplit_once('@') else { return };
        self.take(user);
        if let Some((_, password)) = user.split_once(':') {
            self.take(password);
        }
    }

    fn take(&mut self, value: &str) {
        if value.len() >= SHORTEST && !matches!(value, "true" | "false") {
            self.0.push(Zeroizing::new(value.to_owned()));
        }
    }

    /// Returns the text without the secrets.
    pub(crate) fn hidden<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                text = Cow::Owned(text.replace(secret.as_str(), HIDDEN));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(words: &[&str], text: &str) -> String {
        let words: Vec<_> = words.iter().map(OsString::from).collect();
        TypedSecrets::of(&words).hidden(text).into_owned()
    }

    #[test]
    fn keys_of_connection_strings_and_flags_are_hidden_and_other_words_are_not() {
        let words = ["ls", ":fichier,api_key=k3y-of-mine,cdn=true:a"];
        assert_eq!(
            hidden(&words, "no :fichier,api_key=k3y-of-mine,cdn=true:a"),
            "no :fichier,api_key=…,cdn=true:a"
        );
        assert_eq!(hidden(&["ls", "--fichier-api-key", "k3y-of-mine"], "not k3y-of-mine"), "not …");
        assert_eq!(
            hidden(&["ls", "--files-from=:fichier,api_key=k3y-of-mine:x"], "open k3y-of-mine"),
            "open …"
        );
        let broken = ":crypt,remote=f:,password=s3cret:";
        assert_eq!(hidden(&["ls", broken], "no s3cret: in s3cret"), "no … in …");
        assert_eq!(hidden(&["ls", "f,api_key=s3cret"], "\"/x/f,api_key=s3cret\""), "\"/x/f,api_key=…\"");
        let address = "https://me:s3cret@host:80/x?a@b";
        for words in [&["copyurl", address][..], &["ls", "--fichier-endpoint", address]] {
            assert_eq!(
                hidden(words, &format!("{address:?} and s3cret")),
                "\"https://…@host:80/x?a@b\" and …"
            );
        }
        assert_eq!(hidden(&["attr", "set", "--no-password", "cloud:x"], "cloud:x"), "cloud:x");
        let link = "https://1fichier.com/?abc123def456#s3cret";
        assert_eq!(hidden(&["get", link], link), "https://1fichier.com/?abc123def456#…");
        let address = "http://me:s3cret@h";
        assert_eq!(hidden(&["ls", "--fichier-endpoint", "u:SECRET@h"], "u:SECRET@h"), "…@h");
        assert_eq!(hidden(&["ls", &format!(":fichier,endpoint=\"{address}\":")], address), "http://…@h");
        assert_eq!(hidden(&["copyurl", "https://host/a@b"], "https://host/a@b"), "https://host/a@b");
        assert_eq!(hidden(&["copy", "a,b", "--transfers", "4"], "a,b: 4 transfers"), "a,b: 4 transfers");
    }
}
