//! How two places lie to each other.

use fichier_storage::{Location, PlaceId, RemotePath, Result};

/// How the destination of a run lies to its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Neither holds the other.
    Apart,
    /// Both are one folder, or one file.
    Same,
    /// The source holds the destination, at this path.
    DestinationInside(RemotePath),
    /// The destination holds the source, at this path.
    SourceInside(RemotePath),
}

impl Lie {
    /// Returns how two places lie to each other.
    pub(crate) fn of(source: &PlaceId, destination: &PlaceId) -> Self {
        if source == destination {
            Self::Same
        } else if let Some(path) = destination.relative_to(source) {
            Self::DestinationInside(path)
        } else if let Some(path) = source.relative_to(destination) {
            Self::SourceInside(path)
        } else {
            Self::Apart
        }
    }

    /// Returns how two folders lie to each other.
    pub(crate) async fn between(source: &Location, destination: &Location) -> Result<Self> {
        if !source.remote.info().may_share_folders_with(destination.remote.info()) {
            return Ok(Self::Apart);
        }
        Ok(Self::of(&source.place().await?, &destination.place().await?))
    }
}
