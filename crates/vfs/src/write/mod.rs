//! What is written: into data files at once, and to the service later.

pub(crate) mod batch;
mod outcome;
pub(crate) mod queue;
pub(crate) mod recovery;
mod room;
pub(crate) mod sender;
pub(crate) mod sizes;
mod uploads;
mod working;
