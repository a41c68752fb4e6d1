//! The backend `alias`: another name for a place on another remote, or on this computer.

use crate::backend::{BackendSpec, Chosen, DESCRIPTION, OpenError, Opens, OptionKind, OptionSpec};

/// The backend `alias`.
pub(crate) static BACKEND: BackendSpec = BackendSpec {
    name: "alias",
    description: "Another name for a place on a remote",
    options: &OPTIONS,
    has_account: false,
    needs_one_of: &["remote"],
    opens: Opens::Alias(target),
};

static OPTIONS: [OptionSpec; 2] = [
    OptionSpec::new(
        "remote",
        OptionKind::Text,
        "",
        "The place that it stands for.\n\nSuch as \"cloud:\", \"cloud:photos/2024\" or \"/home/ada\".",
    )
    .required(),
    DESCRIPTION,
];

fn target(name: &str, chosen: &Chosen<'_>) -> Result<String, OpenError> {
    let remote = name.to_owned();
    let target = chosen
        .text("remote")
        .map_err(|source| OpenError::Value { remote: remote.clone(), source })?
        .unwrap_or_default();
    if target.is_empty() {
        let reason = "an alias needs the option remote, such as `remote = cloud:photos`";
        return Err(OpenError::Nowhere { remote, reason });
    }
    if target.strip_prefix(name).is_some_and(|rest| rest.starts_with([':', ','])) {
        let reason = "the alias stands for itself; give its option remote another value";
        return Err(OpenError::Nowhere { remote, reason });
    }
    Ok(target)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::{
        backend::{NoRemotes, Opening},
        registry::{Settings, alias_target},
        resources::Resources,
    };

    fn target(name: &str, remote: &str) -> Result<Option<String>, String> {
        let settings = Settings::from_iter([("remote", remote)]);
        let resources = Resources::default();
        let opening = Opening {
            name,
            root: Path::new(""),
            settings: &settings,
            resources: &resources,
            resolver: &NoRemotes,
        };
        alias_target("alias", opening).map_err(|error| error.to_string())
    }

    #[test]
    fn an_alias_stands_for_its_target_but_not_for_itself() {
        assert_eq!(target("a", "b:c"), Ok(Some("b:c".to_owned())));
        assert_eq!(target("a", "ab:c"), Ok(Some("ab:c".to_owned())));
        assert!(target("a", "a:c").unwrap_err().contains("stands for itself"));
        assert!(target("a", "a,cdn=true:c").unwrap_err().contains("stands for itself"));
        assert!(target("a", "").unwrap_err().contains("needs the option remote"));
    }
}
