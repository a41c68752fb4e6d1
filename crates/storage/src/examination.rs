//! What a service does that its documentation doesn't tell, found out by trying it on an account.

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::Result;

/// A remote that finds out how its service behaves where that isn't documented.
#[async_trait]
pub trait Examine: std::fmt::Debug + Send + Sync {
    /// Returns the calls that an examination makes when nothing unexpected happens, in their order.
    fn planned_calls(&self) -> Vec<PlannedCall>;

    /// Tries out what isn't known, in a folder of its own that is removed at the end, and keeps the answers for later
    /// runs. Begins nothing new once `stop` is cancelled.
    ///
    /// # Errors
    /// Nothing could be tried at all, as with a wrong key.
    async fn examine(&self, stop: &CancellationToken) -> Result<Examination>;
}

/// A call that an examination makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedCall {
    /// Name of the call, as the service has it.
    pub call: &'static str,
    /// What it is for.
    pub purpose: &'static str,
}

/// What an examination found out. It holds nothing that belongs to the account: no name, link, address or key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Examination {
    /// Every question, in a fixed order.
    pub findings: Vec<Finding>,
    /// How many calls were made to the service's API.
    pub calls: u64,
    /// How many requests were made to the machines that hold the files.
    pub requests_to_nodes: u64,
    /// Whether it was the service itself that was asked, and not something in its place.
    pub of_the_service: bool,
    /// Why it ended before all was asked.
    pub ended_early: Option<String>,
    /// What couldn't be removed at its end.
    pub left_behind: Option<String>,
}

/// One question about a service, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Short name of the question, the same in every report.
    pub id: &'static str,
    /// The question.
    pub question: &'static str,
    /// What was found out.
    pub answer: FoundOut,
}

/// What was found out about a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundOut {
    /// The answer is known.
    Answer {
        /// Answer in a word or a few, for programs.
        value: String,
        /// What was seen, in a sentence.
        seen: String,
    },
    /// The question is still open.
    Open {
        /// Why it is.
        why: String,
        /// Whether a later run may settle it.
        later: bool,
    },
}

impl Examination {
    /// Returns how many questions are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.findings.iter().filter(|finding| matches!(finding.answer, FoundOut::Open { .. })).count()
    }

    /// Checks whether a later run may find out more, or has to tidy up.
    #[must_use]
    pub fn is_worth_repeating(&self) -> bool {
        let later = |finding: &Finding| matches!(finding.answer, FoundOut::Open { later: true, .. });
        self.ended_early.is_some() || self.left_behind.is_some() || self.findings.iter().any(later)
    }
}
