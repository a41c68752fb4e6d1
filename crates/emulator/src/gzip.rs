//! Gzip without compression: what a client has to undo when it says that it takes gzip. Nothing is gained by packing
//! what goes to the same machine.

use std::io::{self, Read as _};

use flate2::{Compression, read::GzEncoder};

/// Returns bytes as gzip.
///
/// # Errors
/// They can't be packed.
pub(crate) fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = Vec::with_capacity(bytes.len() + 64);
    GzEncoder::new(bytes, Compression::none()).read_to_end(&mut packed)?;
    Ok(packed)
}
