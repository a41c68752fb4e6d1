//! The numbers that the kernel is told for errors.

use fichier_vfs::{Errno, VfsError};

/// Returns the number for an error, and writes those into the log that nobody expects.
pub(crate) fn number(error: &VfsError) -> fuser::Errno {
    let errno = error.errno();
    match errno {
        Errno::Io | Errno::NoSpace | Errno::AccessDenied | Errno::Stale => tracing::error!("{error}"),
        _ => tracing::debug!("{error}"),
    }
    match errno {
        Errno::NotFound => fuser::Errno::ENOENT,
        Errno::Exists => fuser::Errno::EEXIST,
        Errno::IsFolder => fuser::Errno::EISDIR,
        Errno::NotFolder => fuser::Errno::ENOTDIR,
        Errno::NotEmpty => fuser::Errno::ENOTEMPTY,
        Errno::Busy => fuser::Errno::EBUSY,
        Errno::Invalid => fuser::Errno::EINVAL,
        Errno::NameTooLong => fuser::Errno::ENAMETOOLONG,
        Errno::ReadOnly => fuser::Errno::EROFS,
        Errno::BadHandle => fuser::Errno::EBADF,
        Errno::Stale => fuser::Errno::ESTALE,
        Errno::NoSpace => fuser::Errno::ENOSPC,
        Errno::AccessDenied => fuser::Errno::EACCES,
        Errno::NotPermitted => fuser::Errno::EPERM,
        Errno::NotSupported => fuser::Errno::EOPNOTSUPP,
        Errno::NoData => fuser::Errno::NO_XATTR,
        Errno::NoSeek => fuser::Errno::ESPIPE,
        Errno::TooLarge => fuser::Errno::EFBIG,
        Errno::CrossDevice => fuser::Errno::EXDEV,
        Errno::Interrupted => fuser::Errno::EINTR,
        _ => fuser::Errno::EIO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_the_numbers_of_the_system() {
        for (error, expected) in [
            (VfsError::NotFound("x".into()), fuser::Errno::ENOENT),
            (VfsError::NotEmpty("x".into()), fuser::Errno::ENOTEMPTY),
            (VfsError::ReadOnly, fuser::Errno::EROFS),
            (VfsError::NoAttribute("user.x".into()), fuser::Errno::NO_XATTR),
            (VfsError::CrossDevice("x".into()), fuser::Errno::EXDEV),
            (VfsError::WrongBytes("x".into()), fuser::Errno::EIO),
            (VfsError::Root, fuser::Errno::EBUSY),
            (VfsError::ShutDown, fuser::Errno::EINTR),
        ] {
            assert_eq!(number(&error), expected, "{error}");
        }
    }
}
