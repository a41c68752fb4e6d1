//! The commands, one file each, and the table that runs them.

mod about;
mod account;
mod attr;
mod backend;
mod cat;
mod catalogue;
mod check;
mod checksum;
mod cleanup;
mod complete_line;
mod complete_path;
mod completion;
mod config;
mod convmv;
mod copy;
mod copyto;
mod copyurl;
mod cryptdecode;
mod dedupe;
mod delete;
mod deletefile;
mod doctor;
mod emulate;
mod fetch;
mod get;
mod hashcache;
mod hashsum;
mod help;
mod import;
mod link;
mod links;
mod listremotes;
mod ls;
mod lsd;
pub(crate) mod lsf;
mod lsjson;
mod lsl;
mod mkdir;
#[cfg(target_os = "linux")]
mod mount;
mod r#move;
mod moveto;
mod obscure;
mod purge;
mod rcat;
mod reveal;
mod rmdir;
mod rmdirs;
mod scan;
mod share;
mod shares;
mod size;
mod sync;
mod touch;
mod tree;
mod unshare;
pub(crate) mod version;

use clap::Subcommand;

use crate::context::Context;

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    About(about::Arguments),
    Account(account::Arguments),
    Attr(attr::Arguments),
    Backend(backend::Arguments),
    Cat(cat::Arguments),
    Catalogue(catalogue::Arguments),
    #[command(name = "complete-line")]
    CompleteLine(complete_line::Arguments),
    #[command(name = "complete-path")]
    CompletePath(complete_path::Arguments),
    Check(check::Arguments),
    Checksum(checksum::Arguments),
    Cleanup(cleanup::Arguments),
    Completion(completion::Arguments),
    Config(config::Arguments),
    Convmv(convmv::Arguments),
    Copy(copy::Arguments),
    Copyto(copyto::Arguments),
    Copyurl(copyurl::Arguments),
    Cryptdecode(cryptdecode::Arguments),
    Dedupe(dedupe::Arguments),
    Delete(delete::Arguments),
    Deletefile(deletefile::Arguments),
    Doctor(doctor::Arguments),
    Emulate(emulate::Arguments),
    Fetch(fetch::Arguments),
    Get(get::Arguments),
    Hashcache(hashcache::Arguments),
    Hashsum(hashsum::Arguments),
    Help(help::Arguments),
    Import(import::Arguments),
    Link(link::Arguments),
    Links(links::Arguments),
    Listremotes(listremotes::Arguments),
    Ls(ls::Arguments),
    Lsd(lsd::Arguments),
    Lsf(lsf::Arguments),
    Lsjson(lsjson::Arguments),
    Lsl(lsl::Arguments),
    Md5sum(hashsum::Md5Arguments),
    Mkdir(mkdir::Arguments),
    #[cfg(target_os = "linux")]
    Mount(Box<mount::Arguments>),
    Move(r#move::Arguments),
    Moveto(moveto::Arguments),
    Obscure(obscure::Arguments),
    Purge(purge::Arguments),
    Rcat(rcat::Arguments),
    Reveal(reveal::Arguments),
    Rmdir(rmdir::Arguments),
    Rmdirs(rmdirs::Arguments),
    Scan(scan::Arguments),
    Sha1sum(hashsum::Sha1Arguments),
    Share(share::Arguments),
    Shares(shares::Arguments),
    Size(size::Arguments),
    Sync(sync::Arguments),
    Touch(touch::Arguments),
    Tree(tree::Arguments),
    Unshare(unshare::Arguments),
    Version(version::Arguments),
}

impl Command {
    /// Returns the command as typed.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::About(_) => "about",
            Self::Account(arguments) => arguments.name(),
            Self::Attr(arguments) => arguments.name(),
            Self::Backend(_) => "backend",
            Self::Cat(_) => "cat",
            Self::Catalogue(_) => "catalogue",
            Self::CompleteLine(_) => "complete-line",
            Self::CompletePath(_) => "complete-path",
            Self::Check(_) => "check",
            Self::Checksum(_) => "checksum",
            Self::Cleanup(_) => "cleanup",
            Self::Completion(_) => "completion",
            Self::Config(arguments) => arguments.name(),
            Self::Convmv(_) => "convmv",
            Self::Copy(_) => "copy",
            Self::Copyto(_) => "copyto",
            Self::Copyurl(_) => "copyurl",
            Self::Cryptdecode(_) => "cryptdecode",
            Self::Dedupe(_) => "dedupe",
            Self::Delete(_) => "delete",
            Self::Deletefile(_) => "deletefile",
            Self::Doctor(_) => "doctor",
            Self::Emulate(_) => "emulate",
            Self::Fetch(arguments) => arguments.name(),
            Self::Get(_) => "get",
            Self::Hashcache(_) => "hashcache",
            Self::Hashsum(_) => "hashsum",
            Self::Help(_) => "help",
            Self::Import(_) => "import",
            Self::Link(_) => "link",
            Self::Links(arguments) => arguments.name(),
            Self::Listremotes(_) => "listremotes",
            Self::Ls(_) => "ls",
            Self::Lsd(_) => "lsd",
            Self::Lsf(_) => "lsf",
            Self::Lsjson(_) => "lsjson",
            Self::Lsl(_) => "lsl",
            Self::Md5sum(_) => "md5sum",
            Self::Mkdir(_) => "mkdir",
            #[cfg(target_os = "linux")]
            Self::Mount(_) => "mount",
            Self::Move(_) => "move",
            Self::Moveto(_) => "moveto",
            Self::Obscure(_) => "obscure",
            Self::Purge(_) => "purge",
            Self::Rcat(_) => "rcat",
            Self::Reveal(_) => "reveal",
            Self::Rmdir(_) => "rmdir",
            Self::Rmdirs(_) => "rmdirs",
            Self::Scan(_) => "scan",
            Self::Sha1sum(_) => "sha1sum",
            Self::Share(_) => "share",
            Self::Shares(_) => "shares",
            Self::Size(_) => "size",
            Self::Sync(_) => "sync",
            Self::Touch(_) => "touch",
            Self::Tree(_) => "tree",
            Self::Unshare(_) => "unshare",
            Self::Version(_) => "version",
        }
    }
}

