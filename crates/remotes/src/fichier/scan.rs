//! Scans for viruses, which the service makes (API document, section 5: `file/scan`).

use fichier_api::shown;
use fichier_storage::{Blame, File, Result, Retry, Scan, ScanVerdict, StorageError};

use super::{FichierRemote, error::failed, link_of};

/// Larger files aren't scanned (API document, section 5: below 5 GB).
const LARGEST: u64 = 5_000_000_000;

/// Words of answers that say that nothing was found. The document has none, so they are looked for in what other
/// scanners say; the more special ones come first.
const CLEAN: [&str; 6] = ["no threat", "no virus", "no malware", "not infected", "nothing found", "aucun"];

/// Words that say so when they stand alone.
const CLEAN_ALONE: [&str; 3] = ["clean", "ok", "safe"];

/// Words of answers that say that something was found.
const INFECTED: [&str; 6] = ["infect", "virus", "threat", "malware", "trojan", "menace"];

impl FichierRemote {
    /// Has a file scanned. One that is found infected is removed by the service.
    pub(super) async fn scan_for_viruses(&self, file: &File) -> Result<Scan> {
        let link = link_of(file)?;
        let action = "scan";
        if file.size >= LARGEST {
            return Err(StorageError::Service {
                action: format!("{action} {:?}", self.info.shown(&file.path)),
                retry: Retry::Useless,
                blame: Blame::User,
                hint: None,
                source: "the service scans files below 5 GB only".into(),
            });
        }
        let answer = match self.client.because("scan for viruses").scan_file(link).await {
            Ok(answer) => answer,
            Err(error) if error.is_not_found() => {
                return Err(StorageError::FileNotFound(file.path.clone()));
            }
            Err(error) => return Err(failed(action, &file.path, error)),
        };
        let mut verdict = verdict_of(&answer.message);
        // What is found infected is removed.
        if verdict != ScanVerdict::Clean && !self.is_there(link).await {
            verdict = ScanVerdict::Infected;
            self.tree.missed(&file.path);
        }
        Ok(Scan {
            verdict,
            message: shown(&answer.message),
            scanned_at: answer.date.map(|date| shown(&date.to_string())),
        })
    }
}

fn verdict_of(message: &str) -> ScanVerdict {
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let alone = message.trim_matches(|letter: char| !letter.is_alphanumeric());
    match (says(&CLEAN) || CLEAN_ALONE.contains(&alone), says(&INFECTED)) {
        (true, _) => ScanVerdict::Clean,
        (false, true) => ScanVerdict::Infected,
        (false, false) => ScanVerdict::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_words_of_a_scan_mean() {
        for (message, verdict) in [
            ("No threat found", ScanVerdict::Clean),
            ("Aucune menace", ScanVerdict::Clean),
            ("Clean", ScanVerdict::Clean),
            ("Infected: Eicar-Signature", ScanVerdict::Infected),
            ("Virus found: X", ScanVerdict::Infected),
            ("Scan in progress", ScanVerdict::Unclear),
            ("It couldn't be cleaned", ScanVerdict::Unclear),
            ("", ScanVerdict::Unclear),
        ] {
            assert_eq!(verdict_of(message), verdict, "{message}");
        }
    }
}
