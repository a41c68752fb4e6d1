//! What the kernel has to forget, since somebody else changed it.

use std::{ffi::OsStr, io, os::unix::ffi::OsStrExt as _};

use fichier_vfs::{Event, NodeId};
use fuser::{INodeNo, Notifier};
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// Lets the kernel forget. A call may wait for the kernel, so it is for a thread of its own.
pub(crate) trait Forget {
    /// Forgets an entry of a folder.
    fn entry(&self, folder: NodeId, name: &[u8]) -> io::Result<()>;

    /// Forgets the attributes and the pages of a file.
    fn content(&self, node: NodeId) -> io::Result<()>;
}

impl Forget for Notifier {
    fn entry(&self, folder: NodeId, name: &[u8]) -> io::Result<()> {
        self.inval_entry(INodeNo(folder.0), OsStr::from_bytes(name))
    }

    fn content(&self, node: NodeId) -> io::Result<()> {
        self.inval_inode(INodeNo(node.0), 0, 0)
    }
}

/// Passes news on until the file system ends.
pub(crate) fn pass_on(mut events: Receiver<Event>, kernel: &impl Forget) {
    loop {
        let passed = match events.blocking_recv() {
            Ok(Event::Entry { folder, name }) => kernel.entry(folder, name.as_bytes()),
            Ok(Event::Content(node)) => kernel.content(node),
            Ok(_) => Ok(()),
            // What was missed the kernel keeps for the time that names and attributes count. Pages are looked after
            // when a file is opened.
            Err(RecvError::Lagged(missed)) => {
                tracing::debug!("{missed} changes were too many for the kernel");
                Ok(())
            }
            Err(RecvError::Closed) => return,
        };
        if let Err(error) = passed {
            // It knows nothing of it, or the mount has ended.
            tracing::debug!("the kernel doesn't forget what was changed: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::sync::broadcast;

    use super::*;

    #[derive(Default)]
    struct Noted(Mutex<Vec<String>>);

    impl Forget for Noted {
        fn entry(&self, folder: NodeId, name: &[u8]) -> io::Result<()> {
            self.0.lock().unwrap().push(format!("{} {}", folder.0, String::from_utf8_lossy(name)));
            Ok(())
        }

        fn content(&self, node: NodeId) -> io::Result<()> {
            self.0.lock().unwrap().push(format!("{}", node.0));
            Err(io::ErrorKind::NotFound.into())
        }
    }

    #[test]
    fn news_are_passed_on_until_the_end() {
        let (sender, receiver) = broadcast::channel(8);
        let name = fichier_storage::Name::new("a").unwrap();
        sender.send(Event::Content(NodeId(7))).unwrap();
        sender.send(Event::Entry { folder: NodeId(1), name }).unwrap();
        let reason = "no".into();
        sender.send(Event::Failed { path: "x".into(), reason, is_tried_again: true }).unwrap();
        drop(sender);
        let noted = Noted::default();
        pass_on(receiver, &noted);
        assert_eq!(*noted.0.lock().unwrap(), ["7", "1 a"]);
    }
}