/// Runs a command. Those that touch no remote need no runtime.
pub(crate) fn run(command: &Command, context: &mut Context<'_>) -> anyhow::Result<()> {
    match command {
        Command::Completion(arguments) => completion::run(arguments, context),
        Command::Help(arguments) => help::run(arguments, context),
        Command::Listremotes(arguments) => listremotes::run(arguments, context),
        Command::Obscure(arguments) => obscure::run(arguments, context),
        Command::Reveal(arguments) => reveal::run(arguments, context),
        Command::Version(arguments) => version::run(arguments, context),
        command => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            let result = runtime.block_on(run_on_remotes(command, context));
            // A blocked read of stdin must not delay the end.
            runtime.shutdown_background();
            result
        }
    }
}

async fn run_on_remotes(command: &Command, context: &mut Context<'_>) -> anyhow::Result<()> {
    match command {
        Command::About(arguments) => about::run(arguments, context).await,
        Command::Account(arguments) => account::run(arguments, context).await,
        Command::Attr(arguments) => attr::run(arguments, context).await,
        Command::Backend(arguments) => backend::run(arguments, context).await,
        Command::Cat(arguments) => cat::run(arguments, context).await,
        Command::Catalogue(arguments) => catalogue::run(arguments, context).await,
        Command::CompleteLine(arguments) => complete_line::run(arguments, context).await,
        Command::CompletePath(arguments) => complete_path::run(arguments, context).await,
        Command::Config(arguments) => config::run(arguments, context).await,
        Command::Check(arguments) => check::run(arguments, context).await,
        Command::Checksum(arguments) => checksum::run(arguments, context).await,
        Command::Cleanup(arguments) => cleanup::run(arguments, context).await,
        Command::Convmv(arguments) => convmv::run(arguments, context).await,
        Command::Copy(arguments) => copy::run(arguments, context).await,
        Command::Copyto(arguments) => copyto::run(arguments, context).await,
        Command::Copyurl(arguments) => copyurl::run(arguments, context).await,
        Command::Cryptdecode(arguments) => cryptdecode::run(arguments, context).await,
        Command::Dedupe(arguments) => dedupe::run(arguments, context).await,
        Command::Delete(arguments) => delete::run(arguments, context).await,
        Command::Deletefile(arguments) => deletefile::run(arguments, context).await,
        Command::Doctor(arguments) => doctor::run(arguments, context).await,
        Command::Emulate(arguments) => emulate::run(arguments, context).await,
        Command::Fetch(arguments) => fetch::run(arguments, context).await,
        Command::Get(arguments) => get::run(arguments, context).await,
        Command::Hashcache(arguments) => hashcache::run(arguments, context).await,
        Command::Hashsum(arguments) => hashsum::run(arguments, context).await,
        Command::Import(arguments) => import::run(arguments, context).await,
        Command::Link(arguments) => link::run(arguments, context).await,
        Command::Links(arguments) => links::run(arguments, context).await,
        Command::Ls(arguments) => ls::run(arguments, context).await,
        Command::Lsd(arguments) => lsd::run(arguments, context).await,
        Command::Lsf(arguments) => lsf::run(arguments, context).await,
        Command::Lsjson(arguments) => lsjson::run(arguments, context).await,
        Command::Lsl(arguments) => lsl::run(arguments, context).await,
        Command::Md5sum(arguments) => hashsum::run_as("md5sum", &arguments.with_kind(), context).await,
        Command::Mkdir(arguments) => mkdir::run(arguments, context).await,
        #[cfg(target_os = "linux")]
        Command::Mount(arguments) => mount::run(arguments, context).await,
        Command::Move(arguments) => r#move::run(arguments, context).await,
        Command::Moveto(arguments) => moveto::run(arguments, context).await,
        Command::Purge(arguments) => purge::run(arguments, context).await,
        Command::Rcat(arguments) => rcat::run(arguments, context).await,
        Command::Rmdir(arguments) => rmdir::run(arguments, context).await,
        Command::Rmdirs(arguments) => rmdirs::run(arguments, context).await,
        Command::Scan(arguments) => scan::run(arguments, context).await,
        Command::Sha1sum(arguments) => hashsum::run_as("sha1sum", &arguments.with_kind(), context).await,
        Command::Share(arguments) => share::run(arguments, context).await,
        Command::Shares(arguments) => shares::run(arguments, context).await,
        Command::Size(arguments) => size::run(arguments, context).await,
        Command::Sync(arguments) => sync::run(arguments, context).await,
        Command::Touch(arguments) => touch::run(arguments, context).await,
        Command::Tree(arguments) => tree::run(arguments, context).await,
        Command::Unshare(arguments) => unshare::run(arguments, context).await,
        // Ran without a runtime.
        Command::Completion(_)
        | Command::Help(_)
        | Command::Listremotes(_)
        | Command::Obscure(_)
        | Command::Reveal(_)
        | Command::Version(_) => Ok(()),
    }
}
