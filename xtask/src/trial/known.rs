//! Defects that the proofs found and that aren't fixed yet. They are reported each time and appear in the tables. They
//! only don't end a run with an error, so that new ones aren't overlooked.

/// Known defects: a failure line that has all of these parts is this defect.
const KNOWN: &[(&[&str], &str)] = &[
    (&["file/mv done-refusal:404"], "the next move leaves an old version that this one had to remove"),
    (&["move-within file/rm", "double: after the next run"], "the next move leaves the old version"),
    (&["upload.cgi", "too many calls"], "uploads that fail for ever are looked for by too many listings"),
    (&["lag 60 s, and an answer is lost", "double: "], "listings that lag 60 s hide what was done"),
    (
        &["about user/info", "not completed"],
        "an answer that tells nothing of the account is kept for five minutes",
    ),
    (
        &["crash ", " 2 times, not 1"],
        "what was killed before it removed an old version isn't finished by copy and move",
    ),
    (&["crash ", ".partial, which should not be there"], "partial files of small files stay after a kill"),
    (
        &["crash move-folder", "new/near/"],
        "a folder that was moved and not yet renamed when its run was killed stays so",
    ),
];

/// Words of World::losses: these are never known, whatever else went wrong.
const LOSSES: [&str; 4] = ["lost", "neither", "nobody gave", "isn't whole"];

/// Returns the known defect of a failure, if there is one.
pub(crate) fn known(line: &str) -> Option<&'static str> {
    // A lost answer is a fault, not a loss.
    let rest = line.replace("lost-answer", "").replace("an answer is lost", "");
    if LOSSES.iter().any(|loss| rest.contains(loss)) {
        return None;
    }
    KNOWN.iter().find(|(parts, _)| parts.iter().all(|part| line.contains(part))).map(|(_, why)| *why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_known_by_all_of_its_parts() {
        assert!(known("- `move-within file/rm status:509 always`: double: after the next run …").is_some());
        assert!(known("crash copy-up killed after 9 ms: the account has far/f00 2 times, not 1").is_some());
        let lost = "crash copy-up killed after 9 ms: far/f00 of the account is lost; far/f01 2 times, not 1";
        assert!(known(lost).is_none());
        let lag = "`copy-up: listings lag 60 s, and an answer is lost`: double: d/a 2 times";
        assert!(known(lag).is_some());
    }
}
