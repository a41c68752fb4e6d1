//! Why a file system can't be mounted.

use std::{io, path::PathBuf};

/// Result of mounting.
pub type Result<T, E = MountError> = std::result::Result<T, E>;

/// An error of mounting or unmounting. Each says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MountError {
    /// The directory to mount on isn't there.
    #[error("can't mount on {0}: there is no such directory; make it first: mkdir -p {0}")]
    NoDirectory(PathBuf),
    /// What to mount on isn't a directory.
    #[error("can't mount on {0}: it isn't a directory; name an empty directory")]
    NotDirectory(PathBuf),
    /// The directory to mount on holds something, which the mount would hide.
    #[error(
        "can't mount on {0}: it isn't empty; name an empty directory, or add --allow-non-empty to hide what it holds"
    )]
    NotEmpty(PathBuf),
    /// Something is mounted there.
    #[error(
        "can't mount on {0}: something is mounted there already; unmount it (fusermount3 -u {0}), or add \
        --allow-non-empty to mount over it"
    )]
    AlreadyMounted(PathBuf),
    /// The program that had mounted something there ended without unmounting.
    #[error(
        "can't mount on {0}: a mount whose program has ended is still there; take it away first: fusermount3 -uz {0}"
    )]
    Stale(PathBuf),
    /// The kernel has no FUSE, or it isn't let into this container.
    #[error(
        "can't mount on {0}: there is no /dev/fuse; load it with 'modprobe fuse', in a container start that with \
        --device /dev/fuse --cap-add SYS_ADMIN"
    )]
    NoDevice(PathBuf),
    /// FUSE may not be used.
    #[error("can't mount on {directory}: {path} may not be opened; see its permissions and its group")]
    NoAccess {
        /// The directory to mount on.
        directory: PathBuf,
        /// What may not be opened.
        path: PathBuf,
    },
    /// Users other than root need a program that isn't there.
    #[error(
        "can't mount on {0}: only root can mount without fusermount3, which isn't there; install the package fuse3"
    )]
    NoFusermount(PathBuf),
    /// Other users may not be let in.
    #[error(
        "can't mount on {0}: --allow-other and --allow-root need the line user_allow_other in /etc/fuse.conf"
    )]
    OthersNotAllowed(PathBuf),
    /// The system refuses for another reason.
    #[error("can't mount on {directory}: {source}")]
    Refused {
        /// The directory to mount on.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A mount option isn't known.
    #[error("the mount option {0:?} isn't known")]
    UnknownOption(String),
    /// The connection to the kernel broke.
    #[error("the mount on {directory} broke: {source}")]
    Broken {
        /// The directory of the mount.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It can't be unmounted.
    #[error(
        "can't unmount {directory}: {source}; end the programs that use it, or use: fusermount3 -uz {directory}"
    )]
    NotUnmounted {
        /// The directory of the mount.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
