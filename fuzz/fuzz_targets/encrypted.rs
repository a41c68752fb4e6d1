//! Any bytes as encrypted file: no panic, and what must hold does.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| fichier_config::fuzzing::encrypted_file(bytes));
