//! An emulator of the 1Fichier service: an HTTP server that follows the API document.
//!
//! Where the document is unsure, the emulator follows the stricter reading, so that a client which works with it is
//! likely to work with the service. It knows the service's limits ([`Limits`]), makes mistakes on demand
//! ([`FaultSpec`]), keeps its state in memory or in a directory ([`Storage`]), and serves unmodified clients through
//! a proxy with TLS under the service's own host names ([`Builder::proxy`]).
//!
//! It shares no code with the client: each follows the document independently.

mod answer;
mod builder;
mod certificate;
mod checksum;
mod clock;
mod control;
mod control_http;
mod counters;
mod door;
mod emulator;
mod endpoint;
mod error;
mod fault_book;
pub mod faults;
mod gzip;
mod gzip_bomb;
mod limits;
mod links;
mod log;
mod multipart;
mod names;
mod proxy;
mod readings;
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
pub use readings::{LongNames, Windows};
pub use state::Storage;
