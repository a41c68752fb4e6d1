//! `account REMOTE:`: shows the account.

use clap::Args;
use fichier_api::Domain;
use fichier_storage::{AccountChange, AccountDetails, RemoteExt as _};

use crate::{
    context::Context,
    exit::Failure,
    output::{json::Object, size},
};

#[derive(Debug, Args)]
pub(super) struct ShowAccount {
    /// Whose account to show
    #[arg(value_name = "REMOTE:", required = true)]
    remote: Option<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: &ShowAccount, context: &mut Context<'_>) -> anyhow::Result<()> {
    let location = context.session.open(arguments.remote.as_deref().unwrap_or_default()).await?;
    let details = location.remote.account_settings()?.account_details().await?;
    let nothing = AccountDetails { told_at: details.told_at, ..AccountDetails::default() };
    if details == nothing {
        let message = "the service answered, and told nothing of the account: try again later";
        return Err(Failure::other(message).into());
    }
    if arguments.json {
        context.out.write_all(&object(&details).indented())?;
        context.out.write_all(b"\n")?;
        return Ok(());
    }
    for (name, value) in lines(&details) {
        writeln!(context.out, "{:<19}{value}", format!("{name}:"))?;
    }
    Ok(())
}

/// How a domain of links is called.
fn domain(number: u64) -> String {
    let known = usize::try_from(number).ok().and_then(|number| Domain::ALL.get(number));
    known.map_or_else(|| number.to_string(), |domain| domain.host().to_owned())
}

fn lines(details: &AccountDetails) -> Vec<(&'static str, String)> {
    let AccountDetails { info, settings, .. } = details;
    let yes = |value: bool| if value { "yes" } else { "no" }.to_owned();
    let mut lines = Vec::new();
    let mut line = |name, value: Option<String>| lines.extend(value.map(|value| (name, value)));
    line("Mail", info.mail.clone());
    line("Offer", info.offer.clone());
    line("Valid until", info.valid_until.as_ref().map(|until| ended(until, details.ends_in)));
    let cold = details.cold.map(|cold| match details.cold_allowed {
        Some(allowed) => format!("{} of {}", size::in_bytes(cold), size::in_bytes(allowed)),
        None => size::in_bytes(cold),
    });
    line("Cold storage", cold);
    line("Hot storage", details.hot.map(size::in_bytes));
    line("Available", details.available.map(size::in_bytes));
    line("Quota", details.quota.map(size::in_bytes));
    let extended = details.extended_quota.map(|bought| match &details.extended_until {
        Some(until) => format!("{bought} TB until {until}"),
        None => format!("{bought} TB"),
    });
    line("Extended quota", extended);
    line("Over quota", details.over_quota.then(|| yes(true)));
    line("Uploads refused", details.uploads_forbidden.then(|| yes(true)));
    line("CDN credit", details.cdn_credit.map(|credit| format!("{credit} GB")));
    line("Downloads by CDN", settings.use_cdn.map(yes));
    line("Download menu", settings.download_menu.map(yes));
    line("Domain of links", settings.default_domain.map(domain));
    line("Download port", settings.default_port.filter(|port| *port != 0).map(|port| port.to_string()));
    line("Page limit", settings.page_limit.map(|limit| limit.to_string()));
    line("Mail on removals", settings.mail_removals.map(yes));
    line("Mail on fetches", settings.mail_fetches.map(yes));
    line("Mail on FTP", settings.mail_ftp.map(yes));
    line("Second factor", info.mail.as_ref().map(|_| yes(details.second_factor)));
    line("Counted at", details.counted_at.clone());
    lines
}

fn ended(until: &str, left: Option<i64>) -> String {
    match left.map(|seconds| seconds / 86_400) {
        Some(_) if left.is_some_and(|seconds| seconds < 0) => format!("{until} (it has ended)"),
        Some(0) => format!("{until} (less than a day left)"),
        Some(1) => format!("{until} (1 day left)"),
        Some(days) if days < 3650 => format!("{until} ({days} days left)"),
        _ => until.to_owned(),
    }
}

fn object(details: &AccountDetails) -> Object {
    let AccountDetails { info, settings, .. } = details;
    let mut object = Object::default();
    let texts = [
        ("mail", info.mail.as_ref()),
        ("offer", info.offer.as_ref()),
        ("valid_until", info.valid_until.as_ref()),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            object.string(name, text);
        }
    }
    for (name, bytes) in [
        ("cold_storage", details.cold),
        ("cold_storage_allowed", details.cold_allowed),
        ("hot_storage", details.hot),
        ("available_storage", details.available),
        ("quota", details.quota),
    ] {
        if let Some(bytes) = bytes {
            object.plain(name, bytes);
        }
    }
    for (name, number) in
        [("extended_quota_tb", details.extended_quota), ("cdn_credit_gb", details.cdn_credit)]
    {
        if let Some(number) = number.filter(|number| number.is_finite()) {
            object.plain(name, number);
        }
    }
    if let Some(until) = &details.extended_until {
        object.string("extended_quota_until", until);
    }
    object.plain("over_quota", details.over_quota);
    object.plain("uploads_forbidden", details.uploads_forbidden);
    object.plain("second_factor", details.second_factor);
    if let Some(counted) = &details.counted_at {
        object.string("counted_at", counted);
    }
    object.object("settings", settings_object(settings));
    object
}

fn settings_object(settings: &AccountChange) -> Object {
    let mut object = Object::default();
    for (name, switch) in [
        ("use_cdn", settings.use_cdn),
        ("download_menu", settings.download_menu),
        ("mail_on_removals", settings.mail_removals),
        ("mail_on_fetches", settings.mail_fetches),
        ("mail_on_ftp", settings.mail_ftp),
    ] {
        if let Some(switch) = switch {
            object.plain(name, switch);
        }
    }
    if let Some(number) = settings.default_domain {
        object.string("default_domain", domain(number));
    }
    for (name, number) in [("default_port", settings.default_port), ("page_limit", settings.page_limit)] {
        if let Some(number) = number {
            object.plain(name, number);
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_subscription_is_told_in_days() {
        let day = 86_400;
        assert_eq!(ended("x", Some(-1)), "x (it has ended)");
        assert_eq!(ended("x", Some(5)), "x (less than a day left)");
        assert_eq!(ended("x", Some(day + 5)), "x (1 day left)");
        assert_eq!(ended("x", Some(6 * day)), "x (6 days left)");
        assert_eq!(ended("x", Some(70 * 365 * day)), "x");
        assert_eq!(ended("x", None), "x");
    }
}
