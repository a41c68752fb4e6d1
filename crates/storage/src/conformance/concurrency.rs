//! Checks with several tasks at once.

use futures::future::try_join_all;

use super::subject::{Checked, Subject, noise};

const TASKS: usize = 8;

/// Runs a job in several tasks at once and waits for all of them.
async fn at_once<F>(subject: &Subject, job: impl Fn(Subject, usize) -> F) -> Checked
where
    F: Future<Output = Checked> + Send + 'static,
{
    let tasks = (0..TASKS).map(|number| tokio::spawn(job(subject.clone(), number)));
    let results = try_join_all(tasks).await.map_err(|error| format!("a task failed: {error}"))?;
    results.into_iter().collect()
}

pub(super) async fn tasks_share_a_new_folder(subject: Subject) -> Checked {
    at_once(&subject, |subject, task| async move {
        let bytes = noise(1000 * (task + 1));
        let names = [format!("{task}-a"), format!("{task}-b"), format!("{task}-c")];
        let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &bytes[..])).collect();
        subject.put("new/shared", &files).await?;
        Ok(())
    })
    .await?;
    subject.holds("", &["new/"]).await?;
    subject.holds("new", &["shared/"]).await?;
    let expected: Vec<String> =
        (0..TASKS).flat_map(|task| ["a", "b", "c"].map(|part| format!("{task}-{part}"))).collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    subject.holds("new/shared", &expected).await?;
    subject.is_file("new/shared/7-c", &noise(8000)).await?;
    Ok(())
}

pub(super) async fn tasks_make_the_same_folders(subject: Subject) -> Checked {
    at_once(&subject, |subject, task| async move {
        let batch = [subject.path("a/b/same")?, subject.path(&format!("a/own-{task}"))?];
        for outcome in subject.make_folders(&batch).await? {
            outcome.into_result().map_err(|error| format!("making folders at once failed: {error}"))?;
        }
        Ok(())
    })
    .await?;
    subject.holds("", &["a/"]).await?;
    subject.holds("a/b", &["same/"]).await?;
    let mut expected = vec!["b/".to_owned()];
    expected.extend((0..TASKS).map(|task| format!("own-{task}/")));
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    subject.holds("a", &expected).await
}

pub(super) async fn listing_while_writing_shows_whole_files(subject: Subject) -> Checked {
    let bytes = noise(200_000);
    subject.put_one("busy", "first", &bytes).await?;
    at_once(&subject, |subject, task| {
        let bytes = bytes.clone();
        async move {
            if task % 2 == 0 {
                subject.put_one("busy", &format!("file-{task}"), &bytes).await?;
            } else {
                for entry in subject.list("busy").await? {
                    let Some(file) = entry.as_file() else { continue };
                    // A file that is being written may show under a temporary name, but never under the final one.
                    let name = entry.name().map(|name| name.to_string()).unwrap_or_default();
                    let whole = file.size == bytes.len() as u64 || name.ends_with(".partial");
                    ensure!(whole, "{name:?} is listed with {} bytes while it is written", file.size);
                }
            }
            Ok(())
        }
    })
    .await?;
    subject.holds("busy", &["file-0", "file-2", "file-4", "file-6", "first"]).await
}
