//! The 1Fichier service, imitated: an HTTP server that follows the API document.
//!
//! Where the document is unsure, the emulator takes the stricter reading, so that a client which pleases it has
//! a chance to please the service. It knows the service's limits ([`Limits`]), lies on demand ([`FaultSpec`]),
//! keeps its state in memory or in a directory ([`Storage`]), and serves unaltered clients through a proxy that
//! speaks TLS under the service's own host names ([`Builder::proxy`]).
//!
//! It shares no code with the client: what both understand of the document, they understand independently.

mod answer;
mod builder;
mod certificate;
mod checksum;
mod clock;
mod control;
mod control_http;
mod counters;
mod emulator;
mod endpoint;
mod error;
mod fault_book;
pub mod faults;
mod limits;
mod links;
mod log;
mod multipart;
mod names;
mod proxy;
mod server;
mod service;
mod state;
pub mod synthetic;

pub use builder::{Account, Builder, DEMO_KEY, FolderRename, Lists, MkdirExisting};
pub use checksum::Checksums;
pub use clock::Clock;
pub use control::{Control, SeedFile, Tree, TreeFile, TreeFolder};
pub use emulator::Emulator;
pub use error::{EmulatorError, ParseValueError};
pub use faults::{FaultKind, FaultSpec};
pub use limits::Limits;
pub use names::{stored_name, stored_name_of_bytes};
pub use state::Storage;
