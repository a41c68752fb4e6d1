//! Checks of how old an answer may be.

use std::time::Duration;

use crate::{Freshness, Listing, RemotePath};

use super::subject::{Checked, Subject, shown};

/// All ages, from whatever is known to what was learned just now.
const AGES: [Freshness; 4] = [
    Freshness::Known,
    Freshness::Within(Duration::from_secs(3600)),
    Freshness::Within(Duration::ZERO),
    Freshness::SinceStart,
];

async fn holds_at(subject: &Subject, age: Freshness, folder: &RemotePath, expected: &[&str]) -> Checked {
    let listing = subject.remote.list(folder, age).await;
    let Listing { entries, gaps, .. } =
        listing.map_err(|error| format!("listing at {age:?} failed: {error}"))?;
    ensure!(gaps.is_empty(), "listing at {age:?} has gaps: {gaps:?}");
    let seen = shown(&entries);
    ensure!(seen == expected, "at {age:?} there is {seen:?} instead of {expected:?}");
    Ok(())
}

pub(super) async fn what_was_done_is_known_at_any_age(subject: Subject) -> Checked {
    let folder = subject.path("")?;
    let kept = subject.put_one("", "kept", b"bytes").await?;
    let gone = subject.put_one("", "gone", b"other bytes").await?;
    for age in AGES {
        holds_at(&subject, age, &folder, &["gone", "kept"]).await?;
    }
    for outcome in subject.remove(std::slice::from_ref(&gone)).await? {
        outcome.into_result().map_err(|error| format!("removing failed: {error}"))?;
    }
    for age in AGES {
        holds_at(&subject, age, &folder, &["kept"]).await?;
        let found = subject.remote.find(&kept.path, age).await;
        ensure!(found.is_ok(), "finding at {age:?} came to {found:?}");
        let found = subject.remote.find(&gone.path, age).await;
        ensure!(found.is_err(), "finding what is gone at {age:?} came to {found:?}");
    }
    Ok(())
}

pub(super) async fn what_is_forgotten_is_looked_at_again(subject: Subject) -> Checked {
    let folder = subject.path("")?;
    subject.put_one("", "file", b"bytes").await?;
    subject.put_one("below", "file", b"bytes").await?;
    for age in AGES {
        subject.remote.forget(&folder);
        holds_at(&subject, age, &folder, &["below/", "file"]).await?;
    }
    subject.remote.forget(&subject.path("below")?);
    subject.remote.forget(&subject.path("never/there")?);
    holds_at(&subject, Freshness::Known, &subject.path("below")?, &["file"]).await?;
    subject.is_file("below/file", b"bytes").await?;
    Ok(())
}
