//! Decrypts files as they are read.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use fichier_storage::{ByteRange, ByteStream, FileReader, RemotePath, Result, StorageError};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::OnceCell;

use super::{
    content::{
        BLOCK, BadBlock, ContentKey, HEADER, Nonce, SEALED_BLOCK, as_usize, sealed_offset, sealed_size,
    },
    gather::{GROUP_BLOCKS, Gatherer, JOBS, work},
};

/// A file that is decrypted as it is read. Its header is read once.
#[derive(Debug)]
pub(super) struct OpenedFile {
    key: ContentKey,
    inner: Arc<dyn FileReader>,
    path: RemotePath,
    /// Number of plain bytes.
    size: u64,
    /// Whether bad blocks become zeros.
    pass_bad_blocks: bool,
    nonce: OnceCell<Nonce>,
}

impl OpenedFile {
    pub(super) fn new(
        key: ContentKey,
        inner: Arc<dyn FileReader>,
        (path, size): (RemotePath, u64),
        pass_bad_blocks: bool,
    ) -> Self {
        Self { key, inner, path, size, pass_bad_blocks, nonce: OnceCell::new() }
    }

    fn nonce_of(&self, header: &[u8]) -> Result<Nonce> {
        Nonce::of_header(header).ok_or_else(|| StorageError::Undecryptable {
            path: self.path.clone(),
            reason: "it doesn't begin as an encrypted file does".into(),
        })
    }

    /// Returns the file's nonce, when a range beyond its first block is asked for.
    async fn nonce(&self) -> Result<Nonce> {
        let header = async {
            let range = ByteRange { start: 0, end: Some(HEADER) };
            let header = Gatherer::new(self.inner.stream(range).await?).take(as_usize(HEADER)).await?;
            self.nonce_of(&header)
        };
        self.nonce.get_or_try_init(|| header).await.copied()
    }
}

/// State of a stream of stored blocks.
struct Reading {
    source: Gatherer,
    /// Number of the next block.
    block: u64,
    /// Number of stored bytes still to come.
    left: u64,
}

#[async_trait]
impl FileReader for OpenedFile {
    async fn stream(&self, range: ByteRange) -> Result<ByteStream> {
        let end = range.end.unwrap_or(self.size).min(self.size);
        if range.start >= end && (self.size > 0 || range.start > 0) {
            return Ok(stream::empty().boxed());
        }
        let first = range.start / BLOCK;
        let stop = sealed_size(self.size).min(sealed_offset(end.div_ceil(BLOCK)));
        // The header comes before the first block.
        let with_header = first == 0 && !self.nonce.initialized();
        let nonce = if with_header { None } else { Some(self.nonce().await?) };
        let start = if with_header { 0 } else { sealed_offset(first) };
        // A request for all of the stored file is made as such, so that the inner remote can choose the best way.
        let whole = start == 0 && stop == sealed_size(self.size);
        let stored = if whole { ByteRange::WHOLE } else { ByteRange { start, end: Some(stop) } };
        let mut source = Gatherer::new(self.inner.stream(stored).await?);
        let nonce = match nonce {
            Some(nonce) => nonce,
            None => {
                let nonce = self.nonce_of(&source.take(as_usize(HEADER)).await?)?;
                // Another reader may have read it meanwhile; it is the same.
                let _known = self.nonce.set(nonce);
                nonce
            }
        };
        let reading = Reading { source, block: first, left: stop - sealed_offset(first) };
        let opened = self.blocks(reading, nonce);
        let within = Within { skip: range.start - first * BLOCK, left: end - range.start };
        Ok(within.cut(opened).boxed())
    }

    async fn prepare(&self) {
        self.inner.prepare().await;
    }
}

impl OpenedFile {
    /// Opens the blocks, several groups at once.
    fn blocks(
        &self,
        reading: Reading,
        nonce: Nonce,
    ) -> impl futures::Stream<Item = Result<Vec<Bytes>>> + Send + use<> {
        let (key, path, pass) = (self.key.clone(), self.path.clone(), self.pass_bad_blocks);
        let (expected, at) = (sealed_size(self.size), path.clone());
        let groups = stream::try_unfold(reading, move |mut reading| {
            let path = at.clone();
            async move {
                let wanted = reading.left.min(GROUP_BLOCKS * SEALED_BLOCK);
                if wanted == 0 {
                    return Ok(None);
                }
                let sealed = reading.source.take(as_usize(wanted)).await?;
                if (sealed.len() as u64) < wanted {
                    let actual = expected - (reading.left - sealed.len() as u64);
                    return Err(StorageError::SizeMismatch { path, expected, actual });
                }
                let first = reading.block;
                reading.block += GROUP_BLOCKS;
                reading.left -= wanted;
                Ok(Some(((first, sealed), reading)))
            }
        });
        groups
            .map_ok(move |(first, sealed)| {
                let (key, path) = (key.clone(), path.clone());
                async move {
                    let size = sealed.len();
                    let tell = path.clone();
                    let open = move || {
                        let bad = |BadBlock(block): BadBlock| {
                            tracing::error!(path = %tell, block, "This block can't be decrypted: zeros stand for it");
                        };
                        key.open(nonce, first, sealed, pass.then_some(&bad as &dyn Fn(BadBlock)))
                    };
                    work(size, open).await?.map_err(|BadBlock(block)| StorageError::Undecryptable {
                        path,
                        reason: format!(
                            "block {block} isn't what was encrypted with this password: the file is damaged, or the \
                             password is another"
                        ),
                    })
                }
            })
            .try_buffered(*JOBS)
    }
}

/// Range of the bytes of the blocks that is wanted.
struct Within {
    skip: u64,
    left: u64,
}

impl Within {
    fn cut(
        mut self,
        blocks: impl futures::Stream<Item = Result<Vec<Bytes>>> + Send,
    ) -> impl futures::Stream<Item = Result<Bytes>> + Send {
        let pieces = blocks.map_ok(|blocks| stream::iter(blocks.into_iter().map(Ok))).try_flatten();
        pieces
            .map_ok(move |mut piece: Bytes| {
                let skipped = self.skip.min(piece.len() as u64);
                self.skip -= skipped;
                piece = piece.slice(as_usize(skipped)..);
                piece.truncate(as_usize(self.left.min(piece.len() as u64)));
                self.left -= piece.len() as u64;
                piece
            })
            .try_filter(|piece| std::future::ready(!piece.is_empty()))
    }
}
