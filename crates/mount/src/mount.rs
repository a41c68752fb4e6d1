//! A mounted file system, from mounting to unmounting.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use fichier_vfs::Vfs;
use fuser::{Session, SessionUnmounter};
use rustix::mount::UnmountFlags;
use tokio::{runtime::Handle, sync::oneshot};

use crate::{MountError, MountOptions, Result, directory, kernel::Kernel, news, translation::Translation};

/// The kernel's door.
const DEVICE: &str = "/dev/fuse";

/// A mounted file system. It is unmounted when this is dropped.
#[derive(Debug)]
pub struct Mount {
    directory: PathBuf,
    /// Taken when it was used.
    unmounter: Option<SessionUnmounter>,
    ended: oneshot::Receiver<io::Result<()>>,
}

impl Mount {
    /// Checks that something can be mounted on a directory, before much is done for it.
    ///
    /// # Errors
    /// It isn't there, isn't a directory or isn't empty, or something is mounted there.
    pub fn check(directory: &Path, options: &MountOptions) -> Result<()> {
        directory::check(directory, options.allow_non_empty).map(drop)
    }

    /// Mounts a file system on a directory. When it returns, the directory shows it.
    ///
    /// # Errors
    /// The directory can't be used, or the system refuses; each error says what to do.
    pub async fn new(vfs: Arc<Vfs>, directory: &Path, options: &MountOptions) -> Result<Self> {
        let runtime = Handle::current();
        let (shown, options) = (directory.to_owned(), options.clone());
        // The directory may be on a slow disk, and the kernel waits for an answer while it mounts.
        let mounted = tokio::task::spawn_blocking(move || Self::begin(vfs, &shown, &options, runtime)).await;
        mounted.map_err(|error| MountError::Refused {
            directory: directory.to_owned(),
            source: io::Error::other(error),
        })?
    }

    fn begin(vfs: Arc<Vfs>, shown: &Path, options: &MountOptions, runtime: Handle) -> Result<Self> {
        let directory = directory::check(shown, options.allow_non_empty)?;
        let events = vfs.events();
        let translation = Arc::new(Translation::new(vfs, options.attr_timeout));
        let kernel = Kernel::new(translation, runtime);
        let mut session = Session::new(kernel, &directory, &options.config())
            .map_err(|error| refusal(shown.to_owned(), error))?;
        let unmounter = Some(session.unmount_callable());
        let notifier = session.notifier();
        let broken = |source| MountError::Broken { directory: shown.to_owned(), source };
        thread::Builder::new()
            .name("news".to_owned())
            .spawn(move || news::pass_on(events, &notifier))
            .map_err(broken)?;
        let (sender, ended) = oneshot::channel();
        thread::Builder::new()
            .name("mount".to_owned())
            // Nobody may be waiting any more.
            .spawn(move || sender.send(session.run()))
            .map_err(broken)?;
        Ok(Self { directory, unmounter, ended })
    }

    /// Returns the directory, without links in its path.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Waits until the file system is unmounted, by whomever.
    ///
    /// # Errors
    /// The connection to the kernel broke.
    pub async fn ended(&mut self) -> Result<()> {
        match (&mut self.ended).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(source)) => Err(MountError::Broken { directory: self.directory.clone(), source }),
            // The thread has ended without an answer.
            Err(_) => Err(MountError::Broken {
                directory: self.directory.clone(),
                source: io::Error::other("its thread ended"),
            }),
        }
    }

    /// Unmounts the file system. If it is in use, the directory is free at once, and those who use it may go on until
    /// this program ends. Returns whether it was in use.
    ///
    /// # Errors
    /// [`MountError::NotUnmounted`].
    pub async fn unmount(mut self) -> Result<bool> {
        let Some(unmounter) = self.unmounter.take() else { return Ok(false) };
        let directory = self.directory.clone();
        let unmounted = tokio::task::spawn_blocking(move || unmount(unmounter, &directory)).await;
        let unmounted = unmounted.unwrap_or_else(|error| Err(io::Error::other(error)));
        unmounted.map_err(|source| MountError::NotUnmounted { directory: self.directory.clone(), source })
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        if let Some(unmounter) = self.unmounter.take()
            && let Err(error) = unmount(unmounter, &self.directory)
        {
            tracing::warn!("can't unmount {}: {error}", self.directory.display());
        }
    }
}

fn unmount(mut unmounter: SessionUnmounter, directory: &Path) -> io::Result<bool> {
    match unmounter.unmount() {
        Ok(()) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
            rustix::mount::unmount(directory, UnmountFlags::DETACH)?;
            Ok(true)
        }
        Err(error) => Err(error),
    }
}

/// Returns why the system refuses to mount.
fn refusal(directory: PathBuf, error: io::Error) -> MountError {
    let device = PathBuf::from(DEVICE);
    match error.kind() {
        io::ErrorKind::PermissionDenied if error.to_string().contains("user_allow_other") => {
            MountError::OthersNotAllowed(directory)
        }
        // The directory was looked at before, so what isn't there is the device or the program.
        io::ErrorKind::NotFound if fs::symlink_metadata(&device).is_err() => MountError::NoDevice(directory),
        io::ErrorKind::NotFound if !rustix::process::geteuid().is_root() => {
            MountError::NoFusermount(directory)
        }
        io::ErrorKind::PermissionDenied => MountError::NoAccess { directory, path: device },
        _ => MountError::Refused { directory, source: error },
    }
}
