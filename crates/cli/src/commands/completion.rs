//! `completion`: scripts that complete commands, flags, values, remotes and what is stored there, in a shell.
//!
//! A script knows nothing by itself: it asks the program ([`super::complete_line`]), so that it stays small, and new
//! flags and remotes are known at once.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use fichier_storage::StorageError;

use crate::context::Context;

/// Print a script that completes commands, flags, values, remotes and paths in a shell
#[derive(Debug, Args)]
#[command(
    after_help = "Completing a path on a remote lists one folder; the answer is good for a minute.\n\n\
    Examples:\n  fichier completion bash > ~/.local/share/bash-completion/completions/fichier\n  \
    fichier completion zsh > ~/.zfunc/_fichier\n  \
    fichier completion fish > ~/.config/fish/completions/fichier.fish\n  \
    fichier completion elvish >> ~/.config/elvish/rc.elv\n  \
    fichier completion powershell >> $PROFILE"
)]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,

    /// Write to this file; `-`: the standard output
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// The shells that can complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    Elvish,
    Powershell,
}

pub(super) fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let script = script(arguments.shell);
    match &arguments.file {
        Some(path) if path.as_os_str() != "-" => {
            std::fs::write(path, script)
                .map_err(|error| StorageError::io("write the completion script to", path, error))?;
        }
        _ => context.out.write_all(script.as_bytes())?,
    }
    Ok(())
}

fn script(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => BASH,
        Shell::Zsh => ZSH,
        Shell::Fish => FISH,
        Shell::Elvish => ELVISH,
        Shell::Powershell => POWERSHELL,
    }
}

/// Completion script for bash. Bash ends a word at a colon and at an equals sign, so what comes before them must not be
/// part of the answer.
const BASH: &str = r#"# Completion of fichier in bash.
_fichier_with_paths() {
    local line="${COMP_LINE:0:COMP_POINT}" word="" prefix="" each space=1 IFS=$'\n'
    [[ $line =~ (([^[:space:]\\]|\\.)*)$ ]] && word="${BASH_REMATCH[1]//\\/}"
    [[ $word == *=* && $COMP_WORDBREAKS == *=* ]] && prefix="${word%"${word##*=}"}"
    [[ $word == *:* && $COMP_WORDBREAKS == *:* ]] && prefix="${word%"${word##*:}"}"
    COMPREPLY=()
    for each in $(fichier complete-line --ask-password=false --line "$line" 2>/dev/null); do
        if [[ $each == :files: ]]; then
            COMPREPLY+=($(compgen -f -- "${word##*=}"))
            compopt -o filenames 2>/dev/null
        else
            [[ $each == *[/:=] ]] && space=0
            COMPREPLY+=("$(printf %q "${each#"$prefix"}")")
        fi
    done
    ((space)) || compopt -o nospace 2>/dev/null
}
complete -F _fichier_with_paths fichier
"#;

const ZSH: &str = r#"#compdef fichier
_fichier() {
    local -a found spaced unspaced
    local each
    found=(${(f)"$(fichier complete-line --ask-password=false -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)"})
    for each in $found; do
        case $each in
            :files:) _files ;;
            *[/:=]) unspaced+=("$each") ;;
            *) spaced+=("$each") ;;
        esac
    done
    (( $#unspaced )) && compadd -S '' -- "${unspaced[@]}"
    (( $#spaced )) && compadd -- "${spaced[@]}"
}
if [ "$funcstack[1]" = "_fichier" ]; then
    _fichier "$@"
else
    compdef _fichier fichier
fi
"#;

const FISH: &str = r#"# Completion of fichier in fish.
function __fichier_complete
    set -l line (commandline -cp | string collect)
    for each in (fichier complete-line --ask-password=false --line "$line" 2>/dev/null)
        if test "$each" = ":files:"
            __fish_complete_path (commandline -ct)
        else
            echo $each
        end
    end
end
complete -c fichier -f -a "(__fichier_complete)"
"#;

const ELVISH: &str = r#"# Completion of fichier in elvish.
set edit:completion:arg-completer[fichier] = {|@words|
    var found = [(try { fichier complete-line --ask-password=false -- $@words[1..] 2>/dev/null } catch e { nop })]
    for each $found {
        if (eq $each ':files:') {
            edit:complete-filename $words[-1]
        } elif (or (eq $each[-1] '/') (eq $each[-1] ':') (eq $each[-1] '=')) {
            edit:complex-candidate $each
        } else {
            edit:complex-candidate $each &code-suffix=' '
        }
    }
}
"#;

const POWERSHELL: &str = r#"# Completion of fichier in PowerShell.
Register-ArgumentCompleter -Native -CommandName 'fichier' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $line = $commandAst.ToString().PadRight($cursorPosition, ' ')
    fichier complete-line --ask-password=false --line "$line" 2>$null | ForEach-Object {
        if ($_ -eq ':files:') {
            [System.Management.Automation.CompletionCompleters]::CompleteFilename($wordToComplete)
        } else {
            [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
        }
    }
}
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_is_small_and_asks_the_program() {
        for shell in Shell::value_variants() {
            let script = script(*shell);
            assert!(script.contains("complete-line") && script.len() < 100_000, "{shell:?}");
        }
    }
}
