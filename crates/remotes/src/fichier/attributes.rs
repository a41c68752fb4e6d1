//! Attributes of files: read from listings or one by one, set in lists (API document, section 5: `file/chattr`).

use fichier_api::{Acl, ChangeFiles, ChangedFiles, FileInfo, FileLink, Password};
use fichier_storage::{
    AccessRules, AttributeChange, Attributes, File, ListedAttributes, Outcome, Result, StorageError,
};

use super::{
    FichierRemote,
    batches::{Listed as _, ShrinkingBatches},
    catalogue::{KnownFile, Marks},
    confirm::{LOOKED_UP_SINGLY, confirmed, is_in_doubt, says_nothing},
    error::{failed, unconfirmed},
    link_of,
    removal::Place,
};

impl FichierRemote {
    /// What listings told of the files.
    pub(super) fn attributes_in_listings(&self, files: &[File]) -> Vec<Option<ListedAttributes>> {
        files.iter().map(|file| self.known_file(file)?.marks.listed()).collect()
    }

    fn known_file(&self, file: &File) -> Option<KnownFile> {
        let link = link_of(file).ok()?;
        let folders = self.tree.known(&file.path.parent()?);
        let mut catalogue = self.tree.catalogue();
        let folder = catalogue.folder_of(&folders, &link).ok()??;
        catalogue.file(folder, &link).ok()?.cloned()
    }

    /// All attributes of a file: a call.
    pub(super) async fn all_attributes(&self, file: &File) -> Result<Attributes> {
        let link = link_of(file)?;
        match self.client.because("read attributes").file_info(&link.into()).await {
            Ok(info) => Ok(attributes_of(info)),
            Err(error) if error.is_not_found() => Err(StorageError::FileNotFound(file.path.clone())),
            Err(error) => Err(failed("read the attributes of", &file.path, error)),
        }
    }

    /// Sets attributes, many files a call. What an answer doesn't confirm is asked for again, which does no harm, and then
    /// looked up.
    pub(super) async fn change_attributes(
        &self,
        batch: &[File],
        change: &AttributeChange,
    ) -> Vec<Outcome<()>> {
        let mut outcomes: Vec<Outcome<()>> = batch.iter().map(|_| Outcome::NotTried).collect();
        let mut ready = Vec::with_capacity(batch.len());
        for (index, file) in batch.iter().enumerate() {
            let in_place = match link_of(file) {
                Ok(link) => self.tree.is_in_place(file, &link).await.map(|here| here.then_some(link)),
                Err(error) => Err(error),
            };
            match in_place {
                Ok(Some(link)) => ready.push((index, link)),
                Ok(None) => {
                    outcomes[index] = Outcome::Failed(StorageError::FileNotFound(file.path.clone()));
                }
                Err(error) => outcomes[index] = Outcome::Failed(error),
            }
        }
        let mut lists = ShrinkingBatches::new(ready, &self.tree.lists);
        let mut again = self.asked_again();
        while let Some(list) = lists.next() {
            let links: Vec<FileLink> = list.iter().map(|place| place.link()).collect();
            let (answer, asked_often) = match self.client.change_files(&request(links.clone(), change)).await
            {
                // It was asked as often as the pacer tries.
                Err(error) if says_nothing(&error) => (Ok(ChangedFiles::default()), true),
                answer => (answer, false),
            };
            let error = match answer {
                Ok(answer) => {
                    let changed = changed_by(&links, &answer);
                    let (done, left): (Vec<_>, Vec<_>) =
                        list.into_iter().partition(|place| changed.contains(&place.link()));
                    if left.is_empty() {
                        lists.taken(done.len());
                    }
                    let progress = !done.is_empty();
                    for (index, link) in done {
                        self.note_attributes(&batch[index], link, change);
                        outcomes[index] = Outcome::Done(());
                    }
                    if !left.is_empty() && again > 0 && !progress && !asked_often {
                        again -= 1;
                        lists.left_over(left);
                        continue;
                    }
                    self.settle_doubtful(batch, left, change, &mut outcomes).await;
                    continue;
                }
                Err(error) => error,
            };
            let missing = error.is_not_found() && list.len() > 1;
            let (gone, list) = match missing {
                true => self.part_gone(batch, list, true).await,
                false => (Vec::new(), list),
            };
            if !gone.is_empty() {
                for (index, _) in gone {
                    outcomes[index] = Outcome::Failed(StorageError::FileNotFound(batch[index].path.clone()));
                }
                lists.left_over(list);
                continue;
            }
            let Some(list) = lists.refused(list, error.kind()) else { continue };
            let fatal = error.is_fatal();
            // All that was refused together failed for one reason: one look tells about all.
            let look = is_in_doubt(&error) && !error.is_not_found() && list.len() == 1;
            let error = std::sync::Arc::new(error);
            for (index, link) in list {
                let file = &batch[index];
                outcomes[index] = match error.is_not_found() {
                    true => Outcome::Failed(StorageError::FileNotFound(file.path.clone())),
                    false if look && self.look_whether_changed(file, link, change).await.is_done() => {
                        Outcome::DoneBefore(())
                    }
                    false => Outcome::Failed(failed("set attributes of", &file.path, error.clone())),
                };
            }
            if fatal {
                break;
            }
        }
        outcomes
    }

