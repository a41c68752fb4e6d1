//! `completion`: scripts that complete commands, flags, remotes and what is stored there, in a shell.
//!
//! Commands and flags are written into the script. For remotes and paths it asks the program
//! ([`super::complete_path`]), so that new remotes are known at once.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::Shell;

use super::Context;

/// Print a script that completes commands, flags, remotes and paths in a shell
#[derive(Debug, Args)]
#[command(
    after_help = "Completing a path on a remote lists one folder; the answer is good for a minute.\n\n\
    Examples:\n  fichier completion bash > ~/.local/share/bash-completion/completions/fichier\n  \
    fichier completion zsh > ~/.zfunc/_fichier\n  \
    fichier completion fish > ~/.config/fish/completions/fichier.fish\n  \
    fichier completion powershell >> $PROFILE"
)]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: ShellName,

    /// Write to this file; `-`: the standard output
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// The shells that can complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ShellName {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

impl From<ShellName> for Shell {
    fn from(name: ShellName) -> Self {
        match name {
            ShellName::Bash => Self::Bash,
            ShellName::Zsh => Self::Zsh,
            ShellName::Fish => Self::Fish,
            ShellName::Powershell => Self::PowerShell,
        }
    }
}

pub(super) fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let script = script(arguments.shell);
    match &arguments.file {
        Some(path) if path.as_os_str() != "-" => std::fs::write(path, script)?,
        _ => context.out.write_all(script.as_bytes())?,
    }
    Ok(())
}

fn script(shell: ShellName) -> String {
    // Flags that help hides for its own brevity are completed all the same.
    let mut grammar = crate::flags::grammar().mut_args(|arg| arg.hide(false));
    let commands = commands_with_paths(&grammar).join(" ");
    let mut script = Vec::new();
    clap_complete::generate(Shell::from(shell), &mut grammar, "fichier", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    match shell {
        ShellName::Bash => script + &BASH.replace("@COMMANDS@", &commands),
        ShellName::Fish => script + &FISH.replace("@COMMANDS@", &commands),
        ShellName::Zsh => zsh(&script),
        ShellName::Powershell => powershell(&script),
    }
}

/// The commands that take a path on a remote.
fn commands_with_paths(grammar: &clap::Command) -> Vec<String> {
    let takes_path = |command: &&clap::Command| {
        command.get_positionals().any(|arg| arg.get_value_names().is_some_and(|names| names[0].contains(':')))
    };
    grammar.get_subcommands().filter(takes_path).map(|command| command.get_name().to_owned()).collect()
}

/// Bash ends a word at a colon, so that what stands before it must not be part of the answer.
const BASH: &str = r#"
_fichier_with_paths() {
    _fichier "$@"
    local line="${COMP_LINE:0:COMP_POINT}" word="" command="" prefix="" each IFS=$'\n'
    [[ $line =~ (([^[:space:]\\]|\\.)*)$ ]] && word="${BASH_REMATCH[1]//\\/}"
    for each in "${COMP_WORDS[@]:1}"; do
        [[ $each == -* ]] || { command=$each; break; }
    done
    case " @COMMANDS@ " in
        *" $command "*) ;;
        *) return ;;
    esac
    [[ $word == -* || $word == "$command" ]] && return
    [[ $word == *:* && $COMP_WORDBREAKS == *:* ]] && prefix="${word%"${word##*:}"}"
    COMPREPLY=()
    for each in $(fichier complete-path --ask-password=false -- "$word" 2>/dev/null); do
        COMPREPLY+=("$(printf %q "${each#"$prefix"}")")
    done
    [[ $word == *:* ]] || COMPREPLY+=($(compgen -f -- "$word"))
    compopt -o nospace 2>/dev/null
}
complete -F _fichier_with_paths -o bashdefault -o default fichier
"#;

const FISH: &str = r#"
function __fichier_paths
    fichier complete-path --ask-password=false -- (commandline -ct) 2>/dev/null
end
complete -c fichier -n "__fish_seen_subcommand_from @COMMANDS@" -a "(__fichier_paths)"
"#;

const ZSH: &str = r#"
_fichier_paths() {
    local typed="${(Q)PREFIX}"
    local -a found
    found=(${(f)"$(fichier complete-path --ask-password=false -- "$typed" 2>/dev/null)"})
    (( $#found )) && compadd -S '' -- "${found[@]}"
    [[ $typed == *:* ]] || _files
}
"#;

/// Arguments of which nothing else is known are completed as paths.
fn zsh(script: &str) -> String {
    let (first, rest) = script.split_once('\n').unwrap_or((script, ""));
    let rest: String = rest
        .split_inclusive('\n')
        .map(|line| {
            let is_argument = line.trim_start().starts_with("'::") || line.trim_start().starts_with("':");
            if is_argument { line.replace(":_default'", ":_fichier_paths'") } else { line.to_owned() }
        })
        .collect();
    format!("{first}\n{ZSH}{rest}")
}

const POWERSHELL: &str = r#"    if ($wordToComplete -notlike '-*') {
        $completions = @($completions) + @(
            fichier complete-path --ask-password=false -- "$wordToComplete" 2>$null | ForEach-Object {
                [CompletionResult]::new($_, $_, [CompletionResultType]::ParameterValue, $_)
            }
        )
    }

"#;

fn powershell(script: &str) -> String {
    const END: &str = "    $completions.Where{";
    script.replace(END, &format!("{POWERSHELL}{END}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_asks_for_paths() {
        for shell in [ShellName::Bash, ShellName::Zsh, ShellName::Fish, ShellName::Powershell] {
            let script = script(shell);
            assert!(script.contains("complete-path"), "{shell:?}");
            assert!(!script.contains("@COMMANDS@"), "{shell:?}");
        }
        assert!(script(ShellName::Zsh).contains(":_fichier_paths'"));
        let commands = commands_with_paths(&crate::flags::grammar());
        assert!(["lsf", "copy", "about"].iter().all(|name| commands.iter().any(|command| command == name)));
        assert!(!commands.iter().any(|command| command == "version"));
    }
}
