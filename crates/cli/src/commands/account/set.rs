//! `account set`: sets what the owner of an account can.

use clap::Args;
use fichier_api::Domain;
use fichier_storage::{AccountChange, RemoteExt as _};

use crate::{context::Context, exit::Failure, session::unless_declined};

/// Change settings of an account
#[derive(Debug, Args)]
#[command(
    after_help = "What isn't named stays as it is. The service answers about an account once in 5 minutes, so this may \
    wait for so long.\n\n\
    Examples:\n  fichier account set cloud: --use-cdn true\n  \
    fichier account set cloud: --default-domain dl4free.com --page-limit 200 --dry-run"
)]
pub(super) struct Arguments {
    /// Whose account to change
    #[arg(value_name = "REMOTE:")]
    remote: String,

    /// Whether downloads go through the CDN, which uses up credit
    #[arg(long, value_name = "BOOL")]
    use_cdn: Option<bool>,

    /// Domain of new links, by its name or number
    #[arg(long, value_name = "DOMAIN", value_parser = domain)]
    default_domain: Option<u64>,

    /// Port of downloads
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(..=65_535))]
    default_port: Option<u64>,

    /// How many entries a page of the site has
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    page_limit: Option<u64>,

    /// Whether a menu comes before a download
    #[arg(long, value_name = "BOOL")]
    download_menu: Option<bool>,

    /// Whether the service sends a mail when files are removed
    #[arg(long, value_name = "BOOL")]
    mail_on_removals: Option<bool>,

    /// Whether the service sends a mail when it has fetched files
    #[arg(long, value_name = "BOOL")]
    mail_on_fetches: Option<bool>,

    /// Whether the service sends a mail about uploads by FTP
    #[arg(long, value_name = "BOOL")]
    mail_on_ftp: Option<bool>,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let change = AccountChange {
        use_cdn: arguments.use_cdn,
        default_domain: arguments.default_domain,
        default_port: arguments.default_port,
        page_limit: arguments.page_limit,
        download_menu: arguments.download_menu,
        mail_removals: arguments.mail_on_removals,
        mail_fetches: arguments.mail_on_fetches,
        mail_ftp: arguments.mail_on_ftp,
    };
    if change.is_empty() {
        let message = "say what to set: --use-cdn, --default-domain, --default-port, --page-limit, --download-menu, \
                       --mail-on-removals, --mail-on-fetches or --mail-on-ftp";
        return Err(Failure::usage(message).into());
    }
    let location = context.session.open(&arguments.remote).await?;
    unless_declined(location.remote.account_settings()?.set_account(&change).await)?;
    Ok(())
}

fn domain(text: &str) -> Result<u64, String> {
    let by_name = Domain::ALL.into_iter().find(|domain| domain.host().eq_ignore_ascii_case(text));
    let by_number = || Domain::ALL.into_iter().find(|domain| domain.number().to_string() == text);
    let found = by_name.or_else(by_number);
    found.map(|domain| u64::from(domain.number())).ok_or_else(|| {
        let names: Vec<_> = Domain::ALL.iter().map(|domain| domain.host()).collect();
        format!("no domain of the service: it has {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_has_a_name_and_a_number() {
        assert_eq!(domain("1fichier.com"), Ok(0));
        assert_eq!(domain("DL4FREE.com"), Ok(10));
        assert_eq!(domain("10"), Ok(10));
        assert!(domain("11").is_err() && domain("example.com").is_err());
    }
}
