//! What others change in the account: folders whose listing differs from what was known, and, once an hour, what the
//! listing of all files tells.

use std::sync::Arc;

use async_trait::async_trait;
use fichier_storage::{ChangeWatch, ChangedFolders, Changes, Result};

use super::{FichierRemote, tree::Tree};

impl Changes for FichierRemote {
    fn watch(&self) -> Box<dyn ChangeWatch> {
        let seen = self.tree.catalogue().changes().count();
        Box::new(TreeWatch { tree: self.tree.clone(), seen })
    }
}

/// Tells what was changed since this many changes were known.
#[derive(Debug)]
struct TreeWatch {
    tree: Arc<Tree>,
    seen: u64,
}

#[async_trait]
impl ChangeWatch for TreeWatch {
    async fn changed(&mut self) -> Result<ChangedFolders> {
        self.tree.look_at_all_files().await;
        let catalogue = self.tree.catalogue();
        let changed = catalogue.changed_since(self.seen);
        self.seen = catalogue.changes().count();
        Ok(changed)
    }
}