    /// Finds out what became of files of which no answer says that they were changed. Few are looked up one by one; of
    /// many, one look at their folders tells which are gone.
    async fn settle_doubtful(
        &self,
        batch: &[File],
        doubtful: Vec<Place>,
        change: &AttributeChange,
        outcomes: &mut [Outcome<()>],
    ) {
        let (gone, left) = match doubtful.len() > LOOKED_UP_SINGLY {
            true => self.part_gone(batch, doubtful, true).await,
            false => (Vec::new(), doubtful),
        };
        for (index, _) in gone {
            outcomes[index] = Outcome::Failed(StorageError::FileNotFound(batch[index].path.clone()));
        }
        for (looked_up, (index, link)) in left.into_iter().enumerate() {
            let file = &batch[index];
            outcomes[index] = match looked_up < LOOKED_UP_SINGLY {
                true => self.look_whether_changed(file, link, change).await,
                // Such calls in number get an address banned.
                false => Outcome::Failed(self.not_confirmed(file)),
            };
        }
    }

    fn not_confirmed(&self, file: &File) -> StorageError {
        let what = "the service doesn't say that they are set";
        unconfirmed(self.client.remote(), "set attributes of", &file.path, what)
    }

    /// Whether a file has the new attributes, as the service tells when it is asked for that file.
    async fn look_whether_changed(
        &self,
        file: &File,
        link: FileLink,
        change: &AttributeChange,
    ) -> Outcome<()> {
        let path = &file.path;
        let had_password =
            self.known_file(file).and_then(|known| known.marks.listed()).is_none_or(|listed| listed.password);
        let seen = self.client.because("look whether it was done").file_info(&link.into()).await;
        match seen.map(attributes_of) {
            Ok(seen) if shows(&seen, change, had_password) => {
                self.note_attributes(file, link, change);
                Outcome::Done(())
            }
            Ok(_) => Outcome::Failed(self.not_confirmed(file)),
            Err(error) if error.is_not_found() => Outcome::Failed(StorageError::FileNotFound(path.clone())),
            Err(error) => Outcome::Failed(failed("set attributes of", path, error)),
        }
    }

    /// Notes what a listing will tell of the file from now on.
    fn note_attributes(&self, file: &File, link: FileLink, change: &AttributeChange) {
        let Some(known) = self.known_file(file) else { return };
        let Some(before) = known.marks.listed() else { return };
        let after = ListedAttributes {
            password: change.password.as_ref().map_or(before.password, |password| !password.is_empty()),
            rules: change.rules.as_ref().map_or(before.rules, |rules| !rules.is_public()),
            cdn: change.cdn.unwrap_or(before.cdn),
        };
        if after == before {
            return;
        }
        let folders = file.path.parent().map(|parent| self.tree.known(&parent)).unwrap_or_default();
        let mut catalogue = self.tree.catalogue();
        if let Ok(Some(folder)) = catalogue.folder_of(&folders, &link) {
            catalogue.note_file(folder, KnownFile { marks: Marks::told(after), ..known });
        }
    }
}

/// Which files an answer confirms. It names them; a count alone counts when it is of all.
fn changed_by(asked: &[FileLink], answer: &ChangedFiles) -> std::collections::HashSet<FileLink> {
    if answer.links.is_empty() && answer.updated == Some(asked.len() as u64) {
        return asked.iter().copied().collect();
    }
    confirmed(asked, answer.updated, &answer.links)
}

