//! How folders are shared, as listings tell it.

use std::collections::HashMap;

use fichier_api::{FolderId, FolderListing, Share};
use fichier_storage::{ShareRights, SharedWith, Sharing};

/// How the folders are shared that were listed in this run; `None`: not at all, as most of them, so that they take
/// little room.
pub(super) type SharedFolders = HashMap<FolderId, Option<Box<Sharing>>>;

/// How a folder is shared, as its listing tells it.
pub(super) fn sharing_in(listing: &FolderListing) -> Sharing {
    let user = |share: &Share| SharedWith {
        mail: share.email.clone(),
        rights: match (share.rw, share.hide_links) {
            (false, false) => ShareRights::Read,
            (true, false) => ShareRights::Write,
            (false, true) => ShareRights::HiddenLinks,
            (true, true) => ShareRights::WriteHiddenLinks,
        },
    };
    let users = listing.shares.iter().filter(|share| !share.email.is_empty()).map(user).collect();
    Sharing { page: listing.shared, password: listing.pass, users }
}
