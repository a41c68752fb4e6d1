//! `attr set`: gives files attributes.

use std::net::IpAddr;

use clap::Args;
use fichier_storage::{AccessRules, AttributeChange};

use crate::{
    context::Context,
    exit::Failure,
    filtering::refuse_single_file,
    new_password,
    transfer::{ListFlags, carry_out},
};

/// Set attributes of files: a password, access rules, a description
#[derive(Debug, Args)]
#[command(
    after_help = "All files get the same, many in one call. What isn't named stays as it is; but the access rules that are \
    named stand in the place of all rules that a file had. Whoever fails one of the rules can't have the file; the \
    account itself always can.\n\n\
    Examples:\n  fichier attr set cloud:films -R --password -\n  \
    fichier attr set cloud:films -R --country FR,BE --include '*.mkv' --dry-run\n  \
    fichier attr set cloud:report.pdf --inline true --description 'Third draft'\n  \
    fichier attr set cloud:films -R --public --no-password"
)]
pub(super) struct Arguments {
    /// The file, or the folder whose files to change
    #[arg(value_name = "REMOTE:PATH")]
    path: String,

    /// Change the files in the folders below, too
    #[arg(short = 'R', long)]
    recursive: bool,

    /// Ask for this password before a download; at least 6 characters, - asks for it or reads it from the standard input
    #[arg(long, value_name = "TEXT", conflicts_with = "no_password")]
    password: Option<String>,

    /// Take the password away
    #[arg(long)]
    no_password: bool,

    /// Keep this text with the files; an empty one takes it away
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    /// Whether browsers show the files rather than save them
    #[arg(long, value_name = "BOOL")]
    inline: Option<bool>,

    /// Whether the files are served by the CDN, which uses up credit
    #[arg(long, value_name = "BOOL")]
    cdn: Option<bool>,

    /// Whether the files are served without TLS
    #[arg(long, value_name = "BOOL")]
    no_ssl: Option<bool>,

    /// Let these countries have the files, by their two letters
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = country)]
    country: Vec<String>,

    /// Let these IP addresses have the files
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',', value_parser = address)]
    ip: Vec<String>,

    /// Let the accounts with these mail addresses have the files
    #[arg(long, value_name = "MAIL", value_delimiter = ',', value_parser = crate::flags::mail)]
    mail: Vec<String>,

    /// Whether only customers may have the files
    #[arg(long, value_name = "BOOL")]
    premium: Option<bool>,

    /// Take all access rules away
    #[arg(long, conflicts_with_all = ["country", "ip", "mail", "premium"])]
    public: bool,
}

impl Arguments {
    /// The rules that are named; `None`: those of the files stay.
    fn rules(&self) -> Option<AccessRules> {
        let rules = AccessRules {
            countries: self.country.clone(),
            addresses: self.ip.clone(),
            mails: self.mail.clone(),
            premium: self.premium.unwrap_or_default(),
        };
        (self.public || self.premium.is_some() || !rules.is_public()).then_some(rules)
    }
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let mut change = AttributeChange {
        password: arguments.no_password.then(Default::default),
        description: arguments.description.clone(),
        inline: arguments.inline,
        cdn: arguments.cdn,
        no_tls: arguments.no_ssl,
        rules: arguments.rules(),
    };
    if change.is_empty() && arguments.password.is_none() {
        let message = "say what to set: --password, --no-password, --description, --inline, --cdn, --no-ssl, --country, \
                       --ip, --mail, --premium or --public";
        return Err(Failure::usage(message).into());
    }
    if let Some(typed) = &arguments.password {
        change.password = Some(new_password::take(typed, "password for the files")?);
    }
    let target = context.session.open(&arguments.path).await?;
    refuse_single_file(context.settings, &target).await?;
    let depth = context.settings.depth(arguments.recursive);
    let filter = context.settings.filter.clone();
    carry_out(context, "attr set", &ListFlags::default(), |stats, stop| async move {
        fichier_engine::set_attributes(&target, depth, &filter, &change, &stats, &stop).await
    })
    .await
}

fn country(text: &str) -> Result<String, String> {
    let is_code = text.len() == 2 && text.bytes().all(|letter| letter.is_ascii_alphabetic());
    match is_code {
        true => Ok(text.to_ascii_uppercase()),
        false => Err("a country has two letters, as FR".to_owned()),
    }
}

fn address(text: &str) -> Result<String, String> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let longest = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return Err("no IP address".to_owned()),
    };
    match bits.is_none_or(|bits| bits.parse::<u8>().is_ok_and(|bits| bits <= longest)) {
        true => Ok(text.to_owned()),
        false => Err(format!("a network has up to {longest} bits")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_checked_before_a_call() {
        assert_eq!(country("fr"), Ok("FR".to_owned()));
        assert!(country("France").is_err() && country("F1").is_err());
        for good in ["1.2.3.4", "10.0.0.0/8", "2001:db8::1", "2001:db8::/32"] {
            assert_eq!(address(good), Ok(good.to_owned()));
        }
        for bad in ["1.2.3", "1.2.3.4/33", "host", "1.2.3.4/"] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
