//! Keeps the results of cells in a file, so that a long run can be continued, and only failed cells tried again.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write as _,
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{
    cell::{Requests, Tried},
    judge::{Failure, Verdict, What},
};

/// Results of earlier runs, by the names of cells, and the file for those of this run.
pub(crate) struct Results {
    former: BTreeMap<String, Tried>,
    file: Option<Mutex<File>>,
}

impl Results {
    /// Reads a file of results and opens it for more; without one, nothing is known and nothing kept. Failed cells are
    /// forgotten if they are to be tried again.
    ///
    /// # Errors
    /// The file can't be read or written.
    pub(crate) fn open(path: Option<&Path>, again: bool) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self { former: BTreeMap::new(), file: None }) };
        let text = if path.exists() { fs::read_to_string(path)? } else { String::new() };
        let mut former = BTreeMap::new();
        for line in text.lines() {
            let value: Value = serde_json::from_str(line).context("a line of the results can't be read")?;
            let (name, tried) = read(&value).context("a line of the results lacks something")?;
            // A later line counts.
            former.insert(name, tried);
        }
        if again {
            former.retain(|_, tried| !matches!(tried.verdict, Verdict::Failed(_)));
        }
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Self { former, file: Some(Mutex::new(file)) })
    }

    /// Returns the earlier result of a cell.
    pub(crate) fn former(&self, name: &str) -> Option<&Tried> {
        self.former.get(name)
    }

    /// Keeps the result of a cell.
    ///
    /// # Errors
    /// The file can't be written.
    pub(crate) fn keep(&self, name: &str, tried: &Tried) -> anyhow::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let line = format!("{}\n", written(name, tried));
        Ok(file.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes())?)
    }
}

fn written(name: &str, tried: &Tried) -> Value {
    let failures: Vec<_> = match &tried.verdict {
        Verdict::Failed(failures) => {
            failures.iter().map(|failure| json!([failure.what.name(), failure.told])).collect()
        }
        _ => Vec::new(),
    };
    json!({
        "cell": name,
        "verdict": tried.verdict.word(),
        "failures": failures,
        "calls": tried.requests.calls,
        "node": tried.requests.node,
        "milliseconds": u64::try_from(tried.time.as_millis()).unwrap_or(u64::MAX),
    })
}

fn read(value: &Value) -> Option<(String, Tried)> {
    let failures: Option<Vec<Failure>> = value["failures"]
        .as_array()?
        .iter()
        .map(|failure| {
            let what = What::ALL.into_iter().find(|what| Some(what.name()) == failure[0].as_str())?;
            Some(Failure { what, told: failure[1].as_str()?.to_owned() })
        })
        .collect();
    let failures = failures?;
    let verdict = if failures.is_empty() {
        let plain = [Verdict::Once, Verdict::Retried, Verdict::NothingDone, Verdict::PartDone];
        plain.into_iter().find(|verdict| Some(verdict.word().as_str()) == value["verdict"].as_str())?
    } else {
        Verdict::Failed(failures)
    };
    let requests = Requests { calls: value["calls"].as_u64()?, node: value["node"].as_u64()? };
    let time = Duration::from_millis(value["milliseconds"].as_u64()?);
    Some((value["cell"].as_str()?.to_owned(), Tried { verdict, requests, time, stderr: String::new() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_read_as_they_were_written_and_failures_can_be_tried_again() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("results");
        let tried = |verdict| Tried {
            verdict,
            requests: Requests { calls: 3, node: 4 },
            time: Duration::from_millis(5),
            stderr: String::new(),
        };
        let failed = Verdict::Failed(vec![Failure { what: What::Double, told: "twice".to_owned() }]);
        let results = Results::open(Some(&path), false).unwrap();
        results.keep("one", &tried(Verdict::Retried)).unwrap();
        results.keep("two", &tried(failed.clone())).unwrap();
        let read = Results::open(Some(&path), false).unwrap();
        assert_eq!(read.former("one").unwrap().verdict, Verdict::Retried);
        assert_eq!(read.former("two").unwrap().verdict, failed);
        assert_eq!(read.former("one").unwrap().requests.node, 4);
        assert!(Results::open(Some(&path), true).unwrap().former("two").is_none());
    }
}
