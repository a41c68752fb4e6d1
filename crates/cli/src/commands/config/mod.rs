//! `config`: the wizard, and its single steps for scripts.

mod account;
mod create;
mod encryption;
mod json;
mod options;
mod places;
mod providers;
mod show;
mod wizard;

use clap::{Args, Subcommand};

use crate::context::Context;

/// Set up remotes, step by step or by single commands
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Without a command, a wizard leads through it. Nothing is written before a remote is complete; Ctrl-C \
    leaves the file as it was.\n\n\
    Examples:\n  fichier config\n  fichier config create cloud fichier api_key=KEY\n  \
    fichier config show --origin cloud:"
)]
pub(crate) struct Arguments {
    /// Don't look whether a new key works
    #[arg(long)]
    no_check: bool,

    #[command(subcommand)]
    action: Option<Action>,
}

impl Arguments {
    /// Returns the command as typed.
    pub(crate) fn name(&self) -> &'static str {
        match &self.action {
            None => "config",
            Some(Action::Create(_)) => "config create",
            Some(Action::Delete(_)) => "config delete",
            Some(Action::Disconnect(_)) => "config disconnect",
            Some(Action::Dump(_)) => "config dump",
            Some(Action::Edit(_)) => "config edit",
            Some(Action::Encryption(_)) => "config encryption",
            Some(Action::File(_)) => "config file",
            Some(Action::Password(_)) => "config password",
            Some(Action::Paths(_)) => "config paths",
            Some(Action::Providers(_)) => "config providers",
            Some(Action::Reconnect(_)) => "config reconnect",
            Some(Action::Redacted(_)) => "config redacted",
            Some(Action::Show(_)) => "config show",
            Some(Action::ConnectionString(_)) => "config string",
            Some(Action::Touch(_)) => "config touch",
            Some(Action::Unset(_)) => "config unset",
            Some(Action::Update(_)) => "config update",
            Some(Action::Userinfo(_)) => "config userinfo",
        }
    }
}

/// The single steps.
#[derive(Debug, Subcommand)]
enum Action {
    Create(create::Create),
    Delete(create::Delete),
    Disconnect(account::Disconnect),
    Dump(show::Dump),
    Edit(wizard::Edit),
    Encryption(encryption::Arguments),
    File(places::File),
    Password(create::Password),
    Paths(places::Paths),
    Providers(providers::Arguments),
    Reconnect(account::Reconnect),
    Redacted(show::Redacted),
    Show(show::Show),
    #[command(name = "string")]
    ConnectionString(show::ConnectionString),
    Touch(places::Touch),
    Unset(create::Unset),
    Update(create::Update),
    Userinfo(account::Userinfo),
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let Some(action) = &arguments.action else {
        return wizard::run(!arguments.no_check, context).await;
    };
    match action {
        Action::Create(arguments) => create::create(arguments, context).await,
        Action::Delete(arguments) => create::delete(arguments, context),
        Action::Disconnect(arguments) => account::disconnect(arguments, context),
        Action::Dump(_) => show::dump(context),
        Action::Edit(arguments) => wizard::run(!arguments.no_check, context).await,
        Action::Encryption(arguments) => encryption::run(arguments, context),
        Action::File(_) => places::file(context),
        Action::Password(arguments) => create::password(arguments, context),
        Action::Paths(_) => places::paths(context),
        Action::Providers(_) => providers::run(context),
        Action::Reconnect(arguments) => account::reconnect(arguments, context).await,
        Action::Redacted(arguments) => show::redacted(arguments, context),
        Action::Show(arguments) => show::show(arguments, context),
        Action::ConnectionString(arguments) => show::connection_string(arguments, context),
        Action::Touch(_) => places::touch(context),
        Action::Unset(arguments) => create::unset(arguments, context),
        Action::Update(arguments) => create::update(arguments, context).await,
        Action::Userinfo(arguments) => account::userinfo(arguments, context).await,
    }
}
