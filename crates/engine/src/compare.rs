//! Whether two files are the same: sizes first, checksums where sizes agree.

use std::sync::Arc;

use futures::StreamExt;

use fichier_storage::{ByteRange, File, HashStream, Remote, Result, StorageError, Whirlpool};

/// How files are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Comparison {
    /// By size and Whirlpool: exact. 1Fichier lists the checksum at no cost.
    #[default]
    Exact,
    /// By size alone.
    SizeOnly,
}

/// The checksum of a file: as listed, or computed by reading it.
///
/// # Errors
/// The file can't be read.
pub async fn checksum(remote: &dyn Remote, file: &File) -> Result<Whirlpool> {
    if let Some(known) = file.whirlpool {
        return Ok(known);
    }
    let bytes = remote.read(file, ByteRange::WHOLE).await?;
    let (mut hashed, sum) = HashStream::new(bytes, file.size);
    while let Some(chunk) = hashed.next().await {
        chunk?;
    }
    sum.await.map(|(_, sum)| sum).map_err(|_| StorageError::Canceled)
}

/// Whether `left` and `right` hold the same bytes, as far as `comparison` looks.
///
/// # Errors
/// A checksum was needed, and a file couldn't be read.
pub async fn same(
    comparison: Comparison,
    (left_remote, left): (&Arc<dyn Remote>, &File),
    (right_remote, right): (&Arc<dyn Remote>, &File),
) -> Result<bool> {
    if left.size != right.size {
        return Ok(false);
    }
    match comparison {
        Comparison::SizeOnly => Ok(true),
        Comparison::Exact => {
            let right = checksum(&**right_remote, right).await?;
            Ok(checksum(&**left_remote, left).await? == right)
        }
    }
}
