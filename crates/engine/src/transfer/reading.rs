//! Files that a command reads itself, outside transfers, within the same rates and limits.

use std::sync::Arc;

use fichier_storage::{ByteRange, ByteStream, File, Remote, RemoteExt, Result};
use futures::StreamExt as _;

use crate::{
    Bandwidth, Limits,
    transfer::bandwidth::{Directions, Gates},
    transfer::limits::RunQuota,
};

/// Reads files that aren't transferred. One is shared by a whole run.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    bandwidth: Option<Bandwidth>,
    allowance: Arc<RunQuota>,
}

impl Reading {
    /// Makes a reader within a bandwidth and limits.
    #[must_use]
    pub fn new(bandwidth: Option<Bandwidth>, limits: Limits) -> Self {
        Self { bandwidth, allowance: Arc::new(RunQuota::new(limits)) }
    }

    /// Reads a part of a file.
    ///
    /// # Errors
    /// A limit is reached, or the errors of [`RemoteExt::read`].
    pub async fn open(&self, remote: &dyn Remote, file: &File, range: ByteRange) -> Result<ByteStream> {
        self.allowance.admit(range.length(file.size))?;
        let bytes = remote.read(file, range).await?;
        let Some(bandwidth) = self.bandwidth.clone() else { return Ok(bytes) };
        let ways = Directions { up: false, down: remote.info().features.networked };
        let gates = Gates::default();
        let slowed = bytes.then(move |chunk| {
            let length = chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
            let until = bandwidth.take(length, ways, &gates);
            async move {
                if let Some(until) = until {
                    tokio::time::sleep_until(until).await;
                }
                chunk
            }
        });
        Ok(slowed.boxed())
    }
}
