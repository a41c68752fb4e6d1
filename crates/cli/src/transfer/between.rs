//! Shared code of `copy`, `copyto`, `sync`, `move` and `moveto`: they bring files from one place to another.

use fichier_engine::RunOptions;
use fichier_storage::{Entry, Location, RemoteExt};

use super::{AfterFlags, ListFlags, carry_out, run_options};
use crate::{
    context::Context,
    exit::Failure,
    filtering::refuse_single_file,
    session::{Purpose, Source, refuse_folder},
};

/// The commands that bring files from one place to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Between {
    Copy,
    CopyTo,
    Sync,
    Move { delete_empty_source_folders: bool },
    MoveTo,
}

impl Between {
    fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::CopyTo => "copyto",
            Self::Sync => "sync",
            Self::Move { .. } => "move",
            Self::MoveTo => "moveto",
        }
    }

    /// Returns whether the destination is the path of a file, if the source is one.
    fn destination(self) -> Purpose {
        match self {
            Self::Copy | Self::Sync | Self::Move { .. } => Purpose::Look,
            Self::CopyTo | Self::MoveTo => Purpose::Change,
        }
    }

    fn source(self) -> Source {
        match self {
            Self::Copy | Self::CopyTo | Self::Sync => Source::Stays,
            Self::Move { .. } | Self::MoveTo => Source::Goes,
        }
    }

    fn deletes_empty_source_folders(self) -> bool {
        match self {
            Self::Copy | Self::CopyTo | Self::Sync | Self::MoveTo => false,
            Self::Move { delete_empty_source_folders } => delete_empty_source_folders,
        }
    }

    /// Keeps other runs away from the destination: from the folder, or from the one file that is stored there. Nothing
    /// is looked up there before, since another run may be changing it.
    async fn claim(self, [from, to]: [&Location; 2], context: &Context<'_>) -> anyhow::Result<()> {
        if !context.session.must_claim(to) {
            return Ok(());
        }
        let mut place = to.clone();
        if self.destination() == Purpose::Look
            && !from.remote.info().features.networked
            && let Ok(Entry::File(file)) = from.remote.entry(&from.path).await
            && let Some(name) = file.path.name()
        {
            place.path = place.path.join(&name);
        }
        context.session.claim(&place).await
    }

    /// Carries the command out, from the first path to the second.
    ///
    /// # Errors
    /// Source or destination can't be opened, the run couldn't begin, or something in it failed.
    pub(crate) async fn run(
        self,
        ends: [&str; 2],
        (lists, after): (&ListFlags, &AfterFlags),
        context: &mut Context<'_>,
    ) -> anyhow::Result<()> {
        let [from, to] = context.session.open_ends(ends, self.destination(), self.source()).await?;
        self.claim([&from, &to], context).await?;
        if self.destination() == Purpose::Change {
            refuse_single_file(context.settings, &from).await?;
            // A single file gets exactly the path that was typed.
            if let Ok(Entry::File(_)) = from.remote.entry(&from.path).await {
                refuse_folder(ends[1])?;
                context.session.refuse_linked_folder(ends[1])?;
            }
        }
        if self == Self::Sync && context.settings.transfer.rules.unseen_destination {
            return Err(Failure::usage("can't use --no-check-dest with sync: use copy instead").into());
        }
        let options = RunOptions {
            delete_empty_source_folders: self.deletes_empty_source_folders(),
            ..run_options(context, &to).await?
        };
        // As rclone says it.
        if self != Self::Sync && context.settings.transfer.track_renames {
            tracing::warn!("Ignoring --track-renames as it doesn't work with copy or move, only sync");
        }
        let after = after.open(&to)?;
        let result = carry_out(context, self.name(), lists, |stats, stop| async move {
            match self {
                Self::Copy => fichier_engine::copy(&from, &to, &options, &stats, &stop).await,
                Self::CopyTo => fichier_engine::copy_to(&from, &to, &options, &stats, &stop).await,
                Self::Sync => fichier_engine::sync(&from, &to, &options, &stats, &stop).await,
                Self::Move { .. } => fichier_engine::move_into(&from, &to, &options, &stats, &stop).await,
                Self::MoveTo => fichier_engine::move_to(&from, &to, &options, &stats, &stop).await,
            }
        })
        .await;
        if let Some(after) = after {
            // If the run failed, that error counts: a list that fails for the same reason says nothing new.
            let written = after.write(context).await;
            return result.and(written);
        }
        result
    }
}
