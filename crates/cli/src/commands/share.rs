//! `share`: shares a folder, by a page and with other users.

use clap::Args;
use fichier_storage::{RemoteExt as _, ShareRights, SharedWith, SharingChange};

use crate::{context::Context, new_password, session::unless_declined};

/// Share a folder by a page, and with other users of the service
#[derive(Debug, Args)]
#[command(
    after_help = "Prints the address of the folder's page, where everybody can download its files who knows the address, \
    and the password if there is one. With --with the folder is shared with that account as well: ro may read, rw may \
    write, hidden may read without seeing the links, rw-hidden may write without seeing them. Who isn't named keeps \
    what he has.\n\n\
    Examples:\n  fichier share cloud:films --password -\n  \
    fichier share cloud:project --with ann@example.com:rw --with bob@example.com:ro"
)]
pub(crate) struct Arguments {
    /// The folder
    #[arg(value_name = "REMOTE:PATH")]
    path: String,

    /// Password of the page; at least 6 characters, - asks for it or reads it from the standard input
    #[arg(long, value_name = "TEXT")]
    password: Option<String>,

    /// Take the password of the page away
    #[arg(long, conflicts_with = "password")]
    no_password: bool,

    /// Share it with this account, too: ro, rw, hidden or rw-hidden; may be repeated
    #[arg(long, value_name = "MAIL:RIGHTS", value_delimiter = ',', value_parser = user)]
    with: Vec<User>,
}

/// A user as typed.
#[derive(Debug, Clone)]
struct User {
    mail: String,
    rights: ShareRights,
}

pub(super) async fn run(arguments: &Arguments, context: &mut Context<'_>) -> anyhow::Result<()> {
    let password = match &arguments.password {
        Some(typed) => Some(new_password::take(typed, "password for the page")?),
        None => arguments.no_password.then(Default::default),
    };
    let location = context.session.open(&arguments.path).await?;
    let sharing = location.remote.folder_sharing()?;
    let with = arguments.with.iter();
    let with = with.map(|user| SharedWith { mail: user.mail.clone(), rights: user.rights }).collect();
    let change = SharingChange::Share { password, with };
    let shared = sharing.share(&location.path, &change).await.map_err(|error| location.named(error));
    if let Some(Some(address)) = unless_declined(shared)? {
        writeln!(context.out, "{}", fichier_api::shown(&address))?;
    }
    Ok(())
}

/// How rights are typed.
pub(super) fn rights_word(rights: ShareRights) -> &'static str {
    match rights {
        ShareRights::Read => "ro",
        ShareRights::Write => "rw",
        ShareRights::HiddenLinks => "hidden",
        ShareRights::WriteHiddenLinks => "rw-hidden",
    }
}

fn user(text: &str) -> Result<User, String> {
    let all =
        [ShareRights::Read, ShareRights::Write, ShareRights::HiddenLinks, ShareRights::WriteHiddenLinks];
    let wrong = || "wants MAIL:ro, MAIL:rw, MAIL:hidden or MAIL:rw-hidden".to_owned();
    let (mail, word) = text.rsplit_once(':').ok_or_else(wrong)?;
    let rights = all.into_iter().find(|rights| rights_word(*rights) == word).ok_or_else(wrong)?;
    Ok(User { mail: crate::flags::mail(mail)?, rights })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_an_address_and_rights() {
        let typed = |text| user(text).map(|user| (user.mail, user.rights));
        assert_eq!(typed("a@b.c:rw"), Ok(("a@b.c".to_owned(), ShareRights::Write)));
        assert_eq!(typed("a@b.c:hidden"), Ok(("a@b.c".to_owned(), ShareRights::HiddenLinks)));
        assert!(typed("a@b.c").is_err() && typed("a@b.c:all").is_err() && typed("a:rw").is_err());
    }
}
