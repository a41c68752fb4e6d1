//! Checks of removing files.

use crate::Outcome;

use super::subject::{Checked, Subject};

pub(super) async fn files_are_removed_each_with_its_outcome(subject: Subject) -> Checked {
    let names: Vec<String> = (0..250).map(|number| format!("f{number:03}")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), name.as_bytes())).collect();
    let stored = subject.put("", &files).await?;
    subject.put_one("", "kept", b"not in the batch").await?;
    let gone = &stored[120];
    for outcome in subject.remove(std::slice::from_ref(gone)).await? {
        ensure!(matches!(outcome, Outcome::Done(())), "removing one file came to {outcome:?}");
    }
    let outcomes = subject.remove(&stored).await?;
    for (file, outcome) in stored.iter().zip(&outcomes) {
        let expected = if file == gone {
            matches!(outcome, Outcome::DoneBefore(()))
        } else {
            matches!(outcome, Outcome::Done(()))
        };
        ensure!(expected, "removing {:?} came to {outcome:?}", file.path);
    }
    subject.holds("", &["kept"]).await?;
    subject.is_file("kept", b"not in the batch").await?;
    Ok(())
}

pub(super) async fn removing_twice_is_no_failure(subject: Subject) -> Checked {
    let file = subject.put_one("", "a", b"once").await?;
    let outcomes = subject.remove(std::slice::from_ref(&file)).await?;
    ensure!(matches!(outcomes[..], [Outcome::Done(())]), "removing came to {outcomes:?}");
    let outcomes = subject.remove(&[file]).await?;
    ensure!(matches!(outcomes[..], [Outcome::DoneBefore(())]), "removing again came to {outcomes:?}");
    subject.holds("", &[]).await
}
