//! Carries out the plans for groups of duplicates: all removals in one list, then the messages.

use std::collections::VecDeque;

use fichier_storage::{File, Name, Relocation};

use crate::events::Event;

use super::{
    Dedupe,
    group::{Duplicate, Plan, Resolution},
};

impl Dedupe<'_> {
    /// Carries out plans for groups.
    pub(super) async fn settle(&mut self, plans: Vec<Plan>) {
        // A user who watches wants to know what is done before it is.
        let single = plans.len() == 1;
        // A dry run says of each file what would happen to it, and never that it was done.
        let real = self.stats.dry_run().is_none();
        if let ([plan], true) = (&plans[..], single) {
            announce(plan, real);
        }
        let going: Vec<Duplicate> = plans.iter().flat_map(Plan::going).collect();
        let files: Vec<File> = going.iter().map(|copy| copy.file.clone()).collect();
        let outcomes = if files.is_empty() { Vec::new() } else { self.target.remote.remove(&files).await };
        let mut results: VecDeque<_> =
            going.into_iter().zip(outcomes.into_iter().map(fichier_storage::Outcome::into_result)).collect();
        for plan in plans {
            if !single {
                announce(&plan, real);
            }
            let mut left = 0;
            for identical in &plan.identical {
                let gone = self.take_results(&mut results, identical.extra.len());
                left += identical.extra.len() - gone;
            }
            let label = plan.duplicates.label;
            match plan.then {
                Resolution::Nothing | Resolution::Ask if plan.rest.len() < 2 => {
                    if left == 0 && real {
                        tracing::warn!(path = label, "All duplicates removed");
                    }
                }
                Resolution::Nothing | Resolution::Ask => {}
                Resolution::Skip => {
                    let what = if plan.duplicates.by_hash { "whirlpool hashes" } else { "names" };
                    tracing::warn!(path = label, "Skipping {} files with duplicate {what}", plan.rest.len());
                }
                Resolution::Keep(_) => {
                    let gone = self.take_results(&mut results, plan.rest.len() - 1);
                    if gone > 0 && real {
                        tracing::warn!(path = label, "Deleted {gone} extra copies");
                    }
                }
                Resolution::Rename(names) => self.rename(&plan.rest, names).await,
            }
        }
    }

    /// Records the results of the next removals; says how many were done.
    fn take_results(
        &mut self,
        results: &mut VecDeque<(Duplicate, fichier_storage::Result<()>)>,
        count: usize,
    ) -> usize {
        let mut gone = 0;
        for (copy, result) in results.drain(..count.min(results.len())).collect::<Vec<_>>() {
            match result {
                Ok(()) => {
                    self.stats.note(&copy.shown, &Event::Deleted(&copy.file));
                    gone += 1;
                }
                Err(error) => self.fail(&copy.file.path, error),
            }
        }
        gone
    }

    async fn rename(&mut self, copies: &[Duplicate], names: Vec<Name>) {
        let steps: Vec<_> = copies
            .iter()
            .zip(names)
            .filter_map(|(copy, name)| {
                let to = copy.file.path.parent()?.join(&name);
                Some(Relocation { from: copy.file.clone(), to, replaces: Vec::new() })
            })
            .collect();
        let outcomes = self.target.remote.rename(&steps).await;
        for (step, outcome) in steps.iter().zip(outcomes) {
            match outcome.into_result() {
                Ok(file) => {
                    let (from, to) = (self.shown(&step.from.path), self.shown(&step.to));
                    self.stats.note(&to, &Event::Renamed { file: &file, from: &from });
                }
                Err(error) => self.fail(&step.from.path, error),
            }
        }
    }
}

/// Says what was found, and which files are removed without a question.
fn announce(plan: &Plan, real: bool) {
    if plan.announced {
        return;
    }
    plan.duplicates.announce();
    for identical in plan.identical.iter().filter(|_| real) {
        let (extra, of, sum) = (identical.extra.len(), identical.of, identical.sum);
        tracing::warn!(
            path = plan.duplicates.label,
            "Deleting {extra}/{of} identical duplicates (whirlpool {sum})"
        );
    }
}