fn request(links: Vec<FileLink>, change: &AttributeChange) -> ChangeFiles {
    ChangeFiles {
        links,
        filename: None,
        description: change.description.clone(),
        pass: change.password.as_ref().map(|password| Password::new(password.expose())),
        no_ssl: change.no_tls,
        inline: change.inline,
        cdn: change.cdn,
        // All fields are sent, so that the service can't keep one of those before.
        acl: change.rules.as_ref().map(|rules| Acl {
            ip: rules.addresses.clone(),
            country: rules.countries.clone(),
            email: rules.mails.clone(),
            premium: rules.premium,
        }),
    }
}

fn attributes_of(info: FileInfo) -> Attributes {
    let rules = info.acl.map(|acl| AccessRules {
        countries: acl.country,
        addresses: acl.ip,
        mails: acl.email,
        premium: acl.premium,
    });
    Attributes {
        password: info.pass,
        description: info.description.unwrap_or_default(),
        inline: info.inline,
        cdn: info.cdn,
        no_tls: info.no_ssl,
        rules: rules.filter(|rules| !rules.is_public()),
    }
}

/// Whether these attributes are as the change makes them. That a password is the new one shows only where there was none.
fn shows(seen: &Attributes, change: &AttributeChange, had_password: bool) -> bool {
    let password = change.password.as_ref().is_none_or(|password| match password.is_empty() {
        true => !seen.password,
        false => seen.password && !had_password,
    });
    let public = AccessRules::default();
    let rules =
        change.rules.as_ref().is_none_or(|rules| same_rules(rules, seen.rules.as_ref().unwrap_or(&public)));
    password
        && rules
        && change.description.as_ref().is_none_or(|text| *text == seen.description)
        && change.inline.is_none_or(|inline| inline == seen.inline)
        && change.cdn.is_none_or(|cdn| cdn == seen.cdn)
        && change.no_tls.is_none_or(|no_tls| no_tls == seen.no_tls)
}

/// Whether rules say the same, in whatever order and letters.
fn same_rules(asked: &AccessRules, seen: &AccessRules) -> bool {
    let sorted = |list: &[String]| {
        let mut list: Vec<_> = list.iter().map(|word| word.to_lowercase()).collect();
        list.sort_unstable();
        list
    };
    asked.premium == seen.premium
        && sorted(&asked.countries) == sorted(&seen.countries)
        && sorted(&asked.addresses) == sorted(&seen.addresses)
        && sorted(&asked.mails) == sorted(&seen.mails)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_tells_whether_a_change_was_made() {
        let rules = AccessRules { countries: vec!["FR".into(), "BE".into()], ..AccessRules::default() };
        let change = AttributeChange {
            password: Some("secret".into()),
            rules: Some(rules),
            ..AttributeChange::default()
        };
        let other = AccessRules { countries: vec!["be".into(), "fr".into()], ..AccessRules::default() };
        let seen = Attributes { password: true, rules: Some(other), ..Attributes::default() };
        assert!(shows(&seen, &change, false));
        assert!(!shows(&seen, &change, true), "it may be the password before");
        assert!(!shows(&Attributes { rules: None, ..seen.clone() }, &change, false));
        let open = AttributeChange { rules: Some(AccessRules::default()), ..AttributeChange::default() };
        assert!(!shows(&seen, &open, false));
        assert!(shows(&Attributes { rules: None, ..seen }, &open, true));
    }

    #[test]
    fn a_count_of_all_confirms_where_no_link_is_named() {
        let links: Vec<_> = ["aaaaa", "bbbbb"].map(|code| FileLink::from_code(code).unwrap()).into();
        let answer = |updated, named: &[FileLink]| {
            let mut answer = ChangedFiles::default();
            answer.updated = updated;
            answer.links = named.to_vec();
            changed_by(&links, &answer).len()
        };
        assert_eq!(answer(Some(2), &[]), 2);
        assert_eq!(answer(Some(1), &[]), 0, "which one?");
        assert_eq!(answer(None, &links[..1]), 1);
        assert_eq!(answer(None, &[]), 0);
    }
}
