//! Checks of where paths lie.

use crate::PlaceId;

use super::subject::{Checked, Subject};

pub(super) async fn each_path_is_a_place_of_its_own(subject: Subject) -> Checked {
    subject.put_one("a/b", "file", b"bytes").await?;
    subject.put_one("ab", "file", b"bytes").await?;
    let mut places = Vec::new();
    for path in ["", "a", "a/b", "ab", "new", "a/new/deep"] {
        let path = subject.path(path)?;
        let place = subject.remote.place(&path).await;
        places.push((path, place.map_err(|error| format!("the place of a folder isn't known: {error}"))?));
    }
    for (path, place) in &places {
        for (other, other_place) in &places {
            let (same, within) = (place == other_place, place.is_within(other_place));
            ensure!(same == (path == other), "{path:?} and {other:?}: one place is {same}");
            ensure!(within == path.is_within(other), "{path:?} within {other:?} is {within}");
        }
        let root: &PlaceId = &subject.remote.info().place;
        let below = place.relative_to(root);
        // The root may not have been there when the remote was opened.
        ensure!(
            below.as_ref().is_none_or(|below| below == path),
            "{path:?} lies at {below:?} below the root"
        );
    }
    Ok(())
}
