//! Resolved options as the backend takes them, and the part of them that may be shown.

use fichier_config::{Address, RemoteOptions, RemoteSpec, connection::without_values};
use fichier_remotes::registry::{self, OpenError, OptionKind, Settings};

use crate::SessionError;

/// Text that replaces a value that isn't shown.
const HIDDEN: &str = "…";

/// Returns the values that are set, for the backend to open.
///
/// # Errors
/// A password isn't obscured, or a value doesn't suit its option.
pub(crate) fn values(options: &RemoteOptions) -> Result<Settings, SessionError> {
    refuse_global(options)?;
    let mut values = Settings::default();
    let Some(backend) = registry::backend(&options.backend) else { return Ok(values) };
    for option in backend.options {
        let Some(text) = options.get_key(option.name) else { continue };
        let text = match (option.kind, options.get_secret(option.name)) {
            (OptionKind::Secret, Ok(Some(secret))) => secret,
            // rclone 1.75 sends this one as it is written, so people have it in the clear.
            (OptionKind::Secret, Err(error)) if option.name != "folder_password" => return Err(error.into()),
            _ => text,
        };
        if !text.is_empty() {
            let wrong = |source| OpenError::Value { remote: options.name.clone(), source };
            option.check(text.expose()).map_err(wrong)?;
        }
        values.set(option.name, text);
    }
    Ok(values)
}

/// Refuses an option of the whole program: to pass over `global.dry_run` would do what was not to be done.
fn refuse_global(options: &RemoteOptions) -> Result<(), SessionError> {
    let is_global = |key: &&str| ["global.", "override."].iter().any(|prefix| key.starts_with(prefix));
    match options.keys().find(is_global) {
        Some(key) => Err(SessionError::Global { remote: options.name.clone(), key: key.to_owned() }),
        None => Ok(()),
    }
}

/// Returns the address as messages may show it. Only values of options that are known to be harmless are shown.
pub(crate) fn shown_address(address: &Address) -> String {
    let path = String::from_utf8_lossy(&address.path);
    let (name, parameters) = match &address.remote {
        RemoteSpec::Local => return path.into_owned(),
        RemoteSpec::Named { name, parameters } => (name.clone(), parameters),
        RemoteSpec::OnTheFly { backend, parameters } => (format!(":{backend}"), parameters),
    };
    let parameters = parameters.iter().map(|(key, value)| {
        // An alias's value may be a remote string with a key of its own.
        let value = if is_harmless(key) { without_values(value) } else { HIDDEN.to_owned() };
        format!(",{key}={value}")
    });
    format!("{name}{}:{path}", parameters.collect::<String>())
}

/// Advice about a value that ended too soon.
const QUOTES: &str =
    " (a value that holds a colon stands in quotes, such as :fichier,endpoint=\"http://host/\":path)";

/// Returns a typed name as messages may show it, and advice on how it should have been typed.
#[must_use]
pub fn shown(text: &str) -> (String, &'static str) {
    match Address::parse(text.as_bytes()) {
        Ok(address) => (shown_address(&address), if lacks_quotes(&address) { QUOTES } else { "" }),
        // The text after a comma may be a key.
        Err(_) => (text.split(',').next().unwrap_or_default().to_owned(), ""),
    }
}

/// Checks whether the value of an option was probably cut off at a colon: `,endpoint=http://host:`.
fn lacks_quotes(address: &Address) -> bool {
    let (RemoteSpec::Named { parameters, .. } | RemoteSpec::OnTheFly { parameters, .. }) = &address.remote
    else {
        return false;
    };
    address.path.starts_with(b"//") && parameters.iter().next().is_some()
}

/// Checks whether an option's value may be shown: every backend that has the option must say so.
#[must_use]
pub fn is_harmless(key: &str) -> bool {
    let mut options = registry::backends().iter().filter_map(|backend| backend.option(key)).peekable();
    options.peek().is_some() && options.all(|option| !option.sensitive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_holds_no_secret() {
        let shown = |text: &str| shown(text).0;
        assert_eq!(shown(":fichier,api_key=KEY,cdn=true:a/b"), ":fichier,api_key=…,cdn=true:a/b");
        assert_eq!(shown("x,unheard_of=KEY:"), "x,unheard_of=…:");
        assert_eq!(shown("x,file_password=KEY:"), "x,file_password=…:");
        assert_eq!(shown("./a:b"), "./a:b");
        let lacks = |text: &str| lacks_quotes(&Address::parse(text.as_bytes()).unwrap());
        assert!(
            lacks(":fichier,endpoint=http://127.0.0.1:9/:x") && !lacks("demo,cdn=true:x") && !lacks("//x")
        );
        assert_eq!(shown(":alias,remote=\":fichier,api_key=KEY:\":x"), ":alias,remote=:fichier,api_key=…::x");
    }
}
