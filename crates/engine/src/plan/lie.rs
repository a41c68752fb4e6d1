//! Determines whether one of two places lies in the other.

use fichier_storage::{Location, PlaceId, RemotePath, Result};

/// Position of a run's destination relative to its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Neither place holds the other.
    Apart,
    /// Both places are one folder, or one file.
    Same,
    /// The source holds the destination, at this path.
    DestinationInside(RemotePath),
    /// The destination holds the source, at this path.
    SourceInside(RemotePath),
}

impl Lie {
    /// Returns the position of one place relative to another.
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

    /// Returns the position of one folder relative to another.
    pub(crate) async fn between(source: &Location, destination: &Location) -> Result<Self> {
        if !source.remote.info().may_share_folders_with(destination.remote.info()) {
            return Ok(Self::Apart);
        }
        Ok(Self::of(&source.place().await?, &destination.place().await?))
    }
}
