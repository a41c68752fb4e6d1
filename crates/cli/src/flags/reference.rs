//! Reference of the backends' options: for `help backend`, and as a page of the manual. Both are made from the
//! registry, as the flags are, so that all agree.

use std::{collections::BTreeMap, fmt::Write as _};

use super::backend::is_backend_flag;
use fichier_remotes::registry::{BackendSpec, OptionKind, OptionSpec, backend, backends};

/// Returns a table with a line for each backend.
pub(crate) fn backend_table() -> String {
    let mut text = String::from("The kinds of remotes, as in `type = ...` and `:...:`.\n\n");
    for backend in backends() {
        // Writing to a string can't fail.
        let _infallible = writeln!(text, "  {:<10} {}", backend.name, backend.description);
    }
    text.push_str("\nAll about one: fichier help backend NAME\n");
    text
}

/// Returns the help on all options of a backend; `None` if the backend doesn't exist.
pub(crate) fn backend_help(name: &str) -> Option<String> {
    let backend = backend(name)?;
    let mut text = format!("{}: {}\n", backend.name, backend.description);
    for (title, options) in groups(backend) {
        let _infallible = write!(text, "\n{title}:\n");
        for option in options {
            let _infallible = write!(text, "\n  --{}\n", option.flag(backend.name));
            for line in option.help.lines() {
                let _infallible = writeln!(text, "{}", format!("      {line}").trim_end());
            }
            for (label, value) in facts(backend, option) {
                let _infallible = writeln!(text, "      {label}: {value}");
            }
        }
    }
    let name = backend.name;
    let _infallible = write!(text, "\nExample:\n  fichier config create NAME {name}\n");
    Some(text)
}

/// Returns all options of all backends, as a page of the manual.
pub(crate) fn markdown() -> String {
    let mut text = String::from(
        "# Options of the remotes\n\nMade by `fichier help reference` from the definitions that the program itself uses. \
         A value counts in this order:\nparameter of the remote string, flag, variable of the remote \
         (`FICHIER_CONFIG_NAME_OPTION`), variable of the backend\n(`FICHIER_BACKEND_OPTION`), file, default. Each \
         variable may also begin with `RCLONE_`; ours counts first.\n",
    );
    for backend in backends() {
        let _infallible = write!(text, "\n## {}\n\n{}.\n", backend.name, backend.description);
        for (title, options) in groups(backend) {
            let _infallible = write!(text, "\n### {title} of {}\n", backend.name);
            for option in options {
                let _infallible = write!(text, "\n#### {}\n\n{}\n\n", option.name, option.help);
                for (label, value) in facts(backend, option) {
                    let _infallible = writeln!(text, "- {label}: `{value}`");
                }
                if let OptionKind::Choice(choices) | OptionKind::BoolOr(choices) = option.kind {
                    for (word, meaning) in choices {
                        let _infallible = writeln!(text, "- `{word}`: {meaning}");
                    }
                }
            }
        }
    }
    text
}

/// Returns all flags that commands share, as a page of the manual. Those of the backends are on the page of options.
pub(crate) fn flags_markdown(grammar: &clap::Command) -> String {
    let mut groups: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for arg in grammar.get_arguments().filter(|arg| arg.is_global_set() && !is_backend_flag(arg)) {
        let Some(long) = arg.get_long() else { continue };
        let short = arg.get_short().map_or_else(String::new, |short| format!("-{short}, "));
        let value = match arg.get_value_names() {
            Some([name, ..]) if arg.get_action().takes_values() => format!(" {name}"),
            _ => String::new(),
        };
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let line = format!("- `{short}--{long}{value}`: {}", help.replace('\n', " "));
        let group = arg.get_help_heading().unwrap_or("Others").to_owned();
        groups.entry(group).or_default().insert(long.to_owned(), line);
    }
    let mut text = String::from(
        "# Flags that all commands share\n\nMade by `fichier help reference flags` from the definitions that the program \
         itself uses. Each may stand before or\nafter every command, and each may be set by a variable: `--transfers` by \
         `FICHIER_TRANSFERS`, else by\n`RCLONE_TRANSFERS`. The flags of the remotes are in [options.md](options.md).\n",
    );
    for (group, flags) in groups {
        let lines: Vec<_> = flags.into_values().collect();
        // Writing to a string can't fail.
        let _infallible = write!(text, "\n## {group}\n\n{}\n", lines.join("\n"));
    }
    text
}

/// Returns the options by how often they are needed; no empty groups.
fn groups(backend: &BackendSpec) -> impl Iterator<Item = (&'static str, Vec<&'static OptionSpec>)> {
    let of = |wanted: fn(&OptionSpec) -> bool| {
        backend.options.iter().filter(move |option| wanted(option)).collect()
    };
    let groups: [(&str, Vec<_>); 3] = [
        ("Standard options", of(|option| !option.advanced)),
        ("Advanced options", of(|option| option.advanced && !option.own)),
        ("Options that rclone doesn't have", of(|option| option.own)),
    ];
    groups.into_iter().filter(|(_, options)| !options.is_empty())
}

/// Returns the facts about an option besides its description.
fn facts(backend: &BackendSpec, option: &OptionSpec) -> Vec<(&'static str, String)> {
    let variable = format!("FICHIER_{}_{}", backend.name, option.name).to_uppercase();
    let mut facts = vec![
        ("In the file", option.name.to_owned()),
        ("Flag", format!("--{}", option.flag(backend.name))),
        ("Variable", variable),
        ("Value", form(option.kind).to_owned()),
    ];
    if !option.default.is_empty() {
        facts.push(("Default", option.default.to_owned()));
    }
    if option.required {
        facts.push(("Needed", "always".to_owned()));
    }
    facts
}

fn form(kind: OptionKind) -> &'static str {
    match kind {
        OptionKind::Text => "text",
        OptionKind::Bool => "true or false",
        OptionKind::BoolOr(_) => "true, false or a word",
        OptionKind::Secret => "password, obscured: fichier obscure",
        OptionKind::Encoding => "names of encodings with commas in between",
        OptionKind::Duration => "time: 400ms, 30s, 1h30m",
        OptionKind::Size => "size: 512B, 16Mi",
        OptionKind::Count => "number from 1 on",
        OptionKind::Choice(_) => "one of a few words",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_stands_in_the_help_and_in_the_page() {
        let page = markdown();
        for backend in backends() {
            let help = backend_help(backend.name).unwrap();
            assert!(backend_table().contains(backend.name));
            for option in backend.options {
                assert!(help.contains(&format!("--{}\n", option.flag(backend.name))), "{}", option.name);
                assert!(page.contains(&format!("\n#### {}\n", option.name)), "{}", option.name);
            }
        }
        assert!(backend_help("nothing").is_none());
    }
}
