//! Remotes that stand before another one: they ask, hold limits, or only say what would be done.

pub(crate) mod brakes;
pub(crate) mod dry_run;
pub(crate) mod interactive;

use fichier_storage::{FetchFromWeb, Remote, RemoteExt as _, Result};

/// Returns what has the service fetch files, for a wrapper that passes that on.
///
/// # Errors
/// The remote can't do that.
fn fetches_of(remote: &dyn Remote) -> Result<&dyn FetchFromWeb> {
    remote.extensions().fetches.ok_or_else(|| remote.unsupported("fetch files from the web"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use fichier_storage::{
        ChangeWatch, ChangedFolders, Changes, Extensions, RemotePath, delegate_remote, memory::MemoryRemote,
    };

    use super::{
        brakes::Braked,
        dry_run::DryRun,
        interactive::{Answer, Asker, Interactive, Question},
        *,
    };

    /// A remote of which somebody changes the root again and again.
    #[derive(Debug)]
    struct Restless(MemoryRemote);

    #[async_trait]
    impl Remote for Restless {
        delegate_remote!(0: info, place, list, find, forget, reader, write, copy, rename, remove, remove_unchanged,
            make_folders, remove_folders, rename_folders, set_modified);

        fn extensions(&self) -> Extensions<'_> {
            Extensions { changes: Some(self), ..self.0.extensions() }
        }
    }

    impl Changes for Restless {
        fn watch(&self) -> Box<dyn ChangeWatch> {
            Box::new(RootChanges)
        }
    }

    #[derive(Debug)]
    struct RootChanges;

    #[async_trait]
    impl ChangeWatch for RootChanges {
        async fn changed(&mut self) -> Result<ChangedFolders> {
            Ok(ChangedFolders { folders: vec![RemotePath::root()], elsewhere: true })
        }
    }

    #[derive(Debug)]
    struct Yes;

    #[async_trait]
    impl Asker for Yes {
        async fn ask(&self, _question: Question<'_>) -> Answer {
            Answer::Yes
        }
    }

    #[tokio::test]
    async fn what_others_change_is_told_through_each_of_them() {
        let inner = || Arc::new(Restless(MemoryRemote::new("memory:")));
        let wrapped: [Arc<dyn Remote>; 3] = [
            Arc::new(DryRun::new(inner())),
            Arc::new(Interactive::new(inner(), Arc::new(Yes))),
            Arc::new(Braked::new(inner(), Arc::default())),
        ];
        for remote in wrapped {
            let mut watch = remote.extensions().changes.unwrap().watch();
            let told = watch.changed().await.unwrap();
            assert!(told.elsewhere && told.folders == [RemotePath::root()], "{remote:?}");
        }
    }
}
